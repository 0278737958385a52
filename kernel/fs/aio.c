/*
 * Contexts of asynchronous input and output, and their rings: see aio.h.
 *
 * Locks: the table's over which contexts a space has; a context's own over its tail and
 * counts; `reader` around taking events, which sleeps where it copies to user space.
 */
#include <linux/mman.h>

#include "core/panic.h"
#include "fs/aio_internal.h"
#include "fs/eventfd.h"
#include "lib/string.h"
#include "mm/mapping.h"
#include "mm/slab.h"
#include "mm/space.h"

#define RING_MAGIC 0xa10a10a1u
#define RING_BYTES_MAX MIB(256) /* of events */

/* Contexts of one address space, by number. */
struct aio_table {
	struct spinlock lock;	   /* RANK_OBJECT */
	uint32_t cap;		   /* [lock] */
	struct aio_context **slot; /* [lock] */
};

_Atomic uint32_t aio_max_nr = 65536;
static struct spinlock total_lock = SPINLOCK_INIT(RANK_OBJECT);
static uint64_t total_asked; /* [total_lock] by all contexts */

uint64_t aio_nr(void)
{
	spin_lock(&total_lock);
	uint64_t n = total_asked;
	spin_unlock(&total_lock);
	return n;
}

/* False: more than the system may have. */
static bool count_in(uint32_t n)
{
	spin_lock(&total_lock);
	bool fits = total_asked + n <= aio_max_nr;
	if (fits)
		total_asked += n;
	spin_unlock(&total_lock);
	return fits;
}

static void count_out(uint32_t n)
{
	spin_lock(&total_lock);
	total_asked -= n;
	spin_unlock(&total_lock);
}

/* ---- the ring ---- */

static struct aio_ring *ring_of(const struct aio_context *c)
{
	return page_va(c->pages[0]);
}

/* Events follow the header, which has the size of one. */
static struct io_event *event_at(const struct aio_context *c, uint32_t n)
{
	struct io_event *page = page_va(c->pages[(n + 1) / AIO_EVENTS_PER_PAGE]);

	return page + (n + 1) % AIO_EVENTS_PER_PAGE;
}

/* A3 */
static uint32_t ring_head(const struct aio_context *c)
{
	return __atomic_load_n(&ring_of(c)->head, __ATOMIC_RELAXED) % c->size;
}

static void ring_start(struct aio_context *c)
{
	*ring_of(c) = (struct aio_ring){
		.nr = c->size,
		.magic = RING_MAGIC,
		.compat_features = 1,
		.header_length = sizeof(struct aio_ring),
	};
}

/* ---- the life of a context ---- */

void aio_put(struct aio_context *c)
{
	if (!c || !ref_put(&c->refs))
		return;
	insist(!c->in_flight && list_empty(&c->polls));
	for (size_t i = 0; i < c->n_pages; i++)
		if (c->pages[i])
			page_put(c->pages[i]);
	if (c->ring.ops)
		c->ring.ops->put(c->ring.owner);
	heap_free(c);
}

static int pages_get(struct aio_context *c)
{
	int err = 0;

	for (size_t i = 0; i < c->n_pages && !err; i++)
		err = mapping_get(c->ring.mapping, i, 0, &c->pages[i]);
	return err;
}

static int context_new(uint32_t asked, uint32_t events, struct aio_context **ret)
{
	uint64_t len = ALIGN_UP((events + 1ul) * sizeof(struct io_event), PAGE_SIZE);
	size_t n_pages = len / PAGE_SIZE;
	struct aio_context *c = heap_zalloc(sizeof *c + n_pages * sizeof c->pages[0]);

	_Static_assert(sizeof(struct aio_ring) == sizeof(struct io_event), "one place");
	if (!c)
		return -ENOMEM;
	ref_init(&c->refs, 1);
	c->asked = asked;
	c->size = (uint32_t)(len / sizeof(struct io_event)) - 1;
	mutex_init(&c->reader, RANK_AIO);
	waitq_init(&c->wait);
	spin_init(&c->lock, RANK_OBJECT);
	list_init(&c->polls);
	c->n_pages = n_pages;
	c->ring = (struct map_request){ .len = len,
					.prot = PROT_READ | PROT_WRITE,
					.flags = AREA_SHARED,
					.populate = true };
	int err = space_shared_memory(len, "/[aio] (deleted)", &c->ring);
	if (!err)
		err = pages_get(c);
	if (err) {
		aio_put(c);
		return err;
	}
	ring_start(c);
	*ret = c;
	return 0;
}

/* ---- the table ---- */

static void context_end(struct aio_context *c);

