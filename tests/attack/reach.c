/*
 * Reaching for what is not the job's: process 1, other processes' memory, read-only text,
 * the mounts; and sizes that overflow on their way to an allocation.
 */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/tap.h"

static void process_1_cannot_be_killed(void)
{
	tap_needs_mayfly();
	static const int signals[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGTERM,
				       SIGHUP,	SIGABRT, 40 };
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		int err = kill(1, signals[i]);
		CHECK(!err || errno == EPERM);
		syscall(SYS_tgkill, 1, 1, signals[i]);
	}
	usleep(50000);
	CHECK(!kill(1, 0) || errno == EPERM);
	CHECK(!access("/proc/1/status", F_OK));
}

static void everybody_but_process_1(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	/* kill(-1) as another user reaches that user's processes only. */
	pid_t other = fork();
	if (!other) {
		if (setresuid(4001, 4001, 4001))
			_exit(1);
		for (;;)
			pause();
	}
	pid_t pid = fork();
	if (!pid) {
		if (setresuid(4002, 4002, 4002))
			_exit(1);
		int err = kill(-1, SIGKILL);
		_exit(err ? (errno == EPERM || errno == ESRCH ? 0 : 2) : 0);
	}
	int status = tap_wait(pid);
	CHECK(status == 0 || status == SIGKILL);
	CHECK(!kill(other, 0));
	kill(other, SIGKILL);
	CHECK_EQ(tap_wait(other), SIGKILL);
	CHECK(!kill(1, 0));
}

static void the_agents_port_is_taken(void)
{
	static const char *const names[] = { "/dev/vport0p1", "/dev/mayfly-agent" };
	tap_needs_mayfly();
	for (int i = 0; i < 2; i++)
		CHECK_ERR(open(names[i], O_RDWR), EBUSY);
}

