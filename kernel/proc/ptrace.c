/*
 * ptrace(2), the tracer's side: one function per request, in a table. See ptrace.h for
 * what always holds.
 */
#include <asm/errno.h>
#include <linux/audit.h>
#include <linux/elf.h>
#include <linux/uio.h>

#include "core/panic.h"
#include "lib/string.h"
#include "mm/usercopy.h"
#include "proc/ptrace.h"
#include "proc/seccomp.h"

/* PTRACE_O_SUSPEND_SECCOMP would lift a sandbox: it is not known here. */
#define OPTIONS_KNOWN                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |              \
	 PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE |            \
	 PTRACE_O_TRACEEXIT | PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL)
/* x86's own, of <asm/ptrace-abi.h>, which <sys/ptrace.h> renames. */
#define PTRACE_GETREGS 12
#define PTRACE_SETREGS 13
#define PTRACE_GETFPREGS 14
#define PTRACE_SETFPREGS 15
#define PTRACE_OLDSETOPTIONS 21
#define PTRACE_SYSEMU 31
#define PTRACE_SYSEMU_SINGLESTEP 32
#define EVENT_OF(code) ((code) >> 8)

struct request {
	struct task *t; /* frozen, but for requests that need no stop */
	int64_t nr;
	uint64_t addr, data;
};

/* ---- freezing (R1, R2) ---- */

static int tracee_freeze(struct task *t)
{
	struct trace *tr = &t->trace;
	uint64_t flags = spin_lock_irq(&t->process->lock);
	bool ok = tr->tracer == task_current() && tr->stopped && !tr->listening &&
		  !(thread_work(&t->thread) & WORK_KILL);
	tr->frozen = ok;
	spin_unlock_irq(&t->process->lock, flags);
	if (!ok)
		return -ESRCH;
	sched_wait_off_cpu(&t->thread);
	return 0;
}

/* It may have been resumed or killed meanwhile. */
static void tracee_thaw(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	t->trace.frozen = false;
	if (!t->trace.stopped || (thread_work(&t->thread) & WORK_KILL))
		sched_wake_state(&t->thread, BIT(THREAD_STOPPED));
	spin_unlock_irq(&t->process->lock, flags);
}

/* ---- memory ---- */

static int64_t memory_access(struct task *t, uint64_t va, uint64_t *word, bool write)
{
	struct space *s = task_space_get(t);
	int64_t n = -EIO;
	if (!s)
		return -EIO;
	if (s->dumpable || t->trace.capable) /* R4 */
		n = space_access(s, va, word, sizeof *word, write, true);
	space_put(s);
	return n == sizeof *word ? 0 : -EIO;
}

static int64_t peek(struct request *r)
{
	uint64_t word;
	int64_t err = memory_access(r->t, r->addr, &word, false);
	return err ? err : put_user(UADDR(r->data), word);
}

static int64_t poke(struct request *r)
{
	uint64_t word = r->data;
	return memory_access(r->t, r->addr, &word, true);
}

/* ---- registers ---- */

static int64_t peek_user(struct request *r)
{
	uint64_t v;
	int err = trace_user_peek(r->t, r->addr, &v);
	return err ? err : put_user(UADDR(r->data), v);
}

static int64_t poke_user(struct request *r)
{
	return trace_user_poke(r->t, r->addr, r->data);
}

static int64_t get_regs(struct request *r)
{
	size_t n = SIZE_MAX;
	return trace_regset_get(r->t, NT_PRSTATUS, UADDR(r->data), &n);
}

static int64_t set_regs(struct request *r)
{
	size_t n = SIZE_MAX;
	return trace_regset_set(r->t, NT_PRSTATUS, UADDR(r->data), &n);
}

static int64_t get_fpregs(struct request *r)
{
	size_t n = SIZE_MAX;
	return trace_regset_get(r->t, NT_PRFPREG, UADDR(r->data), &n);
}

static int64_t set_fpregs(struct request *r)
{
	size_t n = SIZE_MAX;
	return trace_regset_set(r->t, NT_PRFPREG, UADDR(r->data), &n);
}

