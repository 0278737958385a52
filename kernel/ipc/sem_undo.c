/*
 * SEM_UNDO: what a process has done to semaphores is made good when it ends. E3 in sem.h.
 *
 * An adjustment on a process's list has a set that can be found: removing the set takes
 * it off. So who holds the list's lock may take a reference on the set of what is on it.
 */
#include "core/panic.h"
#include "ipc/ipc.h"
#include "ipc/sem.h"

#include <linux/sched.h>

/* ---- the list of a task ---- */

static struct sem_undo_list *list_new(void)
{
	struct sem_undo_list *l = heap_zalloc(sizeof *l);
	if (!l)
		return NULL;
	ref_init(&l->refs, 1);
	spin_init(&l->lock, RANK_IPC_UNDO);
	list_init(&l->undos);
	return l;
}

/* Current's, made when first asked for. */
static struct sem_undo_list *list_get(void)
{
	struct task *t = task_current();

	if (!t->sem_undos)
		t->sem_undos = list_new();
	return t->sem_undos;
}

int sem_clone(struct task *child, uint64_t flags)
{
	if (!(flags & CLONE_SYSVSEM))
		return 0;
	struct sem_undo_list *l = list_get();
	if (!l)
		return -ENOMEM;
	ref_get(&l->refs);
	child->sem_undos = l;
	return 0;
}

/* ---- one adjustment ---- */

static size_t undo_size(uint32_t n)
{
	return sizeof(struct sem_undo) + n * sizeof(int16_t);
}

/* Both locks held. */
static void undo_unlink(struct sem_undo *u)
{
	list_del(&u->set_link);
	list_del(&u->list_link);
}

static void undo_free(struct sem_undo *u)
{
	if (u)
		ipc_free(u, undo_size(u->n));
}

static struct sem_undo *find(struct sem_set *s, const struct sem_undo_list *l)
{
	list_for_each(u, &s->undos, struct sem_undo, set_link)
	{
		if (u->list == l)
			return u;
	}
	return NULL;
}

static struct sem_undo *undo_new(struct sem_set *s, struct sem_undo_list *l)
{
	struct sem_undo *u = ipc_alloc(undo_size(s->n));
	if (!u)
		return NULL;
	list_init(&u->set_link);
	list_init(&u->list_link);
	u->set = s;
	u->list = l;
	u->n = s->n;
	return u;
}

static void undo_link(struct sem_undo *u)
{
	list_push_back(&u->set->undos, &u->set_link);
	spin_lock(&u->list->lock);
	list_push_back(&u->list->undos, &u->list_link);
	spin_unlock(&u->list->lock);
}

int sem_undo_get(struct sem_set *s, struct sem_undo **ret)
{
	struct sem_undo_list *l = task_current()->sem_undos;
	struct sem_undo *u = l ? find(s, l) : NULL, *fresh = NULL;

	if (!u) {
		spin_unlock(&s->object.lock);
		l = list_get();
		if (l)
			fresh = undo_new(s, l);
		spin_lock(&s->object.lock);
		/* Another thread may have been here meanwhile. */
		u = l ? find(s, l) : NULL;
	}
	if (s->object.removed || (!u && !fresh)) {
		undo_free(fresh);
		return s->object.removed ? -EIDRM : -ENOMEM;
	}
	if (!u) {
		undo_link(fresh);
		u = fresh;
	} else {
		undo_free(fresh);
	}
	*ret = u;
	return 0;
}

/* ---- nothing to make good ---- */

void sem_undo_clear(struct sem_set *s, uint32_t num)
{
	list_for_each(u, &s->undos, struct sem_undo, set_link) u->adjust[num] = 0;
}

void sem_undo_drop_all(struct sem_set *s)
{
	list_for_each_safe(u, &s->undos, struct sem_undo, set_link)
	{
		struct sem_undo_list *l = u->list;
		spin_lock(&l->lock);
		undo_unlink(u);
		spin_unlock(&l->lock);
		undo_free(u);
	}
}

/* ---- the end of a process ---- */

static void make_good(struct sem_set *s, const struct sem_undo *u)
{
	for (uint32_t i = 0; i < u->n; i++) {
		if (!u->adjust[i])
			continue;
		int32_t value = s->sems[i].value + u->adjust[i];
		s->sems[i].value = value < 0 ? 0 : MIN(value, SEMVMX);
		s->sems[i].pid = process_current()->pid;
	}
	s->otime = ipc_now();
	sem_wake(s);
}

/* The set of some adjustment on the list, with a reference; NULL: the list is empty. */
static struct sem_set *next_set(struct sem_undo_list *l)
{
	spin_lock(&l->lock);
	struct sem_undo *u = list_first_or_null(&l->undos, struct sem_undo, list_link);
	struct sem_set *s = u ? u->set : NULL;
	if (s)
		ref_get(&s->object.refs);
	spin_unlock(&l->lock);
	return s;
}

static void make_good_set(struct sem_set *s, struct sem_undo_list *l)
{
	spin_lock(&s->object.lock);
	struct sem_undo *u = find(s, l); /* NULL: the set was removed just now */
	if (u) {
		spin_lock(&l->lock);
		undo_unlink(u);
		spin_unlock(&l->lock);
		make_good(s, u);
	}
	spin_unlock(&s->object.lock);
	undo_free(u);
}

void sem_exit(struct task *t)
{
	struct sem_undo_list *l = t->sem_undos;
	struct sem_set *s;

	t->sem_undos = NULL;
	if (!l || !ref_put(&l->refs))
		return;
	while ((s = next_set(l))) {
		make_good_set(s, l);
		ipc_object_put(&sem_ids, &s->object);
	}
	heap_free(l);
}
