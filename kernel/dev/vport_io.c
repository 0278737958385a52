/*
 * Reading and writing virtio ports. Bytes are copied once, between the user's memory
 * and buffers that the device has or will have. A long write fills all buffers and then
 * tells the device once; interrupts for sent buffers are asked for only while somebody
 * waits for room.
 */
#include <linux/poll.h>
#include <linux/virtio_console.h>

#include "dev/vport_internal.h"

/* ---- buffers ---- */

/* Memory for a buffer, 2^order pages or, when memory is in pieces, one. */
static int buffer_new(struct vport_buffer *b, unsigned order)
{
	struct page *p = order ? page_alloc(order, 0) : NULL;

	if (!p) {
		order = 0;
		p = page_alloc(0, 0);
	}
	if (!p)
		return -ENOMEM;
	b->bytes = page_va(p);
	b->size = (uint32_t)PAGE_SIZE << order;
	list_init(&b->link);
	return 0;
}

/* Gives an empty buffer to the device. Lock held. */
static void rx_post(struct vport *p, struct vport_buffer *b)
{
	if (virtq_begin(&p->rx, 1, NULL))
		return;
	virtq_put(&p->rx, arch_direct_pa(b->bytes), b->size, VIRTQ_IN);
	virtq_end(&p->rx, b);
}

/* Buffers are made one by one: what a failed attempt made serves the next. read_lock
 * held. */
static int buffers_make(struct vport *p)
{
	int err = 0;

	for (size_t i = 0; i < VPORT_RX_N && !err; i++)
		if (!p->rx_buffer[i].bytes)
			err = buffer_new(&p->rx_buffer[i], 0);
	for (size_t i = 0; i < VPORT_TX_N && !err; i++)
		if (!p->tx_buffer[i].bytes)
			err = buffer_new(&p->tx_buffer[i], VPORT_TX_ORDER);
	return err;
}

static void buffers_post(struct vport *p)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);

	for (size_t i = 0; i < VPORT_RX_N; i++)
		rx_post(p, &p->rx_buffer[i]);
	for (size_t i = 0; i < VPORT_TX_N; i++)
		list_push_back(&p->idle, &p->tx_buffer[i].link);
	virtio_kick(p->dev->dev, vport_rx_index(p), &p->rx);
	spin_unlock_irq(&p->dev->lock, f);
}

/* Takes back what the device has sent; true: there was something. Lock held. */
static bool tx_reclaim(struct vport *p)
{
	bool some = false;
	uint32_t len;
	void *b;

	while (virtq_take(&p->tx, &b, &len)) {
		list_push_back(&p->idle, &((struct vport_buffer *)b)->link);
		some = true;
	}
	return some;
}

/* Nothing is under way to the device. The lock is held. */
static bool is_idle(const struct vport *p)
{
	size_t n = 0;

	list_for_each(b, &p->idle, struct vport_buffer, link) n++;
	return n == ARRAY_LEN(p->tx_buffer);
}

void vport_wake(struct vport *p)
{
	wake_poll(&p->read_wait, POLLIN | POLLRDNORM | POLLHUP | POLLERR);
	wake_poll(&p->write_wait, POLLOUT | POLLWRNORM | POLLHUP | POLLERR);
}

void vport_interrupt(struct vport *p)
{
	bool filled = false, was_full = list_empty(&p->idle);
	uint32_t len;
	void *what;

	do {
		while (virtq_take(&p->rx, &what, &len)) {
			struct vport_buffer *b = what;

			b->at = 0;
			b->end = len;
			list_push_back(&p->filled, &b->link);
			filled = true;
		}
	} while (virtq_rearm(&p->rx));
	if (filled)
		wake_poll(&p->read_wait, POLLIN | POLLRDNORM);
	if (tx_reclaim(p) && (was_full || is_idle(p)))
		wake_poll(&p->write_wait, POLLOUT | POLLWRNORM);
}

/* ---- opening ---- */

static int open_begin(struct vport *p)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);
	int err = p->dev->dead ? -EIO : !p->exists ? -ENODEV : p->open ? -EBUSY : 0;

	if (!err)
		p->open = true;
	spin_unlock_irq(&p->dev->lock, f);
	return err;
}

