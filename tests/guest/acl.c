/* Access control lists. acl(5), xattr(7); each case on a tmpfs and an overlay of two. */
#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/acl.h"
#include "common/tap.h"

enum { ALICE = 1001, BOB = 1002, CAROL = 1003, STAFF = 2001, GUESTS = 2002 };

#define CHECK_ACL(path, name, want)                                                      \
	do {                                                                             \
		const char *got_ = acl_text(path, name);                                 \
		tap_checked();                                                           \
		if (strcmp(got_, want))                                                  \
			tap_fail(__FILE__, __LINE__, "%s of %s is %s", #name, path,      \
				 got_);                                                  \
	} while (0)

static void on_tmpfs(void)
{
	tap_needs_root();
	tap_tmpdir();
	CHECK(!mkdir("m", 0755) && !mount("none", "m", "tmpfs", 0, "mode=777"));
	CHECK(!chmod(".", 0755) && !chdir("m"));
	umask(0);
}

/* Files of the lower layer: "low" and the folder "lowdir", with lists. */
static void on_overlay(void)
{
	on_tmpfs();
	CHECK(!mkdir("l", 0777) && !mkdir("u", 0777) && !mkdir("w", 0777) &&
	      !mkdir("o", 0777));
	close(open("l/low", O_CREAT | O_WRONLY, 0640));
	CHECK(!acl_set("l/low", ACL_ACCESS, "u:rw- u1002:r-- g:--- m:r-- o:---"));
	CHECK(!mkdir("l/lowdir", 0700));
	CHECK(!acl_set("l/lowdir", ACL_DEFAULT, "u:rwx u1002:r-x g:--- m:r-x o:---"));
	CHECK(!mount("none", "o", "overlay", 0, "lowerdir=l,upperdir=u,workdir=w"));
	CHECK(!chdir("o"));
}

#define BOTH(fn)                                                                         \
	static void fn##_tmpfs(void)                                                     \
	{                                                                                \
		on_tmpfs();                                                              \
		fn();                                                                    \
	}                                                                                \
	static void fn##_overlay(void)                                                   \
	{                                                                                \
		on_overlay();                                                            \
		fn();                                                                    \
	}
#define CASES(fn) CASE(fn##_tmpfs), CASE(fn##_overlay)

static void become(uid_t u, gid_t g, gid_t more)
{
	CHECK(!setgroups(1, &more));
	CHECK(!setresgid(g, g, g));
	CHECK(!setresuid(u, u, u));
}

static void make(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_RDWR | O_EXCL, 0600);
	CHECK(fd >= 0);
	CHECK(!fchown(fd, ALICE, STAFF) && !fchmod(fd, mode));
	close(fd);
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	CHECK(!lstat(path, &st));
	return st.st_mode & 07777;
}

/* What a user may do to a file: of R_OK, W_OK, X_OK. */
static int rights(const char *path, uid_t u, gid_t g, gid_t more)
{
	pid_t pid = fork();
	if (!pid) {
		int may = 0;
		become(u, g, more);
		for (int bit = 1; bit <= 4; bit <<= 1)
			may |= faccessat(AT_FDCWD, path, bit, AT_EACCESS) ? 0 : bit;
		_exit(may);
	}
	return tap_wait(pid) >> 8;
}

static void set_get_list_remove(void)
{
	char list[256];
	make("f", 0640);
	CHECK_ACL("f", ACL_ACCESS, "none");
	CHECK(!acl_set("f", ACL_ACCESS, "u:rw- u1002:r-x g:r-- g2002:-w- m:rwx o:--x"));
	CHECK_ACL("f", ACL_ACCESS, "u:rw- u1002:r-x g:r-- g2002:-w- m:rwx o:--x");
	CHECK_EQ(mode_of("f"), 0671);
	CHECK_EQ(getxattr("f", ACL_ACCESS, NULL, 0), 4 + 6 * 8);
	CHECK_ERR(getxattr("f", ACL_ACCESS, list, 51), ERANGE);
	CHECK_EQ(getxattr("f", ACL_ACCESS, list, 52), 52);
	CHECK_EQ(listxattr("f", list, sizeof list), sizeof ACL_ACCESS);
	CHECK(!strcmp(list, ACL_ACCESS));
	CHECK(!removexattr("f", ACL_ACCESS));
	CHECK_EQ(mode_of("f"), 0671);
	CHECK_ACL("f", ACL_ACCESS, "none");
	CHECK_EQ(listxattr("f", list, sizeof list), 0);
	/* What is not there can be removed too; and bytes without entries remove. */
	CHECK(!removexattr("f", ACL_ACCESS));
	CHECK(!acl_set("f", ACL_ACCESS, "u:rw- u1002:r-- g:r-- m:rwx o:---"));
	CHECK(!acl_set("f", ACL_ACCESS, ""));
	CHECK_ACL("f", ACL_ACCESS, "none");
}

