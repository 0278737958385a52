/*
 * Where a new program's parts go: every one at a random address, 28 bits for image and
 * mmap area, 22 for the stack, 13 for the heap's distance (as Linux's default on x86-64).
 * A program that asked for it (ADDR_NO_RANDOMIZE, debuggers) gets the same each time.
 */
#include <asm/errno.h>
#include <asm/mman.h>
#include <linux/personality.h>

#include "proc/exec.h"
#include "proc/vdso.h"
#include "sec/entropy.h"

#define IMAGE_BASE 0x555555554000ul /* position independent programs: two thirds up */
#define STACK_BITS 22
#define MMAP_BITS 28
#define HEAP_BITS 13
#define STACK_FIRST KIB(132)   /* mapped at once; grows by faults */
#define STACK_GAP_MIN MIB(128) /* left for growth above the mmap area */
#define STACK_GAP_MAX (USER_END / 6 * 5)
#define TABLE_SPAN MIB(2) /* one page of page-table entries */

uint64_t exec_random_below(uint64_t n)
{
	return task_current()->persona & ADDR_NO_RANDOMIZE ? 0 : entropy_get_u64() % n;
}

static uint64_t random_pages(unsigned bits)
{
	return exec_random_below(BIT(bits)) << PAGE_SHIFT;
}

/* The vDSO lies above the stack within the same span, so that it costs no table of its
 * own. */
static void choose_stack(struct exec *e)
{
	uint64_t vdso_size = vdso_pages() * PAGE_SIZE;
	uint64_t top = USER_END - TABLE_SPAN - random_pages(STACK_BITS);
	uint64_t span_end = ALIGN_UP(top, TABLE_SPAN);
	if (span_end - top < vdso_size + PAGE_SIZE)
		top = span_end - vdso_size - PAGE_SIZE;
	uint64_t room = (span_end - top - vdso_size) >> PAGE_SHIFT;
	e->stack_top = top;
	e->vdso = top + (1 + exec_random_below(room)) * PAGE_SIZE;
}

static uint64_t choose_mmap_top(void)
{
	uint64_t gap = rlimit_current(RLIMIT_STACK);
	gap = MIN(MAX(gap, STACK_GAP_MIN), STACK_GAP_MAX);
	gap += PAGE_SIZE << STACK_BITS;
	uint64_t top = USER_END - TABLE_SPAN - ALIGN_UP(gap, PAGE_SIZE);
	uint64_t shift = random_pages(MMAP_BITS);
	return top > shift + GIB(1) ? top - shift : top;
}

static int map_stack(struct exec *e)
{
	struct map_request r = {
		.addr = e->stack_top - STACK_FIRST,
		.len = STACK_FIRST,
		.prot = PROT_READ | PROT_WRITE,
		.flags = AREA_GROWSDOWN | AREA_STACK | AREA_MAY_READ | AREA_MAY_WRITE |
			 AREA_MAY_EXEC,
		.fixed = true,
	};
	int64_t at = space_map(e->space, &r);
	e->space->stack_start = e->stack_top;
	return at < 0 ? (int)at : 0;
}

static int place_program(struct exec *e)
{
	struct elf_plan *p = &e->program.plan;
	uint64_t align = MAX(p->align, PAGE_SIZE), span = p->hi - p->lo;
	e->program.bias = 0;
	if (p->dyn) {
		uint64_t base = ALIGN_DOWN(IMAGE_BASE + random_pages(MMAP_BITS), align);
		if (span > e->space->mmap_top - base)
			return -ENOMEM;
		e->program.bias = base - p->lo;
	} else if (p->lo < USER_START) {
		return -EPERM;
	}
	return exec_image_map(&e->program, e->space);
}

/* The interpreter goes where mmap would put it. */
static int place_interp(struct exec *e)
{
	struct elf_plan *p = &e->interp.plan;
	uint64_t align = MAX(p->align, PAGE_SIZE), span = p->hi - p->lo;
	e->interp.bias = 0;
	if (p->dyn) {
		struct map_request r = { .len = span + align, .prot = PROT_NONE };
		int64_t at = space_map(e->space, &r);
		if (at < 0)
			return (int)at;
		int err = space_unmap(e->space, (uint64_t)at, r.len);
		if (err)
			return err;
		e->interp.bias = ALIGN_UP((uint64_t)at, align) - p->lo;
	}
	return exec_image_map(&e->interp, e->space);
}

/* What /proc/pid/stat and prctl(PR_SET_MM) call code and data; where the heap starts. */
static void note_segments(struct exec *e)
{
	struct space *s = e->space;
	const struct exec_image *im = &e->program;
	uint64_t end = 0;
	s->code_start = s->data_start = UINT64_MAX;
	for (uint32_t i = 0; i < im->plan.count; i++) {
		const struct elf_segment *g = &im->plan.seg[i];
		uint64_t from = im->bias + g->vaddr, to = from + g->filesz;
		end = MAX(end, from + g->memsz);
		if (g->flags & ELF_X) {
			s->code_start = MIN(s->code_start, from);
			s->code_end = MAX(s->code_end, to);
		} else if (g->flags & ELF_W) {
			s->data_start = MIN(s->data_start, from);
			s->data_end = MAX(s->data_end, to);
		}
	}
	if (s->data_start == UINT64_MAX)
		s->data_start = s->data_end = s->code_end;
	s->brk_start = s->brk = ALIGN_UP(end, PAGE_SIZE) + random_pages(HEAP_BITS);
}

int exec_layout(struct exec *e)
{
	choose_stack(e);
	e->space->mmap_top = choose_mmap_top();
	int err = place_program(e);
	if (!err)
		err = map_stack(e);
	if (!err && e->interp.file)
		err = place_interp(e);
	if (!err)
		err = vdso_map(e->space, e->vdso, &e->vdso);
	if (err)
		return err;
	note_segments(e);
	const struct exec_image *first = e->interp.file ? &e->interp : &e->program;
	e->entry = first->bias + first->plan.entry;
	return 0;
}
