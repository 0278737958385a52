/* prctl, arch_prctl, personality, membarrier, kcmp: every option, and what it refuses. */
#include "diff.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What is not given is 0, which a library's function does not promise. */
#define prctl(...) PRCTL(__VA_ARGS__, 0, 0, 0, 0, 0)
#define PRCTL(option, arg2, arg3, arg4, arg5, ...)                                       \
	syscall(SYS_prctl, option, (long)(arg2), (long)(arg3), (long)(arg4), (long)(arg5))

/* Options up to those of Linux 6.1. */
#define LAST_OPTION 64

/* Each in a process of its own: they change it, or end it. */
static void try_option(int option, unsigned long arg2, unsigned long arg3)
{
	pid_t pid = fork();
	if (!pid) {
		errno = 0;
		long r = syscall(SYS_prctl, option, arg2, arg3, 0, 0);
		if (r < 0)
			say("option %d: %s", option, err_name(errno));
		else
			say("option %d = %ld", option, r);
		_exit(0);
	}
	int status = reap(pid);
	if (status)
		say_status("it", status);
}

/* How a CPU speculates is the machine's; a container's root may lack
 * CAP_SYS_RESOURCE. */
static bool is_left_out(int option)
{
	if (option == PR_SET_IO_FLUSHER || option == PR_GET_IO_FLUSHER)
		return !geteuid();
	return option == PR_GET_SPECULATION_CTRL || option == PR_SET_SPECULATION_CTRL;
}

static void try_all(unsigned long arg2, unsigned long arg3)
{
	for (int option = 0; option <= LAST_OPTION; option++)
		if (!is_left_out(option))
			try_option(option, arg2, arg3);
}

DIFF_CASE(prctl_every_option_of_0)
{
	try_all(0, 0);
}

DIFF_CASE(prctl_every_option_of_1)
{
	try_all(1, 0);
}

DIFF_CASE(prctl_every_option_of_minus_1)
{
	try_all(-1ul, 0);
}

DIFF_CASE(prctl_every_option_with_more)
{
	try_all(1, 1);
}

static void every_option_of_1(void)
{
	try_all(1, 0);
}

DIFF_CASE(prctl_every_option_as_nobody)
{
	as_nobody(every_option_of_1);
}

DIFF_CASE(prctl_dumpable_values)
{
	for (long v = -1; v < 5; v++)
		TRY(prctl(PR_SET_DUMPABLE, v));
	TRY(prctl(PR_GET_DUMPABLE));
	TRY(prctl(PR_GET_DUMPABLE, 1, 2, 3, 4));
	TRY(prctl(PR_SET_DUMPABLE, 0));
	TRY(prctl(PR_GET_DUMPABLE));
	TRY(prctl(PR_SET_PDEATHSIG, 65));
	TRY(prctl(PR_SET_PDEATHSIG, 64));
	TRY(prctl(PR_SET_PDEATHSIG, -1));
	TRY(prctl(PR_SET_PDEATHSIG, 0));
}

DIFF_CASE(prctl_timer_slack)
{
	TRY(prctl(PR_GET_TIMERSLACK));
	TRY(prctl(PR_SET_TIMERSLACK, 1000));
	TRY(prctl(PR_GET_TIMERSLACK));
	TRY(prctl(PR_SET_TIMERSLACK, 0));
	TRY(prctl(PR_GET_TIMERSLACK));
	TRY(prctl(PR_SET_TIMERSLACK, -1));
	TRY(prctl(PR_GET_TIMERSLACK));
	TRY(prctl(PR_SET_TIMERSLACK, 123));
	pid_t pid = fork();
	if (!pid) {
		TRY(prctl(PR_GET_TIMERSLACK));
		TRY(prctl(PR_SET_TIMERSLACK, 0));
		TRY(prctl(PR_GET_TIMERSLACK));
		_exit(0);
	}
	reap(pid);
}

