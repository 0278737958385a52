/* libc: musl glibc */
/* mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), brk(2), file mappings. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/tap.h"

#define PAGE 4096ul
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static char *anon(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

/* The signal that touching p gives, 0: none. */
static int touch(volatile char *p, int write)
{
	pid_t pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		if (write)
			*p = 1;
		else
			(void)*p;
		_exit(0);
	}
	return tap_wait(pid) & 0x7f;
}

static void fresh_memory_is_zero(void)
{
	char *p = anon(64);
	for (size_t i = 0; i < 64 * PAGE; i += 64)
		CHECK(p[i] == 0);
	memset(p, 0xff, 64 * PAGE);
	CHECK(!munmap(p, 64 * PAGE));
	p = anon(64);
	for (size_t i = 0; i < 64 * PAGE; i++)
		if (p[i])
			CHECK(!"memory of the past shows through");
}

static void mmap_errors(void)
{
	CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED);
	CHECK_EQ(errno, EBADF);
	CHECK(mmap((void *)123, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		   -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	CHECK(mmap(NULL, -PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	      MAP_FAILED);
	CHECK_EQ(errno, ENOMEM);
	int fd = open("/proc/self/exe", O_RDONLY);
	CHECK(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_EQ(errno, EACCES);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 1) == MAP_FAILED);
	CHECK_EQ(errno, EINVAL);
	char *p = anon(1);
	CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		   -1, 0) == MAP_FAILED);
	CHECK_EQ(errno, EEXIST);
	CHECK_ERR(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERR(munmap(p, 0), EINVAL);
}

static void protections_hold(void)
{
	char *p = anon(3);
	memset(p, 1, 3 * PAGE);
	CHECK(!mprotect(p + PAGE, PAGE, PROT_READ));
	CHECK_EQ(touch(p + PAGE, 0), 0);
	CHECK_EQ(touch(p + PAGE, 1), SIGSEGV);
	CHECK_EQ(touch(p, 1), 0);
	CHECK_EQ(touch(p + 2 * PAGE, 1), 0);
	CHECK(!mprotect(p, PAGE, PROT_NONE));
	CHECK_EQ(touch(p, 0), SIGSEGV);
	CHECK(!munmap(p + PAGE, PAGE));
	CHECK_EQ(touch(p + PAGE, 0), SIGSEGV);
	CHECK_ERR(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM); /* a hole inside */
	CHECK_ERR(syscall(SYS_mprotect, p + 1, PAGE, PROT_READ), EINVAL);
}

static void data_is_not_executable(void)
{
	unsigned char *p = (unsigned char *)anon(1);
	p[0] = 0xc3; /* ret */
	pid_t pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		((void (*)(void))(uintptr_t)p)();
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGSEGV);
	CHECK(!mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	((void (*)(void))(uintptr_t)p)();
	CHECK_EQ(p[0], 0xc3);
}

static void private_copies_after_fork(void)
{
	char *p = anon(1);
	int up[2], down[2];
	char c;
	CHECK(!pipe(up) && !pipe(down));
	p[0] = 'a';
	pid_t pid = fork();
	if (!pid) {
		if (read(down[0], &c, 1) != 1 || p[0] != 'a')
			_exit(1);
		p[0] = 'b';
		_exit(write(up[1], "x", 1) != 1);
	}
	p[0] = 'c';
	CHECK_EQ(write(down[1], "x", 1), 1);
	CHECK_EQ(read(up[0], &c, 1), 1);
	CHECK_EQ(p[0], 'c');
	CHECK_EQ(tap_wait(pid), 0);
}

static void shared_memory_is_shared(void)
{
	volatile int *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	pid_t pid = fork();
	if (!pid) {
		p[3] = 33;
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(p[3], 33);
}

static int file_of(size_t size)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, (off_t)size));
	return fd;
}

static void shared_file_mapping_writes_the_file(void)
{
	char buf[4];
	int fd = file_of(2 * PAGE);
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	memcpy(p + PAGE, "map", 3);
	CHECK_EQ(pread(fd, buf, 3, PAGE), 3);
	CHECK(!memcmp(buf, "map", 3));
	CHECK_EQ(pwrite(fd, "new", 3, 5), 3);
	CHECK(!memcmp(p + 5, "new", 3));
	CHECK(!msync(p, 2 * PAGE, MS_SYNC));
	CHECK_ERR(msync(p, PAGE, 0x40), EINVAL);
}

static void private_file_mapping_keeps_to_itself(void)
{
	char c;
	int fd = file_of(PAGE);
	char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	CHECK_EQ(p[0], 'x'); /* not copied yet */
	p[0] = 'y';
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK_EQ(c, 'x');
}

static void past_the_end_is_sigbus(void)
{
	int fd = file_of(100);
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK_EQ(p[200], 0); /* the rest of the last page */
	CHECK_EQ(touch(p + PAGE, 0), SIGBUS);
	CHECK(!ftruncate(fd, 2 * PAGE));
	CHECK_EQ(touch(p + PAGE, 1), 0);
	p[PAGE] = 9;
	CHECK(!ftruncate(fd, 10));
	CHECK_EQ(touch(p + PAGE, 0), SIGBUS);
	CHECK(!ftruncate(fd, 2 * PAGE));
	CHECK_EQ(p[PAGE], 0);
}

