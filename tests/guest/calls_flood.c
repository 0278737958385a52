/*
 * Processes that make calls all the time; a timer kills half of them, the parent the
 * others. tests/host/trace.py runs it with a trace that nobody reads for a while: then
 * every one of them waits in the kernel, and SIGKILL must end it there and then.
 * Argument: the timer's milliseconds.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HALF 4

/* Whoever has set its timer says so; all begin when nobody can write to `begin` any more:
 * with a full trace a timer could not be set. */
static int ready[2], begin[2];

static void killed_in(long ms)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	struct itimerspec when = { .it_value = { ms / 1000, ms % 1000 * 1000000 } };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 ||
	    timer_settime(timer, 0, &when, NULL) < 0)
		_exit(1);
}

static pid_t flooder(long ms)
{
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	close(begin[1]);
	if (ms)
		killed_in(ms);
	if (write(ready[1], "", 1) != 1 || read(begin[0], &byte, 1) != 0)
		_exit(1);
	for (;;)
		syscall(SYS_getppid);
}

static bool was_killed(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGKILL;
}

int main(int argc, char **argv)
{
	long ms = argc > 1 ? atol(argv[1]) : 200;
	pid_t pids[2 * HALF];
	bool good = true;
	char byte;

	if (pipe(ready) < 0 || pipe(begin) < 0)
		return 1;
	for (int i = 0; i < 2 * HALF; i++)
		pids[i] = flooder(i < HALF ? ms : 0);
	for (int i = 0; i < 2 * HALF; i++)
		good &= read(ready[0], &byte, 1) == 1;
	close(begin[1]);
	good &= write(STDOUT_FILENO, "# all run\n", 10) == 10;
	for (int i = 0; i < HALF; i++)
		good &= was_killed(pids[i]);
	for (int i = HALF; i < 2 * HALF; i++)
		good &= kill(pids[i], SIGKILL) == 0 && was_killed(pids[i]);
	return !good;
}