static int64_t regset(struct request *r)
{
	struct iovec iov;
	if (r->addr > UINT32_MAX)
		return -EINVAL;
	if (get_user(iov, UADDR(r->data)))
		return -EFAULT;
	size_t n = iov.iov_len;
	uaddr_t at = UADDR(iov.iov_base);
	int err = r->nr == PTRACE_GETREGSET
			  ? trace_regset_get(r->t, (uint32_t)r->addr, at, &n)
			  : trace_regset_set(r->t, (uint32_t)r->addr, at, &n);
	if (err)
		return err;
	iov.iov_len = n;
	return put_user(UADDR(r->data), iov);
}

/* ---- signals ---- */

static int64_t get_siginfo(struct request *r)
{
	const siginfo_t *info = r->t->trace.info;
	return info ? put_user(UADDR(r->data), *info) : -EINVAL;
}

static int64_t set_siginfo(struct request *r)
{
	siginfo_t info;
	if (get_user(info, UADDR(r->data)))
		return -EFAULT;
	if (!r->t->trace.info)
		return -EINVAL;
	*r->t->trace.info = info;
	return 0;
}

static int64_t peek_siginfo(struct request *r)
{
	struct ptrace_peeksiginfo_args a;
	uaddr_t to = UADDR(r->data);
	siginfo_t info;
	int64_t done = 0;
	if (get_user(a, UADDR(r->addr)))
		return -EFAULT;
	if ((a.flags & ~(uint32_t)PTRACE_PEEKSIGINFO_SHARED) || a.nr < 0)
		return -EINVAL;
	while (done < a.nr && signal_peek(r->t, a.flags, a.off + (uint64_t)done, &info)) {
		if (put_user(uaddr_add(to, (uint64_t)done * sizeof info), info))
			return done ? done : -EFAULT;
		done++;
	}
	return done;
}

static int64_t get_sigmask(struct request *r)
{
	struct task *t = r->t;
	if (r->addr != sizeof(sigset64_t))
		return -EINVAL;
	bool saved = thread_work(&t->thread) & WORK_RESTORE_SIGMASK;
	return put_user(UADDR(r->data), saved ? t->saved_blocked : t->blocked);
}

static int64_t set_sigmask(struct request *r)
{
	struct task *t = r->t;
	sigset64_t mask;
	if (r->addr != sizeof mask)
		return -EINVAL;
	if (get_user(mask, UADDR(r->data)))
		return -EFAULT;
	uint64_t flags = spin_lock_irq(&t->process->lock);
	thread_clear_work(&t->thread, WORK_RESTORE_SIGMASK);
	t->blocked = mask & ~SIGSET_NEVER_BLOCKED;
	thread_set_work(&t->thread, WORK_SIGNAL); /* it looks again */
	spin_unlock_irq(&t->process->lock, flags);
	return 0;
}

/* ---- what the stop is about ---- */

static int64_t get_event_message(struct request *r)
{
	return put_user(UADDR(r->data), r->t->trace.message);
}

static void describe_entry(const struct pt_regs *regs, struct ptrace_syscall_info *i)
{
	const uint64_t args[6] = { regs->rdi, regs->rsi, regs->rdx,
				   regs->r10, regs->r8,	 regs->r9 };
	i->op = PTRACE_SYSCALL_INFO_ENTRY;
	i->entry.nr = regs->orig_rax;
	memcpy(i->entry.args, args, sizeof args);
}

/* The same, and what the filter says to it. */
static void describe_seccomp(const struct pt_regs *regs, uint64_t data,
			     struct ptrace_syscall_info *i)
{
	describe_entry(regs, i);
	i->op = PTRACE_SYSCALL_INFO_SECCOMP;
	i->seccomp.ret_data = (uint32_t)data;
}

static void describe_exit(const struct pt_regs *regs, struct ptrace_syscall_info *i)
{
	int64_t v = (int64_t)regs->rax;
	i->op = PTRACE_SYSCALL_INFO_EXIT;
	i->exit.rval = v;
	i->exit.is_error = v < 0 && v >= -4095;
}

