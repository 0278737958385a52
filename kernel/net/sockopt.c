/* SOL_SOCKET: the options that belong to every family (socket(7)). */
#include <asm/errno.h>
#include <linux/capability.h>
#include <linux/time_types.h>

#include "lib/string.h"
#include "net/socket.h"

/* ---- numbers and switches ---- */

static const struct {
	int name;
	uint32_t bit;
} switches[] = {
	{ SO_DEBUG, SOCK_OPT_DEBUG },
	{ SO_REUSEADDR, SOCK_OPT_REUSEADDR },
	{ SO_DONTROUTE, SOCK_OPT_DONTROUTE },
	{ SO_BROADCAST, SOCK_OPT_BROADCAST },
	{ SO_KEEPALIVE, SOCK_OPT_KEEPALIVE },
	{ SO_OOBINLINE, SOCK_OPT_OOBINLINE },
	{ SO_REUSEPORT, SOCK_OPT_REUSEPORT },
	{ SO_PASSCRED, SOCK_OPT_PASSCRED },
	{ SO_TIMESTAMP_OLD, SOCK_OPT_TIMESTAMP },
	{ SO_TIMESTAMPNS_OLD, SOCK_OPT_TIMESTAMPNS },
	{ SO_RXQ_OVFL, SOCK_OPT_RXQ_OVFL },
	{ SO_NO_CHECK, SOCK_OPT_NO_CHECK },
	{ SO_PASSSEC, SOCK_OPT_PASSSEC },
	{ SO_SELECT_ERR_QUEUE, SOCK_OPT_SELECT_ERR_QUEUE },
};

/* 0: no such switch. */
static uint32_t switch_bit(int name)
{
	for (size_t k = 0; k < ARRAY_LEN(switches); k++)
		if (switches[k].name == name)
			return switches[k].bit;
	return 0;
}

static void options_set(struct socket *s, uint32_t bits, bool on)
{
	if (on)
		__atomic_fetch_or((uint32_t *)&s->options, bits, __ATOMIC_RELAXED);
	else
		__atomic_fetch_and((uint32_t *)&s->options, ~bits, __ATOMIC_RELAXED);
}

static int set_switch(struct socket *s, uint32_t bit, bool on)
{
	if (bit == SOCK_OPT_DEBUG && on &&
	    !cred_has_cap(thread_current()->cred, CAP_NET_ADMIN))
		return -EACCES;
	/* The two kinds of stamp replace each other. */
	if (on && (bit & SOCK_OPT_STAMPS))
		options_set(s, SOCK_OPT_STAMPS, false);
	options_set(s, bit, on);
	return 0;
}

#define SNDBUF_MIN 4608u
#define RCVBUF_MIN 2304u

/* Twice what was asked for: Linux counts its own overhead in, and programs read it
 * back. */
static uint32_t buffer_size(uint32_t asked, uint32_t min)
{
	return MAX(MIN(asked, (uint32_t)INT32_MAX / 2) * 2, min);
}

static int set_buffer_forced(struct socket *s, int name, int32_t v)
{
	uint32_t asked = v < 0 ? 0 : v;

	if (!cred_has_cap(thread_current()->cred, CAP_NET_ADMIN))
		return -EPERM;
	if (name == SO_SNDBUFFORCE)
		s->sndbuf = buffer_size(asked, SNDBUF_MIN);
	else
		s->rcvbuf = buffer_size(asked, RCVBUF_MIN);
	return 0;
}

static int set_privileged(_Atomic uint32_t *field, int32_t v, bool allowed)
{
	if (!allowed && !cred_has_cap(thread_current()->cred, CAP_NET_ADMIN))
		return -EPERM;
	*field = v;
	return 0;
}

