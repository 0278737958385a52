/*
 * A plain user's ways to root by files: set-user-ID bits that come to the wrong file or
 * stay on a changed one, names that change under an execve, more rights for a descriptor
 * than it was opened with, and places that are not the plain user's. Each is refused; its
 * twin is the honest use.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/gain.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BITS (S_ISUID | S_ISGID)

#define NAMED "--named" /* exits with one of these two */
#define ROOTS 50	/* root, and the file that runs is the victim */
#define OWN 51		/* the attacker, and it is not */

static int own_words(int argc, char **argv)
{
	char path[256] = "";
	if (argc != 2 || strcmp(argv[1], NAMED))
		return -1;
	if (readlink("/proc/self/exe", path, sizeof path - 1) < 0)
		return 94;
	bool is_victim = strstr(path, "/victim");
	if (is_victim)
		return geteuid() ? 93 : ROOTS;
	return geteuid() == PLAIN ? OWN : 92;
}

static mode_t bits_of(const char *path)
{
	struct stat st;
	CHECK_EQ(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void let_everybody_in(const char *path)
{
	CHECK_EQ(mkdir(path, 0777), 0);
	CHECK_EQ(chmod(path, 0777), 0);
}

/* Starts fn as a process that goes on until gain_stop. */
static int go_on(void (*fn)(void))
{
	int pid = fork();
	if (!pid)
		for (;;)
			fn();
	return pid;
}

static void gain_stop(int pid)
{
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(gain_wait(pid), 128 + SIGKILL);
}

/* ---- the file that was checked is the one that runs ---- */

/* "link" leads to a plain file of 77's own and to root's victim in turn. */
static void swap_links(void)
{
	unlink("d/next");
	CHECK_EQ(symlink("../own", "d/next"), 0);
	CHECK_EQ(rename("d/next", "d/link"), 0);
	CHECK_EQ(symlink("../victim", "d/next"), 0);
	CHECK_EQ(rename("d/next", "d/link"), 0);
}

/* And so does a name, without a link. */
static void swap_names(void)
{
	(void)syscall(SYS_renameat2, AT_FDCWD, "d/a", AT_FDCWD, "d/b", 2);
}

/* Who is root must be the victim, and the victim root. */
static void attack_names(void)
{
	swap_links();
	CHECK_EQ(gain_run("d/link", NAMED), ROOTS);
	int swapper = go_on(swap_links);
	for (int i = 0; i < 150; i++) {
		int who = gain_run("d/link", NAMED);
		CHECK(who == ROOTS || who == OWN);
	}
	gain_stop(swapper);
	swapper = go_on(swap_names);
	for (int i = 0; i < 60; i++)
		CHECK_EQ(gain_run("d/a", STAYS), PLAIN);
	gain_stop(swapper);
}

static void a_name_swapped_during_exec_gives_no_bits(void)
{
	gain_dir();
	let_everybody_in("d");
	gain_copy("own", PLAIN, 0755);
	gain_copy("d/a", PLAIN, 04755);
	gain_copy("d/b", 0, 0755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_names);
}

/* Root takes the file over: its set-user-ID bit goes in the same step. */
static void take_over(void)
{
	CHECK_EQ(chown("others", 1001, 1001), 0);
	CHECK_EQ(chmod("others", 06755), 0);
	CHECK_EQ(chown("others", 0, 0), 0);
}

static void attack_taken_over(void)
{
	for (int i = 0; i < 150; i++)
		CHECK(gain_run("./others", STAYS) != 0);
	CHECK_EQ(gain_run(victim, STAYS), 0);
}

static void bits_of_before_do_not_count_for_a_new_owner(void)
{
	gain_dir();
	gain_copy("others", 0, 0755);
	gain_copy("victim", 0, 04755);
	int owner = go_on(take_over);
	gain_as_plain(attack_taken_over);
	gain_stop(owner);
}

/* CVE-2024-43882 */
static void close_and_raise(void)
{
	CHECK_EQ(chmod("closed", 0755), 0);
	CHECK_EQ(chmod("closed", 0700), 0);
	CHECK_EQ(chmod("closed", 04700), 0);
}

static void attack_closed(void)
{
	for (int i = 0; i < 200; i++) {
		int code = gain_run("./closed", STAYS);
		CHECK(code == PLAIN || code == 99);
	}
}

static void bits_given_after_the_x_bit_was_taken_are_not_for_all(void)
{
	gain_dir();
	gain_copy("closed", 0, 0755);
	CHECK_EQ(gain_run("./closed", STAYS), 0);
	int owner = go_on(close_and_raise);
	gain_as_plain(attack_closed);
	gain_stop(owner);
}

/* ---- bits do not outlive what they were given for ---- */

static int way_write(int fd)
{
	return write(fd, "x", 1) != 1;
}
static int way_writev(int fd)
{
	struct iovec v = { "x", 1 };
	return pwritev(fd, &v, 1, 3) != 1;
}
static int way_ftruncate(int fd)
{
	return ftruncate(fd, 5);
}
static int way_fallocate(int fd)
{
	return fallocate(fd, 0, 0, 9000);
}
static int way_punch(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
}
static int way_sendfile(int fd)
{
	int from = open("/proc/self/exe", O_RDONLY);
	off_t at = 0;
	return sendfile(fd, from, &at, 100) != 100 || close(from);
}
static int way_splice(int fd)
{
	int p[2];
	return pipe(p) || write(p[1], "x", 1) != 1 ||
	       splice(p[0], NULL, fd, NULL, 1, 0) != 1;
}
static int way_copy(int fd)
{
	int from = open("source", O_RDONLY);
	return copy_file_range(from, NULL, fd, NULL, 4, 0) != 4 || close(from);
}
static int way_chown(int fd)
{
	return fchown(fd, (uid_t)-1, PLAIN);
}
static int way_chown_nobody(int fd)
{
	return fchown(fd, (uid_t)-1, (gid_t)-1);
}

static int (*const ways[])(int fd) = { way_write,	way_writev, way_ftruncate,
				       way_fallocate,	way_punch,  way_sendfile,
				       way_splice,	way_copy,   way_chown,
				       way_chown_nobody };

/* The file is everybody's to write, or the attacker's own. */
static void attack_kept_bits(void)
{
	char own[16];
	for (size_t i = 0; i < COUNT(ways); i++) {
		snprintf(own, sizeof own, "w/%zu", i);
		int fd = open(own, O_RDWR);
		CHECK(fd >= 0);
		CHECK_EQ(bits_of(own), 06777);
		CHECK_EQ(ways[i](fd), 0);
		CHECK_EQ(bits_of(own), 0777);
		close(fd);
	}
	CHECK_EQ(truncate("w/t", 1), 0);
	CHECK_EQ(bits_of("w/t"), 0777);
	close(open("w/o", O_WRONLY | O_TRUNC));
	CHECK_EQ(bits_of("w/o"), 0777);
	close(open("w/r", O_RDONLY)); /* the twin */
	CHECK_EQ(bits_of("w/r"), 06777);
}

static void make_file(const char *path, uid_t owner, mode_t mode)
{
	char text[256] = "some text";
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	CHECK_EQ(write(fd, text, sizeof text), (long)sizeof text);
	CHECK_EQ(fchown(fd, owner, owner), 0);
	CHECK_EQ(fchmod(fd, mode), 0);
	close(fd);
}

static void a_changed_file_keeps_no_bit(void)
{
	char path[16];
	gain_dir();
	let_everybody_in("w");
	make_file("source", 0, 0644);
	for (size_t i = 0; i < COUNT(ways); i++) {
		snprintf(path, sizeof path, "w/%zu", i);
		/* Those who chown own it. */
		make_file(path, i < COUNT(ways) - 2 ? 0 : PLAIN, 06777);
	}
	make_file("w/t", 0, 06777);
	make_file("w/o", 0, 06777);
	make_file("w/r", 0, 06777);
	gain_as_plain(attack_kept_bits);
}

/* ---- bits that are not the maker's to give ---- */

static void check_made(const char *name)
{
	struct stat st;
	CHECK_EQ(stat(name, &st), 0);
	CHECK_EQ(st.st_uid, PLAIN);
	CHECK(!(st.st_mode & S_ISGID) || st.st_gid == PLAIN);
}

/* CVE-2018-13405, and its later cousins. */
static void attack_group_of_folder(void)
{
	char path[40];
	umask(0);
	close(open("g/open", O_CREAT | O_WRONLY, 06777));
	check_made("g/open");
	CHECK_EQ(mknod("g/node", S_IFREG | 06777, 0), 0);
	check_made("g/node");
	int fd = open("g", O_TMPFILE | O_RDWR, 06777);
	CHECK(fd >= 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	CHECK_EQ(linkat(AT_FDCWD, path, AT_FDCWD, "g/tmp", AT_SYMLINK_FOLLOW), 0);
	check_made("g/tmp");
	CHECK_EQ(chmod("g/open", 06777), 0);
	check_made("g/open");
	CHECK_ERR(chown("g/open", 0, 0), EPERM);
	CHECK_ERR(chown("g/open", -1, 1), EPERM);
	CHECK_ERR(chmod(victim, 0777), EPERM);
	/* The twin: in one's own group the bit is had. */
	close(open("d/open", O_CREAT | O_WRONLY, 06777));
	CHECK_EQ(bits_of("d/open"), 06777);
}

static void a_folder_s_group_is_not_given_away(void)
{
	gain_dir();
	let_everybody_in("d");
	let_everybody_in("g");
	CHECK_EQ(chmod("g", 02777), 0);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_group_of_folder);
}

/* A link keeps a program from before its repair. */
static void attack_links(void)
{
	CHECK_ERR(link(victim, "d/kept"), EPERM);
	CHECK_ERR(linkat(AT_FDCWD, victim, AT_FDCWD, "d/kept", AT_SYMLINK_FOLLOW), EPERM);
	int fd = open(victim, O_PATH);
	CHECK(linkat(fd, "", AT_FDCWD, "d/kept", AT_EMPTY_PATH) < 0);
	CHECK_ERR(rename(victim, "d/kept"), EACCES);
	CHECK_EQ(link("d/own", "d/kept"), 0);
}

static void links_to_it_are_refused(void)
{
	gain_dir();
	let_everybody_in("d");
	gain_copy("d/own", PLAIN, 04755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_links);
}

/* ---- a descriptor gives what it was opened for ---- */

static int inherited;

static void attack_reopen(void)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", inherited);
	CHECK_ERR(write(inherited, "x", 1), EBADF);
	CHECK_ERR(open(path, O_RDWR), EACCES);
	CHECK_ERR(open(path, O_WRONLY | O_TRUNC), EACCES);
	CHECK_ERR(truncate(path, 0), EACCES);
	CHECK_ERR(fchmod(inherited, 0777), EPERM);
	CHECK_ERR(ftruncate(inherited, 0), EINVAL);
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, inherited, 0) == MAP_FAILED);
	char *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, inherited, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERR(mprotect(p, 4096, PROT_READ | PROT_WRITE), EACCES);
	CHECK_EQ(read(inherited, path, 1), 1);
}