static void mremap_grows_and_moves(void)
{
	char *p = anon(4);
	p[0] = 1;
	p[PAGE] = 2;
	CHECK(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	CHECK_EQ(touch(p + 2 * PAGE, 0), SIGSEGV);
	char *q = mremap(p, 2 * PAGE, 1000 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK(q[0] == 1 && q[PAGE] == 2 && q[999 * PAGE] == 0);
	char *at = anon(2000);
	CHECK(mremap(q, 1000 * PAGE, 1000 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) ==
	      at);
	CHECK_EQ(at[PAGE], 2);
	CHECK_EQ(touch(q, 0), q >= at && q < at + 2000 * PAGE ? 0 : SIGSEGV);
	/* In the middle of an area, to the size it has: nothing to do. */
	CHECK(mremap(at + 3 * PAGE, PAGE, PAGE, 0) == at + 3 * PAGE);
	CHECK_EQ(touch(at + 3 * PAGE, 1), 0);
	CHECK(mremap((void *)PAGE, PAGE, 2 * PAGE, 0) == MAP_FAILED && errno == EFAULT);
	CHECK(mremap(at + 1, PAGE, PAGE, 0) == MAP_FAILED && errno == EINVAL);
}

static void madvise_dontneed_zeroes(void)
{
	char *p = anon(2);
	memset(p, 7, 2 * PAGE);
	CHECK(!madvise(p, PAGE, MADV_DONTNEED));
	CHECK_EQ(p[0], 0);
	CHECK_EQ(p[PAGE], 7);
	CHECK_ERR(madvise(p, PAGE, 9999), EINVAL);
	CHECK_ERR(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
}

static void mincore_sees_what_was_touched(void)
{
	unsigned char vec[4];
	char *p = anon(4);
	p[PAGE] = 1;
	CHECK(!mincore(p, 4 * PAGE, vec));
	CHECK((vec[1] & 1) && !(vec[0] & 1) && !(vec[2] & 1));
	CHECK(!munmap(p + 2 * PAGE, PAGE));
	CHECK_ERR(mincore(p, 4 * PAGE, vec), ENOMEM);
	CHECK_ERR(mincore(p + 1, PAGE, vec), EINVAL);
}

static void brk_moves(void)
{
	uintptr_t now = (uintptr_t)syscall(SYS_brk, 0);
	CHECK_EQ(syscall(SYS_brk, now + 10 * PAGE), now + 10 * PAGE);
	*(volatile char *)(now + 9 * PAGE) = 5;
	CHECK_EQ(syscall(SYS_brk, now), now);
	CHECK_EQ(syscall(SYS_brk, now + 10 * PAGE), now + 10 * PAGE);
	CHECK_EQ(*(volatile char *)(now + 9 * PAGE), 0);
	CHECK_EQ(syscall(SYS_brk, 16), now + 10 * PAGE); /* nonsense: unchanged */
}

static void address_space_limit(void)
{
	struct rlimit r = { 64ul << 20, 64ul << 20 };
	CHECK(!setrlimit(RLIMIT_AS, &r));
	CHECK(mmap(NULL, 128ul << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	      MAP_FAILED);
	CHECK_EQ(errno, ENOMEM);
	CHECK(anon(16));
}

static void big_sparse_mappings_cost_nothing(void)
{
	char *p = mmap(NULL, 1ul << 40, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	p[0] = p[(1ul << 40) - 1] = 3;
	CHECK_EQ(p[(1ul << 40) - 1], 3);
	CHECK(!munmap(p, 1ul << 40));
}

static void many_areas(void)
{
	char *p = anon(2000);
	for (size_t i = 0; i < 2000; i += 2)
		CHECK(!mprotect(p + i * PAGE, PAGE, PROT_READ));
	for (size_t i = 1; i < 2000; i += 2)
		p[i * PAGE] = 1;
	CHECK(!mprotect(p, 2000 * PAGE, PROT_READ | PROT_WRITE));
	p[0] = 1;
	CHECK(!munmap(p, 2000 * PAGE));
}

static void null_page_cannot_be_mapped(void)
{
	/* root may, down to vm.mmap_min_addr: Linux lets CAP_SYS_RAWIO */
	if (!getuid()) {
		CHECK(!setresuid(1000, 1000, 1000));
	}
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		   0) == MAP_FAILED);
	CHECK(errno == EPERM);
}

static void layout_is_random(void)
{
	uintptr_t seen[4];
	for (int i = 0; i < 4; i++) {
		int p[2];
		CHECK(!pipe(p));
		pid_t pid = fork();
		if (!pid) {
			char *argv[] = { "sh", "-c", "exec cat /proc/self/maps", NULL };
			dup2(p[1], 1);
			close(p[0]);
			execvp("sh", argv);
			_exit(1);
		}
		close(p[1]);
		char line[512];
		seen[i] = 0;
		FILE *f = fdopen(p[0], "r");
		while (fgets(line, sizeof line, f))
			if (strstr(line, "[stack]"))
				seen[i] = strtoul(line, NULL, 16);
		fclose(f);
		CHECK_EQ(tap_wait(pid), 0);
		CHECK(seen[i]);
	}
	CHECK(!(seen[0] == seen[1] && seen[1] == seen[2] && seen[2] == seen[3]));
}

TEST_MAIN(CASE(fresh_memory_is_zero), CASE(mmap_errors), CASE(protections_hold),
	  CASE(data_is_not_executable), CASE(private_copies_after_fork),
	  CASE(shared_memory_is_shared), CASE(shared_file_mapping_writes_the_file),
	  CASE(private_file_mapping_keeps_to_itself), CASE(past_the_end_is_sigbus),
	  CASE(mremap_grows_and_moves), CASE(madvise_dontneed_zeroes),
	  CASE(mincore_sees_what_was_touched), CASE(brk_moves), CASE(address_space_limit),
	  CASE(big_sparse_mappings_cost_nothing), CASE(many_areas),
	  CASE(null_page_cannot_be_mapped), CASE(layout_is_random))
