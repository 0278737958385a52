/* The loader's gate; see verify.h. */
#include <asm/errno.h>

#include "boot/common/verify.h"

/* The image is linked at 0 and must fit the window the loader places it in. */
#define KERNEL_SPAN_MAX MIB(64)

static int refuse(struct refusal *why, const char *part, const char *reason)
{
	*why = (struct refusal){ part, reason };
	return -EINVAL;
}

static const struct elf_segment *segment_of(const struct elf_plan *plan, uint64_t va,
					    uint64_t size)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		const struct elf_segment *s = &plan->seg[i];
		if (va >= s->vaddr && size <= s->memsz &&
		    va - s->vaddr <= s->memsz - size)
			return s;
	}
	return NULL;
}

static int relocs_check(const struct verified *v, struct refusal *why)
{
	const struct elf_segment *last = NULL;

	for (uint64_t i = 0; i < v->reloc_count; i++) {
		const struct elf_rela *r = &v->relocs[i];
		if (r->info != ELF_RELOC_RELATIVE)
			return refuse(why, "kernel", "a relocation of unknown kind");
		/* They come sorted: the segment is nearly always the one before. */
		if (!last || r->offset < last->vaddr ||
		    r->offset - last->vaddr > last->memsz - 8)
			last = segment_of(&v->kernel, r->offset, 8);
		if (!last || (last->flags & ELF_X))
			return refuse(why, "kernel", "a relocation outside its data");
	}
	return 0;
}

static int kernel_check(struct verified *v, struct refusal *why)
{
	const struct bundle_part *k = &v->bundle.part[BUNDLE_KERNEL];

	why->part = "kernel";
	if (elf_image_read(k->data, k->size, KERNEL_SPAN_MAX, &v->kernel, &why->reason))
		return -EINVAL;
	if (!v->kernel.dyn || v->kernel.interp.size || v->kernel.lo != 0)
		return refuse(why, "kernel", "not a static position-independent image");
	for (uint32_t i = 0; i < v->kernel.count; i++) {
		const struct elf_segment *s = &v->kernel.seg[i];
		if (s->flags & ELF_W && s->flags & ELF_X)
			return refuse(why, "kernel",
				      "a segment is writable and executable");
		if (s->memsz < 8 || s->vaddr % 4096)
			return refuse(why, "kernel", "a segment is not page-aligned");
	}
	const struct elf_segment *text = segment_of(&v->kernel, v->kernel.entry, 1);
	if (!text || !(text->flags & ELF_X))
		return refuse(why, "kernel", "the entry point is not in its text");
	if (elf_relocs_read(k->data, k->size, &v->kernel, &v->relocs, &v->reloc_count,
			    &why->reason))
		return -EINVAL;
	return relocs_check(v, why);
}

static int cmdline_check(const struct bundle_part *p, struct refusal *why)
{
	for (uint64_t i = 0; i < p->size; i++)
		if (p->data[i] < ' ' || p->data[i] > '~')
			return refuse(why, "cmdline", "not printable ASCII");
	return 0;
}

int verify_bundle(const void *file, uint64_t size, struct verified *ret,
		  struct refusal *why)
{
	int err = bundle_parse(file, size, &ret->bundle, why);

	if (!err)
		err = cmdline_check(&ret->bundle.part[BUNDLE_CMDLINE], why);
	return err ? err : kernel_check(ret, why);
}
