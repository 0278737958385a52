/*
 * The trace of system calls from a job's side: it can neither open it nor get hold of
 * process 1's descriptor of it. Runs with --trace: process 1 has it open.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/tap.h"

#define TRACE "/proc/mayfly/trace"

static void no_other_opens_it(void)
{
	tap_needs_mayfly();
	CHECK(open(TRACE, O_RDONLY) < 0 && (errno == EPERM || errno == EACCES));
	CHECK(open(TRACE, O_RDWR) < 0);
	/* The twin: what is beside it. */
	CHECK(open("/proc/mayfly/refused", O_RDONLY) >= 0);
}

/* Nor is there a way to the descriptor itself. */
static void not_through_process_1(void)
{
	tap_needs_mayfly();
	int process_1 = (int)syscall(SYS_pidfd_open, 1, 0);
	int me = (int)syscall(SYS_pidfd_open, getpid(), 0);
	char link[64];

	for (int fd = 0; fd < 64; fd++) {
		snprintf(link, sizeof(link), "/proc/1/fd/%d", fd);
		CHECK(open(link, O_RDONLY) < 0);
		CHECK(syscall(SYS_pidfd_getfd, process_1, fd, 0) < 0);
	}
	/* The twin: our own. */
	CHECK(open("/proc/self/fd/0", O_RDONLY) >= 0);
	CHECK(syscall(SYS_pidfd_getfd, me, 0, 0) >= 0);
}

TEST_MAIN(CASE(no_other_opens_it), CASE(not_through_process_1))
