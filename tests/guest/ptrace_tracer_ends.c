/* ptrace(2): a tracer that is killed at any moment, as strace(1) may be, leaves processes
 * that run on: those that it had stopped, those just born, and their threads. */
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/trace.h"

#define ROUNDS 30
#define OPTIONS                                                                          \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |              \
	 PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)

struct shared {
	volatile int traced; /* stops that the tracer saw */
	volatile int forked; /* children that the target saw the end of */
	volatile int joined; /* and threads */
};

static struct shared *shared;

static void *some_calls(void *arg)
{
	for (int i = 0; i < 3; i++)
		syscall(SYS_getppid);
	return NULL;
}

static void fork_and_clone(void)
{
	for (;;) {
		pthread_t thread;
		int pid = fork();

		if (!pid) {
			some_calls(NULL);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			_exit(1);
		shared->forked++;
		if (pthread_create(&thread, NULL, some_calls, NULL) ||
		    pthread_join(thread, NULL))
			_exit(2);
		shared->joined++;
	}
}

static void trace_as_strace_does(int target)
{
	int pid, status;

	if (pt(PTRACE_SEIZE, target, 0, OPTIONS) || pt(PTRACE_INTERRUPT, target, 0, 0))
		_exit(1);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		shared->traced++;
		if (WIFSTOPPED(status))
			pt(PTRACE_SYSCALL, pid, 0, 0);
	}
	_exit(2);
}

/* Waits for more of either, up to ten seconds. */
static void more_of(const volatile int *count, int than)
{
	for (int i = 0; i < 10000 && *count <= than; i++)
		usleep(1000);
	CHECK(*count > than);
}

static void tracees_run_on(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	int target = running_child(fork_and_clone);
	for (int i = 0; i < ROUNDS; i++) {
		int seen = shared->traced, tracer = fork();
		if (!tracer)
			trace_as_strace_does(target);
		more_of(&shared->traced, seen + i);
		kill(tracer, SIGKILL);
		expect_killed(tracer, SIGKILL);
		CHECK_EQ(tracer_pid(target), 0);
		more_of(&shared->forked, shared->forked + 1);
		more_of(&shared->joined, shared->joined + 1);
	}
	end(target);
}

TEST_MAIN(CASE(tracees_run_on))
