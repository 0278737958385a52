/*
 * Messages with borders: datagrams, and the packets of SOCK_SEQPACKET.
 *
 * A datagram socket that strangers may send to takes in a few messages only; who finds it
 * full waits on its room_wait, or, when it polls, is put on its list of the blocked.
 */
#include <asm/errno.h>

#include "core/panic.h"
#include "net/unix/queue.h"

#define DGRAM_BACKLOG 10
#define DGRAM_OVERHEAD 32 /* of SO_SNDBUF, that no message's bytes may use */

_Atomic uint32_t unix_dgram_backlog = DGRAM_BACKLOG;

/* ---- full receivers ---- */

/* To u, who sends; both are the same when it sends to itself. `to`'s lock is held. */
static bool is_full_for(const struct unix_sock *to, const struct unix_sock *u)
{
	return to != u && to->peer != u && to->queued > unix_dgram_backlog;
}

void unix_wake_blocked(struct unix_sock *u)
{
	must_hold(&u->lock);
	while (!list_empty(&u->blocked)) {
		struct unix_sock *b =
			list_first(&u->blocked, struct unix_sock, blocked_link);

		list_del(&b->blocked_link);
		wake_poll(&b->write_wait, POLLOUT | POLLWRNORM);
	}
}

void unix_unblock(struct unix_sock *u, struct unix_sock *peer)
{
	spin_lock(&peer->lock);
	list_del(&u->blocked_link);
	spin_unlock(&peer->lock);
}

/* Room was made in u's queue. */
static void tell_room(struct unix_sock *u)
{
	if (u->queued > unix_dgram_backlog)
		return;
	wake_all(&u->room_wait);
	if (list_empty(&u->blocked))
		return;
	spin_lock(&u->lock);
	unix_wake_blocked(u);
	spin_unlock(&u->lock);
}

/* True: u's peer is full, and will tell u's pollers when it is not. */
static bool is_blocked(struct unix_sock *u)
{
	struct unix_sock *peer = unix_peer_get(u);
	bool full = false;

	if (!peer)
		return false;
	if (peer != u && peer->queued > unix_dgram_backlog) {
		unix_lock_two(u, peer);
		full = u->peer == peer && is_full_for(peer, u) &&
		       peer->state != UNIX_DEAD;
		if (full && list_empty(&u->blocked_link))
			list_push_back(&peer->blocked, &u->blocked_link);
		spin_unlock(&u->lock);
		spin_unlock(&peer->lock);
	}
	unix_put(peer);
	return full;
}

uint32_t unix_dgram_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct unix_sock *u = unix_of(s);
	uint32_t events = 0, shut;

	poll_add(pt, f, &u->read_wait);
	poll_add_for(pt, f, &u->write_wait, POLLOUT | POLLWRNORM);
	shut = u->shut;
	if (s->err)
		events |= POLLERR;
	if (shut == UNIX_SHUT_BOTH)
		events |= POLLHUP;
	if (shut & UNIX_SHUT_RD)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (u->queued)
		events |= POLLIN | POLLRDNORM;
	if (unix_may_write(u) && !is_blocked(u))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

/* ---- connecting ---- */

/* Puts `peer` in the place of `old` (either may be NULL); false: old is the peer no more.
 * With both locked, so that no poll puts u among those whom the wrong one blocks. */
static bool peer_swap(struct unix_sock *u, struct unix_sock *old, struct unix_sock *peer)
{
	bool same;

	if (old && old != u)
		unix_lock_two(u, old);
	else
		spin_lock(&u->lock);
	same = u->peer == old;
	if (same) {
		list_del(&u->blocked_link);
		u->peer = peer;
	}
	spin_unlock(&u->lock);
	if (old && old != u)
		spin_unlock(&old->lock);
	return same;
}

