/* signalfd(2): whom a signal wakes. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/slurp.h"
#include "common/tap.h"

enum { SIGNALS = 200 };

static void nothing(int sig)
{
}

static int usr1_fd(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	return signalfd(-1, &set, 0);
}

/* A child that sleeps in poll on a signalfd, and ends with how many signals it got. */
static pid_t watcher(void)
{
	int ready[2];
	CHECK_EQ(pipe(ready), 0);
	pid_t pid = fork();
	if (!pid) {
		struct signalfd_siginfo si;
		struct pollfd p = { .fd = usr1_fd(), .events = POLLIN };
		poll(&p, 1, 0);
		write(ready[1], "", 1);
		if (poll(&p, 1, -1) != 1 || read(p.fd, &si, sizeof si) != sizeof si)
			_exit(1);
		_exit(si.ssi_signo == SIGUSR1 ? 0 : 2);
	}
	char c;
	CHECK_EQ(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static long wakeups(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	return slurp_field(path, "voluntary_ctxt_switches");
}

static void until_asleep(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	while (!strstr(slurp(path), ") S "))
		usleep(1000);
}

static void others_signals_wake_no_watcher(void)
{
	pid_t pid = watcher();
	until_asleep(pid);
	long before = wakeups(pid);
	signal(SIGUSR1, nothing);
	for (int i = 0; i < SIGNALS; i++)
		CHECK_EQ(raise(SIGUSR1), 0);
	usleep(50000);
	CHECK_EQ(wakeups(pid), before);

	int status;
	CHECK_EQ(kill(pid, SIGUSR1), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

/* The one that made the descriptor and the one that waits have each their own signals. */
static void an_inherited_descriptor_watches_its_user(void)
{
	int fd = usr1_fd(), status;
	pid_t pid = fork();
	if (!pid) {
		struct signalfd_siginfo si;
		_exit(read(fd, &si, sizeof si) == sizeof si ? (int)si.ssi_pid & 0x7f : 0);
	}
	until_asleep(pid);
	CHECK_EQ(raise(SIGUSR1), 0);
	usleep(20000);
	CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
	CHECK_EQ(kill(pid, SIGUSR1), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WEXITSTATUS(status), getpid() & 0x7f);
}

TEST_MAIN(CASE(others_signals_wake_no_watcher),
	  CASE(an_inherited_descriptor_watches_its_user))