static int64_t get_syscall_info(struct request *r)
{
	const struct trace *tr = &r->t->trace;
	const struct pt_regs *regs = task_user_regs(r->t);
	struct ptrace_syscall_info i = {
		.arch = AUDIT_ARCH_X86_64,
		.instruction_pointer = regs->rip,
		.stack_pointer = regs->rsp,
	};
	size_t size = offsetof(struct ptrace_syscall_info, entry);
	bool call = tr->info && tr->info->si_code == (SIGTRAP | 0x80);
	if (call && tr->message == PTRACE_EVENTMSG_SYSCALL_ENTRY) {
		describe_entry(regs, &i);
		size = offsetof(struct ptrace_syscall_info, entry.args[6]);
	} else if (call && tr->message == PTRACE_EVENTMSG_SYSCALL_EXIT) {
		describe_exit(regs, &i);
		size = offsetof(struct ptrace_syscall_info, exit.is_error) + 1;
	}
	if (tr->info && tr->info->si_code == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8)) {
		describe_seccomp(regs, tr->message, &i);
		size = offsetof(struct ptrace_syscall_info, seccomp.ret_data) +
		       sizeof i.seccomp.ret_data;
	}
	if (copy_out(UADDR(r->data), &i, MIN(size, r->addr)))
		return -EFAULT;
	return (int64_t)size;
}

/* ---- its filters ---- */

static int64_t get_filter(struct request *r)
{
	return seccomp_peek(r->t, r->addr, UADDR(r->data));
}

static int64_t get_metadata(struct request *r)
{
	return seccomp_peek_metadata(r->t, r->addr, UADDR(r->data));
}

/* ---- options ---- */

static int64_t set_options(struct request *r)
{
	if (r->data & ~(uint64_t)OPTIONS_KNOWN)
		return -EINVAL;
	uint64_t flags = spin_lock_irq(&r->t->process->lock);
	r->t->trace.options = (uint32_t)r->data;
	spin_unlock_irq(&r->t->process->lock, flags);
	return 0;
}

/* ---- going on ---- */

/* The signal that it goes on with; its siginfo is ours when it is not the stop's. */
static void inject(struct task *t, int sig)
{
	siginfo_t *info = t->trace.info;
	if (sig && info && info->si_signo != sig)
		signal_info_user(info, sig, SI_USER);
	t->trace.inject = sig;
}

/* process->lock held; tracee_thaw wakes it. */
static void set_running(struct task *t, int sig)
{
	inject(t, sig);
	t->trace.stopped = t->trace.waitable = false;
}

static int64_t resume(struct request *r)
{
	struct task *t = r->t;
	struct trace *tr = &t->trace;
	bool step = r->nr == PTRACE_SINGLESTEP || r->nr == PTRACE_SYSEMU_SINGLESTEP;
	if (r->data > SIGNAL_MAX)
		return -EIO;
	uint64_t flags = spin_lock_irq(&t->process->lock);
	tr->calls = r->nr == PTRACE_SYSCALL;
	tr->sysemu = r->nr == PTRACE_SYSEMU || r->nr == PTRACE_SYSEMU_SINGLESTEP;
	(step ? trace_step_on : trace_step_off)(t);
	if (tr->calls || tr->sysemu || tr->step)
		thread_set_work(&t->thread, WORK_TRACE);
	else
		thread_clear_work(&t->thread, WORK_TRACE);
	set_running(t, (int)r->data);
	spin_unlock_irq(&t->process->lock, flags);
	return 0;
}

static int64_t detach(struct request *r)
{
	struct task *t = r->t;
	if (r->data > SIGNAL_MAX)
		return -EIO;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	spin_lock(&t->process->lock);
	set_running(t, (int)r->data);
	trace_step_off(t);
	trace_unlink(t);
	spin_unlock(&t->process->lock);
	spin_unlock_irq(&tasklist_lock, flags);
	return 0;
}

/* Back to what it was: stopped, but so that wait tells of what happens to it. */
static int64_t listen(struct request *r)
{
	struct trace *tr = &r->t->trace;
	int64_t err = -EIO;
	uint64_t flags = spin_lock_irq(&r->t->process->lock);
	if (tr->seized && tr->info && EVENT_OF(tr->info->si_code) == PTRACE_EVENT_STOP) {
		tr->listening = true;
		if (tr->trap_notify) /* something has happened already */
			tr->stopped = false;
		err = 0;
	}
	spin_unlock_irq(&r->t->process->lock, flags);
	return err;
}

/* ---- without a stop ---- */

static int64_t kill(struct request *r)
{
	siginfo_t info;
	signal_info_user(&info, SIGKILL, SI_USER);
	(void)signal_send_task(r->t, SIGKILL, &info);
	return 0;
}

