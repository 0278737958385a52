/* Holes, fallocate(2), lseek(2)'s SEEK_DATA and SEEK_HOLE, memfd_create(2) and seals,
 * copy_file_range(2), fadvise and sync. */
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/tap.h"

#define PAGE 4096

static int make_file(void)
{
	int fd = open("f", O_CREAT | O_RDWR | O_TRUNC, 0644);
	CHECK(fd >= 0);
	return fd;
}

static long blocks(int fd)
{
	struct stat st;
	CHECK(!fstat(fd, &st));
	return st.st_blocks;
}

static void holes_are_found(void)
{
	struct statfs fs;
	tap_tmpdir();
	int fd = make_file();
	CHECK(!fstatfs(fd, &fs));
	CHECK_EQ(pwrite(fd, "a", 1, 0), 1);
	CHECK_EQ(pwrite(fd, "b", 1, 1 << 20), 1);
	CHECK(!ftruncate(fd, 2 << 20));
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), PAGE);
	CHECK_EQ(lseek(fd, PAGE, SEEK_DATA), 1 << 20);
	CHECK_EQ(lseek(fd, 1 << 20, SEEK_HOLE), (1 << 20) + PAGE);
	CHECK_ERR(lseek(fd, (1 << 20) + PAGE, SEEK_DATA), ENXIO);
	CHECK_EQ(lseek(fd, (1 << 20) + PAGE, SEEK_HOLE), (1 << 20) + PAGE);
	CHECK_ERR(lseek(fd, 2 << 20, SEEK_HOLE), ENXIO);
	CHECK_ERR(lseek(fd, -1, SEEK_DATA), ENXIO);
	CHECK(blocks(fd) <= 32);
}

/* Of twice the size of the machine's memory. */
static void reading_a_hole_takes_no_memory(void)
{
	enum { SIZE = 256 << 20 };
	static char buf[1 << 20];
	static const char zeroes[sizeof(buf)];
	int fd = memfd_create("hole", 0);

	CHECK(!ftruncate(fd, SIZE + 5));
	for (off_t at = 0; at < SIZE; at += sizeof(buf)) {
		buf[0] = buf[sizeof(buf) - 1] = 1;
		CHECK_EQ(pread(fd, buf, sizeof(buf), at), (long)sizeof(buf));
		CHECK(!memcmp(buf, zeroes, sizeof(buf)));
	}
	CHECK_EQ(pread(fd, buf, sizeof(buf), SIZE), 5);
	CHECK_EQ(blocks(fd), 0);
	/* The byte after the hole is still found, and the hole read up to it. */
	CHECK_EQ(pwrite(fd, "x", 1, 9000), 1);
	CHECK_EQ(pread(fd, buf, 20000, 10), 20000);
	CHECK_EQ(buf[8990], 'x');
	buf[8990] = 0;
	CHECK(!memcmp(buf, zeroes, 20000));
	CHECK_ERR(pread(fd, (void *)16, 100, 100000), EFAULT);
	close(fd);
}

static void fallocate_allocates(void)
{
	struct stat st;
	tap_tmpdir();
	int fd = make_file();
	CHECK(!fallocate(fd, 0, 0, 10 * PAGE));
	CHECK(!fstat(fd, &st) && st.st_size == 10 * PAGE && blocks(fd) >= 80);
	CHECK(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 10 * PAGE, PAGE));
	CHECK(!fstat(fd, &st) && st.st_size == 10 * PAGE);
	CHECK_ERR(fallocate(fd, 0, -1, 1), EINVAL);
	CHECK_ERR(fallocate(fd, 0, 0, 0), EINVAL);
	CHECK_ERR(fallocate(open("f", O_RDONLY), 0, 0, 1), EBADF);
	CHECK_ERR(fallocate(fd, 0, 1l << 62, 1l << 62), EFBIG);
	int p[2];
	CHECK(!pipe(p));
	CHECK_ERR(fallocate(p[1], 0, 0, 1), ESPIPE);
}

static void holes_are_punched(void)
{
	static char data[4 * PAGE], back[4 * PAGE];
	tap_tmpdir();
	int fd = make_file();
	memset(data, 'x', sizeof data);
	CHECK_EQ(write(fd, data, sizeof data), sizeof data);
	char *m = mmap(NULL, sizeof data, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED && m[PAGE] == 'x');
	CHECK_ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, PAGE, PAGE), EOPNOTSUPP);
	CHECK(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE - 10,
			 PAGE + 20));
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), PAGE);
	CHECK_EQ(lseek(fd, PAGE, SEEK_DATA), 2 * PAGE);
	memset(data + PAGE - 10, 0, PAGE + 20);
	CHECK_EQ(pread(fd, back, sizeof back, 0), sizeof back);
	CHECK(!memcmp(data, back, sizeof back));
	CHECK(!memcmp(m, data, sizeof data)); /* mappings see it too */
}

