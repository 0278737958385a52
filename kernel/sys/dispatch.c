/*
 * From a trap to a handler: one bit test, one indirect call.
 *
 * Number and arguments come from the saved registers. The number is the low 32 bits of
 * %rax, as on Linux; x32 numbers (bit 30) are beyond the table and so do not exist.
 */
#include "sys/dispatch.h"
#include "arch/upcall.h"
#include "core/sched.h"
#include "core/wait.h"
#include "fs/vfs.h"
#include "lib/syscall_table.h"
#include "proc/audit.h"
#include "proc/policy.h"
#include "proc/ptrace.h"
#include "sys/calltrace.h"
#include "sys/gate.h"
#include "sys/syscall.h"
#include "sys/user_dispatch.h"

/* From a register to an argument of each kind. */
#define TAKE_fd(r) ((int32_t)(r))
#define TAKE_dirfd(r) ((int32_t)(r))
#define TAKE_pid(r) ((int32_t)(r))
#define TAKE_sig(r) ((int32_t)(r))
#define TAKE_i32(r) ((int32_t)(r))
#define TAKE_u32(r) ((uint32_t)(r))
#define TAKE_flags(r) ((uint32_t)(r))
#define TAKE_mode(r) ((uint32_t)(r))
#define TAKE_uid(r) ((uint32_t)(r))
#define TAKE_gid(r) ((uint32_t)(r))
#define TAKE_i64(r) ((int64_t)(r))
#define TAKE_off(r) ((int64_t)(r))
#define TAKE_u64(r) (r)
#define TAKE_flags64(r) (r)
#define TAKE_size(r) (r)
#define TAKE_addr(r) (r)
#define TAKE_path(r) UADDR(r)
#define TAKE_str(r) UADDR(r)
#define TAKE_in(r) UADDR(r)
#define TAKE_out(r) UADDR(r)
#define TAKE_inout(r) UADDR(r)
#define TAKE_iovin(r) UADDR(r)
#define TAKE_iovout(r) UADDR(r)
#define TAKE_msgin(r) UADDR(r)
#define TAKE_msgout(r) UADDR(r)
#define TAKE_strv(r) UADDR(r)
#define TAKE_ptrv(r) UADDR(r)
#define TAKE_ptr(r) (r)

/* One adapter for each row that has a handler; the other states leave nothing. */
#define ADAPT_full(name, call) ADAPT(name, call)
#define ADAPT_partial(name, call) ADAPT(name, call)
#define ADAPT_refused(name, call)
#define ADAPT_none(name, call)
#define ADAPT(name, call)                                                                \
	static int64_t call_##name(const struct pt_regs *r)                              \
	{                                                                                \
		(void)r;                                                                 \
		return sys_##name call;                                                  \
	}

#define SYSCALL0(nr, name, state, group, audit) ADAPT_##state(name, ())
#define SYSCALL1(nr, name, state, group, audit, t1, n1)                                  \
	ADAPT_##state(name, (TAKE_##t1(r->rdi)))
#define SYSCALL2(nr, name, state, group, audit, t1, n1, t2, n2)                          \
	ADAPT_##state(name, (TAKE_##t1(r->rdi), TAKE_##t2(r->rsi)))
#define SYSCALL3(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3)                  \
	ADAPT_##state(name, (TAKE_##t1(r->rdi), TAKE_##t2(r->rsi), TAKE_##t3(r->rdx)))
#define SYSCALL4(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4)          \
	ADAPT_##state(name, (TAKE_##t1(r->rdi), TAKE_##t2(r->rsi), TAKE_##t3(r->rdx),    \
			     TAKE_##t4(r->r10)))
#define SYSCALL5(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)  \
	ADAPT_##state(name, (TAKE_##t1(r->rdi), TAKE_##t2(r->rsi), TAKE_##t3(r->rdx),    \
			     TAKE_##t4(r->r10), TAKE_##t5(r->r8)))
#define SYSCALL6(nr, name, state, group, audit, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5,  \
		 t6, n6)                                                                 \
	ADAPT_##state(name, (TAKE_##t1(r->rdi), TAKE_##t2(r->rsi), TAKE_##t3(r->rdx),    \
			     TAKE_##t4(r->r10), TAKE_##t5(r->r8), TAKE_##t6(r->r9)))
#include "lib/abi/syscalls.def"
#undef SYSCALL0
#undef SYSCALL1
#undef SYSCALL2
#undef SYSCALL3
#undef SYSCALL4
#undef SYSCALL5
#undef SYSCALL6

#define HANDLER_full(name) call_##name
#define HANDLER_partial(name) call_##name
#define HANDLER_refused(name) NULL
#define HANDLER_none(name) NULL
#define SYSCALL0(nr, name, state, ...) [nr] = { HANDLER_##state(name), #name },
#define SYSCALL1 SYSCALL0
#define SYSCALL2 SYSCALL0
#define SYSCALL3 SYSCALL0
#define SYSCALL4 SYSCALL0
#define SYSCALL5 SYSCALL0
#define SYSCALL6 SYSCALL0

