/*
 * The user's FPU and vector registers (A3): saved when a user thread is switched away
 * from, loaded when one is switched to, unless the registers still hold its state.
 *
 *  F1  c->fpu_owner == t, t->fpu_cpu == c's number and t->fpu_live together mean: c's
 *      registers were loaded from t's area, and no one else's were loaded since;
 *  F2  while a user thread runs, F1 holds for it, except between arch_fpu_take and
 *      arch_fpu_reload, when its area alone counts and may be half-written: it is then
 *      neither saved to nor loaded from.
 */
#include <asm/errno.h>

#include "arch/x86_64/cpu.h"
#include "lib/string.h"

#define LEGACY_SIZE 512
#define FCW_DEFAULT 0x37f
#define MXCSR_DEFAULT 0x1f80
#define COMPONENTS_PLAIN 7 /* x87, SSE, AVX: what fpu_plain.S can move */
#define COMPONENT_X87 1

void fpu_plain_save(void *area, uint64_t components);
void fpu_plain_load(const void *area, uint64_t components);

static uint32_t mxcsr_mask ro_after_init;
static bool plain ro_after_init; /* fpu_plain.S serves all of XCR0 */

struct xsave_header {
	uint64_t xstate_bv, xcomp_bv, zero[6];
};

/* Which MXCSR bits exist (SDM 1, 11.6.6), and how large an area is. */
uint64_t fpu_setup(void)
{
	static uint8_t area[LEGACY_SIZE] aligned_to(16);

	__asm__ volatile("fninit; fxsave %0" : "=m"(area)::"memory");
	memcpy(&mxcsr_mask, area + XSAVE_MXCSR_MASK, sizeof(mxcsr_mask));
	if (!mxcsr_mask)
		mxcsr_mask = 0xffbf;
	plain = features.xsave && !(features.xcr0 & ~(uint64_t)COMPONENTS_PLAIN) &&
		(!(features.xcr0 & 4) || cpuid(0xd, 2).b == XSAVE_YMM_HIGH);
	return features.xsave ? ALIGN_UP(cpuid(0xd, 0).b, 64u) : LEGACY_SIZE;
}

static struct xsave_header *header_of(void *area)
{
	return (struct xsave_header *)((uint8_t *)area + XSAVE_HEADER);
}

size_t arch_xsave_size(void)
{
	return features.xsave_size;
}

uint64_t arch_xsave_mask(void)
{
	return features.xcr0;
}

void arch_fpu_init(void *xsave)
{
	uint16_t fcw = FCW_DEFAULT;
	uint32_t mxcsr = MXCSR_DEFAULT;

	memset(xsave, 0, features.xsave_size);
	if (plain) /* zeros are as good as "initial", and loaded faster */
		header_of(xsave)->xstate_bv = features.xcr0 & ~(uint64_t)COMPONENT_X87;
	memcpy(xsave, &fcw, sizeof(fcw));
	memcpy((uint8_t *)xsave + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy((uint8_t *)xsave + XSAVE_MXCSR_MASK, &mxcsr_mask, sizeof(mxcsr_mask));
}

/* `whole`: someone will read the area, so components in their initial state are written
 * too, which XSAVEOPT skips. */
static void registers_save(void *area, bool whole)
{
	uint32_t lo = (uint32_t)features.xcr0, hi = (uint32_t)(features.xcr0 >> 32);

	if (plain)
		fpu_plain_save(area, features.xcr0);
	else if (features.xsaveopt && !whole)
		__asm__ volatile("xsaveopt64 (%0)" ::"r"(area), "a"(lo), "d"(hi)
				 : "memory");
	else if (features.xsave)
		__asm__ volatile("xsave64 (%0)" ::"r"(area), "a"(lo), "d"(hi) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static void registers_load(void *area)
{
	uint32_t lo = (uint32_t)features.xcr0, hi = (uint32_t)(features.xcr0 >> 32);
	uint64_t vectors = features.xcr0 & ~(uint64_t)COMPONENT_X87;

	if (plain && (header_of(area)->xstate_bv & vectors) == vectors)
		fpu_plain_load(area, features.xcr0);
	else if (features.xsave)
		__asm__ volatile("xrstor64 (%0)" ::"r"(area), "a"(lo), "d"(hi)
				 : "memory");
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
		registers_save(from->xsave, false);
	if (to->xsave && !to->fpu_taken &&
	    !(to->fpu_live && to->fpu_cpu == c->pub.id && c->fpu_owner == to))
		load_for(c, to);
}

void arch_fpu_sync(struct arch_thread *t)
{
	uint64_t f = irq_save();

	if (t->fpu_live)
		registers_save(t->xsave, true);
	irq_restore(f);
}

void arch_fpu_take(struct arch_thread *t)
{
	uint64_t f = irq_save();

	if (t->fpu_live)
		registers_save(t->xsave, true);
	t->fpu_live = false;
	t->fpu_taken = true;
	irq_restore(f);
}

void arch_fpu_reload(struct arch_thread *t)
{
	uint64_t f = irq_save();

	t->fpu_taken = false;
	load_for(percpu_self(), t);
	irq_restore(f);
}

/* xrstor faults on a reserved bit anywhere: what it would refuse is refused here. */
int arch_fpu_sanitize(void *xsave, size_t len)
{
	const struct xsave_header *h = header_of(xsave);
	uint32_t mxcsr;

	if (len < features.xsave_size)
		return -EINVAL;
	memcpy(&mxcsr, (uint8_t *)xsave + XSAVE_MXCSR, sizeof(mxcsr));
	if (mxcsr & ~mxcsr_mask)
		return -EINVAL;
	if (!features.xsave)
		return 0;
	if (h->xstate_bv & ~features.xcr0)
		return -EINVAL;
	if (h->xcomp_bv || h->zero[0] || h->zero[1] || h->zero[2] || h->zero[3] ||
	    h->zero[4] || h->zero[5])
		return -EINVAL;
	return 0;
}
