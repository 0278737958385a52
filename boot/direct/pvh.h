/*
 * The PVH boot protocol: what %ebx points at when a PVH image is entered.
 * Source: Xen's public header arch-x86/hvm/start_info.h and docs/misc/pvh.pandoc; all
 * fields little endian, all structures below 4 GiB.
 */
#ifndef BOOT_DIRECT_PVH_H
#define BOOT_DIRECT_PVH_H

#include "lib/base.h"

#define PVH_MAGIC 0x336ec578
#define PVH_MEM_RAM 1 /* memory types are E820's */

struct pvh_start_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, cmdline, rsdp; /* physical; 0: absent */
	/* since version 1 */
	uint64_t mem_map;
	uint32_t mem_entries, reserved;
};

struct pvh_module {
	uint64_t start, size, cmdline, reserved;
};

struct pvh_mem {
	uint64_t start, size;
	uint32_t type, reserved;
};

#endif
