/* The area tree against a plain bitmap of pages: V1, gaps, splitting, merging,
 * placing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after setjmp.h */
#include <cmocka.h>

#include "mm/slab.h"
#include "mm/space_internal.h"

/* ---- what the kernel would give ---- */

struct page_map page_map;
static long live, allowed = -1;

struct slab_cache *slab_cache_new(const char *name, size_t size, size_t align)
{
	return (struct slab_cache *)size;
}

void *slab_alloc(struct slab_cache *c)
{
	return slab_zalloc(c);
}

void *slab_zalloc(struct slab_cache *c)
{
	if (allowed == 0)
		return NULL;
	allowed -= allowed > 0;
	live++;
	return calloc(1, (size_t)c);
}

void slab_free(struct slab_cache *c, void *obj)
{
	live -= obj != NULL;
	free(obj);
}

void panic(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	print_error("panic: ");
	vprint_error(fmt, ap);
	va_end(ap);
	abort();
}

void spin_lock_slow(struct spinlock *l)
{
	abort();
}

void lock_debug_acquire(struct spinlock *l)
{
}

void lock_debug_release(struct spinlock *l)
{
}

/* ---- */

static struct space s;
static long owners;

static void owner_get(void *owner)
{
	owners++;
}

static void owner_put(void *owner)
{
	owners--;
}

static const struct area_ops file_ops = { .get = owner_get, .put = owner_put };

static int start(void **state)
{
	memset(&s, 0, sizeof s);
	areas_init(&s);
	area_cache_init();
	allowed = -1;
	return 0;
}

static int stop(void **state)
{
	for (struct area *a; (a = space_find(&s, 0));) {
		area_remove(&s, a);
		area_free(a);
	}
	assert_int_equal(live, 0);
	assert_int_equal(owners, 0);
	return 0;
}

#define AT(page) (USER_START + (uint64_t)(page)*PAGE_SIZE)

static struct area *add(uint64_t first, uint64_t end, uint32_t prot, struct mapping *m)
{
	struct area *a = area_new();
	a->start = AT(first);
	a->end = AT(end);
	a->prot = prot;
	a->mapping = m;
	a->pgoff = first;
	if (m) {
		a->ops = &file_ops;
		owner_get(NULL);
	}
	area_insert(&s, a);
	return a;
}

static void carves_and_merges(void **state)
{
	struct mapping m = { 0 };
	list_init(&m.areas);
	add(10, 30, PROT_READ, &m);
	assert_int_equal(area_carve(&s, AT(15), AT(20)), 0);
	assert_int_equal(s.n_areas, 3);
	struct area *a = space_find(&s, AT(17));
	assert_true(a->start == AT(15) && a->end == AT(20) && a->pgoff == 15);
	assert_int_equal(area_next(a)->pgoff, 20);
	space_check(&s);
	a = area_merge(&s, a);
	assert_true(a->start == AT(10) && a->end == AT(30) && a->pgoff == 10);
	assert_int_equal(s.n_areas, 1);
	assert_int_equal(owners, 1);
	space_check(&s);
	/* Neighbours that differ stay apart. */
	add(30, 31, PROT_READ, NULL);
	area_merge(&s, a);
	assert_int_equal(s.n_areas, 2);
	assert_int_equal(area_carve(&s, AT(12), AT(13)), 0);
	area_set(&s, space_find(&s, AT(12)), PROT_WRITE, 0);
	area_merge(&s, space_find(&s, AT(12)));
	assert_int_equal(s.n_areas, 4);
	space_check(&s);
	stop(NULL);
	assert_true(list_empty(&m.areas));
}

static void adding_grows_neighbours(void **state)
{
	struct mapping m = { 0 };
	list_init(&m.areas);
	add(10, 20, PROT_READ, &m);
	struct area t = *space_find(&s, AT(10));
	t.start = AT(20);
	t.end = AT(25);
	t.pgoff = 20;
	assert_int_equal(area_add(&s, &t), 0); /* upwards */
	t.start = AT(30);
	t.end = AT(40);
	t.pgoff = 31;
	assert_int_equal(area_add(&s, &t), 0); /* apart, and its offset does not fit */
	assert_int_equal(s.n_areas, 2);
	t.start = AT(26);
	t.end = AT(30);
	t.pgoff = 27;
	assert_int_equal(area_add(&s, &t), 0); /* downwards */
	assert_int_equal(s.n_areas, 2);
	assert_int_equal(space_find(&s, AT(35))->pgoff, 27);
	t.start = AT(25);
	t.end = AT(26);
	t.pgoff = 25;
	assert_int_equal(area_add(&s, &t), 0); /* touches both, continues the lower one */
	assert_int_equal(s.n_areas, 2);
	assert_true(space_find(&s, AT(10))->end == AT(26));
	assert_int_equal(owners, 2);
	space_check(&s);
	stop(NULL);
	assert_true(list_empty(&m.areas));
}

static void carving_without_memory_changes_nothing(void **state)
{
	add(10, 30, PROT_READ, NULL);
	for (allowed = 0; allowed < 2;) {
		long n = allowed;
		assert_int_equal(area_carve(&s, AT(15), AT(20)), -ENOMEM);
		assert_int_equal(s.n_areas, 1);
		space_check(&s);
		allowed = n + 1;
	}
	assert_int_equal(area_carve(&s, AT(15), AT(20)), 0);
	assert_int_equal(s.n_areas, 3);
}

