/*
 * Connections: listen, connect, accept, socketpair, shutdown, and the end of a socket.
 *
 * connect(2) makes the accepter's side and leaves it in the listener's backlog; the two
 * can be written to and read from before anybody accepts.
 */
#include <asm/errno.h>

#include "net/unix/queue.h"

#define EVENTS_IN (POLLIN | POLLRDNORM | POLLRDHUP | POLLHUP | POLLERR)
#define EVENTS_OUT (POLLOUT | POLLWRNORM | POLLHUP | POLLERR)

static void wake_all_of(struct unix_sock *u)
{
	wake_poll(&u->read_wait, EVENTS_IN);
	wake_poll(&u->write_wait, EVENTS_OUT);
}

/* ---- listening ---- */

int unix_listen(struct socket *s, int backlog)
{
	struct unix_sock *u = unix_of(s);
	int err = mutex_lock_intr(&u->control_lock);

	if (err)
		return err;
	spin_lock(&u->lock);
	if (!u->name || (u->state != UNIX_FRESH && u->state != UNIX_LISTENING)) {
		err = -EINVAL;
	} else {
		u->backlog_max = MIN((uint32_t)backlog, (uint32_t)SOMAXCONN);
		u->state = UNIX_LISTENING;
		unix_peer_is_current(u);
	}
	spin_unlock(&u->lock);
	mutex_unlock(&u->control_lock);
	wake_all(&u->room_wait);
	return err;
}

static struct unix_sock *backlog_take(struct unix_sock *u)
{
	struct unix_sock *e = NULL;

	spin_lock(&u->lock);
	if (!list_empty(&u->backlog)) {
		e = list_first(&u->backlog, struct unix_sock, backlog_link);
		list_del(&e->backlog_link);
		u->waiting--;
	}
	spin_unlock(&u->lock);
	return e;
}

int unix_accept(struct socket *s, bool nonblock, struct socket **ret)
{
	struct unix_sock *u = unix_of(s), *e;
	uint64_t deadline = sock_deadline(nonblock, s->rcvtimeo);

	if (u->state != UNIX_LISTENING)
		return -EINVAL;
	while (!(e = backlog_take(u))) {
		int err;

		if (u->shut & UNIX_SHUT_RD)
			return -EINVAL;
		if (!deadline)
			return -EAGAIN;
		err = wait_event_intr_deadline(
			&u->read_wait, u->waiting || (u->shut & UNIX_SHUT_RD), deadline);
		if (err)
			return sock_wait_error(err, deadline);
	}
	wake_all(&u->room_wait);
	*ret = &e->sock;
	return 0;
}

/* ---- connecting ---- */

static bool backlog_full(const struct unix_sock *u)
{
	return u->waiting > u->backlog_max;
}

/* The other side of a connection from u to a listener, filled in but for its peer. */
static struct unix_sock *embryo_new(struct unix_sock *u, struct unix_sock *listener)
{
	struct unix_sock *e = unix_new(u->sock.type);

	if (!e)
		return NULL;
	e->sock.options = listener->sock.options & SOCK_OPT_PASSCRED;
	e->name = unix_name_get(listener->name);
	e->state = UNIX_CONNECTED;
	unix_peer_is_current(e);
	return e;
}

/* Puts e into the backlog. 0, -ECONNREFUSED, or -EAGAIN: it is full. */
static int backlog_put(struct unix_sock *listener, struct unix_sock *e)
{
	int err = 0;

	spin_lock(&listener->lock);
	if (listener->state != UNIX_LISTENING || (listener->shut & UNIX_SHUT_RD)) {
		err = -ECONNREFUSED;
	} else if (backlog_full(listener)) {
		err = -EAGAIN;
	} else {
		list_push_back(&listener->backlog, &e->backlog_link);
		listener->waiting++;
		async_tell(&listener->sock.async, POLL_IN);
	}
	spin_unlock(&listener->lock);
	return err;
}

static int may_connect(const struct unix_sock *u)
{
	switch ((uint32_t)u->state) {
	case UNIX_FRESH:
		return 0;
	case UNIX_CONNECTED:
		return -EISCONN;
	}
	return -EINVAL;
}

/* One try, with control_lock. -EAGAIN: the backlog is full. */
static int connect_once(struct unix_sock *u, struct unix_sock *listener)
{
	struct unix_sock *e;
	struct cred *cred;
	int32_t pid;
	int err = may_connect(u);

	if (err)
		return err;
	if (listener->state != UNIX_LISTENING)
		return -ECONNREFUSED;
	e = embryo_new(u, listener);
	if (!e)
		return -ENOMEM;
	e->peer = unix_get(u);
	unix_get(e); /* for u->peer */
	err = backlog_put(listener, e);
	if (err) {
		e->peer = NULL;
		unix_put(u);
		unix_put(e);
		unix_put(e);
		return err;
	}
	/* Nothing below can fail. Who listens is known from then on. */
	cred = listener->sock.ops->peer_cred(&listener->sock, &pid);
	spin_lock(&u->lock);
	u->peer = e;
	u->peer_cred = cred;
	u->peer_pid = pid;
	u->state = UNIX_CONNECTED;
	spin_unlock(&u->lock);
	unix_tell_readable(listener);
	return 0;
}

