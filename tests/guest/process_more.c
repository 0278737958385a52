/* Other processes' memory, kcmp, and what a process says about itself: unshare,
 * personality, scheduling attributes, memory policies. */
/* libc: musl glibc */
#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <linux/mempolicy.h>
#define sched_param linux_sched_param /* the C library has its own */
#include <linux/sched/types.h>
#undef sched_param
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/trace.h"

/* ---- another's memory ---- */

static char shared_text[] = "what the child sees";

static void memory_moves_both_ways(void)
{
	int pid = running_child(pause_forever);
	char a[5] = { 0 }, b[20] = { 0 };
	struct iovec local[2] = { { a, 4 }, { b, 15 } };
	struct iovec remote[2] = { { shared_text, 10 }, { shared_text + 10, 9 } };
	CHECK_EQ(process_vm_readv(pid, local, 2, remote, 2, 0), 19);
	CHECK(!strcmp(a, "what") && !strcmp(b, " the child sees"));
	memcpy(a, "WHAT", 4);
	CHECK_EQ(process_vm_writev(pid, local, 1, remote, 1, 0), 4);
	CHECK(!memcmp(shared_text, "what", 4));
	memset(a, 0, 4);
	CHECK_EQ(process_vm_readv(pid, local, 1, remote, 1, 0), 4);
	CHECK(!memcmp(a, "WHAT", 4));
	CHECK_ERR(process_vm_readv(pid, local, 1, remote, 1, 1), EINVAL);
	CHECK_ERR(process_vm_readv(999999, local, 1, remote, 1, 0), ESRCH);
	CHECK_EQ(process_vm_readv(999999, local, 0, remote, 0, 0), 0);
	remote[0].iov_base = (void *)8;
	CHECK_ERR(process_vm_readv(pid, local, 1, remote, 1, 0), EFAULT);
	CHECK_ERR(process_vm_readv(pid, local, 1025, remote, 1, 0), EINVAL);
	local[0].iov_base = (void *)8;
	remote[0].iov_base = shared_text;
	CHECK_ERR(process_vm_readv(pid, local, 1, remote, 1, 0), EFAULT);
	end(pid);
}

static void read_only_memory_stays_so(void)
{
	char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int pid = running_child(pause_forever);
	struct iovec local = { "x", 1 }, remote = { page, 1 };
	CHECK_ERR(process_vm_writev(pid, &local, 1, &remote, 1, 0), EFAULT);
	remote.iov_base = shared_text;
	CHECK_EQ(process_vm_writev(pid, &local, 1, &remote, 1, 0), 1);
	end(pid);
}

static void partial_moves_are_counted(void)
{
	char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0),
	     buf[8192];
	munmap(two + 4096, 4096);
	int pid = running_child(pause_forever);
	struct iovec local = { buf, 200 }, remote = { two + 4000, 200 };
	CHECK_EQ(process_vm_readv(pid, &local, 1, &remote, 1, 0), 96);
	end(pid);
}

static void kcmp_tells_same_from_other(void)
{
	int pid = running_child(pause_forever), me = getpid(), a = open("/", O_RDONLY),
	    b = dup(a), c = open("/", O_RDONLY);
	CHECK_EQ(syscall(SYS_kcmp, me, me, KCMP_VM, 0, 0), 0);
	CHECK(syscall(SYS_kcmp, me, pid, KCMP_VM, 0, 0) > 0);
	CHECK_EQ(syscall(SYS_kcmp, me, me, KCMP_FILE, a, b), 0);
	long x = syscall(SYS_kcmp, me, me, KCMP_FILE, a, c);
	long y = syscall(SYS_kcmp, me, me, KCMP_FILE, c, a);
	CHECK((x == 1 && y == 2) || (x == 2 && y == 1));
	CHECK_EQ(syscall(SYS_kcmp, me, pid, KCMP_FILE, 0, 0), 0);
	CHECK(syscall(SYS_kcmp, me, pid, KCMP_FILES, 0, 0) > 0);
	CHECK_ERR(syscall(SYS_kcmp, me, me, KCMP_FILE, 900, a), EBADF);
	CHECK_ERR(syscall(SYS_kcmp, me, me, 99, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_kcmp, me, 999999, KCMP_VM, 0, 0), ESRCH);
	end(pid);
}

/* ---- unshare, setns, personality ---- */

static int changes_cwd(void *arg)
{
	if (arg && unshare(CLONE_FS))
		return 1;
	return chdir("/proc") ? 2 : 0;
}

static char stack[2][65536];