/* With the last user of the space: nobody looks any more. */
static void table_free(void *aio)
{
	struct aio_table *t = aio;

	for (uint32_t i = 0; i < t->cap; i++)
		if (t->slot[i])
			context_end(t->slot[i]);
	heap_free(t->slot);
	heap_free(t);
}

/* The current space's, made at the first use. NULL: no memory. */
static struct aio_table *table_get(void)
{
	struct space *s = thread_current()->space;
	struct aio_table *t = space_aio(s);

	if (t)
		return t;
	t = heap_zalloc(sizeof *t);
	if (!t)
		return NULL;
	spin_init(&t->lock, RANK_OBJECT);
	struct aio_table *stands = space_set_aio(s, t, table_free);
	if (stands != t)
		heap_free(t);
	return stands;
}

/* Into the first free place. False: there is none. Lock held. */
static bool table_put(struct aio_table *t, struct aio_context *c)
{
	for (uint32_t i = 0; i < t->cap; i++) {
		if (t->slot[i])
			continue;
		c->number = i;
		ring_of(c)->id = i;
		t->slot[i] = c;
		return true;
	}
	return false;
}

/* Room for more, of which another thread may have made some. */
static int table_grow(struct aio_table *t, uint32_t cap)
{
	struct aio_context **more = heap_zalloc(cap * sizeof *more), **old = more;

	if (!more)
		return -ENOMEM;
	spin_lock(&t->lock);
	if (cap > t->cap) {
		if (t->cap)
			memcpy(more, t->slot, t->cap * sizeof *more);
		old = t->slot;
		t->slot = more;
		t->cap = cap;
	}
	spin_unlock(&t->lock);
	heap_free(old);
	return 0;
}

/* Consumes the reference if 0; -ENOMEM. */
static int table_add(struct aio_table *t, struct aio_context *c)
{
	for (;;) {
		spin_lock(&t->lock);
		bool done = table_put(t, c);
		uint32_t cap = t->cap;
		spin_unlock(&t->lock);
		if (done)
			return 0;
		int err = table_grow(t, cap ? 2 * cap : 8);
		if (err)
			return err;
	}
}

/* As on Linux the ring itself says which of the contexts it is, and one whose ring is
 * gone is not found. Where it was mapped has to fit. */
struct aio_context *aio_find(uint64_t id)
{
	struct aio_table *t = space_aio(thread_current()->space);
	struct aio_context *c = NULL;
	uint32_t number;

	if (!t || get_user(number, UADDR(id)))
		return NULL;
	spin_lock(&t->lock);
	if (number < t->cap)
		c = t->slot[number];
	if (c && c->id == id)
		ref_get(&c->refs);
	else
		c = NULL;
	spin_unlock(&t->lock);
	return c;
}

/* ---- io_setup, io_destroy ---- */

/* Maps the ring and makes the context known, which consumes it; undone on error. */
static int context_publish(struct aio_context *c)
{
	struct space *s = thread_current()->space;
	struct aio_table *t = table_get();
	int64_t at = t ? space_map(s, &c->ring) : -ENOMEM;

	if (at < 0)
		return (int)at;
	c->id = (uint64_t)at;
	int err = table_add(t, c);
	if (err && space_unmap(s, c->id, c->ring.len))
		return -ENOMEM; /* the ring stays mapped: memory like any other */
	return err;
}

int aio_setup(uint32_t n, uint64_t *ret_id)
{
	struct aio_context *c;
	/* Twice what was asked for, as Linux has it: events that the job has not read
	 * take up room as well. Beyond 2^31 it wraps, to the same errors. */
	uint32_t events = MAX(n, cpu_count() * 4) * 2;

	if (events > RING_BYTES_MAX / sizeof(struct io_event))
		return -EINVAL;
	if (!events || !count_in(n))
		return -EAGAIN;
	int err = context_new(n, events + 2, &c);
	if (!err) {
		/* The job may scribble on the ring as soon as it is mapped, and destroy
		 * what it guesses. */
		ref_get(&c->refs);
		err = context_publish(c);
		if (!err)
			*ret_id = c->id;
		else
			aio_put(c);
		aio_put(c);
	}
	if (err)
		count_out(n);
	return err;
}

static bool is_idle(struct aio_context *c)
{
	spin_lock(&c->lock);
	bool idle = !c->in_flight;
	spin_unlock(&c->lock);
	return idle;
}

/* Of a context that is in no table any more. */
static void context_kill(struct aio_context *c)
{
	spin_lock(&c->lock);
	c->dead = true;
	spin_unlock(&c->lock);
	count_out(c->asked);
	aio_polls_cancel(c);
	wake_all(&c->wait);
}

