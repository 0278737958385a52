/* Threads: kernel stacks, segment bases, the switch. */
#include "arch/x86_64/cpu.h"

struct thread *switch_stacks(struct thread *prev, uint64_t *save_rsp, uint64_t load_rsp);
extern char thread_first[];

/* What switch_stacks pops. */
struct switch_frame {
	uint64_t r15, r14, r13, r12, rbx, rbp, rip;
};

struct pt_regs *arch_user_regs(void *kstack_top)
{
	return (struct pt_regs *)kstack_top - 1;
}

/* Below the user registers' place, so that fn may fill them in (fork) before it returns
 * to user mode through them. */
void arch_thread_init(struct arch_thread *t, void *kstack_top, void (*fn)(void *),
		      void *arg)
{
	uint64_t top = ALIGN_DOWN((uint64_t)arch_user_regs(kstack_top), 16ul);
	struct switch_frame *f = (struct switch_frame *)top - 1;

	*f = (struct switch_frame){
		.r12 = (uint64_t)fn,
		.r13 = (uint64_t)arg,
		.rip = (uint64_t)thread_first,
	};
	t->rsp = (uint64_t)f;
	t->fpu_live = t->fpu_taken = false;
}

/* ---- segments ---- */

#define SEL_NULL_MAX 3 /* the null selector, whatever its RPL */

static uint64_t fs_base_read(void)
{
	uint64_t v;

	if (!features.fsgsbase)
		return rdmsr(MSR_FS_BASE);
	__asm__ volatile("rdfsbase %0" : "=r"(v));
	return v;
}

static void fs_base_write(uint64_t v)
{
	if (features.fsgsbase)
		__asm__ volatile("wrfsbase %0" ::"r"(v));
	else
		wrmsr(MSR_FS_BASE, v);
}

/* The user's %gs base waits behind swapgs; interrupts are off around these. */
static uint64_t user_gs_read(void)
{
	uint64_t v;

	if (!features.fsgsbase)
		return rdmsr(MSR_KERNEL_GS_BASE);
	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(v));
	return v;
}

static void user_gs_write(uint64_t v)
{
	if (features.fsgsbase)
		__asm__ volatile("swapgs; wrgsbase %0; swapgs" ::"r"(v));
	else
		wrmsr(MSR_KERNEL_GS_BASE, v);
}

struct arch_segments arch_get_segments(void)
{
	struct arch_segments s;

	__asm__ volatile("mov %%ds, %0" : "=r"(s.ds));
	__asm__ volatile("mov %%es, %0" : "=r"(s.es));
	__asm__ volatile("mov %%fs, %0" : "=r"(s.fs));
	__asm__ volatile("mov %%gs, %0" : "=r"(s.gs));
	return s;
}

/* None of these faults: every CPU has the same segments (arch_selector_ok). The base is
 * lost, and so it is always written next; that of %gs is the user's, interrupts off. */
static void fs_load(uint16_t v)
{
	__asm__ volatile("mov %0, %%fs" ::"r"(v) : "memory");
}

static void gs_load(uint16_t v)
{
	__asm__ volatile("swapgs; mov %0, %%gs; swapgs" ::"r"(v) : "memory");
}

static void segments_load(const struct arch_segments *s)
{
	__asm__ volatile("mov %0, %%ds" ::"r"(s->ds) : "memory");
	__asm__ volatile("mov %0, %%es" ::"r"(s->es) : "memory");
	fs_load(s->fs);
	gs_load(s->gs);
}

static bool segments_any(const struct arch_segments *s)
{
	return s->ds | s->es | s->fs | s->gs;
}

bool arch_selector_ok(uint64_t v)
{
	return v <= SEL_NULL_MAX || v == SEL_USER_DS || v == SEL_USER_CS;
}

/* Without FSGSBASE user mode changes a base only by loading a selector. */
static void segments_save(struct arch_thread *t, const struct arch_segments *now)
{
	t->segments = *now;
	if (features.fsgsbase || now->fs)
		t->fs_base = fs_base_read();
	if (features.fsgsbase || now->gs)
		t->gs_base = user_gs_read();
}

/* What another thread has left in the selectors is not for this one to read. */
static void segments_restore(const struct arch_thread *t, const struct arch_segments *now)
{
	if (unlikely(segments_any(now) || segments_any(&t->segments)))
		segments_load(&t->segments);
	fs_base_write(t->fs_base);
	user_gs_write(t->gs_base);
}

void arch_set_fs_base(struct arch_thread *t, uint64_t v)
{
	uint64_t f = irq_save();

	t->fs_base = v;
	fs_load(0);
	fs_base_write(v);
	irq_restore(f);
}

void arch_set_gs_base(struct arch_thread *t, uint64_t v)
{
	uint64_t f = irq_save();

	t->gs_base = v;
	gs_load(0);
	user_gs_write(v);
	irq_restore(f);
}

uint64_t arch_get_fs_base(struct arch_thread *t)
{
	return fs_base_read();
}

uint64_t arch_get_gs_base(struct arch_thread *t)
{
	uint64_t f = irq_save();
	uint64_t v = user_gs_read();

	irq_restore(f);
	return v;
}

void arch_reset_segments(struct arch_thread *t)
{
	uint64_t f = irq_save();

	t->fs_base = t->gs_base = 0;
	segments_load(&(struct arch_segments){ 0 });
	fs_base_write(0);
	user_gs_write(0);
	irq_restore(f);
}

/* ---- the time-stamp counter ---- */

/* CR4.TSD is set just while a thread that may not read it is the CPU's. */
static void tsc_forbid(bool no_tsc)
{
	uint64_t v = cr4_read() & ~CR4_TSD;

	cr4_write(v | (no_tsc ? CR4_TSD : 0));
}

void arch_set_no_tsc(struct arch_thread *t, bool no_tsc)
{
	uint64_t f = irq_save();

	t->no_tsc = no_tsc;
	tsc_forbid(no_tsc);
	irq_restore(f);
}

/* ---- the switch ---- */

struct thread *arch_switch(struct thread *prev, struct arch_thread *from,
			   struct arch_thread *to, void *to_kstack_top)
{
	struct percpu *c = percpu_self();
	struct arch_segments now = arch_get_segments();

	if (from->xsave)
		segments_save(from, &now);
	fpu_switch(c, from, to);
	if (to->xsave)
		segments_restore(to, &now);
	if (unlikely(from->no_tsc != to->no_tsc))
		tsc_forbid(to->no_tsc);
	c->lazy = !to->xsave;
	c->pub.kstack_top = (uint64_t)to_kstack_top;
	c->tss.rsp[0] = (uint64_t)to_kstack_top;
	return switch_stacks(prev, &from->rsp, to->rsp);
}
