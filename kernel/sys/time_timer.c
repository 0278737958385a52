/* Interval timers and POSIX timers. */
#include "proc/itimer.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

/* ---- alarm, getitimer, setitimer ---- */

static int timeval_ns(const struct __kernel_old_timeval *tv, uint64_t *ret)
{
	if (tv->tv_sec < 0 || (uint64_t)tv->tv_usec >= 1000000)
		return -EINVAL;
	*ret = ns_of((uint64_t)tv->tv_sec, (uint64_t)tv->tv_usec * NSEC_PER_USEC);
	return 0;
}

static struct __kernel_old_timeval timeval_of(uint64_t ns)
{
	/* Rounded up: what is left is not nothing. */
	uint64_t us = (ns + NSEC_PER_USEC - 1) / NSEC_PER_USEC;
	return (struct __kernel_old_timeval){ (long)(us / 1000000),
					      (long)(us % 1000000) };
}

static int itimer_out(uaddr_t to, const struct itimer_value *v)
{
	struct __kernel_old_itimerval out = { timeval_of(v->interval),
					      timeval_of(v->left) };
	return put_user(to, out);
}

int64_t sys_getitimer(int32_t which, uaddr_t value)
{
	struct itimer_value v;
	int err = itimer_set(which, NULL, &v);
	return err ? err : itimer_out(value, &v);
}

int64_t sys_setitimer(int32_t which, uaddr_t value, uaddr_t old)
{
	struct __kernel_old_itimerval in = { 0 };
	struct itimer_value set, was;
	if (value.va && get_user(in, value))
		return -EFAULT;
	int err = timeval_ns(&in.it_value, &set.left);
	if (!err)
		err = timeval_ns(&in.it_interval, &set.interval);
	if (!err)
		err = itimer_set(which, &set, &was);
	if (!err && old.va)
		err = itimer_out(old, &was);
	return err;
}

int64_t sys_alarm(uint32_t seconds)
{
	struct itimer_value set = { .left = seconds * NSEC_PER_SEC }, was;
	int err = itimer_set(ITIMER_REAL, &set, &was);
	if (err)
		return err;
	/* To the nearest second, but 0 only if there was none. */
	uint64_t s = (was.left + NSEC_PER_SEC / 2) / NSEC_PER_SEC;
	return (int64_t)(was.left && !s ? 1 : s);
}

/* ---- timer_* ---- */

int64_t sys_timer_create(int32_t clock, uaddr_t event, uaddr_t id)
{
	struct sigevent ev;
	int32_t nr;
	if (event.va && get_user(ev, event))
		return -EFAULT;
	int err = posix_timer_create(clock, event.va ? &ev : NULL, &nr);
	if (err)
		return err;
	if (put_user(id, nr)) {
		(void)!posix_timer_delete(nr);
		return -EFAULT;
	}
	return 0;
}

static int timer_out(uaddr_t to, const struct itimer_value *v)
{
	struct __kernel_itimerspec out = { timespec_of(v->interval),
					   timespec_of(v->left) };
	return put_user(to, out);
}

int64_t sys_timer_settime(int32_t id, uint32_t flags, uaddr_t value, uaddr_t old)
{
	struct __kernel_itimerspec in;
	struct itimer_value set, was;
	if (!value.va)
		return -EINVAL;
	if (get_user(in, value))
		return -EFAULT;
	int err = timespec_ns(&in.it_value, &set.left);
	if (!err)
		err = timespec_ns(&in.it_interval, &set.interval);
	if (!err)
		err = posix_timer_set(id, flags & TIMER_ABSTIME, &set, &was);
	if (!err && old.va)
		err = timer_out(old, &was);
	return err;
}

int64_t sys_timer_gettime(int32_t id, uaddr_t value)
{
	struct itimer_value v;
	int err = posix_timer_get(id, &v);
	return err ? err : timer_out(value, &v);
}

int64_t sys_timer_getoverrun(int32_t id)
{
	return posix_timer_overrun(id);
}

int64_t sys_timer_delete(int32_t id)
{
	return posix_timer_delete(id);
}
