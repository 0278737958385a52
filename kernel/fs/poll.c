/*
 * Waiting for any of several files. Hooks sit on the files' wait queues and pass a
 * wake-up on to the one queue where the caller sleeps.
 *
 * Always true:
 *  O1  a hook holds a reference on its file, so the queue it sits on outlives it;
 *  O2  hooks are added before the first sleep only; `triggered` is cleared before the
 *      files are asked again, so that a change between asking and sleeping is not lost.
 */
#include "fs/poll.h"

#include <asm/poll.h>

#define HOOKS_PER_BLOCK 40

struct poll_block {
	struct poll_block *next;
	size_t used;
	struct poll_hook hooks[HOOKS_PER_BLOCK];
};

/* Under the watched queue's lock, interrupts off. */
static bool hook_woken(struct waiter *w, uint32_t key)
{
	struct poll_hook *h = container_of(w, struct poll_hook, waiter);

	if (key && !(key & h->wanted))
		return false;
	h->set->triggered = true;
	wake_all(&h->set->sleep);
	return true;
}

static struct poll_hook *hook_alloc(struct poll_set *s)
{
	struct poll_block *b = s->blocks;

	if (s->used < POLL_HOOKS_INLINE)
		return &s->inline_hooks[s->used++];
	if (!b || b->used == HOOKS_PER_BLOCK) {
		b = heap_alloc(sizeof *b);
		if (!b)
			return NULL;
		b->next = s->blocks;
		b->used = 0;
		s->blocks = b;
	}
	return &b->hooks[b->used++];
}

static int hook_add(struct poll_table *t, struct file *f, struct waitq *q)
{
	struct poll_set *s = container_of(t, struct poll_set, table);
	struct poll_hook *h = hook_alloc(s);

	if (!h) {
		s->err = -ENOMEM;
		return -ENOMEM;
	}
	*h = (struct poll_hook){
		.waiter = { .fn = hook_woken, .thread = thread_current() },
		.q = q,
		.file = file_get(f),
		.set = s,
		.wanted = t->wanted,
	};
	list_init(&h->waiter.link);
	waitq_add(q, &h->waiter);
	return 0;
}

static void hook_remove(struct poll_hook *h)
{
	waitq_del(h->q, &h->waiter);
	file_put(h->file);
}

void poll_set_init(struct poll_set *s)
{
	s->table = (struct poll_table){ .add = hook_add };
	waitq_init(&s->sleep);
	spin_init(&s->sleep.lock, RANK_WAITQ_EPOLL);
	s->triggered = false;
	s->err = 0;
	s->used = 0;
	s->blocks = NULL;
}

void poll_set_fini(struct poll_set *s)
{
	for (size_t n = 0; n < s->used; n++)
		hook_remove(&s->inline_hooks[n]);
	while (s->blocks) {
		struct poll_block *b = s->blocks;

		for (size_t n = 0; n < b->used; n++)
			hook_remove(&b->hooks[n]);
		s->blocks = b->next;
		heap_free(b);
	}
}

void poll_set_stop_adding(struct poll_set *s)
{
	s->table.add = NULL;
}

uint32_t poll_set_ask(struct poll_set *s, struct file *f, uint32_t wanted)
{
	wanted |= POLLERR | POLLHUP;
	s->table.wanted = wanted;
	if (!f->ops->poll)
		return POLL_ALWAYS & wanted;
	return f->ops->poll(f, s->table.add ? &s->table : NULL) & wanted;
}

int poll_set_sleep(struct poll_set *s, uint64_t deadline)
{
	int err = wait_event_intr_deadline(&s->sleep, s->triggered, deadline);

	s->triggered = false;
	return err;
}
