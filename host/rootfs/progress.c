/* Progress on a terminal. */
#include <stdio.h>
#include <unistd.h>

#include "host/rootfs/progress.h"

/* Often enough to see it move. */
#define INTERVAL_NS (100 * NSEC_PER_MSEC)

void progress_begin(struct progress *progress, const char *what, uint64_t total)
{
	*progress = (struct progress){ .what = isatty(STDERR_FILENO) ? what : NULL,
				       .total = total,
				       .shown_ns = now_ns() };
}

void progress_add(struct progress *progress, uint64_t bytes)
{
	uint64_t now;

	progress->done += bytes;
	if (!progress->what)
		return;
	now = now_ns();
	if (now - progress->shown_ns < INTERVAL_NS)
		return;
	progress->shown_ns = now;
	fprintf(stderr, "\rmayfly: %s: %3u%%\033[K", progress->what,
		progress->total ? (unsigned)(MIN(progress->done, progress->total) * 100 /
					     progress->total)
				: 0);
}

void progress_end(struct progress *progress)
{
	if (progress->what)
		fputs("\r\033[K", stderr);
	progress->what = NULL;
}
