/* Access control lists: acl(5), the attributes system.posix_acl_access and _default. */
#include "diff.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/acl.h"

static void say_acl(const char *path)
{
	char list[256];
	struct stat st;

	if (lstat(path, &st)) {
		say("%s: %s", path, err_name(errno));
		return;
	}
	say("%s: mode %o, access %s", path, st.st_mode, acl_text(path, ACL_ACCESS));
	say("%s: default %s", path, acl_text(path, ACL_DEFAULT));
	long n = llistxattr(path, list, sizeof list);
	for (char *s = list; n > 0 && s < list + n; s += strlen(s) + 1)
		say("%s has %s", path, s);
}

DIFF_CASE(acl_set_and_list)
{
	char b[64];
	make_file("f", "");
	NEED(!mkdir("d", 0755));
	TRY(setxattr("f", "trusted.a", "1", 1, 0));
	TRY(acl_set("f", ACL_ACCESS, "u:rw- u5:r-- g:r-x g6:-w- m:rw- o:--x"));
	say_acl("f");
	TRY(acl_set("d", ACL_DEFAULT, "u:rwx g:--- o:r--"));
	TRY(acl_set("d", ACL_ACCESS, "u:r-x g:r-x m:r-- o:--x"));
	say_acl("d");
	TRY(getxattr("d", ACL_DEFAULT, NULL, 0));
	TRY(getxattr("d", ACL_DEFAULT, b, 27));
	TRY(getxattr("d", ACL_DEFAULT, b, 28));
	say_bytes("default", b, 28);
	TRY(listxattr("d", b, 40));
	TRY(listxattr("d", NULL, 0));
}

DIFF_CASE(acl_remove)
{
	make_file("f", "");
	NEED(!mkdir("d", 0755));
	TRY(removexattr("f", ACL_ACCESS));
	TRY(removexattr("f", ACL_DEFAULT));
	TRY(removexattr("d", ACL_DEFAULT));
	TRY(acl_set("f", ACL_ACCESS, "u:rw- u5:r-- g:r-x m:rwx o:--x"));
	TRY(removexattr("f", ACL_ACCESS));
	say_acl("f");
	TRY(acl_set("f", ACL_ACCESS, "u:rw- u5:r-- g:r-x m:rwx o:--x"));
	TRY(acl_set("f", ACL_ACCESS, ""));
	say_acl("f");
	TRY(acl_set("d", ACL_DEFAULT, "u:rw- g:r-x o:--x"));
	TRY(removexattr("d", ACL_DEFAULT));
	TRY(removexattr("d", ACL_DEFAULT));
	say_acl("d");
}

DIFF_CASE(acl_bytes_that_are_none)
{
	struct acl_value v;
	make_file("f", "");
	acl_parse("u:rw- u5:r-- g:r-- m:r-- o:---", &v);
	for (size_t n = 1; n <= acl_size(&v); n++)
		if (n < 6 || n > acl_size(&v) - 9)
			say("%zu bytes: %s", n,
			    setxattr("f", ACL_ACCESS, &v.head, n, 0) ? err_name(errno)
								     : "set");
	v.head.a_version = 1;
	TRY(setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), 0));
	TRY(setxattr("f", ACL_ACCESS, &v.head, 4, 0));
	v.head.a_version = 2;
	TRY(setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), 4));
	TRY(setxattr("f", ACL_ACCESS, &v.head, 65537, 0));
	TRY(setxattr("f", ACL_ACCESS, (void *)8, 28, 0));
	v.entry[1].e_perm = 0x84;
	TRY(setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), 0));
	v.entry[1].e_perm = 4;
	v.entry[1].e_id = (unsigned)-1;
	TRY(setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), 0));
	v.entry[1].e_id = 5;
	v.entry[0].e_id = 77; /* of the owner: nothing */
	TRY(setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), 0));
	say_acl("f");
}

