/* ext4: super block, group descriptors, inodes. */
#include <linux/stat.h>

#include "lib/crc32c.h"
#include "lib/ext4.h"
#include "lib/string.h"

#define INCOMPAT_KNOWN                                                                   \
	(EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_META_BG | EXT4_INCOMPAT_EXTENTS |        \
	 EXT4_INCOMPAT_64BIT | EXT4_INCOMPAT_MMP | EXT4_INCOMPAT_FLEX_BG |               \
	 EXT4_INCOMPAT_CSUM_SEED | EXT4_INCOMPAT_LARGEDIR)
/* fs-verity (0x8000) is not among them: its files promise a check that nobody would
 * make. */
#define RO_KNOWN                                                                         \
	(EXT4_RO_SPARSE_SUPER | EXT4_RO_LARGE_FILE | EXT4_RO_BTREE_DIR |                 \
	 EXT4_RO_HUGE_FILE | EXT4_RO_GDT_CSUM | EXT4_RO_DIR_NLINK |                      \
	 EXT4_RO_EXTRA_ISIZE | EXT4_RO_QUOTA | EXT4_RO_BIGALLOC |                        \
	 EXT4_RO_METADATA_CSUM | EXT4_RO_READONLY | EXT4_RO_PROJECT |                    \
	 EXT4_RO_SHARED_BLOCKS)
#define INODE_FLAGS_REFUSED                                                              \
	(EXT4_INODE_ENCRYPT | EXT4_INODE_EA_INODE | EXT4_INODE_INLINE_DATA |             \
	 EXT4_INODE_CASEFOLD)
#define LINK_MAX 4095u

static bool is_power_of_2(uint32_t n)
{
	return n && !(n & (n - 1));
}

static uint64_t lo_hi(uint32_t lo, uint32_t hi)
{
	return (uint64_t)hi << 32 | lo;
}

/* ---- super block ---- */

static const char *super_features(const struct ext4_disk_super *s)
{
	if (s->revision < 1)
		return "revision 0 of ext2";
	if (s->feature_incompat & EXT4_INCOMPAT_RECOVER)
		return "its journal is to be replayed first (run e2fsck on it)";
	if (s->feature_incompat & ~INCOMPAT_KNOWN)
		return "it uses an incompatible feature not known here";
	if (s->feature_ro_compat & ~RO_KNOWN)
		return "it uses a read-only compatible feature not known here";
	if (s->log_block_size > 2)
		return "its blocks are larger than 4 KiB";
	if ((s->feature_ro_compat & EXT4_RO_METADATA_CSUM) &&
	    s->checksum_type != EXT4_CHECKSUM_CRC32C)
		return "its checksums are not CRC-32C";
	return NULL;
}

static uint32_t csum_seed_of(const struct ext4_disk_super *s)
{
	if (s->feature_incompat & EXT4_INCOMPAT_CSUM_SEED)
		return s->checksum_seed;
	return crc32c(~0u, s->uuid, sizeof(s->uuid));
}

static void super_copy(const struct ext4_disk_super *s, struct ext4_geometry *g)
{
	bool is_64 = s->feature_incompat & EXT4_INCOMPAT_64BIT;

	*g = (struct ext4_geometry){
		.block_shift = 10 + s->log_block_size,
		.block_size = 1024u << s->log_block_size,
		.blocks = lo_hi(s->blocks_count_lo, is_64 ? s->blocks_count_hi : 0),
		.first_block = s->first_data_block,
		.blocks_per_group = s->blocks_per_group,
		.inodes_per_group = s->inodes_per_group,
		.inodes = s->inodes_count,
		.inode_size = s->inode_size,
		.desc_size = is_64 ? s->desc_size : EXT4_GROUP_SIZE_MIN,
		.first_meta_bg = s->feature_incompat & EXT4_INCOMPAT_META_BG
					 ? s->first_meta_bg
					 : UINT32_MAX,
		.csum_seed = csum_seed_of(s),
		.incompat = s->feature_incompat,
		.ro_compat = s->feature_ro_compat,
		.compat = s->feature_compat,
		.hash_unsigned = s->flags & EXT4_FLAG_UNSIGNED_HASH,
		.free_blocks = lo_hi(s->free_blocks_lo, is_64 ? s->free_blocks_hi : 0),
		.reserved_blocks =
			lo_hi(s->reserved_blocks_lo, is_64 ? s->reserved_blocks_hi : 0),
		.free_inodes = s->free_inodes,
	};
	memcpy(g->backup_groups, s->backup_groups, sizeof(g->backup_groups));
	memcpy(g->hash_seed, s->hash_seed, sizeof(g->hash_seed));
	memcpy(g->uuid, s->uuid, sizeof(g->uuid));
}

