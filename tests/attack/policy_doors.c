/*
 * Ways round a policy through a process that is under none, and through code that was
 * written; what the audit log tells of it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/audit_log.h"
#include "common/policy.h"
#include "common/tap.h"

POLICY_FORM(calls)
POLICY_FORM(code)

static char word[8] = "before";

/* A child that waits, and whether what its parent tries works on it. */
static pid_t napping(void)
{
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	return pid;
}

static int mem_opens(pid_t pid)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/mem", pid);
	int fd = open(name, O_RDWR);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int root_opens(pid_t pid)
{
	char name[64];

	snprintf(name, sizeof name, "/proc/%d/root/tmp", pid);
	int fd = open(name, O_RDONLY);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static long writes(pid_t pid)
{
	char text[] = "after";
	struct iovec here = { text, 6 }, there = { word, 6 };

	return process_vm_writev(pid, &here, 1, &there, 1, 0);
}

static long reads(pid_t pid)
{
	char text[8];
	struct iovec here = { text, 6 }, there = { word, 6 };

	return process_vm_readv(pid, &here, 1, &there, 1, 0);
}

static long gets_fd(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return syscall(SYS_pidfd_getfd, fd, 1, 0);
}

static void end(pid_t pid)
{
	CHECK_EQ(kill(pid, SIGKILL), 0);
	CHECK_EQ(tap_wait(pid), SIGKILL);
}

static void a_process_that_is_under_no_policy(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	pid_t wide = napping();
	CHECK_EQ(writes(wide), 6);
	CHECK_EQ(mem_opens(wide), 0);
	CHECK_EQ(root_opens(wide), 0);
	CHECK(gets_fd(wide) >= 0);
	POLICY_INSTALL(calls);
	CHECK_ERR(ptrace(PTRACE_ATTACH, wide, 0, 0), EPERM);
	CHECK_ERR(ptrace(PTRACE_SEIZE, wide, 0, 0), EPERM);
	CHECK_ERR(writes(wide), EPERM);
	CHECK_ERR(reads(wide), EPERM);
	CHECK_ERR(gets_fd(wide), EPERM);
	CHECK_ERR(mem_opens(wide), EACCES);
	CHECK_ERR(root_opens(wide), EACCES);
	end(wide);
}

static void a_process_under_the_same_policy(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	POLICY_INSTALL(calls);
	pid_t own = napping();
	CHECK_EQ(writes(own), 6);
	CHECK_EQ(reads(own), 6);
	CHECK_EQ(mem_opens(own), 0);
	CHECK_EQ(root_opens(own), 0);
	CHECK(gets_fd(own) >= 0);
	CHECK_EQ(ptrace(PTRACE_SEIZE, own, 0, 0), 0);
	end(own);
}

/* ---- code ---- */

static void memory_that_was_written(void)
{
	int rwx = PROT_READ | PROT_WRITE | PROT_EXEC;
	int anon = MAP_PRIVATE | MAP_ANONYMOUS;

	tap_needs_mayfly();
	CHECK(mmap(NULL, 4096, rwx, anon, -1, 0) != MAP_FAILED);
	char *before = mmap(NULL, 4096, PROT_READ | PROT_WRITE, anon, -1, 0);
	*before = 1;
	POLICY_INSTALL(code);
	CHECK_ERR((long)mmap(NULL, 4096, rwx, anon, -1, 0), EACCES);
	CHECK_ERR(mprotect(before, 4096, PROT_READ | PROT_EXEC), EACCES);
	char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, anon, -1, 0);
	CHECK(at != MAP_FAILED);
	*at = 1;
	CHECK_ERR(mprotect(at, 4096, PROT_READ | PROT_EXEC), EACCES);
	CHECK_EQ(mprotect(at, 4096, PROT_READ), 0);
}

static void a_program_without_a_name(void)
{
	tap_needs_mayfly();
	int fd = memfd_create("x", 0);
	CHECK_EQ(write(fd, "\177ELF", 4), 4);
	CHECK_ERR(syscall(SYS_execveat, fd, "", (char *[]){ "x", NULL },
			  (char *[]){ NULL }, AT_EMPTY_PATH),
		  ENOEXEC);
	POLICY_INSTALL(code);
	CHECK_ERR(syscall(SYS_execveat, fd, "", (char *[]){ "x", NULL },
			  (char *[]){ NULL }, AT_EMPTY_PATH),
		  EACCES);
	CHECK_ERR((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0),
		  EACCES);
}

/* ---- the audit log ---- */

static void refusals_are_told_of(void)
{
	const struct policy_header *h = (const struct policy_header *)form_calls;
	struct audit_record r;
	int fd = audit_reader_at_end(), installs = 0, refusals = 0;

	pid_t pid = fork();
	if (!pid) {
		POLICY_INSTALL(calls);
		syscall(SYS_getppid);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	while (audit_next(fd, &r)) {
		if (r.pid != pid || memcmp(r.policy, h->digest, sizeof r.policy))
			continue;
		installs += r.event == AUDIT_EVENT_POLICY && !strcmp(r.text, "calls");
		refusals += r.event == AUDIT_EVENT_REFUSED && r.syscall == SYS_getppid &&
			    r.rule_line && r.result == -ENOTUNIQ;
	}
	CHECK_EQ(installs, 1);
	CHECK_EQ(refusals, 1);
}

TEST_MAIN(CASE(a_process_that_is_under_no_policy), CASE(a_process_under_the_same_policy),
	  CASE(memory_that_was_written), CASE(a_program_without_a_name),
	  CASE(refusals_are_told_of))
