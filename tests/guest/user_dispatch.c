/* Calls that a program keeps for itself: PR_SET_SYSCALL_USER_DISPATCH. */
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <linux/audit.h>

#include "common/tap.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif
#define OFF 0
#define ON 1
#define ALLOW 0
#define BLOCK 1
#define ODD_NUMBER 0x12345678

/* Two places that call: `inside` will be the range whose calls pass. */
long call_inside(long nr, long a, long b, long c, long d, long e);
long call_outside(long nr, long a, long b, long c, long d, long e);
extern char inside_start[], inside_end[], outside_after[];

#define CALLER(name, after)                                                              \
#name ":\n"                                                                      \
	      "mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n mov %rcx, %rdx\n"      \
	      "mov %r8, %r10\n mov %r9, %r8\n syscall\n" after "ret\n"

__asm__(".text\n.global call_inside, call_outside\n"
	"inside_start:\n" CALLER(call_inside,
				 "") "inside_end:\n" CALLER(call_outside,
							    "outside_after:\n"));

static volatile char selector;
static siginfo_t seen;
static long seen_rax;
static volatile int caught;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	selector = ALLOW;
	caught++;
	seen = *info;
	seen_rax = uc->uc_mcontext.gregs[REG_RAX];
	uc->uc_mcontext.gregs[REG_RAX] = 77;
}

static void catch_it(void)
{
	struct sigaction action = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	CHECK_EQ(sigaction(SIGSYS, &action, NULL), 0);
}

static int dispatch(int mode, const void *start, size_t size, volatile char *at)
{
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, mode, start, size, at);
}

static size_t inside_size(void)
{
	return (size_t)(inside_end - inside_start);
}

/* A call while the selector says so. */
static long call_with(char state, long nr)
{
	selector = state;
	long r = call_outside(nr, 0, 0, 0, 0, 0);
	selector = ALLOW;
	return r;
}

static void the_selector_decides(void)
{
	catch_it();
	CHECK_EQ(dispatch(ON, NULL, 0, &selector), 0);
	CHECK_EQ(call_with(ALLOW, SYS_getpid), getpid());
	CHECK_EQ(caught, 0);
	CHECK_EQ(call_with(BLOCK, SYS_getpid), 77);
	CHECK_EQ(caught, 1);
	CHECK_EQ(seen.si_signo, SIGSYS);
	CHECK_EQ(seen.si_code, SYS_USER_DISPATCH);
	CHECK_EQ(seen.si_errno, 0);
	CHECK(seen.si_call_addr == outside_after);
	CHECK_EQ(seen.si_syscall, SYS_getpid);
	CHECK_EQ(seen.si_arch, AUDIT_ARCH_X86_64);
	CHECK_EQ(seen_rax, SYS_getpid);
	/* Any number: they are not Linux's. */
	CHECK_EQ(call_with(BLOCK, ODD_NUMBER), 77);
	CHECK_EQ(seen.si_syscall, ODD_NUMBER);
	CHECK_EQ(call_with(BLOCK, -1), 77);
	CHECK_EQ(seen.si_syscall, -1);
	CHECK_EQ(caught, 3);
	CHECK_EQ(call_with(ALLOW, ODD_NUMBER), -ENOSYS);
	CHECK_EQ(dispatch(OFF, NULL, 0, NULL), 0);
	CHECK_EQ(call_with(BLOCK, SYS_getpid), getpid());
}

static void a_range_may_always_call(void)
{
	catch_it();
	CHECK_EQ(dispatch(ON, inside_start, inside_size(), &selector), 0);
	selector = BLOCK;
	long in = call_inside(SYS_getppid, 0, 0, 0, 0, 0);
	int before = caught;
	long out = call_outside(SYS_getppid, 0, 0, 0, 0, 0);
	selector = ALLOW;
	CHECK(in == getppid() && before == 0 && out == 77 && caught == 1);
	/* What counts is where the call returns to: here the last byte, a `ret`. */
	CHECK_EQ(dispatch(ON, inside_start, inside_size() - 1, &selector), 0);
	selector = BLOCK;
	in = call_inside(SYS_getppid, 0, 0, 0, 0, 0);
	selector = ALLOW;
	CHECK_EQ(in, 77);
}