/* u no longer hears of `old`, and what it has got is dropped. */
static void disconnected(struct unix_sock *u, struct unix_sock *old)
{
	struct unix_msg *m;
	bool dropped = false;

	mutex_lock(&u->read_lock);
	while ((m = unix_msg_after(u, NULL))) {
		unix_msg_unqueue(u, m);
		unix_msg_free(m);
		dropped = true;
	}
	mutex_unlock(&u->read_lock);
	tell_room(u);
	if (!dropped)
		return;
	spin_lock(&old->lock);
	if (old->peer == u)
		old->sock.err = ECONNRESET;
	spin_unlock(&old->lock);
	wake_poll(&old->read_wait, POLLERR);
}

static bool is_taken(struct unix_sock *peer, const struct unix_sock *u)
{
	bool taken;

	spin_lock(&peer->lock);
	taken = peer->peer && peer->peer != u;
	spin_unlock(&peer->lock);
	return taken;
}

/* Sets the peer (consumed; NULL: none). -EPERM: it is somebody else's. */
static int peer_set(struct unix_sock *u, struct unix_sock *peer)
{
	struct unix_sock *old;

	if (peer && peer != u && is_taken(peer, u)) {
		unix_put(peer);
		return -EPERM;
	}
	while (old = unix_peer_get(u), !peer_swap(u, old, peer))
		if (old)
			unix_put(old);
	if (!old)
		return 0;
	if (old != peer)
		disconnected(u, old);
	unix_put(old); /* u's */
	unix_put(old);
	return 0;
}

int unix_dgram_connect(struct socket *s, const struct sock_addr *a, bool nonblock)
{
	struct unix_sock *u = unix_of(s), *peer;
	int err;

	if (a->len >= sizeof a->family && a->family == AF_UNSPEC)
		return peer_set(u, NULL);
	err = unix_autobind_for_creds(u);
	if (!err)
		err = unix_find(a, s->type, &peer);
	return err ? err : peer_set(u, peer);
}

/* ---- sending ---- */

/* 0: queued. -EAGAIN: full; -ECONNREFUSED: dead. */
static int deliver(struct unix_sock *u, struct unix_sock *to, struct unix_msg *m)
{
	int err = 0;

	spin_lock(&to->lock);
	if (to->peer && to->peer != u)
		err = -EPERM;
	else if (to->state == UNIX_DEAD)
		err = unix_is_dgram(u) ? -ECONNREFUSED : -EPIPE;
	else if (to->shut & UNIX_SHUT_RD)
		err = -EPIPE;
	else if (is_full_for(to, u))
		err = -EAGAIN;
	else
		unix_msg_queue(to, m);
	spin_unlock(&to->lock);
	if (!err)
		unix_tell_readable(to);
	return err;
}

static bool may_have_room(const struct unix_sock *to)
{
	return to->queued <= unix_dgram_backlog || to->state == UNIX_DEAD ||
	       (to->shut & UNIX_SHUT_RD);
}

/* The same, waiting for room. Consumes m when it fails, too. */
static int deliver_waiting(struct unix_sock *u, struct unix_sock *to, struct unix_msg *m,
			   uint64_t deadline)
{
	int err = deliver(u, to, m);

	while (err == -EAGAIN && deadline) {
		err = wait_event_intr_deadline(&to->room_wait, may_have_room(to),
					       deadline);
		err = sock_wait_error(err, deadline);
		if (err)
			break;
		err = deliver(u, to, m);
	}
	if (err)
		unix_msg_free(m);
	return err;
}

static int64_t send_to(struct unix_sock *u, struct unix_sock *to, struct sock_msg *m)
{
	uint64_t deadline = sock_deadline(m->flags & MSG_DONTWAIT, u->sock.sndtimeo);
	size_t n = m->data->left;
	struct unix_msg *msg;
	int err;

	if (n > u->sock.sndbuf - DGRAM_OVERHEAD)
		return -EMSGSIZE;
	err = unix_msg_new(u, m, n, deadline, &msg);
	if (!err)
		err = deliver_waiting(u, to, msg, deadline);
	return err ? err : (int64_t)n;
}

