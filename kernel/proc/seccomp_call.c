/* What filters say to a call, and what becomes of it. See seccomp.h. */
#include <asm/errno.h>
#include <asm/siginfo.h>
#include <linux/audit.h>

#include "core/panic.h"
#include "proc/audit.h"
#include "proc/proc.h"
#include "proc/ptrace.h"
#include "proc/seccomp_filter.h"

#define ERROR_MAX 4095u

struct asked {
	struct seccomp_data call;
	const struct seccomp_filter *by; /* whose answer counts; NULL: all allow */
	uint32_t verdict;
};

static const struct seccomp_filter *topmost(void)
{
	return __atomic_load_n(&thread_current()->gate.filter, __ATOMIC_ACQUIRE);
}

/* f and all below. */
static void ask(const struct pt_regs *regs, const struct seccomp_filter *f,
		struct asked *ret)
{
	*ret = (struct asked){
		.verdict = SECCOMP_RET_ALLOW,
		.call = {
			.nr = (int)regs->orig_rax,
			.arch = AUDIT_ARCH_X86_64,
			.instruction_pointer = regs->rip,
			.args = { regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8,
				  regs->r9 },
		},
	};
	for (; f; f = f->below) {
		uint32_t v = bpf_run(f->code, &ret->call);
		/* The lower the sterner, as signed numbers. */
		if ((int32_t)(v & SECCOMP_RET_ACTION_FULL) <
		    (int32_t)(ret->verdict & SECCOMP_RET_ACTION_FULL)) {
			ret->verdict = v;
			ret->by = f;
		}
	}
}

static uint32_t data_of(const struct asked *a)
{
	return a->verdict & SECCOMP_RET_DATA;
}

/* False: the thread dies, and what it waited to tell of must not be done. */
static bool tell(enum audit_event event, int64_t result)
{
	const struct cred *me = thread_current()->cred;
	struct audit_draft d;

	if (audit_begin(&d, event, AUDIT_CAUSE_FILTER))
		return false;
	audit_add(&d, me, me, result);
	return true;
}

/* What only filters with SECCOMP_FILTER_FLAG_LOG want to be known. */
static bool tell_if_wanted(const struct asked *a, enum audit_event event, int64_t result)
{
	return !a->by->log || tell(event, result);
}

/* ---- what becomes of it ---- */

/* The last thread that lives dies as the process does. */
static noreturn_fn void end_thread(int32_t status)
{
	(void)tell(AUDIT_EVENT_REFUSED, 0);
	task_exit(status);
}

static noreturn_fn void end_process(void)
{
	(void)tell(AUDIT_EVENT_REFUSED, 0);
	process_exit_group(SIGSYS);
}

static bool give_error(struct pt_regs *regs, const struct asked *a)
{
	regs->rax = (uint64_t) - (int64_t)MIN(data_of(a), ERROR_MAX);
	(void)tell_if_wanted(a, AUDIT_EVENT_REFUSED, (int64_t)regs->rax);
	return false;
}

/* The handler finds the registers as if the call had not begun. */
static bool raise_sigsys(struct pt_regs *regs, const struct asked *a)
{
	const siginfo_t info = {
		.si_signo = SIGSYS,
		.si_code = SYS_SECCOMP,
		.si_errno = (int)data_of(a),
		.si_call_addr = (void *)regs->rip,
		.si_syscall = a->call.nr,
		.si_arch = a->call.arch,
	};

	(void)tell_if_wanted(a, AUDIT_EVENT_REFUSED, 0);
	regs->rax = regs->orig_rax;
	signal_force(SIGSYS, &info);
	return false;
}

static bool ask_listener(struct pt_regs *regs, const struct asked *a)
{
	return tell_if_wanted(a, AUDIT_EVENT_LOGGED, 0) &&
	       notifier_ask(a->by->notifier, regs, &a->call);
}

/* True: it goes on with what the tracer left, which the filters have yet to see. */
static bool ask_tracer(struct pt_regs *regs, const struct asked *a)
{
	if (!tell_if_wanted(a, AUDIT_EVENT_LOGGED, 0) ||
	    !trace_event_wanted(PTRACE_EVENT_SECCOMP)) {
		regs->rax = (uint64_t)-ENOSYS;
		return false;
	}
	trace_event(PTRACE_EVENT_SECCOMP, data_of(a));
	/* Killed, the tracer may not have seen the call at all. */
	return !(thread_work(thread_current()) & WORK_KILL) &&
	       (int32_t)regs->orig_rax >= 0;
}

static bool strict_passes(uint32_t number)
{
	return number < 64 && (SECCOMP_STRICT_PASSES & BIT(number));
}

bool seccomp_check(struct pt_regs *regs, bool *ret_moved)
{
	const struct seccomp_filter *from = topmost();
	struct asked a;

	*ret_moved = false;
	if (thread_current()->gate.strict && !strict_passes((uint32_t)regs->orig_rax))
		end_thread(SIGKILL);
	for (;;) {
		ask(regs, from, &a);
		switch (a.verdict & SECCOMP_RET_ACTION_FULL) {
		case SECCOMP_RET_ALLOW:
			return true;
		case SECCOMP_RET_LOG:
			return tell(AUDIT_EVENT_LOGGED, 0);
		case SECCOMP_RET_TRACE:
			if (*ret_moved)
				return true;
			if (!ask_tracer(regs, &a))
				return false;
			*ret_moved = true;
			from = topmost();
			continue;
		case SECCOMP_RET_USER_NOTIF:
			/* Whoever listens speaks for this filter alone: no program
			 * lifts older ones by listening to itself (ADR 15). */
			if (!ask_listener(regs, &a))
				return false;
			from = a.by->below;
			continue;
		case SECCOMP_RET_ERRNO:
			return give_error(regs, &a);
		case SECCOMP_RET_TRAP:
			return raise_sigsys(regs, &a);
		case SECCOMP_RET_KILL_THREAD:
			end_thread(SIGSYS);
		default: /* and what has no name */
			end_process();
		}
	}
}
