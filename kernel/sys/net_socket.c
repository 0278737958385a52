/* socket, socketpair, bind, listen, accept, connect, shutdown, names and options. */
#include "sys/net.h"

#include "lib/string.h"
#include "proc/policy.h"
#include "sys/syscall.h"

int sock_addr_in(uaddr_t from, uint32_t n, struct sock_addr *ret)
{
	if (n > sizeof ret->bytes)
		return -EINVAL;
	ret->len = n;
	int err = copy_in(ret->bytes, from, n);
	uint16_t family = 0;
	if (!err && n >= sizeof family)
		memcpy(&family, ret->bytes, sizeof family);
	return err ? err : (int)policy_check_fields((uint64_t[]){ family, 0, 0 });
}

int sock_addr_out(const struct sock_addr *a, uaddr_t to, uaddr_t ulen)
{
	int32_t room;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	uint32_t n = MIN(a->len, (uint32_t)room);
	if (n && copy_out(to, a->bytes, n))
		return -EFAULT;
	return put_user(ulen, a->len);
}

/* ---- making ---- */

#define TYPE_FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)

static int64_t socket_install(struct socket *s, uint32_t flags)
{
	struct file *f;
	int err = socket_file_new(s, flags & SOCK_NONBLOCK, &f);

	return err ? err : fd_add(f, flags & SOCK_CLOEXEC);
}

int64_t sys_socket(int32_t family, int32_t type, int32_t protocol)
{
	uint32_t flags = (uint32_t)type & ~SOCK_TYPE_MASK;
	struct socket *s;
	int err;

	if (flags & ~TYPE_FLAGS)
		return -EINVAL;
	err = socket_new(family, (int)((uint32_t)type & SOCK_TYPE_MASK), protocol, &s);
	return err ? err : socket_install(s, flags);
}

/* Two connected sockets with files. */
static int pair_new(int family, int type, int protocol, uint32_t flags,
		    struct file *ret[2])
{
	struct socket *a, *b;
	int err = socket_new(family, type, protocol, &a);

	if (err)
		return err;
	err = socket_new(family, type, protocol, &b);
	if (err) {
		a->ops->release(a);
		return err;
	}
	err = a->ops->pair ? a->ops->pair(a, b) : -EOPNOTSUPP;
	if (err) {
		a->ops->release(a);
		b->ops->release(b);
		return err;
	}
	err = socket_file_new(a, flags, &ret[0]);
	if (err) {
		b->ops->release(b);
		return err;
	}
	err = socket_file_new(b, flags, &ret[1]);
	if (err)
		file_put(ret[0]);
	return err;
}

int64_t sys_socketpair(int32_t family, int32_t type, int32_t protocol, uaddr_t fds)
{
	uint32_t flags = (uint32_t)type & ~SOCK_TYPE_MASK;
	struct file *f[2];
	int err;

	if (flags & ~TYPE_FLAGS)
		return -EINVAL;
	err = pair_new(family, (int)((uint32_t)type & SOCK_TYPE_MASK), protocol,
		       flags & SOCK_NONBLOCK, f);
	return err ? err : fd_add_pair(f, flags & SOCK_CLOEXEC, fds);
}

/* ---- names and connections ---- */

int64_t sys_bind(int32_t fd, uaddr_t addr, uint32_t addrlen)
{
	struct sock_addr a;
	struct socket *s;
	struct fd_ref r;
	int err = socket_borrow(fd, &r, &s);

	if (err)
		return err;
	err = sock_addr_in(addr, addrlen, &a);
	if (!err)
		err = s->ops->bind ? s->ops->bind(s, &a) : -EOPNOTSUPP;
	fd_return(&r);
	return err;
}

int64_t sys_connect(int32_t fd, uaddr_t addr, uint32_t addrlen)
{
	struct sock_addr a;
	struct socket *s;
	struct fd_ref r;

	/* Any descriptor will do until the address is known to be one. */
	if (!fd_borrow(fd, &r))
		return -EBADF;
	int err = sock_addr_in(addr, addrlen, &a);
	s = socket_of(r.file);
	if (!err && !s)
		err = -ENOTSOCK;
	if (!err)
		err = s->ops->connect ? s->ops->connect(s, &a, r.file->flags & O_NONBLOCK)
				      : -EOPNOTSUPP;
	fd_return(&r);
	return err;
}

