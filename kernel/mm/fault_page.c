/*
 * Resolving a fault inside one area: zero pages, pages of files, copies on write.
 *
 * The space's lock is held, so areas and table pages stay. Entries change under pt_lock;
 * a page to be mapped is found or made before that, since it may sleep, and the entry is
 * looked at again under the lock. No TLB flush is needed where nothing was mapped before,
 * nor where rights only grow: a CPU that still has the old entry faults once more.
 */
#include "lib/string.h"
#include "mm/space_internal.h"

#define AROUND_PAGES 16 /* of a file, aligned to their number */
#define READ_PAGES 32	/* read from a file when one is missing */
#define ZERO_PAGES 16	/* mapped at once when memory is touched in order */

struct fault {
	struct space *s;
	struct area *a;
	uint64_t va; /* page-aligned */
	bool write;
	uint64_t until; /* nothing is mapped ahead from here on */
	uint64_t *slot; /* the entry of va; NULL: its table is yet to be made */
};

/* The entry, once its table exists. pt_lock held. NULL: no memory for the table. */
static uint64_t *slot_make(const struct fault *f)
{
	return likely(f->slot) ? f->slot : arch_pt_slot(&f->s->pt, f->va, true);
}

static bool entry_enough(const struct fault *f, uint64_t v)
{
	return pte_present(v) && (!f->write || arch_pte_flags(v) & PTE_W);
}

/* Maps p where nothing is; consumes its reference. `source` is the file's page: p itself,
 * or what p is a copy of. 0, also when somebody was faster, -EAGAIN (it has left its
 * file),
 * -ENOTABLE. */
static int entry_fill(const struct fault *f, struct page *p, const struct page *source)
{
	int err = 0;

	spin_lock(&f->s->pt_lock);
	uint64_t *slot = slot_make(f);
	if (!slot)
		err = -ENOTABLE;
	else if (source->kind == PAGE_KIND_CACHE && !page_flag_test(source, PF_TREE))
		err = -EAGAIN; /* M2 */
	if (err || *slot) {
		spin_unlock(&f->s->pt_lock);
		page_put(p);
		return err;
	}
	*slot = pte_for(f->a, p, f->write);
	page_mapped(p, 1);
	rss_add(f->s, p, 1);
	if (p->kind == PAGE_KIND_ANON && !area_is_anon(f->a))
		f->a->cows = true;
	spin_unlock(&f->s->pt_lock);
	return 0;
}

/* ---- zero pages ---- */

/* How many to map: twice as many as last time when the fault is where those ended. All in
 * one table, so that their entries follow each other. */
static size_t zero_count(const struct fault *f)
{
	if (f->va != f->a->ahead_end || f->until <= f->va)
		return 1;
	uint64_t end = MIN(MIN(f->a->end, f->until), table_end(f->va));
	uint64_t want = MIN(MAX(2ul * f->a->ahead, 1ul), (uint64_t)ZERO_PAGES);
	return MIN(want, (end - f->va) >> PAGE_SHIFT);
}

/* Zeroed pages: one at least, at any price; more only while they are easy to get. */
static size_t zero_alloc(struct page **ret, size_t n)
{
	size_t got = 0;

	while (got < n) {
		uint32_t flags = PAGE_USER | PAGE_ZERO | (got ? PAGE_ATOMIC : 0);
		ret[got] = page_alloc_kind(0, flags, PAGE_KIND_ANON);
		if (!ret[got])
			break;
		got++;
	}
	return got;
}

static int fault_zero(const struct fault *f)
{
	struct page *p[ZERO_PAGES];
	size_t n = zero_alloc(p, zero_count(f)), done = 0;
	uint64_t rights = pte_rights(f->a, true);

	if (!n)
		return -ENOMEM;
	spin_lock(&f->s->pt_lock);
	uint64_t *slot = slot_make(f);
	for (; slot && done < n && !slot[done]; done++) {
		slot[done] = pte_of(rights, p[done]);
	}
	if (done)
		rss_add(f->s, p[0], (int64_t)done);
	f->a->ahead = (uint32_t)n;
	f->a->ahead_end = f->va + n * PAGE_SIZE;
	spin_unlock(&f->s->pt_lock);
	while (n > done)
		page_put(p[--n]);
	return slot ? 0 : -ENOTABLE;
}

