/* read, write and their positioned and vectored kin; seeking, sizes, holes, copying. */
#include "diff.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define BAD ((void *)8)

static int scratch(const char *content)
{
	make_file("f", content);
	return open("f", O_RDWR);
}

static long size_of(int fd)
{
	struct stat st;
	return fstat(fd, &st) ? -1 : st.st_size;
}

static long blocks_of(int fd)
{
	struct stat st;
	return fstat(fd, &st) ? -1 : st.st_blocks;
}

DIFF_CASE(read_corners)
{
	char b[16];
	int fd = scratch("0123456789");
	TRY(read(fd, b, 4));
	TRY(read(fd, b, 0));
	TRY(read(fd, BAD, 4));
	TRY(read(fd, BAD, 0));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(read(fd, b, 16));
	TRY(read(fd, b, 16));
	TRY(read(fd, BAD, 16));
	TRY(read(99, b, 1));
	TRY(read(open("f", O_WRONLY), b, 1));
	TRY(read(open(".", O_RDONLY), b, 1));
	TRY(read(fd, b, (size_t)-1));
}

DIFF_CASE(read_partly_mapped_buffer)
{
	long page = 4096;
	char *m = mmap(NULL, 2 * (size_t)page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = scratch("0123456789");
	NEED(!munmap(m + page, (size_t)page));
	TRY(read(fd, m + page - 4, 10));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(read(fd, m + page, 10));
	TRY(pwrite(fd, m + page - 4, 10, 0));
	TRY(size_of(fd));
}

DIFF_CASE(write_corners)
{
	int fd = scratch("");
	TRY(write(fd, "abc", 3));
	TRY(write(fd, BAD, 3));
	TRY(write(fd, BAD, 0));
	TRY(write(fd, "abc", (size_t)-1));
	TRY(write(open("f", O_RDONLY), "x", 1));
	TRY(write(99, "x", 1));
	TRY(lseek(fd, 10, SEEK_SET));
	TRY(write(fd, "z", 1));
	say_file("f");
}

DIFF_CASE(write_append)
{
	scratch("start");
	int fd = open("f", O_WRONLY | O_APPEND), other = open("f", O_WRONLY | O_APPEND);
	TRY(write(fd, "-a", 2));
	TRY(write(other, "-b", 2));
	TRY(lseek(fd, 0, SEEK_SET));
	TRY(write(fd, "-c", 2));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(pwrite(fd, "-d", 2, 0));
	TRY(lseek(fd, 0, SEEK_CUR));
	say_file("f");
}

DIFF_CASE(lseek_corners)
{
	int fd = scratch("0123456789"), p[2];
	TRY(lseek(fd, 3, SEEK_SET));
	TRY(lseek(fd, 2, SEEK_CUR));
	TRY(lseek(fd, -1, SEEK_END));
	TRY(lseek(fd, -11, SEEK_END));
	TRY(lseek(fd, -1, SEEK_SET));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(lseek(fd, LLONG_MAX, SEEK_SET));
	TRY(lseek(fd, 1, SEEK_CUR));
	TRY(lseek(fd, LLONG_MAX, SEEK_END));
	TRY(lseek(fd, 0, 9));
	TRY(lseek(99, 0, 9));
	NEED(!pipe(p));
	TRY(lseek(p[0], 0, SEEK_CUR));
	TRY(lseek(p[0], 0, 9));
	TRY(lseek(open(".", O_RDONLY), 0, SEEK_SET));
}

DIFF_CASE(lseek_holes)
{
	int fd = scratch("");
	NEED(!ftruncate(fd, 1 << 20) && pwrite(fd, "x", 1, 65536 * 4) == 1);
	TRY(lseek(fd, 0, SEEK_DATA));
	TRY(lseek(fd, 0, SEEK_HOLE));
	TRY(lseek(fd, 65536 * 4, SEEK_HOLE));
	TRY(lseek(fd, 65536 * 4 + 4096, SEEK_DATA));
	TRY(lseek(fd, 1 << 20, SEEK_DATA));
	TRY(lseek(fd, 1 << 20, SEEK_HOLE));
	TRY(lseek(fd, (1 << 20) - 1, SEEK_HOLE));
	TRY(lseek(fd, -1, SEEK_HOLE));
	TRY(lseek(fd, -1, SEEK_DATA));
}

DIFF_CASE(pread_pwrite)
{
	char b[8] = "";
	int fd = scratch("0123456789"), p[2];
	TRY(pread(fd, b, 4, 8));
	TRY(pread(fd, b, 4, 10));
	TRY(pread(fd, b, 4, -1));
	TRY(pread(fd, b, 4, LLONG_MAX));
	TRY(pwrite(fd, "x", 1, -1));
	TRY(pwrite(fd, "x", 1, LLONG_MAX));
	TRY(pwrite(fd, "xy", 2, LLONG_MAX - 1));
	TRY(pwrite(fd, "x", 1, 12));
	TRY(lseek(fd, 0, SEEK_CUR));
	NEED(!pipe(p));
	TRY(pread(p[0], b, 1, 0));
	TRY(pwrite(p[1], b, 1, 0));
	TRY(pread(99, b, 1, -1));
	say_file("f");
}

DIFF_CASE(readv_writev)
{
	char a[4] = "", b[4] = "";
	struct iovec v[] = { { a, 3 }, { NULL, 0 }, { b, 3 } };
	struct iovec bad[] = { { a, 3 }, { BAD, 3 } };
	struct iovec huge[] = { { a, SIZE_MAX }, { b, 1 } };
	int fd = scratch("0123456789");
	TRY(readv(fd, v, 3));
	say_bytes("a", a, 3);
	say_bytes("b", b, 3);
	TRY(readv(fd, bad, 2));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(readv(fd, bad + 1, 1));
	TRY(readv(fd, huge, 2));
	TRY(readv(fd, v, 0));
	TRY(readv(fd, NULL, 0));
	TRY(readv(fd, NULL, 1));
	TRY(readv(fd, v, -1));
	TRY(readv(fd, v, 1025));
	TRY(writev(fd, v, 3));
	TRY(writev(fd, bad, 2));
	TRY(writev(99, NULL, -1));
}

DIFF_CASE(preadv2_flags)
{
	char b[8] = "";
	struct iovec v = { b, 4 };
	int fd = scratch("0123456789"), p[2];
	TRY(syscall(SYS_preadv2, fd, &v, 1, 2L, 0L, 0));
	TRY(syscall(SYS_preadv2, fd, &v, 1, -1L, -1L, 0));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(syscall(SYS_preadv2, fd, &v, 1, 0L, 0L, 0x8000));
	TRY(syscall(SYS_preadv2, fd, &v, 1, -2L, -1L, 0));
	TRY(syscall(SYS_pwritev2, fd, &v, 1, 0L, 0L, 0x10));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(size_of(fd));
	TRY(syscall(SYS_pwritev2, fd, &v, 1, -1L, -1L, 0x10));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(syscall(SYS_pwritev2, fd, &v, 1, 0L, 0L, 0x2));
	NEED(!pipe(p));
	TRY(syscall(SYS_preadv2, p[0], &v, 1, 0L, 0L, 0));
}

DIFF_CASE(preadv2_nowait)
{
	char b[8];
	struct iovec v = { b, 4 };
	int p[2];
	NEED(!pipe(p));
	TRY(syscall(SYS_preadv2, p[0], &v, 1, -1L, -1L, 0x8));
}

DIFF_CASE(truncate_corners)
{
	int fd = scratch("0123456789");
	TRY(ftruncate(fd, 4));
	say_file("f");
	TRY(ftruncate(fd, 8));
	say_file("f");
	TRY(ftruncate(fd, -1));
	TRY(ftruncate(open("f", O_RDONLY), 1));
	TRY(truncate("f", 2));
	TRY(truncate(".", 2));
	TRY(truncate("missing", 2));
	TRY(truncate("f", -1));
	TRY(truncate("f", LLONG_MAX));
	TRY(ftruncate(99, 0));
	int p[2];
	NEED(!pipe(p));
	TRY(ftruncate(p[1], 0));
	chmod("f", 0444);
	become_nobody();
	TRY(truncate("f", 0));
}

DIFF_CASE(truncate_size_limit)
{
	int fd = scratch("");
	catch (SIGXFSZ, 0);
	NEED(!setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 10, 100 }));
	TRY(write(fd, "0123456789abc", 13));
	SHOW(caught[SIGXFSZ]);
	TRY(write(fd, "x", 1));
	SHOW(caught[SIGXFSZ]);
	TRY(pwrite(fd, "x", 1, 50));
	TRY(ftruncate(fd, 11));
	SHOW(caught[SIGXFSZ]);
	TRY(ftruncate(fd, 9));
	TRY(fallocate(fd, 0, 0, 11));
	SHOW(caught[SIGXFSZ]);
	signal(SIGXFSZ, SIG_DFL);
	ftruncate(fd, 20);
}

