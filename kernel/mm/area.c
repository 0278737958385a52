/*
 * The areas of a space: a red-black tree by address in which every node knows the largest
 * gap of its subtree, so that finding a place for a new area is O(log n).
 *
 * gap: the free bytes between the previous area's end (or USER_START) and the area's
 * start, less the guard that a stack keeps below itself. The space above the last area
 * belongs to no gap; area_place looks at it by hand.
 *
 * An area that maps a file is on mapping->areas; its start, end and pgoff change only
 * under mapping->lock, so that truncation sees them whole.
 */
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space_internal.h"

static struct slab_cache *area_cache; /* [I] after space_init */

static struct area *area_of(struct rb_node *n)
{
	return n ? container_of(n, struct area, node) : NULL;
}

static uint64_t gap_below(struct rb_node *n)
{
	return n ? area_of(n)->gap_max : 0;
}

static void gap_update(struct rb_node *n)
{
	struct area *a = area_of(n);
	a->gap_max = MAX(a->gap, MAX(gap_below(n->left), gap_below(n->right)));
}

void areas_init(struct space *s)
{
	rb_init(&s->areas, gap_update);
}

void area_cache_init(void)
{
	area_cache = slab_cache_new("area", sizeof(struct area), 0);
}

struct area *area_new(void)
{
	struct area *a = slab_zalloc(area_cache);
	if (a)
		list_init(&a->rmap);
	return a;
}

void area_free(struct area *a)
{
	if (a && a->ops && a->ops->put)
		a->ops->put(a->owner);
	slab_free(area_cache, a);
}

void areas_free(struct list *dead)
{
	list_for_each_safe(a, dead, struct area, rmap)
	{
		list_del(&a->rmap);
		area_free(a);
	}
}

struct area *area_next(struct area *a)
{
	return area_of(rb_next(&a->node));
}

struct area *area_prev(struct area *a)
{
	return area_of(rb_prev(&a->node));
}

struct area *space_find(struct space *s, uint64_t va)
{
	struct area *best = __atomic_load_n(&s->hint, __ATOMIC_RELAXED);

