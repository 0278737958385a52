/* Random bytes and the devices that are no devices. getrandom(2), random(4), null(4),
 * full(4). */
#include <fcntl.h>
#include <linux/random.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/tap.h"

static long getrandom_raw(void *buf, size_t n, unsigned flags)
{
	return syscall(SYS_getrandom, buf, n, flags);
}

static void every_length_is_filled(void)
{
	static unsigned char buf[8192], seen[8192];

	/* A byte that is zero in eight draws out of eight was not written. */
	for (size_t n = 1; n <= 5000; n = n < 70 ? n + 1 : n * 2 + 1) {
		memset(seen, 0, sizeof(seen));
		for (int k = 0; k < 8; k++) {
			memset(buf, 0, sizeof(buf));
			CHECK_EQ(getrandom_raw(buf, n, 0), n);
			CHECK_EQ(buf[n], 0);
			for (size_t i = 0; i < n; i++)
				seen[i] |= buf[i];
		}
		CHECK(!memchr(seen, 0, n));
	}
	CHECK_EQ(getrandom_raw(buf, 0, 0), 0);
}

static void flags_and_bad_addresses(void)
{
	char buf[64];
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);

	CHECK_EQ(getrandom_raw(buf, 32, GRND_NONBLOCK), 32);
	CHECK_EQ(getrandom_raw(buf, 32, GRND_RANDOM), 32);
	CHECK_EQ(getrandom_raw(buf, 32, GRND_INSECURE), 32);
	CHECK_ERR(getrandom_raw(buf, 32, GRND_RANDOM | GRND_INSECURE), EINVAL);
	CHECK_ERR(getrandom_raw(buf, 32, 8), EINVAL);
	CHECK_ERR(getrandom_raw((void *)8, 32, 0), EFAULT);
	CHECK_ERR(getrandom_raw((void *)8, 3000, 0), EFAULT);
	CHECK_ERR(getrandom_raw((void *)0xffff800000000000, 32, 0), EFAULT);
	CHECK(page != MAP_FAILED && !munmap(page + 4096, 4096));
	/* What could be filled is counted. */
	CHECK_EQ(getrandom_raw(page + 4096 - 16, 32, 0), 16);
	CHECK_EQ(getrandom_raw(page, 8192, 0), 4096);
}

static int draw_compare(const void *a, const void *b)
{
	return memcmp(a, b, 8);
}

#define DRAWS 4000

