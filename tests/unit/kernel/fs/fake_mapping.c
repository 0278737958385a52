/* The page cache, faked: pages in a radix tree, no readers but the test. */
#include "lib/string.h"
#include "mm/mapping.h"

void *calloc(size_t n, size_t size);
void free(void *p);

#define PAGES 16384u

struct page_map page_map;
static uint32_t next_page;     /* never used so far */
static struct list free_pages; /* single ones that came back */

static struct radix_node *node_alloc(void)
{
	return calloc(1, sizeof(struct radix_node));
}

static void node_free(struct radix_node *n)
{
	free(n);
}

static const struct radix_ops nodes = { node_alloc, node_free };

static void arena_init(void)
{
	page_map.pages = calloc(PAGES, sizeof *page_map.pages);
	page_map.direct = calloc(PAGES, PAGE_SIZE);
	page_map.n = page_map.hole_start = PAGES;
	list_init(&free_pages);
}

struct page *page_alloc(unsigned order, uint32_t flags)
{
	struct page *p;

	if (!page_map.pages)
		arena_init();
	if (!order && !list_empty(&free_pages)) {
		p = list_first(&free_pages, struct page, link);
		list_del(&p->link);
		memset(page_va(p), 0, PAGE_SIZE);
	} else {
		if (next_page + (1u << order) > PAGES)
			return NULL;
		p = &page_map.pages[next_page];
		next_page += 1u << order;
	}
	list_init(&p->link);
	ref_init(&p->refs, 1);
	return p;
}

void page_free(struct page *p, unsigned order)
{
	if (!order)
		list_push_front(&free_pages, &p->link);
}

void page_put(struct page *p)
{
	if (ref_put(&p->refs))
		page_free(p, 0);
}

void mapping_init(struct mapping *m, const struct mapping_ops *ops, void *host,
		  bool reclaimable)
{
	memset(m, 0, sizeof *m);
	m->ops = ops;
	m->host = host;
	radix_init(&m->pages, &nodes);
}

static void drop(struct mapping *m, uint64_t index)
{
	struct page *p = radix_remove(&m->pages, index);

	if (!p)
		return;
	m->n_pages--;
	if (m->ops && m->ops->uncharge)
		m->ops->uncharge(m, 1);
	page_put(p);
}

void mapping_fini(struct mapping *m)
{
	uint64_t k;

	while (radix_next(&m->pages, 0, &k))
		drop(m, k);
	radix_fini(&m->pages);
}

int mapping_get(struct mapping *m, uint64_t index, size_t ahead, struct page **ret)
{
	struct page *p = radix_get(&m->pages, index);

	if (!p) {
		int err = m->ops && m->ops->charge ? m->ops->charge(m) : 0;
		if (err)
			return err;
		p = page_alloc(0, 0);
		if (!p || radix_insert(&m->pages, index, p))
			return -ENOMEM;
		m->n_pages++;
	}
	page_get(p);
	*ret = p;
	return 0;
}

bool mapping_next(struct mapping *m, uint64_t from, uint64_t *ret)
{
	return radix_next(&m->pages, from, ret);
}

static void zero_part(struct mapping *m, uint64_t from, uint64_t to)
{
	struct page *p = radix_get(&m->pages, from >> PAGE_SHIFT);

	if (p && from < to)
		memset((char *)page_va(p) + from % PAGE_SIZE, 0, to - from);
}

void mapping_punch(struct mapping *m, uint64_t start, uint64_t end)
{
	while (start < end) {
		uint64_t stop = MIN(end, ALIGN_DOWN(start, PAGE_SIZE) + PAGE_SIZE);
		if (stop - start == PAGE_SIZE)
			drop(m, start >> PAGE_SHIFT);
		else
			zero_part(m, start, stop);
		start = stop;
	}
}

void mapping_truncate(struct mapping *m, uint64_t size)
{
	uint64_t k;

	zero_part(m, size, ALIGN_UP(size, PAGE_SIZE));
	while (radix_next(&m->pages, (size + PAGE_SIZE - 1) >> PAGE_SHIFT, &k))
		drop(m, k);
	m->size = size;
}

int64_t mapping_read(struct mapping *m, uint64_t pos, struct uio *u)
{
	int64_t done = 0;

	while (u->left && pos < m->size) {
		struct page *p;
		size_t off = pos % PAGE_SIZE;
		size_t n = MIN(MIN(PAGE_SIZE - off, u->left), m->size - pos);
		int err = mapping_get(m, pos >> PAGE_SHIFT, 0, &p);
		if (err)
			return done ? done : err;
		int64_t w = uio_write(u, (char *)page_va(p) + off, n);
		page_put(p);
		if (w < 0)
			return done ? done : w;
		done += w;
		pos += (uint64_t)w;
	}
	return done;
}

int64_t mapping_write(struct mapping *m, uint64_t pos, struct uio *u)
{
	int64_t done = 0;

	while (u->left) {
		struct page *p;
		size_t off = pos % PAGE_SIZE, n = MIN(PAGE_SIZE - off, u->left);
		int err = mapping_get(m, pos >> PAGE_SHIFT, 0, &p);
		if (err)
			return done ? done : err;
		int64_t r = uio_read(u, (char *)page_va(p) + off, n);
		page_put(p);
		if (r < 0)
			return done ? done : r;
		done += r;
		pos += (uint64_t)r;
		if (pos > m->size)
			m->size = pos;
	}
	return done;
}

/* Raw user memory is the test's own. */
size_t arch_user_read(void *dst, uint64_t src, size_t n)
{
	memcpy(dst, (const void *)src, n);
	return 0;
}

size_t arch_user_write(uint64_t dst, const void *src, size_t n)
{
	memcpy((void *)dst, src, n);
	return 0;
}

size_t arch_user_zero(uint64_t dst, size_t n)
{
	memset((void *)dst, 0, n);
	return 0;
}

int arch_user_load32(uint64_t src, uint32_t *ret)
{
	memcpy(ret, (const void *)src, sizeof *ret);
	return 0;
}

int arch_user_cmpxchg32(uint64_t dst, uint32_t old, uint32_t new, uint32_t *ret)
{
	return arch_user_load32(dst, ret);
}
