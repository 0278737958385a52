/*
 * ext4 as it lies on disk (Linux, Documentation/filesystems/ext4). Little endian, as is
 * every machine this is built for. Bytes that are of no use to a reader are gaps named
 * after their offset.
 */
#ifndef LIB_EXT4_DISK_H
#define LIB_EXT4_DISK_H

#include "lib/base.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "structures are read in place");

#define EXT4_SUPER_OFFSET 1024u
#define EXT4_SUPER_SIZE 1024u
#define EXT4_MAGIC 0xef53u
#define EXT4_ROOT_INO 2u
#define EXT4_FIRST_INO 11u /* those before it, but for the root, are ext4's own */
#define EXT4_NAME_MAX 255u
#define EXT4_BLOCK_SIZE_MAX 4096u /* what we read; the format goes to 64 KiB */
#define EXT4_INODE_SIZE_MIN 128u
#define EXT4_BLOCK_AREA 60u /* bytes of an inode's i_block */

/* Features a reader may meet. What is in none of the masks of ext4.c is refused. */
enum ext4_incompat {
	EXT4_INCOMPAT_FILETYPE = 0x2,
	EXT4_INCOMPAT_RECOVER = 0x4, /* the journal holds newer blocks */
	EXT4_INCOMPAT_META_BG = 0x10,
	EXT4_INCOMPAT_EXTENTS = 0x40,
	EXT4_INCOMPAT_64BIT = 0x80,
	EXT4_INCOMPAT_MMP = 0x100,
	EXT4_INCOMPAT_FLEX_BG = 0x200,
	EXT4_INCOMPAT_CSUM_SEED = 0x2000,
	EXT4_INCOMPAT_LARGEDIR = 0x4000,
};

enum ext4_ro_compat {
	EXT4_RO_SPARSE_SUPER = 0x1,
	EXT4_RO_LARGE_FILE = 0x2,
	EXT4_RO_BTREE_DIR = 0x4,
	EXT4_RO_HUGE_FILE = 0x8,
	EXT4_RO_GDT_CSUM = 0x10,
	EXT4_RO_DIR_NLINK = 0x20,
	EXT4_RO_EXTRA_ISIZE = 0x40,
	EXT4_RO_QUOTA = 0x100,
	EXT4_RO_BIGALLOC = 0x200,
	EXT4_RO_METADATA_CSUM = 0x400,
	EXT4_RO_READONLY = 0x1000,
	EXT4_RO_PROJECT = 0x2000,
	EXT4_RO_SHARED_BLOCKS = 0x4000,
};

enum ext4_compat {
	EXT4_COMPAT_DIR_INDEX = 0x20,
	EXT4_COMPAT_SPARSE_SUPER2 = 0x200,
};

struct ext4_disk_super {
	uint32_t inodes_count;
	uint32_t blocks_count_lo;
	uint32_t reserved_blocks_lo;
	uint32_t free_blocks_lo;
	uint32_t free_inodes;
	uint32_t first_data_block;
	uint32_t log_block_size; /* 1024 << this */
	uint32_t log_cluster_size;
	uint32_t blocks_per_group;
	uint32_t clusters_per_group;
	uint32_t inodes_per_group;
	uint8_t at_2c[12];
	uint16_t magic;
	uint8_t at_3a[18];
	uint32_t revision;
	uint8_t at_50[4];
	uint32_t first_ino;
	uint16_t inode_size;
	uint16_t block_group;
	uint32_t feature_compat;
	uint32_t feature_incompat;
	uint32_t feature_ro_compat;
	uint8_t uuid[16];
	uint8_t at_78[116];
	uint32_t hash_seed[4];
	uint8_t hash_version;
	uint8_t at_fd;
	uint16_t desc_size;
	uint32_t mount_options;
	uint32_t first_meta_bg;
	uint8_t at_108[72];
	uint32_t blocks_count_hi;
	uint32_t reserved_blocks_hi;
	uint32_t free_blocks_hi;
	uint8_t at_15c[4];
	uint32_t flags; /* EXT4_FLAG_* */
	uint8_t at_164[17];
	uint8_t checksum_type;
	uint8_t at_176[214];
	uint32_t backup_groups[2]; /* sparse_super2 */
	uint8_t at_254[28];
	uint32_t checksum_seed;
	uint8_t at_274[392];
	uint32_t checksum; /* crc32c(~0, all bytes before) */
} packed;
_Static_assert(offsetof(struct ext4_disk_super, hash_seed) == 0xec, "super block");
_Static_assert(offsetof(struct ext4_disk_super, blocks_count_hi) == 0x150, "super block");
_Static_assert(offsetof(struct ext4_disk_super, checksum_type) == 0x175, "super block");
_Static_assert(offsetof(struct ext4_disk_super, backup_groups) == 0x24c, "super block");
_Static_assert(offsetof(struct ext4_disk_super, checksum_seed) == 0x270, "super block");
_Static_assert(sizeof(struct ext4_disk_super) == EXT4_SUPER_SIZE, "super block");

#define EXT4_FLAG_SIGNED_HASH 1u
#define EXT4_FLAG_UNSIGNED_HASH 2u
#define EXT4_CHECKSUM_CRC32C 1u

struct ext4_disk_group {
	uint32_t block_bitmap_lo;
	uint32_t inode_bitmap_lo;
	uint32_t inode_table_lo;
	uint8_t at_0c[6];
	uint16_t flags;
	uint8_t at_14[10];
	uint16_t checksum;
	/* only with descriptors of 64 bytes */
	uint32_t block_bitmap_hi;
	uint32_t inode_bitmap_hi;
	uint32_t inode_table_hi;
	uint8_t at_2c[20];
} packed;
#define EXT4_GROUP_SIZE_MIN 32u
_Static_assert(offsetof(struct ext4_disk_group, checksum) == 0x1e, "group descriptor");
_Static_assert(sizeof(struct ext4_disk_group) == 64, "group descriptor");

