#include "trace.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

long pt(long request, int pid, unsigned long addr, unsigned long data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

int tracee(void (*fn)(void))
{
	int pid = fork();
	if (!pid) {
		if (pt(PTRACE_TRACEME, 0, 0, 0))
			_exit(99);
		kill(getpid(), SIGSTOP); /* raise() may play with the mask */
		fn();
		_exit(0);
	}
	CHECK(pid > 0);
	return pid;
}

void pause_forever(void)
{
	for (;;)
		pause();
}

int running_child(void (*fn)(void))
{
	int pid = fork();
	if (!pid) {
		fn();
		_exit(98);
	}
	CHECK(pid > 0);
	usleep(20000);
	return pid;
}

int wait_for(int pid)
{
	int status = 0;
	CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	return status;
}

void expect_stop(int pid, int sig)
{
	int status = wait_for(pid);
	CHECK(WIFSTOPPED(status));
	CHECK_EQ(status >> 8, sig);
}

void expect_exit(int pid, int code)
{
	int status = wait_for(pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), code);
}

void expect_killed(int pid, int sig)
{
	int status = wait_for(pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), sig);
}

void end(int pid)
{
	int status;
	kill(pid, SIGKILL);
	do {
		status = wait_for(pid);
	} while (WIFSTOPPED(status));
	CHECK(WIFSIGNALED(status));
}

unsigned long peek(int pid, const volatile void *at)
{
	unsigned long word = 0;
	CHECK_EQ(pt(PTRACE_PEEKDATA, pid, (unsigned long)at, (unsigned long)&word), 0);
	return word;
}

unsigned long event_message(int pid)
{
	unsigned long message = 0;
	CHECK_EQ(pt(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message), 0);
	return message;
}

struct user_regs_struct regs_of(int pid)
{
	struct user_regs_struct r;
	CHECK_EQ(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r), 0);
	return r;
}

/* The number in the line of /proc/PID/status that `format` reads; -1: there is none. */
static int status_number(int pid, const char *format)
{
	char path[64], line[256];
	int found = -1;
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		sscanf(line, format, &found);
	if (f)
		fclose(f);
	return found;
}

int tracer_pid(int pid)
{
	return status_number(pid, "TracerPid: %d");
}

int effective_id(int pid)
{
	return status_number(pid, "Uid: %*d %d");
}

char state_of(int pid)
{
	char path[64], text[512] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	FILE *f = fopen(path, "r");
	CHECK(f);
	CHECK(fgets(text, sizeof text, f));
	fclose(f);
	return strrchr(text, ')')[2];
}
