/*
 * Which address space a CPU has loaded, and dropping stale translations everywhere.
 *
 *  T1  a CPU's bit is set in pt->active before it loads the tables, and cleared after it
 *      has loaded others: a flush misses no CPU that may hold an old entry;
 *  T2  a kernel thread runs on whatever is loaded; asked to flush, its CPU changes to
 *      the kernel's own tables instead, and is not asked again.
 */
#include "arch/x86_64/pt.h"

#define INVLPG_MAX 32 /* above, reloading CR3 is cheaper */

/* When arch_tick reloads CR3 (ADR 4): at each of the first ticks in an address space, in
 * which the emulator's TLB grows from the smallest to the largest, and now and then. */
#define RELOAD_FIRST 12
#define RELOAD_EACH 4

struct flush {
	struct arch_pt *pt;
	uint64_t start, end;
};

struct flush_pages {
	struct arch_pt *pt;
	const uint64_t *va;
	size_t n;
};

void arch_pt_activate(struct arch_pt *pt)
{
	uint64_t f = irq_save();
	struct percpu *c = percpu_self();
	struct arch_pt *old = c->pt;
	cpumask_t me = (cpumask_t)1 << c->pub.id;

	if (pt)
		/* also for a kernel thread that has just become a user's */
		c->lazy = false;
	if (old != pt) {
		if (pt)
			__atomic_fetch_or(&pt->active, me, __ATOMIC_SEQ_CST);
		cr3_write(pt ? pt->root : kernel_root);
		c->pt = pt;
		c->pt_ticks = 0;
		if (old)
			__atomic_fetch_and(&old->active, ~me, __ATOMIC_SEQ_CST);
	}
	irq_restore(f);
}

/* Has this CPU entries of pt to drop? A kernel thread's leaves them all instead (T2). */
static bool must_drop(const struct arch_pt *pt)
{
	struct percpu *c = percpu_self();

	if (c->pt != pt)
		return false;
	if (c->lazy)
		arch_pt_activate(NULL);
	return !c->lazy;
}

static void flush_here(void *arg)
{
	const struct flush *f = arg;

	if (!must_drop(f->pt))
		return;
	if (f->end - f->start > INVLPG_MAX * PAGE_SIZE) {
		cr3_write(f->pt->root);
	} else {
		for (uint64_t va = f->start; va < f->end; va += PAGE_SIZE)
			invlpg(va);
	}
}

static void flush_pages_here(void *arg)
{
	const struct flush_pages *f = arg;

	if (!must_drop(f->pt))
		return;
	for (size_t i = 0; i < f->n; i++)
		invlpg(f->va[i]);
}

static void on_users(struct arch_pt *pt, void (*fn)(void *), void *arg)
{
	uint64_t flags = irq_save();

	/* Orders the caller's entry changes before the read of `active` (T1). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	cpumask_t others = pt->active & ~((cpumask_t)1 << cpu_id());
	fn(arg);
	irq_restore(flags);
	if (others)
		arch_ipi_call(others, fn, arg);
}

void arch_tlb_flush(struct arch_pt *pt, uint64_t start, uint64_t end)
{
	struct flush f = { pt, start, end };
	on_users(pt, flush_here, &f);
}

void arch_tlb_flush_pages(struct arch_pt *pt, const uint64_t *va, size_t n)
{
	struct flush_pages f = { pt, va, n };
	on_users(pt, flush_pages_here, &f);
}

/* "TCGTCGTCGTCG" in the hypervisor's CPUID leaf. */
static bool emulated(void)
{
	struct cpuid r = cpuid(1, 0);

	if (!(r.c & BIT(31)))
		return false;
	r = cpuid(0x40000000, 0);
	return r.b == 0x54474354 && r.c == 0x43544743 && r.d == 0x47435447;
}

static ro_after_init bool reload_at_tick;

void arch_tick_init(void)
{
	reload_at_tick = emulated();
}

void arch_tick(void)
{
	struct percpu *c = percpu_self();

	if (!reload_at_tick)
		return;
	c->pt_ticks++;
	if (c->pt_ticks <= RELOAD_FIRST || c->pt_ticks % RELOAD_EACH == 0)
		cr3_write(cr3_read());
}
