/* How far something long has come, on stderr while that is a terminal. */
#ifndef HOST_ROOTFS_PROGRESS_H
#define HOST_ROOTFS_PROGRESS_H

#include "host/mayfly.h"

struct progress {
	const char *what; /* NULL: nobody looks */
	uint64_t done, total, shown_ns;
};

/* total: bytes that progress_add() will add up to. Borrows the text. */
void progress_begin(struct progress *progress, const char *what, uint64_t total);
void progress_add(struct progress *progress, uint64_t bytes);
/* Clears the line. */
void progress_end(struct progress *progress);

#endif
