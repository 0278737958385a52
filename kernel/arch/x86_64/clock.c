/*
 * Time: the TSC, scaled to nanoseconds since the loader's first instruction, and the
 * one-shot timer. The TSC's rate comes from CPUID where a hypervisor tells it; else from
 * counting the LAPIC timer, whose clock QEMU and KVM run at exactly 1 GHz: the first
 * sample is the loader's, the second is taken when the time is first asked for, and once
 * REFINE_TICKS have been counted a better rate replaces the first one.
 *
 *  C1  clock_mono never goes back, across CPUs and across the change of rate;
 *  C2  the scale changes at most twice: first use, refinement. Readers see it whole
 *      (seq).
 */
#include "arch/upcall.h"
#include "arch/x86_64/cpu.h"
#include "lib/clock_scale.h"

#define TICK_NS 16			/* LAPIC timer, divider 16 */
#define DELTA_MAX (3600 * NSEC_PER_SEC) /* an early interrupt is harmless */
#define STRETCH_MIN_TICKS (10 * NSEC_PER_MSEC / TICK_NS)
#define REFINE_TICKS (250 * NSEC_PER_MSEC / TICK_NS)

static struct {
	uint32_t seq; /* [a] odd while changing; 0: never set */
	struct clock_scale scale;
	uint64_t ticks_per_ns; /* TSC ticks, fraction of 32 bits */
} clock;

static void (*notify_fn)(const struct clock_scale *);

static uint64_t mul_shift(uint64_t a, uint64_t b, uint32_t shift)
{
	return (uint64_t)(((unsigned __int128)a * b) >> shift);
}

/* hi:lo / d for a quotient that fits 64 bits. */
static uint64_t div_128(uint64_t hi, uint64_t lo, uint64_t d)
{
	uint64_t rest;

	__asm__("div %4" : "=a"(lo), "=d"(rest) : "a"(lo), "d"(hi), "r"(d) : "cc");
	return lo;
}

struct sample {
	uint64_t tsc;
	uint32_t count;
};

/* What is counted for the refinement, on the boot CPU only: sums over stretches in which
 * the timer neither expired nor was set anew. Short ones are not worth a reading. */
static struct {
	bool running, done;
	struct sample start; /* of the present stretch */
	uint64_t tsc_sum, tick_sum;
} refine;

/* TSC and timer at the same moment: the quickest of three readings. */
static struct sample sample_take(void)
{
	struct sample best = { 0 };
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < 3; i++) {
		uint64_t before = rdtsc();
		uint32_t count = lapic_timer_count();
		uint64_t took = rdtsc() - before;
		if (took < shortest) {
			shortest = took;
			best = (struct sample){ before + took / 2, count };
		}
	}
	return best;
}

/* From now on, ticks TSC ticks are ns nanoseconds. Continues from the present time
 * (C1). */
static void scale_set(uint64_t ticks, uint64_t ns)
{
	struct clock_scale *s = &clock.scale;
	bool first = clock.seq == 0;
	uint64_t f = irq_save();
	uint64_t tsc = first ? boot_info->tsc_entry : rdtsc();
	uint64_t at = first ? 0 : s->base_ns + clock_scale_ns(tsc - s->base_tsc, s->mult);

	__atomic_store_n(&clock.seq, clock.seq + 1, __ATOMIC_SEQ_CST);
	s->base_tsc = tsc;
	s->base_ns = at;
	s->mult = div_128(ns >> (64 - CLOCK_SCALE_BITS), ns << CLOCK_SCALE_BITS, ticks);
	clock.ticks_per_ns = div_128(ticks >> 32, ticks << 32, ns);
	__atomic_store_n(&clock.seq, clock.seq + 1, __ATOMIC_SEQ_CST);
	irq_restore(f);
}

/* TSC rate in Hz as CPUID gives it exactly; 0: it does not. */
static uint64_t rate_told(void)
{
	if (cpuid(0, 0).a >= 0x15) {
		struct cpuid r = cpuid(0x15, 0); /* d = c * b / a, crystal in c */
		if (r.a && r.b && r.c)
			return (uint64_t)r.c * r.b / r.a;
	}
	/* The hypervisors' convention: leaf 0x40000010 is the TSC's rate in kHz. */
	if (cpuid(1, 0).c & BIT(31) && cpuid(0x40000000, 0).a >= 0x40000010)
		return (uint64_t)cpuid(0x40000010, 0).a * 1000;
	return 0;
}

