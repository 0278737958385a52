/* AF_UNIX sockets: birth, references, the tables of operations. */
#include "net/unix/unix.h"

#include <asm/errno.h>
#include <asm/ioctls.h>
#include <linux/sockios.h>

#include "core/panic.h"

static struct slab_cache *unix_cache;

/* ---- life ---- */

static const struct socket_ops *ops_of(int type)
{
	switch (type) {
	case SOCK_STREAM:
		return &unix_stream_ops;
	case SOCK_SEQPACKET:
		return &unix_seqpacket_ops;
	}
	return &unix_dgram_ops;
}

struct unix_sock *unix_new(int type)
{
	struct unix_sock *u = slab_zalloc(unix_cache);

	if (!u)
		return NULL;
	socket_init(&u->sock, ops_of(type), AF_UNIX, type, 0);
	ref_init(&u->refs, 1);
	mutex_init(&u->control_lock, RANK_SOCKET);
	mutex_init(&u->read_lock, RANK_SOCKET);
	spin_init(&u->lock, RANK_SOCK);
	list_init(&u->queue);
	list_init(&u->backlog);
	list_init(&u->backlog_link);
	list_init(&u->blocked);
	list_init(&u->blocked_link);
	list_init(&u->flying_link);
	list_init(&u->reached_link);
	waitq_init(&u->read_wait);
	waitq_init(&u->write_wait);
	waitq_init(&u->room_wait);
	unix_list_add(u);
	return u;
}

void unix_put_last(struct unix_sock *u)
{
	if (!unix_list_del_last(u))
		return;
	insist(list_empty(&u->queue) && list_empty(&u->backlog) && !u->flying);
	unix_name_put(u->name);
	cred_put(u->peer_cred);
	slab_free(unix_cache, u);
}

struct unix_sock *unix_peer_get(struct unix_sock *u)
{
	struct unix_sock *p;

	spin_lock(&u->lock);
	p = u->peer ? unix_get(u->peer) : NULL;
	spin_unlock(&u->lock);
	return p;
}

void unix_lock_two(struct unix_sock *a, struct unix_sock *b)
{
	spin_lock(a < b ? &a->lock : &b->lock);
	spin_lock(a < b ? &b->lock : &a->lock);
}

void unix_peer_is_current(struct unix_sock *u)
{
	struct cred *old = u->peer_cred;

	u->peer_cred = cred_get(thread_current()->cred);
	u->peer_pid = fs_upcalls.current_tgid();
	cred_put(old);
}

/* socket(2): SOCK_RAW is another word for SOCK_DGRAM here. */
static int unix_create(int type, int protocol, struct socket **ret)
{
	struct unix_sock *u;

	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	u = unix_new(type);
	if (!u)
		return -ENOMEM;
	*ret = &u->sock;
	return 0;
}

/* ---- what all types answer alike ---- */

static bool unix_listening(struct socket *s)
{
	return unix_of(s)->state == UNIX_LISTENING;
}

static struct cred *unix_peer_cred(struct socket *s, int32_t *ret_pid)
{
	struct unix_sock *u = unix_of(s);
	struct cred *c;

	spin_lock(&u->lock);
	c = u->peer_cred ? cred_get(u->peer_cred) : NULL;
	if (c)
		*ret_pid = u->peer_pid;
	spin_unlock(&u->lock);
	return c;
}

/* Whether a read begins right behind what came before the urgent byte. */
static int32_t at_mark(struct unix_sock *u)
{
	bool at;

	spin_lock(&u->lock);
	at = u->urgent && list_first(&u->queue, struct unix_msg, link) == u->urgent;
	spin_unlock(&u->lock);
	return at;
}

/* All that is queued, or for datagrams the first. */
static int32_t bytes_unread(struct unix_sock *u)
{
	int32_t n = 0;

	if (!unix_is_dgram(u))
		return u->unread;
	spin_lock(&u->lock);
	if (!list_empty(&u->queue))
		n = list_first(&u->queue, struct unix_msg, link)->len;
	spin_unlock(&u->lock);
	return n;
}

static int64_t unix_ioctl(struct socket *s, uint32_t cmd, uaddr_t arg)
{
	struct unix_sock *u = unix_of(s);
	int32_t n;

	switch (cmd) {
	case SIOCINQ:
		if (u->state == UNIX_LISTENING)
			return -EINVAL;
		n = bytes_unread(u);
		return put_user(arg, n);
	case SIOCOUTQ:
		n = u->charged;
		return put_user(arg, n);
	case SIOCATMARK:
		n = at_mark(u);
		return put_user(arg, n);
	}
	return -ENOTTY;
}

#define UNIX_COMMON_OPS                                                                  \
	.bind = unix_bind, .pair = unix_pair, .name = unix_name,                         \
	.shutdown = unix_shutdown, .ioctl = unix_ioctl, .listening = unix_listening,     \
	.peer_cred = unix_peer_cred, .closing = unix_closing, .release = unix_release

const struct socket_ops unix_stream_ops = {
	.listen = unix_listen,
	.accept = unix_accept,
	.connect = unix_connect,
	.send = unix_stream_send,
	.recv = unix_stream_recv,
	.poll = unix_stream_poll,
	UNIX_COMMON_OPS,
};

const struct socket_ops unix_seqpacket_ops = {
	.listen = unix_listen,
	.accept = unix_accept,
	.connect = unix_connect,
	.send = unix_seqpacket_send,
	.recv = unix_seqpacket_recv,
	.poll = unix_stream_poll,
	UNIX_COMMON_OPS,
};

const struct socket_ops unix_dgram_ops = {
	.connect = unix_dgram_connect,
	.send = unix_dgram_send,
	.recv = unix_dgram_recv,
	.poll = unix_dgram_poll,
	UNIX_COMMON_OPS,
};

static struct socket_family family = {
	.family = AF_UNIX,
	.create = unix_create,
};

void unix_init(void)
{
	unix_cache = slab_cache_new("unix_sock", sizeof(struct unix_sock), 0);
	insist(unix_cache);
	unix_names_init();
	unix_procfs_init();
	socket_family_register(&family);
}
