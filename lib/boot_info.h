/*
 * What a loader hands to the kernel: one struct, in a page of its own, at the direct-map
 * address passed in %rdi. Loader and kernel of one build share this header; magic,
 * version and size make a mixed pair stop with a message instead of running on.
 *
 * Always true when the kernel's first instruction runs:
 *  B1  `map` is sorted, without overlaps, page-aligned, and covers all RAM the firmware
 *      named;
 *  B2  everything the loader placed (kernel, tables, this page, symbols) has a type of
 *      its own in `map`: what is BOOT_MEM_FREE belongs to nobody;
 *  B3  all of RAM below `direct_size`, except the kernel's text and read-only data, is
 *      mapped read-write, no-execute at `direct_base`; the device window, uncached;
 *  B4  the kernel's segments are mapped with their own permissions, in 4 KiB pages; none
 *      is both writable and executable;
 *  B5  the lower half of the address space holds the loader's identity map and nothing
 *      else.
 */
#ifndef LIB_BOOT_INFO_H
#define LIB_BOOT_INFO_H

#include "lib/base.h"

#define BOOT_INFO_MAGIC 0x544f4f42594c464dull /* "MFLYBOOT" */
#define BOOT_INFO_VERSION 1

/* Registers below 4 GiB that the kernel reaches through the direct map: virtio-mmio
 * transports, IOAPIC, TPM, LAPIC. */
#define BOOT_DEVICE_START 0xfea00000ull
#define BOOT_DEVICE_END 0xff000000ull

enum boot_mem_type {
	BOOT_MEM_FREE = 1,
	BOOT_MEM_RESERVED,   /* firmware's */
	BOOT_MEM_KERNEL,     /* the kernel's image, bss included */
	BOOT_MEM_TABLES,     /* page tables and boot_info */
	BOOT_MEM_EARLY,	     /* pages for the kernel's use before its allocator runs */
	BOOT_MEM_TRAMPOLINE, /* below 1 MiB: where other CPUs start */
	BOOT_MEM_SYMBOLS,    /* read at a panic */
};

struct boot_mem {
	uint64_t start, end; /* physical, page-aligned */
	uint32_t type;	     /* enum boot_mem_type */
	uint32_t zero;
};

#define BOOT_MEM_MAX 64
#define BOOT_CMDLINE_MAX 2048 /* with the NUL */

struct boot_info {
	uint64_t magic;
	uint32_t version, size; /* BOOT_INFO_VERSION, sizeof(struct boot_info) */

	/* where things are */
	uint64_t kernel_virt, kernel_phys, kernel_size; /* page-aligned; size with bss */
	/* virtual address of physical 0; span in bytes */
	uint64_t direct_base, direct_size;
	uint64_t vmap_base, vmap_size;	    /* empty window of the kernel half */
	uint64_t root_table;		    /* physical; the table CR3 holds */
	uint64_t trampoline;		    /* physical; two pages below 1 MiB, 0: none */
	uint64_t early, early_end;	    /* physical; zeroed pages */
	uint64_t symbols, symbols_size;	    /* physical; 0: none */
	uint64_t rsdp;			    /* physical; 0: no ACPI */
	uint64_t event_log, event_log_size; /* physical; 0: nothing was measured */

	/* the machine */
	uint32_t cpu_count;
	uint32_t map_count;
	struct boot_mem map[BOOT_MEM_MAX];

	/* time: TSC stamps, and the LAPIC timer's start (divider 16, counting down from
	 * ~0) */
	uint64_t tsc_entry, tsc_done, tsc_lapic;

	/* 64 bytes nobody else has seen; the kernel wipes them after use */
	uint8_t seed[64];
	uint32_t seed_is_hardware; /* 0: only timing jitter went in */

	uint32_t cmdline_len;
	char cmdline[BOOT_CMDLINE_MAX];
};
_Static_assert(sizeof(struct boot_info) <= 4096 * 2, "boot_info fits its two pages");

#endif
