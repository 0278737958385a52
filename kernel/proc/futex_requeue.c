/* Futex calls on two words, and what a dying thread's robust list asks for. */
#include <linux/futex.h>

#include "core/panic.h"
#include "proc/futex_internal.h"
#include "proc/proc.h"

static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_lock(&(a < b ? a : b)->lock);
	if (a != b)
		spin_lock(&(a < b ? b : a)->lock);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

static void move(struct futex_waiter *w, struct futex_bucket *to,
		 const struct futex_key *key)
{
	list_del(&w->link);
	list_push_back(&to->waiters, &w->link);
	w->key = *key;
	w->last_bucket = to;
	__atomic_store_n(&w->bucket, to, __ATOMIC_RELEASE);
}

/* Both locked. How many were moved; -EINVAL as futex_wake_key. */
static int64_t requeue(struct futex_bucket *from, const struct futex_key *k_from,
		       struct futex_bucket *to, const struct futex_key *k_to,
		       uint32_t max)
{
	uint32_t n = 0;
	list_for_each_safe(w, &from->waiters, struct futex_waiter, link)
	{
		if (n >= max)
			break;
		if (!futex_key_equal(&w->key, k_from))
			continue;
		if (w->requeue_pi)
			return -EINVAL;
		if (futex_key_equal(k_from, k_to))
			continue;
		move(w, to, k_to);
		n++;
	}
	return n;
}

int64_t futex_requeue(uaddr_t from, uaddr_t to, uint32_t n_wake, uint32_t n_requeue,
		      const uint32_t *cmp, bool private)
{
	struct futex_key k1, k2;
	int err = futex_key(from, private, &k1);
	if (!err)
		err = futex_key(to, private, &k2);
	if (err)
		return err;
	if (pi_lock_is_waited_for(&k1))
		return -EINVAL;
	struct futex_bucket *b1 = futex_bucket(&k1), *b2 = futex_bucket(&k2);
	uint32_t now = 0;
	for (;;) {
		lock_two(b1, b2);
		err = cmp ? futex_peek(from, &now) : 0;
		if (!err)
			break;
		unlock_two(b1, b2);
		err = futex_fault_in(from);
		if (err)
			return err;
	}
	int64_t ret = -EAGAIN;
	if (!cmp || now == *cmp) {
		ret = futex_wake_key(b1, &k1, n_wake, FUTEX_BITSET_ANY);
		int64_t moved = ret < 0 ? 0 : requeue(b1, &k1, b2, &k2, n_requeue);
		ret = moved < 0 ? moved : ret + (cmp && ret >= 0 ? moved : 0);
	}
	unlock_two(b1, b2);
	return ret;
}

/* ---- FUTEX_WAKE_OP ---- */

static bool op_apply(uint32_t op, uint32_t old, uint32_t arg, uint32_t *ret)
{
	switch (op) {
	case FUTEX_OP_SET:
		*ret = arg;
		return true;
	case FUTEX_OP_ADD:
		*ret = old + arg;
		return true;
	case FUTEX_OP_OR:
		*ret = old | arg;
		return true;
	case FUTEX_OP_ANDN:
		*ret = old & ~arg;
		return true;
	case FUTEX_OP_XOR:
		*ret = old ^ arg;
		return true;
	default:
		return false;
	}
}

static int op_compare(uint32_t cmp, int32_t old, int32_t arg, bool *ret)
{
	const bool results[] = {
		[FUTEX_OP_CMP_EQ] = old == arg,
		[FUTEX_OP_CMP_NE] = old != arg,
		[FUTEX_OP_CMP_LT] =
			old<arg, [FUTEX_OP_CMP_LE] = old <= arg, [FUTEX_OP_CMP_GT] = old>
				arg,
		[FUTEX_OP_CMP_GE] = old >= arg,
	};
	if (cmp >= ARRAY_LEN(results))
		return -ENOSYS;
	*ret = results[cmp];
	return 0;
}

static int32_t sign_extend12(uint32_t v)
{
	return (int32_t)(v << 20) >> 20;
}

