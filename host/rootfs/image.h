/*
 * Writes a tree as an ext4 image, with mke2fs and libext2fs, as any user: owners, modes,
 * times, links, devices and extended attributes are those of the tree, whoever runs it.
 *
 * I1  Nothing of the tree touches the file systems of this machine: hostile names,
 *     links and devices exist only inside the image.
 * I2  The same tree gives the same bytes.
 */
#ifndef HOST_ROOTFS_IMAGE_H
#define HOST_ROOTFS_IMAGE_H

#include "host/rootfs/tree.h"

struct image;

/*
 * Lays the tree out in the empty file `fd`, without the regular files' bytes, which
 * image_write() then brings. `name`: for messages. NULL with a line. Borrows both.
 */
struct image *image_new(const char *name, int fd, struct tree *tree);
/* Bytes of a regular file that has links, at `offset`; what is never written is zero.
 * Bytes past the size the tree says are refused: 0 or -errno. */
must_use int image_write(struct image *image, const struct tree_inode *inode,
			 const void *bytes, size_t size, uint64_t offset);
/* Ends the writing, and frees it. 0, or -1 with a line. */
must_use int image_finish(struct image *image);
void image_drop(struct image *image);

/* A file out of an ext4 image: heap. 0 or -EIO. */
must_use int image_file_read(const char *image, const char *path, uint8_t **ret_bytes,
			     size_t *ret_size);

#endif
