/*
 * The user's FPU and vector registers (A3): saved when a user thread is switched away from,
 * loaded when one is switched to, unless the registers still hold its state.
 *
 *  F1  c->fpu_owner == t, t->fpu_cpu == c's number and t->fpu_live together mean: c's
 *      registers were loaded from t's area, and no one else's were loaded since;
 *  F2  while a user thread runs, F1 holds for it.
 */
#include <asm/errno.h>

#include "arch/x86_64/cpu.h"
#include "lib/string.h"

#define LEGACY_SIZE 512
#define HEADER_SIZE 64
#define FCW_AT 0
#define MXCSR_AT 24
#define MXCSR_MASK_AT 28
#define FCW_DEFAULT 0x37f
#define MXCSR_DEFAULT 0x1f80

static uint32_t mxcsr_mask ro_after_init;

struct xsave_header {
	uint64_t xstate_bv, xcomp_bv, zero[6];
};

/* Which MXCSR bits exist (SDM 1, 11.6.6), and how large an area is. */
uint64_t fpu_setup(void)
{
	static uint8_t area[LEGACY_SIZE] aligned_to(16);

	__asm__ volatile("fninit; fxsave %0" : "=m"(area)::"memory");
	memcpy(&mxcsr_mask, area + MXCSR_MASK_AT, sizeof(mxcsr_mask));
	if (!mxcsr_mask)
		mxcsr_mask = 0xffbf;
	return features.xsave ? ALIGN_UP(cpuid(0xd, 0).b, 64u) : LEGACY_SIZE;
}

size_t arch_xsave_size(void)
{
	return features.xsave_size;
}

void arch_fpu_init(void *xsave)
{
	uint16_t fcw = FCW_DEFAULT;
	uint32_t mxcsr = MXCSR_DEFAULT;

	memset(xsave, 0, features.xsave_size);
	memcpy((uint8_t *)xsave + FCW_AT, &fcw, sizeof(fcw));
	memcpy((uint8_t *)xsave + MXCSR_AT, &mxcsr, sizeof(mxcsr));
}

static void registers_save(void *area)
{
	uint32_t lo = (uint32_t)features.xcr0, hi = (uint32_t)(features.xcr0 >> 32);

	if (features.xsaveopt)
		__asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
	else if (features.xsave)
		__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static void registers_load(const void *area)
{
	uint32_t lo = (uint32_t)features.xcr0, hi = (uint32_t)(features.xcr0 >> 32);

	if (features.xsave)
		__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

static void load_for(struct percpu *c, struct arch_thread *t)
{
	registers_load(t->xsave);
	c->fpu_owner = t;
	t->fpu_cpu = c->pub.id;
	t->fpu_live = true;
}

void fpu_switch(struct percpu *c, struct arch_thread *from, struct arch_thread *to)
{
	if (from->xsave && from->fpu_live)
		registers_save(from->xsave);
	if (to->xsave && !(to->fpu_live && to->fpu_cpu == c->pub.id && c->fpu_owner == to))
		load_for(c, to);
}

void arch_fpu_sync(struct arch_thread *t)
{
	uint64_t f = irq_save();

	if (t->fpu_live)
		registers_save(t->xsave);
	irq_restore(f);
}

void arch_fpu_reload(struct arch_thread *t)
{
	uint64_t f = irq_save();

	load_for(percpu_self(), t);
	irq_restore(f);
}

/* xrstor faults on a reserved bit anywhere: what it would refuse is refused here. */
int arch_fpu_sanitize(void *xsave, size_t len)
{
	struct xsave_header h;
	uint32_t mxcsr;

	if (len < features.xsave_size)
		return -EINVAL;
	memcpy(&mxcsr, (uint8_t *)xsave + MXCSR_AT, sizeof(mxcsr));
	if (mxcsr & ~mxcsr_mask)
		return -EINVAL;
	if (!features.xsave)
		return 0;
	memcpy(&h, (uint8_t *)xsave + LEGACY_SIZE, sizeof(h));
	if (h.xstate_bv & ~features.xcr0)
		return -EINVAL;
	if (h.xcomp_bv || h.zero[0] || h.zero[1] || h.zero[2] || h.zero[3] || h.zero[4] ||
	    h.zero[5])
		return -EINVAL;
	return 0;
}