/* Atomically changes the word as `encoded` says; whether its old value passes the
 * test. */
static int op_run(uaddr_t word, uint32_t encoded, bool *ret)
{
	uint32_t op = encoded >> 28 & 7, cmp = encoded >> 24 & 15, old, new, found;
	uint32_t arg = (uint32_t)sign_extend12(encoded >> 12 & 0xfff);
	if (encoded >> 28 & FUTEX_OP_OPARG_SHIFT)
		arg = 1u << (arg & 31);
	int err = op_compare(cmp, 0, 0, ret);
	if (!err)
		err = arch_user_load32(word.va, &old);
	while (!err) {
		if (!op_apply(op, old, arg, &new))
			return -ENOSYS;
		err = arch_user_cmpxchg32(word.va, old, new, &found);
		if (!err && found == old)
			return op_compare(cmp, (int32_t)old,
					  sign_extend12(encoded & 0xfff), ret);
		old = found;
	}
	return err;
}

int64_t futex_wake_op(uaddr_t word, uaddr_t word2, uint32_t n, uint32_t n2, uint32_t op,
		      bool private)
{
	struct futex_key k1, k2;
	bool second;
	int err = futex_key(word, private, &k1);
	if (!err)
		err = futex_key(word2, private, &k2);
	/* Before the locks: a waiter on word2 that compares later sees the new value. */
	if (!err)
		err = op_run(word2, op, &second);
	if (err)
		return err;
	struct futex_bucket *b1 = futex_bucket(&k1), *b2 = futex_bucket(&k2);
	lock_two(b1, b2);
	int64_t woken = futex_wake_key(b1, &k1, n, FUTEX_BITSET_ANY);
	int64_t more =
		second && woken >= 0 ? futex_wake_key(b2, &k2, n2, FUTEX_BITSET_ANY) : 0;
	unlock_two(b1, b2);
	return more < 0 ? more : woken + more;
}

/* ---- robust lists: set_robust_list(2) ---- */

#define ROBUST_LIMIT 2048 /* entries looked at: the list may be circular */
#define LINK_PI 1ull

/* The owner is dead: the lock's word says so, and one waiter may have it. */
static int robust_release(uaddr_t word, int32_t tid, bool pi, bool pending)
{
	uint32_t v, found;
	if (!user_range_ok(word, sizeof v) || word.va % sizeof v)
		return -EFAULT;
	int err = arch_user_load32(word.va, &v);
	if (err)
		return err;
	if (pending && !pi && !v) { /* died between unlock and wake */
		(void)!futex_wake(word, 1, FUTEX_BITSET_ANY, false);
		return 0;
	}
	while ((v & FUTEX_TID_MASK) == (uint32_t)tid) {
		uint32_t dead = (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
		err = arch_user_cmpxchg32(word.va, v, dead, &found);
		if (err)
			return err;
		if (found == v) {
			if (!pi && (v & FUTEX_WAITERS))
				(void)!futex_wake(word, 1, FUTEX_BITSET_ANY, false);
			return 0;
		}
		v = found;
	}
	return 0;
}

void futex_exit_robust(struct task *t)
{
	struct robust_list_head head;
	uint64_t entry, next;
	if (!t->robust_list.va || get_user(head, t->robust_list))
		return;
	uint64_t offset = (uint64_t)head.futex_offset;
	uint64_t pending = (uint64_t)head.list_op_pending;
	entry = (uint64_t)head.list.next;
	for (int i = 0; i < ROBUST_LIMIT; i++) {
		uint64_t at = entry & ~LINK_PI;
		if (at == t->robust_list.va || get_user(next, UADDR(at)))
			break;
		if (at != (pending & ~LINK_PI) &&
		    robust_release(UADDR(at + offset), t->tid, entry & LINK_PI, false))
			return;
		entry = next;
	}
	if (pending & ~LINK_PI)
		(void)!robust_release(UADDR((pending & ~LINK_PI) + offset), t->tid,
				      pending & LINK_PI, true);
	t->robust_list = UADDR_NULL;
}