DIFF_CASE(fallocate_modes)
{
	int fd = scratch("0123456789");
	TRY(fallocate(fd, 0, 0, 8192));
	TRY(size_of(fd));
	TRY(blocks_of(fd));
	TRY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16384));
	TRY(size_of(fd));
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2, 5));
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096));
	TRY(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
	TRY(fallocate(fd, 0x4000, 0, 4096));
	TRY(fallocate(fd, 0, -1, 1));
	TRY(fallocate(fd, 0, 0, 0));
	TRY(fallocate(fd, 0, LLONG_MAX, 1));
	TRY(fallocate(open("f", O_RDONLY), 0, 0, 1));
	TRY(fallocate(open(".", O_RDONLY), 0, 0, 1));
	char b[12];
	say_bytes("content", b, pread(fd, b, 10, 0));
}

DIFF_CASE(fallocate_targets)
{
	int p[2];
	NEED(!pipe(p) && !mkfifo("fifo", 0600));
	TRY(fallocate(99, 0, 0, 1));
	TRY(fallocate(p[1], 0, 0, 1));
	TRY(fallocate(open("fifo", O_RDWR), 0, 0, 1));
	TRY(fallocate(open("/dev/null", O_RDWR), 0, 0, 1));
	int fd = scratch("x");
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
	TRY(blocks_of(fd));
	TRY(size_of(fd));
	TRY(fallocate(fd, 0, 0, 1LL << 40));
	TRY(size_of(fd));
	TRY(blocks_of(fd));
	make_file("g", "there is room again");
}