int64_t sys_listen(int32_t fd, int32_t backlog)
{
	struct socket *s;
	struct fd_ref r;
	int err = socket_borrow(fd, &r, &s);

	if (err)
		return err;
	err = s->ops->listen ? s->ops->listen(s, backlog) : -EOPNOTSUPP;
	fd_return(&r);
	return err;
}

/* A connection's file, its peer's address given out. */
static int accept_file(struct socket *s, bool nonblock, uint32_t flags, uaddr_t addr,
		       uaddr_t addrlen, struct file **ret)
{
	struct socket *from;
	struct sock_addr a;
	int err = s->ops->accept ? s->ops->accept(s, nonblock, &from) : -EOPNOTSUPP;

	if (!err)
		err = socket_file_new(from, flags & SOCK_NONBLOCK, ret);
	if (err || !addr.va)
		return err;
	/* It may have hung up already: then nobody is its peer. */
	if (from->ops->name(from, true, &a))
		err = -ECONNABORTED;
	else
		err = sock_addr_out(&a, addr, addrlen);
	if (err)
		file_put(*ret);
	return err;
}

int64_t sys_accept4(int32_t fd, uaddr_t addr, uaddr_t addrlen, uint32_t flags)
{
	struct socket *s;
	struct fd_ref r;
	struct file *f;
	int64_t new;
	int err = socket_borrow(fd, &r, &s);

	if (err == -EBADF)
		return err;
	if (flags & ~TYPE_FLAGS) {
		if (!err)
			fd_return(&r);
		return -EINVAL;
	}
	if (err)
		return err;
	new = fd_reserve(0);
	if (new >= 0) {
		err = accept_file(s, r.file->flags & O_NONBLOCK, flags, addr, addrlen,
				  &f);
		if (err) {
			fd_release((int)new);
			new = err;
		} else {
			fd_install((int)new, f, flags & SOCK_CLOEXEC);
		}
	}
	fd_return(&r);
	return new;
}

int64_t sys_accept(int32_t fd, uaddr_t addr, uaddr_t addrlen)
{
	return sys_accept4(fd, addr, addrlen, 0);
}

int64_t sys_shutdown(int32_t fd, int32_t how)
{
	struct socket *s;
	struct fd_ref r;
	int err = socket_borrow(fd, &r, &s);

	if (err)
		return err;
	err = s->ops->shutdown ? s->ops->shutdown(s, how) : -EOPNOTSUPP;
	fd_return(&r);
	return err;
}

static int64_t name_out(int fd, bool peer, uaddr_t addr, uaddr_t addrlen)
{
	struct sock_addr a;
	struct socket *s;
	struct fd_ref r;
	int err = socket_borrow(fd, &r, &s);

	if (err)
		return err;
	err = s->ops->name(s, peer, &a);
	if (!err)
		err = sock_addr_out(&a, addr, addrlen);
	fd_return(&r);
	return err;
}

int64_t sys_getsockname(int32_t fd, uaddr_t addr, uaddr_t addrlen)
{
	return name_out(fd, false, addr, addrlen);
}

int64_t sys_getpeername(int32_t fd, uaddr_t addr, uaddr_t addrlen)
{
	return name_out(fd, true, addr, addrlen);
}

/* ---- options ---- */

int64_t sys_setsockopt(int32_t fd, int32_t level, int32_t name, uaddr_t val, uint32_t len)
{
	struct socket *s;
	struct fd_ref r;
	int err = socket_borrow(fd, &r, &s);

	if (err)
		return err;
	err = socket_setopt(s, level, name, val, len);
	fd_return(&r);
	return err;
}

int64_t sys_getsockopt(int32_t fd, int32_t level, int32_t name, uaddr_t val, uaddr_t len)
{
	struct socket *s;
	struct fd_ref r;
	int err = socket_borrow(fd, &r, &s);

	if (err)
		return err;
	err = socket_getopt(s, level, name, val, len);
	fd_return(&r);
	return err;
}
