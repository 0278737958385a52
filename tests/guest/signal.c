/* libc: musl glibc */
/* signal(7): delivery, masks, queues, stacks, restarts, frames. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "common/tap.h"

static volatile sig_atomic_t count, last;
static siginfo_t info;
static int order[16], n_order;

static void on_signal(int sig)
{
	count++;
	last = sig;
}

static void on_info(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	count++;
	last = sig;
	info = *si;
	if (n_order < 16)
		order[n_order++] = si->si_value.sival_int;
}

static void handle(int sig, int flags)
{
	struct sigaction sa = { .sa_flags = flags };
	if (flags & SA_SIGINFO)
		sa.sa_sigaction = on_info;
	else
		sa.sa_handler = on_signal;
	CHECK(!sigaction(sig, &sa, NULL));
}

static void block(int sig, int how)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, sig);
	CHECK(!sigprocmask(how, &s, NULL));
}

static void handler_runs(void)
{
	handle(SIGUSR1, 0);
	CHECK(!kill(getpid(), SIGUSR1));
	CHECK_EQ(count, 1);
	CHECK_ERR(kill(getpid(), 65), EINVAL);
	CHECK_ERR(kill(999999, 0), ESRCH);
	CHECK(!kill(getpid(), 0));
}

static void siginfo_of_kill(void)
{
	handle(SIGUSR1, SA_SIGINFO);
	kill(getpid(), SIGUSR1);
	CHECK(info.si_code == SI_USER && info.si_pid == getpid());
	CHECK_EQ(info.si_uid, getuid());
	union sigval v = { .sival_int = 77 };
	CHECK(!sigqueue(getpid(), SIGUSR1, v));
	CHECK(info.si_code == SI_QUEUE && info.si_value.sival_int == 77);
	CHECK(!raise(SIGUSR1));
	CHECK_EQ(info.si_code, SI_TKILL);
}

static void blocked_signals_wait(void)
{
	sigset_t pending;
	handle(SIGUSR1, 0);
	block(SIGUSR1, SIG_BLOCK);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(count, 0);
	CHECK(!sigpending(&pending) && sigismember(&pending, SIGUSR1));
	block(SIGUSR1, SIG_UNBLOCK);
	CHECK_EQ(count, 1); /* standard signals do not queue */
}

static void real_time_signals_queue_in_order(void)
{
	handle(SIGRTMIN, SA_SIGINFO);
	handle(SIGRTMIN + 1, SA_SIGINFO);
	block(SIGRTMIN, SIG_BLOCK);
	block(SIGRTMIN + 1, SIG_BLOCK);
	for (int i = 0; i < 3; i++) {
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 10 + i });
		sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = i });
	}
	block(SIGRTMIN, SIG_UNBLOCK);
	block(SIGRTMIN + 1, SIG_UNBLOCK);
	static const int want[] = { 0, 1, 2, 10, 11, 12 };
	CHECK_EQ(count, 6);
	CHECK(!memcmp(order, want, sizeof want));
}