static const struct {
	int64_t (*fn)(const struct pt_regs *regs); /* NULL: ENOSYS */
	const char *name;			   /* NULL: a number Linux does not use */
} table[] = {
#include "lib/abi/syscalls.def"
};

#define TABLE_LEN ARRAY_LEN(table)

static _Atomic uint64_t refused[TABLE_LEN]; /* calls that found no handler */
static _Atomic uint64_t refused_unknown;    /* and numbers beyond the table */

static cold int64_t refuse(uint32_t nr, const struct pt_regs *regs)
{
	if (nr == POLICY_SYSCALL)
		return sys_mayfly_policy((uint32_t)regs->rdi, UADDR(regs->rsi),
					 regs->rdx);
	uint64_t *count = (uint64_t *)(nr < TABLE_LEN ? &refused[nr] : &refused_unknown);
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
	return -ENOSYS;
}

/* A call that wants to be restarted passes through the signal code even when the signal
 * that interrupted it is gone by now. */
static bool is_restart(int64_t result)
{
	return result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

/* What it gave by name, and the process: the first of each. */
static cold void tell_audit(const struct pt_regs *regs, int64_t result)
{
	const uint64_t arg[] = { regs->rdi, regs->rsi, regs->rdx,
				 regs->r10, regs->r8,  regs->r9 };
	const struct syscall_row *row = syscall_row((uint32_t)regs->orig_rax);
	const char *named = NULL;
	int32_t object = 0;
	for (size_t i = 0; row && i < ARRAY_LEN(arg); i++) {
		if (!named && row->kinds[i] == KIND_path)
			named = name_recall(UADDR(arg[i]));
		if (!object && row->kinds[i] == KIND_pid)
			object = (int32_t)arg[i];
	}
	audit_call_end(result, named, object);
}

static inline void carry_out(struct pt_regs *regs)
{
	uint32_t nr = (uint32_t)regs->orig_rax;
	int64_t result;
	if (unlikely(gate_asks(thread_current(), nr))) {
		if (!gate_check(regs))
			return;
		nr = (uint32_t)regs->orig_rax;
	}
	if (likely(nr < TABLE_LEN && table[nr].fn))
		result = table[nr].fn(regs);
	else
		result = refuse(nr, regs);
	if (unlikely(thread_current()->notes || audit_is_denial(result)))
		tell_audit(regs, result);
	if (unlikely(is_restart(result)))
		thread_set_work(thread_current(), WORK_SIGNAL);
	regs->rax = (uint64_t)result;
}

/* What the program keeps for itself nobody else sees. The tracer may change number and
 * arguments on the way in, the result on the way out, and start or stop watching in
 * between; the record tells of the call as it was carried out. */
static cold void carry_out_watched(struct pt_regs *regs)
{
	const struct thread *t = thread_current();
	if ((thread_work(t) & WORK_DISPATCH) && user_dispatch(regs))
		return;
	bool goes_on = !(thread_work(t) & WORK_TRACE) || trace_syscall_enter(regs);
	uint64_t nr = (uint32_t)regs->orig_rax;
	if (goes_on && (thread_work(t) & WORK_RECORD))
		goes_on = calltrace_enter(regs);
	if (goes_on) {
		carry_out(regs);
		if (thread_work(t) & WORK_RECORD)
			calltrace_exit(nr, regs);
	}
	if (thread_work(t) & WORK_TRACE)
		trace_syscall_exit(regs);
}

void upcall_syscall(struct pt_regs *regs)
{
	const struct thread *t = thread_current();
	if (unlikely(thread_work(t) & WORK_LASTING)) {
		carry_out_watched(regs);
		return;
	}
	carry_out(regs);
	/* Somebody began to watch in between. */
	if (unlikely(thread_work(t) & WORK_TRACE))
		trace_syscall_exit(regs);
}

bool syscall_refused_get(uint32_t i, const char **ret_name, uint64_t *ret_count)
{
	if (i > TABLE_LEN)
		return false;
	if (i == TABLE_LEN) {
		*ret_name = "unknown";
		*ret_count =
			__atomic_load_n((uint64_t *)&refused_unknown, __ATOMIC_RELAXED);
	} else {
		*ret_name = table[i].name ? table[i].name : "unused";
		*ret_count = __atomic_load_n((uint64_t *)&refused[i], __ATOMIC_RELAXED);
	}
	return true;
}

bool syscall_exists(uint32_t nr)
{
	return nr < TABLE_LEN && table[nr].fn;
}

const char *syscall_name(uint32_t nr)
{
	return nr < TABLE_LEN ? table[nr].name : NULL;
}
