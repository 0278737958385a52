/* Calls that are handed back to the program that makes them. */
#include "sys/user_dispatch.h"

#include <asm/siginfo.h>
#include <linux/audit.h>
#include <linux/prctl.h>

#include "mm/usercopy.h"
#include "proc/proc.h"
#include "proc/signal.h"

int user_dispatch_set(uint64_t mode, uint64_t start, uint64_t size, uaddr_t selector)
{
	struct task *t = task_current();

	if (mode == PR_SYS_DISPATCH_OFF) {
		if (start || size || selector.va)
			return -EINVAL;
		thread_clear_work(&t->thread, WORK_DISPATCH);
		return 0;
	}
	if (mode != PR_SYS_DISPATCH_ON || (start && start + size <= start))
		return -EINVAL;
	if (selector.va && !user_range_ok(selector, 1))
		return -EFAULT;
	t->dispatch.start = start;
	t->dispatch.size = size;
	t->dispatch.selector = selector;
	thread_set_work(&t->thread, WORK_DISPATCH);
	return 0;
}

/* What the program wants just now. */
static bool is_blocked(uaddr_t selector)
{
	uint8_t state;

	if (!selector.va)
		return true;
	if (get_user(state, selector))
		process_exit_group(SIGSEGV);
	if (state != SYSCALL_DISPATCH_FILTER_ALLOW &&
	    state != SYSCALL_DISPATCH_FILTER_BLOCK)
		process_exit_group(SIGSYS);
	return state == SYSCALL_DISPATCH_FILTER_BLOCK;
}

bool user_dispatch(struct pt_regs *regs)
{
	const struct task *t = task_current();

	if (regs->rip - t->dispatch.start < t->dispatch.size ||
	    !is_blocked(t->dispatch.selector))
		return false;

	const siginfo_t info = {
		.si_signo = SIGSYS,
		.si_code = SYS_USER_DISPATCH,
		.si_call_addr = (void *)regs->rip,
		.si_syscall = (int)regs->orig_rax,
		.si_arch = AUDIT_ARCH_X86_64,
	};
	regs->rax = regs->orig_rax;
	signal_force(SIGSYS, &info);
	return true;
}
