/* Message queues of System V: see msg.h for what always holds. */
#include "ipc/msg.h"

#include "core/panic.h"
#include "ipc/ipc.h"
#include "lib/fmt.h"
#include "lib/string.h"

_Atomic uint64_t msg_max_size = MSGMAX, msg_max_bytes = MSGMNB;

static _Atomic uint64_t all_bytes, all_number; /* of all queues */

static struct msg_queue *queue_of(struct ipc_object *o)
{
	return container_of(o, struct msg_queue, object);
}

struct message *message_new(uint64_t size)
{
	struct message *m = ipc_alloc(sizeof *m + size);
	if (!m)
		return NULL;
	list_init(&m->link);
	m->size = size;
	return m;
}

void message_free(struct message *m)
{
	if (m)
		ipc_free(m, sizeof *m + m->size);
}

/* ---- life (ipc_ids) ---- */

static int make(const struct ipc_request *r, struct ipc_object **ret)
{
	struct msg_queue *q = ipc_alloc(sizeof *q);
	if (!q)
		return -ENOMEM;
	ipc_object_init(&q->object, r);
	list_init(&q->messages);
	waitq_init(&q->senders);
	waitq_init(&q->receivers);
	q->max_bytes = msg_max_bytes;
	q->ctime = ipc_now();
	*ret = &q->object;
	return 0;
}

static void unlinked(struct ipc_object *o)
{
	wake_all(&queue_of(o)->senders);
	wake_all(&queue_of(o)->receivers);
}

static void queue_free(struct ipc_object *o)
{
	struct msg_queue *q = queue_of(o);

	all_bytes -= q->bytes;
	all_number -= q->number;
	list_for_each_safe(m, &q->messages, struct message, link) message_free(m);
	ipc_free(q, sizeof *q);
}

struct ipc_ids msg_ids = { .make = make, .unlinked = unlinked, .free = queue_free };

void msg_init(void)
{
	ipc_ids_init(&msg_ids, MSGMNI);
}

/* ---- sending ---- */

/* Lock held. 0: it is on the queue. -EAGAIN: no room, yet. */
static int put_locked(struct msg_queue *q, struct message *m)
{
	if (q->object.removed)
		return -EIDRM;
	int err = ipc_may(&q->object, IPC_MAY_WRITE);
	if (err)
		return err;
	/* Empty messages take no bytes, but are not for nothing. */
	if (m->size + q->bytes > q->max_bytes || q->number + 1 > q->max_bytes)
		return -EAGAIN;
	list_push_back(&q->messages, &m->link);
	q->bytes += m->size;
	q->number++;
	all_bytes += m->size;
	all_number++;
	q->last_sender = process_current()->pid;
	q->stime = ipc_now();
	return 0;
}

static int put(struct msg_queue *q, struct message *m)
{
	spin_lock(&q->object.lock);
	int err = put_locked(q, m);
	spin_unlock(&q->object.lock);
	if (!err)
		wake_all(&q->receivers);
	return err;
}

/* msgop(2): a call that a signal interrupts is never restarted. */
static int no_restart(int err)
{
	return err == -ERESTARTSYS ? -EINTR : err;
}

int msg_send(int32_t id, struct message *m, uint32_t flags)
{
	struct ipc_object *o = ipc_find(&msg_ids, id);
	int err;

	if (!o)
		return -EINVAL;
	struct msg_queue *q = queue_of(o);
	err = put(q, m);
	if (err == -EAGAIN && !(flags & IPC_NOWAIT)) {
		int slept = wait_event_intr(&q->senders, (err = put(q, m)) != -EAGAIN);
		err = slept ? no_restart(slept) : err;
	}
	ipc_object_put(&msg_ids, o);
	return err;
}

/* ---- receiving ---- */

struct reception {
	uint64_t room;
	int64_t type;
	uint32_t flags;
	struct message *copy; /* MSG_COPY: room for it */
	struct message *got;
};

static bool matches(const struct message *m, const struct reception *r)
{
	if (!r->type)
		return true;
	if (r->type < 0) /* the lowest type up to this */
		return m->type <= (r->type == INT64_MIN ? INT64_MAX : -r->type);
	return (m->type == r->type) != !!(r->flags & MSG_EXCEPT);
}

static struct message *find(const struct msg_queue *q, const struct reception *r)
{
	struct message *best = NULL;
	int64_t left = r->type;

	list_for_each(m, &q->messages, struct message, link)
	{
		if (r->flags & MSG_COPY) { /* the type is a place in the queue */
			if (!left--)
				return m;
			continue;
		}
		if (!matches(m, r))
			continue;
		if (r->type >= 0)
			return m;
		if (!best || m->type < best->type)
			best = m;
	}
	return best;
}

static void take_out(struct msg_queue *q, struct message *m)
{
	list_del(&m->link);
	q->bytes -= m->size;
	q->number--;
	all_bytes -= m->size;
	all_number--;
	q->last_receiver = process_current()->pid;
	q->rtime = ipc_now();
}

/* Lock held. 0: r->got is the caller's. -ENOMSG: none, yet. */
static int take_locked(struct msg_queue *q, struct reception *r)
{
	if (q->object.removed)
		return -EIDRM;
	int err = ipc_may(&q->object, IPC_MAY_READ);
	if (err)
		return err;
	struct message *m = find(q, r);
	if (!m)
		return -ENOMSG;
	if (m->size > r->room && !(r->flags & MSG_NOERROR))
		return -E2BIG;
	if (!(r->flags & MSG_COPY)) {
		take_out(q, m);
		r->got = m;
		return 0;
	}
	if (m->size > r->copy->size)
		return -EINVAL;
	memcpy(r->copy->text, m->text, m->size);
	r->copy->type = m->type;
	r->room = MIN(r->room, m->size);
	r->got = r->copy;
	return 0;
}

