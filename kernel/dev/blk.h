/* Block devices: whole-sector reads and writes through a driver's request queue. */
#ifndef DEV_BLK_H
#define DEV_BLK_H

#include "arch/arch.h"
#include "core/wait.h"

#define SECTOR_SIZE 512u

struct blk_segment {
	paddr_t pa;
	uint32_t len; /* bytes, a multiple of SECTOR_SIZE */
};

struct blk_device {
	char name[16];	   /* "vda" */
	uint64_t sectors;
	bool read_only;
	uint32_t max_segments;
	/* Moves the segments from/to `sector` on; sleeps until done. 0, -EIO, -ENOMEM. */
	int (*transfer)(struct blk_device *d, bool write, uint64_t sector,
			const struct blk_segment *seg, size_t n);
	void *priv;
};

must_use int blk_register(struct blk_device *d);
struct blk_device *blk_find(const char *name); /* "vda" or "/dev/vda"; NULL */
struct blk_device *blk_nth(size_t i);
/* Into kernel memory; any byte range. 0, -EIO, -EINVAL past the end, -ENOMEM. */
must_use int blk_read(struct blk_device *d, uint64_t off, void *buf, size_t n);

#endif
