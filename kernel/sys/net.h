/* What the calls on sockets share: descriptors, and addresses in and out. */
#ifndef SYS_NET_H
#define SYS_NET_H

#include "fs/file.h"
#include "net/socket.h"

/* The socket of a descriptor, for the length of a call. 0, -EBADF, -ENOTSOCK. */
must_use static inline int socket_borrow(int fd, struct fd_ref *r, struct socket **ret)
{
	if (!fd_borrow(fd, r))
		return -EBADF;
	*ret = socket_of(r->file);
	if (likely(*ret))
		return 0;
	fd_return(r);
	return -ENOTSOCK;
}

/* An address of n bytes. 0, -EINVAL (too long), -EFAULT. */
must_use int sock_addr_in(uaddr_t from, uint32_t n, struct sock_addr *ret);
/* Into a buffer whose size is at ulen, which becomes the address's. -EFAULT, -EINVAL. */
must_use int sock_addr_out(const struct sock_addr *a, uaddr_t to, uaddr_t ulen);

#endif
