/* get_mempolicy, set_mempolicy, mbind: NUMA as on a machine of one node. */
#include <linux/mempolicy.h>

#include "lib/string.h"
#include "mm/space.h"
#include "proc/task.h"
#include "sys/syscall.h"

#define NODES_MAX (PAGE_SIZE * 8)

/* A set of nodes from user space: whether node 0 is in it, and whether any other is. */
struct nodes {
	bool first, others;
};

static int nodes_in(uaddr_t mask, uint64_t maxnode, struct nodes *ret)
{
	*ret = (struct nodes){ 0 };
	uint64_t bits = maxnode ? maxnode - 1 : 0; /* as Linux counts them */
	if (!bits || !mask.va)
		return 0;
	if (bits > NODES_MAX)
		return -EINVAL;
	for (uint64_t at = 0; at < bits; at += 64) {
		uint64_t word;
		if (get_user(word, uaddr_add(mask, at / 8)))
			return -EFAULT;
		if (bits - at < 64)
			word &= BIT(bits - at) - 1;
		ret->first |= !at && (word & 1);
		ret->others |= at ? word : word & ~1ull;
	}
	return 0;
}

static int nodes_out(uaddr_t mask, uint64_t maxnode, uint64_t nodes)
{
	size_t bytes = ALIGN_UP(maxnode - 1, 64) / 8, n = MIN(bytes, sizeof nodes);
	if (bytes > PAGE_SIZE)
		return -EINVAL;
	int err = copy_out(mask, &nodes, n);
	return err ? err : user_zero(uaddr_add(mask, n), bytes - n);
}

/* ---- policies ---- */

static int policy_check(uint32_t mode, const struct nodes *n)
{
	uint32_t flags = mode & MPOL_MODE_FLAGS;
	bool any = n->first || n->others;
	if ((flags & MPOL_F_STATIC_NODES) && (flags & MPOL_F_RELATIVE_NODES))
		return -EINVAL;
	switch (mode & ~(uint32_t)MPOL_MODE_FLAGS) {
	case MPOL_DEFAULT:
	case MPOL_LOCAL:
		return any || flags ? -EINVAL : 0;
	case MPOL_PREFERRED:
		if (!any)
			return flags ? -EINVAL : 0;
		return n->first ? 0 : -EINVAL;
	case MPOL_BIND:
	case MPOL_INTERLEAVE:
	case MPOL_PREFERRED_MANY:
		return n->first ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

int64_t sys_set_mempolicy(int32_t mode, uaddr_t mask, uint64_t maxnode)
{
	struct task *t = task_current();
	struct nodes n;
	int err = nodes_in(mask, maxnode, &n);
	if (!err)
		err = policy_check((uint32_t)mode, &n);
	if (err)
		return err;
	bool local = mode == MPOL_PREFERRED && !n.first;
	t->mempolicy = local ? MPOL_LOCAL : (uint16_t)mode;
	t->mempolicy_nodes = n.first;
	return 0;
}

/* Every page is where it should be already. */
int64_t sys_mbind(uint64_t addr, uint64_t len, int32_t mode, uaddr_t mask,
		  uint64_t maxnode, uint32_t flags)
{
	struct nodes n;
	if ((flags & ~(uint32_t)MPOL_MF_VALID) || addr % PAGE_SIZE)
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) &&
	    !cred_has_cap(thread_current()->cred, CAP_SYS_NICE))
		return -EPERM;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (addr + len < addr)
		return -EINVAL;
	int err = nodes_in(mask, maxnode, &n);
	return err ? err : policy_check((uint32_t)mode, &n);
}

static int area_at(uint64_t addr)
{
	struct space *s = thread_current()->space;
	read_lock(&s->lock);
	struct area *a = space_find(s, addr);
	bool there = a && a->start <= addr;
	read_unlock(&s->lock);
	return there ? 0 : -EFAULT;
}

/* What is to be told: a policy and its nodes, or a node's number in place of the
 * policy. */
static int policy_find(uint64_t addr, uint32_t flags, int32_t *ret_mode,
		       uint64_t *ret_nodes)
{
	const struct task *t = task_current();
	*ret_mode = 0;
	*ret_nodes = 1;
	if (flags & MPOL_F_MEMS_ALLOWED)
		return flags & (MPOL_F_NODE | MPOL_F_ADDR) ? -EINVAL : 0;
	if (flags & MPOL_F_ADDR) {
		int err = area_at(addr);
		if (err || (flags & MPOL_F_NODE))
			return err;
	} else if (addr) {
		return -EINVAL;
	} else if ((flags & MPOL_F_NODE) && t->mempolicy != MPOL_INTERLEAVE) {
		return -EINVAL;
	}
	if (!(flags & MPOL_F_NODE))
		*ret_mode = t->mempolicy;
	*ret_nodes = t->mempolicy_nodes;
	return 0;
}

int64_t sys_get_mempolicy(uaddr_t mode, uaddr_t mask, uint64_t maxnode, uint64_t addr,
			  uint32_t flags)
{
	int32_t value;
	uint64_t nodes;
	if (flags & ~(uint32_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
		return -EINVAL;
	if (mask.va && maxnode < 1)
		return -EINVAL;
	int err = policy_find(addr, flags, &value, &nodes);
	if (!err && mode.va)
		err = put_user(mode, value);
	if (!err && mask.va)
		err = nodes_out(mask, maxnode, nodes);
	return err;
}