DIFF_CASE(acl_empty_value)
{
	make_file("f", "");
	TRY(acl_set("f", ACL_ACCESS, "u:rw- u5:r-- g:r-x m:rwx o:--x"));
	TRY(setxattr("f", ACL_ACCESS, "", 0, 0));
	say_acl("f");
}

DIFF_CASE(acl_order_of_entries)
{
	static const char *const lists[] = {
		"u:r--",
		"o:r--",
		"u:r-- g:r--",
		"u:r-- o:r-- g:r--",
		"g:r-- u:r-- o:r--",
		"u:r-- u5:r-- g:r-- o:r--",
		"u:r-- g:r-- u5:r-- m:r-- o:r--",
		"u:r-- g:r-- g5:r-- o:r--",
		"u:r-- g5:r-- g:r-- m:r-- o:r--",
		"u:r-- g:r-- m:r-- g5:r-- o:r--",
		"u:r-- g:r-- m:r-- o:r-- o:r--",
		"u:r-- u:r-- g:r-- o:r--",
		"u:r-- g:r-- m:r-- m:r-- o:r--",
		"u:r-- g:r-- o:r--",
		"u:r-- g:r-- m:rwx o:r--",
		"u:r-- u9:r-- u5:r-- g:r-- g9:r-- g5:r-- m:rwx o:r--",
		"u:r-- u5:r-- u5:rw- g:r-- g5:r-- g5:rwx m:rwx o:r--",
	};
	make_file("f", "");
	for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
		say("%s: %s", lists[k],
		    acl_set("f", ACL_ACCESS, lists[k]) ? err_name(errno) : "set");
	say_acl("f");
}

DIFF_CASE(acl_kinds_of_files)
{
	char b[8];
	make_file("f", "");
	NEED(!symlink("f", "l") && !mkfifo("p", 0600) &&
	     !mknod("z", S_IFCHR | 0600, 0x105));
	TRY(acl_set("f", ACL_DEFAULT, "u:rw- g:--- o:---"));
	TRY(acl_set("f", ACL_DEFAULT, ""));
	TRY(acl_set("l", ACL_ACCESS, "u:rw- g:--- o:---"));
	TRY(acl_set("l", ACL_DEFAULT, "u:rw- g:--- o:---"));
	TRY(lsetxattr("l", ACL_ACCESS, "12", 2, 0));
	TRY(lgetxattr("l", ACL_ACCESS, b, 8));
	TRY(lremovexattr("l", ACL_ACCESS));
	TRY(acl_set("p", ACL_ACCESS, "u:rw- u5:rw- g:--- m:rw- o:---"));
	say_acl("p");
	TRY(acl_set("z", ACL_ACCESS, "u:rw- u5:rw- g:--- m:r-- o:---"));
	say_acl("z");
	TRY(getxattr("f", "system.posix_acl", b, 8));
	TRY(getxattr("f", "system.posix_acl_accessx", b, 8));
	TRY(setxattr("f", "system.other", "1", 1, 0));
	TRY(acl_set("/proc/self/status", ACL_ACCESS, "u:rw- g:--- o:---"));
	TRY(getxattr("/proc/self/status", ACL_ACCESS, b, 8));
	int fd = open("f", O_RDONLY), path = open("f", O_PATH);
	TRY(fgetxattr(fd, ACL_ACCESS, b, 8));
	TRY(fgetxattr(path, ACL_ACCESS, b, 8));
	TRY(fremovexattr(path, ACL_ACCESS));
}

DIFF_CASE(acl_chmod)
{
	static const mode_t modes[] = { 0777, 0, 0705, 0070, 01644, 06711 };
	make_file("f", "");
	NEED(!acl_set("f", ACL_ACCESS, "u:rw- u5:rwx g:r-x g6:-w- m:rw- o:--x"));
	for (size_t k = 0; k < sizeof modes / sizeof *modes; k++) {
		say("chmod %o: %d", modes[k], chmod("f", modes[k]));
		say_acl("f");
	}
	TRY(chown("f", 7, 8));
	say_acl("f");
}

