/* madvise: hints that change areas, and orders that act on pages. */
#include "arch/upcall.h"
#include "core/sched.h"
#include "mm/space_internal.h"

enum advice_act {
	ADVICE_NOTHING, /* checked and accepted: no page is ever swapped or huge here */
	ADVICE_FLAGS,	/* sets and clears flags of areas */
	ADVICE_DROP,	/* contents may go, or must */
	ADVICE_DROP_ANON,
	ADVICE_AHEAD,
	ADVICE_FILL,
	ADVICE_PUNCH,
};

struct advice {
	int number;
	enum advice_act act;
	uint32_t set, clear;
};

#define READ_FLAGS (AREA_SEQ_READ | AREA_RAND_READ)

static const struct advice advices[] = {
	{ MADV_NORMAL, ADVICE_FLAGS, 0, READ_FLAGS },
	{ MADV_RANDOM, ADVICE_FLAGS, AREA_RAND_READ, READ_FLAGS },
	{ MADV_SEQUENTIAL, ADVICE_FLAGS, AREA_SEQ_READ, READ_FLAGS },
	{ MADV_WILLNEED, ADVICE_AHEAD, 0, 0 },
	{ MADV_DONTNEED, ADVICE_DROP, 0, 0 },
	{ MADV_DONTNEED_LOCKED, ADVICE_DROP, 0, 0 },
	{ MADV_FREE, ADVICE_DROP_ANON, 0, 0 },
	{ MADV_REMOVE, ADVICE_PUNCH, 0, 0 },
	{ MADV_DONTFORK, ADVICE_FLAGS, AREA_DONTFORK, 0 },
	{ MADV_DOFORK, ADVICE_FLAGS, 0, AREA_DONTFORK },
	{ MADV_HUGEPAGE, ADVICE_FLAGS, 0, AREA_NOHUGE },
	{ MADV_NOHUGEPAGE, ADVICE_FLAGS, AREA_NOHUGE, 0 },
	{ MADV_DONTDUMP, ADVICE_FLAGS, AREA_DONTDUMP, 0 },
	{ MADV_DODUMP, ADVICE_FLAGS, 0, AREA_DONTDUMP },
	{ MADV_WIPEONFORK, ADVICE_FLAGS, AREA_WIPEONFORK, 0 },
	{ MADV_KEEPONFORK, ADVICE_FLAGS, 0, AREA_WIPEONFORK },
	{ MADV_MERGEABLE, ADVICE_NOTHING, 0, 0 },
	{ MADV_UNMERGEABLE, ADVICE_NOTHING, 0, 0 },
	{ MADV_COLD, ADVICE_NOTHING, 0, 0 },
	{ MADV_PAGEOUT, ADVICE_NOTHING, 0, 0 },
	{ MADV_POPULATE_READ, ADVICE_FILL, 0, 0 },
	{ MADV_POPULATE_WRITE, ADVICE_FILL, 0, 0 },
};

static const struct advice *advice_find(int number)
{
	for (size_t i = 0; i < ARRAY_LEN(advices); i++) {
		if (advices[i].number == number)
			return &advices[i];
	}
	return NULL;
}

/* May the area take this advice? 0 or -EINVAL. */
static int advice_check(const struct advice *v, const struct area *a)
{
	bool private_anon = area_is_anon(a) && !(a->flags & AREA_SHARED);
	const uint32_t refusing = v->number == MADV_DONTNEED_LOCKED
					  ? AREA_SPECIAL
					  : AREA_LOCKED | AREA_SPECIAL;

	if (v->number == MADV_WIPEONFORK && !private_anon)
		return -EINVAL;
	if ((v->number == MADV_DODUMP || v->number == MADV_DOFORK) &&
	    a->flags & AREA_SPECIAL)
		return -EINVAL;
	if (v->act == ADVICE_DROP_ANON && !private_anon)
		return -EINVAL;
	if ((v->act == ADVICE_DROP || v->act == ADVICE_DROP_ANON ||
	     v->number == MADV_COLD || v->number == MADV_PAGEOUT) &&
	    a->flags & refusing)
		return -EINVAL;
	return 0;
}

/* Walks what is mapped of [start, end). A hole does not stop the walk but is told at the
 * end. */
static int areas_check(struct space *s, const struct advice *v, uint64_t start,
		       uint64_t end)
{
	for_each_area(a, s, start, end)
	{
		int err = advice_check(v, a);
		if (err)
			return err;
	}
	return 0;
}

static int advise_flags(struct space *s, const struct advice *v, uint64_t start,
			uint64_t end)
{
	write_lock(&s->lock);
	int err = areas_check(s, v, start, end);
	bool full = area_range_full(s, start, end);
	if (!err)
		err = area_carve(s, start, end);
	for (struct area *a = err ? NULL : space_find(s, start); a && a->start < end;
	     a = area_next(a)) {
		area_set(s, a, a->prot, (a->flags & ~v->clear) | v->set);
		a = area_merge(s, a);
	}
	write_unlock(&s->lock);
	return err ? err : full ? 0 : -ENOMEM;
}

