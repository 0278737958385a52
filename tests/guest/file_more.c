/* What files can do besides: openat2's scopes, memfd and its seals, maps across a first
 * write, holes, FIFOs, attributes, statx, copy_file_range. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/tap.h"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif
#define SEAL_SEAL 1
#define SEAL_SHRINK 2
#define SEAL_GROW 4
#define SEAL_WRITE 8

static void put(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int open2(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };
	return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static void openat2_scopes(void)
{
	tap_tmpdir();
	CHECK(!mkdir("d", 0755));
	put("d/f", "in");
	put("out", "out");
	CHECK(!symlink("f", "d/in") && !symlink("../out", "d/up") &&
	      !symlink("/f", "d/abs"));
	int d = open("d", O_RDONLY | O_DIRECTORY);
	CHECK(open2(d, "in", O_RDONLY, RESOLVE_BENEATH) >= 0);
	CHECK_ERR(open2(d, "up", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK_ERR(open2(d, "abs", O_RDONLY, RESOLVE_BENEATH), EXDEV);
	CHECK(open2(d, "abs", O_RDONLY, RESOLVE_IN_ROOT) >= 0);
	CHECK_ERR(open2(d, "in", O_RDONLY, RESOLVE_NO_SYMLINKS), ELOOP);
	CHECK_ERR(open2(d, "f", O_RDONLY, 1 << 20), EINVAL);
	CHECK_ERR(open2(d, "f", 1ull << 40, 0), EINVAL);
	struct open_how how = { .mode = 0644 };
	CHECK_ERR(syscall(SYS_openat2, d, "f", &how, sizeof how), EINVAL);
	CHECK_ERR(syscall(SYS_openat2, d, "f", &how, 8), EINVAL);
	CHECK_ERR(open2(AT_FDCWD, "/proc/self/exe", O_RDONLY, RESOLVE_NO_MAGICLINKS),
		  ELOOP);
	CHECK(open2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0) >= 0);
}

static void memfd_seals(void)
{
	char link[64] = "";
	int fd = (int)syscall(SYS_memfd_create, "name", 3 /* CLOEXEC, ALLOW_SEALING */);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "data", 4), 4);
	CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
	CHECK(!fcntl(fd, F_ADD_SEALS, SEAL_SHRINK | SEAL_GROW));
	CHECK_ERR(ftruncate(fd, 2), EPERM);
	CHECK_ERR(ftruncate(fd, 8), EPERM);
	CHECK_EQ(pwrite(fd, "D", 1, 0), 1);
	CHECK_ERR(pwrite(fd, "xx", 2, 3), EPERM);
	void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(m != MAP_FAILED);
	CHECK_ERR(fcntl(fd, F_ADD_SEALS, SEAL_WRITE), EBUSY);
	CHECK(!munmap(m, 4096));
	CHECK(!fcntl(fd, F_ADD_SEALS, SEAL_WRITE | SEAL_SEAL));
	CHECK_ERR(pwrite(fd, "D", 1, 0), EPERM);
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_ERR(fcntl(fd, F_ADD_SEALS, SEAL_GROW), EPERM);
	CHECK(readlink("/proc/self/fd/3", link, sizeof link - 1) > 0);
	CHECK(!strcmp(link, "/memfd:name (deleted)"));
	int plain = (int)syscall(SYS_memfd_create, "", 0);
	CHECK_EQ(fcntl(plain, F_GET_SEALS), SEAL_SEAL);
	CHECK_ERR(syscall(SYS_memfd_create, "x", 1u << 31), EINVAL);
	CHECK_ERR(fcntl(0, F_ADD_SEALS, 1),
		  fcntl(0, F_GETFL) & O_ACCMODE ? EINVAL : EPERM);
}

static void maps_share_what_is_written(void)
{
	tap_tmpdir();
	put("f", "before");
	int r = open("f", O_RDONLY), w = open("f", O_RDWR);
	char *ro = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r, 0);
	char *rw = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, w, 0);
	char *cow = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, r, 0);
	CHECK(ro != MAP_FAILED && rw != MAP_FAILED && cow != MAP_FAILED);
	memcpy(rw, "MAPPED", 6);
	CHECK(!memcmp(ro, "MAPPED", 6));
	char buf[8] = "";
	CHECK_EQ(read(r, buf, 6), 6);
	CHECK(!memcmp(buf, "MAPPED", 6));
	CHECK_EQ(pwrite(w, "file", 4, 0), 4);
	CHECK(!memcmp(ro, "fileED", 6));
	cow[0] = 'C';
	CHECK(!memcmp(ro, "fileED", 6));
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, r, 0) == MAP_FAILED &&
	      errno == EACCES);
	CHECK_ERR(mprotect(ro, 4096, PROT_WRITE), EACCES);
}

