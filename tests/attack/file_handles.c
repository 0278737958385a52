/*
 * File handles are bytes that a job gives back: forged ones open nothing that is not on
 * the mount and has no name there, whoever makes and removes names meanwhile.
 */
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#define RACE_MS 700
#define FORGED 20000

struct handle {
	uint32_t bytes;
	int32_t type;
	uint8_t id[128];
};

static int give(const char *path, struct handle *h)
{
	int mount_id;
	h->bytes = sizeof h->id;
	return (int)syscall(SYS_name_to_handle_at, AT_FDCWD, path, h, &mount_id, 0);
}

static int open_at(int mount, const void *h, int flags)
{
	return (int)syscall(SYS_open_by_handle_at, mount, h, flags);
}

static void begin(void)
{
	tap_needs_root();
	tap_tmpdir();
	if (!tap_on_mayfly()) {
		if (unshare(CLONE_NEWNS))
			tap_skip("no mount namespace");
		CHECK(!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	}
	CHECK(!mkdir("m", 0755) && !mount("t", "m", "tmpfs", 0, NULL));
	CHECK(!close(creat("m/f", 0600)) && !mkdir("m/d", 0755));
}

static bool refused(int fd)
{
	return fd < 0 && (errno == ESTALE || errno == EINVAL);
}

/* Bytes, sizes and types at random; and a good handle with a bit or two turned. */
static void forged_at_random(void)
{
	struct handle good, h;
	struct stat s, m;
	begin();
	int fd = open("m", O_RDONLY), opened = 0;
	CHECK(!give("m/f", &good) && !fstat(fd, &m));
	srand(1);
	for (int k = 0; k < FORGED; k++) {
		h = good;
		if (k & 1) {
			for (size_t j = 0; j < sizeof h.id; j++)
				h.id[j] = (uint8_t)rand();
			h.bytes = (uint32_t)rand() % 140;
			h.type = k & 2 ? 1 : rand();
		} else {
			h.id[rand() % 12] ^= (uint8_t)(1 << rand() % 8);
		}
		int got = open_at(fd, &h, O_RDONLY | O_NONBLOCK);
		if (got < 0) {
			CHECK(refused(got));
			continue;
		}
		opened++;
		CHECK(!fstat(got, &s) && s.st_dev == m.st_dev && s.st_nlink);
		close(got);
	}
	CHECK_EQ(opened, 0);
	CHECK(open_at(fd, &good, O_RDONLY) >= 0);
}

/* Every number that an ext4 has, and some that it has not, with the generations 0 and of
 * a file next to it. */
static void numbers_of_an_image(void)
{
	struct handle good, h;
	struct stat s, m;
	int opened = 0;
	begin();
	tap_needs_mayfly();
	CHECK(!umount("m"));
	if (mount("/dev/vda", "m", "ext4", MS_RDONLY, NULL))
		tap_skip("no image to mount");
	int fd = open("m", O_RDONLY);
	CHECK(!give("m/etc/hosts", &good) && !fstat(fd, &m));
	for (uint32_t k = 0; k < 6000; k++) {
		uint32_t ino = k / 2;
		h = good;
		memcpy(h.id, &ino, 4);
		if (k & 1)
			memset(h.id + 4, 0, 4);
		int got = open_at(fd, &h, O_PATH);
		if (got < 0) {
			CHECK(refused(got));
			continue;
		}
		CHECK(!fstat(got, &s) && s.st_dev == m.st_dev);
		CHECK(s.st_ino == ino && s.st_nlink);
		close(got);
		opened++;
	}
	CHECK(open_at(fd, &good, O_RDONLY) >= 0);
	CHECK(opened > 0);
}

/* The last bytes of a page with nothing behind it: no more is read than there is. */
static void handle_at_the_end_of_a_page(void)
{
	struct handle good;
	begin();
	int fd = open("m", O_RDONLY);
	CHECK(!give("m/f", &good));
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	CHECK(p != MAP_FAILED && !munmap(p + 4096, 4096));
	char *at = p + 4096 - 8 - good.bytes;
	memcpy(at, &good, 8 + good.bytes);
	CHECK(open_at(fd, at, O_RDONLY) >= 0);
	good.bytes++;
	memcpy(at, &good, 8);
	CHECK_ERR(open_at(fd, at, O_RDONLY), EFAULT);
	memcpy(p + 4096 - 4, &good, 4);
	CHECK_ERR(open_at(fd, p + 4096 - 4, O_RDONLY), EFAULT);
}

/* Root without the capability is nobody. */
static void needs_the_capability(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	struct handle good;
	begin();
	int fd = open("m", O_RDONLY);
	CHECK(!give("m/f", &good));
	CHECK(open_at(fd, &good, O_RDONLY) >= 0);
	CHECK(!syscall(SYS_capget, &head, d));
	d[0].effective &= ~(1u << CAP_DAC_READ_SEARCH);
	CHECK(!syscall(SYS_capset, &head, d));
	CHECK_ERR(open_at(fd, &good, O_RDONLY), EPERM);
}

/* ---- while names come and go ---- */

static volatile bool stop;

static void *makes_and_removes(void *arg)
{
	struct handle *last = arg;
	for (unsigned k = 0; !stop; k++) {
		const char *dir = k & 1 ? "m/d/x" : "m/d/y";
		mkdir(dir, 0755);
		give(dir, last);
		rename(dir, "m/d/z");
		if (k & 2)
			rmdir("m/d/z");
		close(creat("m/d/file", 0600));
		give("m/d/file", last);
		rename("m/d/file", "m/file");
		unlink("m/file");
	}
	return NULL;
}

static void opened_while_removed(void)
{
	struct handle shared[2] = { 0 };
	struct timespec start, now;
	struct stat s, m;
	pthread_t t[2];
	begin();
	int fd = open("m", O_RDONLY);
	CHECK(!fstat(fd, &m));
	for (int k = 0; k < 2; k++)
		CHECK(!pthread_create(&t[k], NULL, makes_and_removes, &shared[k]));
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		struct handle h = shared[rand() & 1];
		int got = open_at(fd, &h, O_RDONLY);
		if (got >= 0) {
			CHECK(!fstat(got, &s) && s.st_dev == m.st_dev);
			if (S_ISDIR(s.st_mode))
				close(openat(got, "new", O_CREAT | O_WRONLY, 0600));
			unlinkat(got, "new", 0);
			close(got);
		} else {
			CHECK(refused(got));
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 +
			 (now.tv_nsec - start.tv_nsec) / 1000000 <
		 RACE_MS);
	stop = true;
	for (int k = 0; k < 2; k++)
		pthread_join(t[k], NULL);
	close(fd);
	CHECK(!umount("m"));
}

/* What handles keep in memory goes with the names. */
static void handles_keep_nothing_alive(void)
{
	struct handle h;
	begin();
	CHECK(!umount("m") && !mount("t", "m", "tmpfs", 0, "size=1m,nr_inodes=64"));
	for (int k = 0; k < 2000; k++) {
		CHECK(!mkdir("m/d", 0755) && !give("m/d", &h));
		int fd = open("m/f", O_CREAT | O_RDWR, 0600);
		CHECK(fd >= 0 && !ftruncate(fd, 4096) && write(fd, "x", 1) == 1);
		CHECK(!give("m/f", &h));
		close(fd);
		CHECK(!unlink("m/f") && !rmdir("m/d"));
	}
	CHECK(!umount("m"));
}

TEST_MAIN(CASE(forged_at_random), CASE(numbers_of_an_image),
	  CASE(handle_at_the_end_of_a_page), CASE(needs_the_capability),
	  CASE(opened_while_removed), CASE(handles_keep_nothing_alive))
