/* Signals: sending, masks, queues, waiting for them, signalfd. */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SET 8 /* bytes of the kernel's signal set */

static uint64_t bit(int sig)
{
	return 1ull << (sig - 1);
}

static uint64_t pending(void)
{
	uint64_t set = 0;
	syscall(SYS_rt_sigpending, &set, SET);
	return set;
}

static uint64_t mask(void)
{
	uint64_t set = 0;
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, SET);
	return set;
}

DIFF_CASE(kill_corners)
{
	TRY(kill(getpid(), 0));
	TRY(kill(getpid(), 65));
	TRY(kill(getpid(), -1));
	TRY(kill(999999, 0));
	TRY(kill(999999, 65));
	TRY(syscall(SYS_tgkill, getpid(), getpid(), 0));
	TRY(syscall(SYS_tgkill, getpid(), 999999, 0));
	TRY(syscall(SYS_tgkill, getppid(), getpid(), 0));
	TRY(syscall(SYS_tgkill, -1, getpid(), 0));
	TRY(syscall(SYS_tgkill, getpid(), 0, 0));
	TRY(syscall(SYS_tkill, getpid(), 0));
	TRY(syscall(SYS_tkill, 0, 0));
	TRY(syscall(SYS_tkill, getpid(), 65));
	TRY(kill(-2147483647 - 1, 0));
}

DIFF_CASE(kill_permissions)
{
	pid_t root = child_of(sleeper);
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		TRY(kill(root, 0));
		TRY(kill(root, SIGTERM));
		TRY(kill(1, 0));
		TRY(kill(getppid(), SIGCONT));
		TRY(syscall(SYS_tgkill, root, root, SIGTERM));
		_exit(0);
	}
	say_status("other user", reap(pid));
	pid = fork();
	if (!pid) {
		NEED(!setresuid(5, 6, 7));
		pid_t other = fork();
		if (!other) {
			NEED(!setresuid(5, 5, 5));
			sleeper();
		}
		TRY(kill(other, SIGTERM));
		_exit(WTERMSIG(reap(other)));
	}
	say_status("real uid matches", reap(pid));
	kill(root, SIGKILL);
	reap(root);
}

DIFF_CASE(kill_continue_within_session)
{
	pid_t pid = fork();
	if (!pid) {
		pid_t target = fork();
		if (!target)
			sleeper();
		become_nobody();
		TRY(kill(target, SIGTERM));
		TRY(kill(target, SIGCONT));
		_exit(0);
	}
	say_status("child", reap(pid));
}

DIFF_CASE(sigaction_corners)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };
	char raw[32] = "";
	TRY(sigaction(SIGKILL, &sa, NULL));
	TRY(sigaction(SIGSTOP, &sa, NULL));
	TRY(sigaction(SIGKILL, NULL, &sa));
	TRY(syscall(SYS_rt_sigaction, 0, NULL, raw, SET));
	TRY(syscall(SYS_rt_sigaction, 65, NULL, raw, SET));
	TRY(syscall(SYS_rt_sigaction, 64, NULL, raw, SET));
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, raw, 4));
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, 8, NULL, SET));
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8, SET));
	sa = (struct sigaction){ .sa_handler = SIG_IGN, .sa_flags = 0x70000000 };
	sigfillset(&sa.sa_mask);
	TRY(sigaction(SIGUSR1, &sa, NULL));
	TRY(sigaction(SIGUSR1, NULL, &sa));
	say("mask has KILL %d STOP %d TERM %d", sigismember(&sa.sa_mask, SIGKILL),
	    sigismember(&sa.sa_mask, SIGSTOP), sigismember(&sa.sa_mask, SIGTERM));
}

DIFF_CASE(sigaction_unknown_flags)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} k = { SIG_IGN, 0xfffffffful, NULL, 0 };
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, &k, NULL, SET));
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &k, SET));
	say("flags kept: 0x%lx", k.flags);
	k.flags = 0x400 | 4;
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, &k, NULL, SET));
	TRY(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &k, SET));
	say("flags kept: 0x%lx", k.flags);
}

