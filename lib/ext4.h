/*
 * Reading ext4: decodes and checks every on-disk structure a read-only file system
 * needs. The caller brings the bytes; nothing here reads a device, allocates or keeps
 * state.
 *
 * Errors, everywhere: -EUCLEAN for bytes that break the format, -EBADMSG for a checksum
 * that does not match, -EOPNOTSUPP for a feature that is not known here.
 *
 * Always true:
 *  E1  no byte outside the given structure is read, whatever its bytes say;
 *  E2  a block number that was handed out lies within the file system;
 *  E3  a feature flag or inode flag that changes a layout and is not known is refused;
 *  E4  with metadata_csum every structure's checksum is verified before its fields are
 *      used.
 */
#ifndef LIB_EXT4_H
#define LIB_EXT4_H

#include <asm/errno.h>

#include "lib/ext4_disk.h"

/* ---- super block and groups: lib/ext4.c ---- */

/* What the super block says, in the form that later questions want. */
struct ext4_geometry {
	uint32_t block_size, block_shift;
	uint64_t blocks;
	uint32_t first_block; /* 1 with blocks of 1 KiB, else 0 */
	uint32_t blocks_per_group, inodes_per_group;
	uint32_t groups, inodes;
	uint32_t inode_size, desc_size;
	uint32_t first_meta_bg; /* groups of descriptor blocks before it lie together */
	uint32_t backup_groups[2]; /* sparse_super2 */
	uint32_t csum_seed;
	uint32_t hash_seed[4];
	uint32_t incompat, ro_compat, compat;
	bool hash_unsigned;
	uint64_t free_blocks, reserved_blocks; /* statfs */
	uint32_t free_inodes;
	uint8_t uuid[16];
};

/* `super`: EXT4_SUPER_SIZE bytes from EXT4_SUPER_OFFSET. 0, -EINVAL (not ext4), or an
 * error as above; *ret_why then says what is wrong, in words. */
must_use int ext4_super_decode(const void *super, struct ext4_geometry *ret,
			       const char **ret_why);

static inline bool ext4_has_csum(const struct ext4_geometry *g)
{
	return g->ro_compat & EXT4_RO_METADATA_CSUM;
}

/* Whether `n` blocks from `block` on lie within the file system. */
static inline bool ext4_blocks_ok(const struct ext4_geometry *g, uint64_t block,
				  uint64_t n)
{
	return block >= g->first_block && block < g->blocks && n <= g->blocks - block;
}

/* Byte offset of a group's descriptor on the device. group < g->groups. */
uint64_t ext4_group_offset(const struct ext4_geometry *g, uint32_t group);
/* `desc`: g->desc_size bytes. *ret_table: the first block of the group's inode table. */
must_use int ext4_group_decode(const struct ext4_geometry *g, uint32_t group,
			       const void *desc, uint64_t *ret_table);

/* ---- inodes: lib/ext4.c ---- */

struct ext4_time {
	int64_t sec; /* since 1970 */
	uint32_t nsec;
};

struct ext4_inode {
	uint32_t ino, mode, links, uid, gid;
	uint32_t generation;   /* of the number */
	uint32_t flags;	       /* enum ext4_inode_flag */
	uint32_t csum_seed;    /* of everything that belongs to this inode */
	uint64_t size;	       /* bytes */
	uint64_t sectors;      /* of 512 bytes, as stat's st_blocks */
	uint64_t xattr_block;  /* 0: none */
	uint32_t xattr_offset; /* of attributes within the inode; 0: none */
	struct ext4_time atime, mtime, ctime, btime;
	uint8_t block
		[EXT4_BLOCK_AREA]; /* extent root, short link's text or device number */
};

/* Where inode `ino` lies: its group, and the byte offset in that group's inode table. */
must_use int ext4_inode_locate(const struct ext4_geometry *g, uint32_t ino,
			       uint32_t *ret_group, uint64_t *ret_offset);
/* `raw`: g->inode_size bytes. -ENOENT: the inode is not in use. */
must_use int ext4_inode_decode(const struct ext4_geometry *g, uint32_t ino,
			       const void *raw, struct ext4_inode *ret);
/* The link's text is in `block`; else it is the content of its first data block. */
bool ext4_link_is_short(const struct ext4_inode *i);
/* Device number of a character or block device. */
void ext4_inode_device(const struct ext4_inode *i, uint32_t *ret_major,
		       uint32_t *ret_minor);

/* ---- extent trees: lib/ext4_extent.c ---- */

enum ext4_run_kind {
	EXT4_RUN_HOLE,	/* reads as zeroes */
	EXT4_RUN_DATA,	/* `block` is where `logical` lies */
	EXT4_RUN_CHILD, /* look in the node at `block` */
};

