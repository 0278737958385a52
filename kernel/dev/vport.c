/*
 * Virtio serial devices: setting up, and the control queues on which the host announces
 * ports, names them and says when it has them open. Names arrive by interrupt, some
 * time after the device is ready; who looks for one waits for it.
 */
#include <linux/virtio_console.h>

#include "core/log.h"
#include "dev/vport_internal.h"
#include "lib/string.h"

#define DEVICES_MAX 4u
#define CONTROL_RX_QUEUE 2u
#define CONTROL_TX_QUEUE 3u
#define CONTROL_N 16u
#define CONTROL_ROOM 128u
#define RING_SIZE 32u
#define NAME_WAIT_NS (2 * NSEC_PER_SEC)

/* Message memory, one page. */
struct vserial_control {
	char in[CONTROL_N][CONTROL_ROOM];
	struct virtio_console_control out[CONTROL_N];
};
_Static_assert(sizeof(struct vserial_control) <= PAGE_SIZE, "messages fit a page");

static struct vserial *devices[DEVICES_MAX]; /* [I] after boot */
static uint32_t n_devices;
static struct waitq names_wait = WAITQ_INIT(names_wait);

/* ---- control messages ---- */

int vserial_tell(struct vserial *s, uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_control *m = NULL;
	uint32_t len;
	void *what;

	while (virtq_take(&s->control_tx, &what, &len))
		*(struct virtio_console_control *)what =
			(struct virtio_console_control){ .id = VIRTIO_CONSOLE_BAD_ID };
	for (size_t i = 0; i < CONTROL_N && !m; i++)
		if (s->control->out[i].id == VIRTIO_CONSOLE_BAD_ID)
			m = &s->control->out[i];
	if (s->dead || !m || virtq_begin(&s->control_tx, 1, NULL))
		return -EIO;
	/* Until it is sent its id says that it is taken. */
	*m = (struct virtio_console_control){ id, event, value };
	virtq_put(&s->control_tx, arch_direct_pa(m), sizeof(*m), VIRTQ_OUT);
	virtq_end(&s->control_tx, m);
	virtio_kick(s->dev, CONTROL_TX_QUEUE, &s->control_tx);
	return 0;
}

static void port_name_set(struct vport *p, const char *name, size_t n)
{
	n = MIN(strnlen(name, n), (size_t)VPORT_NAME - 1);
	memcpy(p->name, name, n);
	p->name[n] = 0;
	wake_all(&names_wait);
}

static void port_host_open(struct vport *p, bool open)
{
	p->host_open = open;
	p->host_was_open |= open;
	vport_wake(p);
}

static void port_exists(struct vport *p, bool exists)
{
	p->exists = exists;
	if (exists)
		(void)vserial_tell(p->dev, p->id, VIRTIO_CONSOLE_PORT_READY, 1);
	else
		port_host_open(p, false);
}

/* A message from the host; its length is what the device says it wrote. */
static void control_handle(struct vserial *s, const char *bytes, uint32_t len)
{
	struct virtio_console_control m;
	struct vport *p;

	if (len < sizeof(m))
		return;
	memcpy(&m, bytes, sizeof(m));
	if (m.id == 0 || m.id >= s->ids) {
		if (m.event == VIRTIO_CONSOLE_PORT_ADD)
			log_warn("virtio%u: port %u is not driven\n", s->dev->nr, m.id);
		return;
	}
	p = &s->ports[m.id];
	switch (m.event) {
	case VIRTIO_CONSOLE_PORT_ADD:
		port_exists(p, true);
		break;
	case VIRTIO_CONSOLE_PORT_REMOVE:
		port_exists(p, false);
		break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		port_host_open(p, m.value);
		break;
	case VIRTIO_CONSOLE_PORT_NAME:
		port_name_set(p, bytes + sizeof(m), MIN(len, CONTROL_ROOM) - sizeof(m));
		break;
	}
}

static void control_post(struct vserial *s, char *in)
{
	if (virtq_begin(&s->control_rx, 1, NULL))
		return;
	virtq_put(&s->control_rx, arch_direct_pa(in), CONTROL_ROOM, VIRTQ_IN);
	virtq_end(&s->control_rx, in);
}

static void control_interrupt(struct vserial *s)
{
	uint32_t len;
	void *in;

	do {
		while (virtq_take(&s->control_rx, &in, &len)) {
			control_handle(s, in, len);
			control_post(s, in);
		}
	} while (virtq_rearm(&s->control_rx));
	virtio_kick(s->dev, CONTROL_RX_QUEUE, &s->control_rx);
}

/* ---- interrupts ---- */

static bool any_broken(struct vserial *s)
{
	bool broken = s->control_rx.broken || s->control_tx.broken;

	for (uint32_t id = 1; id < s->ids; id++)
		broken |= s->ports[id].rx.broken || s->ports[id].tx.broken;
	return broken;
}

void vserial_check(struct vserial *s)
{
	if (likely(s->dead || !any_broken(s)))
		return;
	s->dead = true;
	virtio_fail(s->dev, "used ring");
	for (uint32_t id = 1; id < s->ids; id++)
		vport_wake(&s->ports[id]);
}

