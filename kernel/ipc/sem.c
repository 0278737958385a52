/* Semaphore operations: see sem.h for what always holds. */
#include "ipc/sem.h"

#include "core/panic.h"
#include "ipc/ipc.h"
#include "lib/fmt.h"
#include "lib/string.h"

_Atomic uint64_t sem_per_set = SEMMSL, sem_in_all = SEMMNS, sem_per_call = SEMOPM;

static _Atomic uint64_t total; /* semaphores of all sets */

/* A thread that sleeps until somebody has done its operations. */
struct sem_waiter {
	struct list link; /* [set lock] */
	const struct sembuf *ops;
	uint32_t n;
	uint32_t blocked_by; /* [set lock] the first operation that cannot be done */
	struct sem_undo *undo;
	int32_t pid;
	bool done;  /* [set lock] result holds */
	int result; /* [set lock] */
	struct waitq wait;
};

static struct sem_set *set_of(struct ipc_object *o)
{
	return container_of(o, struct sem_set, object);
}

/* ---- life (ipc_ids) ---- */

static size_t set_size(uint32_t n)
{
	return sizeof(struct sem_set) + n * sizeof(struct sem);
}

static int make(const struct ipc_request *r, struct ipc_object **ret)
{
	struct sem_set *s = NULL;
	int err = 0;

	if (!r->size || r->size > sem_per_set)
		return -EINVAL;
	if (__atomic_add_fetch((uint64_t *)&total, r->size, __ATOMIC_RELAXED) >
	    sem_in_all)
		err = -ENOSPC;
	else if (!(s = ipc_alloc(set_size((uint32_t)r->size))))
		err = -ENOMEM;
	if (err) {
		total -= r->size;
		return err;
	}
	ipc_object_init(&s->object, r);
	list_init(&s->waiters);
	list_init(&s->undos);
	s->n = (uint32_t)r->size;
	s->ctime = ipc_now();
	*ret = &s->object;
	return 0;
}

static int suits(const struct ipc_object *o, const struct ipc_request *r)
{
	return r->size > container_of(o, const struct sem_set, object)->n ? -EINVAL : 0;
}

static void finish(struct sem_waiter *w, int result)
{
	list_del(&w->link);
	w->result = result;
	w->done = true;
	wake_all(&w->wait);
}

static void unlinked(struct ipc_object *o)
{
	struct sem_set *s = set_of(o);

	sem_undo_drop_all(s);
	list_for_each_safe(w, &s->waiters, struct sem_waiter, link) finish(w, -EIDRM);
}

static void set_free(struct ipc_object *o)
{
	struct sem_set *s = set_of(o);

	total -= s->n;
	ipc_free(s, set_size(s->n));
}

struct ipc_ids sem_ids = {
	.make = make, .suits = suits, .unlinked = unlinked, .free = set_free
};

void sem_init(void)
{
	ipc_ids_init(&sem_ids, SEMMNI);
}

/* ---- operations; the set's lock is held ---- */

/* One operation's effect: 0, -EAGAIN (it has to wait), -ERANGE. */
static int apply(struct sem_set *s, const struct sembuf *op, struct sem_undo *u)
{
	struct sem *sem = &s->sems[op->sem_num];
	int32_t value = sem->value + op->sem_op;

	if (!op->sem_op)
		return sem->value ? -EAGAIN : 0;
	if (value < 0)
		return -EAGAIN;
	if (value > SEMVMX)
		return -ERANGE;
	if (op->sem_flg & SEM_UNDO) {
		int32_t adjust = u->adjust[op->sem_num] - op->sem_op;
		if (adjust < -SEMAEM - 1 || adjust > SEMAEM)
			return -ERANGE;
		u->adjust[op->sem_num] = (int16_t)adjust;
	}
	sem->value = value;
	return 0;
}

static void revert(struct sem_set *s, const struct sembuf *op, struct sem_undo *u)
{
	s->sems[op->sem_num].value -= op->sem_op;
	if (op->sem_op && (op->sem_flg & SEM_UNDO))
		u->adjust[op->sem_num] += op->sem_op;
}

/* All of a waiter's operations or none. 0, -EAGAIN (and what it waits for), -ERANGE. */
static int try_all(struct sem_set *s, struct sem_waiter *w)
{
	for (uint32_t i = 0; i < w->n; i++) {
		int err = apply(s, &w->ops[i], w->undo);
		if (!err)
			continue;
		w->blocked_by = i;
		while (i--)
			revert(s, &w->ops[i], w->undo);
		return err;
	}
	for (uint32_t i = 0; i < w->n; i++)
		s->sems[w->ops[i].sem_num].pid = w->pid;
	s->otime = ipc_now();
	return 0;
}