static void minimal_list_is_the_mode(void)
{
	make("f", 0600);
	CHECK(!acl_set("f", ACL_ACCESS, "u:rwx g:r-x o:--x"));
	CHECK_ACL("f", ACL_ACCESS, "none");
	CHECK_EQ(mode_of("f"), 0751);
	/* With a mask it is more than a mode. */
	CHECK(!acl_set("f", ACL_ACCESS, "u:rwx g:r-x m:r-- o:--x"));
	CHECK_ACL("f", ACL_ACCESS, "u:rwx g:r-x m:r-- o:--x");
	CHECK_EQ(mode_of("f"), 0741);
	CHECK(!acl_set("f", ACL_ACCESS, "u:r-- g:r-- o:r--"));
	CHECK_ACL("f", ACL_ACCESS, "none");
	CHECK_EQ(mode_of("f"), 0444);
}

static void who_may_do_what(void)
{
	make("f", 0600);
	CHECK(!acl_set("f", ACL_ACCESS,
		       "u:-w- u1002:rwx u1003:--- g:r-- g2002:-wx m:rw- o:r-x"));
	CHECK_EQ(rights("f", ALICE, GUESTS, GUESTS), W_OK);
	CHECK_EQ(rights("f", BOB, GUESTS, STAFF), R_OK | W_OK);
	CHECK_EQ(rights("f", CAROL, GUESTS, STAFF), 0);
	CHECK_EQ(rights("f", 1004, STAFF, 5), R_OK);
	CHECK_EQ(rights("f", 1004, 5, GUESTS), W_OK);
	/* Two groups: each bit by either. */
	CHECK_EQ(rights("f", 1004, STAFF, GUESTS), R_OK | W_OK);
	CHECK_EQ(rights("f", 1004, 5, 6), R_OK | X_OK);
	/* But one entry has to give all that is wanted at once. */
	pid_t pid = fork();
	if (!pid) {
		become(1004, STAFF, GUESTS);
		CHECK_ERR(open("f", O_RDWR), EACCES);
		CHECK(open("f", O_RDONLY) >= 0);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	/* A capability overrides; execution needs one x in the mode. */
	CHECK_EQ(rights("f", 0, 0, 0) & (R_OK | W_OK), R_OK | W_OK);
}

static void folders_are_searched_by_their_list(void)
{
	CHECK(!mkdir("d", 0700) && !chown("d", ALICE, STAFF));
	make("d/f", 0644);
	CHECK_EQ(rights("d/f", BOB, 5, 5), 0);
	CHECK(!acl_set("d", ACL_ACCESS, "u:rwx u1002:--x g:r-- m:r-x o:---"));
	CHECK_EQ(rights("d/f", BOB, 5, 5), R_OK);
	CHECK_EQ(rights("d/../d/f", BOB, 5, 5), R_OK);
	CHECK_EQ(rights("d", BOB, 5, 5), X_OK);
	CHECK_EQ(rights("d/f", CAROL, STAFF, 5), 0);
	CHECK(!chmod("d", 0777));
	CHECK_EQ(rights("d/f", CAROL, STAFF, 5), 0);
	CHECK_EQ(rights("d/f", 1004, 5, 5), R_OK);
	CHECK(!acl_set("d", ACL_ACCESS, "u:rwx u1002:--- g:--x m:--x o:--x"));
	CHECK_EQ(rights("d/f", BOB, 5, 5), 0);
	CHECK_EQ(rights("d/f", CAROL, 5, 5), R_OK);
}

static void chmod_sets_the_mask(void)
{
	make("f", 0600);
	CHECK(!acl_set("f", ACL_ACCESS, "u:rw- u1002:rwx g:rw- m:rwx o:---"));
	CHECK(!chmod("f", 04754));
	CHECK_ACL("f", ACL_ACCESS, "u:rwx u1002:rwx g:rw- m:r-x o:r--");
	CHECK_EQ(mode_of("f"), 04754);
	CHECK_EQ(rights("f", BOB, 5, 5), R_OK | X_OK);
	CHECK_EQ(rights("f", CAROL, STAFF, 5), R_OK);
	/* Writing by another takes set-user-ID away, and leaves the list. */
	CHECK(!acl_set("f", ACL_ACCESS, "u:rw- u1002:rw- g:r-- m:rwx o:---"));
	CHECK(!chmod("f", 06770));
	pid_t pid = fork();
	if (!pid) {
		become(BOB, 5, 5);
		int fd = open("f", O_WRONLY);
		_exit(write(fd, "x", 1) == 1 ? 0 : 1);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(mode_of("f"), 0770);
	CHECK_ACL("f", ACL_ACCESS, "u:rwx u1002:rw- g:r-- m:rwx o:---");
}

static void default_lists_are_inherited(void)
{
	static const char dflt[] = "u:rwx u1002:rwx g:r-x m:rwx o:r--";
	CHECK(!mkdir("d", 0700));
	CHECK(!acl_set("d", ACL_DEFAULT, dflt));
	CHECK_EQ(mode_of("d"), 0700);
	CHECK_ACL("d", ACL_ACCESS, "none");
	umask(077); /* not looked at */
	close(open("d/f", O_CREAT | O_WRONLY, 0666));
	CHECK_ACL("d/f", ACL_ACCESS, "u:rw- u1002:rwx g:r-x m:rw- o:r--");
	CHECK_ACL("d/f", ACL_DEFAULT, "none");
	CHECK_EQ(mode_of("d/f"), 0664);
	CHECK(!mkdir("d/sub", 0770));
	CHECK_ACL("d/sub", ACL_ACCESS, "u:rwx u1002:rwx g:r-x m:rwx o:---");
	CHECK_ACL("d/sub", ACL_DEFAULT, dflt);
	CHECK_EQ(mode_of("d/sub"), 0770);
	CHECK(!mkdir("d/sub/deep", 0777));
	CHECK_ACL("d/sub/deep", ACL_ACCESS, dflt);
	CHECK(!mkfifo("d/p", 0640));
	CHECK_ACL("d/p", ACL_ACCESS, "u:rw- u1002:rwx g:r-x m:r-- o:---");
	CHECK(!symlink("f", "d/l"));
	CHECK_EQ(lgetxattr("d/l", ACL_ACCESS, NULL, 0), -1);
	CHECK_EQ(mode_of("d/l"), 0777);
	/* Links and moves are not made: nothing is inherited. */
	close(open("g", O_CREAT | O_WRONLY, 0666));
	CHECK_EQ(mode_of("g"), 0600);
	CHECK(!link("g", "d/g") && !rename("g", "d/h"));
	CHECK_ACL("d/h", ACL_ACCESS, "none");
	CHECK(!removexattr("d", ACL_DEFAULT));
	close(open("d/i", O_CREAT | O_WRONLY, 0666));
	CHECK_EQ(mode_of("d/i"), 0600);
}

static void sockets_and_nameless_files_inherit(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "d/s" };
	CHECK(!mkdir("d", 0700));
	CHECK(!acl_set("d", ACL_DEFAULT, "u:rwx u1002:rw- g:r-x m:rwx o:---"));
	umask(027); /* bind(2) looks at it all the same */
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!bind(s, (struct sockaddr *)&at, sizeof at));
	CHECK_ACL("d/s", ACL_ACCESS, "u:rwx u1002:rw- g:r-x m:r-x o:---");
	int fd = open("d", O_TMPFILE | O_RDWR, 0660);
	CHECK(fd >= 0);
	CHECK_EQ(fgetxattr(fd, ACL_ACCESS, NULL, 0), 4 + 5 * 8);
	char self[32];
	snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
	CHECK(!linkat(AT_FDCWD, self, AT_FDCWD, "d/t", AT_SYMLINK_FOLLOW));
	CHECK_ACL("d/t", ACL_ACCESS, "u:rw- u1002:rw- g:r-x m:rw- o:---");
}

