/* prctl: one function per option, in a table. */
#include <linux/prctl.h>

#include "proc/cred_change.h"
#include "proc/proc.h"
#include "proc/seccomp.h"
#include "sys/syscall.h"
#include "sys/user_dispatch.h"

#define NAME_SIZE 16

struct args {
	uint64_t a[4]; /* arg2 to arg5 */
};

static int64_t set_name(const struct args *x)
{
	char name[NAME_SIZE] = { 0 };
	struct task *t = task_current();
	int64_t n = copy_in_str(name, UADDR(x->a[0]), NAME_SIZE - 1);
	if (n < 0 && n != -ENAMETOOLONG)
		return n;
	uint64_t flags = spin_lock_irq(&t->process->lock);
	__builtin_memcpy(t->thread.name, name, NAME_SIZE);
	spin_unlock_irq(&t->process->lock, flags);
	return 0;
}

static int64_t get_name(const struct args *x)
{
	return copy_out(UADDR(x->a[0]), thread_current()->name, NAME_SIZE);
}

static int64_t set_pdeathsig(const struct args *x)
{
	if (x->a[0] > SIGNAL_MAX)
		return -EINVAL;
	task_current()->pdeath_signal = (int32_t)x->a[0];
	return 0;
}

static int64_t get_pdeathsig(const struct args *x)
{
	return put_user(UADDR(x->a[0]), task_current()->pdeath_signal);
}

static int64_t get_dumpable(const struct args *x)
{
	(void)x;
	return thread_current()->space->dumpable;
}

static int64_t set_dumpable(const struct args *x)
{
	if (x->a[0] > 1)
		return -EINVAL;
	thread_current()->space->dumpable = x->a[0];
	return 0;
}

static int64_t set_no_new_privs(const struct args *x)
{
	if (x->a[0] != 1 || x->a[1] || x->a[2] || x->a[3])
		return -EINVAL;
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	c->no_new_privs = true;
	return cred_change_commit(c);
}

static int64_t get_no_new_privs(const struct args *x)
{
	if (x->a[0] || x->a[1] || x->a[2] || x->a[3])
		return -EINVAL;
	return task_no_new_privs(task_current());
}

static int64_t set_subreaper(const struct args *x)
{
	process_current()->is_subreaper = x->a[0];
	return 0;
}

static int64_t get_subreaper(const struct args *x)
{
	const int32_t v = process_current()->is_subreaper;
	return put_user(UADDR(x->a[0]), v);
}

static int64_t get_keepcaps(const struct args *x)
{
	(void)x;
	return !!(thread_current()->cred->securebits & SECBIT_KEEP_CAPS);
}

static int64_t set_securebits_to(uint32_t bits)
{
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	c->securebits = bits;
	return cred_change_commit(c);
}

