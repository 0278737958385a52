/* nanosleep and clock_nanosleep. */
#include "core/wait.h"
#include "proc/clock.h"
#include "proc/futex.h"
#include "proc/proc.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

/* 0 or -ERESTARTSYS. */
static int sleep_real(uint64_t until)
{
	struct real_sleeper rs;
	int err = 0;
	real_sleeper_add(&rs);
	while (!err && clock_real() < until) {
		__atomic_store_n((uint32_t *)&thread_current()->state, THREAD_SLEEP,
				 __ATOMIC_SEQ_CST);
		err = wait_sleep(WAIT_INTR, real_to_mono(until));
		if (err == -ETIMEDOUT)
			err = 0;
	}
	real_sleeper_del(&rs);
	return err;
}

/* CPU time passes only while somebody else of the process runs. */
static int sleep_cpu(int32_t clock, uint64_t until)
{
	uint64_t now;
	int err = 0;
	while (!err && !clock_read(clock, &now) && now < until)
		err = sleep_until_intr(
			deadline_after(MAX((until - now) / CPU_MAX, CLOCK_TICK_NS)));
	return err;
}

/* Relative sleeps keep their deadline over restarts: arg 0, and where to put the rest:
 * arg 1. */
static int64_t sleep_relative(struct restart_block *r)
{
	uint64_t until = r->arg[0];
	uaddr_t rem = UADDR(r->arg[1]);
	if (!sleep_until_intr(until))
		return 0;
	uint64_t now = clock_mono();
	struct __kernel_timespec left = timespec_of(until > now ? until - now : 0);
	if (rem.va && put_user(rem, left))
		return -EFAULT;
	r->fn = sleep_relative;
	return -ERESTART_RESTARTBLOCK;
}

static int64_t start_relative(uint64_t ns, uaddr_t rem)
{
	struct restart_block *r = &task_current()->restart;
	r->arg[0] = deadline_after(ns);
	r->arg[1] = rem.va;
	return sleep_relative(r);
}

int64_t sys_nanosleep(uaddr_t req, uaddr_t rem)
{
	uint64_t ns;
	int err = timespec_in(req, &ns);
	return err ? err : start_relative(ns, rem);
}

static int64_t sleep_absolute(int32_t clock, enum clock_kind kind, uint64_t until)
{
	int err = kind == CLOCK_KIND_CPU    ? sleep_cpu(clock, until)
		  : kind == CLOCK_KIND_REAL ? sleep_real(until)
					    : sleep_until_intr(until);
	return err ? -ERESTARTNOHAND : 0;
}

int64_t sys_clock_nanosleep(int32_t clock, uint32_t flags, uaddr_t req, uaddr_t rem)
{
	enum clock_kind kind;
	uint64_t ns, now;
	if (clock == CLOCK_THREAD_CPUTIME_ID)
		return -EOPNOTSUPP;
	int err = clock_kind(clock, &kind);
	if (!err)
		err = timespec_in(req, &ns);
	/* A thread that sleeps uses no CPU time of its own. */
	bool own_thread = false;
	if (!err && clock < 0 && !clock_cpu_own(clock, &own_thread) && own_thread)
		err = -EINVAL;
	if (err)
		return err;
	if (flags & TIMER_ABSTIME)
		return sleep_absolute(clock, kind, ns);
	if (kind != CLOCK_KIND_CPU)
		return start_relative(ns, rem);
	err = clock_read(clock, &now);
	return err ? err : sleep_absolute(clock, kind, now + ns);
}