DIFF_CASE(copy_file_range_corners)
{
	int in = scratch("0123456789"), out = open("g", O_RDWR | O_CREAT, 0644);
	loff_t at = 8, to = 2;
	TRY(copy_file_range(in, NULL, out, NULL, 4, 0));
	TRY(lseek(in, 0, SEEK_CUR));
	TRY(lseek(out, 0, SEEK_CUR));
	TRY(copy_file_range(in, &at, out, &to, 100, 0));
	SHOW(at);
	SHOW(to);
	TRY(copy_file_range(in, &at, out, &to, 100, 0));
	TRY(copy_file_range(in, NULL, out, NULL, 1, 1));
	TRY(copy_file_range(in, NULL, out, NULL, 0, 0));
	at = 0, to = 5;
	TRY(copy_file_range(in, &at, in, &to, 6, 0));
	TRY(copy_file_range(in, &at, in, &to, 5, 0));
	TRY(copy_file_range(open("f", O_WRONLY), NULL, out, NULL, 1, 0));
	TRY(copy_file_range(in, NULL, open("g", O_RDONLY), NULL, 1, 0));
	TRY(copy_file_range(in, NULL, open("g", O_WRONLY | O_APPEND), NULL, 1, 0));
	TRY(copy_file_range(open(".", O_RDONLY), NULL, out, NULL, 1, 0));
	int p[2];
	NEED(!pipe(p));
	TRY(copy_file_range(in, NULL, p[1], NULL, 1, 0));
	at = -1;
	TRY(copy_file_range(in, &at, out, NULL, 1, 0));
	say_file("g");
	say_file("f");
}

