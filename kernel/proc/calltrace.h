/*
 * /proc/mayfly/trace: the system calls of a job, told by the kernel itself; the records
 * are lib/calltrace.h's.
 *
 * Process 1 opens the file; what its threads start from then on is followed: a child from
 * its first execve on, a descendant from its birth on. A followed thread writes records
 * into a queue of fixed size and waits while that is full, so nothing is lost: who is
 * killed there carries out no call that was not told. Reading gives records; the end of
 * file comes when the last followed thread is gone. Closing the file ends it all.
 *
 * Always true:
 *  L1  only a thread with WORK_RECORD comes here from a system call: without one, a call
 *      costs nothing;
 *  L2  a followed thread can neither see nor steer this: the file belongs to process 1
 *      alone, whoever gets hold of a descriptor of it;
 *  L3  that a thread is gone is always told: the memory for it comes with the thread.
 */
#ifndef PROC_CALLTRACE_H
#define PROC_CALLTRACE_H

#include "lib/calltrace.h"
#include "proc/task.h"

/* Registers the file. */
void calltrace_fill(void);

/* t, a new thread of a thread with ->calltrace, is followed too. 0, -ENOMEM. */
must_use int calltrace_inherit(struct task *t);
/* Of a thread that never ran, or whose records are nobody's business: forgets it. */
void calltrace_drop(struct task *t);

/* ---- what the running thread, which is followed, tells ---- */

/* Others end the thread, so that its call does not return: there is no EXIT. */
must_use bool calltrace_cut_short(void);
void calltrace_signal(const siginfo_t *info);
void calltrace_exited(int32_t status); /* and is followed no more */

/* A record of the running thread: begin, memory if it has any, end. *ret_w NULL: nobody
 * wants it. Between the two other threads' records wait, so nothing but user memory is
 * touched there. False, *ret_w NULL: the thread was killed while the queue was full. */
must_use bool calltrace_record(enum calltrace_type type, const void *body,
			       struct calltrace_writer **ret_w);
void calltrace_record_end(struct calltrace_writer *w);

/* A child of process 1 before its first execve: its records are nobody's business, but
 * the one of that execve is kept until it has worked out. */
must_use bool calltrace_held_back(void);
/* The record is complete, in place of the last one that was kept. */
void calltrace_record_keep(struct calltrace_writer *w);
/* The execve has worked out: what was kept is told. False: killed, as above. */
must_use bool calltrace_release(void);

#endif
