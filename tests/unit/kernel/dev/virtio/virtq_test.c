/*
 * kernel/dev/virtio/virtq.c against a device made of the specification's words: an honest
 * one gets and returns every chain, a hostile one breaks the queue and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/panic.h"
#include "dev/virtio/virtq.h"

/* Physical addresses are the host's own here. */
paddr_t arch_direct_pa(const void *va)
{
	return (paddr_t)va;
}

void panic(const char *fmt, ...)
{
	abort();
}

static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
static struct virtq q;

static void start(uint16_t size, bool event_idx, bool indirect)
{
	memset(page, 0, sizeof(page));
	virtq_init(&q, page, size, event_idx, indirect);
}

/* ---- the device's side ---- */

static uint16_t device_avail, device_used;

static void device_reset(void)
{
	device_avail = device_used = 0;
}

static uint16_t *avail_event(void)
{
	return (uint16_t *)&q.used->ring[q.size];
}

static uint16_t used_event(void)
{
	return q.avail->ring[q.size];
}

/* The next chain's head, or -1. */
static int device_pop(void)
{
	if (device_avail == q.avail->idx)
		return -1;
	return q.avail->ring[device_avail++ & (q.size - 1)];
}

static void device_push(uint32_t id, uint32_t len)
{
	q.used->ring[device_used & (q.size - 1)] = (struct vring_used_elem){ id, len };
	q.used->idx = ++device_used;
}

struct chain {
	uint32_t n, out, in;
	uint64_t first;
};

/* Walks a chain the way a device does; checks what must hold of any (2.6.5). */
static struct chain device_walk(uint16_t head)
{
	const struct vring_desc *table = q.desc;
	struct chain c = { .first = 0 };
	uint32_t at = head, entries = q.size;

	if (table[at].flags & VRING_DESC_F_INDIRECT) {
		assert_int_equal(table[at].flags, VRING_DESC_F_INDIRECT);
		entries = table[at].len / sizeof(*table);
		table = (const void *)table[at].addr;
		at = 0;
	}
	c.first = table[at].addr;
	for (;;) {
		assert_true(at < entries);
		if (table[at].flags & VRING_DESC_F_WRITE) {
			c.in += table[at].len;
		} else {
			/* What it reads comes first. */
			assert_int_equal(c.in, 0);
			c.out += table[at].len;
		}
		c.n++;
		if (!(table[at].flags & VRING_DESC_F_NEXT))
			return c;
		at = table[at].next;
	}
}

/* ---- the driver's side ---- */

static int give(uint16_t n_out, uint16_t n_in, struct vring_desc *table, void *what)
{
	int err = virtq_begin(&q, n_out + n_in, table);

	if (err)
		return err;
	for (uint16_t i = 0; i < n_out; i++)
		virtq_put(&q, 0x1000 + i, 10, VIRTQ_OUT);
	for (uint16_t i = 0; i < n_in; i++)
		virtq_put(&q, 0x2000 + i, 100, VIRTQ_IN);
	virtq_end(&q, what);
	return 0;
}

static void *const cookie = (void *)0x77;

/* ---- tests ---- */

static void a_chain_goes_there_and_back(void **state)
{
	uint32_t len;
	void *what;
	struct chain c;

	for (int indirect = 0; indirect < 2; indirect++) {
		struct vring_desc table[5];

		start(8, true, true);
		device_reset();
		assert_int_equal(give(2, 3, indirect ? table : NULL, cookie), 0);
		assert_int_equal(q.n_free, indirect ? 7 : 3);
		c = device_walk(device_pop());
		assert_int_equal(c.n, 5);
		assert_int_equal(c.out, 20);
		assert_int_equal(c.in, 300);
		assert_int_equal(c.first, 0x1000);
		assert_false(virtq_take(&q, &what, &len));
		device_push(q.avail->ring[0], 300);
		assert_true(virtq_take(&q, &what, &len));
		assert_ptr_equal(what, cookie);
		assert_int_equal(len, 300);
		assert_int_equal(q.n_free, 8);
		assert_false(virtq_take(&q, &what, &len));
	}
}