static int set_number(struct socket *s, int name, int32_t v)
{
	uint32_t bit = switch_bit(name);

	if (bit)
		return set_switch(s, bit, v);
	switch (name) {
	case SO_SNDBUF:
		s->sndbuf = buffer_size(MIN((uint32_t)v, SOCK_BUF_DEFAULT), SNDBUF_MIN);
		return 0;
	case SO_RCVBUF:
		s->rcvbuf = buffer_size(MIN((uint32_t)v, SOCK_BUF_DEFAULT), RCVBUF_MIN);
		return 0;
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		return set_buffer_forced(s, name, v);
	case SO_RCVLOWAT:
		s->rcvlowat = v < 0 ? INT32_MAX : v ? v : 1;
		return 0;
	case SO_PEEK_OFF:
		s->peek_off = v; /* negative: off */
		return 0;
	case SO_PRIORITY:
		return set_privileged(&s->priority, v, v >= 0 && v <= 6);
	case SO_MARK:
		return set_privileged(&s->mark, v, false);
	case SO_BSDCOMPAT: /* obsolete: accepted, and always off */
		return 0;
	}
	return -ENOPROTOOPT;
}

/* ---- times and linger ---- */

static int set_timeout(_Atomic uint64_t *field, uaddr_t val, uint32_t len)
{
	const uint64_t usec_per_sec = NSEC_PER_SEC / NSEC_PER_USEC;
	struct __kernel_sock_timeval tv;

	if (len < sizeof tv)
		return -EINVAL;
	if (get_user(tv, val))
		return -EFAULT;
	if (tv.tv_usec < 0 || (uint64_t)tv.tv_usec >= usec_per_sec)
		return -EDOM;
	if (tv.tv_sec < 0)
		*field = 0;
	else if ((!tv.tv_sec && !tv.tv_usec) ||
		 (uint64_t)tv.tv_sec >= SOCK_FOREVER / NSEC_PER_SEC - 1)
		*field = SOCK_FOREVER;
	else
		*field = tv.tv_sec * NSEC_PER_SEC + tv.tv_usec * NSEC_PER_USEC;
	return 0;
}

static struct __kernel_sock_timeval timeval_of(uint64_t timeo)
{
	struct __kernel_sock_timeval tv = { 0 };

	if (timeo != SOCK_FOREVER) {
		tv.tv_sec = timeo / NSEC_PER_SEC;
		tv.tv_usec = timeo % NSEC_PER_SEC / NSEC_PER_USEC;
	}
	return tv;
}

struct linger {
	int32_t on, seconds;
};

static int set_linger(struct socket *s, uaddr_t val, uint32_t len)
{
	struct linger l;

	if (len < sizeof l)
		return -EINVAL;
	if (get_user(l, val))
		return -EFAULT;
	if (l.on)
		s->linger = l.seconds;
	options_set(s, SOCK_OPT_LINGER, l.on);
	return 0;
}

/* SO_BINDTODEVICE: there are no devices to bind to, and no binding is fine. */
static int set_device(uaddr_t val, uint32_t len)
{
	char first = 0;

	if (len && get_user(first, val))
		return -EFAULT;
	return first ? -ENODEV : 0;
}

int socket_setopt(struct socket *s, int level, int name, uaddr_t val, uint32_t len)
{
	int32_t v;

	if ((int32_t)len < 0)
		return -EINVAL;
	if (level != SOL_SOCKET)
		return s->ops->setopt ? s->ops->setopt(s, level, name, val, len)
				      : -EOPNOTSUPP;
	if (name == SO_BINDTODEVICE)
		return set_device(val, len);
	if (len < sizeof v)
		return -EINVAL;
	if (get_user(v, val))
		return -EFAULT;
	switch (name) {
	case SO_LINGER:
		return set_linger(s, val, len);
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return set_timeout(&s->rcvtimeo, val, len);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return set_timeout(&s->sndtimeo, val, len);
	}
	return set_number(s, name, v);
}

/* ---- reading ---- */