static void context_end(struct aio_context *c)
{
	context_kill(c);
	wait_event(&c->wait, is_idle(c));
	aio_put(c);
}

int aio_destroy(uint64_t id)
{
	struct space *s = thread_current()->space;
	struct aio_table *t = space_aio(s);
	struct aio_context *c = aio_find(id);

	int err = -EINVAL;

	if (!c)
		return err;
	spin_lock(&t->lock);
	bool mine = t->slot[c->number] == c;
	if (mine)
		t->slot[c->number] = NULL;
	spin_unlock(&t->lock);
	if (mine) {
		context_kill(c);
		/* Without memory for that it stays mapped, as memory like any other. */
		err = space_unmap(s, c->id, c->ring.len);
		/* A killed thread need not wait: who has a request keeps the context. */
		err = wait_event_killable(&c->wait, is_idle(c));
		aio_put(c);
	}
	aio_put(c);
	return err;
}

/* ---- requests and their events ---- */

uint32_t aio_size(const struct aio_context *c)
{
	return c->size;
}

int aio_slot_take(struct aio_context *c)
{
	int err = -EAGAIN;

	spin_lock(&c->lock);
	uint32_t unread = (c->tail + c->size - ring_head(c)) % c->size;
	if (c->dead) {
		err = -EINVAL;
	} else if (c->in_flight + unread < c->size - 1) {
		c->in_flight++;
		err = 0;
	}
	spin_unlock(&c->lock);
	return err;
}

/* A slot less in flight. Lock held. */
static void slot_end(struct aio_context *c)
{
	insist(c->in_flight);
	c->in_flight--;
}

void aio_slot_give(struct aio_context *c)
{
	spin_lock(&c->lock);
	slot_end(c);
	spin_unlock(&c->lock);
	wake_all(&c->wait);
}

void aio_complete(struct aio_context *c, const struct aio_request *r, int64_t res)
{
	spin_lock(&c->lock);
	*event_at(c, c->tail) =
		(struct io_event){ .data = r->data, .obj = r->obj, .res = res };
	c->tail = (c->tail + 1) % c->size;
	/* Programs read events as soon as they see this. */
	__atomic_store_n(&ring_of(c)->tail, c->tail, __ATOMIC_RELEASE);
	c->completed++;
	slot_end(c);
	spin_unlock(&c->lock);
	if (r->resfd) {
		eventfd_signal(r->resfd);
		file_put(r->resfd);
	}
	wake_all(&c->wait);
}

static uint32_t tail_now(struct aio_context *c)
{
	spin_lock(&c->lock);
	uint32_t tail = c->tail;
	spin_unlock(&c->lock);
	return tail;
}

/* Moves up to n events that are there; after a fault they all stay. */
static int64_t events_take(struct aio_context *c, uaddr_t to, uint64_t n)
{
	uint64_t done = 0;

	mutex_lock(&c->reader);
	uint32_t head = ring_head(c), tail = tail_now(c);
	while (done < n && head != tail) {
		uint64_t run = (tail > head ? tail : c->size) - head;
		uint64_t in_page = AIO_EVENTS_PER_PAGE - (head + 1) % AIO_EVENTS_PER_PAGE;

		run = MIN(MIN(run, in_page), n - done);
		if (copy_out(uaddr_add(to, done * sizeof(struct io_event)),
			     event_at(c, head), run * sizeof(struct io_event))) {
			mutex_unlock(&c->reader);
			return -EFAULT;
		}
		done += run;
		head = (uint32_t)(head + run) % c->size;
	}
	if (done)
		__atomic_store_n(&ring_of(c)->head, head, __ATOMIC_RELEASE);
	mutex_unlock(&c->reader);
	return (int64_t)done;
}

int64_t aio_wait(struct aio_context *c, int64_t min, int64_t n, uaddr_t events,
		 uint64_t deadline)
{
	int64_t done = 0;
	int err = 0;

	for (;;) {
		/* Not the ring: whether to go on waiting is no matter of what is
		 * scribbled there. */
		uint64_t seen = c->completed;
		int64_t more =
			events_take(c, uaddr_add(events, done * sizeof(struct io_event)),
				    (uint64_t)(n - done));
		done += MAX(more, 0l);
		if (c->dead)
			more = -EINVAL;
		if (more < 0)
			return done ? done : more;
		if (done >= min || !deadline || err)
			break;
		err = wait_event_intr_deadline(&c->wait, c->completed != seen || c->dead,
					       deadline);
	}
	return done || err != -ERESTARTSYS ? done : err;
}