DIFF_CASE(acl_default_is_inherited)
{
	NEED(!mkdir("d", 0755) &&
	     !acl_set("d", ACL_DEFAULT, "u:rwx u5:rwx g:r-x m:rwx o:r-x"));
	umask(0137);
	close(open("d/f", O_CREAT | O_WRONLY, 0666));
	say_acl("d/f");
	close(open("d/none", O_CREAT | O_WRONLY, 0));
	say_acl("d/none");
	TRY(mkdir("d/sub", 0750));
	say_acl("d/sub");
	TRY(mkdir("d/sub/sub", 01777));
	say_acl("d/sub/sub");
	TRY(mknod("d/p", S_IFIFO | 0620, 0));
	say_acl("d/p");
	TRY(mknod("d/g", S_IFREG | 06777, 0));
	say_acl("d/g");
	TRY(symlink("f", "d/l"));
	say_acl("d/l");
	make_file("h", "");
	TRY(link("h", "d/h"));
	say_acl("d/h");
	TRY(rename("h", "d/i"));
	say_acl("d/i");
}

DIFF_CASE(acl_default_that_is_a_mode)
{
	NEED(!mkdir("d", 0755) && !acl_set("d", ACL_DEFAULT, "u:rwx g:-w- o:r--"));
	umask(077);
	close(open("d/f", O_CREAT | O_WRONLY, 0666));
	say_acl("d/f");
	TRY(mkdir("d/sub", 0777));
	say_acl("d/sub");
}

static int as_five(void)
{
	if (setresgid(6, 6, 6) || setresuid(5, 5, 5))
		return 1;
	TRY(open("f", O_RDONLY) >= 0);
	TRY(open("f", O_WRONLY) >= 0);
	TRY(open("f", O_RDWR) >= 0);
	TRY(access("f", X_OK));
	return 0;
}

DIFF_CASE(acl_decides)
{
	static const char *const lists[] = {
		"u:rwx u5:r-- g:rwx m:rwx o:rwx",
		"u:rwx u5:rwx g:--- m:r-- o:---",
		"u:rwx u5:--- g:rwx g6:rwx m:rwx o:rwx",
		"u:rwx u5:rwx g:rwx m:--- o:r--",
		"u:rwx g:r-- g6:-w- m:rwx o:rwx",
		"u:rwx g:rwx g7:rwx m:rwx o:--x",
		"u:rwx g:rwx g6:--- g6:rw- m:r-- o:--x",
		"u:--- u5:r-- u5:rwx g:--- m:rwx o:---",
	};
	make_file("f", "");
	for (size_t k = 0; k < sizeof lists / sizeof *lists; k++) {
		NEED(!acl_set("f", ACL_ACCESS, lists[k]));
		say("%s", lists[k]);
		reap(child_of(as_five));
	}
}

static void not_the_owner(void)
{
	TRY(acl_set("f", ACL_ACCESS, "u:rwx g:rwx o:rwx"));
	TRY(acl_set("f", ACL_ACCESS, "u:rwx"));
	TRY(setxattr("f", ACL_ACCESS, "1", 1, 0));
	TRY(acl_set("f", ACL_DEFAULT, "u:rwx g:rwx o:rwx"));
	TRY(acl_set("d", ACL_DEFAULT, "u:rwx g:rwx o:rwx"));
	TRY(removexattr("f", ACL_ACCESS));
	TRY(removexattr("f", ACL_DEFAULT));
	TRY(getxattr("f", ACL_ACCESS, NULL, 0));
	TRY(acl_set("own", ACL_ACCESS, "u:rwx u5:rwx g:rwx m:rwx o:rwx"));
	say_acl("own");
}

DIFF_CASE(acl_of_others)
{
	make_file("f", "");
	make_file("own", "");
	NEED(!mkdir("d", 0777) && !chown("own", 1234, 0) && !chmod("own", 02755));
	NEED(!acl_set("f", ACL_ACCESS, "u:rwx u5:rwx g:rwx m:rwx o:rwx"));
	as_nobody(not_the_owner);
}
