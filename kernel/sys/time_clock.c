/* Reading and setting clocks. */
#include <linux/timex.h>

#include "proc/clock.h"
#include "proc/task.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

int64_t sys_clock_gettime(int32_t clock, uaddr_t ts)
{
	uint64_t ns;
	int err = clock_read(clock, &ns);
	return err ? err : put_user(ts, timespec_of(ns));
}

int64_t sys_clock_getres(int32_t clock, uaddr_t ts)
{
	uint64_t ns;
	int err = clock_resolution(clock, &ns);
	if (err || !ts.va)
		return err;
	return put_user(ts, timespec_of(ns));
}

int64_t sys_gettimeofday(uaddr_t tv, uaddr_t tz)
{
	uint64_t us = clock_real() / NSEC_PER_USEC;
	struct __kernel_old_timeval v = { (long)(us / 1000000), (long)(us % 1000000) };
	struct timezone utc = { 0 };
	if (tv.va && put_user(tv, v))
		return -EFAULT;
	return tz.va ? put_user(tz, utc) : 0;
}

int64_t sys_time(uaddr_t tloc)
{
	int64_t s = (int64_t)(clock_real() / NSEC_PER_SEC);
	if (tloc.va && put_user(tloc, s))
		return -EFAULT;
	return s;
}

static int set_real(uint64_t ns)
{
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_TIME))
		return -EPERM;
	if (ns < clock_mono()) /* it would have been before 1970 at boot */
		return -EINVAL;
	clock_real_set(ns);
	return 0;
}

int64_t sys_clock_settime(int32_t clock, uaddr_t ts)
{
	uint64_t ns;
	struct __kernel_timespec t;
	if (clock < 0) /* CPU time is not to be set, by anybody */
		return get_user(t, ts)		? -EFAULT
		       : clock_read(clock, &ns) ? -EINVAL
						: -EPERM;
	if (clock != CLOCK_REALTIME)
		return -EINVAL;
	int err = timespec_in(ts, &ns);
	return err ? err : set_real(ns);
}

int64_t sys_settimeofday(uaddr_t tv, uaddr_t tz)
{
	struct __kernel_old_timeval v;
	struct timezone zone;
	if (tv.va && get_user(v, tv))
		return -EFAULT;
	if (tv.va && (v.tv_sec < 0 || v.tv_usec < 0 || v.tv_usec >= 1000000))
		return -EINVAL;
	if (tz.va && get_user(zone, tz)) /* the kernel keeps no time zone */
		return -EFAULT;
	if (!tv.va)
		return cred_has_cap(thread_current()->cred, CAP_SYS_TIME) ? 0 : -EPERM;
	return set_real(ns_of((uint64_t)v.tv_sec, (uint64_t)v.tv_usec * NSEC_PER_USEC));
}

/* There is nothing to discipline: the clock comes from the host. Reading works. */
int64_t sys_adjtimex(uaddr_t buf)
{
	struct __kernel_timex t;
	if (get_user(t, buf))
		return -EFAULT;
	if (t.modes)
		return cred_has_cap(thread_current()->cred, CAP_SYS_TIME) ? -EOPNOTSUPP
									  : -EPERM;
	uint64_t us = clock_real() / NSEC_PER_USEC;
	t = (struct __kernel_timex){
		.status = STA_UNSYNC,
		.tick = 10000,
		.precision = 1,
		.tolerance = 32768000,
		.maxerror = 16000000,
		.esterror = 16000000,
		.time = { (long long)(us / 1000000), (long long)(us % 1000000) },
	};
	return put_user(buf, t) ? -EFAULT : TIME_ERROR;
}

int64_t sys_clock_adjtime(int32_t clock, uaddr_t buf)
{
	if (clock == CLOCK_REALTIME)
		return sys_adjtimex(buf);
	struct __kernel_timex t;
	uint64_t ns;
	if (get_user(t, buf))
		return -EFAULT;
	return clock >= 0 && clock_read(clock, &ns) ? -EINVAL : -EOPNOTSUPP;
}
