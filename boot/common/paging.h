/* The kernel's first page tables, built by a loader through its identity map. */
#ifndef BOOT_COMMON_PAGING_H
#define BOOT_COMMON_PAGING_H

#include "lib/boot_info.h"

enum map_flags {
	MAP_W = 1,
	MAP_X = 2,
	MAP_UNCACHED = 4,
	MAP_LARGE = 8, /* 2 MiB pages where alignment allows */
};

/* Maps [pa, pa + size) at va below info->root_table. False: no memory for a table. */
must_use bool paging_map(struct boot_info *info, uint64_t va, uint64_t pa, uint64_t size,
			 uint32_t flags);
/* A zeroed page for a table; 0: no memory. */
must_use uint64_t paging_table(struct boot_info *info);

#endif
