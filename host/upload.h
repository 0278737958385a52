/* Sends what comes before START: the job and its files, as fast as the port takes it. */
#ifndef HOST_UPLOAD_H
#define HOST_UPLOAD_H

#include <fts.h>

#include "host/channel.h"
#include "host/plan.h"

struct upload {
	const struct plan *plan;
	unsigned step;	    /* in the table of upload.c */
	size_t at;	    /* how far the step is */
	FTS *walk;	    /* of the --file being sent */
	int fd;		    /* of the file being sent; -1 without one */
	const char *failed; /* the path that an error is about */
};

void upload_init(struct upload *u, const struct plan *plan);
/* Queues the next frame; the channel has room. 1, 0 when START has been queued, or -errno
 * with ->failed set. */
must_use int upload_next(struct upload *u, struct channel *c);
void upload_fini(struct upload *u);

#endif
