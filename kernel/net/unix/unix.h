/*
 * AF_UNIX (unix(7)). A message is built by its sender alone, then linked to the queue of
 * the socket it is for; there a reader copies it out and frees it.
 *
 * Always true:
 *  U1  a socket lives while its file, its peer, a listener's backlog, one of its unread
 *      messages or somebody who is about to sleep on it refers to it; when its file goes
 *      it is DEAD, has no name, no peer and an empty queue, and stays so;
 *  U2  a message is charged to its sender until it is freed, so what a socket has unread
 *      elsewhere is bounded by its SO_SNDBUF and one message;
 *  U3  the head of a queue is taken away only under read_lock, by release, or by nobody;
 *      its bytes may be copied out under read_lock alone;
 *  U4  a stream's or seqpacket's peer is set once, before it is CONNECTED, and stays
 *      until release; a datagram socket's may change at any time;
 *  U5  a listener's backlog holds sockets without a file, which are in nobody's message.
 *
 * Locks, outermost first:
 *   control_lock, read_lock  (never both) RANK_SOCKET, one socket's, sleeping
 *   flight_lock  RANK_SOCKET_FLIGHT, all descriptors in messages; rights.c has its rules
 *   names_lock   RANK_SOCK_NAMES, names and the list of sockets
 *   lock         RANK_SOCK, one socket's queue and state: a sender takes the receiver's
 *                only. Two are held in one place (unix_lock_two), by address.
 */
#ifndef NET_UNIX_UNIX_H
#define NET_UNIX_UNIX_H

#include <linux/un.h>

#include "lib/rbtree.h"
#include "net/socket.h"

#define UNIX_SHUT_RD 1u
#define UNIX_SHUT_WR 2u
#define UNIX_SHUT_BOTH (UNIX_SHUT_RD | UNIX_SHUT_WR)

enum unix_state { UNIX_FRESH, UNIX_LISTENING, UNIX_CONNECTED, UNIX_DEAD };

/* A bound name, shared with the connections a listener accepts. */
struct unix_name {
	struct ref refs;
	struct rb_node node;	  /* [names_lock] abstract ones, by their bytes */
	struct unix_sock *sock;	  /* [names_lock] who is found by it; NULL: nobody */
	struct sock_addr address; /* [I] */
	uint16_t type;		  /* [I] SOCK_* of who bound it */
};

struct unix_msg {
	struct list link;	    /* [receiver's lock] */
	struct unix_sock *from;	    /* [I] reference; charged */
	struct sock_rights *rights; /* [receiver's lock] owned, in flight */
	struct ucred creds;	    /* [I] */
	uint32_t charge;	    /* [I] bytes of memory */
	size_t len;		    /* [I] */
	size_t done;		    /* [receiver's read_lock] bytes a stream has read */
	int64_t stamp;		    /* [I] 0: nobody asked */
	size_t pages;		    /* [I] 0: the bytes follow */
	union {
		uint8_t bytes[0];
		struct page *page[0];
	};
};

struct unix_sock {
	struct socket sock;	   /* first */
	struct ref refs;	   /* U1 */
	struct mutex control_lock; /* bind, listen, connect of this socket */
	struct mutex read_lock;	   /* its readers */

	struct spinlock lock;
	_Atomic uint32_t state;	 /* [lock] to change; enum unix_state */
	_Atomic uint32_t shut;	 /* [lock] to change; UNIX_SHUT_* */
	struct unix_sock *peer;	 /* [lock] reference; U4 */
	struct list queue;	 /* [lock] struct unix_msg */
	_Atomic uint32_t queued; /* [lock] to change; messages */
	_Atomic uint64_t unread; /* [lock] to change; bytes in them */
	/* [lock] in the queue: the byte of the last MSG_OOB; NULL once read or passed */
	struct unix_msg *_Atomic urgent;
	struct list backlog;	      /* [lock] struct unix_sock.backlog_link; owned */
	struct list backlog_link;     /* [listener's lock] */
	_Atomic uint32_t waiting;     /* [lock] to change; sockets in the backlog */
	_Atomic uint32_t backlog_max; /* [lock] to change */
	/* Datagram sockets whose poll found this one full. */
	struct list blocked;	  /* [lock] struct unix_sock.blocked_link */
	struct list blocked_link; /* [peer's lock] */
	struct cred *peer_cred;	  /* [lock] reference; NULL: has had no peer */
	int32_t peer_pid;	  /* [lock] */

	_Atomic(struct unix_name *) name; /* [control_lock] to set, once; reference */
	struct path path;		  /* [control_lock] where it is bound */
	struct list link;		  /* [names_lock] all sockets */

	_Atomic uint64_t charged; /* bytes of its messages that are somewhere unread */
	struct waitq read_wait;	  /* something to read, or to accept */
	struct waitq write_wait;  /* less is charged */
	struct waitq room_wait;	  /* the queue or the backlog is full no more */

	/* [flight_lock] references that messages hold on its file */
	_Atomic uint32_t flying;
	struct list flying_link;  /* [flight_lock] */
	uint32_t outside;	  /* [flight_lock] the collector's count */
	bool reached;		  /* [flight_lock] the collector's mark */
	struct list reached_link; /* [flight_lock] */
};

static inline struct unix_sock *unix_of(struct socket *s)
{
	return (struct unix_sock *)s;
}

static inline bool unix_is_stream(const struct unix_sock *u)
{
	return u->sock.type == SOCK_STREAM;
}

