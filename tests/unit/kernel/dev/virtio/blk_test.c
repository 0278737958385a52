/*
 * kernel/dev/virtio/blk.c and virtio.c on a device made here: what an honest one is
 * asked, and what becomes of one that fails, lies, or does not suit.
 */
/* link: kernel/dev/blk.c kernel/dev/virtio/virtio.c kernel/dev/virtio/virtq.c */
#include <linux/virtio_blk.h>

#include "fakes.h"

#include "dev/blk.h"

/* ---- what the driver stands on ---- */

void wait_prepare(struct waitq *q, struct waiter *w, enum wait_mode mode)
{
	abort();
}

int wait_sleep(enum wait_mode mode, uint64_t deadline)
{
	abort();
}

uint64_t clock_mono(void)
{
	return 0;
}

void wait_finish(struct waitq *q, struct waiter *w)
{
}

void completion_init(struct completion *c)
{
	c->done = false;
}

/* The fake device answers within the kick: what is not done then never will be. */
void completion_wait(struct completion *c)
{
	assert_true(c->done);
}

void completion_done(struct completion *c)
{
	c->done = true;
}

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host,
		  bool reclaimable)
{
}

int mapping_get(struct mapping *m, uint64_t index, size_t ahead, struct page **ret)
{
	return -EIO;
}

void page_put(struct page *p)
{
}

const struct virtio_driver virtio_port_driver = { .id = VIRTIO_ID_CONSOLE };
const struct virtio_driver virtio_rng_driver = { .id = VIRTIO_ID_RNG };

/* ---- the device ---- */

static struct {
	struct virtio_device v;
	struct virtio_blk_config config;
	uint64_t offers;
	uint32_t queue_max;
	bool refuses, config_moves;
	/* how it answers */
	uint8_t status;
	uint32_t writes_less;
	uint32_t lie; /* added to the used id */
	/* what it saw */
	const struct virtq *q;
	uint16_t seen, used;
	int resets, requests;
	bool ready;
	uint8_t disk[64 * SECTOR_SIZE];
} dev;

static uint64_t features(struct virtio_device *d)
{
	return dev.offers;
}

static int negotiate(struct virtio_device *d, uint64_t wanted)
{
	assert_int_equal(wanted & ~dev.offers, 0);
	return dev.refuses ? -EIO : 0;
}

static int config(struct virtio_device *d, uint32_t off, void *buf, uint32_t n)
{
	if (dev.config_moves)
		return -EIO;
	memcpy(buf, (char *)&dev.config + off, n);
	return 0;
}

static uint32_t queue_max(struct virtio_device *d, uint32_t index)
{
	return index ? 0 : dev.queue_max;
}

static void queue_start(struct virtio_device *d, uint32_t index, const struct virtq *q)
{
	dev.q = q;
}

static void ready(struct virtio_device *d)
{
	dev.ready = true;
}

static void reset(struct virtio_device *d)
{
	dev.resets++;
	dev.ready = false;
}

/* Serves one chain as virtio 1.1, 5.2.6 has it: header, data, status. */
static uint32_t serve(uint16_t head)
{
	const struct vring_desc *d = &dev.q->desc[head], *table = dev.q->desc;
	const struct virtio_blk_outhdr *header;
	uint32_t written = 0;
	uint64_t at;

	if (d->flags & VRING_DESC_F_INDIRECT)
		d = table = (const void *)d->addr;
	header = (const void *)d->addr;
	assert_int_equal(d->len, sizeof(*header));
	at = header->sector * SECTOR_SIZE;
	for (;;) {
		assert_true(d->flags & VRING_DESC_F_NEXT);
		d = &table[d->next];
		if (!(d->flags & VRING_DESC_F_NEXT))
			break;
		assert_true(at + d->len <= sizeof(dev.disk));
		if (header->type == VIRTIO_BLK_T_IN) {
			memcpy((void *)d->addr, dev.disk + at, d->len);
			written += d->len;
		} else {
			memcpy(dev.disk + at, (void *)d->addr, d->len);
		}
		at += d->len;
	}
	assert_int_equal(d->len, 1);
	*(uint8_t *)d->addr = dev.status;
	return written + 1;
}