static bool changes(const struct sem_waiter *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (w->ops[i].sem_op)
			return true;
	return false;
}

void sem_wake(struct sem_set *s)
{
	bool again;

	do {
		again = false;
		list_for_each_safe(w, &s->waiters, struct sem_waiter, link)
		{
			int r = try_all(s, w);
			if (r == -EAGAIN)
				continue;
			again |= !r && changes(w);
			finish(w, r);
		}
	} while (again);
}

/* ---- semop(2) ---- */

static int check(const struct sem_set *s, const struct sem_op_request *r)
{
	uint32_t want = IPC_MAY_READ;

	if (s->object.removed)
		return -EIDRM;
	for (uint32_t i = 0; i < r->n; i++) {
		if (r->ops[i].sem_num >= s->n)
			return -EFBIG;
		if (r->ops[i].sem_op)
			want = IPC_MAY_WRITE;
	}
	return ipc_may(&s->object, want);
}

static bool wants_undo(const struct sem_op_request *r)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (r->ops[i].sem_flg & SEM_UNDO)
			return true;
	return false;
}

/* Does them at once, or puts w on the list: -EINPROGRESS. */
static int begin(struct sem_set *s, struct sem_waiter *w, const struct sem_op_request *r)
{
	int err = check(s, r);

	if (!err && wants_undo(r))
		err = sem_undo_get(s, &w->undo);
	if (!err)
		err = try_all(s, w);
	if (!err && changes(w))
		sem_wake(s);
	if (err != -EAGAIN || (w->ops[w->blocked_by].sem_flg & IPC_NOWAIT))
		return err;
	list_push_back(&s->waiters, &w->link);
	return -EINPROGRESS;
}

static bool is_done(const struct sem_waiter *w)
{
	return __atomic_load_n(&w->done, __ATOMIC_ACQUIRE);
}

/* semop(7): a call that a signal interrupts is never restarted. */
static int sleep(struct sem_set *s, struct sem_waiter *w, uint64_t deadline)
{
	int err = wait_event_intr_deadline(&w->wait, is_done(w), deadline);

	/* Who has done them may still be at it; with the lock it is not. */
	spin_lock(&s->object.lock);
	if (w->done)
		err = w->result;
	else
		list_del(&w->link);
	spin_unlock(&s->object.lock);
	return err == -ETIMEDOUT ? -EAGAIN : err == -ERESTARTSYS ? -EINTR : err;
}

int64_t sem_operate(int32_t id, const struct sem_op_request *r)
{
	struct ipc_object *o = ipc_find(&sem_ids, id);
	struct sem_waiter w = {
		.ops = r->ops,
		.n = r->n,
		.pid = process_current()->pid,
	};

	if (!o)
		return -EINVAL;
	waitq_init(&w.wait);
	spin_lock(&o->lock);
	int err = begin(set_of(o), &w, r);
	spin_unlock(&o->lock);
	if (err == -EINPROGRESS)
		err = sleep(set_of(o), &w, r->deadline);
	ipc_object_put(&sem_ids, o);
	return err;
}

/* ---- semctl(2) ---- */

/* The set, locked, if current may use it so; sem_done undoes. */
static int sem_begin(int32_t id, uint32_t want, struct sem_set **ret)
{
	struct ipc_object *o = ipc_find(&sem_ids, id);
	if (!o)
		return -EINVAL;
	spin_lock(&o->lock);
	int err = ipc_may(o, want);
	if (!err && o->removed)
		err = -EIDRM;
	*ret = set_of(o);
	if (!err)
		return 0;
	spin_unlock(&o->lock);
	ipc_object_put(&sem_ids, o);
	return err;
}

static void sem_done(struct sem_set *s)
{
	spin_unlock(&s->object.lock);
	ipc_object_put(&sem_ids, &s->object);
}

int sem_set_perm(int32_t id, const struct semid64_ds *ds)
{
	struct sem_set *s;
	int err = sem_begin(id, 0, &s);

	if (err)
		return err;
	err = ipc_may_change(&s->object);
	if (!err)
		err = ipc_perm_set(&s->object, &ds->sem_perm);
	if (!err)
		s->ctime = ipc_now();
	sem_done(s);
	return err;
}

