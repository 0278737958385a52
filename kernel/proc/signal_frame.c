/*
 * Signal frames as x86-64 Linux programs expect them (asm/ucontext.h, asm/sigcontext.h):
 * from the handler's stack pointer up: return address, ucontext, siginfo, and above them,
 * on a 64-byte boundary, the FPU state in XSAVE's standard format.
 *
 * What sigreturn finds there is the user's word. Registers that could reach the kernel
 * are cleaned: segments are user mode's, of the flags only the arithmetic ones, TF and AC
 * are taken, the XSAVE image goes through arch_fpu_sanitize; arch refuses an %rip out of
 * range.
 */
#include <asm/errno.h>
#include <linux/signal.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>

#include "core/panic.h"
#include "lib/string.h"
#include "proc/proc.h"

#define USER_CS 0x33
#define USER_SS 0x2b
#define RED_ZONE 128
#define XSAVE_HEADER_AT 512 /* Intel SDM 1, 13.4.2 */
#define XSAVE_MIN (512 + 64)
#define XFEATURE_FP_SSE 3ull

/* Flags a program may set through sigreturn: RF OF DF TF SF ZF AF PF CF, AC. */
#define FLAGS_RESTORED 0x00050dd5ull
#define FLAG_TF 0x100ull
#define FLAG_RF 0x10000ull
#define FLAG_DF 0x400ull

struct rt_sigframe {
	uint64_t return_to;
	struct ucontext uc;
	siginfo_t info;
};

size_t sigframe_max_size(void)
{
	return RED_ZONE + sizeof(struct rt_sigframe) + arch_xsave_size() +
	       FP_XSTATE_MAGIC2_SIZE + 64 + 16;
}

/* ---- the alternate stack ---- */

static bool on_altstack(const struct task *t, uint64_t sp)
{
	if (t->sigaltstack_flags & SS_AUTODISARM)
		return false;
	return sp > t->sigaltstack.va && sp - t->sigaltstack.va <= t->sigaltstack_size;
}

static uint32_t altstack_state(const struct task *t, uint64_t sp)
{
	if (!t->sigaltstack_size)
		return SS_DISABLE;
	return on_altstack(t, sp) ? SS_ONSTACK : 0;
}

static void altstack_disarm(struct task *t)
{
	t->sigaltstack = UADDR_NULL;
	t->sigaltstack_size = 0;
	t->sigaltstack_flags = SS_DISABLE;
}

void sigaltstack_get(stack_t *ret, uint64_t sp)
{
	const struct task *t = task_current();
	*ret = (stack_t){ 0 };
	ret->ss_sp = (void *)t->sigaltstack.va;
	ret->ss_size = t->sigaltstack_size;
	ret->ss_flags =
		(int)(altstack_state(t, sp) | (t->sigaltstack_flags & SS_AUTODISARM));
}