struct ext4_run {
	enum ext4_run_kind kind;
	uint64_t block;
	uint64_t end; /* the answer holds for logical blocks before this one */
};

/* Depth of an inode's tree; 0: its extents are in the inode itself. */
must_use int ext4_extent_root(const struct ext4_geometry *g, const struct ext4_inode *i,
			      uint32_t *ret_depth);
/* Checks a node read from disk (one block), at `depth` above the leaves. */
must_use int ext4_extent_check(const struct ext4_geometry *g, const struct ext4_inode *i,
			       const void *node, uint32_t depth);
/* What a checked node (or i->block) says of `logical`. `end`: the parent's answer's, 1
 * << 32 at the root. */
struct ext4_run ext4_extent_find(const void *node, uint32_t logical, uint64_t end);

/* ---- directories: lib/ext4_dir.c ---- */

struct ext4_name {
	const char *s; /* within the block; no NUL at its end */
	uint32_t len;
	uint32_t ino;
	uint8_t type; /* EXT4_FT_*, 0: not known */
};

/* File types of directory entries, as index to DT_*. */
enum ext4_file_type { EXT4_FT_MAX = 8 };
uint8_t ext4_name_dt(uint8_t type);

/* Checks block number `nr` of directory i; its checksum, and that entries tile it. */
must_use int ext4_dir_check(const struct ext4_geometry *g, const struct ext4_inode *i,
			    const void *block, uint32_t nr);
/* The next used entry at or after *at of a checked block; *at then follows it. */
bool ext4_dir_next(const struct ext4_geometry *g, const void *block, uint32_t *at,
		   struct ext4_name *ret);
/* Inode number of a name in a checked block; 0: not there. */
uint32_t ext4_dir_find(const struct ext4_geometry *g, const void *block, const char *name,
		       uint32_t len);
/* Whether a name from disk may be shown to user space: no slash, no NUL, not empty. */
bool ext4_name_ok(const struct ext4_name *n);

/* The hash tree of a directory with EXT4_INODE_INDEX. */
struct ext4_dx {
	uint32_t hash;	 /* of the name looked for */
	uint32_t levels; /* index nodes between root and leaf */
	uint32_t next; /* hash field of the entry that follows the path taken; 0: none */
};

/* Begins a search: `root` is the directory's checked block 0. *ret_block: the block (of
 * the directory) to look at next; an index node while dx->levels > 0. -EOPNOTSUPP: a
 * hash function not known here; a linear search finds the name. */
must_use int ext4_dx_begin(const struct ext4_geometry *g, const void *root,
			   const char *name, uint32_t len, struct ext4_dx *dx,
			   uint32_t *ret_block);
/* Goes one level down through a checked index node. Counts dx->levels down. */
must_use int ext4_dx_descend(const struct ext4_geometry *g, const void *node,
			     struct ext4_dx *dx, uint32_t *ret_block);
/* The name is not in the leaf but may be in the one after it: its hash is shared. */
static inline bool ext4_dx_continues(const struct ext4_dx *dx)
{
	return dx->next == (dx->hash | 1);
}

enum ext4_hash_version {
	EXT4_HASH_LEGACY,
	EXT4_HASH_HALF_MD4,
	EXT4_HASH_TEA,
	EXT4_HASH_N,
};
/* lib/ext4_hash.c. Even, as in index entries. version < EXT4_HASH_N. */
uint32_t ext4_name_hash(const uint32_t seed[4], bool is_unsigned,
			enum ext4_hash_version version, const char *name, uint32_t len);

/* ---- extended attributes: lib/ext4_xattr.c ---- */

struct ext4_xattr_area {
	const uint8_t *base; /* what value offsets count from */
	uint32_t at, size;   /* bytes from base: the next entry, the end */
};

struct ext4_xattr {
	uint8_t index; /* of the name's prefix */
	const char *name;
	uint32_t name_len;
	const void *value;
	uint32_t value_len;
};

/* Attributes within the inode; an empty area when there are none. `raw` as for decode. */
must_use int ext4_xattr_in_inode(const struct ext4_geometry *g,
				 const struct ext4_inode *i, const void *raw,
				 struct ext4_xattr_area *ret);
/* Attributes in block i->xattr_block. */
must_use int ext4_xattr_in_block(const struct ext4_geometry *g,
				 const struct ext4_inode *i, const void *block,
				 struct ext4_xattr_area *ret);
/* 1: *ret is the next one; 0: no more. */
must_use int ext4_xattr_next(struct ext4_xattr_area *a, struct ext4_xattr *ret);
/* "user.", "security." …, or the whole name of an access control list; NULL: not known
 * here. */
const char *ext4_xattr_prefix(uint8_t index);

#endif