static void without_a_selector_all_are_blocked(void)
{
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSYS, SIG_DFL);
		dispatch(ON, inside_start, inside_size(), NULL);
		if (call_inside(SYS_getpid, 0, 0, 0, 0, 0) <= 0)
			call_inside(SYS_exit_group, 1, 0, 0, 0, 0);
		/* Off again, and the next passes. */
		call_inside(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, OFF, 0, 0, 0);
		getpid();
		dispatch(ON, NULL, 0, NULL);
		getpid();
		_exit(1);
	}
	int status = tap_wait(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void errors(void)
{
	char *limit = (char *)(1ul << 63);

	CHECK_ERR(dispatch(3, NULL, 0, NULL), EINVAL);
	CHECK_ERR(dispatch(-1, NULL, 0, NULL), EINVAL);
	CHECK_ERR(dispatch(OFF, inside_start, 0, NULL), EINVAL);
	CHECK_ERR(dispatch(OFF, NULL, 1, NULL), EINVAL);
	CHECK_ERR(dispatch(OFF, NULL, 0, &selector), EINVAL);
	CHECK_ERR(dispatch(ON, inside_start, 0, &selector), EINVAL);
	CHECK_ERR(dispatch(ON, inside_start, -1ul, &selector), EINVAL);
	CHECK_ERR(dispatch(ON, NULL, 0, limit), EFAULT);
	CHECK_ERR(dispatch(ON, NULL, 0, (char *)-1l), EFAULT);
	CHECK_ERR(dispatch(ON, inside_start, 0, limit), EINVAL);
	/* None of them took. */
	selector = BLOCK;
	CHECK_EQ(call_outside(SYS_getpid, 0, 0, 0, 0, 0), getpid());
	selector = ALLOW;
	CHECK_EQ(dispatch(ON, NULL, -1ul, &selector), 0);
}

/* The end of a child that makes a call with that selector, whatever it catches. */
static int end_with(volatile char *at, char state)
{
	pid_t pid = fork();

	if (!pid) {
		catch_it();
		signal(SIGSEGV, SIG_IGN);
		if (state)
			*at = state;
		dispatch(ON, NULL, 0, at);
		call_outside(SYS_getpid, 0, 0, 0, 0, 0);
		_exit(0);
	}
	return tap_wait(pid);
}

static void a_bad_selector_is_fatal(void)
{
	char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_EQ(WTERMSIG(end_with(&selector, 2)), SIGSYS);
	CHECK_EQ(WTERMSIG(end_with(&selector, -1)), SIGSYS);
	CHECK_EQ(WTERMSIG(end_with(page, 0)), SIGSEGV);
	CHECK_EQ(mprotect(page, 4096, PROT_READ), 0);
	CHECK_EQ(end_with(page, 0), 0); /* the twin: zero allows */
	CHECK_EQ(munmap(page, 4096), 0);
	CHECK_EQ(WTERMSIG(end_with(page, 0)), SIGSEGV);
}

static void a_blocked_signal_kills(void)
{
	pid_t pid = fork();

	if (!pid) {
		sigset_t set;
		catch_it();
		sigemptyset(&set);
		sigaddset(&set, SIGSYS);
		sigprocmask(SIG_BLOCK, &set, NULL);
		dispatch(ON, NULL, 0, &selector);
		selector = BLOCK;
		call_outside(SYS_getpid, 0, 0, 0, 0, 0);
		selector = ALLOW;
		_exit(0);
	}
	int status = tap_wait(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void *blocked_call(void *arg)
{
	return (void *)call_outside(SYS_getpid, 0, 0, 0, 0, 0);
}

/* It is the thread's: children and other threads have it not. */
static void is_not_inherited(void)
{
	pthread_t thread;
	void *result;

	catch_it();
	CHECK_EQ(dispatch(ON, inside_start, inside_size(), &selector), 0);
	selector = BLOCK;
	pid_t pid = (pid_t)call_inside(SYS_fork, 0, 0, 0, 0, 0);
	if (!pid)
		_exit(call_outside(SYS_getpid, 0, 0, 0, 0, 0) == 77);
	selector = ALLOW;
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(pthread_create(&thread, NULL, blocked_call, NULL), 0);
	CHECK_EQ(pthread_join(thread, &result), 0);
	selector = BLOCK;
	CHECK_EQ((long)blocked_call(NULL), 77);
	CHECK((long)result == getpid());
}

static void execve_ends_it(void)
{
	char *argv[] = { "self", "--calls", NULL }, *envp[] = { NULL };
	pid_t pid = fork();

	if (!pid) {
		dispatch(ON, inside_start, inside_size(), NULL);
		call_inside(SYS_execve, (long)"/proc/self/exe", (long)argv, (long)envp, 0,
			    0);
		call_inside(SYS_exit_group, 1, 0, 0, 0, 0);
	}
	CHECK_EQ(WEXITSTATUS(tap_wait(pid)), 7);
}

static int next_stop(pid_t pid)
{
	int status;

	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WIFSTOPPED(status) ? WSTOPSIG(status) : -status;
}

/* A tracer hears of the signal, not of a call. */
static void tracers_see_no_call(void)
{
	pid_t pid = fork();

	if (!pid) {
		catch_it();
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		dispatch(ON, inside_start, inside_size(), &selector);
		selector = BLOCK;
		call_inside(SYS_kill, call_inside(SYS_getpid, 0, 0, 0, 0, 0), SIGSTOP, 0,
			    0, 0);
		call_outside(ODD_NUMBER, 0, 0, 0, 0, 0);
		call_inside(SYS_exit_group, caught == 1 ? 5 : 1, 0, 0, 0, 0);
	}
	CHECK_EQ(next_stop(pid), SIGSTOP);
	CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, 0), 0);
	CHECK_EQ(next_stop(pid), SIGSYS);
	CHECK_EQ(ptrace(PTRACE_SYSCALL, pid, 0, SIGSYS), 0);
	CHECK_EQ(next_stop(pid), SIGTRAP | 0x80); /* rt_sigreturn */
	CHECK_EQ(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_EQ(next_stop(pid), -(5 << 8));
}

static const struct tap_case cases[] = {
	CASE(the_selector_decides),
	CASE(a_range_may_always_call),
	CASE(without_a_selector_all_are_blocked),
	CASE(errors),
	CASE(a_bad_selector_is_fatal),
	CASE(a_blocked_signal_kills),
	CASE(is_not_inherited),
	CASE(execve_ends_it),
	CASE(tracers_see_no_call),
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--calls"))
		return getpid() > 0 ? 7 : 1;
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}