DIFF_CASE(sigprocmask_corners)
{
	uint64_t set = ~0ull, old = 0;
	TRY(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, &old, SET));
	say("before 0x%llx, now 0x%llx", (long long)old, (long long)mask());
	TRY(syscall(SYS_rt_sigprocmask, 7, &set, NULL, SET));
	TRY(syscall(SYS_rt_sigprocmask, 7, NULL, &old, SET));
	TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
	TRY(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, SET));
	set = 0;
	TRY(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, 8, SET));
	say("now 0x%llx", (long long)mask());
	TRY(syscall(SYS_rt_sigpending, &set, 16));
	TRY(syscall(SYS_rt_sigpending, 8, SET));
	TRY(syscall(SYS_rt_sigpending, &set, 4));
}

DIFF_CASE(signal_pending_and_ignored)
{
	block_signal(SIGUSR1);
	block_signal(SIGCHLD);
	raise(SIGUSR1);
	raise(SIGCHLD);
	say("pending 0x%llx", (long long)pending());
	signal(SIGUSR1, SIG_IGN);
	say("after SIG_IGN 0x%llx", (long long)pending());
	signal(SIGCHLD, SIG_DFL);
	say("default-ignored 0x%llx", (long long)pending());
	raise(SIGUSR1);
	say("ignored but blocked 0x%llx", (long long)pending());
	catch (SIGUSR1, 0);
	unblock_signal(SIGUSR1);
	SHOW(caught[SIGUSR1]);
}

DIFF_CASE(signal_stop_and_continue_cancel)
{
	block_signal(SIGTSTP);
	block_signal(SIGCONT);
	catch (SIGCONT, 0);
	raise(SIGTSTP);
	say("0x%llx", (long long)pending());
	raise(SIGCONT);
	say("0x%llx", (long long)pending());
	raise(SIGTSTP);
	say("0x%llx", (long long)pending());
	unblock_signal(SIGCONT);
	SHOW(caught[SIGCONT]);
}

static int order[70], n_order;

static void note_order(int sig, siginfo_t *info, void *frame)
{
	order[n_order++] = sig;
}

DIFF_CASE(signal_delivery_order)
{
	const int sent[] = { SIGRTMIN + 2, SIGUSR2, SIGHUP, SIGRTMIN, SIGTERM, SIGUSR1 };
	for (unsigned i = 0; i < 6; i++) {
		struct sigaction sa = { .sa_sigaction = note_order,
					.sa_flags = SA_SIGINFO };
		sigfillset(&sa.sa_mask);
		sigaction(sent[i], &sa, NULL);
		block_signal(sent[i]);
	}
	for (unsigned i = 0; i < 6; i++)
		raise(sent[i]);
	uint64_t none = 0;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, SET);
	for (int i = 0; i < n_order; i++)
		say("%s", sig_name(order[i]));
}

DIFF_CASE(signal_synchronous_first)
{
	struct sigaction sa = { .sa_sigaction = note_order, .sa_flags = SA_SIGINFO };
	static const int sent[] = { SIGHUP, SIGBUS, SIGINT, SIGSEGV, SIGTRAP };
	sigfillset(&sa.sa_mask);
	for (unsigned i = 0; i < 5; i++) {
		sigaction(sent[i], &sa, NULL);
		block_signal(sent[i]);
	}
	for (unsigned i = 0; i < 5; i++)
		syscall(SYS_tgkill, getpid(), getpid(), sent[i]);
	uint64_t none = 0;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, SET);
	for (int i = 0; i < n_order; i++)
		say("%s", sig_name(order[i]));
}

