/*
 * Sockets, whatever their family: a socket is a file whose operations go through a table
 * that its family fills in. The system calls know this file alone.
 *
 * Always true:
 *  N1  a socket that a program has is the priv of exactly one file, and dies with it; one
 *      that accept(2) has not handed out yet belongs to its family;
 *  N2  a family's operations are called with a reference on the file and no lock held;
 *      they may sleep, except poll;
 *  N3  descriptors in a message are counted references, owned by exactly one holder.
 *
 * Locks: none here. Options are single words that are read as they are; a family's own
 * state is under the family's locks.
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <asm/errno.h>
#include <asm/signal.h>

#include "fs/vfs.h"
#include "mm/usercopy.h"
#include "net/abi.h"

struct socket;

/* An address as user space gave or will get it; len 0: none. */
struct sock_addr {
	uint32_t len;
	union {
		uint16_t family;
		uint8_t bytes[128]; /* struct sockaddr_storage */
	};
};

/* Descriptors on their way (SCM_RIGHTS). */
struct sock_rights {
	struct list link; /* [holder] */
	uid_t uid;	  /* [I once in flight] whose limit they count towards */
	uint32_t n;
	struct file *file[]; /* owned references */
};

/* One message of a call, in or out. */
struct sock_msg {
	struct uio *data;
	uint32_t flags; /* MSG_*; MSG_DONTWAIT for O_NONBLOCK files too */
	/* send: where to, NULL: the peer. recv: becomes who sent it; NULL: not asked */
	struct sock_addr *name;
	/* send: to be sent; the family takes it (sets NULL) when it does. recv: received.
	 * The caller drops what is left. */
	struct sock_rights *rights;
	struct ucred creds;
	bool has_creds;
	uint32_t ret_flags; /* recv: MSG_TRUNC, MSG_CTRUNC */
	int64_t stamp; /* recv: ns since 1970; 0: not wanted, or the family has none */
};

/* Absent operation: -EOPNOTSUPP. Times out with -EAGAIN; interrupted: sock_wait_error. */
struct socket_ops {
	int (*bind)(struct socket *s, const struct sock_addr *a);
	int (*listen)(struct socket *s, int backlog);
	/* The next connection, without a file yet. */
	int (*accept)(struct socket *s, bool nonblock, struct socket **ret);
	int (*connect)(struct socket *s, const struct sock_addr *a, bool nonblock);
	int (*pair)(struct socket *a, struct socket *b); /* both fresh */
	int (*name)(struct socket *s, bool peer, struct sock_addr *ret);
	int64_t (*send)(struct socket *s, struct sock_msg *m);
	int64_t (*recv)(struct socket *s, struct sock_msg *m);
	uint32_t (*poll)(struct socket *s, struct file *f, struct poll_table *pt);
	int (*shutdown)(struct socket *s, int how);
	int64_t (*ioctl)(struct socket *s, uint32_t cmd, uaddr_t arg); /* -ENOTTY */
	bool (*listening)(struct socket *s);			       /* SO_ACCEPTCONN */
	/* SO_PEERCRED and SO_PEERGROUPS: a reference, and the pid; NULL: no peer. */
	struct cred *(*peer_cred)(struct socket *s, int32_t *ret_pid);
	/* Options of other levels, copied by the operation itself. */
	int (*setopt)(struct socket *s, int level, int name, uaddr_t val, uint32_t len);
	int (*getopt)(struct socket *s, int level, int name, uaddr_t val, uint32_t *len);
	/* A descriptor of it is about to be closed; maybe not the last. */
	void (*closing)(struct socket *s);
	void (*release)(struct socket *s); /* the file is gone; frees s */
};

/* Bits of socket.options. */
enum sock_option {
	SOCK_OPT_DEBUG = 1,
	SOCK_OPT_REUSEADDR = 2,
	SOCK_OPT_DONTROUTE = 4,
	SOCK_OPT_BROADCAST = 8,
	SOCK_OPT_KEEPALIVE = 16,
	SOCK_OPT_OOBINLINE = 32,
	SOCK_OPT_REUSEPORT = 64,
	SOCK_OPT_PASSCRED = 128,
	SOCK_OPT_TIMESTAMP = 256,
	SOCK_OPT_TIMESTAMPNS = 512,
	SOCK_OPT_RXQ_OVFL = 1024,
	SOCK_OPT_LINGER = 2048,
	SOCK_OPT_NO_CHECK = 4096,
	SOCK_OPT_PASSSEC = 8192,
	SOCK_OPT_SELECT_ERR_QUEUE = 16384,
};
#define SOCK_OPT_STAMPS (SOCK_OPT_TIMESTAMP | SOCK_OPT_TIMESTAMPNS)

#define SOCK_BUF_DEFAULT 212992u /* also the most that an unprivileged one may ask for */
#define SOCK_FOREVER UINT64_MAX	 /* a timeout */

