/* send and recv in all their forms: sendto, recvfrom, sendmsg, recvmsg, and many. */
#include <linux/time_types.h>

#include "core/timer.h"
#include "sys/net.h"
#include "sys/syscall.h"
#include "sys/timespec.h"

#define IOV_FAST 8
#define IOV_LIMIT 1024u
#define LEN_MAX 0x7ffff000ull /* as read(2) */
#define CONTROL_FAST 128u
#define CONTROL_MAX KIB(128)

/* What a call, the file and Linux's own bits make of the flags. */
static uint32_t msg_flags(const struct file *f, uint32_t flags)
{
	return flags | (f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0);
}

/* ---- one buffer ---- */

/* What is more than one call moves need not be there. */
static int one_buffer(struct uio *u, uaddr_t buf, uint64_t len)
{
	len = MIN(len, LEN_MAX);
	if (!user_range_ok(buf, len))
		return -EFAULT;
	uio_init_user(u, buf, len);
	return 0;
}

int64_t sys_sendto(int32_t fd, uaddr_t buf, uint64_t len, uint32_t flags, uaddr_t addr,
		   uint32_t addrlen)
{
	struct sock_addr to;
	struct sock_msg m = { 0 };
	struct socket *s;
	struct fd_ref r;
	struct uio u;
	int64_t n = one_buffer(&u, buf, len);

	if (!n)
		n = socket_borrow(fd, &r, &s);
	if (n)
		return n;
	/* An address of no bytes is none. */
	if (addr.va) {
		n = sock_addr_in(addr, addrlen, &to);
		m.name = addrlen ? &to : NULL;
	}
	if (!n) {
		m.data = &u;
		m.flags = msg_flags(r.file, flags);
		n = socket_send(s, &m);
	}
	fd_return(&r);
	return n;
}

int64_t sys_recvfrom(int32_t fd, uaddr_t buf, uint64_t len, uint32_t flags, uaddr_t addr,
		     uaddr_t addrlen)
{
	struct sock_addr from = { 0 };
	struct sock_msg m = { 0 };
	struct socket *s;
	struct fd_ref r;
	struct uio u;
	int64_t n = one_buffer(&u, buf, len);

	if (!n)
		n = socket_borrow(fd, &r, &s);
	if (n)
		return n;
	m.data = &u;
	m.flags = msg_flags(r.file, flags);
	m.name = addr.va ? &from : NULL;
	n = socket_recv(s, &m);
	sock_rights_free(m.rights);
	if (n >= 0 && addr.va) {
		int err = sock_addr_out(&from, addr, addrlen);

		n = err ? err : n;
	}
	fd_return(&r);
	return n;
}

/* ---- a struct msghdr ---- */

/* The vector and the name of a header. Frees nothing on failure. */
struct msg_call {
	struct msghdr hdr;
	struct uio data;
	struct iovec fast[IOV_FAST], *own;
	struct sock_addr name;
	struct sock_msg m;
};

static int header_in(struct msg_call *c, uaddr_t umsg)
{
	if (get_user(c->hdr, umsg))
		return -EFAULT;
	if (!c->hdr.name)
		c->hdr.namelen = 0;
	if ((int32_t)c->hdr.namelen < 0)
		return -EINVAL;
	if (c->hdr.iovlen > IOV_LIMIT)
		return -EMSGSIZE;
	c->m = (struct sock_msg){ .data = &c->data };
	return uio_init_vec(&c->data, UADDR(c->hdr.iov), c->hdr.iovlen, c->fast, IOV_FAST,
			    &c->own);
}

/* The control buffer of a sendmsg, into c->m. */
static int send_control(const struct socket *s, struct msg_call *c)
{
	uint8_t few[CONTROL_FAST] aligned_to(8), *buf = few;
	uint64_t n = c->hdr.controllen;
	int err;

	if (!n)
		return 0;
	if (n > CONTROL_MAX)
		return -ENOBUFS;
	if (n > sizeof few)
		buf = heap_alloc(n);
	if (!buf)
		return -ENOBUFS;
	err = copy_in(buf, UADDR(c->hdr.control), n);
	if (!err)
		err = control_in(s, buf, n, &c->m);
	if (buf != few)
		heap_free(buf);
	return err;
}

static int64_t send_msg(const struct fd_ref *r, struct socket *s, uaddr_t umsg,
			uint32_t flags)
{
	struct msg_call c;
	int64_t n = header_in(&c, umsg);

	if (n)
		return n;
	if (c.hdr.namelen) {
		n = sock_addr_in(UADDR(c.hdr.name),
				 MIN(c.hdr.namelen, (uint32_t)sizeof c.name.bytes),
				 &c.name);
		c.m.name = &c.name;
	}
	if (!n)
		n = send_control(s, &c);
	if (!n) {
		c.m.flags = msg_flags(r->file, flags);
		n = socket_send(s, &c.m);
	}
	sock_rights_free(c.m.rights);
	heap_free(c.own);
	return n;
}

