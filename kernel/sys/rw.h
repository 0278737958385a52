/* What the calls share that move bytes with RWF_* flags. */
#ifndef SYS_RW_H
#define SYS_RW_H

#include "fs/vfs.h"

/* One way of moving bytes, and which of a thread's accounts it goes into. */
struct rw_way {
	int64_t (*fn)(struct file *f, struct uio *u, uint64_t *pos);
	bool write;
};

/* The way that preadv2(2) and pwritev2(2) go with these RWF_* flags; one that refuses
 * where there is none. */
const struct rw_way *rw_way_of(uint32_t flags, bool write);
/* Whether the file can be read or written so. */
bool rw_flags_ok(const struct file *f, uint32_t flags, bool write);

#endif
