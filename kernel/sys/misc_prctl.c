/* prctl, arch_prctl, personality, membarrier. */
#include <asm/prctl.h>
#include <linux/membarrier.h>
#include <linux/personality.h>
#include <linux/prctl.h>

#include "proc/cred_change.h"
#include "proc/proc.h"
#include "sys/syscall.h"

#define NAME_SIZE 16

/* ---- prctl: one function per option, in a table ---- */

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
	return thread_current()->cred->no_new_privs;
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
		return -EPERM;
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
		return -EPERM;
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
			return -EPERM;
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
	task_current()->timer_slack_ns = x->a[0] ? x->a[0] : TIMER_SLACK_FIRST;
	return 0;
}

static int64_t get_tid_address(const struct args *x)
{
	return put_user(UADDR(x->a[0]), task_current()->clear_tid.va);
}

/* Names of anonymous areas, machine-check and THP wishes: nothing depends on them. */
static int64_t accept(const struct args *x)
{
	(void)x;
	return 0;
}

static int64_t get_thp_disable(const struct args *x)
{
	return x->a[0] || x->a[1] || x->a[2] || x->a[3] ? -EINVAL : 0;
}

static int64_t get_tsc(const struct args *x)
{
	const int32_t enabled = PR_TSC_ENABLE;
	return put_user(UADDR(x->a[0]), enabled);
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
	{ PR_SET_THP_DISABLE, accept },
	{ PR_GET_THP_DISABLE, get_thp_disable },
	{ PR_GET_SECCOMP, accept },
	{ PR_GET_TSC, get_tsc },
	{ PR_GET_TIMING, accept }, /* PR_TIMING_STATISTICAL */
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

/* ---- arch_prctl ---- */

int64_t sys_arch_prctl(int32_t op, uint64_t addr)
{
	struct arch_thread *a = &thread_current()->arch;
	switch (op) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (addr >= USER_END)
			return -EPERM;
		(op == ARCH_SET_FS ? arch_set_fs_base : arch_set_gs_base)(a, addr);
		return 0;
	case ARCH_GET_FS:
		return put_user(UADDR(addr), arch_get_fs_base(a));
	case ARCH_GET_GS:
		return put_user(UADDR(addr), arch_get_gs_base(a));
	case ARCH_GET_CPUID:
		return 1;
	default:
		return -EINVAL;
	}
}

/* ---- others ---- */

#define PERSONA_ASK 0xffffffffu
/* Bits that change what somebody else's program could rely on, or make memory executable
 * or address 0 valid, are not among them. */
#define PERSONA_KNOWN (PER_MASK | UNAME26 | ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS)

int64_t sys_personality(uint32_t persona)
{
	struct task *t = task_current();
	uint32_t old = t->persona, domain = persona & PER_MASK;
	if (persona == PERSONA_ASK)
		return old;
	if ((persona & ~(uint32_t)PERSONA_KNOWN) ||
	    (domain != PER_LINUX && domain != (PER_LINUX32 & PER_MASK)))
		return -EINVAL;
	t->persona = persona;
	return old;
}

static void barrier_here(void *arg)
{
	(void)arg;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#define MEMBARRIER_SUPPORTED                                                             \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                       \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |   \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)

int64_t sys_membarrier(int32_t cmd, uint32_t flags, int32_t cpu)
{
	(void)cpu;
	if (flags)
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return MEMBARRIER_SUPPORTED;
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
		thread_current()->space->wants_barriers = true;
		return 0;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		if (!thread_current()->space->wants_barriers)
			return -EPERM;
		/* fall through */
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		barrier_here(NULL);
		arch_ipi_call((cpumask_t)(BIT(cpu_count()) - 1), barrier_here, NULL);
		return 0;
	default:
		return -EINVAL;
	}
}
