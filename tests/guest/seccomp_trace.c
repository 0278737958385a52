/* Filters and ptrace(2): calls that a tracer decides about, filters that it reads. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/filter.h"
#include "common/tap.h"
#include "common/trace.h"

#define ASKED 500
#define EVENT_STOP (SIGTRAP << 8 | PTRACE_EVENT_SECCOMP << 16 | 0x7f)
#define TRACE_ASKED (SECCOMP_RET_TRACE | 0x123)

/* A tracee, stopped, that runs fn when it goes on. */
static pid_t seized(int (*fn)(void), unsigned long options)
{
	pid_t pid = fork();

	if (!pid) {
		raise(SIGSTOP);
		_exit(fn());
	}
	int status;
	CHECK_EQ(pt(PTRACE_SEIZE, pid, 0, options | PTRACE_O_EXITKILL), 0);
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	CHECK_EQ(kill(pid, SIGCONT), 0);
	/* group stop, SIGCONT's notice, SIGCONT itself */
	while (WIFSTOPPED(status) && WSTOPSIG(status) != SIGCONT) {
		CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
		CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	}
	return pid;
}

static int go_on(long request, pid_t pid, int sig)
{
	int status;

	CHECK_EQ(pt(request, pid, 0, (unsigned long)sig), 0);
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	return status;
}

static void set_regs(pid_t pid, const struct user_regs_struct *r)
{
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)r), 0);
}

static int asks_tracer(void)
{
	no_new_privs();
	if (filter_call(0, ASKED, TRACE_ASKED))
		return 100;
	errno = 0;
	long r = syscall(ASKED, 1, 2, 3, 4, 5, 6);
	return r == -1 ? errno : (int)r;
}

/* ---- the event ---- */

static void the_tracer_is_told(void)
{
	pid_t pid = seized(asks_tracer, PTRACE_O_TRACESECCOMP);
	struct ptrace_syscall_info info;
	unsigned long message;

	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), EVENT_STOP);
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message), 0);
	CHECK_EQ(message, 0x123);
	struct user_regs_struct r = regs_of(pid);
	CHECK_EQ(r.orig_rax, ASKED);
	CHECK_EQ(r.rax, -ENOSYS);
	CHECK_EQ(r.rdi, 1);
	CHECK_EQ(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (unsigned long)&info),
		 offsetof(struct ptrace_syscall_info, seccomp.ret_data) + 4);
	CHECK_EQ(info.op, PTRACE_SYSCALL_INFO_SECCOMP);
	CHECK_EQ(info.arch, AUDIT_ARCH_X86_64);
	CHECK_EQ(info.seccomp.nr, ASKED);
	CHECK_EQ(info.seccomp.args[5], 6);
	CHECK_EQ(info.seccomp.ret_data, 0x123);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), ENOSYS << 8);
}

static void without_a_tracer_there_is_no_such_call(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(asks_tracer());
	CHECK_EQ(tap_wait(pid), ENOSYS << 8);
	/* nor with one that does not want to know */
	pid = seized(asks_tracer, 0);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), ENOSYS << 8);
}

static void the_call_can_be_skipped(void)
{
	pid_t pid = seized(asks_tracer, PTRACE_O_TRACESECCOMP);

	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), EVENT_STOP);
	struct user_regs_struct r = regs_of(pid);
	r.orig_rax = -1ull;
	r.rax = 77;
	set_regs(pid, &r);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), 77 << 8);
}

static void the_call_can_be_another(void)
{
	pid_t pid = seized(asks_tracer, PTRACE_O_TRACESECCOMP);

	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), EVENT_STOP);
	struct user_regs_struct r = regs_of(pid);
	r.orig_rax = SYS_exit_group;
	r.rdi = 44;
	set_regs(pid, &r);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), 44 << 8);
}

static int asks_tracer_but_kills(void)
{
	no_new_privs();
	if (filter_call(0, SYS_getpgrp, SECCOMP_RET_ERRNO | 66))
		return 100;
	return asks_tracer();
}

static void what_the_tracer_makes_of_it_is_checked_again(void)
{
	pid_t pid = seized(asks_tracer_but_kills, PTRACE_O_TRACESECCOMP);

	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), EVENT_STOP);
	struct user_regs_struct r = regs_of(pid);
	r.orig_rax = SYS_getpgrp;
	set_regs(pid, &r);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), 66 << 8);
}

/* A second answer of TRACE lets it pass: no endless questions. */
static void the_tracer_is_asked_once(void)
{
	pid_t pid = seized(asks_tracer, PTRACE_O_TRACESECCOMP);

	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), EVENT_STOP);
	struct user_regs_struct r = regs_of(pid);
	r.rdi = 9;
	set_regs(pid, &r);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), ENOSYS << 8);
}

/* ---- the order ---- */

static void stops_come_in_order(void)
{
	pid_t pid = seized(asks_tracer, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD);
	const int call_stop = (SIGTRAP | 0x80) << 8 | 0x7f;
	int status;

	/* to the entry of the call */
	do
		status = go_on(PTRACE_SYSCALL, pid, 0);
	while (status == call_stop && regs_of(pid).orig_rax != ASKED);
	CHECK_EQ(status, call_stop);
	CHECK_EQ(go_on(PTRACE_SYSCALL, pid, 0), EVENT_STOP);
	CHECK_EQ(go_on(PTRACE_SYSCALL, pid, 0), call_stop);
	CHECK_EQ(regs_of(pid).rax, -ENOSYS);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), ENOSYS << 8);
}