static int take(struct msg_queue *q, struct reception *r)
{
	spin_lock(&q->object.lock);
	int err = take_locked(q, r);
	spin_unlock(&q->object.lock);
	if (!err && !(r->flags & MSG_COPY))
		wake_all(&q->senders);
	return err;
}

static int receive(struct msg_queue *q, struct reception *r)
{
	int err = take(q, r);

	if (err != -ENOMSG || (r->flags & IPC_NOWAIT))
		return err;
	int slept = wait_event_intr(&q->receivers, (err = take(q, r)) != -ENOMSG);
	return slept ? no_restart(slept) : err;
}

int msg_receive(int32_t id, uint64_t room, int64_t type, uint32_t flags,
		struct message **ret, uint64_t *ret_size)
{
	struct reception r = { .room = room, .type = type, .flags = flags };
	struct ipc_object *o;

	if ((flags & MSG_COPY) && ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT)))
		return -EINVAL;
	if (flags & MSG_COPY) {
		r.copy = message_new(MIN(room, (uint64_t)msg_max_size));
		if (!r.copy)
			return -ENOMEM;
	}
	o = ipc_find(&msg_ids, id);
	int err = o ? receive(queue_of(o), &r) : -EINVAL;
	ipc_object_put(&msg_ids, o);
	if (err) {
		message_free(r.copy);
		return err;
	}
	*ret = r.got;
	*ret_size = flags & MSG_COPY ? r.room : MIN(room, r.got->size);
	return 0;
}

/* ---- msgctl(2) ---- */

static int set_locked(struct msg_queue *q, const struct msqid64_ds *ds)
{
	if (q->object.removed)
		return -EIDRM;
	int err = ipc_may_change(&q->object);
	if (!err && ds->msg_qbytes > msg_max_bytes &&
	    !cred_has_cap(thread_current()->cred, CAP_SYS_RESOURCE))
		err = -EPERM;
	if (!err)
		err = ipc_perm_set(&q->object, &ds->msg_perm);
	if (!err) {
		q->max_bytes = ds->msg_qbytes;
		q->ctime = ipc_now();
	}
	return err;
}

int msg_set(int32_t id, const struct msqid64_ds *ds)
{
	struct ipc_object *o = ipc_find(&msg_ids, id);

	if (!o)
		return -EINVAL;
	spin_lock(&o->lock);
	int err = set_locked(queue_of(o), ds);
	spin_unlock(&o->lock);
	/* Rights and room may be others now: all who wait look again. */
	if (!err)
		unlinked(o);
	ipc_object_put(&msg_ids, o);
	return err;
}

int64_t msg_stat(int32_t id, bool index, bool any, struct msqid64_ds *ret)
{
	struct ipc_object *o =
		index ? ipc_find_index(&msg_ids, id) : ipc_find(&msg_ids, id);
	if (!o)
		return -EINVAL;
	const struct msg_queue *q = queue_of(o);
	spin_lock(&o->lock);
	int err = any ? 0 : ipc_may(o, IPC_MAY_READ);
	if (!err && o->removed)
		err = -EIDRM;
	if (!err) {
		*ret = (struct msqid64_ds){
			.msg_stime = q->stime,
			.msg_rtime = q->rtime,
			.msg_ctime = q->ctime,
			.msg_cbytes = q->bytes,
			.msg_qnum = q->number,
			.msg_qbytes = q->max_bytes,
			.msg_lspid = q->last_sender,
			.msg_lrpid = q->last_receiver,
		};
		ipc_perm_get(o, &ret->msg_perm);
	}
	int64_t result = err ? err : index ? o->id : 0;
	spin_unlock(&o->lock);
	ipc_object_put(&msg_ids, o);
	return result;
}

int32_t msg_info_get(bool usage, struct msginfo *ret)
{
	uint32_t count;
	int32_t highest;

	ipc_usage(&msg_ids, &highest, &count);
	*ret = (struct msginfo){
		.msgpool = usage ? (int)count : MSGPOOL,
		.msgmap = usage ? (int)MIN((uint64_t)all_number, INT32_MAX) : MSGMAP,
		.msgmax = (int)msg_max_size,
		.msgmnb = (int)msg_max_bytes,
		.msgmni = (int)msg_ids.max,
		.msgssz = MSGSSZ,
		.msgtql = usage ? (int)MIN((uint64_t)all_bytes, INT32_MAX) : MSGTQL,
		.msgseg = MSGSEG,
	};
	return highest;
}

static size_t show_one(const struct ipc_object *o, char *buf, size_t n)
{
	const struct msg_queue *q = container_of(o, const struct msg_queue, object);

	return fmt_to(buf, n,
		      "%10d %10d  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u %10lu %10lu "
		      "%10lu\n",
		      o->key, o->id, o->mode, q->bytes, q->number, q->last_sender,
		      q->last_receiver, o->uid, o->gid, o->cuid, o->cgid,
		      (uint64_t)q->stime, (uint64_t)q->rtime, (uint64_t)q->ctime);
}

int msg_show(struct proc_text *t, void *arg)
{
	proc_printf(t, "       key      msqid perms      cbytes       qnum lspid lrpid   "
		       "uid   gid  cuid  cgid      stime      rtime      ctime\n");
	ipc_show_all(&msg_ids, t, show_one);
	return 0;
}