static void unshare_gives_a_copy(void)
{
	char cwd[256];
	int status;
	CHECK_EQ(chdir("/"), 0);
	CHECK(clone(changes_cwd, stack[0] + 65536, CLONE_FS | SIGCHLD, "") > 0);
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK(!strcmp(getcwd(cwd, sizeof cwd), "/"));
	CHECK(clone(changes_cwd, stack[1] + 65536, CLONE_FS | SIGCHLD, NULL) > 0);
	CHECK(wait(&status) > 0);
	CHECK(!strcmp(getcwd(cwd, sizeof cwd), "/proc"));
}

static int closes_one(void *arg)
{
	if (arg && unshare(CLONE_FILES))
		return 1;
	return close(77) ? 2 : 0;
}

static void unshare_files(void)
{
	int status;
	CHECK_EQ(dup2(0, 77), 77);
	CHECK(clone(closes_one, stack[0] + 65536, CLONE_FILES | SIGCHLD, "") > 0);
	CHECK(wait(&status) > 0);
	CHECK_EQ(status, 0);
	CHECK_EQ(fcntl(77, F_GETFD), 0);
	CHECK(clone(closes_one, stack[1] + 65536, CLONE_FILES | SIGCHLD, NULL) > 0);
	CHECK(wait(&status) > 0);
	CHECK_ERR(fcntl(77, F_GETFD), EBADF);
}

static void *unshares_vm(void *arg)
{
	errno = 0;
	return (void *)(long)(unshare(CLONE_VM) == -1 ? errno : 0);
}

static void unshare_refuses(void)
{
	pthread_t t;
	void *err;
	CHECK_ERR(unshare(1), EINVAL);
	CHECK_EQ(unshare(0), 0);
	CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
	CHECK_EQ(unshare(CLONE_THREAD), 0); /* alone */
	CHECK_EQ(pthread_create(&t, NULL, unshares_vm, NULL), 0);
	CHECK_EQ(pthread_join(t, &err), 0);
	CHECK_EQ((long)err, EINVAL);
	CHECK_ERR(setns(999, 0), EBADF);
	CHECK_ERR(setns(0, CLONE_NEWNET), EINVAL);
}

static void there_are_no_namespaces(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	CHECK_ERR(unshare(CLONE_NEWNS), EINVAL);
	CHECK_ERR(unshare(CLONE_NEWUSER), EINVAL);
}

static void a_personality_is_kept(void)
{
	CHECK_EQ(personality(0xffffffff), 0);
	CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
	CHECK_EQ(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	int status, pid = fork();
	if (!pid)
		_exit(personality(0xffffffff) == ADDR_NO_RANDOMIZE ? 0 : 1);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
	struct utsname u;
	CHECK_EQ(personality(UNAME26), ADDR_NO_RANDOMIZE);
	CHECK_EQ(uname(&u), 0);
	CHECK(!strncmp(u.release, "2.6.", 4));
	CHECK_EQ(personality(PER_LINUX32), UNAME26);
	CHECK_EQ(uname(&u), 0);
	CHECK(!strcmp(u.machine, "i686"));
	CHECK_EQ(personality(0), PER_LINUX32);
	CHECK_EQ(uname(&u), 0);
	CHECK(!strcmp(u.machine, "x86_64"));
}

static unsigned long stack_of_a_run(void)
{
	int p[2];
	CHECK_EQ(pipe(p), 0);
	int pid = fork();
	if (!pid) {
		dup2(p[1], 1);
		execl("/proc/self/exe", "process_more", "--print-stack", NULL);
		_exit(1);
	}
	close(p[1]);
	unsigned long at = 0;
	CHECK_EQ(read(p[0], &at, sizeof at), sizeof at);
	close(p[0]);
	CHECK_EQ(tap_wait(pid), 0);
	return at;
}

static void addresses_repeat_when_asked_to(void)
{
	unsigned long a = stack_of_a_run(), b = stack_of_a_run();
	CHECK(a != b);
	CHECK_EQ(personality(ADDR_NO_RANDOMIZE), 0);
	a = stack_of_a_run();
	b = stack_of_a_run();
	CHECK_EQ(a, b);
}

/* ---- scheduling attributes, memory policy ---- */

static void scheduling_attributes(void)
{
	struct sched_attr a = { .size = sizeof a };
	CHECK_EQ(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0), 0);
	CHECK_EQ(a.sched_policy, 0);
	CHECK_EQ(a.sched_nice, 0);
	CHECK(a.size >= SCHED_ATTR_SIZE_VER0);
	CHECK_ERR(syscall(SYS_sched_getattr, 0, &a, 8, 0), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getattr, 0, NULL, sizeof a, 0), EINVAL);
	CHECK_ERR(syscall(SYS_sched_getattr, 999999, &a, sizeof a, 0), ESRCH);
	a = (struct sched_attr){ .size = sizeof a, .sched_nice = 5 };
	CHECK_EQ(syscall(SYS_sched_setattr, 0, &a, 0), 0);
	CHECK_EQ(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0), 0);
	CHECK_EQ(a.sched_nice, 5);
	CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 1), EINVAL);
	a = (struct sched_attr){ .size = sizeof a, .sched_policy = 77 };
	CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
	a = (struct sched_attr){ .size = 8 };
	CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 0), E2BIG);
	CHECK(a.size >= SCHED_ATTR_SIZE_VER0);
	a = (struct sched_attr){ .size = sizeof a, .sched_priority = 1 };
	CHECK_ERR(syscall(SYS_sched_setattr, 0, &a, 0), EINVAL);
}

