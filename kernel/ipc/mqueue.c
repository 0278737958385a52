/* POSIX message queues without their names: see mqueue.h for what always holds. */
#include "ipc/mqueue.h"

#include <asm/poll.h>
#include <linux/resource.h>

#include "core/panic.h"
#include "ipc/ipc.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "proc/futex.h"
#include "proc/signal.h"

struct mqueue_limits mqueue_limits = {
	.messages = 10,
	.size = 8192,
	.default_messages = 10,
	.default_size = 8192,
	.queues = 256,
};

/* ---- life ---- */

static int attr_check(const struct mq_attr *a)
{
	uint64_t messages = (uint64_t)a->mq_maxmsg, size = (uint64_t)a->mq_msgsize;

	if (a->mq_maxmsg <= 0 || messages > MQUEUE_HARD_MESSAGES || a->mq_msgsize <= 0 ||
	    size > MQUEUE_HARD_SIZE)
		return -EINVAL;
	if (messages <= mqueue_limits.messages && size <= mqueue_limits.size)
		return 0;
	return cred_has_cap(thread_current()->cred, CAP_SYS_RESOURCE) ? 0 : -EINVAL;
}

/* getrlimit(2), RLIMIT_MSGQUEUE: the messages, a header for each, and a place for each
 * priority. */
static uint64_t cost_of(uint64_t messages, uint64_t size)
{
	const uint64_t header = 48, place = 48;

	return messages * (size + header) + MIN(messages, (uint64_t)MQ_PRIO_MAX) * place;
}

int mqueue_new(const struct mq_attr *attr, struct mqueue **ret)
{
	const struct mq_attr standard = {
		.mq_maxmsg = (long)MIN((uint64_t)mqueue_limits.messages,
				       (uint64_t)mqueue_limits.default_messages),
		.mq_msgsize = (long)MIN((uint64_t)mqueue_limits.size,
					(uint64_t)mqueue_limits.default_size),
	};
	int err = attr ? attr_check(attr) : 0;
	if (err)
		return err;
	struct mqueue *q = ipc_alloc(sizeof *q);
	if (!q)
		return -ENOMEM;
	const struct mq_attr *a = attr ? attr : &standard;
	spin_init(&q->lock, RANK_IPC);
	rb_init(&q->messages, NULL);
	waitq_init(&q->senders);
	waitq_init(&q->receivers);
	q->max_messages = (uint64_t)a->mq_maxmsg;
	q->max_size = (uint64_t)a->mq_msgsize;
	q->cost = cost_of(q->max_messages, q->max_size);
	q->account = account_get(thread_current()->cred->uid);
	if (!q->account)
		err = -ENOMEM;
	else if (!account_charge(&q->account->mqueue_bytes, q->cost,
				 rlimit_current(RLIMIT_MSGQUEUE)))
		err = -EMFILE;
	if (err) {
		account_put(q->account);
		ipc_free(q, sizeof *q);
		return err;
	}
	*ret = q;
	return 0;
}

static struct mq_message *message_of(struct rb_node *n)
{
	return container_of(n, struct mq_message, node);
}

void mqueue_free(struct mqueue *q)
{
	struct rb_node *n;

	while ((n = rb_first(&q->messages))) {
		rb_erase(&q->messages, n);
		mq_message_free(message_of(n));
	}
	process_put(q->notice.who);
	q->account->mqueue_bytes -= q->cost;
	account_put(q->account);
	ipc_free(q, sizeof *q);
}

struct mq_message *mq_message_new(size_t size)
{
	struct mq_message *m = ipc_alloc(sizeof *m + size);

	if (m)
		m->size = size;
	return m;
}

void mq_message_free(struct mq_message *m)
{
	if (m)
		ipc_free(m, sizeof *m + m->size);
}

/* ---- notices ---- */

/* A program that the process has become since did not ask for it, and may be another
 * user's. The notice is the caller's, who drops it. */
static void tell(const struct mq_notice *n)
{
	siginfo_t info = { .si_code = SI_MESGQ };

	if (!n->who || n->how != SIGEV_SIGNAL || !n->sig || n->who->n_execs != n->n_execs)
		return;
	info.si_signo = n->sig;
	info.si_pid = process_current()->pid;
	info.si_uid = thread_current()->cred->uid;
	info.si_value = n->value;
	(void)signal_send_process(n->who, n->sig, &info);
}

static bool notice_is_mine(const struct mqueue *q)
{
	return q->notice.who && q->notice.who == process_current();
}

/* Lock held: nobody is told any more; the notice is the caller's. */
static struct mq_notice notice_take(struct mqueue *q)
{
	struct mq_notice n = q->notice;

	q->notice = (struct mq_notice){ 0 };
	return n;
}

