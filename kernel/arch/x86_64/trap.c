/*
 * Exceptions: a page fault is mm's to resolve; else user mode's become signals and the
 * kernel's own end the VM, unless the instruction has a fix-up (user copies and the
 * like).
 */
#include "arch/x86_64/cpu.h"
#include "arch/upcall.h"

enum { VECTOR_NMI = 2, VECTOR_DF = 8, VECTOR_GP = 13, VECTOR_PF = 14, VECTOR_MC = 18 };
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_FETCH = 16 };

void trap_user(struct pt_regs *regs, uint64_t vector, uint32_t error);
void trap_kernel(struct pt_regs *regs, uint64_t vector, uint32_t error);
void trap_anywhere(struct pt_regs *regs, uint64_t vector, uint32_t error);
void return_checked(struct pt_regs *regs);

struct fixup {
	int32_t start, end, to; /* relative to each field */
};
extern const struct fixup ex_table_start[], ex_table_end[];

static const char *const names[32] = {
	"divide error",
	"debug",
	"NMI",
	"breakpoint",
	"overflow",
	"bound range",
	"invalid opcode",
	"no FPU",
	"double fault",
	"coprocessor overrun",
	"invalid TSS",
	"segment not present",
	"stack fault",
	"general protection",
	"page fault",
	"15",
	"x87 error",
	"alignment check",
	"machine check",
	"SIMD error",
	"virtualisation",
	"control protection",
	"22",
	"23",
	"24",
	"25",
	"26",
	"27",
	"hypervisor injection",
	"VMM communication",
	"security",
	"31",
};

bool fixup_apply(struct pt_regs *regs)
{
	for (const struct fixup *f = ex_table_start; f < ex_table_end; f++)
		if (regs->rip >= (uint64_t)&f->start + (int64_t)f->start &&
		    regs->rip < (uint64_t)&f->end + (int64_t)f->end) {
			regs->rip = (uint64_t)&f->to + (int64_t)f->to;
			return true;
		}
	return false;
}

static bool has_fixup(const struct pt_regs *regs)
{
	struct pt_regs probe = { .rip = regs->rip };

	return fixup_apply(&probe);
}

static enum fault_access access_of(uint32_t error)
{
	return error & PF_FETCH	  ? FAULT_EXEC
	       : error & PF_WRITE ? FAULT_WRITE
				  : FAULT_READ;
}

void trap_user(struct pt_regs *regs, uint64_t vector, uint32_t error)
{
	uint64_t va = vector == VECTOR_PF ? cr2_read() : 0;

	irq_enable();
	/* An access the CPU made for the program with its own rights (QEMU's lret): SMAP
	 * stops it whatever is mapped, so mapping something would only repeat it for
	 * ever. */
	if (vector == VECTOR_PF && !(error & PF_USER)) {
		vector = VECTOR_GP;
		error = 0;
	} else if (vector == VECTOR_PF && va < USER_END &&
		   upcall_page_fault(va, access_of(error), error & PF_PRESENT, true)) {
		return;
	}
	/* Whether a page of the kernel's is there is no program's business. */
	if (vector == VECTOR_PF && va >= USER_END)
		error |= PF_PRESENT;
	upcall_user_exception((uint32_t)vector, error, va, regs);
}

noreturn_fn static void die(const struct pt_regs *regs, uint64_t vector, uint32_t error,
			    uint64_t va)
{
	panic_regs(regs, "%s in kernel mode, error %#x, address %#lx",
		   vector < 32 ? names[vector] : "exception", error, va);
}

/* Only instructions with a fix-up touch user memory: any other fault there is a bug. */
void trap_kernel(struct pt_regs *regs, uint64_t vector, uint32_t error)
{
	uint64_t va = vector == VECTOR_PF ? cr2_read() : 0;

	if (!has_fixup(regs))
		die(regs, vector, error, va);
	if (vector == VECTOR_PF && va < USER_END) {
		if (regs->eflags & EFLAGS_IF)
			irq_enable();
		bool resolved = upcall_page_fault(va, access_of(error),
						  error & PF_PRESENT, false);
		irq_disable();
		if (resolved)
			return;
	}
	fixup_apply(regs);
}

void trap_anywhere(struct pt_regs *regs, uint64_t vector, uint32_t error)
{
	struct percpu *c = percpu_self();

	if (vector == VECTOR_NMI) {
		while (__atomic_load_n(&c->stop, __ATOMIC_ACQUIRE))
			__asm__ volatile("cli; hlt");
		return; /* not ours; QEMU's monitor can send one */
	}
	die(regs, vector, error, vector == VECTOR_DF ? cr2_read() : 0);
}

/* The slow way out to user mode: until no work is left and %rip is one iretq accepts. */
void return_checked(struct pt_regs *regs)
{
	for (;;) {
		if (__atomic_load_n((uint32_t *)thread_current(), __ATOMIC_ACQUIRE))
			upcall_user_return(regs);
		if (likely(regs->rip >> 47 == 0))
			return;
		irq_enable();
		upcall_user_exception(VECTOR_GP, 0, 0, regs);
		irq_disable();
	}
}
