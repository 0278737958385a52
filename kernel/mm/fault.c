/*
 * Faults: from an address to an area, growth of stacks, what to do when memory is short;
 * and faulting in on behalf of somebody else.
 */
#include "arch/upcall.h"
#include "core/sched.h"
#include "lib/string.h"
#include "mm/space_internal.h"

#define ROOM_PAGES 8

bool fault_room(void)
{
	return page_reclaim(ROOM_PAGES, RECLAIM_FOR_JOB) || page_oom();
}

/* On x86 what may be written or executed may be read. */
bool area_allows(const struct area *a, uint32_t access)
{
	static const uint32_t need[] = {
		[FAULT_READ] = PROT_READ | PROT_WRITE | PROT_EXEC,
		[FAULT_WRITE] = PROT_WRITE,
		[FAULT_EXEC] = PROT_EXEC,
	};
	return a->prot & need[access];
}

/* Nothing but the guard may be right below a stack, except another stack. */
static bool stack_room(struct area *a, uint64_t start)
{
	struct area *below = area_prev(a);
	if (!below)
		return start >= USER_START;
	uint64_t guard = below->flags & AREA_GROWSDOWN ? 0 : STACK_GUARD;
	return start >= below->end + guard;
}

/* Moves a stack's start down to cover va. 0 or -EFAULT. */
static int stack_grow(struct space *s, uint64_t va)
{
	uint64_t start = ALIGN_DOWN(va, PAGE_SIZE);
	int err = 0;

	write_lock(&s->lock);
	struct area *a = space_find(s, va);
	if (!a || !(a->flags & AREA_GROWSDOWN)) {
		err = -EFAULT;
	} else if (start < a->start) {
		uint64_t more = (a->start - start) >> PAGE_SHIFT;
		if (a->end - start > s->limit_stack || !stack_room(a, start) ||
		    limit_check(s, more, a->prot, a->flags))
			err = -EFAULT;
		else
			area_resize(s, a, start, a->end);
	}
	write_unlock(&s->lock);
	return err;
}

/* One try with the lock held shared. -ESTALE: a stack is to grow first. */
static int fault_try(struct space *s, uint64_t va, uint32_t access)
{
	struct area *a = space_find(s, va);

	if (unlikely(!a || va < a->start))
		return a && a->flags & AREA_GROWSDOWN ? -ESTALE : -EFAULT;
	if (unlikely(!area_allows(a, access)))
		return -EACCES;
	return fault_in(s, a, va, access == FAULT_WRITE, UINT64_MAX);
}

/* A fault that made the thread read from a device is a major one. */
static void fault_count(struct thread_counts *c, bool major)
{
	page_event_add(EVENT_FAULT, 1);
	if (major) {
		c->maj_flt++;
		page_event_add(EVENT_MAJOR_FAULT, 1);
	} else {
		c->min_flt++;
	}
}

int space_fault(struct space *s, uint64_t va, uint32_t access, bool user)
{
	struct thread_counts *c = &thread_current()->counts;
	uint64_t read_before = c->read_bytes;
	int err;

	if (va >= USER_END)
		return -EFAULT;
	do {
		read_lock(&s->lock);
		err = fault_try(s, va, access);
		read_unlock(&s->lock);
		if (unlikely(err == -ESTALE))
			err = stack_grow(s, va) ? -EFAULT : -EAGAIN;
		if (unlikely(err == -ENOTABLE))
			err = fault_room() ? -EAGAIN : -ENOMEM;
	} while (err == -EAGAIN);
	if (likely(!err))
		fault_count(c, c->read_bytes != read_before);
	return err;
}

bool upcall_page_fault(uint64_t va, enum fault_access access, bool present, bool user)
{
	struct space *s = thread_current()->space;
	return s && space_fault(s, va, access, user) == 0;
}

/* Would mmap's or mlock's populating write to the area? Private pages are copied at
 * once. */
static bool populate_writes(const struct area *a)
{
	return (a->prot & PROT_WRITE) && !(a->flags & AREA_SHARED);
}