struct ext4_disk_inode {
	uint16_t mode;
	uint16_t uid_lo;
	uint32_t size_lo;
	uint32_t atime;
	uint32_t ctime;
	uint32_t mtime;
	uint32_t dtime;
	uint16_t gid_lo;
	uint16_t links;
	uint32_t blocks_lo;
	uint32_t flags; /* EXT4_INODE_* */
	uint32_t at_24;
	uint8_t block[EXT4_BLOCK_AREA];
	uint32_t generation;
	uint32_t xattr_block_lo;
	uint32_t size_hi;
	uint32_t at_70;
	uint16_t blocks_hi;
	uint16_t xattr_block_hi;
	uint16_t uid_hi;
	uint16_t gid_hi;
	uint16_t checksum_lo;
	uint16_t at_7e;
	/* only in inodes of more than 128 bytes, as far as extra_size says */
	uint16_t extra_size; /* bytes from here on that are fields */
	uint16_t checksum_hi;
	uint32_t ctime_extra;
	uint32_t mtime_extra;
	uint32_t atime_extra;
	uint32_t btime;
	uint32_t btime_extra;
	uint32_t at_98;
	uint32_t project;
} packed;
_Static_assert(offsetof(struct ext4_disk_inode, block) == 0x28, "inode");
_Static_assert(offsetof(struct ext4_disk_inode, checksum_lo) == 0x7c, "inode");
_Static_assert(sizeof(struct ext4_disk_inode) == 160, "inode");

enum ext4_inode_flag {
	EXT4_INODE_IMMUTABLE = 0x10,
	EXT4_INODE_APPEND = 0x20,
	EXT4_INODE_ENCRYPT = 0x800,
	EXT4_INODE_INDEX = 0x1000,	/* directory with a hash tree */
	EXT4_INODE_HUGE_FILE = 0x40000, /* blocks counts file-system blocks */
	EXT4_INODE_EXTENTS = 0x80000,
	EXT4_INODE_EA_INODE = 0x200000,
	EXT4_INODE_INLINE_DATA = 0x10000000,
	EXT4_INODE_CASEFOLD = 0x40000000,
	EXT4_INODE_SHOWN = 0x725bdfff, /* what Linux tells user space of */
};

struct ext4_disk_extent_header {
	uint16_t magic;
	uint16_t entries;
	uint16_t max;
	uint16_t depth; /* 0: the entries are extents */
	uint32_t generation;
} packed;
#define EXT4_EXTENT_MAGIC 0xf30au
#define EXT4_EXTENT_DEPTH_MAX 5u
/* Lengths above this are of extents that were allocated and never written: zeroes. */
#define EXT4_EXTENT_WRITTEN_MAX 32768u

struct ext4_disk_extent {
	uint32_t logical;
	uint16_t len;
	uint16_t start_hi;
	uint32_t start_lo;
} packed;

struct ext4_disk_extent_index {
	uint32_t logical;
	uint32_t child_lo;
	uint16_t child_hi;
	uint16_t unused;
} packed;
_Static_assert(sizeof(struct ext4_disk_extent) == 12, "extent");
_Static_assert(sizeof(struct ext4_disk_extent_index) == 12, "extent index");

/* A directory entry; its length is a multiple of 4, and entries tile the block. */
struct ext4_disk_dirent {
	uint32_t ino; /* 0: unused */
	uint16_t len; /* bytes */
	uint8_t name_len;
	uint8_t type; /* without the filetype feature: name_len's high byte, 0 */
	char name[];
} packed;
#define EXT4_DIRENT_HEAD 8u

/* Last entry of a checksummed directory block. */
struct ext4_disk_dir_tail {
	uint32_t zero;
	uint16_t len; /* 12 */
	uint8_t zero_len;
	uint8_t type; /* EXT4_DIR_TAIL_TYPE */
	uint32_t checksum;
} packed;
#define EXT4_DIR_TAIL_TYPE 0xdeu

/* Root of a directory's hash tree, after the entries "." and ".." of 12 bytes each. */
struct ext4_disk_dx_info {
	uint32_t zero;
	uint8_t hash_version;
	uint8_t info_len; /* 8 */
	uint8_t levels;	  /* of index nodes below the root */
	uint8_t unused;
} packed;
#define EXT4_DX_ROOT_INFO 24u
#define EXT4_DX_ROOT_ENTRIES 32u
#define EXT4_DX_NODE_ENTRIES 8u

/* The first entry's hash field holds limit and count; its hash is 0 by definition. */
struct ext4_disk_dx_entry {
	union {
		uint32_t hash;
		struct {
			uint16_t limit, count;
		};
	};
	uint32_t block;
} packed;

struct ext4_disk_dx_tail {
	uint32_t zero;
	uint32_t checksum;
} packed;

struct ext4_disk_xattr_header {
	uint32_t magic;
	uint32_t refs;
	uint32_t blocks; /* 1 */
	uint32_t hash;
	uint32_t checksum;
	uint32_t zero[3];
} packed;
#define EXT4_XATTR_MAGIC 0xea020000u
_Static_assert(sizeof(struct ext4_disk_xattr_header) == 32, "xattr block");

struct ext4_disk_xattr_entry {
	uint8_t name_len;
	uint8_t name_index;
	uint16_t value_offset;
	uint32_t value_ino; /* ea_inode: not known here */
	uint32_t value_size;
	uint32_t hash;
	char name[];
} packed;
_Static_assert(sizeof(struct ext4_disk_xattr_entry) == 16, "xattr entry");

#endif