static void a_table_without_the_feature_is_not_used(void **state)
{
	struct vring_desc table[5];

	start(8, true, false);
	assert_int_equal(give(2, 3, table, cookie), 0);
	assert_int_equal(q.n_free, 3);
}

static void a_full_ring_says_so(void **state)
{
	struct vring_desc table[9];

	start(8, true, true);
	device_reset();
	assert_int_equal(give(9, 0, NULL, cookie), -ENOSPC);
	assert_int_equal(give(4, 2, NULL, cookie), 0);
	assert_int_equal(give(3, 0, NULL, cookie), -ENOSPC);
	assert_int_equal(give(9, 0, table, cookie), 0);
	assert_int_equal(give(1, 0, NULL, cookie), 0);
	assert_int_equal(give(1, 0, NULL, cookie), -ENOSPC);
	assert_int_equal(q.n_free, 0);
}

/* Many chains of all sizes, returned in any order, over several turns of the indexes. */
static void chains_come_back_in_any_order(void **state)
{
	static const uint16_t sizes[] = { 1, 2, 8, VIRTQ_SIZE_MAX };
	uint16_t held[VIRTQ_SIZE_MAX];
	unsigned n_held = 0, given = 0, taken = 0;
	uint32_t len;
	void *what;

	srand(7);
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		start(sizes[k], k & 1, false);
		device_reset();
		given = taken = n_held = 0;
		for (int step = 0; step < 300000; step++) {
			if (rand() & 1) {
				uint16_t n = 1 + rand() % sizes[k];

				if (give(n / 2, n - n / 2, NULL, (void *)(uintptr_t)n) ==
				    0) {
					held[n_held++] = (uint16_t)device_pop();
					given++;
				}
			} else if (n_held) {
				unsigned pick = rand() % n_held;
				struct chain c = device_walk(held[pick]);

				device_push(held[pick], c.in);
				held[pick] = held[--n_held];
				assert_true(virtq_take(&q, &what, &len));
				assert_int_equal((uintptr_t)what, c.n);
				assert_int_equal(len, c.in);
				taken++;
			}
		}
		assert_true(given > 70000);
		assert_int_equal(given - taken, n_held);
		while (virtq_reclaim(&q))
			taken++;
		assert_int_equal(given, taken);
		assert_int_equal(q.n_free, q.size);
	}
}

static void the_device_is_told_when_it_wants(void **state)
{
	start(8, true, false);
	device_reset();
	assert_false(virtq_wants_kick(&q));
	assert_int_equal(give(1, 0, NULL, cookie), 0);
	assert_true(virtq_wants_kick(&q));
	assert_false(virtq_wants_kick(&q));
	/* It has not looked since: one kick was enough. */
	assert_int_equal(give(1, 0, NULL, cookie), 0);
	assert_false(virtq_wants_kick(&q));
	*avail_event() = 2;
	assert_int_equal(give(1, 0, NULL, cookie), 0);
	assert_true(virtq_wants_kick(&q));

	start(8, false, false);
	assert_int_equal(give(1, 0, NULL, cookie), 0);
	assert_true(virtq_wants_kick(&q));
	q.used->flags = VRING_USED_F_NO_NOTIFY;
	assert_int_equal(give(1, 0, NULL, cookie), 0);
	assert_false(virtq_wants_kick(&q));
}

static void an_interrupt_is_asked_for_without_a_gap(void **state)
{
	uint32_t len;
	void *what;

	start(8, true, false);
	device_reset();
	assert_int_equal(give(0, 1, NULL, cookie), 0);
	assert_int_equal(give(0, 1, NULL, cookie), 0);
	device_push(device_pop(), 0);
	assert_true(virtq_take(&q, &what, &len));
	/* The second comes between the last look and the wish: it is seen. */
	device_push(device_pop(), 0);
	assert_true(virtq_rearm(&q));
	assert_int_equal(used_event(), 1);
	assert_true(virtq_take(&q, &what, &len));
	assert_false(virtq_rearm(&q));
	assert_int_equal(used_event(), 2);

	start(8, false, false);
	virtq_disarm(&q);
	assert_int_equal(q.avail->flags, VRING_AVAIL_F_NO_INTERRUPT);
	assert_false(virtq_rearm(&q));
	assert_int_equal(q.avail->flags, 0);
}