static void holes_are_found(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	struct stat st;

	CHECK_EQ(pwrite(fd, "x", 1, 1 << 20), 1);
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_size, (1 << 20) + 1);
	CHECK_EQ(st.st_blocks, 8);
	CHECK_EQ(lseek(fd, 0, SEEK_DATA), 1 << 20);
	CHECK_EQ(lseek(fd, 0, SEEK_HOLE), 0);
	CHECK_EQ(lseek(fd, 1 << 20, SEEK_HOLE), (1 << 20) + 1);
	CHECK_ERR(lseek(fd, (1 << 20) + 1, SEEK_DATA), ENXIO);
	CHECK(!fallocate(fd, 0, 0, 8192));
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_blocks, 24);
	CHECK(!fallocate(fd, 3 /* PUNCH_HOLE | KEEP_SIZE */, 0, 4096));
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_blocks, 16);
	CHECK(!fallocate(fd, 1 /* KEEP_SIZE */, 2 << 20, 4096));
	CHECK(!fstat(fd, &st));
	CHECK_EQ(st.st_size, (1 << 20) + 1);
	CHECK_ERR(fallocate(fd, 2, 0, 4096), EOPNOTSUPP);
}

static void fifos_meet(void)
{
	char buf[8] = "";

	tap_tmpdir();
	CHECK(!mkfifo("p", 0600));
	CHECK_ERR(open("p", O_WRONLY | O_NONBLOCK), ENXIO);
	int pid = fork();
	if (!pid) {
		int w = open("p", O_WRONLY);
		_exit(w >= 0 && write(w, "hello", 5) == 5 ? 0 : 1);
	}
	int r = open("p", O_RDONLY);
	CHECK(r >= 0);
	CHECK_EQ(read(r, buf, 5), 5);
	CHECK(!strcmp(buf, "hello"));
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(read(r, buf, 5), 0);
	CHECK_ERR(lseek(r, 0, SEEK_SET), ESPIPE);
}

static void attributes_have_names(void)
{
	char buf[64];

	tap_tmpdir();
	put("f", "x");
	CHECK_ERR(getxattr("f", "user.a", buf, sizeof buf), ENODATA);
	CHECK(!setxattr("f", "user.a", "value", 5, 0));
	CHECK_ERR(setxattr("f", "user.a", "other", 5, XATTR_CREATE), EEXIST);
	CHECK_ERR(setxattr("f", "user.b", "other", 5, XATTR_REPLACE), ENODATA);
	CHECK_EQ(getxattr("f", "user.a", NULL, 0), 5);
	CHECK_ERR(getxattr("f", "user.a", buf, 3), ERANGE);
	CHECK_EQ(getxattr("f", "user.a", buf, sizeof buf), 5);
	CHECK(!memcmp(buf, "value", 5));
	CHECK_EQ(listxattr("f", buf, sizeof buf), 7);
	CHECK(!strcmp(buf, "user.a"));
	CHECK_ERR(setxattr("f", "bogus.a", "", 0, 0), EOPNOTSUPP);
	CHECK(!removexattr("f", "user.a"));
	CHECK_EQ(listxattr("f", buf, sizeof buf), 0);
	CHECK(!symlink("f", "l"));
	CHECK_ERR(lsetxattr("l", "user.a", "x", 1, 0), EPERM);
}

static void ranges_copy(void)
{
	char buf[16] = "";
	loff_t in = 2, out = 1;

	tap_tmpdir();
	put("a", "0123456789");
	put("b", "----------");
	int a = open("a", O_RDONLY), b = open("b", O_RDWR);
	CHECK_EQ(syscall(SYS_copy_file_range, a, &in, b, &out, 4, 0), 4);
	CHECK_EQ(in, 6);
	CHECK_EQ(out, 5);
	CHECK_EQ(pread(b, buf, 10, 0), 10);
	CHECK(!strcmp(buf, "-2345-----"));
	CHECK_EQ(syscall(SYS_copy_file_range, a, NULL, b, NULL, 100, 0), 10);
	CHECK_EQ(syscall(SYS_copy_file_range, a, NULL, b, NULL, 100, 0), 0);
	in = 0;
	out = 2;
	CHECK_ERR(syscall(SYS_copy_file_range, b, &in, b, &out, 5, 0), EINVAL);
	CHECK_ERR(syscall(SYS_copy_file_range, b, NULL, a, NULL, 5, 0), EBADF);
}

static void o_path_names_without_opening(void)
{
	char buf[8];
	struct stat st;

	tap_tmpdir();
	put("f", "x");
	CHECK(!symlink("f", "l"));
	int fd = open("f", O_PATH), l = open("l", O_PATH | O_NOFOLLOW);
	CHECK_ERR(read(fd, buf, 1), EBADF);
	CHECK_ERR(syscall(SYS_fchmod, fd, 0600), EBADF);
	CHECK(!fstat(fd, &st));
	CHECK(S_ISREG(st.st_mode));
	CHECK(!fstatat(l, "", &st, AT_EMPTY_PATH));
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(readlinkat(l, "", buf, sizeof buf), 1);
	CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
	int again = open("/proc/self/fd/3", O_RDONLY);
	CHECK_EQ(read(again, buf, 1), 1);
}

TEST_MAIN(CASE(openat2_scopes), CASE(memfd_seals), CASE(maps_share_what_is_written),
	  CASE(holes_are_found), CASE(fifos_meet), CASE(attributes_have_names),
	  CASE(ranges_copy), CASE(o_path_names_without_opening))
