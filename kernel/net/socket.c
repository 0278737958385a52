/* Sockets as files: making them, and the file operations that every family shares. */
#include "net/socket.h"

#include "core/panic.h"
#include "core/timer.h"
#include "net/unix/unix.h"

struct net_upcalls net_upcalls;
static struct list families = LIST_INIT(families); /* [I after boot] */

void socket_family_register(struct socket_family *f)
{
	list_push_back(&families, &f->link);
}

/* ---- making ---- */

void socket_init(struct socket *s, const struct socket_ops *ops, int family, int type,
		 int protocol)
{
	s->ops = ops;
	async_init(&s->async);
	s->family = family;
	s->type = type;
	s->protocol = protocol;
	s->sndbuf = s->rcvbuf = SOCK_BUF_DEFAULT;
	s->sndtimeo = s->rcvtimeo = SOCK_FOREVER;
	s->rcvlowat = 1;
	s->peek_off = -1;
}

int socket_new(int family, int type, int protocol, struct socket **ret)
{
	if (family < 0 || family >= AF_LIMIT)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= SOCK_TYPE_LIMIT)
		return -EINVAL;
	list_for_each(f, &families, struct socket_family, link)
	{
		if (f->family == family)
			return f->create(type, protocol, ret);
	}
	return -EAFNOSUPPORT;
}

/* ---- file operations ---- */

/* By way of /proc/self/fd, as open(2) of any socket. */
static int refuse_open(struct inode *i, struct file *f)
{
	return -ENXIO;
}

static uint32_t msg_flags_of(const struct file *f, const struct uio *u)
{
	return file_nonblock(f, u) ? MSG_DONTWAIT : 0;
}

static int64_t socket_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct sock_msg m = { .data = u, .flags = msg_flags_of(f, u) };
	int64_t n;

	if (!u->left)
		return 0;
	n = socket_recv(f->priv, &m);
	if (unlikely(m.rights))
		sock_rights_free(m.rights); /* read(2) has no place for them */
	return n;
}

static int64_t socket_write(struct file *f, struct uio *u, uint64_t *pos)
{
	struct sock_msg m = { .data = u, .flags = msg_flags_of(f, u) };

	return socket_send(f->priv, &m);
}

static uint32_t socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->priv;

	return s->ops->poll(s, f, pt);
}

static int64_t socket_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	struct socket *s = f->priv;

	return s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;
}

static int socket_flush(struct file *f)
{
	struct socket *s = f->priv;

	if (s->ops->closing)
		s->ops->closing(s);
	return 0;
}

static void socket_release(struct file *f)
{
	struct socket *s = f->priv;

	s->ops->release(s);
}

static struct async_set *socket_async(struct file *f, bool on)
{
	struct socket *s = f->priv;

	return &s->async;
}

static const struct file_ops socket_file_ops = {
	.open = refuse_open,
	.release = socket_release,
	.flush = socket_flush,
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.async = socket_async,
	.stream = true,
	.nowait_read = true,
	.nowait_write = true,
};

int socket_file_new(struct socket *s, uint32_t flags, struct file **ret)
{
	int err = file_new_nameless("socket", S_IFSOCK | S_IRWXU | S_IRWXG | S_IRWXO,
				    &socket_file_ops, s, O_RDWR | flags, ret);

	if (err)
		s->ops->release(s);
	else
		s->file = *ret;
	return err;
}

struct socket *socket_of(const struct file *f)
{
	return f->ops == &socket_file_ops ? f->priv : NULL;
}

/* ---- waiting and telling ---- */

uint64_t sock_deadline_after(uint64_t timeo)
{
	uint64_t now = clock_mono();

	return timeo < NO_DEADLINE - now ? now + timeo : NO_DEADLINE - 1;
}

int sock_wait_error(int err, uint64_t deadline)
{
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	return err == -ERESTARTSYS && deadline != NO_DEADLINE ? -EINTR : err;
}

void net_init(void)
{
	unix_init();
}
