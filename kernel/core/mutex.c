/* Sleeping locks: one owner, or many readers and one writer. */
#include "core/panic.h"
#include "core/wait.h"

void mutex_init(struct mutex *m, enum lock_rank rank)
{
	m->owner = NULL;
	waitq_init(&m->waiters);
	m->rank = rank;
}

bool mutex_trylock(struct mutex *m)
{
	struct thread *none = NULL;
	return __atomic_compare_exchange_n((struct thread **)&m->owner, &none,
					   thread_current(), false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

bool mutex_is_mine(const struct mutex *m)
{
	return __atomic_load_n((struct thread *const *)&m->owner, __ATOMIC_RELAXED) ==
	       thread_current();
}

static int lock_slow(struct mutex *m, enum wait_mode mode)
{
	insist(!mutex_is_mine(m));
	return wait_event_full(&m->waiters, mutex_trylock(m), mode, NO_DEADLINE, true);
}

void mutex_lock(struct mutex *m)
{
	if (unlikely(!mutex_trylock(m)))
		(void)lock_slow(m, WAIT_UNINTR);
}

int mutex_lock_intr(struct mutex *m)
{
	if (likely(mutex_trylock(m)))
		return 0;
	int err = lock_slow(m, WAIT_INTR);
	/* It may have eaten the wake-up that was meant for the next in line. */
	if (err)
		wake_one(&m->waiters);
	return err;
}

void mutex_unlock(struct mutex *m)
{
	insist(mutex_is_mine(m));
	__atomic_store_n((struct thread **)&m->owner, NULL, __ATOMIC_RELEASE);
	wake_one(&m->waiters);
}

void rwlock_init(struct rwlock *l, enum lock_rank rank)
{
	spin_init(&l->lock, RANK_OBJECT);
	l->readers = 0;
	l->writers_waiting = 0;
	l->writer = NULL;
	waitq_init(&l->waiters);
	l->rank = rank;
}

static bool try_read(struct rwlock *l)
{
	spin_lock(&l->lock);
	bool ok = !l->writer && !l->writers_waiting;
	if (ok)
		l->readers++;
	spin_unlock(&l->lock);
	return ok;
}

static bool try_write(struct rwlock *l)
{
	spin_lock(&l->lock);
	bool ok = !l->writer && !l->readers;
	if (ok)
		l->writer = thread_current();
	spin_unlock(&l->lock);
	return ok;
}

void read_lock(struct rwlock *l)
{
	if (unlikely(!try_read(l)))
		wait_event(&l->waiters, try_read(l));
}

void read_unlock(struct rwlock *l)
{
	spin_lock(&l->lock);
	insist(l->readers > 0);
	/* Readers wait only where a writer does. */
	bool wake = --l->readers == 0 && l->writers_waiting;
	spin_unlock(&l->lock);
	if (wake)
		wake_all(&l->waiters);
}

static void writers_waiting_add(struct rwlock *l, int32_t n)
{
	spin_lock(&l->lock);
	l->writers_waiting += (uint32_t)n;
	spin_unlock(&l->lock);
}

static int write_lock_slow(struct rwlock *l, enum wait_mode mode)
{
	insist(l->writer != thread_current());
	writers_waiting_add(l, 1);
	int err = wait_event_full(&l->waiters, try_write(l), mode, NO_DEADLINE, false);
	writers_waiting_add(l, -1);
	if (err)
		wake_all(&l->waiters);
	return err;
}

void write_lock(struct rwlock *l)
{
	if (unlikely(!try_write(l)))
		(void)write_lock_slow(l, WAIT_UNINTR);
}

int write_lock_killable(struct rwlock *l)
{
	return likely(try_write(l)) ? 0 : write_lock_slow(l, WAIT_KILLABLE);
}

void write_unlock(struct rwlock *l)
{
	spin_lock(&l->lock);
	insist(l->writer == thread_current());
	l->writer = NULL;
	spin_unlock(&l->lock);
	wake_all(&l->waiters);
}

void write_downgrade(struct rwlock *l)
{
	spin_lock(&l->lock);
	insist(l->writer == thread_current());
	l->writer = NULL;
	l->readers = 1;
	spin_unlock(&l->lock);
	wake_all(&l->waiters);
}