/* What a hostile device puts in the used ring, after three chains were given (of 2, 2 and
 * 1 descriptors: heads 0, 2 and 4) and the first was returned in order. */
static const struct {
	const char *what;
	uint32_t id, len;
	uint16_t skip;
} lies[] = {
	{ "an id past the ring", 8, 0, 0 },
	{ "a huge id", 0xffffffff, 0, 0 },
	{ "an id that is free", 7, 0, 0 },
	{ "the same chain again", 0, 0, 0 },
	{ "a chain's inside", 3, 0, 0 },
	{ "one byte more than there was room", 2, 101, 0 },
	{ "a huge length", 2, 0xffffffff, 0 },
	{ "a length for what it only reads", 4, 1, 0 },
	{ "more chains than there are", 2, 100, 8 },
	{ "an index that runs backwards", 2, 100, 0xfffe },
};

static void a_lie_breaks_the_queue_and_nothing_else(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(lies); k++) {
		unsigned left = 0;
		uint32_t len;
		void *what;

		print_message("%s\n", lies[k].what);
		start(8, true, false);
		device_reset();
		assert_int_equal(give(1, 1, NULL, (void *)1), 0);
		assert_int_equal(give(1, 1, NULL, (void *)2), 0);
		assert_int_equal(give(1, 0, NULL, (void *)3), 0);
		device_push(0, 100);
		assert_true(virtq_take(&q, &what, &len));
		device_push(lies[k].id, lies[k].len);
		q.used->idx += lies[k].skip;
		what = NULL;
		assert_false(virtq_take(&q, &what, &len));
		assert_null(what);
		assert_true(q.broken);
		/* It stays so, whatever comes. */
		device_push(2, 0);
		assert_false(virtq_take(&q, &what, &len));
		assert_false(virtq_rearm(&q));
		assert_int_equal(give(1, 0, NULL, cookie), -EIO);
		/* And what it had is handed back, once each. */
		while ((what = virtq_reclaim(&q)))
			left |= 1u << (uintptr_t)what;
		assert_int_equal(left, 1 << 2 | 1 << 3);
		assert_int_equal(q.n_free, 8);
	}
}

/* Q2: whatever the device writes over the shared rings, chains come back whole. */
static void scribbles_are_not_believed(void **state)
{
	uint32_t len;
	void *what;

	start(8, true, false);
	device_reset();
	for (int round = 0; round < 100; round++) {
		int head;

		assert_int_equal(give(2, 2, NULL, cookie), 0);
		head = device_pop();
		memset(q.desc, 0xff, 8 * sizeof(*q.desc));
		memset(q.avail->ring, 0xff, 8 * sizeof(*q.avail->ring));
		device_push((uint32_t)head, 200);
		assert_true(virtq_take(&q, &what, &len));
		assert_ptr_equal(what, cookie);
		assert_int_equal(q.n_free, 8);
		assert_int_equal(give(4, 4, NULL, cookie), 0);
		assert_int_equal(device_walk((uint16_t)device_pop()).n, 8);
		device_push(q.avail->ring[(device_avail - 1) & 7], 400);
		assert_true(virtq_take(&q, &what, &len));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_goes_there_and_back),
		cmocka_unit_test(a_table_without_the_feature_is_not_used),
		cmocka_unit_test(a_full_ring_says_so),
		cmocka_unit_test(chains_come_back_in_any_order),
		cmocka_unit_test(the_device_is_told_when_it_wants),
		cmocka_unit_test(an_interrupt_is_asked_for_without_a_gap),
		cmocka_unit_test(a_lie_breaks_the_queue_and_nothing_else),
		cmocka_unit_test(scribbles_are_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
