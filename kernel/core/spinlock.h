/*
 * Spinlocks. The plain form keeps interrupts as they are: use it for locks that no
 * interrupt handler takes. The _irq form saves and disables them. Holders never sleep.
 */
#ifndef CORE_SPINLOCK_H
#define CORE_SPINLOCK_H

#include "arch/arch.h"
#include "core/lockrank.h"

struct spinlock {
	_Atomic uint32_t held;
#ifdef MAYFLY_DEBUG
	uint32_t rank;
	struct cpu *owner;
#endif
};

#ifdef MAYFLY_DEBUG
#define SPINLOCK_INIT(r)                                                                 \
	{                                                                                \
		.rank = (r)                                                              \
	}
void lock_debug_acquire(struct spinlock *l);
void lock_debug_release(struct spinlock *l);
#else
#define SPINLOCK_INIT(r)                                                                 \
	{                                                                                \
		0                                                                        \
	}
static inline void lock_debug_acquire(struct spinlock *l)
{
	(void)l;
}
static inline void lock_debug_release(struct spinlock *l)
{
	(void)l;
}
#endif

static inline void spin_init(struct spinlock *l, enum lock_rank rank)
{
	*l = (struct spinlock)SPINLOCK_INIT(rank);
	(void)rank;
}

void spin_lock_slow(struct spinlock *l);

static inline bool spin_trylock(struct spinlock *l)
{
	uint32_t free = 0;
	if (!__atomic_compare_exchange_n((uint32_t *)&l->held, &free, 1, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	lock_debug_acquire(l);
	return true;
}

static inline void spin_lock(struct spinlock *l)
{
	if (unlikely(!spin_trylock(l)))
		spin_lock_slow(l);
}

static inline void spin_unlock(struct spinlock *l)
{
	lock_debug_release(l);
	__atomic_store_n((uint32_t *)&l->held, 0, __ATOMIC_RELEASE);
}

must_use static inline uint64_t spin_lock_irq(struct spinlock *l)
{
	uint64_t f = irq_save();
	spin_lock(l);
	return f;
}

static inline void spin_unlock_irq(struct spinlock *l, uint64_t flags)
{
	spin_unlock(l);
	irq_restore(flags);
}

static inline bool spin_is_held(const struct spinlock *l)
{
	return __atomic_load_n((const uint32_t *)&l->held, __ATOMIC_RELAXED);
}

#define must_hold(l) insist(spin_is_held(l))

#endif
