/*
 * Clocks by id. Ids below zero name the CPU time of a process or thread: ~pid << 3, bit 2
 * for a thread, the low bits say which time (pthread_getcpuclockid(3) makes them).
 */
#include <asm/errno.h>
#include <linux/time.h>

#include "proc/clock.h"
#include "proc/proc.h"

#define CPU_ID_PID(clock) ((int32_t)(~(uint32_t)(clock) >> 3))
#define CPU_ID_THREAD 4
#define CPU_ID_WHICH 3
enum { CPU_PROF, CPU_VIRT, CPU_SCHED, CPU_NONE };

static uint64_t pick(const struct rusage_acc *u, int which)
{
	return which == CPU_VIRT ? u->user_ns : u->user_ns + u->sys_ns;
}

static int cpu_read(int32_t clock, uint64_t *ret)
{
	struct rusage_acc u;
	int32_t nr = CPU_ID_PID(clock);
	if ((clock & CPU_ID_WHICH) == CPU_NONE)
		return -EINVAL;
	if (clock & CPU_ID_THREAD) {
		struct task *t = nr ? task_find(nr) : task_get(task_current());
		bool mine = t && t->process == process_current();
		if (mine)
			task_usage(t, &u);
		task_put(t);
		if (!mine)
			return -EINVAL;
	} else {
		struct process *p =
			nr ? process_find(nr) : process_get(process_current());
		if (!p)
			return -EINVAL;
		process_usage(p, &u);
		process_put(p);
	}
	*ret = pick(&u, clock & CPU_ID_WHICH);
	return 0;
}

int clock_read(int32_t clock, uint64_t *ret)
{
	struct rusage_acc u;
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI: /* as long as nobody sets the offset */
		*ret = clock_real();
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ret = clock_mono();
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		process_usage(process_current(), &u);
		*ret = pick(&u, CPU_SCHED);
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*ret = sched_thread_ns(thread_current());
		return 0;
	default:
		return clock < 0 ? cpu_read(clock, ret) : -EINVAL;
	}
}

int clock_resolution(int32_t clock, uint64_t *ret)
{
	uint64_t now;
	int err = clock_read(clock, &now);
	if (err)
		return err;
	bool coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
	*ret = coarse ? CLOCK_TICK_NS : 1;
	return 0;
}

int clock_kind(int32_t clock, enum clock_kind *ret)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		*ret = CLOCK_KIND_REAL;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		*ret = CLOCK_KIND_MONO;
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
	case CLOCK_THREAD_CPUTIME_ID:
		*ret = CLOCK_KIND_CPU;
		return 0;
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	default:
		break;
	}
	if (clock >= 0 || (clock & CPU_ID_WHICH) == CPU_NONE)
		return -EINVAL;
	*ret = CLOCK_KIND_CPU;
	return 0;
}

int clock_cpu_own(int32_t clock, bool *ret_thread)
{
	int32_t nr = CPU_ID_PID(clock);
	if (clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID) {
		*ret_thread = clock == CLOCK_THREAD_CPUTIME_ID;
		return 0;
	}
	*ret_thread = clock & CPU_ID_THREAD;
	int32_t own = *ret_thread ? task_current()->tid : process_current()->pid;
	return !nr || nr == own ? 0 : -EINVAL;
}