static void minimal_default_list_is_kept(void)
{
	CHECK(!mkdir("d", 0777));
	CHECK(!acl_set("d", ACL_DEFAULT, "u:rw- g:r-- o:r--"));
	CHECK_ACL("d", ACL_DEFAULT, "u:rw- g:r-- o:r--");
	close(open("d/f", O_CREAT | O_WRONLY, 0777));
	CHECK_EQ(mode_of("d/f"), 0644);
	CHECK_ACL("d/f", ACL_ACCESS, "none");
}

static void what_is_no_list_is_refused(void)
{
	static const char *const bad[] = {
		"u:rw-",
		"u:rw- g:r--",
		"g:r-- u:rw- o:---",
		"u:rw- u:rw- g:r-- o:---",
		"u:rw- g:r-- g:r-- o:---",
		"u:rw- g:r-- o:--- o:---",
		"u:rw- g:r-- m:r-- m:r-- o:---",
		"u:rw- u1001:r-- g:r-- o:---", /* no mask */
		"u:rw- g:r-- g2001:r-- o:---",
		"u:rw- g:r-- u1001:r-- m:r-- o:---",
		"u:rw- g:r-- o:--- m:r--",
		"u:rw- g:r-- m:r-- o:--- u1:r--",
		"u:rw- u4294967295:r-- g:r-- m:r-- o:---",
	};
	struct acl_value v;
	make("f", 0640);
	for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++)
		CHECK_ERR(acl_set("f", ACL_ACCESS, bad[k]), EINVAL);
	acl_parse("u:rw- g:r-- m:r-- o:---", &v);
	CHECK_ERR(setxattr("f", ACL_ACCESS, &v.head, acl_size(&v) - 1, 0), EINVAL);
	CHECK_ERR(setxattr("f", ACL_ACCESS, &v.head, 3, 0), EINVAL);
	v.entry[1].e_perm = 8;
	CHECK_ERR(setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), 0), EINVAL);
	v.entry[1].e_perm = 4;
	v.entry[1].e_tag = 64;
	CHECK_ERR(setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), 0), EINVAL);
	v.entry[1].e_tag = ACL_GROUP_OBJ;
	v.head.a_version = 1;
	CHECK_ERR(setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), 0), EOPNOTSUPP);
	v.head.a_version = 2;
	CHECK_EQ(mode_of("f"), 0640);
	/* Not sorted, named twice: all that is fine. The flags say nothing. */
	CHECK(!setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), XATTR_REPLACE));
	CHECK(!setxattr("f", ACL_ACCESS, &v.head, acl_size(&v), XATTR_CREATE));
	CHECK(!acl_set("f", ACL_ACCESS, "u:rw- u9:r-- u5:r-- u9:rw- g:--- m:rw- o:---"));
	CHECK_EQ(rights("f", 9, 9, 9), R_OK);
}

