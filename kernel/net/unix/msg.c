/*
 * Messages: the bytes of one send, or of a part of one, in memory of their own. Short
 * ones lie behind the header, long ones in pages, so that no message needs more than one
 * page in a row however long it is.
 */
#include <asm/errno.h>

#include "net/unix/queue.h"

/* An event that no poll waits for: hooks look at it and stay quiet, threads wake. */
#define NO_EVENT 0x80000u
#define INLINE_MAX (2048 - sizeof(struct unix_msg))

/* ---- memory ---- */

static void pages_put(struct unix_msg *m)
{
	for (size_t k = 0; k < m->pages; k++)
		page_put(m->page[k]);
}

static int pages_get(struct unix_msg *m, size_t count)
{
	while (m->pages < count) {
		struct page *p = page_alloc(0, PAGE_USER);

		if (!p)
			return -ENOMEM;
		m->page[m->pages++] = p;
	}
	return 0;
}

/* Room for n bytes. NULL: no memory. */
static struct unix_msg *alloc(size_t n)
{
	size_t count = n > INLINE_MAX ? (n + PAGE_SIZE - 1) / PAGE_SIZE : 0;
	size_t size =
		sizeof(struct unix_msg) + (count ? count * sizeof(struct page *) : n);
	struct unix_msg *m = heap_alloc(size);

	if (!m)
		return NULL;
	*m = (struct unix_msg){ .len = n };
	list_init(&m->link);
	if (pages_get(m, count)) {
		pages_put(m);
		heap_free(m);
		return NULL;
	}
	m->charge = size + count * PAGE_SIZE;
	return m;
}

static int fill(struct unix_msg *m, struct uio *from)
{
	size_t left = m->len;

	if (!m->pages)
		return uio_read(from, m->bytes, left) == (int64_t)left ? 0 : -EFAULT;
	for (size_t k = 0; k < m->pages; k++) {
		size_t n = MIN(left, PAGE_SIZE);

		if (uio_read(from, page_va(m->page[k]), n) != (int64_t)n)
			return -EFAULT;
		left -= n;
	}
	return 0;
}

int64_t unix_msg_copy_pages(const struct unix_msg *m, size_t from, size_t n,
			    struct uio *to)
{
	size_t done = 0;

	while (done < n) {
		size_t at = from + done, off = at % PAGE_SIZE;
		size_t part = MIN(n - done, PAGE_SIZE - off);
		int64_t got = uio_write(
			to, (char *)page_va(m->page[at / PAGE_SIZE]) + off, part);

		if (got < 0)
			return done ? (int64_t)done : got;
		done += got;
		if (got < (int64_t)part)
			break;
	}
	return done;
}

/* ---- charging (U2) ---- */

static void uncharge(struct unix_sock *u, uint32_t n)
{
	uint64_t was = __atomic_fetch_sub((uint64_t *)&u->charged, n, __ATOMIC_SEQ_CST);
	uint32_t limit = u->sock.sndbuf;

	/* A writer goes on once a good part is free, and not for every message; unless
	 * others, whom it sends to as well, may keep it from ever getting that far. */
	if (was * 4 > limit && (was - n) * 4 <= limit)
		wake_poll(&u->write_wait, POLLOUT | POLLWRNORM);
	else if (unix_is_dgram(u) && was >= limit && was - n < limit)
		wake_poll(&u->write_wait, NO_EVENT);
	if ((was - n) * 4 <= limit)
		sock_async_room(&u->sock);
}

static bool has_room(const struct unix_sock *u)
{
	return u->charged < u->sock.sndbuf;
}

/* Sleeps until u may send more, or never may again. */
static int wait_room(struct unix_sock *u, uint64_t deadline)
{
	int err;

	if (has_room(u))
		return 0;
	u->sock.async_room = true;
	if (!deadline)
		return -EAGAIN;
	err = wait_event_intr_deadline(&u->write_wait,
				       has_room(u) || (u->shut & UNIX_SHUT_WR), deadline);
	return sock_wait_error(err, deadline);
}

int unix_msg_new(struct unix_sock *u, struct sock_msg *to_send, size_t n,
		 uint64_t deadline, struct unix_msg **ret)
{
	struct unix_msg *m;
	int err = sock_take_error(&u->sock);

	if (!err)
		err = u->shut & UNIX_SHUT_WR ? -EPIPE : wait_room(u, deadline);
	if (err)
		return err;
	m = alloc(n);
	if (!m)
		return -ENOMEM;
	err = fill(m, to_send->data);
	if (!err && to_send->rights)
		err = unix_rights_launch(to_send->rights);
	if (err) {
		pages_put(m);
		heap_free(m);
		return err;
	}
	/* Nothing below can fail. */
	m->rights = to_send->rights;
	to_send->rights = NULL;
	if (to_send->has_creds) {
		m->creds = to_send->creds;
	} else {
		const struct cred *c = thread_current()->cred;

		m->creds = (struct ucred){ fs_upcalls.current_tgid(), c->uid, c->gid };
	}
	m->from = unix_get(u);
	__atomic_fetch_add((uint64_t *)&u->charged, m->charge, __ATOMIC_RELAXED);
	*ret = m;
	return 0;
}

void unix_msg_free(struct unix_msg *m)
{
	if (unlikely(m->rights)) {
		unix_rights_land(m->rights);
		unix_rights_bury(m->rights);
	}
	uncharge(m->from, m->charge);
	unix_put(m->from);
	pages_put(m);
	heap_free(m);
}

/* ---- what is not bytes ---- */

static int extra_rights(struct unix_sock *u, struct unix_msg *m, struct sock_msg *to)
{
	struct sock_rights *r;

	if (to->flags & MSG_PEEK) {
		to->rights = unix_rights_copy(m->rights);
		return to->rights ? 0 : -ENOMEM;
	}
	spin_lock(&u->lock);
	r = m->rights;
	m->rights = NULL;
	spin_unlock(&u->lock);
	unix_rights_land(r);
	to->rights = r;
	return 0;
}

int unix_msg_extras(struct unix_sock *u, struct unix_msg *m, struct sock_msg *to)
{
	if (to->name)
		unix_name_of(m->from, to->name);
	to->creds = m->creds;
	to->has_creds = true;
	if (!unix_is_stream(u) && (u->sock.options & SOCK_OPT_STAMPS))
		to->stamp = m->stamp ? m->stamp : (int64_t)clock_real();
	return unlikely(m->rights) ? extra_rights(u, m, to) : 0;
}