#define IO(class, level) IOPRIO_PRIO_VALUE(class, level)

static void io_priorities(void)
{
	CHECK_EQ(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IO(IOPRIO_CLASS_BE, 6)),
		 0);
	CHECK_EQ(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0), IO(IOPRIO_CLASS_BE, 6));
	CHECK_ERR(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IO(7, 0)), EINVAL);
	CHECK_ERR(syscall(SYS_ioprio_set, 9, 0, IO(IOPRIO_CLASS_BE, 0)), EINVAL);
	CHECK_ERR(syscall(SYS_ioprio_get, 9, 0), EINVAL);
	CHECK_ERR(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 999999), ESRCH);
	CHECK_EQ(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IO(IOPRIO_CLASS_IDLE, 0)),
		 0);
	CHECK_EQ(IOPRIO_PRIO_CLASS(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0)),
		 IOPRIO_CLASS_IDLE);
}

static void memory_policies(void)
{
	int mode = -1;
	unsigned long mask = 1, got = 0, other = 1ul << 5, here = (unsigned long)&mode;
	errno = 0;
	if (syscall(SYS_get_mempolicy, &mode, NULL, 0, 0, 0) == -1 && errno == ENOSYS)
		tap_skip("this Linux was built without NUMA");
	CHECK_EQ(mode, MPOL_DEFAULT);
	CHECK_EQ(syscall(SYS_get_mempolicy, NULL, &got, 64, 0, MPOL_F_MEMS_ALLOWED), 0);
	CHECK_EQ(got, 1);
	CHECK_EQ(syscall(SYS_get_mempolicy, &mode, NULL, 0, here,
			 MPOL_F_NODE | MPOL_F_ADDR),
		 0);
	CHECK_EQ(mode, 0);
	CHECK_ERR(
		syscall(SYS_get_mempolicy, &mode, NULL, 0, 8, MPOL_F_NODE | MPOL_F_ADDR),
		EFAULT);
	CHECK_ERR(syscall(SYS_get_mempolicy, &mode, NULL, 0, 0, 64), EINVAL);
	CHECK_EQ(syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 64), 0);
	got = 0;
	CHECK_EQ(syscall(SYS_get_mempolicy, &mode, &got, 64, 0, 0), 0);
	CHECK_EQ(mode, MPOL_BIND);
	CHECK_EQ(got, 1);
	CHECK_ERR(syscall(SYS_set_mempolicy, MPOL_BIND, &other, 64), EINVAL);
	CHECK_ERR(syscall(SYS_set_mempolicy, MPOL_BIND, NULL, 0), EINVAL);
	CHECK_ERR(syscall(SYS_set_mempolicy, 77, &mask, 64), EINVAL);
	CHECK_EQ(syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0), 0);
	char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK_EQ(syscall(SYS_mbind, page, 8192, MPOL_BIND, &mask, 64, 0), 0);
	CHECK_ERR(syscall(SYS_mbind, page + 1, 4096, MPOL_BIND, &mask, 64, 0), EINVAL);
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		CASE(memory_moves_both_ways),	 CASE(read_only_memory_stays_so),
		CASE(partial_moves_are_counted), CASE(kcmp_tells_same_from_other),
		CASE(unshare_gives_a_copy),	 CASE(unshare_files),
		CASE(unshare_refuses),		 CASE(there_are_no_namespaces),
		CASE(a_personality_is_kept),	 CASE(addresses_repeat_when_asked_to),
		CASE(scheduling_attributes),	 CASE(io_priorities),
		CASE(memory_policies),
	};
	if (argc == 2 && !strcmp(argv[1], "--print-stack")) {
		unsigned long at = (unsigned long)argv;
		return write(1, &at, sizeof at) != sizeof at;
	}
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}
