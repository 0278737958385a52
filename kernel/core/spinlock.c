/* The contended path of spinlocks, and the rank checks of debug builds. */
#include "core/spinlock.h"
#include "core/panic.h"

void spin_lock_slow(struct spinlock *l)
{
	do {
		/* Interrupts may be off, and the holder waiting for this CPU's answer. */
		while (spin_is_held(l)) {
			arch_ipi_poll();
			cpu_relax();
		}
	} while (!spin_trylock(l));
}

#ifdef MAYFLY_DEBUG
/* The spinlocks this CPU holds, in the order taken. Only that CPU touches its row. The
 * ranks of what an interrupt takes and of what it interrupted need not agree: locks that
 * handlers take are held with interrupts off, so nobody waits for the interrupted code's
 * while holding one. */
#define HELD_MAX 16
static struct {
	struct spinlock *lock[HELD_MAX];
	uint32_t depth[HELD_MAX]; /* of interrupts, when it was taken */
	uint32_t n;
} held[CPU_MAX];

static bool rank_nests(uint32_t rank)
{
	return rank == RANK_RUNQ || rank == RANK_FUTEX || rank == RANK_WAITQ ||
	       rank == RANK_OBJECT || rank == RANK_PT || rank == RANK_SIGNAL ||
	       rank == RANK_EPOLL_READY || rank == RANK_SOCK;
}

void lock_debug_acquire(struct spinlock *l)
{
	uint64_t flags = irq_save();
	uint32_t me = cpu_id(), n = held[me].n;
	insist(n < HELD_MAX);
	if (n && held[me].depth[n - 1] == cpu_self()->irq_depth) {
		uint32_t top = held[me].lock[n - 1]->rank;
		insist(l->rank > top || (l->rank == top && rank_nests(top)));
	}
	held[me].lock[n] = l;
	held[me].depth[n] = cpu_self()->irq_depth;
	held[me].n = n + 1;
	l->owner = cpu_self();
	irq_restore(flags);
}

void lock_debug_release(struct spinlock *l)
{
	uint64_t flags = irq_save();
	uint32_t me = cpu_id(), i = held[me].n;
	insist(l->owner == cpu_self());
	while (i > 0 && held[me].lock[i - 1] != l)
		i--;
	insist(i > 0);
	for (; i < held[me].n; i++) {
		held[me].lock[i - 1] = held[me].lock[i];
		held[me].depth[i - 1] = held[me].depth[i];
	}
	held[me].n--;
	l->owner = NULL;
	irq_restore(flags);
}
#endif
