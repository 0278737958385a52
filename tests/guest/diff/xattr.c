/* Extended attributes, on a tmpfs: trusted.* and security.* for root. */
#include "diff.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static void say_list(const char *path)
{
	char names[1024];
	long n = listxattr(path, names, sizeof names);
	say("%s has %ld bytes of names", path, n);
	for (char *s = names; n > 0 && s < names + n; s += strlen(s) + 1)
		say("- %s", s);
}

DIFF_CASE(xattr_set_get_list_remove)
{
	char b[64];
	make_file("f", "");
	TRY(setxattr("f", "trusted.a", "value", 5, 0));
	TRY(getxattr("f", "trusted.a", b, sizeof b));
	say_bytes("b", b, 5);
	TRY(getxattr("f", "trusted.a", NULL, 0));
	TRY(getxattr("f", "trusted.a", b, 3));
	TRY(getxattr("f", "trusted.b", b, 3));
	say_list("f");
	TRY(listxattr("f", NULL, 0));
	TRY(listxattr("f", b, 3));
	TRY(setxattr("f", "trusted.a", "", 0, 0));
	TRY(getxattr("f", "trusted.a", b, sizeof b));
	TRY(removexattr("f", "trusted.a"));
	TRY(removexattr("f", "trusted.a"));
	say_list("f");
}

DIFF_CASE(xattr_create_and_replace)
{
	make_file("f", "");
	TRY(setxattr("f", "trusted.a", "1", 1, XATTR_REPLACE));
	TRY(setxattr("f", "trusted.a", "1", 1, XATTR_CREATE));
	TRY(setxattr("f", "trusted.a", "2", 1, XATTR_CREATE));
	TRY(setxattr("f", "trusted.a", "3", 1, XATTR_REPLACE));
	TRY(setxattr("f", "trusted.a", "3", 1, 8));
	TRY(setxattr("f", "trusted.a", "3", 1, XATTR_CREATE | XATTR_REPLACE));
}

DIFF_CASE(xattr_names)
{
	char name[300];
	make_file("f", "");
	TRY(setxattr("f", "", "1", 1, 0));
	TRY(setxattr("f", "a", "1", 1, 0));
	TRY(setxattr("f", "none.a", "1", 1, 0));
	TRY(setxattr("f", "trusted.", "1", 1, 0));
	TRY(setxattr("f", "trusted", "1", 1, 0));
	TRY(getxattr("f", "none.a", name, 1));
	TRY(removexattr("f", "none.a"));
	memset(name, 'a', sizeof name);
	memcpy(name, "trusted.", 8);
	name[255] = 0;
	TRY(setxattr("f", name, "1", 1, 0));
	name[255] = 'a', name[256] = 0;
	TRY(setxattr("f", name, "1", 1, 0));
	TRY(getxattr("f", name, NULL, 0));
	TRY(setxattr("f", (char *)8, "1", 1, 0));
	TRY(setxattr("f", "trusted.p", (char *)8, 1, 0));
}

DIFF_CASE(xattr_sizes)
{
	static char big[65537];
	make_file("f", "");
	TRY(setxattr("f", "trusted.big", big, 65537, 0));
	TRY(setxattr("f", "trusted.big", big, 60000, 0));
	TRY(getxattr("f", "trusted.big", big, 65536));
	TRY(getxattr("f", "trusted.big", big, 65537));
	TRY(getxattr("f", "trusted.big", big, 59999));
	TRY(listxattr("f", big, 1 << 20));
}

DIFF_CASE(xattr_targets)
{
	make_file("f", "");
	NEED(!symlink("f", "l") && !mkdir("d", 0755) && !mkfifo("p", 0644));
	TRY(lsetxattr("l", "trusted.l", "1", 1, 0));
	TRY(lgetxattr("l", "trusted.l", NULL, 0));
	TRY(getxattr("l", "trusted.l", NULL, 0));
	TRY(lsetxattr("l", "user.l", "1", 1, 0));
	TRY(setxattr("d", "trusted.d", "1", 1, 0));
	TRY(setxattr("p", "trusted.p", "1", 1, 0));
	TRY(setxattr("p", "user.p", "1", 1, 0));
	TRY(setxattr("missing", "trusted.d", "1", 1, 0));
	TRY(fsetxattr(99, "trusted.d", "1", 1, 0));
	int fd = open("f", O_RDONLY), path = open("f", O_PATH), pipes[2];
	TRY(fsetxattr(fd, "trusted.f", "1", 1, 0));
	TRY(fgetxattr(fd, "trusted.f", NULL, 0));
	TRY(fsetxattr(path, "trusted.f", "1", 1, 0));
	TRY(fgetxattr(path, "trusted.f", NULL, 0));
	TRY(fremovexattr(fd, "trusted.f"));
	NEED(!pipe(pipes));
	TRY(fsetxattr(pipes[0], "user.p", "1", 1, 0));
	TRY(flistxattr(pipes[0], NULL, 0));
	TRY(getxattr("/proc/self/status", "trusted.x", NULL, 0));
}

DIFF_CASE(xattr_of_others)
{
	char b[8];
	make_file("f", "");
	NEED(!setxattr("f", "trusted.t", "1", 1, 0) &&
	     !setxattr("f", "security.s", "2", 1, 0));
	become_nobody();
	TRY(getxattr("f", "trusted.t", b, 8));
	TRY(setxattr("f", "trusted.t", b, 1, 0));
	TRY(removexattr("f", "trusted.t"));
	TRY(getxattr("f", "security.s", b, 8));
	TRY(setxattr("f", "security.s", b, 1, 0));
	say_list("f");
}

DIFF_CASE(xattr_with_links_and_renames)
{
	char b[8];
	make_file("f", "");
	NEED(!setxattr("f", "trusted.a", "1", 1, 0) && !link("f", "g"));
	TRY(getxattr("g", "trusted.a", b, 8));
	NEED(!setxattr("g", "trusted.b", "2", 1, 0));
	TRY(getxattr("f", "trusted.b", b, 8));
	NEED(!rename("f", "h") && !unlink("g"));
	TRY(getxattr("h", "trusted.b", b, 8));
	make_file("h", "new content");
	TRY(getxattr("h", "trusted.a", b, 8));
	unlink("h");
	make_file("h", "");
	TRY(getxattr("h", "trusted.a", b, 8));
}

DIFF_CASE(xattr_file_capabilities)
{
	/* VFS_CAP_REVISION_2, effective, CAP_NET_RAW permitted */
	static const unsigned char cap[20] = { 1, 0, 0, 2, 0, 32 };
	unsigned char b[24];
	make_file("f", "x");
	TRY(setxattr("f", "security.capability", cap, 20, 0));
	TRY(getxattr("f", "security.capability", b, sizeof b));
	chmod("f", 0666);
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		TRY(setxattr("f", "security.capability", cap, 20, 0));
		_exit(write(open("f", O_WRONLY), "y", 1) == 1 ? 0 : 1);
	}
	say_status("writer", reap(pid));
}

DIFF_CASE(xattr_file_capabilities_that_are_none)
{
	make_file("f", "x");
	TRY(setxattr("f", "security.capability", "xxxxxxxxxxxxxxxxxxxx", 20, 0));
	TRY(getxattr("f", "security.capability", NULL, 0));
}