static void open_end(struct vport *p, bool open)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);

	p->open = open;
	/* A device that takes no more messages is found broken by who reads or writes. */
	(void)vserial_tell(p->dev, p->id, VIRTIO_CONSOLE_PORT_OPEN, open);
	spin_unlock_irq(&p->dev->lock, f);
}

int vport_open(struct vport *p)
{
	int err = open_begin(p);

	if (err)
		return err;
	mutex_lock(&p->read_lock);
	if (!p->has_buffers)
		err = buffers_make(p);
	if (!err && !p->has_buffers) {
		buffers_post(p);
		p->has_buffers = true;
	}
	mutex_unlock(&p->read_lock);
	open_end(p, !err);
	return err;
}

/* Bytes nobody read are dropped: the next opener's conversation is another one. */
void vport_close(struct vport *p)
{
	struct vport_buffer *b;
	uint64_t f;

	open_end(p, false);
	f = spin_lock_irq(&p->dev->lock);
	while ((b = list_first_or_null(&p->filled, struct vport_buffer, link))) {
		list_del(&b->link);
		rx_post(p, b);
	}
	virtio_kick(p->dev->dev, vport_rx_index(p), &p->rx);
	spin_unlock_irq(&p->dev->lock, f);
}

/* ---- reading ---- */

/* 1: *ret is the oldest buffer with bytes (NULL: the end of the stream). 0: nothing
 * yet. */
static int readable(struct vport *p, struct vport_buffer **ret)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);
	int r = 1;

	*ret = list_first_or_null(&p->filled, struct vport_buffer, link);
	if (!*ret && p->dev->dead)
		r = -EIO;
	else if (!*ret && !p->host_was_open)
		r = 0;
	else if (!*ret)
		r = !p->host_open;
	spin_unlock_irq(&p->dev->lock, f);
	return r;
}

/* Gives an emptied buffer back; the device is told when the reader is done. */
static void buffer_done(struct vport *p, struct vport_buffer *b)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);

	list_del(&b->link);
	rx_post(p, b);
	spin_unlock_irq(&p->dev->lock, f);
}

static void rx_kick(struct vport *p)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);
	bool kick = virtq_wants_kick(&p->rx);

	spin_unlock_irq(&p->dev->lock, f);
	if (kick)
		p->dev->dev->transport->kick(p->dev->dev, vport_rx_index(p));
}

/* Copies out what is there. Bytes, or an error when there is none. read_lock held. */
static int64_t read_filled(struct vport *p, struct uio *u)
{
	struct vport_buffer *b;
	int64_t done = 0, r = 0;

	while (u->left && (r = readable(p, &b)) > 0 && b) {
		uint32_t n = MIN((uint64_t)u->left, b->end - b->at);

		r = n ? uio_write(u, b->bytes + b->at, n) : 0;
		if (r > 0) {
			b->at += (uint32_t)r;
			done += r;
		}
		if (b->at == b->end)
			buffer_done(p, b);
		if (r < (int64_t)n) {
			r = -EFAULT;
			break;
		}
	}
	rx_kick(p);
	return done ? done : MIN(r, 0);
}

/* Nobody sleeps for bytes with the lock held: a reader that must not wait need not. */
int64_t vport_read(struct vport *p, struct uio *u, bool nonblock)
{
	struct vport_buffer *b;
	int64_t r = 0;
	bool again = u->left;

	while (again) {
		int err = nonblock ? 0 : wait_event_intr(&p->read_wait, readable(p, &b));

		if (!err)
			err = mutex_lock_intr(&p->read_lock);
		if (err)
			return err;
		r = readable(p, &b);
		again = !r && !nonblock;
		if (r > 0)
			r = read_filled(p, u);
		else if (!r)
			r = -EAGAIN;
		mutex_unlock(&p->read_lock);
	}
	return r;
}

/* ---- writing ---- */

/* 1: there is an idle buffer. 0: wait; an interrupt will come. -EPIPE, -EIO. */
static int writable(struct vport *p)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);
	int r = 0;

	tx_reclaim(p);
	while (list_empty(&p->idle) && virtq_rearm(&p->tx))
		tx_reclaim(p);
	vserial_check(p->dev);
	if (p->dev->dead)
		r = -EIO;
	else if (p->host_was_open && !p->host_open)
		r = -EPIPE;
	else if (p->host_open)
		r = !list_empty(&p->idle);
	spin_unlock_irq(&p->dev->lock, f);
	return r;
}

