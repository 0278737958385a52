/* What tests of ptrace(2) share. Requests are made without the C library's wrapper, which
 * hides arguments and results. */
#ifndef GUEST_TRACE_H
#define GUEST_TRACE_H

#include <stddef.h>
#include <sys/user.h>

#include <linux/ptrace.h> /* <sys/ptrace.h> does not go with it */

#include "tap.h"

/* x86's own requests, which only <sys/ptrace.h> names. */
#ifndef PTRACE_GETREGS
#define PTRACE_GETREGS 12
#define PTRACE_SETREGS 13
#define PTRACE_GETFPREGS 14
#define PTRACE_SETFPREGS 15
#endif
#define PTRACE_SYSEMU 31

long pt(long request, int pid, unsigned long addr, unsigned long data);

/* A child that asks to be traced, stops with SIGSTOP, and goes on with fn. */
int tracee(void (*fn)(void));
/* A child that runs fn, which does not end, and nobody traces. */
int running_child(void (*fn)(void));
void pause_forever(void);

/* The wait status of pid, which must have one. */
int wait_for(int pid);
/* It stops with this signal, or signal | event << 8. */
void expect_stop(int pid, int sig);
void expect_exit(int pid, int code);
void expect_killed(int pid, int sig);
/* Kills it, whatever state it is in. */
void end(int pid);

unsigned long peek(int pid, const volatile void *at);
unsigned long event_message(int pid);
struct user_regs_struct regs_of(int pid);
#define REG(r) offsetof(struct user, regs.r)

/* What /proc says: the state's letter; the tracer, 0: none; the effective user. */
char state_of(int pid);
int tracer_pid(int pid);
int effective_id(int pid);

#endif