/* Writes what came besides the bytes. 0 or -errno. */
static int results_out(const struct socket *s, struct msg_call *c, uaddr_t umsg)
{
	struct msghdr *h = &c->hdr;
	uint32_t namelen = h->namelen;
	uint64_t used;

	if (c->m.name) {
		if (copy_out(UADDR(h->name), c->name.bytes, MIN(c->name.len, namelen)))
			return -EFAULT;
		if (put_user(uaddr_add(umsg, offsetof(struct msghdr, namelen)),
			     c->name.len))
			return -EFAULT;
	}
	used = control_out(s, UADDR(h->control), h->control ? h->controllen : 0, &c->m);
	h->flags = c->m.ret_flags | (c->m.flags & MSG_CMSG_CLOEXEC);
	if (put_user(uaddr_add(umsg, offsetof(struct msghdr, flags)), h->flags) ||
	    put_user(uaddr_add(umsg, offsetof(struct msghdr, controllen)), used))
		return -EFAULT;
	return 0;
}

static int64_t recv_msg(const struct fd_ref *r, struct socket *s, uaddr_t umsg,
			uint32_t flags)
{
	struct msg_call c;
	int64_t n = header_in(&c, umsg);

	if (n)
		return n;
	if (c.hdr.name) {
		c.name.len = 0;
		c.m.name = &c.name;
	}
	c.m.flags = msg_flags(r->file, flags);
	n = socket_recv(s, &c.m);
	if (n >= 0) {
		int err = results_out(s, &c, umsg);

		n = err ? err : n;
	}
	sock_rights_free(c.m.rights);
	heap_free(c.own);
	return n;
}

/* The flag of calls made by 32-bit programs, which there are none of. */
static int socket_borrow_for(uint32_t flags, int fd, struct fd_ref *r, struct socket **s)
{
	return flags & MSG_CMSG_COMPAT ? -EINVAL : socket_borrow(fd, r, s);
}

int64_t sys_sendmsg(int32_t fd, uaddr_t msg, uint32_t flags)
{
	struct socket *s;
	struct fd_ref r;
	int64_t n = socket_borrow_for(flags, fd, &r, &s);

	if (n)
		return n;
	n = send_msg(&r, s, msg, flags);
	fd_return(&r);
	return n;
}

int64_t sys_recvmsg(int32_t fd, uaddr_t msg, uint32_t flags)
{
	struct socket *s;
	struct fd_ref r;
	int64_t n = socket_borrow_for(flags, fd, &r, &s);

	if (n)
		return n;
	n = recv_msg(&r, s, msg, flags);
	fd_return(&r);
	return n;
}

/* ---- many ---- */

static uaddr_t message(uaddr_t msgs, uint32_t k)
{
	return uaddr_add(msgs, k * sizeof(struct mmsghdr));
}

static int length_out(uaddr_t msgs, uint32_t k, int64_t n)
{
	uint32_t len = (uint32_t)n;

	return put_user(uaddr_add(message(msgs, k), offsetof(struct mmsghdr, len)), len);
}

int64_t sys_sendmmsg(int32_t fd, uaddr_t msgs, uint32_t count, uint32_t flags)
{
	struct socket *s;
	struct fd_ref r;
	uint32_t done = 0;
	int64_t n = socket_borrow_for(flags, fd, &r, &s);

	if (n)
		return n;
	count = MIN(count, IOV_LIMIT);
	while (done < count) {
		n = send_msg(&r, s, message(msgs, done), flags);
		if (n >= 0 && length_out(msgs, done, n))
			n = -EFAULT;
		if (n < 0)
			break;
		done++;
		if (!sched_may_go_on())
			break;
	}
	fd_return(&r);
	return done ? done : n;
}

static int64_t recv_many(const struct fd_ref *r, struct socket *s, uaddr_t msgs,
			 uint32_t count, uint32_t flags, uint64_t deadline)
{
	uint32_t one = flags & ~MSG_WAITFORONE, done = 0;
	int64_t n = sock_take_error(s);

	while (!n && done < count) {
		n = recv_msg(r, s, message(msgs, done), one);
		if (n >= 0 && length_out(msgs, done, n))
			n = -EFAULT;
		if (n < 0)
			break;
		done++;
		n = 0;
		if (flags & MSG_WAITFORONE)
			one |= MSG_DONTWAIT;
		if (clock_mono() >= deadline || !sched_may_go_on())
			break;
	}
	/* What was received stands; the error is told by the next call. */
	if (done && n < 0 && n != -EAGAIN && n > -ERESTARTSYS)
		s->err = (int32_t)-n;
	return done ? done : n;
}

/* recvmmsg(2): the timeout is looked at after each message only, and what is left of it
 * is written back. */
int64_t sys_recvmmsg(int32_t fd, uaddr_t msgs, uint32_t count, uint32_t flags,
		     uaddr_t timeout)
{
	uint64_t ns = 0, deadline = UINT64_MAX;
	struct socket *s;
	struct fd_ref r;
	int64_t n;
	int err = flags & MSG_CMSG_COMPAT ? -EINVAL : 0;

	if (!err && timeout.va) {
		err = timespec_in(timeout, &ns);
		deadline = deadline_after(ns);
	}
	if (!err)
		err = socket_borrow(fd, &r, &s);
	if (err)
		return err;
	n = recv_many(&r, s, msgs, MIN(count, IOV_LIMIT), flags, deadline);
	fd_return(&r);
	if (n > 0 && timeout.va) {
		uint64_t now = clock_mono();
		struct __kernel_timespec left =
			timespec_of(deadline > now ? deadline - now : 0);

		if (put_user(timeout, left))
			return -EFAULT;
	}
	return n;
}