int64_t sem_stat(int32_t id, bool index, bool any, struct semid64_ds *ret)
{
	struct ipc_object *o =
		index ? ipc_find_index(&sem_ids, id) : ipc_find(&sem_ids, id);
	if (!o)
		return -EINVAL;
	struct sem_set *s = set_of(o);
	spin_lock(&o->lock);
	int err = any ? 0 : ipc_may(o, IPC_MAY_READ);
	if (!err && o->removed)
		err = -EIDRM;
	if (!err) {
		*ret = (struct semid64_ds){
			.sem_otime = s->otime,
			.sem_ctime = s->ctime,
			.sem_nsems = s->n,
		};
		ipc_perm_get(o, &ret->sem_perm);
	}
	int64_t result = err ? err : index ? o->id : 0;
	spin_unlock(&o->lock);
	ipc_object_put(&sem_ids, o);
	return result;
}

int32_t sem_info_get(bool usage, struct seminfo *ret)
{
	uint32_t count;
	int32_t highest;

	ipc_usage(&sem_ids, &highest, &count);
	*ret = (struct seminfo){
		.semmap = SEMMAP,
		.semmni = (int)sem_ids.max,
		.semmns = (int)sem_in_all,
		.semmnu = SEMMNU,
		.semmsl = (int)sem_per_set,
		.semopm = (int)sem_per_call,
		.semume = SEMUME,
		.semusz = usage ? (int)count : SEMUSZ,
		.semvmx = SEMVMX,
		.semaem = usage ? (int)total : SEMAEM,
	};
	return highest;
}

/* How many wait for the semaphore to grow, or to be zero. */
static int64_t count_waiters(const struct sem_set *s, uint32_t num, bool zero)
{
	int64_t n = 0;

	list_for_each(w, &s->waiters, struct sem_waiter, link)
	{
		const struct sembuf *op = &w->ops[w->blocked_by];
		n += op->sem_num == num && !op->sem_op == zero;
	}
	return n;
}

int64_t sem_get(int32_t id, int32_t num, int32_t what)
{
	struct sem_set *s;
	int64_t r = sem_begin(id, IPC_MAY_READ, &s);

	if (r)
		return r;
	if (num < 0 || (uint32_t)num >= s->n)
		r = -EINVAL;
	else if (what == GETVAL)
		r = s->sems[num].value;
	else if (what == GETPID)
		r = s->sems[num].pid;
	else
		r = count_waiters(s, (uint32_t)num, what == GETZCNT);
	sem_done(s);
	return r;
}

static void put_value(struct sem_set *s, uint32_t num, int32_t value)
{
	s->sems[num].value = value;
	s->sems[num].pid = process_current()->pid;
	sem_undo_clear(s, num);
}

int sem_set_value(int32_t id, int32_t num, int32_t value)
{
	struct sem_set *s;

	if (value < 0 || value > SEMVMX)
		return -ERANGE;
	int err = sem_begin(id, IPC_MAY_WRITE, &s);
	if (err)
		return err;
	if (num < 0 || (uint32_t)num >= s->n) {
		err = -EINVAL;
	} else {
		put_value(s, (uint32_t)num, value);
		s->ctime = ipc_now();
		sem_wake(s);
	}
	sem_done(s);
	return err;
}

int64_t sem_count(int32_t id)
{
	struct sem_set *s;
	int64_t n = sem_begin(id, 0, &s);

	if (n)
		return n;
	n = s->n;
	sem_done(s);
	return n;
}

int sem_get_all(int32_t id, uint16_t *values, uint32_t n)
{
	struct sem_set *s;
	int err = sem_begin(id, IPC_MAY_READ, &s);

	if (err)
		return err;
	for (uint32_t i = 0; i < MIN(n, s->n); i++)
		values[i] = (uint16_t)s->sems[i].value;
	sem_done(s);
	return 0;
}

int sem_set_all(int32_t id, const uint16_t *values, uint32_t n)
{
	struct sem_set *s;
	int err = sem_begin(id, IPC_MAY_WRITE, &s);

	if (err)
		return err;
	for (uint32_t i = 0; i < MIN(n, s->n); i++)
		if (values[i] > SEMVMX)
			err = -ERANGE;
	if (!err) {
		for (uint32_t i = 0; i < MIN(n, s->n); i++)
			put_value(s, i, values[i]);
		s->ctime = ipc_now();
		sem_wake(s);
	}
	sem_done(s);
	return err;
}

static size_t show_one(const struct ipc_object *o, char *buf, size_t n)
{
	const struct sem_set *s = container_of(o, const struct sem_set, object);

	return fmt_to(buf, n, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lu %10lu\n", o->key,
		      o->id, o->mode, s->n, o->uid, o->gid, o->cuid, o->cgid,
		      (uint64_t)s->otime, (uint64_t)s->ctime);
}

int sem_show(struct proc_text *t, void *arg)
{
	proc_printf(t, "       key      semid perms      nsems   uid   gid  cuid  cgid  "
		       "    otime      ctime\n");
	ipc_show_all(&sem_ids, t, show_one);
	return 0;
}