struct page *page_copy(const struct page *from, uint32_t flags)
{
	struct page *p = page_alloc_kind(0, PAGE_USER | flags, PAGE_KIND_ANON);
	if (p)
		memcpy(page_va(p), page_va(from), PAGE_SIZE);
	return p;
}

/* ---- a page that is there, but not for writing ---- */

/* Puts `copy` in the place of `old` if that is still there; consumes copy. */
static void entry_replace(const struct fault *f, struct page *old, struct page *copy)
{
	spin_lock(&f->s->pt_lock);
	if (pte_page(*f->slot) != old) {
		spin_unlock(&f->s->pt_lock);
		page_put(copy);
		return;
	}
	bool flush = pte_present(*f->slot);
	page_mapped(old, -1);
	rss_add(f->s, old, -1);
	rss_add_anon(f->s, 1);
	*f->slot = pte_for(f->a, copy, true);
	f->a->cows |= !area_is_anon(f->a);
	spin_unlock(&f->s->pt_lock);
	if (flush)
		arch_tlb_flush(&f->s->pt, f->va, f->va + PAGE_SIZE);
	page_put(old);
}

/* A private page is to be written. Alone with it, the entry only grows; else it is
 * copied. */
static int fault_cow(const struct fault *f)
{
	struct page *old = NULL;

	spin_lock(&f->s->pt_lock);
	struct page *p = pte_page(*f->slot);
	if (p && p->kind == PAGE_KIND_ANON && ref_read(&p->refs) == 1) {
		*f->slot = pte_for(f->a, p, true);
	} else if (p) {
		page_get(p);
		old = p;
	}
	spin_unlock(&f->s->pt_lock);
	if (!old)
		return 0;
	struct page *copy = page_copy(old, 0);
	if (copy)
		entry_replace(f, old, copy);
	page_put(old);
	return copy ? 0 : -ENOMEM;
}

/* A shared page is to be written for the first time, or a parked one to be used again. */
static int fault_rights(const struct fault *f)
{
	if (f->write && f->a->ops && f->a->ops->wrote)
		f->a->ops->wrote(f->a->owner);
	spin_lock(&f->s->pt_lock);
	struct page *p = pte_page(*f->slot);
	if (p)
		*f->slot = pte_for(f->a, p, f->write);
	if (p && f->write && p->kind == PAGE_KIND_CACHE)
		page_flag_set(p, PF_DIRTY);
	spin_unlock(&f->s->pt_lock);
	return 0;
}

static int fault_present(const struct fault *f, uint64_t v)
{
	if (entry_enough(f, v))
		return 0;
	return f->write && !(f->a->flags & AREA_SHARED) ? fault_cow(f) : fault_rights(f);
}

/* ---- pages of files ---- */

static uint64_t ahead_for(const struct area *a)
{
	if (a->flags & AREA_RAND_READ)
		return 1;
	return a->flags & AREA_SEQ_READ ? READAHEAD_MAX : READ_PAGES;
}

/* Reads the fault's page together with what is missing before it: the first faults of a
 * program go down in its file as often as up. What fails here is tried again alone. */
static void read_around(const struct fault *f, uint64_t index)
{
	struct mapping *m = f->a->mapping;
	uint64_t first = mapping_gap_start(m, index + 1, ALIGN_DOWN(index, READ_PAGES));
	struct page *p;

	if (first < index &&
	    !mapping_get_within(m, first, index - first + READ_PAGES, &p))
		page_put(p);
}

/* The file's page for the fault, with a reference. 0, -EIO, -ENOMEM. */
static int source_get(const struct fault *f, struct page **ret)
{
	uint64_t index = area_index(f->a, f->va);
	if (f->a->ops && f->a->ops->fault)
		return f->a->ops->fault(f->a, index, ret);
	if (mapping_is_read(f->a->mapping) && ahead_for(f->a) == READ_PAGES)
		read_around(f, index);
	int err = mapping_get_within(f->a->mapping, index, ahead_for(f->a), ret);
	return err && err != -ENOMEM ? -EIO : err;
}

/* Maps n pages from va on, which one page table holds, where nothing is; consumes their
 * references. 0 or -ENOTABLE; pages that left their file are passed over. */