DIFF_CASE(sigqueue_corners)
{
	siginfo_t info = { 0 };
	catch (SIGUSR1, SA_SIGINFO);
	info.si_code = SI_QUEUE;
	info.si_value.sival_int = 42;
	TRY(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	say("code %d value %d signo %d", caught_info.si_code,
	    caught_info.si_value.sival_int, caught_info.si_signo);
	info.si_code = SI_USER;
	TRY(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	say("code %d", caught_info.si_code);
	pid_t pid = child_of(sleeper);
	TRY(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info));
	info.si_code = SI_TKILL;
	TRY(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info));
	info.si_code = 5;
	TRY(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info));
	info.si_code = SI_QUEUE;
	TRY(syscall(SYS_rt_sigqueueinfo, pid, 0, &info));
	TRY(syscall(SYS_rt_sigqueueinfo, 999999, 0, &info));
	TRY(syscall(SYS_rt_sigqueueinfo, pid, 65, &info));
	TRY(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, 8));
	TRY(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGTERM, &info));
	say_status("child", reap(pid));
	TRY(syscall(SYS_rt_tgsigqueueinfo, 0, getpid(), SIGTERM, &info));
}

DIFF_CASE(sigqueue_limit)
{
	become_nobody();
	NEED(!setrlimit(RLIMIT_SIGPENDING, &(struct rlimit){ 5, 5 }));
	block_signal(SIGRTMIN);
	block_signal(SIGUSR1);
	int n = 0;
	while (n < 50 && !sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = n }))
		n++;
	say("%d queued, then %s", n, err_name(errno));
	TRY(kill(getpid(), SIGRTMIN));
	TRY(kill(getpid(), SIGUSR1));
	TRY(kill(getpid(), SIGRTMIN + 1 == SIGRTMIN ? 0 : SIGWINCH));
	siginfo_t info;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	struct timespec zero = { 0, 0 };
	int got = 0;
	while (sigtimedwait(&set, &info, &zero) == SIGRTMIN)
		say("%d: value %d", got++, info.si_value.sival_int);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	TRY(sigtimedwait(&set, &info, &zero));
}

static void wait_for(const char *what, int sig, long ns)
{
	siginfo_t info = { 0 };
	uint64_t set = bit(sig);
	struct timespec ts = { ns / 1000000000, ns % 1000000000 };
	int got = (int)syscall(SYS_rt_sigtimedwait, &set, &info, &ts, SET);
	if (got < 0)
		say("%s: %s", what, err_name(errno));
	else
		say("%s: %s code %d", what, sig_name(got), info.si_code);
}

DIFF_CASE(sigtimedwait_corners)
{
	block_signal(SIGUSR1);
	wait_for("nothing", SIGUSR1, 0);
	int64_t began = now_ns();
	wait_for("for a while", SIGUSR1, 20000000);
	SHOW(now_ns() - began >= 20000000);
	raise(SIGUSR1);
	wait_for("pending", SIGUSR1, 0);
	kill(getpid(), SIGUSR1);
	wait_for("pending", SIGUSR1, 0);
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	wait_for("another comes", SIGUSR1, 5000000000);
	ualarm(0, 0);
	uint64_t set = bit(SIGUSR1);
	struct timespec bad = { 0, 1000000000 };
	TRY(syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, SET));
	bad.tv_nsec = -1;
	TRY(syscall(SYS_rt_sigtimedwait, &set, NULL, &bad, SET));
	TRY(syscall(SYS_rt_sigtimedwait, 8, NULL, NULL, SET));
	TRY(syscall(SYS_rt_sigtimedwait, &set, NULL, 8, SET));
	TRY(syscall(SYS_rt_sigtimedwait, &set, NULL, NULL, 4));
	raise(SIGUSR1);
	TRY(syscall(SYS_rt_sigtimedwait, &set, 8, NULL, SET));
	SHOW(pending());
}