static int try_connect(struct unix_sock *u, struct unix_sock *listener)
{
	int err = mutex_lock_intr(&u->control_lock);

	if (err)
		return err;
	err = connect_once(u, listener);
	mutex_unlock(&u->control_lock);
	return err;
}

/* A listener that dies meanwhile is looked for anew: another may have its name. */
int unix_connect(struct socket *s, const struct sock_addr *a, bool nonblock)
{
	struct unix_sock *u = unix_of(s), *listener;
	uint64_t deadline = sock_deadline(nonblock, s->sndtimeo);
	int err = unix_autobind_for_creds(u);

	while (!err) {
		err = unix_find(a, s->type, &listener);
		if (err)
			break;
		err = try_connect(u, listener);
		if (err != -EAGAIN || !deadline) {
			unix_put(listener);
			break;
		}
		err = wait_event_intr_deadline(&listener->room_wait,
					       !backlog_full(listener) ||
						       listener->state == UNIX_DEAD,
					       deadline);
		unix_put(listener);
		err = sock_wait_error(err, deadline);
	}
	return err;
}

int unix_pair(struct socket *sa, struct socket *sb)
{
	struct unix_sock *a = unix_of(sa), *b = unix_of(sb);

	unix_lock_two(a, b);
	a->peer = unix_get(b);
	b->peer = unix_get(a);
	unix_peer_is_current(a);
	unix_peer_is_current(b);
	a->state = b->state = UNIX_CONNECTED;
	spin_unlock(&a->lock);
	spin_unlock(&b->lock);
	return 0;
}

/* ---- ends ---- */

static void shut(struct unix_sock *u, uint32_t which, int error)
{
	spin_lock(&u->lock);
	u->shut |= which;
	if (error)
		u->sock.err = error;
	spin_unlock(&u->lock);
	wake_all_of(u);
	wake_all(&u->room_wait);
}

/* Not by its own program: O_ASYNC tells. */
static void shut_by_peer(struct unix_sock *u, uint32_t which, int error)
{
	shut(u, which, error);
	if (which & UNIX_SHUT_RD)
		async_tell(&u->sock.async, which & UNIX_SHUT_WR ? POLL_HUP : POLL_IN);
}

int unix_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = unix_of(s), *peer;
	uint32_t mine, other;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	mine = how + 1;
	other = (mine & UNIX_SHUT_RD ? UNIX_SHUT_WR : 0) |
		(mine & UNIX_SHUT_WR ? UNIX_SHUT_RD : 0);
	shut(u, mine, 0);
	peer = unix_is_dgram(u) ? NULL : unix_peer_get(u);
	if (peer) {
		shut_by_peer(peer, other, 0);
		unix_put(peer);
	}
	return 0;
}

/* u is dead; `reset`: it had not read all, or nobody has accepted it. */
static void leave_peer(struct unix_sock *u, struct unix_sock *peer, bool reset)
{
	if (unix_is_dgram(u))
		unix_unblock(u, peer);
	else
		shut_by_peer(peer, UNIX_SHUT_BOTH, reset ? ECONNRESET : 0);
	unix_put(peer);
}

/* Consumes a reference. An embryo has no backlog: this goes no deeper than twice. */
static void die(struct unix_sock *u, bool embryo)
{
	struct list messages = LIST_INIT(messages), backlog = LIST_INIT(backlog);
	struct unix_sock *peer;

	unix_unbind(u);
	spin_lock(&u->lock);
	u->state = UNIX_DEAD;
	u->shut = UNIX_SHUT_BOTH;
	u->sock.file = NULL;
	peer = u->peer;
	u->peer = NULL;
	u->queued = u->waiting = 0;
	u->urgent = NULL;
	u->unread = 0;
	list_splice_back(&messages, &u->queue);
	list_splice_back(&backlog, &u->backlog);
	unix_wake_blocked(u);
	spin_unlock(&u->lock);
	wake_all(&u->room_wait);
	if (peer)
		leave_peer(u, peer, embryo || !list_empty(&messages));
	while (!list_empty(&backlog)) {
		struct unix_sock *e =
			list_first(&backlog, struct unix_sock, backlog_link);

		list_del(&e->backlog_link);
		die(e, true);
	}
	while (!list_empty(&messages)) {
		struct unix_msg *m = list_first(&messages, struct unix_msg, link);

		list_del(&m->link);
		unix_msg_free(m);
	}
	path_put(&u->path);
	unix_put(u);
}

void unix_release(struct socket *s)
{
	die(unix_of(s), false);
	unix_collect();
}
