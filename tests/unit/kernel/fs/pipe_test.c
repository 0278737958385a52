/* The ring of a pipe against a model: a queue of bytes. */
/* link: kernel/fs/pipe_ring.c */
#include "core/panic.h"
#include "fs/pipe.h"
#include "lib/string.h"
/* after the kernel's headers: they want no libc */
#include <setjmp.h>
#include <cmocka.h>

void *calloc(size_t n, size_t size);
void free(void *p);
int rand(void);
void srand(unsigned seed);

/* ---- what the kernel would give ---- */

#define PAGES 64

struct fs_upcalls fs_upcalls;
struct page_map page_map;
static struct page pages[PAGES];
static char memory[PAGES][PAGE_SIZE];
static int pages_out, pages_until_failure = -1;

struct page *page_alloc(unsigned order, uint32_t flags)
{
	assert_int_equal(order, 0);
	if (pages_until_failure == 0)
		return NULL;
	pages_until_failure -= pages_until_failure > 0;
	for (int i = 0; i < PAGES; i++) {
		if (ref_read(&pages[i].refs))
			continue;
		ref_init(&pages[i].refs, 1);
		pages_out++;
		return &pages[i];
	}
	return NULL;
}

void page_put(struct page *page)
{
	pages_out -= ref_put(&page->refs);
}

/* A copy of n bytes fails beyond `good`. */
static size_t good = SIZE_MAX;

static int64_t move(struct uio *u, void *mem, size_t n, bool to_user)
{
	char *at = (char *)u->iov->iov_base + u->seg_off;

	n = MIN(MIN(n, u->left), good);
	if (!n && good != SIZE_MAX)
		return -EFAULT;
	memcpy(to_user ? at : mem, to_user ? mem : at, n);
	u->seg_off += n;
	u->left -= n;
	return (int64_t)n;
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
	return move(u, (void *)src, n, true);
}

int64_t uio_read_slow(struct uio *u, void *dst, size_t n)
{
	return move(u, dst, n, false);
}

void *heap_zalloc(size_t size)
{
	return calloc(1, size);
}

void heap_free(void *p)
{
	free(p);
}

void mutex_init(struct mutex *m, enum lock_rank rank)
{
	m->owner = NULL;
}

void mutex_lock(struct mutex *m)
{
}

void mutex_unlock(struct mutex *m)
{
}

void async_tell_all(struct async_set *s, int code)
{
}

void waitq_init(struct waitq *q)
{
	list_init(&q->waiters);
}

void wake_key(struct waitq *q, uint32_t n, uint32_t key)
{
}

void wait_prepare(struct waitq *q, struct waiter *w, enum wait_mode mode)
{
}

int wait_sleep(enum wait_mode mode, uint64_t deadline)
{
	return -ERESTARTSYS;
}

void wait_finish(struct waitq *q, struct waiter *w)
{
}

bool cred_has_cap(const struct cred *c, int cap)
{
	return false;
}

static struct pipe *p;

struct pipe *pipe_of(const struct file *f)
{
	return p;
}

/* ---- helpers ---- */

static int setup(void **state)
{
	page_map = (struct page_map){
		.pages = pages, .direct = memory[0], .n = PAGES, .hole_start = UINT64_MAX
	};
	p = pipe_new();
	assert_non_null(p);
	p->readers = p->writers = 1;
	good = SIZE_MAX;
	pages_until_failure = -1;
	return 0;
}

static int teardown(void **state)
{
	pipe_free(p);
	assert_int_equal(pages_out, 0);
	return 0;
}

static int64_t put(const void *s, size_t n, bool packet)
{
	struct uio u = { .kernel = true, .left = n, .segs = 1 };

	u.one = (struct iovec){ (void *)s, n };
	u.iov = &u.one;
	return pipe_fill(p, &u, packet);
}

static int64_t get(void *s, size_t n)
{
	struct uio u = { .kernel = true, .left = n, .segs = 1 };

	u.one = (struct iovec){ s, n };
	u.iov = &u.one;
	return pipe_drain(p, &u);
}

/* I1 and I2 of pipe.c; bytes in the ring. */
static size_t check_ring(void)
{
	size_t bytes = 0;

	assert_true(pipe_used(p) <= p->slots);
	assert_int_equal(p->slots & (p->slots - 1), 0);
	for (uint32_t n = p->tail; n != p->head; n++) {
		struct pipe_buf *b = pipe_slot(p, n);

		assert_non_null(b->page);
		assert_true(b->len > 0 && b->off + b->len <= PAGE_SIZE);
		bytes += b->len;
	}
	assert_true(p->spares <= PIPE_SPARES);
	return bytes;
}

/* ---- tests ---- */