static void carving_stops_at_the_limit(void **state)
{
	add(10, 30, PROT_READ, NULL);
	s.n_areas += SPACE_AREAS_MAX - 2;
	assert_int_equal(area_carve(&s, AT(15), AT(20)), -ENOMEM);
	assert_int_equal(area_carve(&s, AT(10), AT(20)), 0);
	s.n_areas -= SPACE_AREAS_MAX - 2;
}

static void places_top_down(void **state)
{
	uint64_t at, top = AT(1000), n = PAGE_SIZE;
	assert_true(area_place(&s, 5 * n, USER_START, top, &at));
	assert_true(at == AT(995));
	add(995, 1000, PROT_READ, NULL);
	add(900, 990, PROT_READ, NULL);
	assert_true(area_place(&s, 5 * n, USER_START, top, &at) && at == AT(990));
	assert_true(area_place(&s, 6 * n, USER_START, top, &at) && at == AT(894));
	assert_true(area_place(&s, n, USER_START, AT(993), &at) && at == AT(992));
	assert_true(area_place(&s, n, USER_START, AT(950), &at) && at == AT(899));
	assert_true(area_place(&s, 900 * n, USER_START, top, &at) && at == AT(0));
	assert_false(area_place(&s, 901 * n, USER_START, top, &at));
	assert_false(area_place(&s, 900 * n, AT(1), top, &at));
	assert_true(area_place(&s, 901 * n, USER_START, USER_END, &at));
	assert_true(at == USER_END - 901 * n);
}

static void stacks_keep_their_guard(void **state)
{
	uint64_t at;
	struct area *stack = add(1000, 1010, PROT_READ, NULL);
	area_remove(&s, stack);
	stack->flags = AREA_GROWSDOWN;
	area_insert(&s, stack);
	assert_true(area_place(&s, PAGE_SIZE, USER_START, AT(1010), &at));
	assert_true(at + PAGE_SIZE == AT(1000) - STACK_GUARD);
	add(100, 800, PROT_READ, NULL); /* nearer than the guard: no room between */
	assert_true(area_place(&s, PAGE_SIZE, USER_START, AT(1010), &at));
	assert_true(at == AT(99));
	space_check(&s);
}

/* ---- random operations against a bitmap ---- */

#define PAGES 512

static bool used[PAGES];

/* The highest free run of n pages below top, by looking. */
static int64_t place_slowly(uint64_t n, uint64_t top)
{
	for (int64_t at = (int64_t)(top - n); at >= 0; at--) {
		uint64_t k = 0;
		while (k < n && !used[(uint64_t)at + k])
			k++;
		if (k == n)
			return at;
	}
	return -1;
}

static void set_range(uint64_t first, uint64_t n, bool v)
{
	for (uint64_t i = first; i < first + n; i++)
		used[i] = v;
}

static void map_somewhere(void)
{
	uint64_t n = (uint64_t)rand() % 12 + 1,
		 top = (uint64_t)rand() % (PAGES - 20) + 20, at;
	int64_t want = place_slowly(n, top);
	bool found = area_place(&s, n * PAGE_SIZE, USER_START, AT(top), &at);
	assert_int_equal(found, want >= 0);
	if (!found)
		return;
	assert_true(at == AT(want));
	area_merge(&s, add((uint64_t)want, (uint64_t)want + n,
			   rand() % 2 ? PROT_READ : PROT_READ | PROT_WRITE, NULL));
	set_range((uint64_t)want, n, true);
}

static void unmap_somewhere(void)
{
	uint64_t first = (uint64_t)rand() % PAGES, n = (uint64_t)rand() % 20 + 1;
	n = MIN(n, PAGES - first);
	assert_int_equal(area_carve(&s, AT(first), AT(first + n)), 0);
	for (struct area *a = space_find(&s, AT(first)); a && a->start < AT(first + n);) {
		struct area *next = area_next(a);
		area_remove(&s, a);
		area_free(a);
		a = next;
	}
	set_range(first, n, false);
}

static void agrees_with_a_bitmap(void **state)
{
	srand(4);
	memset(used, 0, sizeof used);
	for (unsigned step = 0; step < 20000; step++) {
		if (rand() % 3)
			map_somewhere();
		else
			unmap_somewhere();
		if (step % 50)
			continue;
		space_check(&s);
		for (uint64_t i = 0; i < PAGES; i++)
			assert_int_equal(area_range_free(&s, AT(i), AT(i + 1)), !used[i]);
		uint64_t first = (uint64_t)rand() % (PAGES - 8);
		bool full = true;
		for (uint64_t i = first; i < first + 8; i++)
			full &= used[i];
		assert_int_equal(area_range_full(&s, AT(first), AT(first + 8)), full);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(carves_and_merges, start, stop),
		cmocka_unit_test_setup_teardown(adding_grows_neighbours, start, stop),
		cmocka_unit_test_setup_teardown(carving_without_memory_changes_nothing,
						start, stop),
		cmocka_unit_test_setup_teardown(carving_stops_at_the_limit, start, stop),
		cmocka_unit_test_setup_teardown(places_top_down, start, stop),
		cmocka_unit_test_setup_teardown(stacks_keep_their_guard, start, stop),
		cmocka_unit_test_setup_teardown(agrees_with_a_bitmap, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
