/*
 * Control messages between a job's buffer and struct sock_msg: descriptors, credentials,
 * time stamps (cmsg(3), unix(7), socket(7)).
 */
#include <asm/errno.h>
#include <linux/time_types.h>

#include "core/timer.h"
#include "fs/file.h"
#include "lib/cmsg.h"
#include "lib/string.h"
#include "net/socket.h"

/* ---- in ---- */

void sock_rights_free(struct sock_rights *r)
{
	if (!r)
		return;
	while (r->n)
		file_put(r->file[--r->n]);
	heap_free(r);
}

static int rights_in(const struct socket *s, const struct cmsg *c, struct sock_msg *m)
{
	size_t count = c->len / sizeof(int32_t);

	if (s->family != AF_UNIX || count > SCM_MAX_FD)
		return -EINVAL;
	if (!count)
		return 0;
	/* Once, for all that the buffer may ask for. */
	if (!m->rights) {
		m->rights = heap_alloc(sizeof *m->rights +
				       SCM_MAX_FD * sizeof(struct file *));
		if (!m->rights)
			return -ENOMEM;
		list_init(&m->rights->link);
		m->rights->n = 0;
	}
	if (count > SCM_MAX_FD - m->rights->n)
		return -EINVAL;
	for (size_t k = 0; k < count; k++) {
		struct file *f;
		int32_t fd;

		memcpy(&fd, c->data + k * sizeof fd, sizeof fd);
		f = fd_get_any(fd);
		if (!f)
			return -EBADF;
		m->rights->file[m->rights->n++] = f;
	}
	return 0;
}

static int creds_in(const struct cmsg *c, struct sock_msg *m)
{
	struct ucred u;
	int err;

	if (c->len != sizeof u)
		return -EINVAL;
	memcpy(&u, c->data, sizeof u);
	err = sec_may_claim_ids(thread_current()->cred,
				u.pid == fs_upcalls.current_tgid(), u.uid, u.gid);
	if (!err && !net_upcalls.process_exists(u.pid))
		err = -ESRCH;
	if (err)
		return err;
	m->creds = u;
	m->has_creds = true;
	return 0;
}

int control_in(const struct socket *s, const void *buf, size_t n, struct sock_msg *m)
{
	struct cmsg c;
	size_t at = 0;
	int more;

	while ((more = cmsg_next(buf, n, &at, &c)) > 0) {
		int err = -EINVAL;

		if (c.level != SOL_SOCKET)
			continue;
		if (c.type == SCM_RIGHTS)
			err = rights_in(s, &c, m);
		else if (c.type == SCM_CREDENTIALS)
			err = creds_in(&c, m);
		if (err)
			return err;
	}
	return more;
}

/* ---- out ---- */

struct control_buf {
	uaddr_t at;
	size_t left, used;
	bool cut;
};

static void advance(struct control_buf *b, size_t n)
{
	n = MIN(n, b->left);
	b->at = uaddr_add(b->at, n);
	b->left -= n;
	b->used += n;
}

/* One message, or as much of it as there is room for. */
static void put(struct control_buf *b, int type, const void *data, size_t n)
{
	struct cmsg_header h = { CMSG_LEN(n), SOL_SOCKET, type };

	if (b->left < sizeof h) {
		b->cut = true;
		return;
	}
	if (b->left < h.len) {
		b->cut = true;
		h.len = b->left;
	}
	if (put_user(b->at, h) ||
	    copy_out(uaddr_add(b->at, sizeof h), data, h.len - sizeof h))
		b->cut = true;
	else
		advance(b, CMSG_SPACE(n));
}

/* A descriptor for f (a new reference) whose number goes to `to`. */
static int install(struct file *f, uaddr_t to, bool cloexec)
{
	int32_t fd = fd_reserve(0);
	int err;

	if (fd < 0)
		return fd;
	err = put_user(to, fd);
	if (err)
		fd_release(fd);
	else
		fd_install(fd, file_get(f), cloexec);
	return err;
}

static void put_rights(struct control_buf *b, const struct sock_rights *r, bool cloexec)
{
	const size_t head = sizeof(struct cmsg_header);
	size_t room = b->left > head ? (b->left - head) / sizeof(int32_t) : 0, k = 0;

	while (k < MIN(room, (size_t)r->n) &&
	       !install(r->file[k], uaddr_add(b->at, head + k * sizeof(int32_t)),
			cloexec))
		k++;
	if (k < r->n)
		b->cut = true;
	if (k) {
		struct cmsg_header h = { CMSG_LEN(k * sizeof(int32_t)), SOL_SOCKET,
					 SCM_RIGHTS };

		if (put_user(b->at, h))
			b->cut = true;
		else
			advance(b, CMSG_SPACE(k * sizeof(int32_t)));
	}
}

static void put_stamp(struct control_buf *b, uint32_t options, int64_t ns)
{
	const int64_t second = NSEC_PER_SEC;

	if (options & SOCK_OPT_TIMESTAMPNS) {
		struct __kernel_timespec ts = { ns / second, ns % second };

		put(b, SO_TIMESTAMPNS_OLD, &ts, sizeof ts);
	} else {
		struct __kernel_sock_timeval tv = { ns / second, ns % second / 1000 };

		put(b, SO_TIMESTAMP_OLD, &tv, sizeof tv);
	}
}

size_t control_out(const struct socket *s, uaddr_t to, size_t n, struct sock_msg *m)
{
	struct control_buf b = { .at = to, .left = n };
	uint32_t options = s->options;

	if (m->stamp && (options & SOCK_OPT_STAMPS))
		put_stamp(&b, options, m->stamp);
	if (m->has_creds && (options & SOCK_OPT_PASSCRED))
		put(&b, SCM_CREDENTIALS, &m->creds, sizeof m->creds);
	if (m->rights)
		put_rights(&b, m->rights, m->flags & MSG_CMSG_CLOEXEC);
	if (b.cut)
		m->ret_flags |= MSG_CTRUNC;
	return b.used;
}
