/* lib/elf.c on hostile bytes: E1 to E5 hold of every plan, relocations lie in the
 * file. */
#include <stdlib.h>

#include "lib/elf.h"

#define LIMIT 0x7ffffffff000ull

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void plan_check(const struct elf_plan *plan, uint64_t size)
{
	uint64_t last = 0;

	must(plan->count >= 1 && plan->count <= ELF_SEGMENTS_MAX);
	must(plan->lo % 4096 == 0 && plan->hi % 4096 == 0 && plan->hi <= LIMIT);
	for (uint32_t i = 0; i < plan->count; i++) {
		const struct elf_segment *s = &plan->seg[i];
		must(s->memsz && s->memsz <= LIMIT && s->vaddr <= LIMIT - s->memsz);
		must(s->vaddr / 4096 * 4096 >= last);
		must(s->filesz <= s->memsz && s->filesz <= size &&
		     s->offset <= size - s->filesz);
		must((s->vaddr - s->offset) % 4096 == 0);
		must(s->vaddr >= plan->lo && s->vaddr + s->memsz <= plan->hi);
		last = (s->vaddr + s->memsz + 4095) / 4096 * 4096;
	}
	must(plan->interp.size <= ELF_INTERP_MAX && plan->interp.offset <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct elf_rela *table = NULL;
	const char *why = NULL;
	struct elf_plan plan;
	uint64_t count = 0;

	if (elf_image_read(data, size, LIMIT, &plan, &why)) {
		must(why);
		return 0;
	}
	plan_check(&plan, size);
	if (elf_relocs_read(data, size, &plan, &table, &count, &why) == 0 && count)
		must((const uint8_t *)table >= data &&
		     (const uint8_t *)(table + count) <= data + size);
	return 0;
}
