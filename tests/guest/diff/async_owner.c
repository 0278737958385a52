/* Whom signals about input and output are sent to: fcntl(2), F_SETOWN_EX, F_SETSIG. */
#include "diff.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIG_NEWS (SIGRTMIN + 1)

struct owner {
	int type, pid;
};

static void on_news(int sig, siginfo_t *info, void *context)
{
	caught[sig]++;
	caught_info = *info;
}

/* Signals with news about fd come from now on. */
static void ask(int fd)
{
	struct sigaction sa = { .sa_sigaction = on_news, .sa_flags = SA_SIGINFO };
	sigaction(SIG_NEWS, &sa, NULL);
	sigaction(SIGIO, &sa, NULL);
	NEED(!fcntl(fd, F_SETOWN, getpid()) && !fcntl(fd, F_SETSIG, SIG_NEWS));
	NEED(!fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC | O_NONBLOCK));
}

DIFF_CASE(async_signals_with_codes_of_their_own)
{
	static const int signals[] = { SIGCHLD, SIGTRAP, SIGIO, SIGUSR1, SIGURG };
	int p[2];
	NEED(!pipe(p));
	ask(p[0]);
	struct sigaction sa = { .sa_sigaction = on_news, .sa_flags = SA_SIGINFO };
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		sigaction(signals[i], &sa, NULL);
		TRY(fcntl(p[0], F_SETSIG, signals[i]));
		NEED(write(p[1], "x", 1) == 1);
		say("%s: %d of code %d band %#lx", sig_name(signals[i]),
		    (int)caught[signals[i]], caught_info.si_code,
		    (long)caught_info.si_band);
	}
	TRY(fcntl(p[0], F_SETSIG, 0));
	NEED(write(p[1], "x", 1) == 1);
	say("default: %d of code %d", (int)caught[SIGIO], caught_info.si_code);
}

DIFF_CASE(async_setsig_arguments)
{
	int p[2];
	NEED(!pipe(p));
	TRY(fcntl(p[0], F_GETSIG));
	TRY(fcntl(p[0], F_SETSIG, 64));
	TRY(fcntl(p[0], F_GETSIG));
	TRY(fcntl(p[0], F_SETSIG, 65));
	TRY(fcntl(p[0], F_SETSIG, -1));
	TRY(fcntl(p[0], F_SETSIG, SIGKILL));
	TRY(fcntl(open(".", O_PATH), F_SETSIG, 0));
	TRY(fcntl(open(".", O_PATH), F_GETOWN));
}

DIFF_CASE(async_owner_forms)
{
	int p[2];
	struct owner o = { 9, 9 };
	NEED(!pipe(p));
	TRY(fcntl(p[0], F_GETOWN));
	TRY(fcntl(p[0], F_GETOWN_EX, &o));
	say("type %d pid %d", o.type, o.pid);
	TRY(fcntl(p[0], F_SETOWN, getpid()));
	SHOW(fcntl(p[0], F_GETOWN) == getpid());
	TRY(fcntl(p[0], F_GETOWN_EX, &o));
	say("type %d own pid %d", o.type, o.pid == getpid());
	TRY(fcntl(p[0], F_SETOWN, -getpgrp()));
	SHOW(fcntl(p[0], F_GETOWN) == -getpgrp());
	TRY(fcntl(p[0], F_GETOWN_EX, &o));
	say("type %d own group %d", o.type, o.pid == getpgrp());
	o = (struct owner){ 0, (int)syscall(SYS_gettid) };
	TRY(fcntl(p[0], F_SETOWN_EX, &o));
	SHOW(fcntl(p[0], F_GETOWN) == getpid());
	o = (struct owner){ 7, 7 };
	TRY(fcntl(p[0], F_GETOWN_EX, &o));
	say("type %d own pid %d", o.type, o.pid == getpid());
	o = (struct owner){ 3, getpid() };
	TRY(fcntl(p[0], F_SETOWN_EX, &o));
	o = (struct owner){ -1, getpid() };
	TRY(fcntl(p[0], F_SETOWN_EX, &o));
	o = (struct owner){ 1, -5 };
	TRY(fcntl(p[0], F_SETOWN_EX, &o));
	o = (struct owner){ 1, 4999999 };
	TRY(fcntl(p[0], F_SETOWN_EX, &o));
	o = (struct owner){ 2, 0 };
	TRY(fcntl(p[0], F_SETOWN_EX, &o));
	TRY(fcntl(p[0], F_GETOWN_EX, &o));
	say("type %d pid %d", o.type, o.pid);
	TRY(fcntl(p[0], F_SETOWN_EX, (void *)8));
	TRY(fcntl(p[0], F_GETOWN_EX, (void *)8));
	TRY(fcntl(p[0], F_SETOWN, 4999999));
	TRY(fcntl(p[0], F_SETOWN, -4999999));
	TRY(fcntl(p[0], F_SETOWN, 0x80000000));
	TRY(fcntl(p[0], F_SETOWN, 0));
	TRY(fcntl(p[0], F_GETOWN));
}