/* u's peer has gone. */
static void forget_peer(struct unix_sock *u, struct unix_sock *peer)
{
	if (!peer_swap(u, peer, NULL))
		return;
	disconnected(u, peer);
	unix_put(peer);
}

int64_t unix_dgram_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s), *to;
	int64_t n;
	int err = m->flags & MSG_OOB ? -EOPNOTSUPP : unix_autobind_for_creds(u);

	if (err)
		return err;
	if (m->name) {
		err = unix_find(m->name, s->type, &to);
		if (err)
			return err;
	} else {
		to = unix_peer_get(u);
		if (!to)
			return -ENOTCONN;
	}
	n = send_to(u, to, m);
	if (n == -ECONNREFUSED && !m->name)
		forget_peer(u, to);
	unix_put(to);
	return n;
}

int64_t unix_seqpacket_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	return u->state == UNIX_CONNECTED ? send_to(u, u->peer, m) : -ENOTCONN;
}

/* ---- receiving ---- */

/* The message to be read: the first, or the one that SO_PEEK_OFF leads into. */
static struct unix_msg *message_at(struct unix_sock *u, bool peek, size_t *skip)
{
	struct unix_msg *m = unix_msg_after(u, NULL);

	while (m && peek && *skip && *skip >= m->len) {
		*skip -= m->len;
		m = unix_msg_after(u, m);
	}
	return m;
}

/* Waits without read_lock. 0: look again; 1: there will be none; -errno. */
static int wait_message(struct unix_sock *u, uint32_t seen, uint64_t deadline)
{
	bool ended = u->shut & UNIX_SHUT_RD;
	int err;

	if (!deadline)
		return ended && !unix_is_dgram(u) ? 1 : -EAGAIN;
	if (ended)
		return 1;
	mutex_unlock(&u->read_lock);
	err = wait_event_intr_deadline(
		&u->read_wait,
		u->queued != seen || u->sock.err || (u->shut & UNIX_SHUT_RD), deadline);
	mutex_lock(&u->read_lock);
	return sock_wait_error(err, deadline);
}

/* Copies it out and, unless peeking, takes it away. Bytes or -errno. */
static int64_t take(struct unix_sock *u, struct unix_msg *msg, size_t skip,
		    struct sock_msg *m)
{
	bool peek = m->flags & MSG_PEEK;
	size_t len = msg->len - skip, n = MIN(len, m->data->left);
	int64_t got = unix_msg_copy(msg, skip, n, m->data);
	int err;

	if (got < (int64_t)n)
		return -EFAULT;
	err = unix_msg_extras(u, msg, m);
	if (err)
		return err;
	if (n < len)
		m->ret_flags |= MSG_TRUNC;
	sock_peek_off_move(&u->sock, (int64_t)(peek ? n : msg->len), peek);
	if (!peek) {
		unix_msg_unqueue(u, msg);
		unix_msg_free(msg);
		tell_room(u);
	}
	return m->flags & MSG_TRUNC ? len : n;
}

int64_t unix_dgram_recv(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);
	uint64_t deadline = sock_deadline(m->flags & MSG_DONTWAIT, s->rcvtimeo);
	bool peek = m->flags & MSG_PEEK;
	struct unix_msg *msg = NULL;
	int64_t n = 0;
	size_t skip;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&u->read_lock);
	while (!n) {
		uint32_t seen = peek ? u->queued : 0;

		n = sock_take_error(s);
		if (n)
			break;
		skip = peek ? MAX(0, s->peek_off) : 0;
		msg = message_at(u, peek, &skip);
		if (msg)
			break;
		n = wait_message(u, seen, deadline);
	}
	if (msg)
		n = take(u, msg, skip, m);
	else if (n > 0)
		n = 0;
	mutex_unlock(&u->read_lock);
	return n;
}

int64_t unix_seqpacket_recv(struct socket *s, struct sock_msg *m)
{
	if (unix_of(s)->state != UNIX_CONNECTED)
		return -ENOTCONN;
	return unix_dgram_recv(s, m);
}