static void random_reads_and_writes_keep_the_order(void **state)
{
	static char in[80000], out[80000];
	size_t written = 0, taken = 0;

	srand(1);
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (char)rand();
	while (taken < sizeof in) {
		size_t n = (size_t)rand() % (rand() % 4 ? 300 : 9000);
		int64_t got;

		if (rand() % 2 && written < sizeof in) {
			n = MIN(n, sizeof in - written);
			got = n ? put(in + written, n, false) : 0;
			/* I3: up to a page goes in whole or not at all. */
			assert_true(got >= 0 &&
				    (n > PAGE_SIZE || got == 0 || got == (int64_t)n));
			written += (size_t)got;
		} else {
			got = get(out + taken, MIN(n, sizeof out - taken));
			assert_true(got >= 0);
			taken += (size_t)got;
		}
		assert_int_equal(check_ring(), written - taken);
	}
	assert_memory_equal(in, out, sizeof in);
}

static void small_writes_share_a_page(void **state)
{
	char buf[64];

	for (int i = 0; i < 10; i++)
		assert_int_equal(put("abcd", 4, false), 4);
	assert_int_equal(pipe_used(p), 1);
	assert_int_equal(get(buf, 3), 3);
	assert_int_equal(put("e", 1, false), 1);
	assert_int_equal(pipe_used(p), 1);
	assert_int_equal(get(buf, sizeof buf), 38);
	assert_int_equal(buf[37], 'e');
}

static void a_page_that_others_hold_is_not_appended_to(void **state)
{
	struct page *page;

	put("ab", 2, false);
	page = pipe_slot(p, p->tail)->page;
	ref_get(&page->refs);
	put("cd", 2, false);
	assert_int_equal(pipe_used(p), 2);
	pipe_consume(p, 2);
	assert_int_equal(p->spares, 0); /* nor kept for the next write */
	page_put(page);
	pipe_slot(p, p->tail)->borrowed = true;
	put("ef", 2, false);
	assert_int_equal(pipe_used(p), 2);
}

static void a_full_ring_takes_what_fits_behind_its_last_byte(void **state)
{
	static char big[PIPE_DEFAULT_SLOTS * PAGE_SIZE];

	assert_int_equal(put(big, sizeof big - 100, false), sizeof big - 100);
	assert_true(pipe_full(p));
	assert_int_equal(put(big, 101, false), 0);
	assert_int_equal(put(big, 100, false), 100);
	assert_int_equal(put(big, 1, false), 0);
	assert_int_equal(check_ring(), sizeof big);
}

static void packets(void **state)
{
	static char big[2 * PAGE_SIZE];
	char buf[16];

	put("abcdef", 6, true);
	put("gh", 2, true);
	assert_int_equal(get(buf, 4), 4);
	assert_int_equal(get(buf, 16), 2);
	assert_memory_equal(buf, "gh", 2);
	assert_int_equal(put(big, sizeof big, true), sizeof big);
	assert_int_equal(get(big, sizeof big), PAGE_SIZE);
}

static void faults_lose_nothing_that_was_there(void **state)
{
	char buf[16];

	put("abcdef", 6, false);
	good = 0;
	assert_int_equal(put("x", 1, false), -EFAULT);
	assert_int_equal(get(buf, 4), -EFAULT);
	good = 2;
	assert_int_equal(put("xyz", 3, false), -EFAULT);
	assert_int_equal(get(buf, 4), 2);
	good = SIZE_MAX;
	assert_int_equal(get(buf, 16), 4);
	assert_memory_equal(buf, "cdef", 4);
}

static void no_memory(void **state)
{
	static char big[3 * PAGE_SIZE];

	pages_until_failure = 0;
	assert_int_equal(put("a", 1, false), -ENOMEM);
	pages_until_failure = 2;
	assert_int_equal(put(big, sizeof big, false), 2 * PAGE_SIZE);
	assert_int_equal(check_ring(), 2 * PAGE_SIZE);
}

static void the_ring_changes_size(void **state)
{
	static char in[10 * PAGE_SIZE], out[10 * PAGE_SIZE];

	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (char)(i / 3);
	put(in, sizeof in, false);
	get(out, 3 * PAGE_SIZE + 5);
	assert_int_equal(pipe_size_set(NULL, 4 * PAGE_SIZE), -EBUSY);
	assert_int_equal(pipe_size_set(NULL, 5 * PAGE_SIZE), 8 * PAGE_SIZE);
	assert_int_equal(pipe_size_get(NULL), 8 * PAGE_SIZE);
	assert_int_equal(check_ring(), 7 * PAGE_SIZE - 5);
	assert_int_equal(get(out + 3 * PAGE_SIZE + 5, sizeof out), 7 * PAGE_SIZE - 5);
	assert_memory_equal(in, out, sizeof in);
	assert_int_equal(pipe_size_set(NULL, MIB(65)), -EINVAL);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(random_reads_and_writes_keep_the_order),
		TEST(small_writes_share_a_page),
		TEST(a_page_that_others_hold_is_not_appended_to),
		TEST(a_full_ring_takes_what_fits_behind_its_last_byte),
		TEST(packets),
		TEST(faults_lose_nothing_that_was_there),
		TEST(no_memory),
		TEST(the_ring_changes_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