/* Everything later arithmetic relies on. Sets g->groups. The checks are gathered, not
 * branched on: nearly all disks pass, and every branch is code to run for the first
 * time. */
static const char *geometry_check(struct ext4_geometry *g)
{
	bool bigalloc = g->ro_compat & EXT4_RO_BIGALLOC;
	uint32_t desc_min = g->incompat & EXT4_INCOMPAT_64BIT ? 64 : EXT4_GROUP_SIZE_MIN;
	uint32_t bits = 8 * g->block_size;
	uint64_t groups;
	bool bad = g->first_block > (g->block_size == 1024);

	bad |= g->blocks <= g->first_block;
	bad |= g->blocks >> (63 - g->block_shift) != 0;
	bad |= g->inode_size < EXT4_INODE_SIZE_MIN;
	bad |= g->inode_size > g->block_size;
	bad |= !is_power_of_2(g->inode_size);
	bad |= g->desc_size < desc_min;
	bad |= g->desc_size > g->block_size;
	bad |= !is_power_of_2(g->desc_size);
	bad |= g->blocks_per_group == 0;
	bad |= g->blocks_per_group > bits && !bigalloc;
	bad |= g->inodes_per_group == 0;
	bad |= g->inodes_per_group > bits;
	if (bad)
		return "its sizes make no sense";
	groups = (g->blocks - g->first_block + g->blocks_per_group - 1) /
		 g->blocks_per_group;
	if (groups > UINT32_MAX || groups * g->inodes_per_group != g->inodes)
		return "its number of inodes makes no sense";
	g->groups = (uint32_t)groups;
	return NULL;
}

int ext4_super_decode(const void *super, struct ext4_geometry *ret, const char **ret_why)
{
	const struct ext4_disk_super *s = super;
	struct ext4_geometry g;
	const char *why;

	if (s->magic != EXT4_MAGIC) {
		*ret_why = "no ext4 super block";
		return -EINVAL;
	}
	why = super_features(s);
	if (why) {
		*ret_why = why;
		return -EOPNOTSUPP;
	}
	if ((s->feature_ro_compat & EXT4_RO_METADATA_CSUM) &&
	    crc32c(~0u, s, offsetof(struct ext4_disk_super, checksum)) != s->checksum) {
		*ret_why = "its super block's checksum is wrong";
		return -EBADMSG;
	}
	super_copy(s, &g);
	why = geometry_check(&g);
	if (why) {
		*ret_why = why;
		return -EUCLEAN;
	}
	*ret = g;
	return 0;
}

/* ---- groups ---- */

static bool is_power_of(uint32_t n, uint32_t base)
{
	while (n > 1 && n % base == 0)
		n /= base;
	return n == 1;
}

/* Whether the group begins with a copy of the super block. */
static bool group_has_super(const struct ext4_geometry *g, uint32_t group)
{
	if (group == 0)
		return true;
	if (g->compat & EXT4_COMPAT_SPARSE_SUPER2)
		return group == g->backup_groups[0] || group == g->backup_groups[1];
	if (!(g->ro_compat & EXT4_RO_SPARSE_SUPER) || group == 1)
		return true;
	return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

uint64_t ext4_group_offset(const struct ext4_geometry *g, uint32_t group)
{
	uint32_t per_block = g->block_size / g->desc_size;
	uint32_t meta = group / per_block, first = meta * per_block;
	uint64_t block;

	if (meta < g->first_meta_bg)
		block = (EXT4_SUPER_OFFSET >> g->block_shift) + 1 + meta;
	else
		block = (uint64_t)first * g->blocks_per_group + g->first_block +
			group_has_super(g, first);
	return (block << g->block_shift) + (uint64_t)(group % per_block) * g->desc_size;
}

/* CRC-16 (reflected polynomial 0xa001), what descriptors had before metadata_csum. */
static uint16_t crc16(uint16_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;

	while (n--) {
		crc ^= *p++;
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xa001 : 0);
	}
	return crc;
}

static bool group_csum_ok(const struct ext4_geometry *g, uint32_t group,
			  const struct ext4_disk_group *d)
{
	const uint32_t at = offsetof(struct ext4_disk_group, checksum), after = at + 2;
	const uint8_t *raw = (const uint8_t *)d;
	const uint16_t zero = 0;

	if (ext4_has_csum(g)) {
		uint32_t crc = crc32c(g->csum_seed, &group, sizeof(group));

		crc = crc32c(crc, raw, at);
		crc = crc32c(crc, &zero, sizeof(zero));
		crc = crc32c(crc, raw + after, g->desc_size - after);
		return (uint16_t)crc == d->checksum;
	}
	if (g->ro_compat & EXT4_RO_GDT_CSUM) {
		uint16_t crc = crc16(0xffff, g->uuid, sizeof(g->uuid));

		crc = crc16(crc, &group, sizeof(group));
		crc = crc16(crc, raw, at);
		crc = crc16(crc, raw + after, g->desc_size - after);
		return crc == d->checksum;
	}
	return true;
}

