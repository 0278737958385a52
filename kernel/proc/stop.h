/* Group stops, between signal delivery, exit and exec. All but the last: process->lock
 * held. */
#ifndef PROC_STOP_H
#define PROC_STOP_H

#include "proc/task.h"

/* A stop signal's default action; the caller then parks. */
void stop_begin(int sig);
/* Sleeps while the running thread's process is stopped. `flags` are those of
 * process->lock, which is dropped and taken again; returns the new ones. */
must_use uint64_t stop_park(uint64_t flags);
/* t will not park any more. True: tell the parent that the stop is complete. */
must_use bool stop_count_out(struct task *t);
/* Without locks: SIGCHLD with CLD_STOPPED or CLD_CONTINUED. */
void stop_tell_parent(struct process *p, int code);

#endif
