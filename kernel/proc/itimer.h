/* Interval timers: setitimer(2), alarm(2), timer_create(2). Nanoseconds. */
#ifndef PROC_ITIMER_H
#define PROC_ITIMER_H

#include <asm/siginfo.h>

#include "proc/task.h"

struct itimer_value {
	uint64_t left; /* until it fires; 0: off. Absolute where the call says so */
	uint64_t interval;
};

/* ITIMER_REAL, _VIRTUAL, _PROF of the running process. `set` NULL: only look. 0 or
 * -EINVAL. */
must_use int itimer_set(int32_t which, const struct itimer_value *set,
			struct itimer_value *ret_old);
void itimers_init(struct process *p);

/* `ev` NULL: SIGALRM with the timer's id. 0, -EINVAL, -EAGAIN, -EOPNOTSUPP. */
must_use int posix_timer_create(int32_t clock, const struct sigevent *ev,
				int32_t *ret_id);
must_use int posix_timer_set(int32_t id, bool absolute, const struct itimer_value *set,
			     struct itimer_value *ret_old);
must_use int posix_timer_get(int32_t id, struct itimer_value *ret);
must_use int posix_timer_overrun(int32_t id);
must_use int posix_timer_delete(int32_t id);

void posix_timers_init(void);

/* A timer on CPU time is looked at by the tick. p->lock held. */
bool posix_timers_on_cpu(const struct process *p);
void posix_timers_check_cpu(struct process *p, uint64_t process_ns);

#endif