static void filters_see_what_the_entry_stop_left(void)
{
	pid_t pid = seized(asks_tracer_but_kills,
			   PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD);
	const int call_stop = (SIGTRAP | 0x80) << 8 | 0x7f;
	int status;

	do
		status = go_on(PTRACE_SYSCALL, pid, 0);
	while (status == call_stop && regs_of(pid).orig_rax != ASKED);
	CHECK_EQ(status, call_stop);
	struct user_regs_struct r = regs_of(pid);
	r.orig_rax = SYS_getpgrp;
	set_regs(pid, &r);
	/* no event: that number gets an error */
	CHECK_EQ(go_on(PTRACE_SYSCALL, pid, 0), call_stop);
	CHECK_EQ(regs_of(pid).rax, -66);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), 66 << 8);
}

/* ---- death ---- */

static int is_killed(void)
{
	no_new_privs();
	filter_call(0, ASKED, SECCOMP_RET_KILL_PROCESS);
	syscall(ASKED);
	return 0;
}

static void a_kill_is_not_for_the_tracer_to_stop(void)
{
	pid_t pid = seized(is_killed, PTRACE_O_TRACESECCOMP);

	CHECK_EQ(go_on(PTRACE_CONT, pid, 0) & 0x7f, SIGSYS);
}

static int is_trapped(void)
{
	no_new_privs();
	filter_call(0, ASKED, SECCOMP_RET_TRAP | 5);
	syscall(ASKED);
	return 12;
}

static void a_trap_is(void)
{
	pid_t pid = seized(is_trapped, PTRACE_O_TRACESECCOMP);
	siginfo_t info;

	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), SIGSYS << 8 | 0x7f);
	CHECK_EQ(pt(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info), 0);
	CHECK_EQ(info.si_errno, 5);
	CHECK_EQ(info.si_syscall, ASKED);
	CHECK_EQ(regs_of(pid).rax, ASKED);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), 12 << 8);
}

/* ---- reading filters ---- */

static int has_two(void)
{
	no_new_privs();
	FILTER(SECCOMP_FILTER_FLAG_LOG, LOAD(nr), ALLOW);
	FILTER(0, ALLOW);
	raise(SIGSTOP);
	return 0;
}

static void filters_can_be_read(void)
{
	struct sock_filter f[8];
	struct seccomp_metadata m = { 0 };

	tap_needs_root();
	pid_t pid = seized(has_two, 0);
	CHECK_ERR(pt(PTRACE_SECCOMP_GET_FILTER, pid, 0, 0), EINVAL);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), SIGSTOP << 8 | 0x7f);
	CHECK_EQ(pt(PTRACE_SECCOMP_GET_FILTER, pid, 0, 0), 2);
	CHECK_EQ(pt(PTRACE_SECCOMP_GET_FILTER, pid, 0, (unsigned long)f), 2);
	CHECK_EQ(f[0].code, BPF_LD | BPF_W | BPF_ABS);
	CHECK_EQ(f[1].k, SECCOMP_RET_ALLOW);
	CHECK_EQ(pt(PTRACE_SECCOMP_GET_FILTER, pid, 1, (unsigned long)f), 1);
	CHECK_EQ(f[0].k, SECCOMP_RET_ALLOW);
	CHECK_ERR(pt(PTRACE_SECCOMP_GET_FILTER, pid, 2, 0), ENOENT);
	CHECK_ERR(pt(PTRACE_SECCOMP_GET_FILTER, pid, 0, 8), EFAULT);
	CHECK_EQ(pt(PTRACE_SECCOMP_GET_METADATA, pid, sizeof m, (unsigned long)&m),
		 sizeof m);
	CHECK_EQ(m.flags, SECCOMP_FILTER_FLAG_LOG);
	m.filter_off = 1;
	CHECK_EQ(pt(PTRACE_SECCOMP_GET_METADATA, pid, sizeof m, (unsigned long)&m),
		 sizeof m);
	CHECK_EQ(m.flags, 0);
	CHECK_EQ(pt(PTRACE_SECCOMP_GET_METADATA, pid, 8, (unsigned long)&m), 8);
	CHECK_ERR(pt(PTRACE_SECCOMP_GET_METADATA, pid, 7, (unsigned long)&m), EINVAL);
	m.filter_off = 2;
	CHECK_ERR(pt(PTRACE_SECCOMP_GET_METADATA, pid, 16, (unsigned long)&m), ENOENT);
	/* by whom is under none itself */
	no_new_privs();
	CHECK_EQ(FILTER(0, ALLOW), 0);
	CHECK_ERR(pt(PTRACE_SECCOMP_GET_FILTER, pid, 0, 0), EACCES);
	CHECK_ERR(pt(PTRACE_SECCOMP_GET_METADATA, pid, 16, (unsigned long)&m), EACCES);
}

static void filters_are_read_by_the_privileged(void)
{
	tap_needs_root();
	CHECK_EQ(syscall(SYS_setresuid, 1000, 1000, 1000), 0);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
	pid_t pid = seized(has_two, 0);
	CHECK_EQ(go_on(PTRACE_CONT, pid, 0), SIGSTOP << 8 | 0x7f);
	CHECK_ERR(pt(PTRACE_SECCOMP_GET_FILTER, pid, 0, 0), EACCES);
	CHECK_EQ(kill(pid, SIGKILL), 0);
}

TEST_MAIN(CASE(the_tracer_is_told), CASE(without_a_tracer_there_is_no_such_call),
	  CASE(the_call_can_be_skipped), CASE(the_call_can_be_another),
	  CASE(what_the_tracer_makes_of_it_is_checked_again),
	  CASE(the_tracer_is_asked_once), CASE(stops_come_in_order),
	  CASE(filters_see_what_the_entry_stop_left),
	  CASE(a_kill_is_not_for_the_tracer_to_stop), CASE(a_trap_is),
	  CASE(filters_can_be_read), CASE(filters_are_read_by_the_privileged))