static void what_is_left_open_is_not_opened_wider(void)
{
	gain_dir();
	make_file("secret", 0, 0600);
	inherited = open("secret", O_RDONLY);
	CHECK(inherited >= 0);
	gain_as_plain(attack_reopen);
}

static void attack_running(void)
{
	char *p;
	int pid = gain_hold("d/own");
	CHECK_ERR(open("d/own", O_RDWR), ETXTBSY);
	CHECK_ERR(truncate("d/own", 0), ETXTBSY);
	gain_end(pid);
	int fd = open("d/own", O_RDWR);
	CHECK(fd >= 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	close(fd);
	CHECK_ERR(execl("d/own", "d/own", STAYS, NULL), ETXTBSY);
	CHECK_EQ(munmap(p, 4096), 0);
	CHECK_EQ(gain_run("d/own", STAYS), PLAIN);
}

static void what_runs_is_not_written(void)
{
	gain_dir();
	let_everybody_in("d");
	gain_copy("d/own", PLAIN, 04755);
	gain_as_plain(attack_running);
}

/* ---- places ---- */

static void attack_mounts(void)
{
	CHECK_ERR(mount("none", "d", "tmpfs", 0, NULL), EPERM);
	CHECK_ERR(mount("/etc", "d", NULL, MS_BIND, NULL), EPERM);
	CHECK_ERR(mount(NULL, "n", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM);
	CHECK_ERR(umount2("n", MNT_DETACH), EPERM);
	CHECK_ERR(chroot("d"), EPERM);
	CHECK_ERR(syscall(SYS_pivot_root, "d", "d"), EPERM);
	CHECK_EQ(gain_run("n/victim", STAYS), PLAIN);
	CHECK_EQ(gain_run("./victim", STAYS), 0);
}

static void mounts_are_not_a_plain_user_s(void)
{
	gain_dir();
	let_everybody_in("d");
	CHECK_EQ(mkdir("n", 0755), 0);
	CHECK_EQ(mount("none", "n", "tmpfs", MS_NOSUID, NULL), 0);
	gain_copy("n/victim", 0, 04755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_mounts);
	CHECK_EQ(umount("n"), 0);
}

/* From within a root of its own, without what was open outside of it. */
static void attack_escape(void)
{
	struct stat st, root;
	CHECK_EQ(stat("/", &root), 0);
	for (int i = 0; i < 20; i++)
		CHECK_EQ(chdir(".."), 0);
	CHECK_EQ(stat(".", &st), 0);
	CHECK_EQ(st.st_ino, root.st_ino);
	CHECK_ERR(open("/../../etc/passwd", O_RDONLY), ENOENT);
	CHECK_ERR(chroot("in"), EPERM);
	CHECK_EQ(chdir("/in/deep"), 0); /* the twin */
}

static void a_new_root_is_not_left(void)
{
	gain_dir();
	let_everybody_in("jail");
	let_everybody_in("jail/in");
	let_everybody_in("jail/in/deep");
	CHECK_EQ(chroot("jail"), 0);
	CHECK_EQ(chdir("/"), 0);
	gain_as_plain(attack_escape);
}

static const char *const settings[] = {
	"kernel/core_pattern", "kernel/modprobe",	 "kernel/poweroff_cmd",
	"fs/suid_dumpable",    "fs/protected_hardlinks", "kernel/randomize_va_space",
	"kernel/hostname",     "vm/overcommit_memory",	 "kernel/hotplug",
};

static void attack_settings(void)
{
	char path[80];
	for (size_t i = 0; i < COUNT(settings); i++) {
		snprintf(path, sizeof path, "/proc/sys/%s", settings[i]);
		CHECK(open(path, O_WRONLY) < 0);
		CHECK(errno == EACCES || errno == ENOENT || errno == EROFS);
	}
	CHECK(open("/proc/sysrq-trigger", O_WRONLY) < 0);
	CHECK(open("/proc/self/oom_score_adj", O_WRONLY) >= 0);
}

static void settings_are_not_a_plain_user_s(void)
{
	tap_needs_mayfly(); /* whose root may not write core_pattern either */
	tap_needs_root();
	gain_as_plain(attack_settings);
	int fd = open("/proc/sys/kernel/core_pattern", O_WRONLY);
	CHECK(fd < 0 || write(fd, "|/tmp/x", 7) < 0);
}

GAIN_MAIN(own_words, CASE(a_name_swapped_during_exec_gives_no_bits),
	  CASE(bits_of_before_do_not_count_for_a_new_owner),
	  CASE(bits_given_after_the_x_bit_was_taken_are_not_for_all),
	  CASE(a_changed_file_keeps_no_bit), CASE(a_folder_s_group_is_not_given_away),
	  CASE(links_to_it_are_refused), CASE(what_is_left_open_is_not_opened_wider),
	  CASE(what_runs_is_not_written), CASE(mounts_are_not_a_plain_user_s),
	  CASE(a_new_root_is_not_left), CASE(settings_are_not_a_plain_user_s))
