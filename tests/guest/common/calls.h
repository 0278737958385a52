/* What tests of the policy `calls` share: it refuses getppid with an error of its own. */
#ifndef GUEST_CALLS_H
#define GUEST_CALLS_H

#include <stdint.h>
#include <sys/wait.h>

#include "policy.h"
#include "tap.h"

POLICY_FORM(calls)

#define REFUSED ENOTUNIQ /* an error that nothing else gives */

/* A process under the policy `calls` runs fn: its wait status. */
static inline int confined(int (*fn)(void))
{
	tap_needs_mayfly();
	pid_t pid = fork();

	if (!pid) {
		POLICY_INSTALL(calls);
		_exit(fn());
	}
	return tap_wait(pid);
}

static inline int freely(int (*fn)(void))
{
	pid_t pid = fork();

	if (!pid)
		_exit(fn());
	return tap_wait(pid);
}

static inline long with_number(uint64_t rax, long first)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(rax), "D"(first)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline int calls_getppid(void)
{
	long ret = with_number(SYS_getppid, 0);

	return ret < 0 ? (int)-ret : 0;
}

#endif