static void kinds_of_files(void)
{
	make("f", 0640);
	CHECK_ERR(acl_set("f", ACL_DEFAULT, "u:rw- g:r-- o:---"), EACCES);
	CHECK(!acl_set("f", ACL_DEFAULT, ""));
	CHECK(!removexattr("f", ACL_DEFAULT));
	CHECK_ACL("f", ACL_DEFAULT, "none");
	CHECK(!symlink("f", "l"));
	CHECK_ERR(acl_set("l", ACL_ACCESS, "u:rw- g:r-- o:---"), EOPNOTSUPP);
	CHECK_ERR(lgetxattr("l", ACL_ACCESS, NULL, 0), EOPNOTSUPP);
	CHECK_ERR(lremovexattr("l", ACL_ACCESS), EOPNOTSUPP);
	CHECK(!mkfifo("p", 0600));
	CHECK(!acl_set("p", ACL_ACCESS, "u:rw- u1002:r-- g:r-- m:r-- o:---"));
	CHECK_EQ(rights("p", BOB, 5, 5), R_OK);
	CHECK_ERR(acl_set("/proc/self/status", ACL_ACCESS, "u:rw- g:r-- o:---"),
		  EOPNOTSUPP);
	CHECK_ERR(getxattr("/proc/self/status", ACL_ACCESS, NULL, 0), EOPNOTSUPP);
	CHECK_ERR(getxattr("f", ACL_ACCESS "x", NULL, 0), EOPNOTSUPP);
}

