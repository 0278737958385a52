/* futex, futex_waitv, robust lists. */
#include <linux/futex.h>

#include "proc/futex.h"
#include "proc/ptrace.h"
#include "proc/proc.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

/* A wait with a timeout that is interrupted goes on with the deadline it had. */
static int64_t wait_again(struct restart_block *r)
{
	struct futex_deadline d = { .ns = r->arg[3], .realtime = r->arg[4] & 1 };
	int64_t ret = futex_wait(UADDR(r->arg[0]), (uint32_t)r->arg[1],
				 (uint32_t)r->arg[2], r->arg[4] & 2, d);
	return ret == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : ret;
}

static int64_t wait(uaddr_t word, uint32_t val, uint32_t bitset, bool private,
		    struct futex_deadline d)
{
	int64_t ret = futex_wait(word, val, bitset, private, d);
	if (ret != -ERESTARTSYS || d.ns == NO_DEADLINE)
		return ret;
	task_current()->restart = (struct restart_block){
		.fn = wait_again,
		.arg = { word.va, val, bitset, d.ns, (private ? 2u : 0u) | d.realtime },
	};
	return -ERESTART_RESTARTBLOCK;
}

/* FUTEX_WAIT's timeout is relative, FUTEX_WAIT_BITSET's absolute. */
static int deadline_in(uint64_t timeout, bool relative, bool realtime,
		       struct futex_deadline *ret)
{
	uint64_t ns;
	*ret = (struct futex_deadline){ .ns = NO_DEADLINE };
	if (!timeout)
		return 0;
	int err = timespec_in(UADDR(timeout), &ns);
	if (err)
		return err;
	ret->ns = relative ? deadline_after(ns) : ns;
	ret->realtime = realtime && !relative;
	return 0;
}

static int64_t wait_op(uaddr_t word, uint32_t cmd, uint32_t val, uint32_t bitset,
		       uint64_t timeout, bool realtime, bool private)
{
	struct futex_deadline d;
	int err = deadline_in(timeout, cmd == FUTEX_WAIT, realtime, &d);
	return err ? err : wait(word, val, bitset, private, d);
}

static int64_t lock_op(uaddr_t word, uint64_t timeout, bool realtime, bool private)
{
	struct futex_deadline d;
	int err = deadline_in(timeout, false, realtime, &d);
	return err ? err : futex_lock_pi(word, private, false, d);
}

static int64_t wait_requeue_op(uaddr_t word, uint32_t val, uint64_t timeout, uaddr_t lock,
			       bool realtime, bool private)
{
	struct futex_deadline d;
	int err = deadline_in(timeout, false, realtime, &d);
	return err ? err : futex_wait_requeue_pi(word, val, lock, private, d);
}

/* Linux counts after it has woken: nobody at all cannot be asked for. */
static uint32_t wake_count(uint32_t val)
{
	return MAX(val, 1u);
}

