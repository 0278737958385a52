/*
 * The vDSO: runs in user mode, in every program. No state of its own, no relocations;
 * what it cannot answer it asks the kernel.
 */
#include <asm/unistd.h>
#include <linux/time.h>

#include "lib/clock_scale.h"
#include "proc/vdso_data.h"

#define EXPORT __attribute__((visibility("default")))

/* The page below the image (vdso.lds). Not const: it changes, and the compiler would read
 * a const one when it likes, outside of the loop that looks at `seq`. */
extern struct vdso_data vdso_data __attribute__((visibility("hidden")));

EXPORT int __vdso_clock_gettime(int clock, struct __kernel_timespec *ts);
EXPORT int __vdso_clock_getres(int clock, struct __kernel_timespec *res);
EXPORT int __vdso_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz);
EXPORT long __vdso_time(long *t);
EXPORT long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

static long call3(long nr, const void *a, const void *b, const void *c)
{
	long ret;
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline uint64_t rdtsc(void)
{
	uint32_t lo, hi;
	/* lfence: not before the reads of the data page that come earlier. */
	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

static inline uint64_t now(bool real)
{
	const struct vdso_data *d = &vdso_data;
	uint64_t ns;
	uint32_t seq;
	do {
		while ((seq = __atomic_load_n(&d->seq, __ATOMIC_ACQUIRE)) & 1)
			__asm__ volatile("pause");
		int64_t ticks = (int64_t)(rdtsc() - d->base_tsc);
		ns = (real ? d->base_real : d->base_mono) +
		     clock_scale_ns(ticks > 0 ? (uint64_t)ticks : 0, d->mult);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely(seq != __atomic_load_n(&d->seq, __ATOMIC_RELAXED)));
	return ns;
}

enum kind { ASK = 0, MONO, REAL };
static const uint8_t kinds[] = {
	[CLOCK_REALTIME] = REAL,      [CLOCK_REALTIME_COARSE] = REAL,
	[CLOCK_TAI] = REAL,	      [CLOCK_MONOTONIC] = MONO,
	[CLOCK_MONOTONIC_RAW] = MONO, [CLOCK_MONOTONIC_COARSE] = MONO,
	[CLOCK_BOOTTIME] = MONO,
};

int __vdso_clock_gettime(int clock, struct __kernel_timespec *ts)
{
	if (unlikely((unsigned)clock >= ARRAY_LEN(kinds) || kinds[clock] == ASK))
		return (int)call3(__NR_clock_gettime, (void *)(long)clock, ts, NULL);
	uint64_t ns = now(kinds[clock] == REAL);
	ts->tv_sec = (long long)(ns / NSEC_PER_SEC);
	ts->tv_nsec = (long long)(ns % NSEC_PER_SEC);
	return 0;
}

int __vdso_clock_getres(int clock, struct __kernel_timespec *res)
{
	return (int)call3(__NR_clock_getres, (void *)(long)clock, res, NULL);
}

int __vdso_gettimeofday(struct __kernel_old_timeval *tv, struct timezone *tz)
{
	if (tv) {
		uint64_t us = now(true) / NSEC_PER_USEC;
		tv->tv_sec = (long)(us / 1000000);
		tv->tv_usec = (long)(us % 1000000);
	}
	if (tz)
		*tz = (struct timezone){ 0 };
	return 0;
}

long __vdso_time(long *t)
{
	long s = (long)(now(true) / NSEC_PER_SEC);
	if (t)
		*t = s;
	return s;
}

long __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused)
{
	uint32_t lo, hi, aux;
	(void)unused;
	if (!vdso_data.has_cpu)
		return call3(__NR_getcpu, cpu, node, NULL);
	__asm__ volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(aux));
	if (cpu)
		*cpu = aux;
	if (node)
		*node = 0;
	return 0;
}