static void vserial_interrupt(struct virtio_device *d)
{
	struct vserial *s = d->driver;
	uint64_t f = spin_lock_irq(&s->lock);

	control_interrupt(s);
	for (uint32_t id = 1; id < s->ids; id++)
		vport_interrupt(&s->ports[id]);
	vserial_check(s);
	spin_unlock_irq(&s->lock, f);
}

/* ---- setting up ---- */

static int port_init(struct vserial *s, uint32_t id)
{
	struct vport *p = &s->ports[id];
	int err;

	p->dev = s;
	p->id = id;
	mutex_init(&p->read_lock, RANK_PORT);
	mutex_init(&p->write_lock, RANK_PORT);
	waitq_init(&p->read_wait);
	waitq_init(&p->write_wait);
	list_init(&p->filled);
	list_init(&p->idle);
	err = virtio_queue_new(s->dev, vport_rx_index(p), RING_SIZE, &p->rx);
	if (!err)
		err = virtio_queue_new(s->dev, vport_tx_index(p), RING_SIZE, &p->tx);
	if (!err && (p->rx.size < VPORT_RX_N || p->tx.size < VPORT_TX_N))
		err = -EIO;
	return err;
}

static int control_init(struct vserial *s)
{
	int err;

	s->control = page_mem_alloc(PAGE_ZERO);
	if (!s->control)
		return -ENOMEM;
	err = virtio_queue_new(s->dev, CONTROL_RX_QUEUE, RING_SIZE, &s->control_rx);
	if (!err)
		err = virtio_queue_new(s->dev, CONTROL_TX_QUEUE, RING_SIZE,
				       &s->control_tx);
	for (size_t i = 0; i < CONTROL_N && !err; i++) {
		control_post(s, s->control->in[i]);
		s->control->out[i].id = VIRTIO_CONSOLE_BAD_ID;
	}
	return err;
}

static int vserial_setup(struct vserial *s)
{
	struct virtio_device *d = s->dev;
	uint32_t most;
	int err;

	if (!virtio_has(d, VIRTIO_CONSOLE_F_MULTIPORT) || n_devices == DEVICES_MAX)
		return -EOPNOTSUPP;
	err = d->transport->config(d,
				   offsetof(struct virtio_console_config, max_nr_ports),
				   &most, sizeof(most));
	if (!err)
		err = control_init(s);
	for (uint32_t id = 1; id < MIN(most, VPORT_IDS) && !err; id++) {
		err = port_init(s, id);
		s->ids = id + 1;
	}
	return err;
}

static void queue_drop(struct virtq *q)
{
	if (q->size)
		virtio_queue_free(q);
}

/* Of a device that was reset before it was made ready. */
static void vserial_free(struct vserial *s)
{
	for (uint32_t id = 1; id < s->ids; id++) {
		queue_drop(&s->ports[id].rx);
		queue_drop(&s->ports[id].tx);
	}
	queue_drop(&s->control_rx);
	queue_drop(&s->control_tx);
	page_mem_free(s->control);
	heap_free(s);
}

static int vserial_probe(struct virtio_device *d)
{
	struct vserial *s = heap_zalloc(sizeof(*s));
	uint64_t f;
	int err;

	if (!s)
		return -ENOMEM;
	s->dev = d;
	spin_init(&s->lock, RANK_DEV);
	err = vserial_setup(s);
	if (err) {
		d->transport->reset(d);
		vserial_free(s);
		return err;
	}
	devices[n_devices++] = s;
	d->driver = s;
	d->interrupt = vserial_interrupt;
	d->transport->ready(d);
	f = spin_lock_irq(&s->lock);
	virtio_kick(d, CONTROL_RX_QUEUE, &s->control_rx);
	err = vserial_tell(s, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
	spin_unlock_irq(&s->lock, f);
	return err;
}

const struct virtio_driver virtio_port_driver = {
	.id = VIRTIO_ID_CONSOLE,
	.features = BIT(VIRTIO_CONSOLE_F_MULTIPORT),
	.probe = vserial_probe,
};

/* ---- finding ports ---- */

struct vport *vport_nth(uint32_t device, uint32_t id)
{
	if (device >= n_devices || id == 0 || id >= devices[device]->ids)
		return NULL;
	return &devices[device]->ports[id];
}

static struct vport *find_named(const char *name)
{
	struct vport *found = NULL;

	for (uint32_t i = 0; i < n_devices; i++) {
		uint64_t f = spin_lock_irq(&devices[i]->lock);

		for (uint32_t id = 1; id < devices[i]->ids; id++)
			if (!strcmp(devices[i]->ports[id].name, name))
				found = &devices[i]->ports[id];
		spin_unlock_irq(&devices[i]->lock, f);
	}
	return found;
}

int vport_named(const char *name, struct vport **ret)
{
	struct vport *p = NULL;
	int err;

	if (!n_devices)
		return -ENODEV;
	err = wait_event_intr_deadline(&names_wait, (p = find_named(name)),
				       clock_mono() + NAME_WAIT_NS);
	if (err)
		return err == -ETIMEDOUT ? -ENODEV : err;
	*ret = p;
	return 0;
}
