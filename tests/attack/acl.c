/*
 * Access control lists as a way in: lists on others' files, more than the mask, past the
 * sticky bit, set-group-ID kept, memory through lists, and lists that change while they
 * are asked.
 */
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/acl.h"
#include "common/tap.h"

enum { ALICE = 1001, BOB = 1002, STAFF = 2001 };

static void begin(void)
{
	tap_needs_root();
	tap_tmpdir();
	CHECK(!mkdir("m", 0755) && !mount("none", "m", "tmpfs", 0, "mode=777"));
	CHECK(!chmod(".", 0755) && !chdir("m"));
	umask(0);
}

static void make(const char *name, mode_t mode)
{
	int fd = open(name, O_CREAT | O_RDWR | O_EXCL, 0600);
	CHECK(fd >= 0);
	CHECK(!fchown(fd, ALICE, STAFF) && !fchmod(fd, mode));
	close(fd);
}

static void become(uid_t u, gid_t g)
{
	CHECK(!setgroups(0, NULL) && !setresgid(g, g, g) && !setresuid(u, u, u));
}

/* fn as that user, in a process of its own. */
static void as(uid_t u, void (*fn)(void))
{
	pid_t pid = fork();
	if (!pid) {
		become(u, u);
		fn();
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static const char mine[] = "u:rwx u1002:rwx g:rwx m:rwx o:rwx";

static void try_others(void)
{
	CHECK_ERR(acl_set("f", ACL_ACCESS, mine), EPERM);
	CHECK_ERR(acl_set("f", ACL_ACCESS, "u:rwx g:rwx o:rwx"), EPERM);
	CHECK_ERR(acl_set("d", ACL_DEFAULT, mine), EPERM);
	CHECK_ERR(removexattr("f", ACL_ACCESS), EPERM);
	CHECK_ERR(removexattr("d", ACL_DEFAULT), EPERM);
	int fd = open("f", O_RDWR);
	CHECK(fd >= 0); /* writing the file is not owning it */
	CHECK_ERR(fremovexattr(fd, ACL_ACCESS), EPERM);
	CHECK_ERR(fchmod(fd, 0777), EPERM);
}

static void owner_may(void)
{
	CHECK(!acl_set("f", ACL_ACCESS, mine));
	CHECK(!removexattr("f", ACL_ACCESS));
	CHECK(!acl_set("d", ACL_DEFAULT, mine));
}

static void lists_of_others_files(void)
{
	begin();
	make("f", 0600);
	CHECK(!mkdir("d", 0777) && !chown("d", ALICE, STAFF));
	CHECK(!acl_set("f", ACL_ACCESS, "u:rw- u1002:rw- g:--- m:rw- o:---"));
	as(BOB, try_others);
	CHECK(!strcmp(acl_text("f", ACL_ACCESS), "u:rw- u1002:rw- g:--- m:rw- o:---"));
	as(ALICE, owner_may);
	as(0, owner_may);
}

/* Every mask against every entry: a user and a group that are named, and the owning
 * group. An empty mask is the one that Linux does not ask the list for. */
static void nothing_beyond_the_mask(void)
{
	begin();
	make("f", 0600);
	for (int mask = 1; mask < 8; mask++) {
		char text[64];
		snprintf(text, sizeof text,
			 "u:--- u1002:rwx g:rwx g2002:rwx m:%c%c%c o:rwx",
			 mask & 4 ? 'r' : '-', mask & 2 ? 'w' : '-',
			 mask & 1 ? 'x' : '-');
		CHECK(!acl_set("f", ACL_ACCESS, text));
		static const struct {
			uid_t uid;
			gid_t gid;
		} who[] = { { BOB, 5 }, { 1003, STAFF }, { 1003, 2002 } };
		for (int k = 0; k < 3; k++) {
			pid_t pid = fork();
			if (!pid) {
				int may = 0;
				become(who[k].uid, who[k].gid);
				for (int bit = 1; bit < 8; bit <<= 1)
					may |= access("f", bit) ? 0 : bit;
				_exit(may);
			}
			CHECK_EQ(tap_wait(pid) >> 8, mask);
		}
	}
}

static void sticky_thief(void)
{
	CHECK_ERR(unlink("d/f"), EPERM);
	CHECK_ERR(rename("d/f", "d/g"), EPERM);
	CHECK(open("d/f", O_RDWR) >= 0);
	close(open("d/own", O_CREAT | O_WRONLY, 0600));
	CHECK(!unlink("d/own"));
}

static void sticky_folders_stay_sticky(void)
{
	begin();
	CHECK(!mkdir("d", 01770) && !chown("d", ALICE, STAFF));
	make("d/f", 0600);
	CHECK(!acl_set("d", ACL_ACCESS, "u:rwx u1002:rwx g:--- m:rwx o:---"));
	CHECK(!acl_set("d/f", ACL_ACCESS, "u:rw- u1002:rw- g:--- m:rw- o:---"));
	struct stat st;
	CHECK(!stat("d", &st) && (st.st_mode & 07777) == 01770);
	as(BOB, sticky_thief);
	CHECK(!chmod("d", 0770));
	pid_t pid = fork();
	if (!pid) {
		become(BOB, BOB);
		_exit(unlink("d/f") ? 1 : 0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void take_group(void)
{
	/* Set-group-ID of a group that one is not in goes, as with chmod(2). */
	struct stat st;
	CHECK(!acl_set("f", ACL_ACCESS, "u:rwx g:rwx o:rwx"));
	CHECK(!stat("f", &st) && !(st.st_mode & S_ISGID));
	CHECK(!chmod("f", 02777));
	CHECK(!stat("f", &st) && !(st.st_mode & S_ISGID));
}

static void setgid_of_foreign_groups(void)
{
	struct stat st;
	begin();
	make("f", 02755);
	as(ALICE, take_group);
	CHECK(!chmod("f", 02755) && !acl_set("f", ACL_ACCESS, "u:rwx g:rwx o:rwx"));
	CHECK(!stat("f", &st) && (st.st_mode & S_ISGID));
	/* A file made in a set-group-ID folder with a default list. */
	CHECK(!mkdir("d", 0777) && !chown("d", ALICE, STAFF) && !chmod("d", 02777));
	CHECK(!acl_set("d", ACL_DEFAULT, "u:rwx u1002:rwx g:rw- m:rw- o:---"));
	pid_t pid = fork();
	if (!pid) {
		become(BOB, BOB);
		close(open("d/f", O_CREAT | O_WRONLY, 02777));
		CHECK(!stat("d/f", &st));
		CHECK(st.st_gid == STAFF && !(st.st_mode & S_ISGID));
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

/* A named user with nothing is not one of the others, until the list is gone. */
static void refused_by_name(void)
{
	begin();
	make("f", 0644);
	CHECK(!acl_set("f", ACL_ACCESS, "u:rw- u1002:--- g:r-- m:r-- o:r--"));
	pid_t pid = fork();
	if (!pid) {
		become(BOB, STAFF);
		CHECK_ERR(open("f", O_RDONLY), EACCES);
		CHECK_ERR(link("f", "mine"), EPERM);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(!removexattr("f", ACL_ACCESS));
	pid = fork();
	if (!pid) {
		become(BOB, STAFF);
		_exit(open("f", O_RDONLY) >= 0 ? 0 : 1);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

/* The longest list there can be is one; with a second the inode has no room for more. */
static void longest_lists(void)
{
	enum { ENTRIES = (65536 - 4) / 8 };
	static struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry e[ENTRIES];
	} big = { { POSIX_ACL_XATTR_VERSION }, { { 0 } } };
	begin();
	for (unsigned k = 0; k < ENTRIES; k++)
		big.e[k] = (struct posix_acl_xattr_entry){ ACL_USER, 4, 100000 + k };
	big.e[0].e_tag = ACL_USER_OBJ;
	big.e[ENTRIES - 3].e_tag = ACL_GROUP_OBJ;
	big.e[ENTRIES - 2].e_tag = ACL_MASK;
	big.e[ENTRIES - 1].e_tag = ACL_OTHER;
	big.e[ENTRIES - 4].e_id = BOB;
	CHECK(!mkdir("d", 0755));
	CHECK(!setxattr("d", ACL_ACCESS, &big, sizeof big, 0));
	CHECK_EQ(getxattr("d", ACL_ACCESS, NULL, 0), sizeof big);
	CHECK_ERR(setxattr("d", ACL_ACCESS, &big, 65537, 0), E2BIG);
	pid_t pid = fork();
	if (!pid) {
		become(BOB, BOB);
		_exit(open("d", O_RDONLY | O_DIRECTORY) >= 0 ? 0 : 1);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

/* One thread sets and removes, one changes the mode, one makes files: nobody ever gets
 * what neither the list nor the mode gives. The named user reads always, writes never. */
static void *setter(void *stop)
{
	while (!*(volatile int *)stop) {
		acl_set("d/f", ACL_ACCESS, "u:rw- u1002:r-- g:r-- m:rw- o:r--");
		chmod("d/f", 0664);
		acl_set("d/f", ACL_ACCESS, "u:rw- u1002:r-- g:r-- m:r-- o:r--");
		acl_set("d", ACL_DEFAULT, "u:rwx u1002:r-- g:r-- m:rwx o:---");
		close(open("d/n", O_CREAT | O_WRONLY, 0666));
		removexattr("d", ACL_DEFAULT);
		unlink("d/n");
	}
	return NULL;
}

static void lists_that_change_meanwhile(void)
{
	pthread_t t[2];
	begin();
	int *stop = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	CHECK(!mkdir("d", 0755));
	make("d/f", 0644);
	CHECK(!acl_set("d/f", ACL_ACCESS, "u:rw- u1002:r-- g:r-- m:rw- o:r--"));
	pid_t pid = fork();
	if (!pid) {
		become(BOB, STAFF);
		while (!*(volatile int *)stop) {
			CHECK_ERR(open("d/f", O_WRONLY), EACCES);
			int fd = open("d/f", O_RDONLY);
			CHECK(fd >= 0);
			close(fd);
		}
		_exit(0);
	}
	for (int k = 0; k < 2; k++)
		CHECK(!pthread_create(&t[k], NULL, setter, stop));
	usleep(700000);
	*stop = 1;
	for (int k = 0; k < 2; k++)
		pthread_join(t[k], NULL);
	CHECK_EQ(tap_wait(pid), 0);
}

TEST_MAIN(CASE(lists_of_others_files), CASE(nothing_beyond_the_mask),
	  CASE(sticky_folders_stay_sticky), CASE(setgid_of_foreign_groups),
	  CASE(refused_by_name), CASE(longest_lists), CASE(lists_that_change_meanwhile))
