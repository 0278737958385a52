/*
 * IOCB_CMD_POLL: one event when a file has something to report. Hooks on the file's wait
 * queues put the poll on the list of those woken; a kernel thread asks the file again,
 * and ends the poll if there is something.
 *
 * Always true:
 *  O1  a poll holds its file, so the queues its hooks sit on outlive them;
 *  O2  a poll is its submitter's until it is armed; then only the kernel thread ends it.
 *      Cancelling is waking with a reason.
 *
 * Locks: a context's over its list of polls; within it, and inside wake-ups, ready_lock.
 */
#include <asm/poll.h>

#include "fs/aio_internal.h"
#include "fs/poll.h"
#include "mm/slab.h"

struct poll_hook_one {
	struct waiter waiter;
	struct waitq *q; /* [I] */
	struct aio_poll *poll;
	struct poll_hook_one *next; /* [own] */
};

struct aio_poll {
	struct poll_table table;
	struct aio_context *ctx; /* [I] referenced */
	struct aio_request req;	 /* [I] */
	struct file *file;	 /* [I] referenced */
	/* [submitter, then the kernel thread] */
	struct poll_hook_one *hooks, first;
	int err;	   /* [submitter] of adding hooks */
	struct list link;  /* [ctx->lock] on ctx->polls, unless cancelled */
	struct list ready; /* [ready_lock] on the list of those woken */
	/* [ready_lock] */
	bool armed, woken, cancelled;
};

static struct spinlock ready_lock = SPINLOCK_INIT(RANK_AIO_READY);
static struct list ready_polls = LIST_INIT(ready_polls); /* [ready_lock] */
static struct waitq ready_wait = {
	SPINLOCK_INIT(RANK_WAITQ_AIO),
	LIST_INIT(ready_wait.waiters),
};
static struct mutex starter = MUTEX_INIT(starter, RANK_AIO);
static struct thread *worker; /* [starter] NULL: not needed so far */

/* ---- waking ---- */

/* ready_lock held. True: the kernel thread has something to do. */
static bool enqueue(struct aio_poll *p)
{
	p->woken = true;
	if (!p->armed || !list_empty(&p->ready))
		return false;
	list_push_back(&ready_polls, &p->ready);
	return true;
}

static void poll_wake(struct aio_poll *p, bool cancel)
{
	uint64_t flags = spin_lock_irq(&ready_lock);
	p->cancelled |= cancel;
	bool wake = enqueue(p);
	spin_unlock_irq(&ready_lock, flags);
	if (wake)
		wake_all(&ready_wait);
}

/* Under the watched queue's lock, interrupts off. */
static bool hook_woken(struct waiter *w, uint32_t key)
{
	struct aio_poll *p = container_of(w, struct poll_hook_one, waiter)->poll;

	if (key && !(key & p->table.wanted))
		return false;
	poll_wake(p, false);
	return true;
}

static int hook_add(struct poll_table *t, struct file *f, struct waitq *q)
{
	struct aio_poll *p = container_of(t, struct aio_poll, table);
	struct poll_hook_one *h = p->hooks ? heap_alloc(sizeof *h) : &p->first;

	if (!h) {
		p->err = -ENOMEM;
		return -ENOMEM;
	}
	*h = (struct poll_hook_one){
		.waiter = { .fn = hook_woken },
		.q = q,
		.poll = p,
		.next = p->hooks,
	};
	list_init(&h->waiter.link);
	p->hooks = h;
	waitq_add(q, &h->waiter);
	return 0;
}

static void hooks_remove(struct aio_poll *p)
{
	while (p->hooks) {
		struct poll_hook_one *h = p->hooks;

		p->hooks = h->next;
		waitq_del(h->q, &h->waiter);
		if (h != &p->first)
			heap_free(h);
	}
}

static uint32_t poll_ask(struct aio_poll *p, bool watch)
{
	const struct file_ops *ops = p->file->ops;
	uint32_t found = POLL_ALWAYS;

	if (ops && ops->poll)
		found = ops->poll(p->file, watch ? &p->table : NULL);
	return found & p->table.wanted;
}

/* ---- the end of a poll ---- */

/* Nobody else knows it any more. The file goes first: who sees the event may count on
 * that. */
static void poll_free(struct aio_poll *p)
{
	hooks_remove(p);
	file_put(p->file);
	aio_put(p->ctx);
	heap_free(p);
}

