/*
 * Reading a tar archive, compressed or not, with libarchive. The library is loaded when
 * it is needed: with all it stands on it would make every other start of the command
 * slower by what it takes to boot a guest.
 *
 * Everything that comes out is as hostile as the archive.
 */
#ifndef HOST_ROOTFS_ARCHIVE_H
#define HOST_ROOTFS_ARCHIVE_H

#include "host/rootfs/digest.h"
#include "host/rootfs/tree.h"

/* Where an archive's bytes are: a piece of an open file. Borrows the file. */
struct blob {
	int fd;
	uint64_t offset, size;
};

struct archive_item {
	const char *path, *hardlink; /* hardlink: NULL if it is none */
	struct tree_meta meta;
};

struct archive_reader;

/* Called with every piece of the blob that is read, for digests and progress. */
typedef void (*archive_watch)(void *context, const void *bytes, size_t size);

/* 0, -ENOSYS if there is no libarchive here, or -EIO. `watch` may be NULL. */
must_use int archive_open(const struct blob *blob, archive_watch watch, void *context,
			  struct archive_reader **ret_reader);
/* The next item, good until the next call: 1, 0 at the end, -EIO. */
must_use int archive_next(struct archive_reader *reader, struct archive_item *ret_item);
/* Sets the item's extended attributes. */
void archive_xattrs(struct archive_reader *reader, struct tree_inode *inode);
/* The next piece of the item's bytes and where in the file it belongs; what lies between
 * pieces is zero. 1, 0 at the end, -EIO. */
must_use int archive_data(struct archive_reader *reader, const void **ret_bytes,
			  size_t *ret_size, uint64_t *ret_offset);
/* Reads what follows the archive's end, so that the watch has seen all of the blob. */
must_use int archive_finish(struct archive_reader *reader);
/* Whether it is compressed. */
bool archive_compressed(const struct archive_reader *reader);
/* What libarchive says went wrong. */
const char *archive_why(const struct archive_reader *reader);
void archive_close(struct archive_reader *reader);

#endif
