/* Zombies that go while tasklist_lock is held, and are freed after. */
#ifndef PROC_REAP_H
#define PROC_REAP_H

#include "proc/task.h"

struct reaped {
	struct list tasks;     /* task.link */
	struct list processes; /* process.sibling */
};
#define REAPED_INIT(name)                                                                \
	{                                                                                \
		LIST_INIT((name).tasks), LIST_INIT((name).processes)                     \
	}

/* The first three with tasklist_lock held, reaped_free without.
 *
 * A traced thread's zombie, no leader: nobody asks for it any more. If it was the last
 * of its process, that becomes a zombie. */
void reap_thread(struct task *t, struct reaped *r);
/* A process that nobody will wait for. */
void reap_process(struct process *p, struct reaped *r);
/* A zombie whose leader `tracer` has just let go: its parent hears of it now. */
void reap_untraced(struct process *p, const struct process *tracer, struct reaped *r);
void reaped_free(struct reaped *r);

#endif