static void truncation_reaches_mappings(void)
{
	tap_tmpdir();
	int fd = make_file();
	CHECK(!ftruncate(fd, 2 * PAGE));
	char *m = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	memset(m, 'x', 2 * PAGE);
	CHECK(!ftruncate(fd, 100));
	CHECK(m[99] == 'x' && m[100] == 0 && m[PAGE - 1] == 0);
	CHECK(!ftruncate(fd, 2 * PAGE));
	CHECK(m[100] == 0 && m[PAGE] == 0);
	m[200] = 'y'; /* written past the end, then the file grows: still there */
	char c;
	CHECK_EQ(pread(fd, &c, 1, 200), 1);
	CHECK_EQ(c, 'y');
}

static void memfds_and_seals(void)
{
	char link[64], path[64];
	int fd = memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK_EQ(write(fd, "hello", 5), 5);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, link, sizeof link - 1);
	CHECK(n > 0);
	link[n] = 0;
	CHECK(!strcmp(link, "/memfd:name (deleted)"));
	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
	CHECK(!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	CHECK_ERR(ftruncate(fd, 100), EPERM);
	CHECK_ERR(pwrite(fd, "x", 1, 5), EPERM);
	CHECK(!ftruncate(fd, 4));
	CHECK(!fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	CHECK_ERR(ftruncate(fd, 3), EPERM);
	char *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED);
	CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
	munmap(m, PAGE);
	CHECK(!fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	CHECK_ERR(pwrite(fd, "x", 1, 0), EPERM);
	CHECK(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK(mmap(NULL, PAGE, PROT_WRITE, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	CHECK(!fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
	CHECK_EQ(fcntl(fd, F_GET_SEALS),
		 F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL);
	fd = memfd_create("plain", 0);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
	CHECK_ERR(memfd_create("x", 0x4000), EINVAL);
	CHECK_ERR(memfd_create((void *)8, 0), EFAULT);
}

static void ranges_are_copied(void)
{
	static char data[3 * PAGE], back[3 * PAGE];
	tap_tmpdir();
	int a = make_file(), b = open("g", O_CREAT | O_RDWR, 0644);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (char)(i * 7);
	CHECK_EQ(write(a, data, sizeof data), sizeof data);
	loff_t from = 100, to = 50;
	CHECK_EQ(copy_file_range(a, &from, b, &to, 2 * PAGE, 0), 2 * PAGE);
	CHECK(from == 100 + 2 * PAGE && to == 50 + 2 * PAGE);
	CHECK_EQ(pread(b, back, 2 * PAGE, 50), 2 * PAGE);
	CHECK(!memcmp(back, data + 100, 2 * PAGE));
	from = sizeof data;
	CHECK_EQ(copy_file_range(a, &from, b, NULL, 10, 0), 0);
	from = 0;
	to = 10;
	CHECK_ERR(copy_file_range(a, &from, a, &to, 100, 0), EINVAL); /* overlaps */
	CHECK_ERR(copy_file_range(a, NULL, b, NULL, 10, 1), EINVAL);
	CHECK_ERR(copy_file_range(a, NULL, open("g", O_RDONLY), NULL, 10, 0), EBADF);
}

static void syncs_and_advice(void)
{
	int p[2];
	tap_tmpdir();
	int fd = make_file();
	CHECK(!fsync(fd) && !fdatasync(fd) && !syncfs(fd));
	sync();
	CHECK(!pipe(p));
	CHECK_ERR(fsync(p[0]), EINVAL);
	CHECK_ERR(fsync(-1), EBADF);
	CHECK_EQ(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	CHECK_EQ(posix_fadvise(fd, 0, 0, 99), EINVAL);
	CHECK_EQ(posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE);
}

static void appending_pwritev2(void)
{
	tap_tmpdir();
	int fd = make_file();
	struct iovec v = { "abc", 3 };
	char buf[8] = "";
	CHECK_EQ(write(fd, "xy", 2), 2);
	CHECK_EQ(syscall(SYS_pwritev2, fd, &v, 1, 0, 0, 0x10 /* RWF_APPEND */), 3);
	CHECK_EQ(pread(fd, buf, 8, 0), 5);
	CHECK(!memcmp(buf, "xyabc", 5));
	CHECK_ERR(syscall(SYS_pwritev2, fd, &v, 1, 0, 0, 0x10000), EOPNOTSUPP);
}

TEST_MAIN(CASE(holes_are_found), CASE(reading_a_hole_takes_no_memory),
	  CASE(fallocate_allocates), CASE(holes_are_punched),
	  CASE(truncation_reaches_mappings), CASE(memfds_and_seals),
	  CASE(ranges_are_copied), CASE(syncs_and_advice), CASE(appending_pwritev2))
