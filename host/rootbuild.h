/*
 * Builds an ext4 image of a folder or tar archive, and keeps it in the cache until its
 * source changes.
 *
 * R1  An image appears in the cache when it is complete. Whatever is on the way has no
 *     name, but for the folder an archive is unpacked to, and that is removed by a
 *     process of its own even if this one is killed.
 * R2  Owners and modes in the image do not depend on who builds it: a folder's files of
 *     the user who builds belong to root, an archive's to whom it says.
 */
#ifndef HOST_ROOTBUILD_H
#define HOST_ROOTBUILD_H

#include "host/install.h"

/* Where the agent is in an image that is built here. */
#define ROOTBUILD_INIT "/.mayfly-agent"

/* An open image of `path`, or -1 with a line. */
must_use int rootbuild(const struct install *install, const char *path, bool tar,
		       bool verbose);

/* What goes into an image besides the files: debugfs commands and the sums that size
 * it. */
struct rootfix {
	char *commands;
	size_t size, room;
	uint64_t bytes, inodes;
};

/* Appends commands that set an inode's mode (with its type) and owner; without effect for
 * a path that debugfs's quoting cannot express. */
void rootfix_inode(struct rootfix *fix, const char *path, unsigned mode, unsigned uid,
		   unsigned gid);
/* Counts a file of `size` bytes. */
void rootfix_count(struct rootfix *fix, uint64_t size);

/* tar.c: unpacks the archive into the empty folder `into`; modes and owners go to `fix`.
 * 0, or -1 with a line. */
must_use int tar_unpack(const char *path, const char *into, struct rootfix *fix);

#endif