DIFF_CASE(async_owner_that_died)
{
	int p[2];
	NEED(!pipe(p));
	pid_t pid = child_of(sleeper);
	TRY(fcntl(p[0], F_SETOWN, pid));
	kill(pid, SIGKILL);
	wait_state(pid, 'Z');
	SHOW(fcntl(p[0], F_GETOWN) == pid);
	reap(pid);
	TRY(fcntl(p[0], F_GETOWN));
	struct owner o;
	TRY(fcntl(p[0], F_GETOWN_EX, &o));
	say("type %d pid %d", o.type, o.pid);
	TRY(fcntl(p[0], F_SETOWN, pid));
}

/* Only whom the setter of the owner could send signals to hears. */
static int deaf_or_not(void)
{
	block_signal(SIGUSR1);
	setresuid(1234, 1234, 1234);
	nap(50);
	sigset_t set;
	sigpending(&set);
	return sigismember(&set, SIGUSR1);
}

static int async_fd;
static pid_t async_child;

static int sets_owner_as_nobody(void)
{
	become_nobody();
	return fcntl(async_fd, F_SETOWN, async_child) ? errno : 0;
}

static int keeps_its_user(void)
{
	block_signal(SIGUSR1);
	nap(50);
	sigset_t set;
	sigpending(&set);
	return sigismember(&set, SIGUSR1);
}

DIFF_CASE(async_owner_needs_rights)
{
	int p[2];
	NEED(!pipe(p));
	async_fd = p[0];
	NEED(!fcntl(p[0], F_SETSIG, SIGUSR1) && !fcntl(p[0], F_SETFL, O_ASYNC));
	async_child = child_of(keeps_its_user);
	TRY(reap(child_of(sets_owner_as_nobody)));
	nap(10);
	NEED(write(p[1], "x", 1) == 1);
	say_status("root's process", reap(async_child));
	async_child = child_of(deaf_or_not);
	nap(10);
	TRY(reap(child_of(sets_owner_as_nobody)));
	NEED(write(p[1], "x", 1) == 1);
	say_status("nobody's process", reap(async_child));
}

static pthread_barrier_t ready, over;
static volatile sig_atomic_t heard_in;

static void on_thread_news(int sig)
{
	heard_in = (int)syscall(SYS_gettid);
}

static void *listener(void *tid)
{
	*(int *)tid = (int)syscall(SYS_gettid);
	pthread_barrier_wait(&ready);
	for (int n = 0; n < 200 && !heard_in; n++)
		nap(1);
	pthread_barrier_wait(&over);
	return NULL;
}

DIFF_CASE(async_owner_is_a_thread)
{
	pthread_t thread;
	int tid = 0, p[2];
	NEED(!pipe(p));
	pthread_barrier_init(&ready, NULL, 2);
	pthread_barrier_init(&over, NULL, 2);
	signal(SIGUSR1, on_thread_news);
	pthread_create(&thread, NULL, listener, &tid);
	pthread_barrier_wait(&ready);
	struct owner o = { 0, tid };
	TRY(fcntl(p[0], F_SETOWN_EX, &o));
	NEED(!fcntl(p[0], F_SETSIG, SIGUSR1) && !fcntl(p[0], F_SETFL, O_ASYNC));
	NEED(write(p[1], "x", 1) == 1);
	pthread_barrier_wait(&over);
	SHOW(heard_in == tid);
	pthread_join(thread, NULL);
}

DIFF_CASE(async_socket_ioctls)
{
	int s[2], p[2], pid = getpid();
	NEED(!socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	NEED(!pipe(p));
	TRY(ioctl(s[0], 0x8901 /* FIOSETOWN */, &pid));
	SHOW(fcntl(s[0], F_GETOWN) == pid);
	pid = -getpgrp();
	TRY(ioctl(s[0], 0x8902 /* SIOCSPGRP */, &pid));
	SHOW(fcntl(s[0], F_GETOWN) == pid);
	pid = 0;
	TRY(ioctl(s[0], 0x8903 /* FIOGETOWN */, &pid));
	SHOW(pid == -getpgrp());
	TRY(ioctl(s[0], 0x8904 /* SIOCGPGRP */, (int *)8));
	TRY(ioctl(s[0], 0x8901, (int *)8));
	TRY(ioctl(p[0], 0x8901, &pid));
	TRY(ioctl(p[0], 0x8903, &pid));
}

DIFF_CASE(async_news_by_signalfd)
{
	struct signalfd_siginfo i;
	sigset_t set;
	int p[2];
	block_signal(SIG_NEWS);
	sigemptyset(&set);
	sigaddset(&set, SIG_NEWS);
	int fd = signalfd(-1, &set, SFD_NONBLOCK);
	NEED(!pipe(p) && !fcntl(p[0], F_SETOWN, getpid()));
	NEED(!fcntl(p[0], F_SETSIG, SIG_NEWS) && !fcntl(p[0], F_SETFL, O_ASYNC));
	NEED(write(p[1], "x", 1) == 1);
	TRY(read(fd, &i, sizeof i));
	SHOW(i.ssi_code);
	SHOW(i.ssi_fd == p[0]);
	SHOW(i.ssi_band);
	SHOW(i.ssi_pid);
}