static void poll_end(struct aio_poll *p, uint32_t found)
{
	struct aio_context *c = p->ctx;
	const struct aio_request req = p->req;

	ref_get(&c->refs);
	poll_free(p);
	aio_complete(c, &req, found);
	aio_put(c);
}

/* The kernel thread's, of a poll that has been woken. */
static void poll_look(struct aio_poll *p, bool cancelled)
{
	uint32_t found = cancelled ? 0 : poll_ask(p, false);

	if (!found && !cancelled)
		return;
	spin_lock(&p->ctx->lock);
	list_del(&p->link);
	spin_unlock(&p->ctx->lock);
	hooks_remove(p);
	/* Nobody wakes it any more; somebody may have. */
	uint64_t flags = spin_lock_irq(&ready_lock);
	list_del(&p->ready);
	spin_unlock_irq(&ready_lock, flags);
	poll_end(p, found);
}

/* The poll woken first; NULL: none. */
static struct aio_poll *ready_take(bool *ret_cancelled)
{
	struct aio_poll *p = NULL;
	uint64_t flags = spin_lock_irq(&ready_lock);

	if (!list_empty(&ready_polls)) {
		p = list_first(&ready_polls, struct aio_poll, ready);
		list_del(&p->ready);
		p->woken = false;
		*ret_cancelled = p->cancelled;
	}
	spin_unlock_irq(&ready_lock, flags);
	return p;
}

static void work(void *arg)
{
	for (;;) {
		struct aio_poll *p;
		bool cancelled;

		wait_event(&ready_wait, (p = ready_take(&cancelled)));
		poll_look(p, cancelled);
	}
}

static int worker_start(void)
{
	mutex_lock(&starter);
	int err = 0;
	if (!worker) {
		err = thread_new("aio", work, NULL, &worker);
		if (!err)
			sched_start(worker);
	}
	mutex_unlock(&starter);
	return err;
}

/* ---- io_submit, io_cancel ---- */

static struct aio_poll *poll_new(struct aio_context *c, const struct aio_request *r,
				 struct file *f, uint32_t events)
{
	struct aio_poll *p = heap_zalloc(sizeof *p);

	if (!p)
		return NULL;
	p->table = (struct poll_table){ .add = hook_add,
					.wanted = events | POLLERR | POLLHUP };
	p->ctx = c;
	ref_get(&c->refs);
	p->req = *r;
	p->file = file_get(f);
	list_init(&p->link);
	list_init(&p->ready);
	return p;
}

/* From here on it is the kernel thread's. */
static void poll_arm(struct aio_poll *p)
{
	struct aio_context *c = p->ctx;

	spin_lock(&c->lock);
	bool dead = c->dead;
	if (!dead)
		list_push_back(&c->polls, &p->link);
	spin_unlock(&c->lock);
	uint64_t flags = spin_lock_irq(&ready_lock);
	p->armed = true;
	p->cancelled |= dead;
	bool wake = (p->woken || p->cancelled) && enqueue(p);
	spin_unlock_irq(&ready_lock, flags);
	if (wake)
		wake_all(&ready_wait);
}

int aio_poll(struct aio_context *c, const struct aio_request *r, struct file *f,
	     uint32_t events)
{
	int err = worker_start();
	if (err)
		return err;
	struct aio_poll *p = poll_new(c, r, f, events);
	if (!p)
		return -ENOMEM;
	uint32_t found = poll_ask(p, true);
	if (found) {
		poll_end(p, found);
		return 0;
	}
	err = p->err ? p->err : p->hooks ? 0 : -EINVAL;
	if (err)
		poll_free(p);
	else
		poll_arm(p);
	return err;
}

int aio_cancel(struct aio_context *c, uint64_t obj)
{
	int err = -EINVAL;

	spin_lock(&c->lock);
	list_for_each_safe(p, &c->polls, struct aio_poll, link)
	{
		if (p->req.obj != obj)
			continue;
		list_del(&p->link);
		poll_wake(p, true);
		err = -EINPROGRESS;
		break;
	}
	spin_unlock(&c->lock);
	return err;
}

void aio_polls_cancel(struct aio_context *c)
{
	spin_lock(&c->lock);
	list_for_each_safe(p, &c->polls, struct aio_poll, link)
	{
		list_del(&p->link);
		poll_wake(p, true);
	}
	spin_unlock(&c->lock);
}