static int64_t set_keepcaps(const struct args *x)
{
	uint32_t bits = thread_current()->cred->securebits;
	if (x->a[0] > 1)
		return -EINVAL;
	if (bits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	bits &= ~(uint32_t)SECBIT_KEEP_CAPS;
	return set_securebits_to(bits | (x->a[0] ? SECBIT_KEEP_CAPS : 0u));
}

static int64_t get_securebits(const struct args *x)
{
	(void)x;
	return thread_current()->cred->securebits;
}

static int64_t set_securebits(const struct args *x)
{
	uint32_t old = thread_current()->cred->securebits,
		 locked = old & SECURE_ALL_LOCKS;
	uint64_t new = x->a[0];
	if (new & ~(uint64_t)(SECURE_ALL_BITS | SECURE_ALL_LOCKS))
		return -EPERM;
	if ((locked & ~new) || ((old ^ new) & (locked >> 1)) ||
	    !cred_has_cap(thread_current()->cred, CAP_SETPCAP))
		return cred_not_allowed();
	return set_securebits_to((uint32_t) new);
}

static int64_t capbset_read(const struct args *x)
{
	if (x->a[0] > CAP_LAST_CAP)
		return -EINVAL;
	return !!(thread_current()->cred->cap_bounding & BIT(x->a[0]));
}

static int64_t capbset_drop(const struct args *x)
{
	if (!cred_has_cap(thread_current()->cred, CAP_SETPCAP))
		return cred_not_allowed();
	if (x->a[0] > CAP_LAST_CAP)
		return -EINVAL;
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	c->cap_bounding &= ~BIT(x->a[0]);
	return cred_change_commit(c);
}

static int64_t cap_ambient(const struct args *x)
{
	const struct cred *me = thread_current()->cred;
	uint64_t op = x->a[0], cap = x->a[1], bit = BIT(cap & 63), set = me->cap_ambient;
	if (x->a[2] || x->a[3] ||
	    (op == PR_CAP_AMBIENT_CLEAR_ALL ? cap : cap > CAP_LAST_CAP))
		return -EINVAL;
	switch (op) {
	case PR_CAP_AMBIENT_IS_SET:
		return !!(set & bit);
	case PR_CAP_AMBIENT_CLEAR_ALL:
		set = 0;
		break;
	case PR_CAP_AMBIENT_LOWER:
		set &= ~bit;
		break;
	case PR_CAP_AMBIENT_RAISE:
		if (!(me->cap_permitted & me->cap_inheritable & bit) ||
		    (me->securebits & SECBIT_NO_CAP_AMBIENT_RAISE))
			return cred_not_allowed();
		set |= bit;
		break;
	default:
		return -EINVAL;
	}
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	c->cap_ambient = set;
	return cred_change_commit(c);
}

static int64_t get_timerslack(const struct args *x)
{
	(void)x;
	return (int64_t)task_current()->timer_slack_ns;
}

static int64_t set_timerslack(const struct args *x)
{
	struct task *t = task_current();
	t->timer_slack_ns = x->a[0] ? x->a[0] : t->timer_slack_first;
	return 0;
}

static int64_t get_tid_address(const struct args *x)
{
	return put_user(UADDR(x->a[0]), task_current()->clear_tid.va);
}

/* What only statistics would be made of, and what has one value. */
static int64_t accept(const struct args *x)
{
	(void)x;
	return 0;
}

static int64_t set_timing(const struct args *x)
{
	return x->a[0] == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
}

static int64_t get_tsc(const struct args *x)
{
	const int32_t v = thread_current()->arch.no_tsc ? PR_TSC_SIGSEGV : PR_TSC_ENABLE;
	return put_user(UADDR(x->a[0]), v);
}

static int64_t set_tsc(const struct args *x)
{
	if (x->a[0] != PR_TSC_ENABLE && x->a[0] != PR_TSC_SIGSEGV)
		return -EINVAL;
	arch_set_no_tsc(&thread_current()->arch, x->a[0] == PR_TSC_SIGSEGV);
	return 0;
}

static int64_t get_seccomp(const struct args *x)
{
	struct seccomp_state s;
	(void)x;
	seccomp_state_get(task_current(), &s);
	return s.mode;
}

static int64_t set_seccomp(const struct args *x)
{
	switch (x->a[0]) {
	case SECCOMP_MODE_STRICT:
		return seccomp_set_strict();
	case SECCOMP_MODE_FILTER:
		return seccomp_set_filter(0, UADDR(x->a[1]));
	default:
		return -EINVAL;
	}
}

static int64_t set_user_dispatch(const struct args *x)
{
	return user_dispatch_set(x->a[0], x->a[1], x->a[2], UADDR(x->a[3]));
}

/* ---- wishes that are kept and change nothing: there are no huge pages, no machine
 * checks that a process is told of, and no memory is written to disks ---- */

static int64_t get_thp_disable(const struct args *x)
{
	if (x->a[0] || x->a[1] || x->a[2] || x->a[3])
		return -EINVAL;
	return thread_current()->space->thp_disabled;
}

static int64_t set_thp_disable(const struct args *x)
{
	if (x->a[1] || x->a[2] || x->a[3])
		return -EINVAL;
	thread_current()->space->thp_disabled = x->a[0];
	return 0;
}

static int64_t get_mce_kill(const struct args *x)
{
	if (x->a[0] || x->a[1] || x->a[2] || x->a[3])
		return -EINVAL;
	return task_current()->mce_kill;
}

static int64_t set_mce_kill(const struct args *x)
{
	uint64_t policy = x->a[1];
	if (x->a[2] || x->a[3])
		return -EINVAL;
	if (x->a[0] == PR_MCE_KILL_CLEAR && !policy)
		policy = PR_MCE_KILL_DEFAULT;
	else if (x->a[0] != PR_MCE_KILL_SET || policy > PR_MCE_KILL_DEFAULT)
		return -EINVAL;
	task_current()->mce_kill = (uint8_t)policy;
	return 0;
}

static int64_t set_io_flusher(const struct args *x)
{
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_RESOURCE))
		return -EPERM;
	if (x->a[0] > 1 || x->a[1] || x->a[2] || x->a[3])
		return -EINVAL;
	task_current()->io_flusher = x->a[0];
	return 0;
}

