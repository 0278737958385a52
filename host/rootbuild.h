/*
 * Makes an ext4 image of a folder, an archive or an image of others, and keeps it in
 * the cache: once for the same content, and found again as long as its source is
 * unchanged.
 *
 * R1  An image appears in the cache when it is complete. Whatever is on the way has no
 *     name, so a conversion that is killed leaves nothing.
 * R2  Owners and modes in the image do not depend on who builds it: a folder's files of
 *     the user who builds belong to root, an archive's to whom it says.
 * R3  One conversion at a time: whoever wants the same meanwhile waits, and finds it.
 *
 * In the cache, root-KEY.img is an image, its key made of content and agent; seen-KEY is
 * a link to one, its key made of a source's state (files, sizes, times).
 */
#ifndef HOST_ROOTBUILD_H
#define HOST_ROOTBUILD_H

#include "host/install.h"

/* Where the agent is in an image that is built here. */
#define ROOTBUILD_INIT "/.mayfly-agent"

struct rootbuild {
	const struct install *install;
	const char *path;      /* a folder or a file */
	const char *reference; /* which of several images; NULL: the only one */
	bool folder, verbose;
};

/* An open image out of the cache, or -1 with a line. */
must_use int rootbuild(const struct rootbuild *build);
/* Writes an image to `to`, whatever the cache has. 0, or -1 with a line. */
must_use int rootbuild_to(const struct rootbuild *build, const char *to);

#endif