static int64_t interrupt(struct request *r)
{
	struct trace *tr = &r->t->trace;
	if (!tr->seized)
		return -EIO;
	uint64_t flags = spin_lock_irq(&r->t->process->lock);
	tr->trap_stop = true;
	thread_set_work(&r->t->thread, WORK_STOP);
	if (tr->stopped && tr->listening) {
		tr->stopped = false;
		sched_wake_state(&r->t->thread, BIT(THREAD_STOPPED));
	}
	spin_unlock_irq(&r->t->process->lock, flags);
	return 0;
}

/* ---- the table ---- */

static const struct {
	int64_t nr;
	int64_t (*fn)(struct request *r);
	bool any_state; /* the tracee need not be in a stop */
} requests[] = {
	{ PTRACE_PEEKTEXT, peek, false },
	{ PTRACE_PEEKDATA, peek, false },
	{ PTRACE_POKETEXT, poke, false },
	{ PTRACE_POKEDATA, poke, false },
	{ PTRACE_PEEKUSR, peek_user, false },
	{ PTRACE_POKEUSR, poke_user, false },
	{ PTRACE_GETREGS, get_regs, false },
	{ PTRACE_SETREGS, set_regs, false },
	{ PTRACE_GETFPREGS, get_fpregs, false },
	{ PTRACE_SETFPREGS, set_fpregs, false },
	{ PTRACE_GETREGSET, regset, false },
	{ PTRACE_SETREGSET, regset, false },
	{ PTRACE_GETSIGINFO, get_siginfo, false },
	{ PTRACE_SETSIGINFO, set_siginfo, false },
	{ PTRACE_PEEKSIGINFO, peek_siginfo, false },
	{ PTRACE_GETSIGMASK, get_sigmask, false },
	{ PTRACE_SETSIGMASK, set_sigmask, false },
	{ PTRACE_GETEVENTMSG, get_event_message, false },
	{ PTRACE_GET_SYSCALL_INFO, get_syscall_info, false },
	{ PTRACE_SECCOMP_GET_FILTER, get_filter, false },
	{ PTRACE_SECCOMP_GET_METADATA, get_metadata, false },
	{ PTRACE_SETOPTIONS, set_options, false },
	{ PTRACE_OLDSETOPTIONS, set_options, false },
	{ PTRACE_CONT, resume, false },
	{ PTRACE_SYSCALL, resume, false },
	{ PTRACE_SINGLESTEP, resume, false },
	{ PTRACE_SYSEMU, resume, false },
	{ PTRACE_SYSEMU_SINGLESTEP, resume, false },
	{ PTRACE_DETACH, detach, false },
	{ PTRACE_LISTEN, listen, false },
	{ PTRACE_INTERRUPT, interrupt, true },
	{ PTRACE_KILL, kill, true },
};

static bool is_tracee(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	bool mine = t->trace.tracer == task_current();
	spin_unlock_irq(&t->process->lock, flags);
	return mine;
}

static int64_t dispatch(struct request *r)
{
	size_t i = 0;
	while (i < ARRAY_LEN(requests) && requests[i].nr != r->nr)
		i++;
	if (i < ARRAY_LEN(requests) && requests[i].any_state)
		return is_tracee(r->t) ? requests[i].fn(r) : -ESRCH;
	int64_t err = tracee_freeze(r->t);
	if (err)
		return err;
	err = i < ARRAY_LEN(requests) ? requests[i].fn(r) : -EIO;
	tracee_thaw(r->t);
	return err;
}

static int64_t attach(const struct request *r)
{
	bool seize = r->nr == PTRACE_SEIZE;
	if (seize && (r->addr || (r->data & ~(uint64_t)OPTIONS_KNOWN)))
		return -EIO;
	return trace_attach(r->t, seize, seize ? (uint32_t)r->data : 0);
}

int64_t ptrace_request(int64_t request, int32_t tid, uint64_t addr, uint64_t data)
{
	if (request == PTRACE_TRACEME)
		return trace_me();
	struct request r = { task_find(tid), request, addr, data };
	if (!r.t)
		return -ESRCH;
	bool attaches = request == PTRACE_ATTACH || request == PTRACE_SEIZE;
	int64_t ret = attaches ? attach(&r) : dispatch(&r);
	task_put(r.t);
	return ret;
}
