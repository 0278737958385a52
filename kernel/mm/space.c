/*
 * The life of an address space: made, copied by fork, switched to, taken apart.
 */
#include "core/sched.h"
#include "lib/string.h"
#include "mm/page_internal.h"
#include "mm/slab.h"
#include "mm/space_internal.h"

static struct slab_cache *space_cache; /* [I] after space_init */
static struct space *loaded[CPU_MAX];  /* own CPU: dead, see space_put */

void space_init(void)
{
	space_cache = slab_cache_new("space", sizeof(struct space), 0);
	insist(space_cache);
	area_cache_init();
	mapping_cache_init();
	reclaim_init();
}

int space_new(struct space **ret)
{
	struct space *s = slab_zalloc(space_cache);
	if (!s)
		return -ENOMEM;
	int err;
	/* Tables are made without sleeping, so making room is up to us. */
	do
		err = arch_pt_init(&s->pt);
	while (err == -ENOMEM && fault_room());
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

static void space_free(struct space *s)
{
	if (!s)
		return;
	arch_pt_fini(&s->pt);
	slab_free(space_cache, s);
}

/* A space that never had more pages than this has few tables. */
#define LOADED_PAGES_MAX 1024

/* Tables that a CPU has loaded would have to be unloaded first, for nothing: it is about
 * to load others. So such a space, if small, is kept until the next one, or until memory
 * is short. */
void space_put(struct space *s)
{
	if (!ref_put(&s->refs))
		return;
	insist(rb_is_empty(&s->areas));
	if (s->pt.active && s->rss_peak <= LOADED_PAGES_MAX) {
		struct space **slot = &loaded[cpu_id()];
		struct space *before = *slot;
		*slot = s;
		s = before;
	}
	space_free(s);
}

void space_drain(void)
{
	struct space **slot = &loaded[cpu_id()];
	struct space *s = *slot;
	*slot = NULL;
	space_free(s);
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

void *space_exe_get(struct space *s, void (*get)(void *exe))
{
	spin_lock(&s->pt_lock);
	void *exe = s->exe;
	if (exe)
		get(exe);
	spin_unlock(&s->pt_lock);
	return exe;
}

void *space_set_aio(struct space *s, void *aio, void (*free)(void *aio))
{
	spin_lock(&s->pt_lock);
	if (!s->aio) {
		s->aio_free = free;
		s->aio = aio;
	}
	spin_unlock(&s->pt_lock);
	return s->aio;
}

void space_unuse(struct space *s)
{
	if (!s || !ref_put(&s->users))
		return;
	if (s->aio)
		s->aio_free(s->aio);
	space_empty(s);
	/* /proc/pid/exe may be on its way to it. */
	spin_lock(&s->pt_lock);
	void *exe = s->exe;
	s->exe = NULL;
	spin_unlock(&s->pt_lock);
	if (exe && s->exe_put)
		s->exe_put(exe);
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

#define COPIED_MAX 8	/* pages that a fork copies at once */
#define NARROWED_MAX 32 /* pages that a fork flushes one by one */

struct copy {
	struct space *from, *to;
	size_t copies; /* pages that may yet be copied at once */
	/* Pages that the old space could write to until now; beyond the maximum they are
	 * only counted. */
	size_t n_narrowed;
	uint64_t narrowed[NARROWED_MAX];
	/* Of the area at hand: */
	uint64_t rights;   /* of an entry that grants all the area allows */
	uint64_t writable; /* the bits that only writable entries have */
	int64_t n;	   /* pages that the child got */
};

/* A page written since the last fork is most likely one that both sides will write again
 * (the stack, what belongs to a thread): a copy now saves each of them a fault. Another
 * thread could be writing while we copy, so only of a space that has no other. */
static bool copy_now(struct copy *c, struct page *p, uint64_t *from, uint64_t *to)
{
	if (!c->copies || !(arch_pte_flags(*from) & PTE_DIRTY) || ref_read(&p->refs) != 1)
		return false;
	struct page *copy = page_copy(p, PAGE_ATOMIC);
	if (!copy)
		return false;
	c->copies--;
	/* Clean until it is written again. A CPU that still takes it for dirty does no
	 * harm: then the next fork shares it. */
	*from = pte_of(c->rights, p);
	*to = pte_of(c->rights, copy);
	return true;
}

/* From now on both sides only read the page (V3). */
static void copy_share(struct copy *c, struct page *p, uint64_t va, uint64_t *from,
		       uint64_t *to)
{
	uint64_t v = *from;

	page_get(p);
	if (pte_present(v) && v & c->writable) {
		v &= ~c->writable;
		*from = v;
		if (c->n_narrowed < NARROWED_MAX)
			c->narrowed[c->n_narrowed] = va;
		c->n_narrowed++;
	}
	*to = v;
}

static void copy_flush(struct copy *c)
{
	if (c->n_narrowed > NARROWED_MAX)
		arch_tlb_flush(&c->from->pt, 0, USER_END);
	else if (c->n_narrowed)
		arch_tlb_flush_pages(&c->from->pt, c->narrowed, c->n_narrowed);
}

/* Gives the child the private pages of [va, end), which one table maps. Pages of files
 * are left out: the child faults them in where it wants them. */
static void copy_span(struct copy *c, uint64_t *from, uint64_t *to, uint64_t va,
		      uint64_t end)
{
	for (; va < end; va += PAGE_SIZE, from++, to++) {
		uint64_t old = *from;
		if (!old) {
			if (!pte_group_empty(from))
				continue;
			va += (PTE_GROUP - 1) * PAGE_SIZE;
			from += PTE_GROUP - 1;
			to += PTE_GROUP - 1;
			continue;
		}
		struct page *p = pte_page(old);
		if (!p || p->kind != PAGE_KIND_ANON)
			continue;
		c->n++;
		bool written = pte_present(old) && old & c->writable;
		if (!written || !copy_now(c, p, from, to))
			copy_share(c, p, va, from, to);
	}
}

/* Copies the private pages of one area. 0 or -ENOMEM. The child's lock is not needed:
 * nobody knows it yet, and its area is not on its mapping's list. */
static int pages_copy(struct copy *c, const struct area *a)
{
	uint64_t va = a->start, *from, *to;
	struct space *old = c->from;
	bool stuck;

	c->rights = pte_rights(a, true);
	c->writable = c->rights & ~pte_rights(a, false);
	c->n = 0;
	do {
		stuck = false;
		spin_lock(&old->pt_lock);
		while (!stuck && (from = arch_pt_next(&old->pt, &va, a->end))) {
			uint64_t stop = MIN(a->end, table_end(va));
			to = arch_pt_slot(&c->to->pt, va, true);
			stuck = !to;
			if (to) {
				copy_span(c, from, to, va, stop);
				va = stop;
			}
		}
		spin_unlock(&old->pt_lock);
	} while (stuck && fault_room());
	rss_add_anon(c->to, c->n);
	return stuck ? -ENOMEM : 0;
}

static bool copies_pages(const struct area *a)
{
	if (a->flags & (AREA_SHARED | AREA_WIPEONFORK))
		return false;
	return area_is_anon(a) || a->cows;
}

/* One area into the new space. 0 or -ENOMEM. */
static int area_fork(struct copy *c, const struct area *a)
{
	struct area *b = area_new();
	if (!b)
		return -ENOMEM;
	*b = *a;
	list_init(&b->rmap);
	b->flags &= ~(uint32_t)AREA_LOCKED;
	b->space = c->to;
	int err = copies_pages(a) ? pages_copy(c, a) : 0;
	/* Inserted even then, so that what was copied is taken apart with the space. */
	if (b->ops && b->ops->get)
		b->ops->get(b->owner);
	area_insert(c->to, b);
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
	s->wants_barriers = old->wants_barriers;
	s->wants_core_barriers = old->wants_core_barriers;
	s->no_wx = old->no_wx;
	s->thp_disabled = old->thp_disabled;
}

int space_fork(struct space *old, struct space **ret)
{
	struct copy c = { .from = old };
	int err = space_new(&c.to);

	if (err)
		return err;
	struct space *s = c.to;
	inherit(s, old);
	c.copies = ref_read(&old->users) == 1 ? COPIED_MAX : 0;
	/* Exclusive, or a thread could copy a page while another still writes to it
	 * through a TLB that has not been flushed. */
	write_lock(&old->lock);
	for_each_area(a, old, 0, USER_END)
	{
		if (a->flags & AREA_DONTFORK)
			continue;
		err = area_fork(&c, a);
		if (err)
			break;
	}
	copy_flush(&c);
	write_unlock(&old->lock);
	if (err) {
		space_unuse(s);
		return err;
	}
	*ret = s;
	return 0;
}