/* As far as one hold of the lock gets; *at moves on. */
static int populate_some(struct space *s, uint64_t *at, uint64_t end)
{
	struct area *a = NULL;

	for (; *at < end; *at += PAGE_SIZE) {
		if (!a || *at >= a->end)
			a = space_find(s, *at);
		if (!a || *at < a->start)
			return -ENOMEM;
		if (!area_allows(a, FAULT_READ))
			return -EFAULT;
		int err = fault_in(s, a, *at, populate_writes(a), end);
		if (err)
			return err == -EIO ? -EFAULT : err;
	}
	return 0;
}

int space_populate(struct space *s, uint64_t start, uint64_t end)
{
	int err;

	do {
		read_lock(&s->lock);
		err = populate_some(s, &start, end);
		read_unlock(&s->lock);
		if (thread_work(thread_current()) & WORK_KILL)
			return -ENOMEM;
	} while (err == -ENOTABLE && fault_room());
	return err == -ENOTABLE ? -ENOMEM : err;
}

/* Is the access, or the force of a debugger, enough for this area? */
static bool pin_allowed(const struct area *a, bool write, bool force)
{
	if (area_allows(a, write ? FAULT_WRITE : FAULT_READ))
		return true;
	if (!force)
		return false;
	if (write)
		return !(a->flags & AREA_SHARED) && (a->flags & AREA_MAY_WRITE);
	return a->flags & AREA_MAY_READ;
}

/* The page of an entry that is good enough already, with a reference; NULL: fault it
 * in. */
static struct page *pin_present(struct space *s, const struct area *a, uint64_t va,
				bool write)
{
	struct page *p = NULL;

	spin_lock(&s->pt_lock);
	uint64_t *slot = arch_pt_slot(&s->pt, va, false);
	uint64_t v = slot ? *slot : 0;
	if (v)
		p = pte_page(v);
	/* A private copy of ours may be written though its entry says read-only
	 * (force). */
	if (p && write && !(pte_present(v) && arch_pte_flags(v) & PTE_W) &&
	    (a->flags & AREA_SHARED || p->kind != PAGE_KIND_ANON ||
	     ref_read(&p->refs) > 1))
		p = NULL;
	if (p)
		page_get(p);
	spin_unlock(&s->pt_lock);
	return p;
}

int page_pin(struct space *s, uint64_t va, bool write, bool force, struct page **ret)
{
	struct area *a = space_find(s, va);

	if (!a || va < a->start || !pin_allowed(a, write, force))
		return -EFAULT;
	for (;;) {
		struct page *p = pin_present(s, a, va, write);
		if (p) {
			*ret = p;
			return 0;
		}
		int err = fault_in(s, a, va, write, 0);
		if (err)
			return err;
	}
}

int space_pin(struct space *s, uint64_t va, bool write, struct page **ret_page)
{
	int err;

	if (va >= USER_END)
		return -EFAULT;
	do {
		read_lock(&s->lock);
		err = page_pin(s, va, write, false, ret_page);
		read_unlock(&s->lock);
	} while (err == -ENOTABLE && fault_room());
	return err == -ENOTABLE ? -ENOMEM : err == -EIO ? -EFAULT : err;
}

/* The bytes of one page. Bytes or -errno. */
static int64_t access_part(struct space *s, uint64_t va, char *buf, size_t n, bool write,
			   bool force)
{
	struct page *p;
	int err;

	do {
		read_lock(&s->lock);
		err = page_pin(s, va, write, force, &p);
		read_unlock(&s->lock);
	} while (err == -ENOTABLE && fault_room());
	if (err)
		return err == -EIO ? -EIO : -EFAULT;
	char *at = (char *)page_va(p) + va % PAGE_SIZE;
	memcpy(write ? at : buf, write ? buf : at, n);
	page_put(p);
	return (int64_t)n;
}

int64_t space_access(struct space *s, uint64_t va, void *buf, size_t n, bool write,
		     bool force)
{
	size_t done = 0;

	while (done < n) {
		uint64_t at = va + done;
		if (at >= USER_END)
			return done ? (int64_t)done : -EFAULT;
		size_t part = MIN(n - done, PAGE_SIZE - at % PAGE_SIZE);
		int64_t r = access_part(s, at, (char *)buf + done, part, write, force);
		if (r < 0)
			return done ? (int64_t)done : r;
		done += part;
	}
	return (int64_t)done;
}