static void kill_and_stop_cannot_be_caught(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	CHECK_ERR(sigaction(SIGKILL, &sa, NULL), EINVAL);
	CHECK_ERR(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	sigset_t all, now;
	sigfillset(&all);
	CHECK(!sigprocmask(SIG_SETMASK, &all, NULL));
	CHECK(!sigprocmask(SIG_SETMASK, NULL, &now));
	CHECK(!sigismember(&now, SIGKILL) && !sigismember(&now, SIGSTOP));
}

static void resethand_resets(void)
{
	struct sigaction sa;
	handle(SIGUSR1, SA_RESETHAND);
	raise(SIGUSR1);
	CHECK_EQ(count, 1);
	CHECK(!sigaction(SIGUSR1, NULL, &sa));
	CHECK(sa.sa_handler == SIG_DFL);
}

static volatile int nested;
static void on_nested(int sig)
{
	static volatile int depth;
	if (++depth > nested)
		nested = depth;
	if (count++ == 0)
		raise(sig);
	depth--;
}

static void own_signal_is_blocked_in_its_handler(void)
{
	struct sigaction sa = { .sa_handler = on_nested };
	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	raise(SIGUSR1);
	CHECK(count == 2 && nested == 1);
	count = nested = 0;
	sa.sa_flags = SA_NODEFER;
	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	raise(SIGUSR1);
	CHECK(count == 2 && nested == 2);
}

static char alt[65536];
static volatile uintptr_t handler_sp;
static void on_alt(int sig)
{
	char here;
	(void)sig;
	handler_sp = (uintptr_t)&here;
}

static void alternate_stack(void)
{
	stack_t ss = { .ss_sp = alt, .ss_size = sizeof alt }, old;
	struct sigaction sa = { .sa_handler = on_alt, .sa_flags = SA_ONSTACK };
	CHECK(!sigaltstack(&ss, NULL));
	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	raise(SIGUSR1);
	CHECK(handler_sp > (uintptr_t)alt && handler_sp < (uintptr_t)alt + sizeof alt);
	CHECK(!sigaltstack(NULL, &old));
	CHECK(old.ss_sp == alt && old.ss_flags == 0);
	ss.ss_flags = 0x1234;
	CHECK_ERR(sigaltstack(&ss, NULL), EINVAL);
	ss.ss_flags = 0;
	ss.ss_size = 100;
	CHECK_ERR(sigaltstack(&ss, NULL), ENOMEM);
}

static void stack_overflow_on_alternate_stack(void)
{
	pid_t pid = fork();
	if (!pid) {
		stack_t ss = { .ss_sp = alt, .ss_size = sizeof alt };
		struct sigaction sa = { .sa_handler = _exit, .sa_flags = SA_ONSTACK };
		sigaltstack(&ss, NULL);
		sigaction(SIGSEGV, &sa, NULL);
		__asm__ volatile("1: push %%rax; jmp 1b" ::: "memory");
	}
	CHECK_EQ(tap_wait(pid), SIGSEGV << 8);
}

static volatile int got_code;
static volatile uintptr_t got_addr;
static char *fix;
static void on_fix(int sig, siginfo_t *si, void *ctx)
{
	(void)sig;
	(void)ctx;
	got_code = si->si_code;
	got_addr = (uintptr_t)si->si_addr;
	mprotect(fix, 4096, PROT_READ | PROT_WRITE);
}

static void fault_is_repaired_and_retried(void)
{
	struct sigaction sa = { .sa_sigaction = on_fix, .sa_flags = SA_SIGINFO };
	fix = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(!sigaction(SIGSEGV, &sa, NULL));
	*(volatile char *)(fix + 5) = 7;
	CHECK_EQ(fix[5], 7);
	CHECK_EQ(got_code, SEGV_ACCERR);
	CHECK(got_addr == (uintptr_t)fix + 5);
}

static void on_skip(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	last = sig;
	got_code = si->si_code;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static void exceptions_become_signals(void)
{
	struct sigaction sa = { .sa_sigaction = on_skip, .sa_flags = SA_SIGINFO };
	CHECK(!sigaction(SIGILL, &sa, NULL) && !sigaction(SIGFPE, &sa, NULL));
	__asm__ volatile("ud2");
	CHECK(last == SIGILL);
	int zero = 0;
	__asm__ volatile("xor %%edx, %%edx; idivl %0" ::"r"(zero) : "eax", "edx");
	CHECK(last == SIGFPE && got_code == FPE_INTDIV);
	handle(SIGTRAP, 0);
	__asm__ volatile("int3");
	CHECK(last == SIGTRAP);
}

static void vector_state_survives_a_handler(void)
{
	double before = 3.25, after = 0;
	handle(SIGUSR1, 0);
	__asm__ volatile("movsd %0, %%xmm7" ::"m"(before) : "xmm7");
	syscall(SYS_kill, getpid(), SIGUSR1);
	__asm__ volatile("movsd %%xmm7, %0" : "=m"(after));
	CHECK(before == after);
	CHECK_EQ(count, 1);
}

static void slow_calls_are_interrupted(void)
{
	int p[2];
	char c;
	struct itimerval it = { .it_value = { 0, 30000 } };
	CHECK(!pipe(p));
	handle(SIGALRM, 0);
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	CHECK_ERR(read(p[0], &c, 1), EINTR);
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	CHECK_ERR(poll(NULL, 0, 10000), EINTR);
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	CHECK_ERR(pause(), EINTR);
	CHECK_EQ(count, 3);
}

static void restarted_calls_go_on(void)
{
	int p[2];
	char c = 0;
	struct itimerval it = { .it_value = { 0, 30000 } };
	CHECK(!pipe(p));
	handle(SIGALRM, SA_RESTART);
	pid_t pid = fork();
	if (!pid) {
		usleep(150000);
		_exit(write(p[1], "x", 1) != 1);
	}
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK(c == 'x' && count == 1);
	CHECK_EQ(tap_wait(pid), 0);
}

static void nanosleep_tells_the_rest(void)
{
	struct itimerval it = { .it_value = { 0, 50000 } };
	struct timespec want = { 5, 0 }, rest = { 0, 0 };
	handle(SIGALRM, SA_RESTART);
	CHECK(!setitimer(ITIMER_REAL, &it, NULL));
	CHECK_ERR(nanosleep(&want, &rest), EINTR);
	CHECK(rest.tv_sec == 4);
}

static void stop_and_continue_leave_a_sleep_alone(void)
{
	pid_t pid = fork();
	if (!pid) {
		struct timespec t = { 0, 200000000 };
		_exit(nanosleep(&t, NULL) ? 1 : 0);
	}
	usleep(50000);
	kill(pid, SIGSTOP);
	int st;
	CHECK_EQ(waitpid(pid, &st, WUNTRACED), pid);
	CHECK(WIFSTOPPED(st));
	kill(pid, SIGCONT);
	CHECK_EQ(tap_wait(pid), 0);
}

static void sigsuspend_and_sigtimedwait(void)
{
	sigset_t none, usr;
	struct timespec t = { 0, 20000000 };
	siginfo_t si;
	handle(SIGUSR1, 0);
	sigemptyset(&none);
	sigemptyset(&usr);
	sigaddset(&usr, SIGUSR1);
	block(SIGUSR1, SIG_BLOCK);
	kill(getpid(), SIGUSR1);
	CHECK_ERR(sigsuspend(&none), EINTR);
	CHECK_EQ(count, 1);
	CHECK_ERR(sigtimedwait(&usr, &si, &t), EAGAIN);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(sigtimedwait(&usr, &si, &t), SIGUSR1);
	CHECK_EQ(count, 1); /* taken, not delivered */
}

static void *wait_thread(void *arg)
{
	sigset_t s;
	int sig;
	(void)arg;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	sigwait(&s, &sig);
	return (void *)(intptr_t)sig;
}

static void process_signals_find_a_willing_thread(void)
{
	pthread_t t;
	void *ret;
	block(SIGUSR2, SIG_BLOCK);
	CHECK(!pthread_create(&t, NULL, wait_thread, NULL));
	kill(getpid(), SIGUSR2);
	CHECK(!pthread_join(t, &ret));
	CHECK_EQ((intptr_t)ret, SIGUSR2);
}

static void fatal_signal_ends_all_threads(void)
{
	pid_t pid = fork();
	if (!pid) {
		pthread_t t;
		for (int i = 0; i < 4; i++)
			pthread_create(&t, NULL, wait_thread, NULL);
		raise(SIGTERM);
		pause();
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGTERM);
}

static void exec_resets_handlers_keeps_ignored(void)
{
	handle(SIGUSR1, 0);
	signal(SIGUSR2, SIG_IGN);
	pid_t pid = fork();
	if (!pid) {
		char *argv[] = { "signal", "exec_child", NULL };
		dup2(open("/dev/null", O_WRONLY), 1); /* its TAP is not ours */
		execv("/proc/self/exe", argv);
		_exit(99);
	}
	int st = tap_wait(pid);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
}

/* Run by the case above in a new image; by itself it only looks at its defaults. */
static void exec_child(void)
{
	struct sigaction sa;
	CHECK(!sigaction(SIGUSR1, NULL, &sa));
	CHECK(sa.sa_handler == SIG_DFL);
}

static void frame_out_of_reach_is_a_fault(void)
{
	/* sigreturn with a stack pointer where no frame can be read */
	pid_t pid = fork();
	if (!pid) {
		__asm__ volatile("mov %0, %%rsp; mov $15, %%eax; syscall" ::"r"(
			(uintptr_t)0x1000));
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGSEGV);
}

static void on_evil(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	(void)sig;
	(void)si;
	uc->uc_mcontext.gregs[REG_RIP] = (long long)0x8000000000000000ull;
	uc->uc_mcontext.gregs[REG_EFL] |= 0x3000; /* IOPL 3 */
}

static void non_canonical_return_is_a_fault(void)
{
	pid_t pid = fork();
	if (!pid) {
		struct sigaction sa = { .sa_sigaction = on_evil, .sa_flags = SA_SIGINFO };
		sigaction(SIGUSR1, &sa, NULL);
		raise(SIGUSR1);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGSEGV);
}

TEST_MAIN(CASE(handler_runs), CASE(siginfo_of_kill), CASE(blocked_signals_wait),
	  CASE(real_time_signals_queue_in_order), CASE(kill_and_stop_cannot_be_caught),
	  CASE(resethand_resets), CASE(own_signal_is_blocked_in_its_handler),
	  CASE(alternate_stack), CASE(stack_overflow_on_alternate_stack),
	  CASE(fault_is_repaired_and_retried), CASE(exceptions_become_signals),
	  CASE(vector_state_survives_a_handler), CASE(slow_calls_are_interrupted),
	  CASE(restarted_calls_go_on), CASE(nanosleep_tells_the_rest),
	  CASE(stop_and_continue_leave_a_sleep_alone), CASE(sigsuspend_and_sigtimedwait),
	  CASE(process_signals_find_a_willing_thread),
	  CASE(fatal_signal_ends_all_threads), CASE(exec_child),
	  CASE(exec_resets_handlers_keeps_ignored), CASE(frame_out_of_reach_is_a_fault),
	  CASE(non_canonical_return_is_a_fault))
