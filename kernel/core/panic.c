/* The end: everything stops, the reason is printed, the VM goes. */
#include "core/panic.h"
#include "core/sched.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/vm_exit.h"

static _Atomic uint32_t panicking; /* CPU number + 1 of the first to panic */

static void print(const char *fmt, ...) printf_like(1, 2);

static void print(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	va_start(ap, fmt);
	size_t n = fmt_va(line, sizeof line, fmt, ap);
	va_end(ap);
	arch_serial_write(line, MIN(n, sizeof line - 1));
}

static void print_regs(const struct pt_regs *r)
{
	print("rip %016lx rsp %016lx flags %08lx cs %lx ss %lx\n", r->rip, r->rsp,
	      r->eflags, r->cs, r->ss);
	print("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", r->rax, r->rbx, r->rcx,
	      r->rdx);
	print("rsi %016lx rdi %016lx rbp %016lx err %016lx\n", r->rsi, r->rdi, r->rbp,
	      r->orig_rax);
	print("r8  %016lx r9  %016lx r10 %016lx r11 %016lx\n", r->r8, r->r9, r->r10,
	      r->r11);
	print("r12 %016lx r13 %016lx r14 %016lx r15 %016lx\n", r->r12, r->r13, r->r14,
	      r->r15);
}

/* Only the first CPU to get here speaks; one that panics while panicking just ends the
 * VM. */
static void claim(void)
{
	uint32_t none = 0, me = cpu_id() + 1;
	if (__atomic_compare_exchange_n((uint32_t *)&panicking, &none, me, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return;
	if (none == me)
		arch_vm_exit(VM_EXIT_PANIC);
	for (;;)
		cpu_relax();
}

static noreturn_fn void die(const struct pt_regs *regs, const char *fmt, va_list ap)
{
	char reason[200];
	irq_disable();
	claim();
	arch_stop_others();
	fmt_va(reason, sizeof reason, fmt, ap);
	struct thread *t = thread_current();
	print("\nmayfly: kernel panic: %s\n", reason);
	print("cpu %u, thread %s (%u)\n", cpu_id(), t ? t->name : "none", t ? t->id : 0);
	if (regs)
		print_regs(regs);
	backtrace_print(regs);
	print("mayfly: end of panic\n");
	arch_vm_exit(VM_EXIT_PANIC);
}

void panic(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	die(NULL, fmt, ap);
}

void panic_regs(const struct pt_regs *regs, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	die(regs, fmt, ap);
}

noreturn_fn void __stack_chk_fail(void);
void __stack_chk_fail(void)
{
	panic("stack canary overwritten, return address %p", __builtin_return_address(0));
}