DIFF_CASE(sendfile_corners)
{
	int in = scratch("0123456789"), out = open("g", O_RDWR | O_CREAT, 0644), p[2];
	off_t at = 5;
	NEED(!pipe(p));
	TRY(sendfile(out, in, NULL, 3));
	TRY(lseek(in, 0, SEEK_CUR));
	TRY(sendfile(out, in, &at, 100));
	SHOW(at);
	TRY(lseek(in, 0, SEEK_CUR));
	TRY(sendfile(p[1], in, NULL, 4));
	TRY(sendfile(out, p[0], NULL, 4));
	TRY(sendfile(in, 99, NULL, 1));
	TRY(sendfile(open("g", O_RDONLY), in, NULL, 1));
	TRY(sendfile(out, open("f", O_WRONLY), NULL, 1));
	TRY(sendfile(open("g", O_WRONLY | O_APPEND), in, NULL, 1));
	at = -1;
	TRY(sendfile(out, in, &at, 1));
	TRY(sendfile(out, in, BAD, 1));
	TRY(sendfile(out, in, NULL, 0));
	say_file("g");
}

DIFF_CASE(sync_calls)
{
	int fd = scratch("x"), p[2];
	NEED(!pipe(p));
	TRY(fsync(fd));
	TRY(fdatasync(fd));
	TRY(fsync(p[0]));
	TRY(fsync(99));
	TRY(fsync(open(".", O_RDONLY)));
	TRY(fdatasync(open("/dev/null", O_RDWR)));
	TRY(syncfs(fd));
	TRY(syncfs(99));
	TRY(sync_file_range(fd, 0, 1, 7));
	TRY(sync_file_range(fd, 0, 1, 8));
	TRY(sync_file_range(fd, -1, 1, 0));
	TRY(sync_file_range(p[0], 0, 1, 0));
}

DIFF_CASE(fadvise_corners)
{
	int fd = scratch("x"), p[2];
	NEED(!pipe(p));
	for (int advice = 0; advice < 7; advice++)
		TRY(syscall(SYS_fadvise64, fd, 0, 0, advice));
	TRY(syscall(SYS_fadvise64, fd, 0, -1, 0));
	TRY(syscall(SYS_fadvise64, p[0], 0, 0, 0));
	TRY(syscall(SYS_fadvise64, 99, 0, 0, 0));
	TRY(readahead(fd, 0, 10));
	TRY(readahead(p[0], 0, 10));
	TRY(readahead(open("f", O_WRONLY), 0, 10));
}

DIFF_CASE(file_unlinked_lives_on)
{
	char b[16];
	int fd = scratch("content");
	struct stat st;
	TRY(unlink("f"));
	TRY(access("f", F_OK));
	TRY(fstat(fd, &st));
	SHOW(st.st_nlink);
	say_bytes("still", b, read(fd, b, sizeof b));
	TRY(write(fd, "more", 4));
	TRY(size_of(fd));
	int len = (int)readlink("/proc/self/fd/3", b, sizeof b);
	SHOW(len > 0);
	TRY(linkat(fd, "", AT_FDCWD, "back", AT_EMPTY_PATH));
}

DIFF_CASE(file_offset_shared_after_fork)
{
	char b[8];
	int fd = scratch("0123456789"), copy = dup(fd);
	pid_t pid = fork();
	if (!pid)
		_exit(read(fd, b, 4) == 4 ? 0 : 1);
	say_status("child", reap(pid));
	TRY(lseek(fd, 0, SEEK_CUR));
	TRY(lseek(copy, 1, SEEK_CUR));
	TRY(read(fd, b, 8));
	say_bytes("b", b, 5);
}