static void setgid_goes_as_with_chmod(void)
{
	make("f", 02750);
	CHECK(!acl_set("f", ACL_ACCESS, "u:rwx u1002:r-- g:r-x m:r-x o:---"));
	CHECK_EQ(mode_of("f"), 02750);
	pid_t pid = fork();
	if (!pid) {
		become(ALICE, 5, 5);
		CHECK(!acl_set("f", ACL_ACCESS, "u:rwx u1002:r-- g:r-x m:r-x o:--x"));
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(mode_of("f"), 0751);
	CHECK(!chmod("f", 02750));
	pid = fork();
	if (!pid) {
		become(ALICE, 5, STAFF);
		CHECK(!acl_set("f", ACL_ACCESS, "u:rwx u1002:r-- g:r-x m:r-x o:---"));
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(mode_of("f"), 02750);
}

/* Copying up keeps lists, and what is copied into a folder with a default list inherits
 * nothing. */
static void lists_are_copied_up(void)
{
	on_overlay();
	CHECK_ACL("low", ACL_ACCESS, "u:rw- u1002:r-- g:--- m:r-- o:---");
	CHECK_EQ(rights("low", BOB, 5, 5), R_OK);
	CHECK_EQ(rights("low", CAROL, 5, 5), 0);
	CHECK(!chmod("low", 0660));
	CHECK_ACL("low", ACL_ACCESS, "u:rw- u1002:r-- g:--- m:rw- o:---");
	CHECK_ACL("../l/low", ACL_ACCESS, "u:rw- u1002:r-- g:--- m:r-- o:---");
	CHECK_ACL("../u/low", ACL_ACCESS, "u:rw- u1002:r-- g:--- m:rw- o:---");
	close(open("lowdir/f", O_CREAT | O_WRONLY, 0666));
	CHECK_ACL("lowdir/f", ACL_ACCESS, "u:rw- u1002:r-x g:--- m:r-- o:---");
	CHECK_ACL("../u/lowdir", ACL_DEFAULT, "u:rwx u1002:r-x g:--- m:r-x o:---");
	CHECK_EQ(mode_of("lowdir"), 0700);
	/* The file of a whiteout's name, and one below that is copied up. */
	CHECK(!unlink("low"));
	CHECK(!rename("lowdir/f", "low"));
	CHECK_ACL("low", ACL_ACCESS, "u:rw- u1002:r-x g:--- m:r-- o:---");
}

static void copies_up_inherit_nothing(void)
{
	on_tmpfs();
	CHECK(!mkdir("l", 0777) && !mkdir("l/d", 0777) && !mkdir("u", 0777));
	CHECK(!mkdir("w", 0777) && !mkdir("o", 0777) && !mkdir("l/d/sub", 0750));
	make("l/d/f", 0640);
	CHECK(!acl_set("l/d", ACL_DEFAULT, "u:rwx u1002:rwx g:rwx m:rwx o:rwx"));
	CHECK(!mount("none", "o", "overlay", 0, "lowerdir=l,upperdir=u,workdir=w"));
	CHECK(!chown("o/d/f", BOB, BOB) && !chown("o/d/sub", BOB, BOB));
	CHECK_ACL("o/d/f", ACL_ACCESS, "none");
	CHECK_EQ(mode_of("o/d/f"), 0640);
	CHECK_ACL("o/d/sub", ACL_ACCESS, "none");
	CHECK_ACL("o/d/sub", ACL_DEFAULT, "none");
	CHECK_EQ(mode_of("o/d/sub"), 0750);
	CHECK(!unlink("o/d/f"));
	close(open("o/d/f", O_CREAT | O_WRONLY, 0606));
	CHECK_ACL("o/d/f", ACL_ACCESS, "u:rw- u1002:rwx g:rwx m:--- o:rw-");
}

BOTH(set_get_list_remove)
BOTH(minimal_list_is_the_mode)
BOTH(who_may_do_what)
BOTH(folders_are_searched_by_their_list)
BOTH(chmod_sets_the_mask)
BOTH(default_lists_are_inherited)
BOTH(sockets_and_nameless_files_inherit)
BOTH(minimal_default_list_is_kept)
BOTH(what_is_no_list_is_refused)
BOTH(kinds_of_files)
BOTH(setgid_goes_as_with_chmod)

TEST_MAIN(CASES(set_get_list_remove), CASES(minimal_list_is_the_mode),
	  CASES(who_may_do_what), CASES(folders_are_searched_by_their_list),
	  CASES(chmod_sets_the_mask), CASES(default_lists_are_inherited),
	  CASES(sockets_and_nameless_files_inherit), CASES(minimal_default_list_is_kept),
	  CASES(what_is_no_list_is_refused), CASES(kinds_of_files),
	  CASES(setgid_goes_as_with_chmod), CASE(lists_are_copied_up),
	  CASE(copies_up_inherit_nothing))
