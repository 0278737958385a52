/* Extended attributes on the writable file system. xattr(7), setxattr(2). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/tap.h"

static int make_file(const char *name)
{
	int fd = open(name, O_CREAT | O_RDWR, 0644);
	CHECK(fd >= 0);
	return fd;
}

/* User attributes where the file system has them. */
static void need_xattrs(void)
{
	tap_tmpdir();
	int fd = make_file("f");
	if (fsetxattr(fd, "user.probe", "1", 1, 0) && errno == EOPNOTSUPP)
		tap_skip("no user attributes here");
	CHECK(!fremovexattr(fd, "user.probe"));
	close(fd);
}

static void set_get_remove(void)
{
	char buf[16];
	need_xattrs();
	CHECK(!setxattr("f", "user.a", "value", 5, 0));
	CHECK_EQ(getxattr("f", "user.a", NULL, 0), 5);
	CHECK_EQ(getxattr("f", "user.a", buf, sizeof buf), 5);
	CHECK(!memcmp(buf, "value", 5));
	CHECK_ERR(getxattr("f", "user.a", buf, 4), ERANGE);
	CHECK_ERR(getxattr("f", "user.b", buf, 4), ENODATA);
	CHECK_ERR(setxattr("f", "user.a", "x", 1, XATTR_CREATE), EEXIST);
	CHECK_ERR(setxattr("f", "user.b", "x", 1, XATTR_REPLACE), ENODATA);
	CHECK(!setxattr("f", "user.a", "", 0, XATTR_REPLACE));
	CHECK_EQ(getxattr("f", "user.a", buf, sizeof buf), 0);
	CHECK(!removexattr("f", "user.a"));
	CHECK_ERR(removexattr("f", "user.a"), ENODATA);
	CHECK_ERR(setxattr("absent", "user.a", "x", 1, 0), ENOENT);
	CHECK_ERR(setxattr("f", "user.a", "x", 1, 99), EINVAL);
}

static bool lists(const char *list, ssize_t n, const char *name)
{
	for (const char *p = list; p < list + n; p += strlen(p) + 1)
		if (!strcmp(p, name))
			return true;
	return false;
}

static void listing(void)
{
	char buf[256];
	need_xattrs();
	CHECK(!setxattr("f", "user.one", "1", 1, 0));
	CHECK(!setxattr("f", "user.two", "2", 1, 0));
	ssize_t n = listxattr("f", buf, sizeof buf);
	CHECK(n >= 18);
	CHECK_EQ(listxattr("f", NULL, 0), n);
	CHECK(lists(buf, n, "user.one") && lists(buf, n, "user.two"));
	CHECK_ERR(listxattr("f", buf, 3), ERANGE);
	int fd = open("f", O_RDONLY);
	CHECK_EQ(flistxattr(fd, buf, sizeof buf), n);
}

static void names_and_sizes(void)
{
	static char big[70000];
	char name[300] = "user.";
	need_xattrs();
	memset(name + 5, 'n', 250);
	CHECK(!setxattr("f", name, "x", 1, 0));
	name[255] = 'n';
	CHECK_ERR(setxattr("f", name, "x", 1, 0), ERANGE);
	CHECK_ERR(setxattr("f", "user.big", big, 65537, 0), E2BIG);
	CHECK_ERR(setxattr("f", "", "x", 1, 0), ERANGE);
	CHECK_ERR(setxattr("f", "nowhere.a", "x", 1, 0), EOPNOTSUPP);
	CHECK_ERR(setxattr("f", "user.a", (void *)8, 1, 0), EFAULT);
}

static void symbolic_links_and_devices(void)
{
	need_xattrs();
	CHECK(!symlink("f", "l"));
	CHECK(!setxattr("l", "user.a", "x", 1, 0)); /* the file it names */
	CHECK_EQ(getxattr("f", "user.a", NULL, 0), 1);
	CHECK_ERR(lsetxattr("l", "user.a", "x", 1, 0), EPERM);
	CHECK(!mkfifo("p", 0600));
	CHECK_ERR(setxattr("p", "user.a", "x", 1, 0), EPERM);
	CHECK(!mkdir("d", 0755));
	CHECK(!setxattr("d", "user.a", "x", 1, 0));
}

static void trusted_needs_privilege(void)
{
	tap_needs_root();
	need_xattrs();
	chmod(".", 0777);
	chmod("f", 0666);
	int err = setxattr("f", "trusted.a", "x", 1, 0);
	if (err && errno == EPERM)
		tap_skip("not privileged enough");
	CHECK(!err);
	pid_t pid = fork();
	if (!pid) {
		char c;
		if (setresuid(1000, 1000, 1000))
			_exit(1);
		CHECK_ERR(setxattr("f", "trusted.b", "x", 1, 0), EPERM);
		CHECK_ERR(getxattr("f", "trusted.a", &c, 1), ENODATA);
		CHECK(!setxattr("f", "user.c", "x", 1, 0));
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

TEST_MAIN(CASE(set_get_remove), CASE(listing), CASE(names_and_sizes),
	  CASE(symbolic_links_and_devices), CASE(trusted_needs_privilege))