static int64_t get_io_flusher(const struct args *x)
{
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_RESOURCE))
		return -EPERM;
	return x->a[0] || x->a[1] || x->a[2] || x->a[3] ? -EINVAL
							: task_current()->io_flusher;
}

/* ---- what nobody may change ---- */

/* A program that could move its own marks would have ps and /proc say what it likes. */
static int64_t set_mm(const struct args *x)
{
	bool takes_length = x->a[0] == PR_SET_MM_AUXV || x->a[0] == PR_SET_MM_MAP ||
			    x->a[0] == PR_SET_MM_MAP_SIZE;
	return x->a[3] || (x->a[2] && !takes_length) ? -EINVAL : -EPERM;
}

static int64_t get_speculation(const struct args *x)
{
	if (x->a[1] || x->a[2] || x->a[3])
		return -EINVAL;
	return x->a[0] > PR_SPEC_L1D_FLUSH ? -ENODEV : (int64_t)PR_SPEC_ENABLE;
}

static int64_t set_speculation(const struct args *x)
{
	if (x->a[2] || x->a[3])
		return -EINVAL;
	return x->a[0] > PR_SPEC_L1D_FLUSH ? -ENODEV : -ENXIO;
}

static const struct {
	int32_t option;
	int64_t (*fn)(const struct args *x);
} options[] = {
	{ PR_SET_NAME, set_name },
	{ PR_GET_NAME, get_name },
	{ PR_SET_PDEATHSIG, set_pdeathsig },
	{ PR_GET_PDEATHSIG, get_pdeathsig },
	{ PR_GET_DUMPABLE, get_dumpable },
	{ PR_SET_DUMPABLE, set_dumpable },
	{ PR_SET_NO_NEW_PRIVS, set_no_new_privs },
	{ PR_GET_NO_NEW_PRIVS, get_no_new_privs },
	{ PR_SET_CHILD_SUBREAPER, set_subreaper },
	{ PR_GET_CHILD_SUBREAPER, get_subreaper },
	{ PR_GET_KEEPCAPS, get_keepcaps },
	{ PR_SET_KEEPCAPS, set_keepcaps },
	{ PR_GET_SECUREBITS, get_securebits },
	{ PR_SET_SECUREBITS, set_securebits },
	{ PR_CAPBSET_READ, capbset_read },
	{ PR_CAPBSET_DROP, capbset_drop },
	{ PR_CAP_AMBIENT, cap_ambient },
	{ PR_GET_TIMERSLACK, get_timerslack },
	{ PR_SET_TIMERSLACK, set_timerslack },
	{ PR_GET_TID_ADDRESS, get_tid_address },
	{ PR_SET_THP_DISABLE, set_thp_disable },
	{ PR_GET_THP_DISABLE, get_thp_disable },
	{ PR_GET_SECCOMP, get_seccomp },
	{ PR_SET_SECCOMP, set_seccomp },
	{ PR_GET_TSC, get_tsc },
	{ PR_SET_TSC, set_tsc },
	{ PR_GET_TIMING, accept }, /* PR_TIMING_STATISTICAL */
	{ PR_SET_TIMING, set_timing },
	{ PR_TASK_PERF_EVENTS_DISABLE, accept },
	{ PR_TASK_PERF_EVENTS_ENABLE, accept },
	{ PR_MCE_KILL, set_mce_kill },
	{ PR_MCE_KILL_GET, get_mce_kill },
	{ PR_SET_IO_FLUSHER, set_io_flusher },
	{ PR_GET_IO_FLUSHER, get_io_flusher },
	{ PR_SET_SYSCALL_USER_DISPATCH, set_user_dispatch },
	{ PR_SET_MM, set_mm },
	{ PR_GET_SPECULATION_CTRL, get_speculation },
	{ PR_SET_SPECULATION_CTRL, set_speculation },
};

int64_t sys_prctl(int32_t option, uint64_t arg2, uint64_t arg3, uint64_t arg4,
		  uint64_t arg5)
{
	const struct args x = { { arg2, arg3, arg4, arg5 } };
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (options[i].option == option)
			return options[i].fn(&x);
	return -EINVAL;
}
