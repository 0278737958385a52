/*
 * Streams: bytes with no borders but those that descriptors, writers and urgent bytes
 * make. An urgent byte (MSG_OOB) is a message of its own in the queue, where it marks a
 * place: a read ends before it, and the next one passes over it, unless SO_OOBINLINE is
 * set.
 */
#include <asm/errno.h>

#include "net/unix/queue.h"

#define CHUNK_MAX KIB(32)

/* ---- writing ---- */

/* Hands a message to the peer. 0 or -EPIPE; then it is freed. */
static int deliver(struct unix_sock *peer, struct unix_msg *m, bool urgent)
{
	bool open;

	spin_lock(&peer->lock);
	open = peer->state != UNIX_DEAD && !(peer->shut & UNIX_SHUT_RD);
	if (open)
		unix_msg_queue(peer, m);
	if (unlikely(open && urgent)) {
		peer->urgent = m;
		if (peer->sock.file)
			file_signal_urgent(peer->sock.file);
	}
	spin_unlock(&peer->lock);
	if (open && urgent)
		wake_poll(&peer->read_wait, POLLIN | POLLRDNORM | POLLPRI);
	else if (open)
		unix_tell_readable(peer);
	else
		unix_msg_free(m);
	return open ? 0 : -EPIPE;
}

/* Small enough that a second one fits while the first is read. */
static size_t chunk_size(const struct unix_sock *u, size_t left)
{
	size_t half = u->sock.sndbuf / 2 - 64;

	return MIN(left, MIN(half, CHUNK_MAX));
}

static int may_send(const struct unix_sock *u, const struct sock_msg *m)
{
	bool connected = u->state == UNIX_CONNECTED;

	if ((m->flags & MSG_OOB) && !m->data->left)
		return -EOPNOTSUPP;
	if (m->name)
		return connected ? -EISCONN : -EOPNOTSUPP;
	if (!connected)
		return -ENOTCONN;
	return u->shut & UNIX_SHUT_WR ? -EPIPE : 0;
}

int64_t unix_stream_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);
	uint64_t deadline = sock_deadline(m->flags & MSG_DONTWAIT, s->sndtimeo);
	size_t last = m->flags & MSG_OOB ? 1 : 0; /* urgent bytes */
	int64_t done = 0;
	int err = may_send(u, m);

	while (!err && m->data->left) {
		bool urgent = m->data->left == last;
		size_t n = urgent ? 1 : chunk_size(u, m->data->left - last);
		struct unix_msg *msg;

		err = unix_msg_new(u, m, n, deadline, &msg);
		if (!err)
			err = deliver(u->peer, msg, urgent);
		if (!err)
			done += n;
		sched_give_way();
	}
	return done ? done : err;
}

/* ---- reading ---- */

struct stream_read {
	struct unix_sock *u;
	struct sock_msg *m;
	struct unix_msg *last; /* peeking: what was looked at */
	size_t skip;	       /* peeking: bytes to pass over still */
	int64_t done;
	bool started, stop;
};