int mqueue_notify(struct mqueue *q, const struct mq_notice *n)
{
	struct mq_notice gone = { 0 };
	int err = 0;

	spin_lock(&q->lock);
	if (!n) {
		if (notice_is_mine(q))
			gone = notice_take(q);
	} else if (q->notice.who) {
		err = -EBUSY;
	} else {
		q->notice = *n;
		q->notice.who = process_get(process_current());
		q->notice.n_execs = process_current()->n_execs;
	}
	spin_unlock(&q->lock);
	process_put(gone.who);
	return err;
}

void mqueue_closed(struct mqueue *q)
{
	int err = mqueue_notify(q, NULL);

	insist(!err);
}

/* ---- messages in and out ---- */

/* One send or receive; m is what is sent, or what was received. */
struct transfer {
	struct mqueue *q;
	struct mq_message *m;
	bool waits; /* counted in q->receiving */
};

/* M1: in front of what has a lower priority. */
static void insert(struct mqueue *q, struct mq_message *m)
{
	struct rb_node **link = &q->messages.root, *parent = NULL;

	m->number = q->next_number++;
	while (*link) {
		parent = *link;
		link = m->priority > message_of(parent)->priority ? &parent->left
								  : &parent->right;
	}
	rb_insert(&q->messages, &m->node, parent, link);
	q->number++;
	q->bytes += m->size;
}

/* 0 or -EAGAIN. */
static int put(struct transfer *t)
{
	struct mqueue *q = t->q;
	struct mq_notice n = { 0 };

	spin_lock(&q->lock);
	bool full = q->number >= q->max_messages;
	if (!full) {
		/* Whoever waits for a message gets it, and nobody need be told. */
		if (!q->number && !q->receiving)
			n = notice_take(q);
		insert(q, t->m);
	}
	spin_unlock(&q->lock);
	if (full)
		return -EAGAIN;
	if (waitq_active(&q->receivers))
		wake_key(&q->receivers, 1, POLLIN | POLLRDNORM);
	tell(&n);
	process_put(n.who);
	return 0;
}

static int take(struct transfer *t)
{
	struct mqueue *q = t->q;

	spin_lock(&q->lock);
	struct rb_node *n = rb_first(&q->messages);
	if (n) {
		rb_erase(&q->messages, n);
		t->m = message_of(n);
		q->number--;
		q->bytes -= t->m->size;
	}
	if (t->waits != !n) {
		t->waits = !n;
		q->receiving += n ? -1u : 1u;
	}
	spin_unlock(&q->lock);
	if (!n)
		return -EAGAIN;
	if (waitq_active(&q->senders))
		wake_key(&q->senders, 1, POLLOUT | POLLWRNORM);
	return 0;
}

static void stop_receiving(struct transfer *t)
{
	spin_lock(&t->q->lock);
	t->q->receiving -= t->waits;
	spin_unlock(&t->q->lock);
}

static uint64_t mono_deadline(uint64_t until)
{
	return until == MQ_NO_DEADLINE ? NO_DEADLINE : real_to_mono(until);
}

/* Tries in turn with others until it is done: 0, -ETIMEDOUT, -ERESTARTSYS. The clock may
 * be set meanwhile, so the deadline is looked at anew each time. */
static int wait_turn(struct waitq *q, int (*attempt)(struct transfer *t),
		     struct transfer *t, uint64_t until)
{
	struct waiter w = { .exclusive = true };
	struct real_sleeper rs;
	int err = 0;

	if (until != MQ_NO_DEADLINE)
		real_sleeper_add(&rs);
	while (!err) {
		wait_prepare(q, &w, WAIT_INTR);
		if (!attempt(t))
			break;
		err = wait_sleep(WAIT_INTR, mono_deadline(until));
	}
	wait_finish(q, &w);
	if (until != MQ_NO_DEADLINE)
		real_sleeper_del(&rs);
	/* It may have been woken and given up at the same time: the turn is the next
	 * one's. */
	if (err)
		wake_one(q);
	return err;
}

int mqueue_send(struct mqueue *q, struct mq_message *m, bool nonblock, uint64_t until)
{
	struct transfer t = { .q = q, .m = m };

	if (m->size > q->max_size)
		return -EMSGSIZE;
	int err = put(&t);
	return err && !nonblock ? wait_turn(&q->senders, put, &t, until) : err;
}

int mqueue_receive(struct mqueue *q, size_t room, bool nonblock, uint64_t until,
		   struct mq_message **ret)
{
	struct transfer t = { .q = q };

	if (room < q->max_size)
		return -EMSGSIZE;
	int err = take(&t);
	if (err && !nonblock)
		err = wait_turn(&q->receivers, take, &t, until);
	stop_receiving(&t);
	*ret = t.m;
	return err;
}

size_t mqueue_text(struct mqueue *q, char *buf, size_t n)
{
	spin_lock(&q->lock);
	const struct mq_notice *p = &q->notice;
	size_t len = fmt_to(
		buf, n, "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n", q->bytes,
		p->who ? p->how : 0, p->who && p->how == SIGEV_SIGNAL ? p->sig : 0,
		p->who ? p->who->pid : 0);
	spin_unlock(&q->lock);
	return len;
}