int ext4_group_decode(const struct ext4_geometry *g, uint32_t group, const void *desc,
		      uint64_t *ret_table)
{
	const struct ext4_disk_group *d = desc;
	uint64_t bytes = (uint64_t)g->inodes_per_group * g->inode_size;
	uint64_t table;

	if (!group_csum_ok(g, group, d))
		return -EBADMSG;
	table = lo_hi(d->inode_table_lo,
		      g->desc_size >= sizeof(*d) ? d->inode_table_hi : 0);
	if (!ext4_blocks_ok(g, table, (bytes + g->block_size - 1) >> g->block_shift))
		return -EUCLEAN;
	*ret_table = table;
	return 0;
}

/* ---- inodes ---- */

int ext4_inode_locate(const struct ext4_geometry *g, uint32_t ino, uint32_t *ret_group,
		      uint64_t *ret_offset)
{
	if (ino < 1 || ino > g->inodes)
		return -EUCLEAN;
	*ret_group = (ino - 1) / g->inodes_per_group;
	*ret_offset = (uint64_t)((ino - 1) % g->inodes_per_group) * g->inode_size;
	return 0;
}

/* Whether the inode is large enough to have a field of its extra part. */
#define INODE_HAS(g, d, field)                                                           \
	((g)->inode_size > EXT4_INODE_SIZE_MIN &&                                        \
	 EXT4_INODE_SIZE_MIN + (d)->extra_size >=                                        \
		 offsetof(struct ext4_disk_inode, field) + sizeof((d)->field))

static uint32_t inode_seed(const struct ext4_geometry *g, uint32_t ino,
			   uint32_t generation)
{
	return crc32c(crc32c(g->csum_seed, &ino, sizeof(ino)), &generation,
		      sizeof(generation));
}

static bool inode_csum_ok(const struct ext4_geometry *g, const struct ext4_disk_inode *d,
			  uint32_t seed)
{
	const uint32_t lo = offsetof(struct ext4_disk_inode, checksum_lo);
	const uint32_t hi = offsetof(struct ext4_disk_inode, checksum_hi);
	const uint8_t *raw = (const uint8_t *)d;
	const uint16_t zero = 0;
	bool has_hi = INODE_HAS(g, d, checksum_hi);
	uint32_t crc = crc32c(seed, raw, lo), want = d->checksum_lo;

	crc = crc32c(crc, &zero, sizeof(zero));
	if (!has_hi) {
		crc = crc32c(crc, raw + lo + 2, g->inode_size - lo - 2);
		return (uint16_t)crc == want;
	}
	crc = crc32c(crc, raw + lo + 2, hi - lo - 2);
	crc = crc32c(crc, &zero, sizeof(zero));
	crc = crc32c(crc, raw + hi + 2, g->inode_size - hi - 2);
	return crc == (want | (uint32_t)d->checksum_hi << 16);
}

/* `extra`: two more bits of seconds, then nanoseconds. */
static struct ext4_time time_decode(uint32_t sec, uint32_t extra)
{
	uint32_t nsec = extra >> 2;

	return (struct ext4_time){
		.sec = (int64_t)(int32_t)sec + ((int64_t)(extra & 3) << 32),
		.nsec = nsec < NSEC_PER_SEC ? nsec : 0,
	};
}

#define AT(field) offsetof(struct ext4_disk_inode, field)
static const struct {
	uint8_t sec, extra; /* in the inode on disk */
	uint8_t to;	    /* in struct ext4_inode */
} inode_times[] = {
	{ AT(atime), AT(atime_extra), offsetof(struct ext4_inode, atime) },
	{ AT(mtime), AT(mtime_extra), offsetof(struct ext4_inode, mtime) },
	{ AT(ctime), AT(ctime_extra), offsetof(struct ext4_inode, ctime) },
	{ AT(btime), AT(btime_extra), offsetof(struct ext4_inode, btime) },
};

static void times_decode(const struct ext4_geometry *g, const struct ext4_disk_inode *d,
			 struct ext4_inode *i)
{
	const uint8_t *raw = (const uint8_t *)d;
	uint32_t end = EXT4_INODE_SIZE_MIN;

	if (g->inode_size > EXT4_INODE_SIZE_MIN)
		end += d->extra_size;
	for (size_t k = 0; k < ARRAY_LEN(inode_times); k++) {
		uint32_t sec = 0, extra = 0;
		struct ext4_time t;

		if (inode_times[k].sec + sizeof(sec) <= end)
			memcpy(&sec, raw + inode_times[k].sec, sizeof(sec));
		if (inode_times[k].extra + sizeof(extra) <= end)
			memcpy(&extra, raw + inode_times[k].extra, sizeof(extra));
		t = time_decode(sec, extra);
		memcpy((char *)i + inode_times[k].to, &t, sizeof(t));
	}
}