static void kick(struct virtio_device *d, uint32_t index)
{
	struct virtq *q = (struct virtq *)dev.q;

	assert_true(dev.ready);
	while (dev.seen != q->avail->idx) {
		uint16_t head = q->avail->ring[dev.seen++ & (q->size - 1)];
		uint32_t written = serve(head) - dev.writes_less;

		q->used->ring[dev.used & (q->size - 1)] =
			(struct vring_used_elem){ head + dev.lie, written };
		q->used->idx = ++dev.used;
		dev.requests++;
	}
	*(uint16_t *)&q->used->ring[q->size] = dev.seen; /* the event index */
	d->interrupt(d);
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

#define RING (BIT(VIRTIO_RING_F_EVENT_IDX) | BIT(VIRTIO_RING_F_INDIRECT_DESC))

static void device_make(void)
{
	interrupts_fake();
	memset(&dev, 0, sizeof(dev));
	dev.v = (struct virtio_device){ .transport = &transport, .id = VIRTIO_ID_BLOCK };
	dev.offers = BIT(VIRTIO_F_VERSION_1) | RING | BIT(VIRTIO_BLK_F_SEG_MAX) |
		     BIT(VIRTIO_BLK_F_FLUSH);
	dev.queue_max = 256;
	dev.config.capacity = 64;
	dev.config.seg_max = 254;
	for (size_t i = 0; i < sizeof(dev.disk); i++)
		dev.disk[i] = (uint8_t)(i * 7 + (i >> 8));
	n_logged = 0;
}

/* The disk that attaching the device gives; NULL: none. */
static struct blk_device *attach(void)
{
	size_t n = 0;

	while (blk_nth(n))
		n++;
	virtio_attach(&dev.v);
	return blk_nth(n);
}

static int read_disk(struct blk_device *b, uint64_t sector, void *buf, uint32_t sectors)
{
	struct blk_segment seg = { (paddr_t)buf, sectors * SECTOR_SIZE };

	return b->transfer(b, false, sector, &seg, 1);
}

/* ---- tests ---- */

static void an_honest_device_is_read_and_written(void **state)
{
	static uint8_t buf[64 * SECTOR_SIZE];
	struct blk_segment seg[40];
	struct blk_device *b;

	device_make();
	b = attach();
	assert_non_null(b);
	assert_string_equal(b->name, "vda");
	assert_ptr_equal(blk_find("/dev/vda"), b);
	assert_int_equal(b->sectors, 64);
	assert_int_equal(b->max_segments, 128);
	for (int round = 0; round < 200; round++)
		assert_int_equal(read_disk(b, round % 60, buf, 4), 0);
	assert_memory_equal(buf, dev.disk + 19 * SECTOR_SIZE, 4 * SECTOR_SIZE);
	/* Many pieces, in an order of their own. */
	for (int i = 0; i < 40; i++)
		seg[i] = (struct blk_segment){ (paddr_t)(buf + (39 - i) * SECTOR_SIZE),
					       SECTOR_SIZE };
	assert_int_equal(b->transfer(b, false, 10, seg, 40), 0);
	assert_memory_equal(buf, dev.disk + 49 * SECTOR_SIZE, SECTOR_SIZE);
	memset(buf, 0x5a, SECTOR_SIZE);
	seg[0] = (struct blk_segment){ (paddr_t)buf, SECTOR_SIZE };
	assert_int_equal(b->transfer(b, true, 63, seg, 1), 0);
	assert_memory_equal(dev.disk + 63 * SECTOR_SIZE, buf, SECTOR_SIZE);
	assert_int_equal(dev.resets, 0);
}

static void a_bad_range_never_reaches_the_device(void **state)
{
	static uint8_t buf[SECTOR_SIZE];
	struct blk_segment seg = { (paddr_t)buf, SECTOR_SIZE };
	struct blk_device *b;

	device_make();
	dev.offers |= BIT(VIRTIO_BLK_F_RO);
	b = attach();
	assert_true(b->read_only);
	assert_int_equal(read_disk(b, 63, buf, 1), 0);
	assert_int_equal(read_disk(b, 64, buf, 1), -EIO);
	assert_int_equal(read_disk(b, UINT64_MAX, buf, 1), -EIO);
	assert_int_equal(b->transfer(b, true, 0, &seg, 1), -EIO);
	assert_int_equal(b->transfer(b, false, 0, &seg, 0), -EIO);
	assert_int_equal(b->transfer(b, false, 0, &seg, b->max_segments + 1), -EIO);
	assert_int_equal(dev.requests, 1);
}

static void a_failed_request_fails_alone(void **state)
{
	static uint8_t buf[SECTOR_SIZE];
	struct blk_device *b;

	device_make();
	b = attach();
	dev.status = VIRTIO_BLK_S_IOERR;
	assert_int_equal(read_disk(b, 0, buf, 1), -EIO);
	dev.status = 0x77;
	assert_int_equal(read_disk(b, 0, buf, 1), -EIO);
	/* "Done", and yet not all was written: what is there is somebody's old memory. */
	dev.status = VIRTIO_BLK_S_OK;
	dev.writes_less = 1;
	assert_int_equal(read_disk(b, 0, buf, 1), -EIO);
	dev.writes_less = 0;
	assert_int_equal(read_disk(b, 0, buf, 1), 0);
	assert_int_equal(dev.resets, 0);
}

static void a_lying_device_is_given_up(void **state)
{
	static const struct {
		uint32_t lie, writes_less;
	} lies[] = { { 1, 0 }, { 1000, 0 }, { 0, (uint32_t)-1 }, { 0xffff0000, 0 } };
	static uint8_t buf[SECTOR_SIZE];

	for (size_t k = 0; k < ARRAY_LEN(lies); k++) {
		struct blk_device *b;

		device_make();
		b = attach();
		assert_int_equal(read_disk(b, 0, buf, 1), 0);
		dev.lie = lies[k].lie;
		dev.writes_less = lies[k].writes_less;
		assert_int_equal(read_disk(b, 0, buf, 1), -EIO);
		assert_int_equal(dev.resets, 1);
		assert_int_equal(n_logged, 1);
		/* It is not asked again. */
		dev.lie = dev.writes_less = 0;
		for (int round = 0; round < 10; round++)
			assert_int_equal(read_disk(b, 0, buf, 1), -EIO);
		assert_int_equal(dev.requests, 2);
		assert_int_equal(dev.resets, 1);
	}
}

static void without_indirect_tables_requests_are_small(void **state)
{
	static uint8_t buf[64 * SECTOR_SIZE];
	struct blk_segment seg[14];
	struct blk_device *b;

	device_make();
	dev.offers &= ~BIT(VIRTIO_RING_F_INDIRECT_DESC);
	b = attach();
	assert_int_equal(b->max_segments, ARRAY_LEN(seg));
	for (int i = 0; i < 14; i++)
		seg[i] = (struct blk_segment){ (paddr_t)(buf + i * SECTOR_SIZE),
					       SECTOR_SIZE };
	assert_int_equal(b->transfer(b, false, 3, seg, 14), 0);
	assert_memory_equal(buf, dev.disk + 3 * SECTOR_SIZE, 14 * SECTOR_SIZE);
	device_make();
	dev.config.seg_max = 2;
	assert_int_equal(attach()->max_segments, 2);
}

static void a_huge_capacity_stays_within_offsets(void **state)
{
	device_make();
	dev.config.capacity = UINT64_MAX;
	assert_int_equal(attach()->sectors, BIT(63) / SECTOR_SIZE);
}

static void refused(const char *what)
{
	long before = n_allocated;

	if (attach())
		fail_msg("%s: accepted", what);
	assert_false(dev.ready);
	assert_true(dev.resets > 0);
	assert_int_equal(n_allocated, before);
	assert_int_equal(n_logged, 1);
	device_make();
}

static void what_does_not_suit_is_refused(void **state)
{
	device_make();
	dev.offers &= ~BIT(VIRTIO_F_VERSION_1);
	refused("a legacy device");
	dev.refuses = true;
	refused("a device that refuses what it offered");
	dev.config_moves = true;
	refused("a configuration that never holds still");
	dev.queue_max = 0;
	refused("no queue");
	dev.queue_max = 8;
	refused("a queue for two requests");
	dev.config.seg_max = 0;
	refused("no segments");
	for (long n = 1; n <= 6; n++) {
		fail_in = n;
		refused("no memory");
		assert_int_equal(fail_in, 0);
	}
}

static void a_device_without_a_driver_is_left_alone(void **state)
{
	device_make();
	dev.v.id = 77;
	assert_null(attach());
	assert_int_equal(dev.resets, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_device_is_read_and_written),
		cmocka_unit_test(a_bad_range_never_reaches_the_device),
		cmocka_unit_test(a_failed_request_fails_alone),
		cmocka_unit_test(a_lying_device_is_given_up),
		cmocka_unit_test(without_indirect_tables_requests_are_small),
		cmocka_unit_test(a_huge_capacity_stays_within_offsets),
		cmocka_unit_test(what_does_not_suit_is_refused),
		cmocka_unit_test(a_device_without_a_driver_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
