/* get_mempolicy, set_mempolicy, mbind, set_mempolicy_home_node, migrate_pages,
 * move_pages: NUMA as on a machine of one node. */
#include <linux/mempolicy.h>

#include "lib/string.h"
#include "mm/space.h"
#include "proc/ptrace.h"
#include "sys/syscall.h"

#define NODES_MAX (PAGE_SIZE * 8)

/* A set of nodes from user space: whether node 0 is in it, and whether any other is. */
struct nodes {
	bool first, others;
};

static int nodes_in(uaddr_t mask, uint64_t maxnode, struct nodes *ret)
{
	*ret = (struct nodes){ 0 };
	uint64_t bits = maxnode - 1; /* as Linux counts them: 0 is far too many */
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

static int mode_check(uint32_t mode)
{
	bool both = (mode & MPOL_F_STATIC_NODES) && (mode & MPOL_F_RELATIVE_NODES);
	return both || (mode & ~(uint32_t)MPOL_MODE_FLAGS) >= MPOL_MAX ? -EINVAL : 0;
}

static int policy_check(uint32_t mode, const struct nodes *n)
{
	uint32_t flags = mode & MPOL_MODE_FLAGS;
	bool any = n->first || n->others;
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
	int err = mode_check((uint32_t)mode);
	if (!err)
		err = nodes_in(mask, maxnode, &n);
	if (!err)
		err = policy_check((uint32_t)mode, &n);
	if (err)
		return err;
	bool local = mode == MPOL_PREFERRED && !n.first;
	t->mempolicy = local ? MPOL_LOCAL : (uint16_t)mode;
	t->mempolicy_nodes = n.first;
	return 0;
}

/* What an area keeps of a policy: its mode and one more (0 is none), MPOL_F_*, whether
 * node 0 is named. */
enum {
	KEPT_MODE = 7,
	KEPT_FLAGS_SHIFT = 3,
	KEPT_FIRST = 64,
};
#define FLAGS_SHIFT 13 /* of the lowest of MPOL_MODE_FLAGS */

static uint32_t policy_kept(uint32_t mode, bool first)
{
	uint32_t flags = mode & MPOL_MODE_FLAGS, kind = mode & ~flags;
	if (kind == MPOL_DEFAULT)
		return 0;
	if (kind == MPOL_PREFERRED && !first)
		kind = MPOL_LOCAL;
	return (kind + 1) | flags >> FLAGS_SHIFT << KEPT_FLAGS_SHIFT |
	       (first ? KEPT_FIRST : 0);
}

static uint32_t kept_kind(uint32_t kept)
{
	return (kept & KEPT_MODE) - 1;
}

static uint32_t kept_mode(uint32_t kept)
{
	uint32_t flags = kept >> KEPT_FLAGS_SHIFT & (MPOL_MODE_FLAGS >> FLAGS_SHIFT);
	return kept_kind(kept) | flags << FLAGS_SHIFT;
}

/* The pages themselves are where they should be already. */
int64_t sys_mbind(uint64_t addr, uint64_t len, int32_t mode, uaddr_t mask,
		  uint64_t maxnode, uint32_t flags)
{
	struct nodes n;
	int err = mode_check((uint32_t)mode);
	if (!err)
		err = nodes_in(mask, maxnode, &n);
	if (err)
		return err;
	if (flags & ~(uint32_t)MPOL_MF_VALID)
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) &&
	    !cred_has_cap(thread_current()->cred, CAP_SYS_NICE))
		return -EPERM;
	len = ALIGN_UP(len, PAGE_SIZE);
	if (addr % PAGE_SIZE || addr + len < addr)
		return -EINVAL;
	if (len)
		err = policy_check((uint32_t)mode, &n);
	if (err || !len)
		return err;
	return space_set_policy(thread_current()->space, addr, addr + len,
				policy_kept((uint32_t)mode, n.first),
				mode == MPOL_DEFAULT);
}

/* Which of a policy's nodes is tried first: kept by nobody, as there is one. */
int64_t sys_set_mempolicy_home_node(uint64_t start, uint64_t len, uint64_t node,
				    uint64_t flags)
{
	struct space *s = thread_current()->space;
	uint64_t end = start + ALIGN_UP(len, PAGE_SIZE);
	int64_t ret = -ENOENT;
	uint32_t kept;
	if (start % PAGE_SIZE || flags || node || end < start)
		return -EINVAL;
	if (end == start)
		return 0;
	while (space_policy_next(s, &start, end, &kept)) {
		if (kept_kind(kept) != MPOL_BIND &&
		    kept_kind(kept) != MPOL_PREFERRED_MANY)
			return -EOPNOTSUPP;
		ret = 0;
	}
	return ret;
}

/* ---- asking ---- */

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
		uint32_t kept;
		int err = space_policy_at(thread_current()->space, addr, &kept);
		if (err || (flags & MPOL_F_NODE))
			return err;
		if (kept) {
			*ret_mode = (int32_t)kept_mode(kept);
			*ret_nodes = !!(kept & KEPT_FIRST);
			return 0;
		}
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

/* ---- moving pages ---- */

/* The space of a process to look at: 0, -ESRCH, -EPERM, -EINVAL (it has none). */
static int space_of(int32_t pid, struct space **ret)
{
	struct task *t = pid ? task_find(pid) : task_get(task_current());
	if (!t)
		return -ESRCH;
	int err = task_space_for_tracer(t, ret);
	task_put(t);
	return err == -ESRCH ? -EINVAL : err;
}

int64_t sys_migrate_pages(int32_t pid, uint64_t maxnode, uaddr_t old, uaddr_t new)
{
	struct nodes from, to;
	struct space *s;
	int err = nodes_in(old, maxnode, &from);
	if (!err)
		err = nodes_in(new, maxnode, &to);
	if (!err)
		err = space_of(pid, &s);
	if (err)
		return err;
	space_put(s);
	if (to.others && !cred_has_cap(thread_current()->cred, CAP_SYS_NICE))
		return -EPERM;
	return to.first ? 0 : -EINVAL;
}

/* The k-th page: where it is, or why it is nowhere. */
static int page_status(struct space *s, uaddr_t pages, uaddr_t nodes, uaddr_t status,
		       uint64_t k)
{
	uint64_t page;
	int32_t node = 0;
	if (get_user(page, uaddr_add(pages, k * sizeof page)))
		return -EFAULT;
	if (nodes.va && get_user(node, uaddr_add(nodes, k * sizeof node)))
		return -EFAULT;
	if (node)
		return -ENODEV;
	node = space_page_there(s, page); /* 0 is the node's number too */
	return put_user(uaddr_add(status, k * sizeof node), node);
}

int64_t sys_move_pages(int32_t pid, uint64_t n, uaddr_t pages, uaddr_t nodes,
		       uaddr_t status, uint32_t flags)
{
	struct space *s;
	if (flags & ~(uint32_t)(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
		return -EINVAL;
	if ((flags & MPOL_MF_MOVE_ALL) &&
	    !cred_has_cap(thread_current()->cred, CAP_SYS_NICE))
		return -EPERM;
	int err = space_of(pid, &s);
	if (err)
		return err;
	for (uint64_t k = 0; !err && k < n; k++) {
		err = page_status(s, pages, nodes, status, k);
		sched_give_way();
		if (thread_work(thread_current()) & WORK_KILL)
			break; /* other signals wait: Linux knows no EINTR here */
	}
	space_put(s);
	return err;
}