int64_t sys_futex(uaddr_t uaddr, int32_t op, uint32_t val, uint64_t timeout,
		  uaddr_t uaddr2, uint32_t val3)
{
	bool private = op & FUTEX_PRIVATE_FLAG, realtime = op & FUTEX_CLOCK_REALTIME;
	uint32_t cmd = (uint32_t)op & (uint32_t)FUTEX_CMD_MASK, val2 = (uint32_t)timeout;
	if (realtime && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_LOCK_PI2 &&
	    cmd != FUTEX_WAIT_REQUEUE_PI)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
		return wait_op(uaddr, cmd, val, FUTEX_BITSET_ANY, timeout, realtime,
			       private);
	case FUTEX_WAIT_BITSET:
		return wait_op(uaddr, cmd, val, val3, timeout, realtime, private);
	case FUTEX_WAKE:
		return futex_wake(uaddr, wake_count(val), FUTEX_BITSET_ANY, private);
	case FUTEX_WAKE_BITSET:
		return futex_wake(uaddr, wake_count(val), val3, private);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		if ((int32_t)val < 0 || (int32_t)val2 < 0)
			return -EINVAL;
		return futex_requeue(uaddr, uaddr2, val, val2,
				     cmd == FUTEX_CMP_REQUEUE ? &val3 : NULL, private);
	case FUTEX_CMP_REQUEUE_PI:
		if ((int32_t)val < 0 || (int32_t)val2 < 0)
			return -EINVAL;
		return futex_requeue_pi(uaddr, uaddr2, val, val2, val3, private);
	case FUTEX_WAIT_REQUEUE_PI:
		return wait_requeue_op(uaddr, val, timeout, uaddr2, realtime, private);
	case FUTEX_WAKE_OP:
		return futex_wake_op(uaddr, uaddr2, wake_count(val), val2, val3, private);
	case FUTEX_LOCK_PI: /* its timeout is of the wall clock, always */
		return lock_op(uaddr, timeout, true, private);
	case FUTEX_LOCK_PI2:
		return lock_op(uaddr, timeout, realtime, private);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(uaddr, private, true, (struct futex_deadline){ 0 });
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(uaddr, private);
	default:
		return -ENOSYS;
	}
}

/* ---- futex_waitv ---- */

static int word_of(const struct futex_waitv *w, struct futex_word *ret)
{
	if ((w->flags & ~(uint32_t)(FUTEX_32 | FUTEX_PRIVATE_FLAG)) ||
	    !(w->flags & FUTEX_32) || w->__reserved || w->val > UINT32_MAX)
		return -EINVAL;
	*ret = (struct futex_word){ UADDR(w->uaddr), (uint32_t)w->val,
				    w->flags & FUTEX_PRIVATE_FLAG };
	return 0;
}

static int words_in(uaddr_t waiters, uint32_t n, struct futex_word *ret)
{
	for (uint32_t i = 0; i < n; i++) {
		struct futex_waitv w;
		if (get_user(w, uaddr_add(waiters, i * sizeof w)))
			return -EFAULT;
		int err = word_of(&w, &ret[i]);
		if (err)
			return err;
	}
	return 0;
}

int64_t sys_futex_waitv(uaddr_t waiters, uint32_t n, uint32_t flags, uaddr_t timeout,
			int32_t clock)
{
	struct futex_deadline d;
	if (flags || !n || n > FUTEX_WAITV_MAX || !waiters.va)
		return -EINVAL;
	if (timeout.va && clock != CLOCK_MONOTONIC && clock != CLOCK_REALTIME)
		return -EINVAL;
	int err = deadline_in(timeout.va, false, clock == CLOCK_REALTIME, &d);
	if (err)
		return err;
	struct futex_word *words = heap_alloc_array(n, sizeof *words);
	if (!words)
		return -ENOMEM;
	int64_t ret = words_in(waiters, n, words);
	if (!ret)
		ret = futex_wait_multiple(words, n, d);
	heap_free(words);
	return ret;
}

/* ---- robust lists ---- */

int64_t sys_set_robust_list(uaddr_t head, uint64_t len)
{
	if (len != sizeof(struct robust_list_head))
		return -EINVAL;
	task_current()->robust_list = head;
	return 0;
}

int64_t sys_get_robust_list(int32_t pid, uaddr_t head, uaddr_t len)
{
	const uint64_t size = sizeof(struct robust_list_head);
	struct task *t = pid ? task_find(pid) : task_get(task_current());
	if (!t)
		return -ESRCH;
	/* First what it is, then the verdict: an execve in between makes that no. */
	uint64_t at = __atomic_load_n(&t->robust_list.va, __ATOMIC_ACQUIRE);
	bool allowed = t->process == process_current() ||
		       task_may_trace(t, thread_current()->cred, TRACE_BY_REAL_IDS);
	task_put(t);
	if (!allowed)
		return -EPERM;
	return put_user(len, size) || put_user(head, at) ? -EFAULT : 0;
}
