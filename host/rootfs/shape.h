/* What inodes and folders look like in an image, byte for byte. Pure. */
#ifndef HOST_ROOTFS_SHAPE_H
#define HOST_ROOTFS_SHAPE_H

#include <ext2fs/ext2fs.h>

#include "host/rootfs/tree.h"

#define BLOCK_SIZE 4096u

/* Whether it is a symbolic link whose target does not fit into the inode. */
bool shape_long_link(const struct tree_inode *inode);
/* How many blocks its content takes. */
uint64_t shape_blocks(const struct tree_inode *inode);
uint32_t shape_links(const struct tree_inode *inode);
/* A folder's shape_blocks() blocks, zeroed before, but for their checksums. The inodes of
 * its entries have their numbers. */
void shape_folder(const struct tree_inode *folder, uint8_t *blocks);
/* The inode, but for its extents, target and size where the tree does not say one. */
void shape_inode(const struct tree_inode *inode, struct ext2_inode_large *raw);

#endif
