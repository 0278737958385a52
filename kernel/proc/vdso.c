/*
 * The vDSO's pages: its image, copied once into pages that areas can map, and the data
 * page with the clock in it.
 */
#include "proc/vdso.h"
#include <asm/mman.h>

#include "core/panic.h"
#include "core/timer.h"
#include "lib/string.h"
#include "proc/proc.h"
#include "proc/vdso_data.h"

#define IMAGE_PAGES_MAX 4

extern const char vdso_image_start[];
extern const uint64_t vdso_image_size;

static struct page *pages[1 + IMAGE_PAGES_MAX];		     /* [I] the data page first */
static size_t n_pages;					     /* [I] */
static struct spinlock data_lock = SPINLOCK_INIT(RANK_LEAF); /* interrupts off */

static struct vdso_data *data(void)
{
	return page_va(pages[0]);
}

/* ---- the clock ---- */

static void update(const struct clock_scale *s)
{
	struct vdso_data *d = data();
	uint64_t flags = spin_lock_irq(&data_lock);
	__atomic_store_n(&d->seq, d->seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	d->mult = s->mult;
	d->base_tsc = s->base_tsc;
	d->base_mono = s->base_ns;
	d->base_real = s->base_ns + clock_real_offset();
	__atomic_store_n(&d->seq, d->seq + 1, __ATOMIC_RELEASE);
	spin_unlock_irq(&data_lock, flags);
}

static void real_was_set(void)
{
	struct clock_scale s = clock_scale_get();
	update(&s);
}

/* ---- mapping ---- */

static int fault(struct area *a, uint64_t pgoff, struct page **ret)
{
	(void)a;
	if (pgoff >= n_pages)
		return -EIO;
	page_get(pages[pgoff]);
	*ret = pages[pgoff];
	return 0;
}

static const struct area_ops vdso_ops = { .fault = fault };

size_t vdso_pages(void)
{
	return n_pages;
}

static int map(struct space *s, uint64_t at, uint64_t pgoff, size_t n, uint32_t prot,
	       const char *label)
{
	struct map_request r = {
		.addr = at,
		.len = n * PAGE_SIZE,
		.prot = prot,
		.flags = AREA_SHARED | AREA_SPECIAL | AREA_MAY_READ | AREA_MAY_EXEC |
			 AREA_DONTDUMP,
		.fixed = true,
		.pgoff = pgoff,
		.ops = &vdso_ops,
		.label = label,
	};
	int64_t done = space_map(s, &r);
	return done < 0 ? (int)done : 0;
}

int vdso_map(struct space *s, uint64_t at, uint64_t *ret)
{
	int err = map(s, at, 0, 1, PROT_READ, "[vvar]");
	if (!err)
		err = map(s, at + PAGE_SIZE, 1, n_pages - 1, PROT_READ | PROT_EXEC,
			  "[vdso]");
	if (err)
		return err;
	s->vdso = *ret = at + PAGE_SIZE;
	return 0;
}

void vdso_init(void)
{
	size_t size = vdso_image_size;
	n_pages = 1 + ALIGN_UP(size, PAGE_SIZE) / PAGE_SIZE;
	insist(n_pages <= ARRAY_LEN(pages));
	for (size_t i = 0; i < n_pages; i++) {
		pages[i] = page_alloc(0, PAGE_ZERO);
		if (!pages[i])
			panic("no memory for the vDSO");
		if (i) {
			size_t off = (i - 1) * PAGE_SIZE;
			memcpy(page_va(pages[i]), vdso_image_start + off,
			       MIN(size - off, PAGE_SIZE));
		}
	}
	data()->has_cpu = arch_user_cpu_id();
	real_was_set();
	clock_scale_notify(update);
	clock_real_notify(real_was_set);
}
