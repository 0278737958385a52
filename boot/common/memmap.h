/*
 * The memory map a loader builds for boot_info: sorted, page-aligned, no overlaps (B1).
 * Later claims cut holes into earlier ones, so RAM goes in first, then what is taken.
 */
#ifndef BOOT_COMMON_MEMMAP_H
#define BOOT_COMMON_MEMMAP_H

#include "lib/boot_info.h"

/* Memory of the loader itself and of its input: FREE in the end. */
#define MEM_LOADER 0x100

/* Gives [start, end) a type, whatever it was. The range is widened to whole pages, or for
 * BOOT_MEM_FREE shrunk. False: the map is full. */
must_use bool memmap_set(struct boot_info *info, uint64_t start, uint64_t end,
			 uint32_t type);
/* Takes the lowest free pages at or above `from`, below 4 GiB. 0: none. */
must_use uint64_t memmap_take(struct boot_info *info, uint64_t from, uint64_t pages,
			      uint32_t type);
/* Everything of type `from` becomes `to`. */
void memmap_retype(struct boot_info *info, uint32_t from, uint32_t to);

#endif