DIFF_CASE(prctl_endings_and_machine_checks)
{
	int v = -1;
	TRY(prctl(PR_GET_TSC, &v));
	SHOW(v);
	TRY(prctl(PR_GET_TSC, 8));
	TRY(prctl(PR_SET_TSC, PR_TSC_ENABLE));
	TRY(prctl(PR_SET_TSC, 0));
	TRY(prctl(PR_SET_TSC, 3));
	TRY(prctl(PR_GET_ENDIAN, &v));
	TRY(prctl(PR_GET_UNALIGN, &v));
	TRY(prctl(PR_GET_FPEXC, &v));
	TRY(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	TRY(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0));
	TRY(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	TRY(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, 9, 0, 0));
	TRY(prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 1, 0));
	TRY(prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0));
	TRY(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
	TRY(prctl(PR_MCE_KILL_GET, 1, 0, 0, 0));
}

static int tsc_reader(void)
{
	unsigned lo, hi;
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV))
		return 1;
	int v = 0;
	prctl(PR_GET_TSC, &v);
	SHOW(v);
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return 0;
}

DIFF_CASE(prctl_time_stamp_counter_forbidden)
{
	say_status("reader", reap(child_of(tsc_reader)));
	pid_t pid = fork();
	if (!pid) {
		TRY(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
		_exit(reap(child_of(tsc_reader)) & 127);
	}
	say_status("its child's child", reap(pid));
	NEED(!prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
	run_helper("say_tsc", NULL);
	NEED(!prctl(PR_SET_TSC, PR_TSC_ENABLE));
	run_helper("say_tsc", NULL);
}

DIFF_HELPER(say_tsc)
{
	int v = 0;
	prctl(PR_GET_TSC, &v);
	printf("after exec: %d\n", v);
	return 0;
}

DIFF_CASE(prctl_huge_pages_not_wished)
{
	TRY(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	TRY(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	TRY(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	pid_t pid = fork();
	if (!pid) {
		TRY(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
		_exit(0);
	}
	reap(pid);
	TRY(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
	TRY(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	TRY(prctl(PR_SET_THP_DISABLE, 1, 1, 0, 0));
	TRY(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
}

DIFF_CASE(prctl_anonymous_names)
{
	char *p = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	TRY(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME + 1, p, 4096, "x"));
	TRY(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p + 1, 4096, "x"));
}

static void set_memory_map(void)
{
	TRY(prctl(PR_SET_MM, PR_SET_MM_START_CODE, 4096, 0, 0));
	TRY(prctl(PR_SET_MM, PR_SET_MM_BRK, 4096, 0, 0));
}

DIFF_CASE(prctl_memory_map_as_nobody)
{
	as_nobody(set_memory_map);
}

static void capabilities(void)
{
	for (long cap = 38; cap < 43; cap++)
		TRY(prctl(PR_CAPBSET_READ, cap));
	TRY(prctl(PR_CAPBSET_READ, -1));
	TRY(prctl(PR_CAPBSET_DROP, 1));
	TRY(prctl(PR_CAPBSET_DROP, 64));
	TRY(prctl(PR_SET_SECUREBITS, 1));
	TRY(prctl(PR_GET_SECUREBITS));
	TRY(prctl(PR_SET_KEEPCAPS, 2));
	TRY(prctl(PR_SET_KEEPCAPS, 1));
	TRY(prctl(PR_GET_KEEPCAPS));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 1, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 1, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 64, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, 1, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, 9, 1, 0, 0));
}

DIFF_CASE(prctl_capabilities)
{
	capabilities();
	as_nobody(capabilities);
}

DIFF_CASE(prctl_speculation_corners)
{
	TRY(prctl(PR_GET_SPECULATION_CTRL, 99, 0, 0, 0));
	TRY(prctl(PR_GET_SPECULATION_CTRL, 0, 1, 0, 0));
	TRY(prctl(PR_SET_SPECULATION_CTRL, 99, PR_SPEC_ENABLE, 0, 0));
	TRY(prctl(PR_SET_SPECULATION_CTRL, 0, PR_SPEC_ENABLE, 1, 0));
}

/* -- arch_prctl --------------------------------------------------------------------- */

DIFF_CASE(arch_prctl_addresses)
{
	unsigned long v = 1, gs = 0;
	TRY(syscall(SYS_arch_prctl, ARCH_GET_GS, &v));
	SHOW(v);
	TRY(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x1234567));
	TRY(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
	SHOW(gs);
	TRY(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x7ffffffff000));
	TRY(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x7fffffffefff));
	TRY(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x800000000000));
	TRY(syscall(SYS_arch_prctl, ARCH_SET_FS, -1ul));
	TRY(syscall(SYS_arch_prctl, ARCH_GET_GS, 8));
	TRY(syscall(SYS_arch_prctl, 0, 0));
	TRY(syscall(SYS_arch_prctl, 0x1000, 0));
	TRY(syscall(SYS_arch_prctl, 0x1005, 0));
	SHOW(syscall(SYS_arch_prctl, ARCH_GET_CPUID, 0));
	TRY(syscall(SYS_arch_prctl, -1, 0));
}

/* -- personality -------------------------------------------------------------------- */

DIFF_CASE(personality_values)
{
	TRY(personality(0xffffffff));
	TRY(personality(ADDR_NO_RANDOMIZE));
	TRY(personality(0xffffffff));
	pid_t pid = fork();
	if (!pid) {
		TRY(personality(0xffffffff));
		_exit(0);
	}
	reap(pid);
	TRY(personality(PER_LINUX));
	TRY(personality(0xffffffff));
	TRY(syscall(SYS_personality, 0xff00000000000000ul));
	TRY(personality(0xffffffff));
	run_helper("say_persona", NULL);
	NEED(!personality(ADDR_NO_RANDOMIZE));
	run_helper("say_persona", NULL);
}

DIFF_HELPER(say_persona)
{
	printf("0x%x\n", (unsigned)personality(0xffffffff));
	return 0;
}

/* -- membarrier --------------------------------------------------------------------- */

/* Without rseq(2). */
#define COMMANDS                                                                         \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                       \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |   \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                                     \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |                                    \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)

static long membarrier(int cmd, unsigned flags, int cpu)
{
	return syscall(SYS_membarrier, cmd, flags, cpu);
}

DIFF_CASE(membarrier_every_command)
{
	say("query 0x%lx", membarrier(MEMBARRIER_CMD_QUERY, 0, 0) & COMMANDS);
	for (int bit = 0; bit < 7; bit++)
		TRY(membarrier(1 << bit, 0, 0));
	say("again");
	for (int bit = 0; bit < 7; bit++)
		TRY(membarrier(1 << bit, 0, 0));
	TRY(membarrier(3, 0, 0));
	TRY(membarrier(-1, 0, 0));
	TRY(membarrier(1 << 10, 0, 0));
}

DIFF_CASE(membarrier_registration_in_fork_and_exec)
{
	TRY(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	TRY(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
	pid_t pid = fork();
	if (!pid) {
		TRY(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
		TRY(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
		_exit(0);
	}
	reap(pid);
	run_helper("barrier_after_exec", NULL);
}

DIFF_HELPER(barrier_after_exec)
{
	printf("%ld ", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	printf("%ld\n", membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0));
	return 0;
}

DIFF_CASE(membarrier_flags)
{
	for (int bit = 0; bit < 7; bit++)
		TRY(membarrier(1 << bit, MEMBARRIER_CMD_FLAG_CPU, 0));
	TRY(membarrier(MEMBARRIER_CMD_QUERY, MEMBARRIER_CMD_FLAG_CPU, 0));
}

/* -- kcmp --------------------------------------------------------------------------- */

static long kcmp(pid_t a, pid_t b, int type, unsigned long x, unsigned long y)
{
	return syscall(SYS_kcmp, a, b, type, x, y);
}

DIFF_CASE(kcmp_types)
{
	pid_t me = getpid(), pid = child_of(sleeper);
	int fd = dup(0), other = open("/dev/null", O_RDWR);
	TRY(kcmp(me, me, KCMP_FILE, 0, (unsigned long)fd));
	SHOW(kcmp(me, me, KCMP_FILE, 0, (unsigned long)other) > 0);
	SHOW(kcmp(me, me, KCMP_FILE, 0, (unsigned long)other) +
	     kcmp(me, me, KCMP_FILE, (unsigned long)other, 0));
	TRY(kcmp(me, pid, KCMP_FILE, 0, 0));
	TRY(kcmp(me, me, KCMP_FILE, 0, 99));
	TRY(kcmp(me, me, KCMP_FILE, 0, -1ul));
	for (int type = KCMP_VM; type <= KCMP_SYSVSEM; type++) {
		TRY(kcmp(me, me, type, 0, 0));
		SHOW(kcmp(me, pid, type, 0, 0) > 0);
	}
	TRY(kcmp(me, me, KCMP_EPOLL_TFD, 0, 0));
	TRY(kcmp(me, me, 99, 0, 0));
	TRY(kcmp(me, me, -1, 0, 0));
	TRY(kcmp(me, 99999, KCMP_VM, 0, 0));
	TRY(kcmp(0, me, KCMP_VM, 0, 0));
	TRY(kcmp(-1, me, KCMP_VM, 0, 0));
	kill(pid, SIGKILL);
	wait_state(pid, 'Z');
	TRY(kcmp(me, pid, KCMP_FILE, 0, 0));
	SHOW(kcmp(me, pid, KCMP_VM, 0, 0) > 0);
}

DIFF_CASE(kcmp_epoll_targets)
{
	pid_t me = getpid();
	int ep = epoll_create1(0), p[2];
	struct epoll_event ev = { .events = EPOLLIN };
	NEED(!pipe(p) && !epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
	struct kcmp_epoll_slot slot = { (uint32_t)ep, (uint32_t)p[0], 0 };
	unsigned long at = (unsigned long)&slot;
	TRY(kcmp(me, me, KCMP_EPOLL_TFD, (unsigned long)p[0], at));
	SHOW(kcmp(me, me, KCMP_EPOLL_TFD, (unsigned long)p[1], at) > 0);
	TRY(kcmp(me, me, KCMP_EPOLL_TFD, 99, at));
	slot.toff = 1;
	TRY(kcmp(me, me, KCMP_EPOLL_TFD, (unsigned long)p[0], at));
	slot.toff = 0, slot.tfd = 77;
	TRY(kcmp(me, me, KCMP_EPOLL_TFD, (unsigned long)p[0], at));
	slot.efd = 88;
	TRY(kcmp(me, me, KCMP_EPOLL_TFD, (unsigned long)p[0], at));
	slot.efd = 0;
	TRY(kcmp(me, me, KCMP_EPOLL_TFD, (unsigned long)p[0], at));
	/* A number that stands for another file now. */
	int kept = dup(p[0]);
	slot.efd = (uint32_t)ep, slot.tfd = (uint32_t)p[0];
	NEED(dup2(0, p[0]) == p[0]);
	TRY(kcmp(me, me, KCMP_EPOLL_TFD, (unsigned long)kept, at));
}

static void kcmp_others(void)
{
	TRY(kcmp(getpid(), getppid(), KCMP_VM, 0, 0));
	TRY(kcmp(getpid(), 1, KCMP_VM, 0, 0));
	TRY(kcmp(getpid(), getpid(), KCMP_VM, 0, 0));
}

DIFF_CASE(kcmp_as_nobody)
{
	as_nobody(kcmp_others);
}