static int inode_sizes(const struct ext4_geometry *g, const struct ext4_disk_inode *d,
		       struct ext4_inode *i)
{
	bool huge = g->ro_compat & EXT4_RO_HUGE_FILE, bad;

	i->size = d->size_lo;
	if (S_ISREG(i->mode) || S_ISDIR(i->mode))
		i->size = lo_hi(d->size_lo, d->size_hi);
	i->sectors = lo_hi(d->blocks_lo, huge ? d->blocks_hi : 0);
	if (huge && (i->flags & EXT4_INODE_HUGE_FILE))
		i->sectors <<= g->block_shift - 9;
	i->xattr_block = lo_hi(d->xattr_block_lo, d->xattr_block_hi);
	/* Logical block numbers have 32 bits. */
	bad = i->size > (uint64_t)UINT32_MAX << g->block_shift;
	bad |= S_ISDIR(i->mode) & (!i->size | ((i->size & (g->block_size - 1)) != 0));
	bad |= S_ISLNK(i->mode) & (!i->size | (i->size > MIN(LINK_MAX, g->block_size)));
	if (bad || (i->xattr_block && !ext4_blocks_ok(g, i->xattr_block, 1)))
		return -EUCLEAN;
	if (g->inode_size > EXT4_INODE_SIZE_MIN) {
		uint32_t at = EXT4_INODE_SIZE_MIN + d->extra_size;

		if (at > g->inode_size || d->extra_size & 3)
			return -EUCLEAN;
		/* No extra part at all: the rest of the inode was never set. */
		if (d->extra_size && at + sizeof(uint32_t) <= g->inode_size)
			i->xattr_offset = at;
	}
	return 0;
}

/* Types of inodes are four bits, of which seven values are in use. */
static bool inode_type_ok(uint32_t mode)
{
	const uint32_t known = BIT(S_IFIFO >> 12) | BIT(S_IFCHR >> 12) |
			       BIT(S_IFDIR >> 12) | BIT(S_IFBLK >> 12) |
			       BIT(S_IFREG >> 12) | BIT(S_IFLNK >> 12) |
			       BIT(S_IFSOCK >> 12);

	return known >> (mode >> 12) & 1;
}

/* Whether i's bytes are found through i->block as an extent tree. */
static bool inode_has_data(const struct ext4_inode *i)
{
	return S_ISREG(i->mode) || S_ISDIR(i->mode) ||
	       (S_ISLNK(i->mode) && !ext4_link_is_short(i));
}

int ext4_inode_decode(const struct ext4_geometry *g, uint32_t ino, const void *raw,
		      struct ext4_inode *ret)
{
	const struct ext4_disk_inode *d = raw;
	struct ext4_inode i = {
		.ino = ino,
		.mode = d->mode,
		.links = d->links,
		.uid = d->uid_lo | (uint32_t)d->uid_hi << 16,
		.gid = d->gid_lo | (uint32_t)d->gid_hi << 16,
		.flags = d->flags,
		.generation = d->generation,
	};
	int err;

	if (ext4_has_csum(g)) {
		i.csum_seed = inode_seed(g, ino, d->generation);
		if (!inode_csum_ok(g, d, i.csum_seed))
			return -EBADMSG;
	}
	if (!i.links || !i.mode)
		return -ENOENT;
	if (!inode_type_ok(i.mode))
		return -EUCLEAN;
	if (i.flags & INODE_FLAGS_REFUSED)
		return -EOPNOTSUPP;
	err = inode_sizes(g, d, &i);
	if (err)
		return err;
	/* Block maps, the form before extents, are only read where they are empty. */
	if (inode_has_data(&i) && i.size && !(i.flags & EXT4_INODE_EXTENTS))
		return -EOPNOTSUPP;
	times_decode(g, d, &i);
	memcpy(i.block, d->block, sizeof(i.block));
	*ret = i;
	return 0;
}

bool ext4_link_is_short(const struct ext4_inode *i)
{
	return i->size < EXT4_BLOCK_AREA;
}

/* The old form is 8 bits each; the new one, in the second word, 12 and 20. */
void ext4_inode_device(const struct ext4_inode *i, uint32_t *ret_major,
		       uint32_t *ret_minor)
{
	uint32_t word[2];

	memcpy(word, i->block, sizeof(word));
	if (word[0]) {
		*ret_major = word[0] >> 8 & 0xff;
		*ret_minor = word[0] & 0xff;
	} else {
		*ret_major = word[1] >> 8 & 0xfff;
		*ret_minor = (word[1] & 0xff) | (word[1] >> 12 & 0xfff00);
	}
}