static inline bool unix_is_dgram(const struct unix_sock *u)
{
	return u->sock.type == SOCK_DGRAM;
}

void unix_init(void);

/* ---- socket.c ---- */
must_use struct unix_sock *unix_new(int type);
static inline struct unix_sock *unix_get(struct unix_sock *u)
{
	ref_get(&u->refs);
	return u;
}
void unix_put_last(struct unix_sock *u);
static inline void unix_put(struct unix_sock *u)
{
	if (!ref_put_not_last(&u->refs))
		unix_put_last(u);
}
/* The peer, referenced; NULL: none. */
must_use struct unix_sock *unix_peer_get(struct unix_sock *u);
/* Two different sockets, by address. */
void unix_lock_two(struct unix_sock *a, struct unix_sock *b);
/* Who current is, for whoever asks the other side's SO_PEERCRED. u->lock held. */
void unix_peer_is_current(struct unix_sock *u);
extern const struct socket_ops unix_stream_ops, unix_seqpacket_ops, unix_dgram_ops;

/* ---- connect.c: listen, connect, accept, socketpair, shutdown, release ---- */
int unix_listen(struct socket *s, int backlog);
int unix_accept(struct socket *s, bool nonblock, struct socket **ret);
int unix_connect(struct socket *s, const struct sock_addr *a, bool nonblock);
int unix_pair(struct socket *a, struct socket *b);
int unix_shutdown(struct socket *s, int how);
void unix_release(struct socket *s);

/* ---- name.c ---- */
int unix_bind(struct socket *s, const struct sock_addr *a);
/* A name of the kernel's choice if it has none; control_lock held. 0 or -errno. */
must_use int unix_autobind(struct unix_sock *u);
/* The same for a sender with SO_PASSCRED, who should be one that can be named. */
must_use int unix_autobind_for_creds(struct unix_sock *u);
/* Who is bound to an address, referenced. -ECONNREFUSED, -EPROTOTYPE, a walk's errors. */
must_use int unix_find(const struct sock_addr *a, int type, struct unix_sock **ret);
int unix_name(struct socket *s, bool peer, struct sock_addr *ret);
void unix_name_of(const struct unix_sock *u, struct sock_addr *ret); /* len 0: none */
void unix_unbind(struct unix_sock *u); /* at release: nobody finds it any more */
struct unix_name *unix_name_get(struct unix_name *n);
void unix_name_put(struct unix_name *n); /* NULL is fine */
void unix_list_add(struct unix_sock *u);
/* The last put. True: u is off the list of sockets, free it. */
must_use bool unix_list_del_last(struct unix_sock *u);
/* For /proc/net/unix: the one after `at` (put), referenced; NULL: from the first. */
struct unix_sock *unix_list_next(struct unix_sock *at);
void unix_names_init(void);

/* ---- msg.c ---- */
/* The next n bytes of the call's data, charged to u, with its credentials and rights
 * (taken, and in flight). Waits for room unless the deadline is 0. -EAGAIN, -EINTR,
 * -ERESTARTSYS, -ENOMEM, -EFAULT, -ETOOMANYREFS; an error of the socket's own. */
must_use int unix_msg_new(struct unix_sock *u, struct sock_msg *m, size_t n,
			  uint64_t deadline, struct unix_msg **ret);
void unix_msg_free(struct unix_msg *m); /* its rights land and go */
/* What a reader gets besides the bytes: sender, credentials, stamp, and (copied when
 * peeking, else taken) descriptors. 0 or -ENOMEM. */
must_use int unix_msg_extras(struct unix_sock *u, struct unix_msg *m,
			     struct sock_msg *to);
static inline bool unix_may_write(const struct unix_sock *u)
{
	return u->charged * 4 <= u->sock.sndbuf;
}

/* ---- stream.c, dgram.c ---- */
int64_t unix_stream_send(struct socket *s, struct sock_msg *m);
int64_t unix_stream_recv(struct socket *s, struct sock_msg *m);
uint32_t unix_stream_poll(struct socket *s, struct file *f, struct poll_table *pt);
int64_t unix_dgram_send(struct socket *s, struct sock_msg *m);
int64_t unix_dgram_recv(struct socket *s, struct sock_msg *m);
uint32_t unix_dgram_poll(struct socket *s, struct file *f, struct poll_table *pt);
int unix_dgram_connect(struct socket *s, const struct sock_addr *a, bool nonblock);
/* Nobody is blocked by u any more; its lock held. */
void unix_wake_blocked(struct unix_sock *u);
/* u no longer cares whether `peer` is full. */
void unix_unblock(struct unix_sock *u, struct unix_sock *peer);
int64_t unix_seqpacket_send(struct socket *s, struct sock_msg *m);
int64_t unix_seqpacket_recv(struct socket *s, struct sock_msg *m);
extern _Atomic uint32_t unix_dgram_backlog; /* net.unix.max_dgram_qlen */

/* ---- rights.c ---- */
/* Counts descriptors as being in flight. -ETOOMANYREFS, -ENOMEM. */
must_use int unix_rights_launch(struct sock_rights *r);
void unix_rights_land(struct sock_rights *r);
/* What a peek sees. NULL: no memory. */
must_use struct sock_rights *unix_rights_copy(const struct sock_rights *r);
/* Frees landed ones; a socket among them may hold more, and so on: never deep. */
void unix_rights_bury(struct sock_rights *r);
void unix_closing(struct socket *s);
/* Looks for sockets that only messages of each other hold. */
void unix_collect(void);

/* ---- proc.c ---- */
void unix_procfs_init(void);

#endif