/* The processor's base frequency: near enough when there is nothing better. */
static uint64_t rate_nominal(void)
{
	uint32_t mhz = cpuid(0, 0).a >= 0x16 ? cpuid(0x16, 0).a & 0xffff : 0;

	return (mhz ? mhz : 2000) * 1000000ull;
}

static cold void first_use(void)
{
	uint64_t told = rate_told();

	if (told) {
		refine.done = true;
		scale_set(told, NSEC_PER_SEC);
		return;
	}
	struct sample s = sample_take();
	uint64_t ns = (uint64_t)(UINT32_MAX - s.count) * TICK_NS;
	uint64_t ticks = s.tsc - boot_info->tsc_lapic;
	if (ns && ticks > ns / 4) {
		refine.running = true;
		refine.start = (struct sample){ boot_info->tsc_lapic, UINT32_MAX };
		scale_set(ticks, ns);
	} else {
		refine.done = true;
		scale_set(rate_nominal(), NSEC_PER_SEC);
	}
}

void tsc_init(void)
{
	if (features.tsc_deadline && !rate_told())
		features.tsc_deadline = false; /* the LAPIC timer is also the reference */
}

uint64_t clock_mono(void)
{
	struct clock_scale s;
	uint32_t seq;

	do {
		seq = __atomic_load_n(&clock.seq, __ATOMIC_ACQUIRE);
		if (unlikely(seq == 0))
			first_use();
		s = clock.scale;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely(seq == 0 || seq & 1 ||
			  seq != __atomic_load_n(&clock.seq, __ATOMIC_RELAXED)));

	int64_t ticks = (int64_t)(rdtsc() - s.base_tsc);
	return s.base_ns + clock_scale_ns(ticks > 0 ? (uint64_t)ticks : 0, s.mult);
}

struct clock_scale clock_scale_get(void)
{
	(void)clock_mono();
	return clock.scale;
}

void clock_scale_notify(void (*fn)(const struct clock_scale *))
{
	notify_fn = fn;
}

void tsc_wait(uint64_t ns)
{
	for (uint64_t end = clock_mono() + ns; clock_mono() < end;)
		cpu_relax();
}

uint32_t tsc_khz(void)
{
	(void)clock_mono();
	return (uint32_t)mul_shift(clock.ticks_per_ns, NSEC_PER_MSEC, 32);
}

/* ---- refinement ---- */

/* The timer is about to be set anew: adds the stretch that ends. */
static void stretch_end(uint64_t tsc_min)
{
	if (!refine.running || rdtsc() - refine.start.tsc < tsc_min)
		return;
	struct sample s = sample_take();
	if (!s.count)
		return;
	refine.tsc_sum += s.tsc - refine.start.tsc;
	refine.tick_sum += refine.start.count - s.count;
	if (refine.tick_sum < REFINE_TICKS)
		return;
	refine.done = true;
	scale_set(refine.tsc_sum, refine.tick_sum * TICK_NS);
	if (notify_fn)
		notify_fn(&clock.scale);
}

/* Sets the timer so that it counts even while nothing is due. */
static void timer_arm_counting(uint32_t count)
{
	stretch_end(mul_shift(STRETCH_MIN_TICKS * TICK_NS, clock.ticks_per_ns, 32));
	count = count ? count : UINT32_MAX;
	uint64_t before = rdtsc();
	lapic_timer_arm(count);
	refine.start = (struct sample){ before + (rdtsc() - before) / 2, count };
	refine.running = true;
}

/* ---- the timer ---- */

static void timer_arm(uint64_t delta)
{
	uint64_t ticks = delta == UINT64_MAX ? 0 : delta / TICK_NS + 1;
	uint32_t count = (uint32_t)MIN(ticks, (uint64_t)UINT32_MAX);

	if (likely(refine.done) || cpu_id() != 0)
		lapic_timer_arm(count);
	else
		timer_arm_counting(count);
}

void arch_timer_set(uint64_t mono_ns)
{
	uint64_t f = irq_save();
	uint64_t now = clock_mono();
	uint64_t delta = mono_ns == UINT64_MAX ? UINT64_MAX
			 : mono_ns > now       ? mono_ns - now
					       : 0;

	if (!features.tsc_deadline)
		timer_arm(delta);
	else if (delta == UINT64_MAX)
		lapic_timer_deadline(0);
	else
		lapic_timer_deadline(
			rdtsc() + 1 +
			mul_shift(MIN(delta, DELTA_MAX), clock.ticks_per_ns, 32));
	irq_restore(f);
}