static int advise_drop(struct space *s, const struct advice *v, uint64_t start,
		       uint64_t end)
{
	struct gather g;

	read_lock(&s->lock);
	int err = areas_check(s, v, start, end);
	bool full = area_range_full(s, start, end);
	gather_init(&g, s);
	for (struct area *a = err ? NULL : space_find(s, start); a && a->start < end;
	     a = area_next(a))
		zap_range(&g, MAX(start, a->start), MIN(end, a->end));
	gather_flush(&g);
	read_unlock(&s->lock);
	return err ? err : full ? 0 : -ENOMEM;
}

/* Brings pages of files into the cache; memory and errors do not matter. */
static int advise_ahead(struct space *s, uint64_t start, uint64_t end)
{
	read_lock(&s->lock);
	bool full = area_range_full(s, start, end);
	for_each_area(a, s, start, end)
	{
		struct mapping *m = a->mapping;
		uint64_t at = MAX(start, a->start), stop = MIN(end, a->end);
		for (; m && m->reclaimable && at < stop;
		     at += READAHEAD_MAX * PAGE_SIZE) {
			struct page *p;
			if (mapping_get_within(m, area_index(a, at), READAHEAD_MAX, &p))
				break;
			page_put(p);
		}
	}
	read_unlock(&s->lock);
	return full ? 0 : -ENOMEM;
}

/* Reading takes PROT_READ here, though the CPU lets what is writable be read. */
static bool fill_allowed(const struct area *a, bool write)
{
	return !(a->flags & AREA_SPECIAL) &&
	       (write ? area_allows(a, FAULT_WRITE) : (a->prot & PROT_READ) != 0);
}

static int fill_some(struct space *s, uint64_t *at, uint64_t end, bool write)
{
	for (; *at < end; *at += PAGE_SIZE) {
		struct area *a = space_find(s, *at);
		if (!a || *at < a->start)
			return -ENOMEM;
		if (!fill_allowed(a, write))
			return -EINVAL;
		int err = fault_in(s, a, *at, write, end);
		if (err)
			return err == -EIO ? -EFAULT : err;
	}
	return 0;
}

static int advise_fill(struct space *s, uint64_t start, uint64_t end, bool write)
{
	int err;
	do {
		read_lock(&s->lock);
		err = fill_some(s, &start, end, write);
		read_unlock(&s->lock);
		if (thread_work(thread_current()) & WORK_KILL)
			return -EINTR;
	} while (err == -ENOTABLE && fault_room());
	return err == -ENOTABLE ? -ENOMEM : err;
}

/* Takes what the area at *at maps, up to `end`, out of its object. -ENOENT: nothing is
 * mapped there or above. */
static int punch_one(struct space *s, uint64_t *at, uint64_t end, bool *hole)
{
	const uint32_t writable = AREA_SHARED | AREA_MAY_WRITE;

	read_lock(&s->lock);
	struct area *a = space_find(s, *at);
	int err = !a || a->start >= end			     ? -ENOENT
		  : a->flags & (AREA_LOCKED | AREA_SPECIAL)  ? -EINVAL
		  : !a->mapping || !a->ops || !a->ops->punch ? -EINVAL
		  : (a->flags & writable) != writable	     ? -EACCES
							     : 0;
	if (err) {
		read_unlock(&s->lock);
		return err;
	}
	const struct area_ops *ops = a->ops;
	void *owner = a->owner;
	uint64_t from = MAX(*at, a->start), stop = MIN(end, a->end),
		 off = (a->pgoff << PAGE_SHIFT) + (from - a->start);
	*hole |= from > *at;
	*at = stop;
	(ops->hold ? ops->hold : ops->get)(owner);
	read_unlock(&s->lock);
	int64_t ret = ops->punch(owner, off, stop - from);
	(ops->let_go ? ops->let_go : ops->put)(owner);
	return (int)ret;
}

static int advise_punch(struct space *s, uint64_t start, uint64_t end)
{
	bool hole = false;
	int err = 0;

	while (!err && start < end)
		err = punch_one(s, &start, end, &hole);
	if (err == -ENOENT || (!err && hole))
		return -ENOMEM;
	return err;
}

int space_advise(struct space *s, uint64_t addr, uint64_t len, int advice)
{
	const struct advice *v = advice_find(advice);
	uint64_t end;

	if (!v || addr % PAGE_SIZE || ALIGN_UP(len, PAGE_SIZE) < len ||
	    addr + ALIGN_UP(len, PAGE_SIZE) < addr)
		return -EINVAL;
	if (!len)
		return 0;
	int err = range_check(addr, len, &end);
	if (err)
		return err;
	switch (v->act) {
	case ADVICE_FLAGS:
		return advise_flags(s, v, addr, end);
	case ADVICE_DROP:
	case ADVICE_DROP_ANON:
		return advise_drop(s, v, addr, end);
	case ADVICE_AHEAD:
		return advise_ahead(s, addr, end);
	case ADVICE_FILL:
		return advise_fill(s, addr, end, v->number == MADV_POPULATE_WRITE);
	case ADVICE_PUNCH:
		return advise_punch(s, addr, end);
	case ADVICE_NOTHING:
		break;
	}
	read_lock(&s->lock);
	err = areas_check(s, v, addr, end);
	bool full = area_range_full(s, addr, end);
	read_unlock(&s->lock);
	return err ? err : full ? 0 : -ENOMEM;
}
