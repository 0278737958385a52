/* Four-level page tables (Intel SDM 3A, 4.5). Kernel pages are global and accessed/dirty
 * from the start, so that no CPU spends a locked write on them. */
#include "boot/common/memmap.h"
#include "boot/common/paging.h"
#include "lib/string.h"

#define P BIT(0)
#define W BIT(1)
#define UNCACHED (BIT(3) | BIT(4))
#define AD (BIT(5) | BIT(6))
#define LARGE BIT(7)
#define GLOBAL BIT(8)
#define NX BIT(63)
#define ADDRESS 0x000ffffffffff000ull

static uint64_t *table_at(uint64_t pa)
{
	return (uint64_t *)pa;
}

uint64_t paging_table(struct boot_info *info)
{
	uint64_t pa = memmap_take(info, MIB(1), 1, BOOT_MEM_TABLES);

	if (pa)
		memset(table_at(pa), 0, 4096);
	return pa;
}

/* The entry for va at `level` (1: 4 KiB page, 2: 2 MiB); NULL: no memory. */
static uint64_t *entry_at(struct boot_info *info, uint64_t va, int level)
{
	uint64_t *table = table_at(info->root_table);

	for (int l = 4;; l--) {
		uint64_t *e = &table[(va >> (12 + 9 * (l - 1))) & 511];
		if (l == level)
			return e;
		if (!*e) {
			uint64_t pa = paging_table(info);
			if (!pa)
				return NULL;
			*e = pa | P | W | AD;
		}
		table = table_at(*e & ADDRESS);
	}
}

bool paging_map(struct boot_info *info, uint64_t va, uint64_t pa, uint64_t size,
		uint32_t flags)
{
	uint64_t bits = P | AD | GLOBAL | (flags & MAP_W ? W : 0) |
			(flags & MAP_X ? 0 : NX) | (flags & MAP_UNCACHED ? UNCACHED : 0);

	while (size) {
		bool large = (flags & MAP_LARGE) && size >= MIB(2) &&
			     IS_ALIGNED(pa, MIB(2)) && IS_ALIGNED(va, MIB(2));
		int level = large ? 2 : 1;
		uint64_t step = large ? MIB(2) : KIB(4);
		uint64_t *e = entry_at(info, va, level);
		if (!e)
			return false;
		/* Runs of neighbours in one table need no new walk. */
		do {
			*e++ = pa | bits | (large ? LARGE : 0);
			va += step;
			pa += step;
			size -= step;
		} while (size >= step && (uint64_t)e % 4096 != 0);
	}
	return true;
}