static bool same_writer(const struct ucred *a, const struct ucred *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

static bool is_glued(const struct stream_read *r, const struct unix_msg *msg)
{
	return !r->started || !(r->u->sock.options & SOCK_OPT_PASSCRED) ||
	       same_writer(&r->m->creds, &msg->creds);
}

static void consume(struct unix_sock *u, struct unix_msg *msg, size_t n)
{
	if (msg->done + n == msg->len) {
		unix_msg_unqueue(u, msg);
		unix_msg_free(msg);
	} else {
		unix_msg_cut(u, msg, n);
	}
}

/* Reads from one message. 0 or -errno. */
static int read_one(struct stream_read *r, struct unix_msg *msg, bool peek)
{
	size_t at = msg->done + r->skip, n = MIN(msg->len - at, r->m->data->left);
	int64_t got = unix_msg_copy(msg, at, n, r->m->data);
	bool rights = msg->rights;
	int err = 0;

	if (got < 0)
		return got;
	if (!r->started || rights)
		err = unix_msg_extras(r->u, msg, r->m);
	if (err)
		return err;
	r->started = true;
	r->skip = 0;
	r->done += got;
	r->last = msg;
	r->stop = rights || got < (int64_t)n;
	if (!peek)
		consume(r->u, msg, got);
	return 0;
}

/* An urgent byte, where a read comes to it: whether it is to be read like others. Else
 * the read ends before it, or passes over it. */
static bool comes_to_urgent(struct stream_read *r, struct unix_msg *msg, bool peek)
{
	struct unix_sock *u = r->u;

	if (r->done) {
		r->stop = true;
		return false;
	}
	if (u->sock.options & SOCK_OPT_OOBINLINE)
		return true;
	if (peek)
		r->last = msg;
	else
		consume(u, msg, 1);
	return false;
}

/* All that is there and wanted. 0, or -errno when nothing was read. */
static int read_queued(struct stream_read *r)
{
	bool peek = r->m->flags & MSG_PEEK;
	struct unix_msg *msg;

	while (!r->stop && (msg = unix_msg_after(r->u, peek ? r->last : NULL))) {
		int err;

		if (unlikely(msg == r->u->urgent) && !comes_to_urgent(r, msg, peek))
			continue;
		if (peek && r->skip >= msg->len - msg->done) {
			r->skip -= msg->len - msg->done;
			r->last = msg;
			continue;
		}
		if (!is_glued(r, msg)) {
			r->stop = true;
			break;
		}
		err = read_one(r, msg, peek);
		if (err) {
			r->stop = true;
			return r->done ? 0 : err;
		}
		r->stop |= !r->m->data->left;
	}
	return 0;
}

/* Something came behind what has been looked at. */
static bool has_more(struct unix_sock *u, uint32_t seen)
{
	return u->queued != seen || u->sock.err || (u->shut & UNIX_SHUT_RD);
}

/* Sleeps for more, without read_lock. 0: look again; 1: there will be none; -errno. */
static int wait_more(struct stream_read *r, uint64_t deadline)
{
	struct unix_sock *u = r->u;
	bool peek = r->m->flags & MSG_PEEK;
	/* What a peek leaves in the queue is nothing new to it. */
	uint32_t seen = peek ? u->queued : 0;
	int err;

	if (unix_msg_after(u, peek ? r->last : NULL))
		return 0;
	err = sock_take_error(&u->sock);
	if (err)
		return err;
	if (u->shut & UNIX_SHUT_RD)
		return 1;
	if (!deadline)
		return -EAGAIN;
	mutex_unlock(&u->read_lock);
	err = wait_event_intr_deadline(&u->read_wait, has_more(u, seen), deadline);
	mutex_lock(&u->read_lock);
	/* Another reader may have freed what this one has peeked at. */
	if (peek)
		r->stop = r->done;
	r->last = NULL;
	return sock_wait_error(err, deadline);
}

/* MSG_OOB. */
static int64_t recv_urgent(struct unix_sock *u, struct sock_msg *m)
{
	struct unix_msg *msg;
	int64_t got = -EINVAL;

	mutex_lock(&u->read_lock);
	msg = u->sock.options & SOCK_OPT_OOBINLINE ? NULL : u->urgent;
	if (msg)
		got = unix_msg_copy(msg, 0, MIN(m->data->left, 1u), m->data);
	if (got >= 0)
		m->ret_flags |= MSG_OOB;
	if (got > 0 && !(m->flags & MSG_PEEK))
		consume(u, msg, 1);
	mutex_unlock(&u->read_lock);
	return got;
}

int64_t unix_stream_recv(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);
	uint64_t deadline = sock_deadline(m->flags & MSG_DONTWAIT, s->rcvtimeo);
	bool peek = m->flags & MSG_PEEK;
	struct stream_read r = { .u = u, .m = m };
	int64_t target = m->flags & MSG_WAITALL
				 ? (int64_t)m->data->left
				 : (int64_t)MIN(m->data->left, (size_t)s->rcvlowat);
	int err;

	if (u->state != UNIX_CONNECTED)
		return -EINVAL;
	if (m->flags & MSG_OOB)
		return recv_urgent(u, m);
	mutex_lock(&u->read_lock);
	do {
		if (peek && !r.done)
			r.skip = MAX(0, s->peek_off);
		err = read_queued(&r);
		if (err || r.stop || r.done >= MAX(target, 1))
			break;
		err = wait_more(&r, deadline);
	} while (!err && !r.stop);
	sock_peek_off_move(s, r.done, peek);
	mutex_unlock(&u->read_lock);
	return r.done ? r.done : MIN(err, 0);
}

/* ---- polling, for all that connect ---- */

uint32_t unix_stream_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct unix_sock *u = unix_of(s);
	uint32_t events = 0, shut, state;

	poll_add(pt, f, &u->read_wait);
	poll_add_for(pt, f, &u->write_wait, POLLOUT | POLLWRNORM);
	shut = u->shut;
	state = u->state;
	if (s->err)
		events |= POLLERR;
	if (shut == UNIX_SHUT_BOTH || state == UNIX_FRESH)
		events |= POLLHUP;
	if (shut & UNIX_SHUT_RD)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (u->queued || u->waiting)
		events |= POLLIN | POLLRDNORM;
	if (u->urgent)
		events |= POLLPRI;
	if (state != UNIX_LISTENING && unix_may_write(u))
		events |= POLLOUT | POLLWRNORM;
	return events;
}
