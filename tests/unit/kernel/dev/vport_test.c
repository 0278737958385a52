/*
 * kernel/dev/vport.c and vport_io.c on a serial device made here: the conversation on
 * the control queues, bytes both ways, a host that comes, goes and stalls, and a device
 * that lies.
 */
/* link: kernel/dev/vport_io.c kernel/dev/virtio/virtio.c kernel/dev/virtio/virtq.c */
#include <linux/poll.h>
#include <linux/virtio_console.h>

#include "virtio/fakes.h"

/* For the list of devices, which each test begins anew. */
#include "dev/vport.c"

const struct virtio_driver virtio_blk_driver = { .id = VIRTIO_ID_BLOCK };
const struct virtio_driver virtio_rng_driver = { .id = VIRTIO_ID_RNG };

/* ---- what the driver stands on ---- */

#define PAGES 256u
static uint8_t memory[PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
static struct page pages[PAGES];
static uint32_t next_page;

struct page *page_alloc(unsigned order, uint32_t flags)
{
	struct page *p = &pages[next_page];

	/* Memory in pieces: no block of more than a page. */
	if (order && flags == 0 && fail_in == -1)
		return NULL;
	next_page += 1u << order;
	assert_true(next_page <= PAGES);
	return p;
}

uint64_t clock_mono(void)
{
	return 0;
}

/* Nobody else runs while a thread sleeps, except what a test leaves here. */
static void (*meanwhile)(void);

void wait_prepare(struct waitq *q, struct waiter *w, enum wait_mode mode)
{
}

void wait_finish(struct waitq *q, struct waiter *w)
{
}

int wait_sleep(enum wait_mode mode, uint64_t deadline)
{
	void (*fn)(void) = meanwhile;

	meanwhile = NULL;
	if (fn)
		fn();
	return fn ? 0 : deadline == NO_DEADLINE ? -ERESTARTSYS : -ETIMEDOUT;
}

static bool locked;

void mutex_init(struct mutex *m, enum lock_rank rank)
{
}

void mutex_lock(struct mutex *m)
{
	assert_false(locked);
	locked = true;
}

bool mutex_trylock(struct mutex *m)
{
	mutex_lock(m);
	return true;
}

int mutex_lock_intr(struct mutex *m)
{
	mutex_lock(m);
	return 0;
}

void mutex_unlock(struct mutex *m)
{
	assert_true(locked);
	locked = false;
}

/* User memory cannot be reached here: all goes the long way. */
size_t arch_user_write(uint64_t dst, const void *src, size_t n)
{
	return n;
}

size_t arch_user_read(void *dst, uint64_t src, size_t n)
{
	return n;
}

int64_t uio_write_slow(struct uio *u, const void *src, size_t n)
{
	memcpy((char *)u->one.iov_base + u->seg_off, src, n);
	u->seg_off += n;
	u->left -= n;
	return (int64_t)n;
}

int64_t uio_read_slow(struct uio *u, void *dst, size_t n)
{
	memcpy(dst, (char *)u->one.iov_base + u->seg_off, n);
	u->seg_off += n;
	u->left -= n;
	return (int64_t)n;
}

/* ---- the device: port 1, named, with a host behind it ---- */

enum { RX0, TX0, CONTROL_RX, CONTROL_TX, RX1, TX1, QUEUES };

static struct {
	struct virtio_device v;
	const struct virtq *q[QUEUES];
	uint16_t seen[QUEUES], used[QUEUES];
	uint32_t max_ports;
	bool stalls;  /* the host does not read */
	uint32_t lie; /* added to lengths the device says it wrote */
	int heard[8]; /* the last value of each control message; -1: none came */
	int kicks, resets;
	uint8_t got[1 << 20];
	size_t n_got;
} dev;

static void used_push(int index, uint32_t id, uint32_t len)
{
	struct virtq *q = (struct virtq *)dev.q[index];

	q->used->ring[dev.used[index] & (q->size - 1)] =
		(struct vring_used_elem){ id, len };
	q->used->idx = ++dev.used[index];
}

static const struct vring_desc *next_chain(int index, uint16_t *ret_head)
{
	struct virtq *q = (struct virtq *)dev.q[index];

	if (dev.seen[index] == q->avail->idx)
		return NULL;
	*ret_head = q->avail->ring[dev.seen[index]++ & (q->size - 1)];
	*(uint16_t *)&q->used->ring[q->size] = dev.seen[index];
	return &q->desc[*ret_head];
}

/* Bytes from the host into the next buffer of a queue; false: there is none. */
static bool host_sends(int index, const void *bytes, uint32_t n)
{
	const struct vring_desc *d;
	uint16_t head;

	d = next_chain(index, &head);
	if (!d)
		return false;
	assert_true(n <= d->len);
	memcpy((void *)d->addr, bytes, n);
	used_push(index, head, n + dev.lie);
	dev.v.interrupt(&dev.v);
	return true;
}

static void host_says(uint16_t event, uint16_t value, const char *text)
{
	struct virtio_console_control m = { 1, event, value };
	char bytes[200];

	memcpy(bytes, &m, sizeof(m));
	strcpy(bytes + sizeof(m), text);
	assert_true(host_sends(CONTROL_RX, bytes, (uint32_t)(sizeof(m) + strlen(text))));
}

static void host_reads(void)
{
	const struct vring_desc *d;
	uint16_t head;

	while (!dev.stalls && (d = next_chain(TX1, &head))) {
		assert_true(dev.n_got + d->len <= sizeof(dev.got));
		memcpy(dev.got + dev.n_got, (void *)d->addr, d->len);
		dev.n_got += d->len;
		used_push(TX1, head, 0);
	}
}

static void kick(struct virtio_device *d, uint32_t index)
{
	const struct vring_desc *c;
	uint16_t head;

	dev.kicks++;
	if (index == TX1)
		host_reads();
	while (index == CONTROL_TX && (c = next_chain(CONTROL_TX, &head))) {
		const struct virtio_console_control *m = (const void *)c->addr;

		dev.heard[m->event] = m->value;
		used_push(CONTROL_TX, head, 0);
	}
}

static uint64_t features(struct virtio_device *d)
{
	return BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |
	       BIT(VIRTIO_CONSOLE_F_MULTIPORT);
}

static int negotiate(struct virtio_device *d, uint64_t wanted)
{
	return 0;
}

static int config(struct virtio_device *d, uint32_t off, void *buf, uint32_t n)
{
	memcpy(buf, &dev.max_ports, n);
	return 0;
}

static uint32_t queue_max(struct virtio_device *d, uint32_t index)
{
	return 128;
}

static void queue_start(struct virtio_device *d, uint32_t index, const struct virtq *q)
{
	assert_true(index < QUEUES);
	dev.q[index] = q;
}

static void ready(struct virtio_device *d)
{
}

static void reset(struct virtio_device *d)
{
	dev.resets++;
}

static const struct virtio_transport transport = {
	.features = features,
	.negotiate = negotiate,
	.config = config,
	.queue_max = queue_max,
	.queue_start = queue_start,
	.ready = ready,
	.kick = kick,
	.reset = reset,
};

/* A device with its port announced, as the driver finds it some time after boot. */
static struct vport *attach(void)
{
	interrupts_fake();
	if (n_devices)
		vserial_free(devices[--n_devices]);
	memset(&dev, 0, sizeof(dev));
	dev.v = (struct virtio_device){ .transport = &transport,
					.id = VIRTIO_ID_CONSOLE };
	dev.max_ports = 2;
	memset(dev.heard, 0xff, sizeof(dev.heard));
	next_page = 0;
	n_logged = 0;
	page_map = (struct page_map){ pages, (char *)memory, PAGES, UINT64_MAX, 0 };
	virtio_attach(&dev.v);
	assert_int_equal(dev.heard[VIRTIO_CONSOLE_DEVICE_READY], 1);
	host_says(VIRTIO_CONSOLE_PORT_ADD, 1, "");
	assert_int_equal(dev.heard[VIRTIO_CONSOLE_PORT_READY], 1);
	return vport_nth(0, 1);
}

static int64_t read_port(struct vport *p, void *buf, size_t n, bool nonblock)
{
	struct uio u = { .kernel = true, .left = n, .one = { buf, n } };

	return vport_read(p, &u, nonblock);
}

static int64_t write_port(struct vport *p, const void *buf, size_t n, bool nonblock)
{
	struct uio u = { .kernel = true, .left = n, .one = { (void *)buf, n } };

	return vport_write(p, &u, nonblock);
}

/* ---- tests ---- */

static void a_port_is_found_by_its_name(void **state)
{
	struct vport *p = attach(), *found = NULL;

	assert_int_equal(vport_named("mayfly.agent", &found), -ENODEV);
	host_says(VIRTIO_CONSOLE_PORT_NAME, 1, "mayfly.agent");
	assert_int_equal(vport_named("mayfly.agent", &found), 0);
	assert_ptr_equal(found, p);
	assert_null(vport_nth(0, 0));
	assert_null(vport_nth(0, 2));
	/* A name longer than any is cut, not run past its end. */
	host_says(VIRTIO_CONSOLE_PORT_NAME, 1,
		  "a name that is much longer than the room that is kept for names of "
		  "ports");
	assert_int_equal(vport_named("mayfly.agent", &found), -ENODEV);
}

static void bytes_go_both_ways(void **state)
{
	struct vport *p = attach();
	char buf[64];

	assert_int_equal(vport_open(p), 0);
	assert_int_equal(vport_open(p), -EBUSY);
	assert_int_equal(dev.heard[VIRTIO_CONSOLE_PORT_OPEN], 1);
	assert_int_equal(vport_poll(p), 0);
	assert_int_equal(read_port(p, buf, 64, true), -EAGAIN);
	assert_int_equal(write_port(p, "x", 1, true), -EAGAIN);
	host_says(VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	assert_int_equal(vport_poll(p), POLLOUT | POLLWRNORM);
	assert_int_equal(write_port(p, "hello", 5, false), 5);
	assert_memory_equal(dev.got, "hello", 5);
	assert_true(host_sends(RX1, "abc", 3));
	assert_true(host_sends(RX1, "defg", 4));
	assert_int_equal(vport_poll(p), POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM);
	assert_int_equal(read_port(p, buf, 2, false), 2);
	assert_int_equal(read_port(p, buf + 2, 60, false), 5);
	assert_memory_equal(buf, "abcdefg", 7);
	assert_int_equal(read_port(p, buf, 64, false), -ERESTARTSYS);
	vport_close(p);
	assert_int_equal(dev.heard[VIRTIO_CONSOLE_PORT_OPEN], 0);
	/* Buffers go round: many more than there are. */
	assert_int_equal(vport_open(p), 0);
	for (int k = 0; k < 500; k++) {
		assert_true(host_sends(RX1, &k, sizeof(k)));
		assert_int_equal(read_port(p, buf, sizeof(buf), false), sizeof(k));
		assert_memory_equal(buf, &k, sizeof(k));
	}
}

static uint8_t big[300000];

static void a_long_write_leaves_the_vm_seldom(void **state)
{
	struct vport *p = attach();

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 11 + (i >> 8));
	assert_int_equal(vport_open(p), 0);
	host_says(VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	dev.kicks = 0;
	assert_int_equal(write_port(p, big, sizeof(big), false), sizeof(big));
	assert_int_equal(dev.n_got, sizeof(big));
	assert_memory_equal(dev.got, big, sizeof(big));
	assert_true(dev.kicks <= 5);
}

static void host_resumes(void)
{
	dev.stalls = false;
	host_reads();
	dev.v.interrupt(&dev.v);
}

static void a_host_that_stalls_is_waited_for(void **state)
{
	struct vport *p = attach();
	int64_t n;

	assert_int_equal(vport_open(p), 0);
	host_says(VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	dev.stalls = true;
	n = write_port(p, big, sizeof(big), true);
	assert_int_equal(n, 65536);
	assert_int_equal(write_port(p, big, 1, true), -EAGAIN);
	assert_int_equal(vport_poll(p), 0);
	/* The interrupt was asked for. */
	assert_int_equal(dev.q[TX1]->avail->ring[dev.q[TX1]->size], dev.used[TX1]);
	meanwhile = host_resumes;
	assert_int_equal(write_port(p, big + n, 1000, false), 1000);
	assert_memory_equal(dev.got, big, 66536);
}

static void a_host_that_leaves_ends_the_stream(void **state)
{
	struct vport *p = attach();
	char buf[8];

	assert_int_equal(vport_open(p), 0);
	host_says(VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	assert_true(host_sends(RX1, "last", 4));
	host_says(VIRTIO_CONSOLE_PORT_OPEN, 0, "");
	assert_int_equal(write_port(p, "x", 1, false), -EPIPE);
	assert_int_equal(vport_poll(p), POLLIN | POLLRDNORM | POLLHUP);
	assert_int_equal(read_port(p, buf, 8, false), 4);
	assert_int_equal(read_port(p, buf, 8, false), 0);
	assert_int_equal(vport_poll(p), POLLIN | POLLRDNORM | POLLHUP);
	/* And may come back. */
	host_says(VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	assert_int_equal(write_port(p, "x", 1, false), 1);
	host_says(VIRTIO_CONSOLE_PORT_REMOVE, 1, "");
	assert_int_equal(read_port(p, buf, 8, false), 0);
	vport_close(p);
	assert_int_equal(vport_open(p), -ENODEV);
}

static void a_device_that_lies_is_given_up(void **state)
{
	struct vport *p = attach();
	char buf[8];

	assert_int_equal(vport_open(p), 0);
	host_says(VIRTIO_CONSOLE_PORT_OPEN, 1, "");
	dev.lie = 5000; /* more than a buffer holds */
	assert_true(host_sends(RX1, "abc", 3));
	assert_int_equal(dev.resets, 1);
	assert_int_equal(n_logged, 1);
	assert_int_equal(read_port(p, buf, 8, false), -EIO);
	assert_int_equal(write_port(p, "x", 1, false), -EIO);
	assert_int_equal(vport_poll(p), POLLERR | POLLHUP);
	vport_close(p);
	assert_int_equal(vport_open(p), -EIO);
	assert_int_equal(dev.resets, 1);
}

/* Messages about ports that are not, of no known kind, too short to be any. */
static void odd_control_messages_do_nothing(void **state)
{
	static const struct virtio_console_control odd[] = {
		{ 0, VIRTIO_CONSOLE_PORT_ADD, 1 },
		{ 2, VIRTIO_CONSOLE_PORT_OPEN, 1 },
		{ UINT32_MAX, VIRTIO_CONSOLE_PORT_NAME, 1 },
		{ 1, 999, 1 },
		{ 1, VIRTIO_CONSOLE_RESIZE, 0 },
	};
	struct vport *p = attach();

	for (size_t k = 0; k < ARRAY_LEN(odd); k++)
		assert_true(host_sends(CONTROL_RX, &odd[k], sizeof(odd[k])));
	for (uint32_t n = 0; n < sizeof(odd[0]); n++)
		assert_true(host_sends(CONTROL_RX, &odd[0], n));
	assert_int_equal(vport_open(p), 0);
	assert_int_equal(dev.resets, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_is_found_by_its_name),
		cmocka_unit_test(bytes_go_both_ways),
		cmocka_unit_test(a_long_write_leaves_the_vm_seldom),
		cmocka_unit_test(a_host_that_stalls_is_waited_for),
		cmocka_unit_test(a_host_that_leaves_ends_the_stream),
		cmocka_unit_test(a_device_that_lies_is_given_up),
		cmocka_unit_test(odd_control_messages_do_nothing),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	vserial_free(devices[--n_devices]);
	return failed;
}
