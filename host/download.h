/*
 * What --out brings: files and folders of a hostile guest, written below the place that
 * the user named.
 *
 * L1  Nothing is written outside that place: every path is checked (wire_path_inside) and
 *     opened without following a link that came from the guest.
 * L2  A link is made only if it stays inside; devices and the like are never made.
 * L3  A single file appears when it is complete; a tree may stay incomplete, with a line.
 */
#ifndef HOST_DOWNLOAD_H
#define HOST_DOWNLOAD_H

#include "host/args.h"
#include "host/outfile.h"
#include "lib/wire.h"

struct download {
	const struct mapping *outs;
	size_t count, at;    /* answered so far */
	uint64_t left;	     /* bytes that may still come */
	char *place;	     /* where the current OUT goes */
	int top;	     /* the folder that a tree goes into; -1: none */
	struct outfile file; /* being written */
	mode_t mode;	     /* of it */
	uint64_t mtime_ns;
	bool open;    /* a FILE without its FILE_END */
	bool writing; /* and it is a regular file */
	int error;    /* the first that concerns the current OUT: positive errno */
	unsigned skipped;
	unsigned failures; /* OUTs that did not come whole */
};

void download_init(struct download *d, const struct mapping *outs, size_t count,
		   uint64_t max);
void download_fini(struct download *d);
/* Checks that each place can be written to, before the job runs. 0, or the exit
 * status. */
must_use int download_check(const struct mapping *outs, size_t count);
/* The guest's frames. 0, -EPROTO for what no honest agent sends, or -EFBIG past `max`;
 * errors of the host's disk are kept, told when the OUT ends, and counted. */
must_use int download_file(struct download *d, const struct wire_file *file);
must_use int download_data(struct download *d, const struct wire_tail *bytes);
must_use int download_file_end(struct download *d, unsigned error);
must_use int download_done(struct download *d, const struct wire_out_done *done);

#endif