/* The value of a numeric option. -ENOPROTOOPT: there is none of that name. */
static int get_number(struct socket *s, int name, int32_t *ret)
{
	uint32_t bit = switch_bit(name);

	if (bit) {
		*ret = !!(s->options & bit);
		return 0;
	}
	switch (name) {
	case SO_TYPE:
		*ret = s->type;
		return 0;
	case SO_DOMAIN:
		*ret = s->family;
		return 0;
	case SO_PROTOCOL:
		*ret = s->protocol;
		return 0;
	case SO_ERROR:
		*ret = -sock_take_error(s);
		return 0;
	case SO_ACCEPTCONN:
		*ret = s->ops->listening && s->ops->listening(s);
		return 0;
	case SO_SNDBUF:
		*ret = s->sndbuf;
		return 0;
	case SO_RCVBUF:
		*ret = s->rcvbuf;
		return 0;
	case SO_RCVLOWAT:
		*ret = s->rcvlowat;
		return 0;
	case SO_SNDLOWAT:
		*ret = 1;
		return 0;
	case SO_PEEK_OFF:
		*ret = s->peek_off;
		return 0;
	case SO_PRIORITY:
		*ret = s->priority;
		return 0;
	case SO_MARK:
		*ret = s->mark;
		return 0;
	case SO_BSDCOMPAT:
		*ret = 0;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int reply(uaddr_t val, uaddr_t ulen, uint32_t room, const void *v, uint32_t n)
{
	n = MIN(n, room);
	return copy_out(val, v, n) ? -EFAULT : put_user(ulen, n);
}

static struct cred *peer_cred(struct socket *s, int32_t *ret_pid)
{
	return s->ops->peer_cred ? s->ops->peer_cred(s, ret_pid) : NULL;
}

static int get_peercred(struct socket *s, uaddr_t val, uaddr_t ulen, uint32_t room)
{
	struct ucred u = { 0, ID_INVALID, ID_INVALID };
	struct cred *c = peer_cred(s, &u.pid);

	if (c) {
		u.uid = c->euid;
		u.gid = c->egid;
		cred_put(c);
	}
	return reply(val, ulen, room, &u, sizeof u);
}

static int get_peergroups(struct socket *s, uaddr_t val, uaddr_t ulen, uint32_t room)
{
	int32_t pid;
	struct cred *c = peer_cred(s, &pid);
	uint32_t n;
	int err;

	if (!c)
		return -ENODATA;
	n = c->groups ? c->groups->n * sizeof(gid_t) : 0;
	if (room < n)
		err = put_user(ulen, n) ? -EFAULT : -ERANGE;
	else
		err = reply(val, ulen, room, n ? c->groups->gid : NULL, n);
	cred_put(c);
	return err;
}

static int get_linger(struct socket *s, uaddr_t val, uaddr_t ulen, uint32_t room)
{
	struct linger l = { !!(s->options & SOCK_OPT_LINGER), s->linger };

	return reply(val, ulen, room, &l, sizeof l);
}

static int get_timeout(uint64_t timeo, uaddr_t val, uaddr_t ulen, uint32_t room)
{
	struct __kernel_sock_timeval tv = timeval_of(timeo);

	return reply(val, ulen, room, &tv, sizeof tv);
}

/* As Linux: there must not be more room than the name takes. */
static int get_peername(struct socket *s, uaddr_t val, uaddr_t ulen, uint32_t room)
{
	struct sock_addr a = { 0 };

	if (!s->ops->name || s->ops->name(s, true, &a))
		return -ENOTCONN;
	return a.len < room ? -EINVAL : reply(val, ulen, room, a.bytes, room);
}

static int get_other_level(struct socket *s, int level, int name, uaddr_t val,
			   uaddr_t ulen, uint32_t room)
{
	int err =
		s->ops->getopt ? s->ops->getopt(s, level, name, val, &room) : -EOPNOTSUPP;

	return err ? err : put_user(ulen, room);
}

int socket_getopt(struct socket *s, int level, int name, uaddr_t val, uaddr_t ulen)
{
	uint32_t room;
	int32_t v;
	int err;

	if (level != SOL_SOCKET && !s->ops->getopt)
		return -EOPNOTSUPP;
	if (get_user(room, ulen))
		return -EFAULT;
	if ((int32_t)room < 0)
		return -EINVAL;
	if (level != SOL_SOCKET)
		return get_other_level(s, level, name, val, ulen, room);
	switch (name) {
	case SO_PEERCRED:
		return get_peercred(s, val, ulen, room);
	case SO_PEERGROUPS:
		return get_peergroups(s, val, ulen, room);
	case SO_PEERNAME:
		return get_peername(s, val, ulen, room);
	case SO_BINDTODEVICE:
		return reply(val, ulen, room, NULL, 0);
	case SO_LINGER:
		return get_linger(s, val, ulen, room);
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return get_timeout(s->rcvtimeo, val, ulen, room);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return get_timeout(s->sndtimeo, val, ulen, room);
	}
	err = get_number(s, name, &v);
	return err ? err : reply(val, ulen, room, &v, sizeof v);
}
