/*
 * Block devices: whole-sector reads and writes through a driver's request queue, and a
 * page cache over each device for what is read piecemeal (file systems' metadata).
 *
 * Devices are registered while booting, by one CPU, and stay.
 */
#ifndef DEV_BLK_H
#define DEV_BLK_H

#include "arch/arch.h"
#include "core/wait.h"
#include "mm/mapping.h"
#include "mm/slab.h"

#define SECTOR_SIZE 512u

struct blk_segment {
	paddr_t pa;
	uint32_t len; /* bytes, a multiple of SECTOR_SIZE */
};

/* What a device has done, one direction each: /proc/diskstats. Busy times of requests
 * that overlap add up. */
struct blk_stats {
	_Atomic uint64_t requests, sectors, busy_ns;
};

struct blk_device {
	char name[16]; /* "vda" */
	uint64_t sectors;
	bool read_only;
	uint32_t max_segments;
	/* Moves the segments from/to `sector` on; sleeps until done. 0, -EIO, -ENOMEM. */
	int (*transfer)(struct blk_device *d, bool write, uint64_t sector,
			const struct blk_segment *seg, size_t n);
	void *priv;
	struct blk_stats stats[2];  /* reads, writes */
	_Atomic uint32_t in_flight; /* requests under way */
	struct mapping cache;	    /* the device's bytes; blk_register sets it up */
};

/* Moves the segments, and enters that into the accounts. 0, -EIO, -ENOMEM. */
must_use int blk_transfer(struct blk_device *d, bool write, uint64_t sector,
			  const struct blk_segment *seg, size_t n);
/* Every device has this major, and 16 minors. */
#define BLK_MAJOR 254
#define BLK_MINORS 16
must_use int blk_register(struct blk_device *d);
struct blk_device *blk_find(const char *name); /* "vda" or "/dev/vda"; NULL */
struct blk_device *blk_nth(size_t i);
/* Into kernel memory; any byte range. 0, -EIO, -EINVAL past the end, -ENOMEM. */
must_use int blk_read(struct blk_device *d, uint64_t off, void *buf, size_t n);
/* The cached page that holds byte `off`, with a reference; up to `ahead` pages are read
 * at once when it is not there. 0, -EIO, -EINVAL past the end, -ENOMEM. */
must_use int blk_page(struct blk_device *d, uint64_t off, size_t ahead,
		      struct page **ret);
/* Whole pages that lie one after another on the device, from `sector` on, in as few
 * requests as the device allows. 0 or -EIO. */
must_use int blk_read_pages(struct blk_device *d, uint64_t sector, struct page **pages,
			    size_t n);

#endif