static int altstack_set(const stack_t *ss, uint64_t sp, size_t min)
{
	struct task *t = task_current();
	uint32_t mode = (uint32_t)ss->ss_flags & ~(uint32_t)SS_AUTODISARM;
	if (on_altstack(t, sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		altstack_disarm(t);
		return 0;
	}
	/* What changes nothing is not looked at any further. */
	if ((uint64_t)ss->ss_sp == t->sigaltstack.va &&
	    ss->ss_size == t->sigaltstack_size &&
	    (uint32_t)ss->ss_flags == t->sigaltstack_flags)
		return 0;
	if (ss->ss_size < min)
		return -ENOMEM;
	t->sigaltstack = UADDR((uint64_t)ss->ss_sp);
	t->sigaltstack_size = ss->ss_size;
	t->sigaltstack_flags = (uint32_t)ss->ss_flags;
	return 0;
}

int sigaltstack_set(const stack_t *ss, uint64_t sp)
{
	return altstack_set(ss, sp, MINSIGSTKSZ);
}

/* ---- FPU state ---- */

static uint64_t *xstate_bv(void *xsave)
{
	return (uint64_t *)((char *)xsave + XSAVE_HEADER_AT);
}

/* Components beyond SSE that are in their initial state are left out of the frame. */
static size_t fpu_frame_size(void *xsave)
{
	size_t full = arch_xsave_size();
	if (full > XSAVE_MIN && (*xstate_bv(xsave) & ~XFEATURE_FP_SSE))
		return full;
	return MIN(full, (size_t)XSAVE_MIN);
}

static int fpu_push(struct arch_thread *a, uaddr_t to, size_t size)
{
	static const uint32_t magic2 = FP_XSTATE_MAGIC2;
	struct _fpx_sw_bytes sw = {
		.magic1 = FP_XSTATE_MAGIC1,
		.extended_size = (uint32_t)(size + FP_XSTATE_MAGIC2_SIZE),
		.xfeatures = *xstate_bv(a->xsave) | XFEATURE_FP_SSE,
		.xstate_size = (uint32_t)size,
	};
	struct _fpstate_64 *legacy = a->xsave;
	memcpy(&legacy->sw_reserved, &sw, sizeof sw);
	*xstate_bv(a->xsave) |= XFEATURE_FP_SSE;
	int err = copy_out(to, a->xsave, size);
	if (!err)
		err = copy_out(uaddr_add(to, size), &magic2, sizeof magic2);
	return err;
}

/* Whether the frame at `from` holds more than FXSAVE's state; its size and components
 * then. */
static bool fpu_extended(uaddr_t from, const struct _fpx_sw_bytes *sw)
{
	uint32_t magic2;
	if (sw->magic1 != FP_XSTATE_MAGIC1 || sw->xstate_size < XSAVE_MIN ||
	    sw->xstate_size > arch_xsave_size() ||
	    sw->extended_size < sw->xstate_size + FP_XSTATE_MAGIC2_SIZE)
		return false;
	return !get_user(magic2, uaddr_add(from, sw->xstate_size)) &&
	       magic2 == FP_XSTATE_MAGIC2;
}

static int fpu_pop_into(void *xsave, uaddr_t from)
{
	size_t full = arch_xsave_size();
	struct _fpstate_64 *legacy = xsave;
	struct _fpx_sw_bytes sw;
	int err = copy_in(xsave, from, sizeof *legacy);
	if (err)
		return err;
	memcpy(&sw, &legacy->sw_reserved, sizeof sw);
	memset((char *)xsave + sizeof *legacy, 0, full - sizeof *legacy);
	if (!fpu_extended(from, &sw)) {
		if (full >= XSAVE_MIN)
			*xstate_bv(xsave) = XFEATURE_FP_SSE;
	} else {
		err = copy_in((char *)xsave + sizeof *legacy,
			      uaddr_add(from, sizeof *legacy),
			      sw.xstate_size - sizeof *legacy);
		*xstate_bv(xsave) &= sw.xfeatures;
	}
	return err ? err : arch_fpu_sanitize(xsave, full);
}

/* The registers are the user's until the image is known to be good. */
static int fpu_pop(uaddr_t from)
{
	struct arch_thread *a = &thread_current()->arch;
	arch_fpu_take(a);
	int err = 0;
	if (from.va)
		err = fpu_pop_into(a->xsave, from);
	if (err || !from.va)
		arch_fpu_init(a->xsave);
	arch_fpu_reload(a);
	return err;
}

/* ---- pushing ---- */

static void save_registers(struct sigcontext *sc, const struct pt_regs *r,
			   const struct task *t)
{
	*sc = (struct sigcontext){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rdi = r->rdi,
		.rsi = r->rsi,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.rdx = r->rdx,
		.rax = r->rax,
		.rcx = r->rcx,
		.rsp = r->rsp,
		.rip = r->rip,
		.eflags = r->eflags,
		.cs = USER_CS,
		.ss = USER_SS,
		.trapno = t->trap_vector,
		.err = t->trap_error,
		.cr2 = t->trap_va,
		.oldmask = t->blocked,
	};
}

/* Where the stack of the handler starts: 0 if it would not be safe to use. */
static uint64_t choose_stack(struct task *t, const struct pt_regs *regs, uint64_t flags)
{
	uint64_t sp = regs->rsp - RED_ZONE;
	bool nested = on_altstack(t, regs->rsp);
	if ((flags & SA_ONSTACK) && altstack_state(t, regs->rsp) == 0)
		return t->sigaltstack.va + t->sigaltstack_size;
	/* Overflowing the alternate stack is the end, not silent damage below it. */
	if (nested && !on_altstack(t, sp - sigframe_max_size() + RED_ZONE))
		return 0;
	return sp;
}

int sigframe_push(struct pt_regs *regs, int sig, const siginfo_t *info,
		  const struct sigaction *act)
{
	struct task *t = task_current();
	struct arch_thread *a = &t->thread.arch;
	arch_fpu_sync(a);
	size_t fpu_size = fpu_frame_size(a->xsave);
	uint64_t sp = choose_stack(t, regs, act->sa_flags);
	if (!sp || !(act->sa_flags & SA_RESTORER))
		return -EFAULT;
	uint64_t fpu_at = ALIGN_DOWN(sp - fpu_size - FP_XSTATE_MAGIC2_SIZE, 64);
	uint64_t at = ALIGN_DOWN(fpu_at - sizeof(struct rt_sigframe), 16) - 8;
	bool restore = thread_work(&t->thread) & WORK_RESTORE_SIGMASK;

	struct rt_sigframe f = { .return_to = (uint64_t)act->sa_restorer };
	f.uc.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	/* As it was set, not as it is: what sigreturn sets again changes nothing. */
	f.uc.uc_stack.ss_sp = (void *)t->sigaltstack.va;
	f.uc.uc_stack.ss_size = t->sigaltstack_size;
	f.uc.uc_stack.ss_flags = (int)t->sigaltstack_flags;
	save_registers(&f.uc.uc_mcontext, regs, t);
	f.uc.uc_mcontext.fpstate = (struct _fpstate *)fpu_at;
	f.uc.uc_sigmask = restore ? t->saved_blocked : t->blocked;
	f.info = *info;
	if (fpu_push(a, UADDR(fpu_at), fpu_size) || copy_out(UADDR(at), &f, sizeof f))
		return -EFAULT;

	if (t->sigaltstack_flags & SS_AUTODISARM)
		altstack_disarm(t);
	regs->rdi = (uint64_t)sig;
	regs->rsi = at + offsetof(struct rt_sigframe, info);
	regs->rdx = at + offsetof(struct rt_sigframe, uc);
	regs->rax = 0;
	regs->rsp = at;
	regs->rip = (uint64_t)act->sa_handler;
	regs->eflags &= ~(FLAG_DF | FLAG_RF | FLAG_TF);
	regs->orig_rax = ~0ull;
	return 0;
}

/* ---- popping ---- */

static void load_registers(struct pt_regs *r, const struct sigcontext *sc)
{
	*r = (struct pt_regs){
		.r8 = sc->r8,
		.r9 = sc->r9,
		.r10 = sc->r10,
		.r11 = sc->r11,
		.r12 = sc->r12,
		.r13 = sc->r13,
		.r14 = sc->r14,
		.r15 = sc->r15,
		.rdi = sc->rdi,
		.rsi = sc->rsi,
		.rbp = sc->rbp,
		.rbx = sc->rbx,
		.rdx = sc->rdx,
		.rax = sc->rax,
		.rcx = sc->rcx,
		.rsp = sc->rsp,
		.rip = sc->rip,
		.cs = USER_CS,
		.ss = USER_SS,
		.eflags = (r->eflags & ~FLAGS_RESTORED) | (sc->eflags & FLAGS_RESTORED),
		.orig_rax = ~0ull,
	};
}

int64_t sigframe_pop(struct pt_regs *regs)
{
	struct rt_sigframe f;
	uaddr_t at = UADDR(regs->rsp - 8);
	int err = copy_in(&f.uc, uaddr_add(at, offsetof(struct rt_sigframe, uc)),
			  sizeof f.uc);
	if (err) {
		signal_force(SIGSEGV, NULL);
		return 0;
	}
	sigmask_set(f.uc.uc_sigmask);
	load_registers(regs, &f.uc.uc_mcontext);
	/* The signal for a bad image finds the program where it was interrupted. In the
	 * restorer, a handler that returns would come to the same image for ever. */
	if (fpu_pop(UADDR((uint64_t)f.uc.uc_mcontext.fpstate))) {
		signal_force(SIGSEGV, NULL);
		return 0;
	}
	/* As Linux: the frame's stack settings come back, errors are nobody's to hear. */
	(void)altstack_set(&f.uc.uc_stack, regs->rsp, MINSIGSTKSZ);
	return (int64_t)regs->rax;
}