static int waits_for_usr1(void)
{
	siginfo_t info;
	sigset_t set;
	int sig;
	block_signal(SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	raise(SIGUSR1);
	sigwait(&set, &sig);
	sig = sigwaitinfo(&set, &info);
	say("%s from its parent: %d", sig_name(sig), info.si_pid == getppid());
	return 4;
}

DIFF_CASE(sigwait_blocks)
{
	pid_t pid = child_of(waits_for_usr1);
	wait_asleep(pid);
	nap(10);
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	say_status("waiter", reap(pid));
}

DIFF_CASE(sigsuspend_corners)
{
	uint64_t none = 0;
	catch (SIGUSR1, 0);
	block_signal(SIGUSR1);
	raise(SIGUSR1);
	TRY(syscall(SYS_rt_sigsuspend, &none, SET));
	SHOW(caught[SIGUSR1]);
	say("mask 0x%llx", (long long)mask());
	TRY(syscall(SYS_rt_sigsuspend, &none, 4));
	TRY(syscall(SYS_rt_sigsuspend, 8, SET));
	catch (SIGALRM, SA_RESTART);
	ualarm(20000, 20000);
	TRY(pause());
	ualarm(0, 0);
}

/* -- signalfd ------------------------------------------------------------------------ */

static int sfd(int sig, int flags)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	block_signal(sig);
	return signalfd(-1, &set, flags);
}

static void read_signal(int fd)
{
	struct signalfd_siginfo i[4];
	ssize_t n = read(fd, i, sizeof i);
	if (n < 0)
		say("read: %s", err_name(errno));
	for (ssize_t k = 0; k < n / (ssize_t)sizeof *i; k++)
		say("signo %u code %d pid %s uid %u int %d ptr %s", i[k].ssi_signo,
		    i[k].ssi_code, (pid_t)i[k].ssi_pid == getpid() ? "mine" : "other",
		    i[k].ssi_uid, i[k].ssi_int, i[k].ssi_ptr ? "set" : "0");
}

DIFF_CASE(signalfd_reads)
{
	int fd = sfd(SIGUSR1, SFD_NONBLOCK);
	struct pollfd p = { fd, POLLIN, 0 };
	read_signal(fd);
	TRY(poll(&p, 1, 0));
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	TRY(poll(&p, 1, 0));
	read_signal(fd);
	read_signal(fd);
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 9 });
	read_signal(fd);
	char small[20];
	TRY(read(fd, small, sizeof small));
	TRY(write(fd, small, 1));
	TRY(lseek(fd, 0, SEEK_SET));
}

DIFF_CASE(signalfd_corners)
{
	uint64_t set = bit(SIGUSR1) | bit(SIGKILL);
	MAY(syscall(SYS_signalfd4, -1, &set, SET, 0));
	TRY(syscall(SYS_signalfd4, -1, &set, SET, 1));
	TRY(syscall(SYS_signalfd4, -1, &set, 4, 0));
	TRY(syscall(SYS_signalfd4, -1, 8, SET, 0));
	TRY(syscall(SYS_signalfd4, 0, &set, SET, 0));
	TRY(syscall(SYS_signalfd4, 99, &set, SET, 0));
	int fd = sfd(SIGUSR1, SFD_NONBLOCK | SFD_CLOEXEC);
	TRY(fcntl(fd, F_GETFD));
	block_signal(SIGUSR2);
	raise(SIGUSR2);
	read_signal(fd);
	set = bit(SIGUSR2);
	SHOW(syscall(SYS_signalfd4, fd, &set, SET, 0) == fd);
	read_signal(fd);
}

static int reads_signalfd(void)
{
	int fd = sfd(SIGUSR1, 0);
	struct signalfd_siginfo i;
	say("read: %zd", read(fd, &i, sizeof i));
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(read(fd, &i, sizeof i));
	ualarm(0, 0);
	return 3;
}

DIFF_CASE(signalfd_blocks)
{
	pid_t pid = child_of(reads_signalfd);
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	say_status("reader", reap(pid));
}