struct socket {
	const struct socket_ops *ops; /* [I] */
	struct file *file; /* [family's lock] borrowed; NULL: none yet, or gone */
	struct async_set async;
	_Atomic bool async_room; /* a send found no room: O_ASYNC tells when there is */
	uint16_t family, type, protocol;     /* [I] */
	_Atomic uint32_t options;	     /* enum sock_option */
	_Atomic uint32_t sndbuf, rcvbuf;     /* bytes */
	_Atomic uint64_t sndtimeo, rcvtimeo; /* ns; SOCK_FOREVER */
	_Atomic int32_t rcvlowat;
	_Atomic int32_t peek_off; /* SO_PEEK_OFF; -1: off */
	_Atomic int32_t err;	  /* what SO_ERROR tells, once; a positive errno */
	_Atomic uint32_t linger;  /* s */
	_Atomic uint32_t priority, mark;
};

/* ---- for families ---- */

struct socket_family {
	struct list link;
	uint16_t family;
	/* A fresh socket. -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -ENOMEM, … */
	int (*create)(int type, int protocol, struct socket **ret);
};
void socket_family_register(struct socket_family *f); /* at boot only */
void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type,
		 int protocol);
/* What SO_ERROR would tell: 0 or -errno; and forgets it. */
must_use static inline int sock_take_error(struct socket *s)
{
	return likely(!s->err)
		       ? 0
		       : -__atomic_exchange_n((int32_t *)&s->err, 0, __ATOMIC_RELAXED);
}
/* SO_PEEK_OFF after n bytes were peeked at, or taken from the front. */
static inline void sock_peek_off_move(struct socket *s, int64_t n, bool peek)
{
	int64_t off = s->peek_off;

	if (unlikely(off >= 0))
		s->peek_off = (int32_t)MIN(peek ? off + n : MAX(off - n, 0), INT32_MAX);
}
uint64_t sock_deadline_after(uint64_t timeo);
/* The end of a call's patience, for wait_event_full; 0: has none. */
static inline uint64_t sock_deadline(bool nonblock, uint64_t timeo)
{
	if (nonblock || !timeo)
		return 0;
	return likely(timeo == SOCK_FOREVER) ? NO_DEADLINE : sock_deadline_after(timeo);
}
/* What a wait's result means to the caller: restartable only without a timeout. */
must_use int sock_wait_error(int err, uint64_t deadline);
/* O_ASYNC: there is room again, which a send had missed. */
static inline void sock_async_room(struct socket *s)
{
	if (unlikely(s->async_room)) {
		s->async_room = false;
		async_tell(&s->async, POLL_OUT);
	}
}

/* ---- for system calls ---- */

/* A socket without a file. -EAFNOSUPPORT, -EINVAL, and what the family says. */
must_use int socket_new(int family, int type, int protocol, struct socket **ret);
/* A file for it (consumes s, also on failure); flags: O_NONBLOCK. */
must_use int socket_file_new(struct socket *s, uint32_t flags, struct file **ret);
/* The socket behind a file, NULL when it is none. Borrows. */
struct socket *socket_of(const struct file *f);
/* send(2) says where there is a SIGPIPE. */
must_use static inline int64_t socket_send(struct socket *s, struct sock_msg *m)
{
	int64_t n = likely(s->ops->send) ? s->ops->send(s, m) : -EOPNOTSUPP;

	if (unlikely(n == -EPIPE) && s->type == SOCK_STREAM && !(m->flags & MSG_NOSIGNAL))
		fs_upcalls.signal_current(SIGPIPE);
	return n;
}
must_use static inline int64_t socket_recv(struct socket *s, struct sock_msg *m)
{
	return likely(s->ops->recv) ? s->ops->recv(s, m) : -EOPNOTSUPP;
}

/* sockopt.c */
must_use int socket_setopt(struct socket *s, int level, int name, uaddr_t val,
			   uint32_t len);
must_use int socket_getopt(struct socket *s, int level, int name, uaddr_t val,
			   uaddr_t ulen);

/* control.c */
/* What a sendmsg's control buffer asks for, into m. -EINVAL, -EBADF, -EPERM, -ESRCH,
 * -ENOMEM; then m->rights may be set still. */
must_use int control_in(const struct socket *s, const void *buf, size_t n,
			struct sock_msg *m);
/* Writes what m brought into the user's buffer of n bytes: descriptors are installed, and
 * what has no room is told by MSG_CTRUNC. Bytes used. */
size_t control_out(const struct socket *s, uaddr_t to, size_t n, struct sock_msg *m);
/* Puts what is left of it; NULL is fine. */
void sock_rights_free(struct sock_rights *r);

/* What net needs of the layer above, which registers it. */
struct net_upcalls {
	bool (*process_exists)(int32_t pid);
};
extern struct net_upcalls net_upcalls;

void net_init(void);

#endif