static void only_root_ends_the_machine(void)
{
	tap_needs_root();
	pid_t pid = fork();
	if (!pid) {
		if (setresuid(1000, 1000, 1000))
			_exit(1);
		_exit(reboot(RB_AUTOBOOT) == -1 && errno == EPERM ? 0 : 2);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void covering_proc_harms_only_the_job(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	CHECK(!mount("t", "/proc", "tmpfs", 0, NULL));
	CHECK_ERR(open("/proc/self/status", O_RDONLY), ENOENT);
	pid_t pid = fork();
	if (!pid)
		_exit(3);
	CHECK_EQ(tap_wait(pid), 3 << 8);
	CHECK(!umount("/proc"));
	CHECK(open("/proc/self/status", O_RDONLY) >= 0);
}

/* ---- memory ---- */

static const char text[] = "read-only";

static void text_stays_read_only(void)
{
	pid_t pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		*(volatile char *)(uintptr_t)text = 'X';
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGSEGV);
	int zero = open("/dev/zero", O_RDONLY);
	CHECK_ERR(read(zero, (void *)(uintptr_t)text, 4), EFAULT);
	CHECK_ERR(read(zero, (void *)(uintptr_t)text_stays_read_only, 4), EFAULT);
	CHECK(!strcmp(text, "read-only"));
}

static void through_proc_mem(void)
{
	char buf[16] = "";
	int mem = open("/proc/self/mem", O_RDWR);
	if (mem < 0) /* reading is enough of a door */
		mem = open("/proc/self/mem", O_RDONLY);
	CHECK(mem >= 0);
	CHECK_EQ(pread(mem, buf, sizeof text, (off_t)(uintptr_t)text), sizeof text);
	CHECK(!memcmp(buf, text, sizeof text));
	CHECK(pread(mem, buf, 8, 8) <= 0);
	CHECK(pread(mem, buf, 8, (off_t)0xffff800000000000) <= 0);
	CHECK(pread(mem, buf, 8, (off_t)0x7ffffffffff8) <= 8);
	if (tap_on_mayfly())
		CHECK(pwrite(mem, "X", 1, (off_t)(uintptr_t)text) == -1);
	CHECK(!strcmp(text, "read-only"));
}

static void memory_of_others(void)
{
	char path[64], c;
	tap_needs_root();
	pid_t victim = fork();
	if (!victim)
		for (;;)
			pause();
	pid_t pid = fork();
	if (!pid) {
		struct iovec v = { &c, 1 };
		if (setgroups(0, NULL) || setresgid(4003, 4003, 4003) ||
		    setresuid(4003, 4003, 4003))
			_exit(1);
		static const char *const names[] = { "mem",	"environ", "maps",
						     "fd/0",	"cwd/x",   "exe/.",
						     "root/etc" };
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
			snprintf(path, sizeof path, "/proc/%d/%s", victim, names[i]);
			if (open(path, O_RDONLY) >= 0)
				_exit(10 + (int)i);
		}
		snprintf(path, sizeof path, "/proc/%d/exe", victim);
		char link[64];
		if (readlink(path, link, sizeof link) >= 0)
			_exit(30);
		if (syscall(SYS_process_vm_readv, victim, &v, 1, &v, 1, 0) != -1)
			_exit(31);
		if (ptrace(PTRACE_ATTACH, victim, 0, 0) != -1)
			_exit(32);
		if (kill(victim, SIGKILL) != -1)
			_exit(33);
		struct rlimit64 {
			uint64_t a, b;
		} l;
		if (syscall(SYS_prlimit64, victim, RLIMIT_CPU, NULL, &l) != -1)
			_exit(34);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	kill(victim, SIGKILL);
	CHECK_EQ(tap_wait(victim), SIGKILL);
}

/* ---- sizes ---- */

static void sizes_that_overflow(void)
{
	static char buf[4096];
	static const size_t big[] = { (size_t)-1, (size_t)-4096, 1ul << 63,
				      1ul << 48,  1ul << 47,	 0x7fffffffffffffff };
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), ep;
	struct iovec v[2];
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	for (size_t i = 0; i < sizeof big / sizeof big[0]; i++) {
		CHECK(mmap(NULL, big[i], PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		      MAP_FAILED);
		CHECK(munmap(buf, big[i]) == -1);
		CHECK(syscall(SYS_mprotect, buf, big[i], PROT_READ) == -1);
		CHECK(mremap(buf, 4096, big[i], MREMAP_MAYMOVE) == MAP_FAILED);
		CHECK(read(zero, buf, big[i]) == -1);
		CHECK(syscall(SYS_getdents64, fd, buf, big[i]) == -1);
		v[0] = (struct iovec){ buf, 16 };
		v[1] = (struct iovec){ buf, big[i] };
		(void)!writev(null, v, 2);
		CHECK(preadv(zero, v, 2, -1) == -1);
		CHECK(pwrite(fd, buf, 1, (off_t)big[i]) == -1 || (off_t)big[i] > 0);
		CHECK(setgroups(big[i], (gid_t *)buf) == -1 || !(int)big[i]);
		CHECK(syscall(SYS_poll, buf, (unsigned)big[i], 0) == -1 ||
		      !(unsigned)big[i]);
		CHECK(syscall(SYS_fsetxattr, fd, "user.x", buf, big[i], 0) == -1);
		CHECK(syscall(SYS_sched_setaffinity, 0, big[i], buf) <= 0);
		CHECK(syscall(SYS_select, (int)big[i], buf, buf, buf, buf + 512) <= 0);
		CHECK(syscall(SYS_epoll_wait, zero, buf, (int)big[i], 0) == -1);
		CHECK(syscall(SYS_clone3, buf, big[i]) == -1);
		CHECK(syscall(SYS_readlink, "/proc/self/exe", buf, (int)big[i]) <= 4096);
		CHECK(fallocate(fd, 0, (off_t)(big[i] >> 1), (off_t)(big[i] >> 1)) == -1);
		CHECK(syscall(SYS_copy_file_range, fd, NULL, fd, NULL, big[i], 0) <= 0);
		CHECK(syscall(SYS_brk, big[i]) != (long)big[i]);
	}
	ep = epoll_create1(0);
	CHECK_ERR(epoll_wait(ep, (void *)buf, 0, 0), EINVAL);
	CHECK_ERR(epoll_wait(ep, (void *)buf, 0x7fffffff / 12 + 1, 0), EINVAL);
	CHECK_EQ(read(zero, buf, sizeof buf), sizeof buf);
}

static void offsets_that_overflow(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY });
	CHECK_EQ(write(fd, "abc", 3), 3);
	CHECK_EQ(pwrite(fd, "x", 1, INT64_MAX), -1);
	CHECK(errno == EFBIG || errno == EINVAL);
	CHECK(pread(fd, &(char){ 0 }, 1, INT64_MAX) <= 0);
	CHECK(ftruncate(fd, INT64_MAX) == 0 || errno == EFBIG || errno == EINVAL);
	CHECK(lseek(fd, INT64_MAX, SEEK_SET) == INT64_MAX || errno == EINVAL ||
	      errno == EOVERFLOW);
	CHECK(lseek(fd, INT64_MAX, SEEK_CUR) == -1 || lseek(fd, 0, SEEK_CUR) >= 0);
	(void)!write(fd, "x", 1);
	/* May be mapped, but there is nothing to touch. */
	mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, (off_t)0x7ffffffffffff000);
	CHECK(mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, (off_t)0xfffffffffffff000) ==
	      MAP_FAILED);
	CHECK(!ftruncate(fd, 3));
	CHECK_EQ(pread(fd, &(char){ 0 }, 1, 2), 1);
}

TEST_MAIN(CASE(process_1_cannot_be_killed), CASE(everybody_but_process_1),
	  CASE(the_agents_port_is_taken), CASE(only_root_ends_the_machine),
	  CASE(covering_proc_harms_only_the_job), CASE(text_stays_read_only),
	  CASE(through_proc_mem), CASE(memory_of_others), CASE(sizes_that_overflow),
	  CASE(offsets_that_overflow))