	if (best && best->start <= va && va < best->end)
		return best;
	best = NULL;
	for (struct rb_node *n = s->areas.root; n;) {
		struct area *a = area_of(n);
		if (va < a->end) {
			best = a;
			if (va >= a->start)
				break;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	if (best)
		__atomic_store_n(&s->hint, best, __ATOMIC_RELAXED);
	return best;
}

/* ---- gaps ---- */

static uint64_t guard_of(const struct area *a)
{
	return a->flags & AREA_GROWSDOWN ? STACK_GUARD : 0;
}

static uint64_t gap_between(const struct area *prev, const struct area *a)
{
	uint64_t room = a->start - (prev ? prev->end : USER_START);
	return room > guard_of(a) ? room - guard_of(a) : 0;
}

static void gap_refresh(struct space *s, struct area *a)
{
	if (!a)
		return;
	uint64_t gap = gap_between(area_prev(a), a);
	if (gap != a->gap) {
		a->gap = gap;
		rb_update_up(&s->areas, &a->node);
	}
}

/* The highest area of a subtree with gap_max >= len that has such a gap itself. */
static struct area *gap_highest(struct rb_node *n, uint64_t len)
{
	for (;;) {
		if (gap_below(n->right) >= len)
			n = n->right;
		else if (area_of(n)->gap >= len)
			return area_of(n);
		else
			n = n->left;
	}
}

/* The highest area below `a` whose gap holds len; NULL: none. */
static struct area *gap_before(struct area *a, uint64_t len)
{
	struct rb_node *n = &a->node;

	for (;;) {
		if (gap_below(n->left) >= len)
			return gap_highest(n->left, len);
		while (n->parent && n == n->parent->left)
			n = n->parent;
		n = n->parent;
		if (!n)
			return NULL;
		if (area_of(n)->gap >= len)
			return area_of(n);
	}
}

bool area_place(struct space *s, uint64_t len, uint64_t low, uint64_t top, uint64_t *ret)
{
	/* The gap that holds top: above all areas, or before the first one that ends past
	 * it. */
	struct area *above = space_find(s, top - 1);
	struct area *below = above ? area_prev(above) : area_of(rb_last(&s->areas));
	uint64_t start = below ? below->end : USER_START;
	uint64_t end =
		above ? MIN(top, above->start - MIN(guard_of(above), above->start)) : top;

	if (end <= start || end - start < len) {
		struct area *a = below && below->gap >= len ? below
				 : below		    ? gap_before(below, len)
							    : NULL;
		if (!a)
			return false;
		end = a->start - guard_of(a);
	}
	if (end - len < low)
		return false;
	*ret = end - len;
	return true;
}

bool area_range_free(struct space *s, uint64_t start, uint64_t end)
{
	struct area *a = space_find(s, start);
	return !a || a->start >= end;
}

bool area_range_full(struct space *s, uint64_t start, uint64_t end)
{
	for_each_area(a, s, start, end)
	{
		if (a->start > start)
			return false;
		start = a->end;
	}
	return start >= end;
}

/* ---- accounts and the mapping's list ---- */

static void account(struct space *s, const struct area *a, int64_t sign)
{
	uint64_t n = area_pages(a) * (uint64_t)sign;
	bool stack = a->flags & (AREA_STACK | AREA_GROWSDOWN);

	s->total_pages += n;
	s->total_peak = MAX(s->total_peak, s->total_pages);
	if (a->flags & AREA_LOCKED)
		s->locked_pages += n;
	if (stack)
		s->stack_pages += n;
	else if ((a->prot & PROT_WRITE) && !(a->flags & AREA_SHARED))
		s->data_pages += n;
	else if (a->prot & PROT_EXEC)
		s->exec_pages += n;
}

static bool counts_as_writer(const struct area *a)
{
	return (a->flags & AREA_SHARED) && (a->flags & AREA_MAY_WRITE);
}

static void rmap_add(struct area *a)
{
	struct mapping *m = a->mapping;
	if (!m)
		return;
	spin_lock(&m->lock);
	list_push_back(&m->areas, &a->rmap);
	m->writable_maps += counts_as_writer(a);
	spin_unlock(&m->lock);
}

static void rmap_del(struct area *a)
{
	struct mapping *m = a->mapping;
	if (!m)
		return;
	spin_lock(&m->lock);
	list_del(&a->rmap);
	m->writable_maps -= counts_as_writer(a);
	spin_unlock(&m->lock);
}

/* ---- the tree ---- */

void area_insert(struct space *s, struct area *a)
{
	struct rb_node **link = &s->areas.root, *parent = NULL;
	struct area *prev = NULL, *next = NULL;

	a->space = s;
	while (*link) {
		parent = *link;
		struct area *at = area_of(parent);
		if (a->start < at->start) {
			next = at;
			link = &parent->left;
		} else {
			prev = at;
			link = &parent->right;
		}
	}
	insist(!prev || prev->end <= a->start);
	insist(!next || a->end <= next->start);
	a->gap = gap_between(prev, a);
	rb_insert(&s->areas, &a->node, parent, link);
	gap_refresh(s, next);
	s->n_areas++;
	account(s, a, 1);
	rmap_add(a);
}

void area_remove(struct space *s, struct area *a)
{
	struct area *next = area_next(a);

	rmap_del(a);
	account(s, a, -1);
	rb_erase(&s->areas, &a->node);
	s->n_areas--;
	s->hint = NULL;
	gap_refresh(s, next);
}

void area_resize(struct space *s, struct area *a, uint64_t start, uint64_t end)
{
	account(s, a, -1);
	if (a->mapping)
		spin_lock(&a->mapping->lock);
	a->pgoff += (uint64_t)((int64_t)(start - a->start) >> PAGE_SHIFT);
	a->start = start;
	a->end = end;
	if (a->mapping)
		spin_unlock(&a->mapping->lock);
	account(s, a, 1);
	gap_refresh(s, a);
	gap_refresh(s, area_next(a));
}

void area_set(struct space *s, struct area *a, uint32_t prot, uint32_t flags)
{
	account(s, a, -1);
	a->prot = prot;
	a->flags = flags;
	account(s, a, 1);
}

/* ---- splitting and merging ---- */

/* Cuts a at `at`; `b`, a fresh area, becomes the upper part. */
static void area_split(struct space *s, struct area *a, uint64_t at, struct area *b)
{
	*b = *a;
	list_init(&b->rmap);
	b->pgoff = area_index(a, at);
	b->start = at;
	if (b->ops && b->ops->get)
		b->ops->get(b->owner);
	area_resize(s, a, a->start, at);
	area_insert(s, b);
}

/* The area that a cut at `at` would go through; NULL: it is a boundary, or free. */
static struct area *cut_by(struct space *s, uint64_t at)
{
	struct area *a = space_find(s, at);
	return a && a->start < at ? a : NULL;
}

int area_carve(struct space *s, uint64_t start, uint64_t end)
{
	struct area *first = cut_by(s, start), *last = cut_by(s, end);
	struct area *spare[2] = { NULL, NULL };
	uint64_t need = !!first + !!last;

	if (s->n_areas + need > SPACE_AREAS_MAX)
		return -ENOMEM;
	for (uint64_t i = 0; i < need; i++) {
		spare[i] = area_new();
		if (!spare[i]) {
			slab_free(area_cache, spare[0]);
			return -ENOMEM;
		}
	}
	/* Nothing below can fail. */
	if (last)
		area_split(s, last, end, spare[--need]);
	if (first)
		area_split(s, first, start, spare[--need]);
	return 0;
}

static bool alike(const struct area *a, const struct area *b)
{
	if (a->end != b->start || a->prot != b->prot || a->flags != b->flags ||
	    a->mapping != b->mapping || a->ops != b->ops || a->owner != b->owner ||
	    a->label != b->label || a->flags & (AREA_SPECIAL | AREA_GROWSDOWN) ||
	    (a->ops && a->ops->hold))
		return false;
	return area_is_anon(a) || a->pgoff + area_pages(a) == b->pgoff;
}

/* b, right above a, becomes part of it. The owner stays referenced by a. */
static void absorb(struct space *s, struct area *a, struct area *b)
{
	uint64_t end = b->end;
	a->cows |= b->cows;
	area_remove(s, b);
	area_free(b);
	area_resize(s, a, a->start, end);
}

struct area *area_merge(struct space *s, struct area *a)
{
	struct area *prev = area_prev(a), *next = area_next(a);

	if (next && alike(a, next))
		absorb(s, a, next);
	if (prev && alike(prev, a)) {
		absorb(s, prev, a);
		a = prev;
	}
	return a;
}

int area_add(struct space *s, const struct area *t)
{
	struct area *next = space_find(s, t->start);
	struct area *prev = next ? area_prev(next) : area_of(rb_last(&s->areas));

	if (prev && alike(prev, t)) {
		area_resize(s, prev, prev->start, t->end);
		if (next && alike(prev, next))
			absorb(s, prev, next);
		return 0;
	}
	if (next && alike(t, next)) {
		area_resize(s, next, t->start, next->end);
		return 0;
	}
	struct area *a = s->n_areas < SPACE_AREAS_MAX ? slab_alloc(area_cache) : NULL;
	if (!a)
		return -ENOMEM;
	*a = *t;
	list_init(&a->rmap);
	if (a->ops && a->ops->get)
		a->ops->get(a->owner);
	area_insert(s, a);
	return 0;
}

void space_check(struct space *s)
{
	uint64_t end = USER_START, n = 0, pages = 0;
	struct area *prev = NULL;

	insist(rb_check(&s->areas));
	for (struct area *a = area_of(rb_first(&s->areas)); a; a = area_next(a)) {
		insist(a->start >= end && a->start < a->end && a->end <= USER_END);
		insist(!(a->start % PAGE_SIZE) && !(a->end % PAGE_SIZE));
		insist(a->gap == gap_between(prev, a));
		insist(a->gap_max == MAX(a->gap, MAX(gap_below(a->node.left),
						     gap_below(a->node.right))));
		end = a->end;
		prev = a;
		n++;
		pages += area_pages(a);
	}
	insist(n == s->n_areas && pages == s->total_pages);
}