static int entries_fill(const struct fault *f, uint64_t va, struct page **run, size_t n)
{
	bool tells = f->a->ops && f->a->ops->wrote;
	uint64_t rights = pte_rights(f->a, f->a->flags & AREA_SHARED && !tells);
	struct page *sample = NULL;
	int64_t filled = 0;

	spin_lock(&f->s->pt_lock);
	uint64_t *slot = slot_make(f);
	slot = slot ? slot - ((f->va - va) >> PAGE_SHIFT) : NULL;
	for (size_t i = 0; slot && i < n; i++) {
		if (slot[i] || !page_flag_test(run[i], PF_TREE))
			continue;
		slot[i] = pte_of(rights, run[i]);
		page_mapped(run[i], 1);
		sample = run[i];
		run[i] = NULL;
		filled++;
	}
	if (filled)
		rss_add(f->s, sample, filled);
	spin_unlock(&f->s->pt_lock);
	for (size_t i = 0; i < n; i++) {
		if (run[i])
			page_put(run[i]);
	}
	return slot ? 0 : -ENOTABLE;
}

/* Cached pages about the fault, in one go; *ret_n of them from *ret_va on, the fault's
 * among them, or none. */
static void around_find(const struct fault *f, struct page **run, uint64_t *ret_va,
			size_t *ret_n)
{
	uint64_t span = AROUND_PAGES * PAGE_SIZE, here = area_index(f->a, f->va);
	uint64_t start = MAX(ALIGN_DOWN(f->va, span), f->a->start);
	uint64_t end = MIN(ALIGN_DOWN(f->va, span) + span, f->a->end);
	struct mapping *m = f->a->mapping;
	uint64_t file_end = mapping_end(m);

	*ret_n = 0;
	if (here >= file_end)
		return;
	end = MIN(end,
		  f->va + ((MIN(file_end - here, (uint64_t)AROUND_PAGES)) << PAGE_SHIFT));
	for (uint64_t at = start;; at = f->va) {
		size_t n = mapping_find_run(m, area_index(f->a, at), run,
					    (end - at) >> PAGE_SHIFT);
		*ret_va = at;
		*ret_n = n;
		if (at + n * PAGE_SIZE > f->va || at == f->va)
			return;
		while (n)
			page_put(run[--n]);
	}
}

/* A read of a file page; neighbours that are cached come along. */
static int fault_read(const struct fault *f)
{
	struct page *run[AROUND_PAGES], *p;
	uint64_t va;
	size_t n;

	if (!f->a->mapping || f->a->flags & AREA_RAND_READ) {
		int err = source_get(f, &p);
		return err ? err : entry_fill(f, p, p);
	}
	around_find(f, run, &va, &n);
	if (!n) {
		int err = source_get(f, &p);
		if (err)
			return err;
		page_put(p);
		return -EAGAIN; /* now it is cached, with what was read ahead */
	}
	int err = entries_fill(f, va, run, n);
	uint64_t *slot = f->slot ? f->slot : arch_pt_slot(&f->s->pt, f->va, false);
	return err ? err : slot && *slot ? 0 : -EAGAIN;
}

/* A write to a file page that is not mapped yet. */
static int fault_write(const struct fault *f)
{
	struct page *p;
	int err = source_get(f, &p);
	if (err)
		return err;
	if (f->a->flags & AREA_SHARED) {
		if (f->a->ops && f->a->ops->wrote)
			f->a->ops->wrote(f->a->owner);
		if (p->kind == PAGE_KIND_CACHE)
			page_flag_set(p, PF_DIRTY);
		return entry_fill(f, p, p);
	}
	struct page *copy = page_copy(p, 0);
	err = copy ? entry_fill(f, copy, p) : -ENOMEM;
	page_put(p);
	return err;
}

static int fault_once(struct fault *f)
{
	f->slot = arch_pt_slot(&f->s->pt, f->va, false);
	uint64_t v = f->slot ? __atomic_load_n(f->slot, __ATOMIC_RELAXED) : 0;
	if (v)
		return fault_present(f, v);
	if (area_is_anon(f->a))
		return fault_zero(f);
	return f->write ? fault_write(f) : fault_read(f);
}

int fault_in(struct space *s, struct area *a, uint64_t va, bool write, uint64_t until)
{
	struct fault f = { s, a, ALIGN_DOWN(va, PAGE_SIZE), write, until, NULL };
	int err;

	do {
		err = fault_once(&f);
	} while (err == -EAGAIN);
	return err;
}