static struct vport_buffer *idle_take(struct vport *p)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);
	struct vport_buffer *b = list_first_or_null(&p->idle, struct vport_buffer, link);

	if (b)
		list_del(&b->link);
	spin_unlock_irq(&p->dev->lock, f);
	return b;
}

/* Hands n bytes of the buffer to the device, or (n = 0, or a dead queue) back to the
 * idle. */
static void tx_post(struct vport *p, struct vport_buffer *b, uint32_t n)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);

	if (n && !virtq_begin(&p->tx, 1, NULL)) {
		virtq_put(&p->tx, arch_direct_pa(b->bytes), n, VIRTQ_OUT);
		virtq_end(&p->tx, b);
	} else {
		list_push_front(&p->idle, &b->link);
	}
	spin_unlock_irq(&p->dev->lock, f);
}

/* The device may do its work before this returns: no lock is held. */
static void tx_kick(struct vport *p)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);
	bool kick = virtq_wants_kick(&p->tx);

	spin_unlock_irq(&p->dev->lock, f);
	if (kick)
		p->dev->dev->transport->kick(p->dev->dev, vport_tx_index(p));
}

/* Fills idle buffers while there are both. Bytes, or -EFAULT when none. write_lock
 * held. */
static int64_t write_idle(struct vport *p, struct uio *u)
{
	struct vport_buffer *b;
	int64_t done = 0, r = 0;

	while (u->left && r >= 0 && (b = idle_take(p))) {
		uint32_t n = MIN((uint64_t)u->left, b->size);

		r = uio_read(u, b->bytes, n);
		tx_post(p, b, r > 0 ? (uint32_t)r : 0);
		if (r > 0)
			done += r;
		if (r < (int64_t)n)
			r = -EFAULT;
	}
	tx_kick(p);
	return done ? done : MIN(r, 0);
}

static int64_t write_some(struct vport *p, struct uio *u, bool nonblock)
{
	int ready = writable(p), err;

	if (!ready && nonblock)
		return -EAGAIN;
	if (!ready) {
		err = wait_event_intr(&p->write_wait, (ready = writable(p)));
		if (err)
			return err;
	}
	return ready < 0 ? ready : write_idle(p, u);
}

int64_t vport_write(struct vport *p, struct uio *u, bool nonblock)
{
	int64_t done = 0, r;
	int err = 0;

	/* Held to the end, so that what two threads write is not mixed. */
	if (!nonblock)
		err = mutex_lock_intr(&p->write_lock);
	else if (!mutex_trylock(&p->write_lock))
		err = -EAGAIN;
	if (err)
		return err;
	do {
		r = u->left ? write_some(p, u, nonblock) : 0;
		if (r > 0)
			done += r;
	} while (r > 0 && u->left);
	mutex_unlock(&p->write_lock);
	return done ? done : r;
}

/* 1: the host has taken all. 0: wait; an interrupt will come. -EPIPE, -EIO. */
static int taken(struct vport *p)
{
	uint64_t f = spin_lock_irq(&p->dev->lock);
	int r;

	tx_reclaim(p);
	while (!(r = is_idle(p)) && virtq_rearm(&p->tx))
		tx_reclaim(p);
	vserial_check(p->dev);
	if (p->dev->dead)
		r = -EIO;
	else if (!r && p->host_was_open && !p->host_open)
		r = -EPIPE;
	spin_unlock_irq(&p->dev->lock, f);
	return r;
}

int vport_sync(struct vport *p)
{
	int r;
	int err = wait_event_intr(&p->write_wait, (r = taken(p)));

	return err ? err : MIN(r, 0);
}

/* ---- polling ---- */

uint32_t vport_poll(struct vport *p)
{
	struct vport_buffer *b;
	int in = readable(p, &b), out = writable(p);
	uint32_t events = 0;

	if (in > 0)
		events |= POLLIN | POLLRDNORM | (b ? 0 : POLLHUP);
	if (out > 0)
		events |= POLLOUT | POLLWRNORM;
	if (out == -EPIPE)
		events |= POLLHUP;
	if (in == -EIO || out == -EIO)
		events |= POLLERR | POLLHUP;
	return events;
}

struct waitq *vport_read_queue(struct vport *p)
{
	return &p->read_wait;
}

struct waitq *vport_write_queue(struct vport *p)
{
	return &p->write_wait;
}
