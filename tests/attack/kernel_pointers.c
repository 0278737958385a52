/*
 * Pointers that do not belong to the caller, handed to every call that takes one: the
 * kernel's half, the hole of non-canonical addresses, ranges that wrap or straddle.
 * EFAULT each time and nothing written; the twin is the same call with good memory.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

static const uintptr_t bad[] = {
	0xffff800000000000, /* where direct maps begin */
	0xffffffff80000000, /* where kernels lie */
	0xffffffffffffff00, /* wraps */
	0x0000800000000000, /* first non-canonical */
	0x00007ffffffffff8, /* straddles the end of user space */
	0x8000000000000000, 8,
};
#define BAD_N (sizeof bad / sizeof bad[0])

static char good[8192] __attribute__((aligned(4096)));

static void data_out(void)
{
	int zero = open("/dev/zero", O_RDONLY);
	for (size_t i = 0; i < BAD_N; i++) {
		CHECK_ERR(syscall(SYS_read, zero, bad[i], 64), EFAULT);
		CHECK_ERR(syscall(SYS_fstat, zero, bad[i]), EFAULT);
		CHECK_ERR(syscall(SYS_uname, bad[i]), EFAULT);
		CHECK_ERR(syscall(SYS_getrandom, bad[i], 64, 0), EFAULT);
		CHECK_ERR(syscall(SYS_pipe, bad[i]), EFAULT);
		CHECK_ERR(syscall(SYS_getcwd, bad[i], 64), EFAULT);
		CHECK_ERR(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, bad[i]), EFAULT);
		CHECK_ERR(syscall(SYS_getrlimit, 7, bad[i]), EFAULT);
		CHECK_ERR(syscall(SYS_sigaltstack, 0, bad[i]), EFAULT);
		CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, 0, bad[i], 8), EFAULT);
		CHECK_ERR(syscall(SYS_getdents64, open("/", O_RDONLY), bad[i], 4096),
			  EFAULT);
	}
	CHECK_EQ(syscall(SYS_read, zero, good, 64), 64);
	CHECK_EQ(syscall(SYS_uname, good), 0);
}

static void data_in(void)
{
	int p[2];
	CHECK(!pipe(p));
	for (size_t i = 0; i < BAD_N; i++) {
		CHECK_ERR(syscall(SYS_write, p[1], bad[i], 64), EFAULT);
		CHECK_ERR(syscall(SYS_open, bad[i], O_RDONLY), EFAULT);
		CHECK_ERR(syscall(SYS_execve, bad[i], 0, 0), EFAULT);
		CHECK_ERR(syscall(SYS_execve, "/proc/self/exe", bad[i], 0), EFAULT);
		CHECK_ERR(syscall(SYS_nanosleep, bad[i], 0), EFAULT);
		CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, bad[i], 0, 8), EFAULT);
		CHECK_ERR(syscall(SYS_writev, p[1], bad[i], 2), EFAULT);
		CHECK_ERR(syscall(SYS_poll, bad[i], 2, 0), EFAULT);
		CHECK_ERR(syscall(SYS_clone3, bad[i], 64), EFAULT);
		CHECK_ERR(syscall(SYS_utimensat, AT_FDCWD, "/", bad[i], 0), EFAULT);
		CHECK_ERR(syscall(SYS_mount, bad[i], "/tmp", "tmpfs", 0, 0), EFAULT);
	}
	CHECK_EQ(syscall(SYS_write, p[1], good, 64), 64);
}

static void vectors_with_one_bad_part(void)
{
	int zero = open("/dev/zero", O_RDONLY);
	for (size_t i = 0; i < BAD_N; i++) {
		struct {
			uintptr_t base;
			size_t len;
		} v[2] = { { (uintptr_t)good, 16 }, { bad[i], 64 } };
		memset(good, 7, 32);
		long n = syscall(SYS_readv, zero, v, 2);
		CHECK(n == 16 || (n == -1 && errno == EFAULT));
		CHECK_EQ(good[16], 7);
	}
}

static void futex_words(void)
{
	for (size_t i = 0; i < BAD_N; i++) {
		uintptr_t word = bad[i] & ~3ul;
		struct timespec t = { 0, 1000000 };
		long r = syscall(SYS_futex, word, 0 /* WAIT */, 1, &t, 0, 0);
		CHECK(r == -1 && errno == EFAULT);
		r = syscall(SYS_futex, good, 5 /* WAKE_OP */, 1, 1, word, 0);
		CHECK(r == -1 && errno == EFAULT);
	}
}

static void clear_tid_at_exit(void)
{
	/* The kernel writes 0 here when the thread ends; a kernel address must not take
	 * it. */
	pid_t pid = fork();
	if (!pid) {
		syscall(SYS_set_tid_address, bad[0]);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void mappings_outside_user_space(void)
{
	for (size_t i = 0; i < 4; i++) {
		uintptr_t at = bad[i] & ~4095ul;
		CHECK(mmap((void *)at, 8192, PROT_READ,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
		CHECK_EQ(munmap((void *)at, 8192), -1);
		CHECK_EQ(mprotect((void *)at, 8192, PROT_READ), -1);
		CHECK_EQ(madvise((void *)at, 8192, MADV_DONTNEED), -1);
	}
	CHECK(!mprotect(good, 4096, PROT_READ));
}

static void segment_bases(void)
{
	for (size_t i = 0; i < 4; i++) {
		CHECK_ERR(syscall(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, bad[i]),
			  EPERM);
		CHECK_ERR(syscall(SYS_arch_prctl, 0x1002 /* ARCH_SET_FS */, bad[i]),
			  EPERM);
	}
	CHECK(!syscall(SYS_arch_prctl, 0x1001, good));
}

TEST_MAIN(CASE(data_out), CASE(data_in), CASE(vectors_with_one_bad_part),
	  CASE(futex_words), CASE(clear_tid_at_exit), CASE(mappings_outside_user_space),
	  CASE(segment_bases))
