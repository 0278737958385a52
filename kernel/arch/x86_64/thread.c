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

/* ---- segment bases ---- */

static uint64_t fs_base_read(void)
{
	uint64_t v;

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

/* Without FSGSBASE user mode cannot change its bases behind our back. */
static void bases_save(struct arch_thread *t)
{
	if (!features.fsgsbase)
		return;
	t->fs_base = fs_base_read();
	t->gs_base = user_gs_read();
}

void arch_set_fs_base(struct arch_thread *t, uint64_t v)
{
	t->fs_base = v;
	fs_base_write(v);
}

void arch_set_gs_base(struct arch_thread *t, uint64_t v)
{
	uint64_t f = irq_save();

	t->gs_base = v;
	user_gs_write(v);
	irq_restore(f);
}

uint64_t arch_get_fs_base(struct arch_thread *t)
{
	return features.fsgsbase ? fs_base_read() : t->fs_base;
}

uint64_t arch_get_gs_base(struct arch_thread *t)
{
	uint64_t f = irq_save();
	uint64_t v = features.fsgsbase ? user_gs_read() : t->gs_base;

	irq_restore(f);
	return v;
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

	if (from->xsave)
		bases_save(from);
	fpu_switch(c, from, to);
	if (to->xsave) {
		fs_base_write(to->fs_base);
		user_gs_write(to->gs_base);
	}
	if (unlikely(from->no_tsc != to->no_tsc))
		tsc_forbid(to->no_tsc);
	c->lazy = !to->xsave;
	c->pub.kstack_top = (uint64_t)to_kstack_top;
	c->tss.rsp[0] = (uint64_t)to_kstack_top;
	return switch_stacks(prev, &from->rsp, to->rsp);
}