/* Threads and children on all CPUs: 8 bytes never come twice. */
static void nobody_gets_the_same(void)
{
	uint64_t *draws = mmap(NULL, 4 * DRAWS * 8, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	int pids[4];

	CHECK(draws != MAP_FAILED);
	for (int child = 0; child < 4; child++) {
		pids[child] = fork();
		if (pids[child])
			continue;
		for (int k = 0; k < DRAWS; k++)
			if (getrandom_raw(&draws[child * DRAWS + k], 8, 0) != 8)
				_exit(1);
		_exit(0);
	}
	for (int child = 0; child < 4; child++)
		CHECK_EQ(tap_wait(pids[child]), 0);
	qsort(draws, 4 * DRAWS, 8, draw_compare);
	for (int k = 1; k < 4 * DRAWS; k++)
		CHECK(draws[k] != draws[k - 1]);
}

/* Ones and zeroes in balance: 2^20 bits, seven standard deviations. */
static void bits_are_balanced(void)
{
	static unsigned char buf[1 << 17];
	long ones = 0;

	CHECK_EQ(getrandom_raw(buf, sizeof(buf), 0), sizeof(buf));
	for (size_t i = 0; i < sizeof(buf); i++)
		ones += __builtin_popcount(buf[i]);
	CHECK(labs(ones - (1 << 19)) < 7 * 512);
}

static void device_nodes_have_their_numbers(void)
{
	static const struct {
		const char *path;
		unsigned minor;
	} nodes[] = {
		{ "/dev/null", 3 },   { "/dev/zero", 5 },    { "/dev/full", 7 },
		{ "/dev/random", 8 }, { "/dev/urandom", 9 },
	};
	struct stat st;

	for (size_t k = 0; k < sizeof(nodes) / sizeof(nodes[0]); k++) {
		CHECK(!stat(nodes[k].path, &st));
		CHECK(S_ISCHR(st.st_mode));
		CHECK_EQ(major(st.st_rdev), 1);
		CHECK_EQ(minor(st.st_rdev), nodes[k].minor);
		CHECK_EQ(st.st_mode & 0777, 0666);
	}
}

static void random_devices_read_and_write(void)
{
	static const char *const paths[] = { "/dev/random", "/dev/urandom" };
	unsigned char a[600], b[600];
	int bits;

	for (int k = 0; k < 2; k++) {
		int fd = open(paths[k], O_RDWR);

		CHECK(fd >= 0);
		CHECK_EQ(read(fd, a, sizeof(a)), sizeof(a));
		CHECK_EQ(read(fd, b, sizeof(b)), sizeof(b));
		CHECK(memcmp(a, b, sizeof(a)));
		/* Anybody may stir. */
		CHECK_EQ(write(fd, a, sizeof(a)), sizeof(a));
		CHECK(!ioctl(fd, RNDGETENTCNT, &bits) && bits == 256);
		CHECK_ERR(ioctl(fd, 0x5299, 0), EINVAL);
		close(fd);
	}
}

static void random_device_is_ready_to_poll(void)
{
	struct pollfd p = { .fd = open("/dev/random", O_RDONLY), .events = POLLIN };

	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK_EQ(p.revents, POLLIN);
}

/* Credit is for root: who could claim it could make a weak pool look ready. */
static void only_root_gives_credit(void)
{
	union {
		struct rand_pool_info info;
		unsigned char room[sizeof(struct rand_pool_info) + 32];
	} add = { .room = { 0 } };
	int fd = open("/dev/random", O_RDWR), pid;

	tap_needs_root();
	add.info.entropy_count = 256;
	add.info.buf_size = 32;
	CHECK(!ioctl(fd, RNDADDENTROPY, &add));
	CHECK(!ioctl(fd, RNDRESEEDCRNG, 0));
	add.info.entropy_count = -1;
	CHECK_ERR(ioctl(fd, RNDADDENTROPY, &add), EINVAL);
	add.info.entropy_count = 256;
	CHECK_ERR(ioctl(fd, RNDADDENTROPY, (void *)8), EFAULT);
	pid = fork();
	if (!pid) {
		int bits = 8;

		if (setuid(1000))
			_exit(1);
		if (ioctl(fd, RNDADDENTROPY, &add) != -1 || errno != EPERM)
			_exit(2);
		if (ioctl(fd, RNDADDTOENTCNT, &bits) != -1 || errno != EPERM)
			_exit(3);
		if (ioctl(fd, RNDRESEEDCRNG, 0) != -1 || errno != EPERM)
			_exit(4);
		_exit(write(fd, add.room, 32) == 32 ? 0 : 5);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void null_swallows(void)
{
	char buf[100];
	int fd = open("/dev/null", O_RDWR);

	CHECK_EQ(write(fd, buf, sizeof(buf)), sizeof(buf));
	/* Nothing is looked at. */
	CHECK_EQ(write(fd, (void *)8, 1 << 20), 1 << 20);
	CHECK_EQ(read(fd, buf, sizeof(buf)), 0);
	CHECK_EQ(lseek(fd, 1000, SEEK_SET), 0);
	CHECK_ERR(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0,
		  ENODEV);
}

static void zero_gives_zeroes(void)
{
	static char buf[300000], zero[300000];
	char *map;
	int fd = open("/dev/zero", O_RDWR), pid;

	memset(buf, 1, sizeof(buf));
	CHECK_EQ(read(fd, buf, sizeof(buf)), sizeof(buf));
	CHECK(!memcmp(buf, zero, sizeof(buf)));
	CHECK_EQ(pread(fd, buf, 10, 1 << 30), 10);
	CHECK_EQ(write(fd, buf, 10), 10);
	CHECK_ERR(read(fd, (void *)8, 10), EFAULT);
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(map != MAP_FAILED);
	CHECK(!memcmp(map, zero, 8192));
	map[5000] = 1;
	CHECK_EQ(pread(fd, buf, 10, 5000), 10);
	CHECK(!memcmp(buf, zero, 10));
	/* Shared: parent and child see one memory. */
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(map != MAP_FAILED);
	pid = fork();
	if (!pid) {
		map[7] = 42;
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(map[7], 42);
}

static void full_is_full(void)
{
	char buf[10] = { 1 };
	int fd = open("/dev/full", O_RDWR);

	CHECK_ERR(write(fd, "x", 1), ENOSPC);
	CHECK_EQ(read(fd, buf, 1), 1);
	CHECK_EQ(buf[0], 0);
	CHECK_EQ(lseek(fd, 5, SEEK_SET), 0);
}

TEST_MAIN(CASE(every_length_is_filled), CASE(flags_and_bad_addresses),
	  CASE(nobody_gets_the_same), CASE(bits_are_balanced),
	  CASE(device_nodes_have_their_numbers), CASE(random_devices_read_and_write),
	  CASE(random_device_is_ready_to_poll), CASE(only_root_gives_credit),
	  CASE(null_swallows), CASE(zero_gives_zeroes), CASE(full_is_full))
