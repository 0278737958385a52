/*
 * The life of an address space: made, copied by fork, switched to, taken apart.
 */
#include "core/sched.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space_internal.h"

static struct slab_cache *space_cache; /* [I] after space_init */

void space_init(void)
{
	space_cache = slab_cache_new("space", sizeof(struct space), 0);
	insist(space_cache);
	area_cache_init();
	mapping_cache_init();
}

int space_new(struct space **ret)
{
	struct space *s = slab_zalloc(space_cache);
	if (!s)
		return -ENOMEM;
	int err = arch_pt_init(&s->pt);
	if (err) {
		slab_free(space_cache, s);
		return err;
	}
	ref_init(&s->users, 1);
	ref_init(&s->refs, 1); /* the users' together */
	rwlock_init(&s->lock, RANK_SPACE);
	spin_init(&s->pt_lock, RANK_PT);
	areas_init(s);
	s->limit_as = s->limit_data = s->limit_stack = s->limit_memlock = UINT64_MAX;
	*ret = s;
	return 0;
}

void space_get(struct space *s)
{
	ref_get(&s->refs);
}

void space_put(struct space *s)
{
	if (!ref_put(&s->refs))
		return;
	insist(rb_is_empty(&s->areas));
	arch_pt_fini(&s->pt);
	slab_free(space_cache, s);
}

/* After the last user has gone. A CPU may still have the tables loaded while it runs a
 * kernel thread, but that touches no user memory: nothing needs flushing. */
static void space_empty(struct space *s)
{
	struct list dead = LIST_INIT(dead);
	struct gather g;

	insist(thread_current()->space != s);
	write_lock(&s->lock);
	gather_init(&g, s);
	g.quiet = true;
	for_each_area(a, s, 0, USER_END) zap_range(&g, a->start, a->end);
	gather_flush(&g);
	for (struct area *a; (a = space_find(s, 0));) {
		area_remove(s, a);
		list_push_back(&dead, &a->rmap);
	}
	write_unlock(&s->lock);
	areas_free(&dead);
}

void space_unuse(struct space *s)
{
	if (!s || !ref_put(&s->users))
		return;
	space_empty(s);
	if (s->exe && s->exe_put)
		s->exe_put(s->exe);
	s->exe = NULL;
	space_put(s);
}

void space_switch(struct space *s)
{
	struct thread *t = thread_current();
	uint64_t f = irq_save();

	t->space = s;
	t->pt = s ? &s->pt : NULL;
	arch_pt_activate(t->pt);
	irq_restore(f);
}

/* ---- fork ---- */

struct copy {
	struct area *from, *to;
	uint64_t table; /* the slots of this span, base address plus one; 0: none yet */
	uint64_t *slot;
	uint64_t next;	   /* address that found no table page */
	uint64_t rights;   /* of the shared entries on both sides: no writing */
	uint64_t writable; /* the bits that a writable entry has more */
	int64_t n;	   /* pages shared */
	bool narrowed;	   /* a right was taken from the old space */
};

/* The child's entry for va; the walk goes upwards, so one table serves many entries. */
static uint64_t *copy_slot(struct copy *c, uint64_t va)
{
	uint64_t base = ALIGN_DOWN(va, TABLE_SPAN);
	if (c->table != base + 1) {
		c->slot = arch_pt_slot(&c->to->space->pt, base, true);
		c->table = c->slot ? base + 1 : 0;
	}
	return c->slot ? c->slot + ((va - base) >> PAGE_SHIFT) : NULL;
}

/* Shares one private page: from now on both sides read it only (V3). Pages of files are
 * left out: the child faults them in where it wants them. */
static int copy_entry(uint64_t va, uint64_t *pte, void *arg)
{
	struct copy *c = arg;
	uint64_t old = *pte;
	struct page *p = pte_page(old);

	if (!p || p->kind != PAGE_KIND_ANON)
		return 0;
	uint64_t *slot = copy_slot(c, va);
	if (!slot) {
		c->next = va;
		return 1;
	}
	page_get(p);
	*slot = pte_of(c->rights, p);
	if (pte_present(old) && old & c->writable) {
		*pte = *slot;
		c->narrowed = true;
	}
	c->n++;
	return 0;
}

/* Copies the private pages of one area. 0 or -ENOMEM. The child's lock is not needed:
 * nobody knows it yet, and its area is not on its mapping's list. */
static int pages_copy(struct copy *c, struct space *old)
{
	uint64_t at = c->from->start;
	int stuck;

	do {
		c->table = 0;
		spin_lock(&old->pt_lock);
		stuck = arch_pt_walk(&old->pt, at, c->from->end, copy_entry, c);
		spin_unlock(&old->pt_lock);
		at = c->next;
	} while (stuck && fault_room());
	rss_add_anon(c->to->space, c->n);
	return stuck ? -ENOMEM : 0;
}

static bool copies_pages(const struct area *a)
{
	if (a->flags & (AREA_SHARED | AREA_WIPEONFORK))
		return false;
	return area_is_anon(a) || a->cows;
}

/* One area into the new space. 0 or -ENOMEM. */
static int area_fork(struct space *old, struct area *a, struct space *s, bool *narrowed)
{
	struct area *b = area_new();
	if (!b)
		return -ENOMEM;
	*b = *a;
	list_init(&b->rmap);
	b->flags &= ~(uint32_t)AREA_LOCKED;
	b->space = s;
	struct copy c = { .from = a, .to = b, .rights = pte_rights(a, false) };
	c.writable = pte_rights(a, true) & ~c.rights;
	int err = copies_pages(a) ? pages_copy(&c, old) : 0;
	*narrowed |= c.narrowed;
	/* Inserted even then, so that what was copied is taken apart with the space. */
	if (b->ops && b->ops->get)
		b->ops->get(b->owner);
	area_insert(s, b);
	return err;
}

/* What a child inherits beside its memory. */
static void inherit(struct space *s, const struct space *old)
{
	s->mmap_top = old->mmap_top;
	s->brk_start = old->brk_start;
	s->brk = old->brk;
	s->code_start = old->code_start;
	s->code_end = old->code_end;
	s->data_start = old->data_start;
	s->data_end = old->data_end;
	s->stack_start = old->stack_start;
	s->arg_start = old->arg_start;
	s->arg_end = old->arg_end;
	s->env_start = old->env_start;
	s->env_end = old->env_end;
	s->vdso = old->vdso;
	memcpy(s->auxv, old->auxv, sizeof s->auxv);
	s->dumpable = old->dumpable;
	s->limits_gen = old->limits_gen;
	s->limit_as = old->limit_as;
	s->limit_data = old->limit_data;
	s->limit_stack = old->limit_stack;
	s->limit_memlock = old->limit_memlock;
}

int space_fork(struct space *old, struct space **ret)
{
	struct space *s;
	bool narrowed = false;
	int err = space_new(&s);

	if (err)
		return err;
	inherit(s, old);
	read_lock(&old->lock);
	for_each_area(a, old, 0, USER_END)
	{
		if (a->flags & AREA_DONTFORK)
			continue;
		err = area_fork(old, a, s, &narrowed);
		if (err)
			break;
	}
	if (narrowed)
		arch_tlb_flush(&old->pt, 0, USER_END);
	read_unlock(&old->lock);
	if (err) {
		space_unuse(s);
		return err;
	}
	*ret = s;
	return 0;
}
