/* libc: musl glibc */
/* Opening, reading, writing, positions, descriptors. open(2), read(2), lseek(2), dup(2),
 * fcntl(2). */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/tap.h"

static int make_file(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_RDWR | O_TRUNC, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static void reads_what_was_written(void)
{
	char buf[16];
	tap_tmpdir();
	int fd = make_file("f", "hello");
	CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
	CHECK_EQ(read(fd, buf, sizeof buf), 5);
	CHECK(!memcmp(buf, "hello", 5));
	CHECK_EQ(read(fd, buf, sizeof buf), 0);
}

static void open_errors(void)
{
	tap_tmpdir();
	close(make_file("f", "x"));
	CHECK(!mkdir("d", 0755));
	CHECK(!symlink("self", "self"));
	CHECK(!symlink("f", "link"));
	CHECK_ERR(open("absent", O_RDONLY), ENOENT);
	CHECK_ERR(open("", O_RDONLY), ENOENT);
	CHECK_ERR(open("f/x", O_RDONLY), ENOTDIR);
	CHECK_ERR(open("f/", O_RDONLY), ENOTDIR);
	CHECK_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
	CHECK_ERR(open("d", O_WRONLY), EISDIR);
	CHECK_ERR(open("d", O_RDWR | O_CREAT, 0600), EISDIR);
	CHECK_ERR(open("f", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	CHECK_ERR(open("link", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	CHECK_ERR(open("self", O_RDONLY), ELOOP);
	CHECK_ERR(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_ERR(open((char *)8, O_RDONLY), EFAULT);
	CHECK_ERR(openat(99, "f", O_RDONLY), EBADF);
	CHECK_ERR(open("new/", O_CREAT | O_RDWR, 0600), EISDIR);
}

static void names_have_limits(void)
{
	char name[NAME_MAX + 2], path[PATH_MAX + 1];
	tap_tmpdir();
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = 0;
	close(make_file(name, "x"));
	name[NAME_MAX] = 'n';
	name[NAME_MAX + 1] = 0;
	CHECK_ERR(open(name, O_RDONLY), ENAMETOOLONG);
	memset(path, '/', PATH_MAX);
	path[PATH_MAX] = 0;
	CHECK_ERR(open(path, O_RDONLY), ENAMETOOLONG);
	path[PATH_MAX - 1] = 0;
	CHECK(open(path, O_RDONLY) >= 0);
}

static void append_goes_to_the_end(void)
{
	char buf[8] = "";
	tap_tmpdir();
	int a = make_file("f", "one");
	int b = open("f", O_WRONLY | O_APPEND);
	CHECK_EQ(write(a, "!", 1), 1);
	CHECK_EQ(write(b, "two", 3), 3);
	CHECK_EQ(lseek(b, 0, SEEK_CUR), 7);
	CHECK_EQ(pread(a, buf, 7, 0), 7);
	CHECK(!strcmp(buf, "one!two"));
}

static void positions(void)
{
	char c;
	tap_tmpdir();
	int fd = make_file("f", "0123456789");
	CHECK_EQ(lseek(fd, -3, SEEK_END), 7);
	CHECK_EQ(lseek(fd, 1, SEEK_CUR), 8);
	CHECK_EQ(read(fd, &c, 1), 1);
	CHECK_EQ(c, '8');
	CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
	CHECK_ERR(lseek(fd, 0, 99), EINVAL);
	CHECK_ERR(lseek(-1, 0, SEEK_SET), EBADF);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 0);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 10);
	CHECK_ERR(lseek(fd, 10, SEEK_DATA), ENXIO);
	CHECK_EQ(pread(fd, &c, 1, 2), 1);
	CHECK_EQ(c, '2');
	CHECK_EQ(lseek(fd, 0, SEEK_CUR), 10); /* where SEEK_HOLE left it */
	CHECK_ERR(pread(fd, &c, 1, -1), EINVAL);
}

static void holes_read_as_zeroes(void)
{
	char buf[4096], zero[4096] = "";
	tap_tmpdir();
	int fd = make_file("f", "a");
	CHECK_EQ(pwrite(fd, "z", 1, 1 << 20), 1);
	CHECK_EQ(pread(fd, buf, sizeof buf, 8192), 4096);
	CHECK(!memcmp(buf, zero, sizeof buf));
	CHECK(!ftruncate(fd, 3));
	CHECK(!ftruncate(fd, 8));
	CHECK_EQ(pread(fd, buf, sizeof buf, 0), 8);
	CHECK(!memcmp(buf, "a\0\0\0\0\0\0\0", 8));
}

static void vectors(void)
{
	char a[3], b[4];
	struct iovec in[2] = { { a, 3 }, { b, 4 } };
	tap_tmpdir();
	int fd = make_file("f", "abcdefg");
	CHECK_EQ(preadv(fd, in, 2, 0), 7);
	CHECK(!memcmp(a, "abc", 3) && !memcmp(b, "defg", 4));
	CHECK_EQ(pwritev(fd, in, 2, 7), 7);
	CHECK_ERR(readv(fd, in, -1), EINVAL);
	CHECK_ERR(readv(fd, in, IOV_MAX + 1), EINVAL);
	in[0].iov_len = (size_t)-1;
	CHECK_ERR(readv(fd, in, 2), EINVAL);
	CHECK_EQ(readv(fd, in, 0), 0);
}

static void bad_buffers_fault(void)
{
	tap_tmpdir();
	int fd = make_file("f", "abc");
	CHECK_ERR(pread(fd, (void *)16, 3, 0), EFAULT);
	CHECK_ERR(pwrite(fd, (void *)16, 3, 0), EFAULT);
	CHECK_ERR(pread(fd, (void *)-4096ul, 3, 0), EFAULT);
	CHECK_ERR(pread(fd, (void *)0xffff800000000000ul, 3, 0), EFAULT);
	CHECK_EQ(pread(fd, (void *)16, 0, 0), 0);
}

static void descriptors_are_lowest_first(void)
{
	int a = open("/dev/null", O_RDWR), b = dup(a), c = dup(a);
	CHECK(a >= 0 && b == a + 1 && c == b + 1);
	close(b);
	CHECK_EQ(dup(a), b);
	CHECK_EQ(fcntl(a, F_DUPFD, 100), 100);
	CHECK_EQ(dup2(a, 200), 200);
	CHECK_EQ(dup2(a, a), a);
	CHECK_ERR(dup3(a, a, 0), EINVAL);
	CHECK_ERR(syscall(SYS_dup3, a, 201, O_APPEND), EINVAL);
	CHECK_ERR(dup2(99, 5), EBADF);
	CHECK_ERR(fcntl(a, F_DUPFD, -1), EINVAL);
	CHECK_ERR(close(999), EBADF);
}

static void descriptor_limit_holds(void)
{
	struct rlimit r = { 16, 16 };
	int last = -1, fd;
	CHECK(!setrlimit(RLIMIT_NOFILE, &r));
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		last = fd;
	CHECK_EQ(errno, EMFILE);
	CHECK_EQ(last, 15);
	CHECK_ERR(dup2(last, 16), EBADF);
}

static void many_descriptors(void)
{
	struct rlimit r;
	CHECK(!getrlimit(RLIMIT_NOFILE, &r));
	int a = open("/dev/null", O_RDONLY), n = 0;
	while (n < 900 && dup(a) >= 0)
		n++;
	CHECK_EQ(n, 900);
}

static void flags_are_per_open_file(void)
{
	int a = open("/dev/null", O_RDWR | O_CLOEXEC), b = dup(a);
	CHECK_EQ(fcntl(a, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(fcntl(b, F_GETFD), 0);
	CHECK(!fcntl(a, F_SETFL, O_NONBLOCK | O_APPEND));
	CHECK_EQ(fcntl(b, F_GETFL) & (O_NONBLOCK | O_APPEND | O_ACCMODE),
		 O_NONBLOCK | O_APPEND | O_RDWR);
	CHECK_ERR(fcntl(a, 9999), EINVAL);
}

static void wrong_direction_is_ebadf(void)
{
	char c;
	tap_tmpdir();
	close(make_file("f", "abc"));
	int r = open("f", O_RDONLY), w = open("f", O_WRONLY);
	CHECK_ERR(write(r, "x", 1), EBADF);
	CHECK_ERR(read(w, &c, 1), EBADF);
	CHECK_ERR(ftruncate(r, 0), EINVAL);
	int d = open(".", O_RDONLY);
	CHECK_ERR(read(d, &c, 1), EISDIR);
	int p = open("f", O_PATH);
	CHECK(p >= 0);
	CHECK_ERR(read(p, &c, 1), EBADF);
}

static void sendfile_copies(void)
{
	char buf[32] = "";
	off_t off = 2;
	tap_tmpdir();
	int in = make_file("in", "0123456789"), out = make_file("out", "");
	CHECK_EQ(sendfile(out, in, &off, 5), 5);
	CHECK_EQ(off, 7);
	CHECK_EQ(pread(out, buf, sizeof buf, 0), 5);
	CHECK(!strcmp(buf, "23456"));
	CHECK_EQ(copy_file_range(in, &(off_t){ 0 }, out, &(off_t){ 5 }, 3, 0), 3);
	CHECK_EQ(pread(out, buf, sizeof buf, 0), 8);
	CHECK(!strcmp(buf, "23456012"));
}

static void file_size_limit(void)
{
	struct rlimit r = { 10, 10 };
	tap_tmpdir();
	int fd = make_file("f", "");
	CHECK(!setrlimit(RLIMIT_FSIZE, &r));
	CHECK_EQ(write(fd, "0123456789abc", 13), 10);
	pid_t pid = fork();
	if (!pid) {
		if (write(fd, "x", 1)) {
		}
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, 25 /* SIGXFSZ */);
}

static void unlinked_files_live_on(void)
{
	char buf[8];
	struct stat st;
	tap_tmpdir();
	int fd = make_file("f", "still");
	CHECK(!unlink("f"));
	CHECK_ERR(open("f", O_RDONLY), ENOENT);
	CHECK_EQ(pread(fd, buf, 8, 0), 5);
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
}

static void tmpfile_has_no_name(void)
{
	struct stat st;
	const char *dir = tap_tmpdir();
	int fd = open(dir, O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_nlink, 0);
	char self[32] = "/proc/self/fd/";
	self[14] = (char)('0' + fd);
	CHECK(!linkat(AT_FDCWD, self, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	CHECK(!stat("named", &st));
	CHECK_EQ(st.st_size, 1);
}

TEST_MAIN(CASE(reads_what_was_written), CASE(open_errors), CASE(names_have_limits),
	  CASE(append_goes_to_the_end), CASE(positions), CASE(holes_read_as_zeroes),
	  CASE(vectors), CASE(bad_buffers_fault), CASE(descriptors_are_lowest_first),
	  CASE(descriptor_limit_holds), CASE(many_descriptors),
	  CASE(flags_are_per_open_file), CASE(wrong_direction_is_ebadf),
	  CASE(sendfile_copies), CASE(file_size_limit), CASE(unlinked_files_live_on),
	  CASE(tmpfile_has_no_name))
