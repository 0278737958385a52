/*
 * lib/ext4's decoders on bytes of a hostile disk. The first bytes choose structure and
 * features; the rest is the structure, in memory of its exact size. What is accepted
 * keeps E1 and E2. With checksums on, the fuzzer would meet nothing but -EBADMSG: they
 * are off, except where they are what is asked about.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/ext4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static struct ext4_geometry geometry(uint8_t bits)
{
	struct ext4_geometry g = {
		.block_shift = 10 + 2 * (bits & 1),
		.blocks = 5000,
		.blocks_per_group = 8192,
		.inodes_per_group = 500,
		.inodes = 500,
		.groups = 1,
		.inode_size = bits & 2 ? 128 : 256,
		.desc_size = bits & 4 ? 64 : 32,
		.first_meta_bg = UINT32_MAX,
		.compat = EXT4_COMPAT_DIR_INDEX,
		.incompat = EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_EXTENTS,
		.ro_compat = EXT4_RO_HUGE_FILE | (bits & 8 ? EXT4_RO_METADATA_CSUM : 0),
	};

	g.block_size = 1u << g.block_shift;
	g.first_block = g.block_size == 1024;
	return g;
}

static void fuzz_super(const uint8_t *bytes, const struct ext4_geometry *unused)
{
	struct ext4_geometry g;
	const char *why = NULL;

	if (ext4_super_decode(bytes, &g, &why)) {
		must(why && *why);
		return;
	}
	must(g.block_size >= 1024 && g.block_size <= EXT4_BLOCK_SIZE_MAX);
	must(g.inode_size >= EXT4_INODE_SIZE_MIN && g.inode_size <= g.block_size);
	must(g.groups && g.inodes_per_group && g.desc_size <= g.block_size);
	for (uint64_t group = 0; group < g.groups; group += 1 + g.groups / 64)
		must(ext4_group_offset(&g, (uint32_t)group) % g.desc_size == 0);
}

static void fuzz_group(const uint8_t *bytes, const struct ext4_geometry *g)
{
	uint64_t table;

	if (!ext4_group_decode(g, 0, bytes, &table))
		must(ext4_blocks_ok(g, table, 1));
}

static void runs_check(const struct ext4_geometry *g, const void *node)
{
	uint64_t logical = 0;

	for (int k = 0; k < 1000 && logical < BIT(32); k++) {
		struct ext4_run run = ext4_extent_find(node, (uint32_t)logical, BIT(32));

		must(run.end > logical && run.end <= BIT(32));
		must(run.kind == EXT4_RUN_HOLE || ext4_blocks_ok(g, run.block, 1));
		if (run.kind == EXT4_RUN_DATA)
			must(ext4_blocks_ok(g, run.block, run.end - logical));
		logical = run.end;
	}
}

static void fuzz_inode(const uint8_t *bytes, const struct ext4_geometry *g)
{
	struct ext4_xattr_area area;
	struct ext4_inode i;
	struct ext4_xattr x;
	uint32_t depth, major, minor;

	if (ext4_inode_decode(g, 12, bytes, &i))
		return;
	if (!ext4_extent_root(g, &i, &depth)) {
		must(depth <= EXT4_EXTENT_DEPTH_MAX);
		runs_check(g, i.block);
	}
	ext4_inode_device(&i, &major, &minor);
	if (ext4_xattr_in_inode(g, &i, bytes, &area))
		return;
	while (ext4_xattr_next(&area, &x) > 0)
		must((const uint8_t *)x.value + x.value_len <= bytes + g->inode_size);
}

static void fuzz_extent(const uint8_t *bytes, const struct ext4_geometry *g)
{
	struct ext4_inode i = { .ino = 12 };

	for (uint32_t depth = 0; depth < EXT4_EXTENT_DEPTH_MAX; depth++)
		if (!ext4_extent_check(g, &i, bytes, depth))
			runs_check(g, bytes);
}

static void fuzz_dir(const uint8_t *bytes, const struct ext4_geometry *g)
{
	static const char name[] = "name";
	struct ext4_inode i = { .ino = 12, .flags = EXT4_INODE_INDEX };
	struct ext4_name n;
	struct ext4_dx dx;
	uint32_t block;

	for (uint32_t nr = 0; nr < 2; nr++) {
		uint32_t at = 0, found;

		if (ext4_dir_check(g, &i, bytes, nr))
			continue;
		found = ext4_dir_find(g, bytes, name, sizeof(name) - 1);
		must(found <= g->inodes);
		while (ext4_dir_next(g, bytes, &at, &n)) {
			must(at <= g->block_size && n.ino && n.ino <= g->inodes);
			must((const uint8_t *)n.s + n.len <= bytes + g->block_size);
			(void)ext4_name_ok(&n);
			(void)ext4_name_dt(n.type);
		}
		if (nr == 0 &&
		    ext4_dx_begin(g, bytes, name, sizeof(name) - 1, &dx, &block))
			continue;
		if (nr == 1) {
			dx = (struct ext4_dx){ .hash = bytes[0] * 0x1000000u,
					       .levels = 1 };
			(void)!ext4_dx_descend(g, bytes, &dx, &block);
		}
		(void)ext4_dx_continues(&dx);
	}
}

static void fuzz_xattr(const uint8_t *bytes, const struct ext4_geometry *g)
{
	struct ext4_inode i = { .ino = 12, .xattr_block = 77 };
	struct ext4_xattr_area area;
	struct ext4_xattr x;

	if (ext4_xattr_in_block(g, &i, bytes, &area))
		return;
	while (ext4_xattr_next(&area, &x) > 0) {
		const uint8_t *value = x.value;

		must((const uint8_t *)x.name + x.name_len <= bytes + g->block_size);
		must(value >= bytes && value + x.value_len <= bytes + g->block_size);
		(void)ext4_xattr_prefix(x.index);
	}
}

static uint32_t super_size(const struct ext4_geometry *g)
{
	return EXT4_SUPER_SIZE;
}

static uint32_t group_size(const struct ext4_geometry *g)
{
	return g->desc_size;
}

static uint32_t inode_size(const struct ext4_geometry *g)
{
	return g->inode_size;
}

static uint32_t block_size(const struct ext4_geometry *g)
{
	return g->block_size;
}

static const struct {
	void (*fuzz)(const uint8_t *bytes, const struct ext4_geometry *g);
	uint32_t (*size)(const struct ext4_geometry *g);
} targets[] = {
	{ fuzz_super, super_size }, { fuzz_group, group_size },
	{ fuzz_inode, inode_size }, { fuzz_extent, block_size },
	{ fuzz_dir, block_size },   { fuzz_xattr, block_size },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ext4_geometry g;
	uint8_t *bytes;
	size_t want, target;

	if (size < 2)
		return 0;
	target = data[0] % ARRAY_LEN(targets);
	g = geometry(data[1]);
	want = targets[target].size(&g);
	bytes = calloc(1, want);
	memcpy(bytes, data + 2, size - 2 < want ? size - 2 : want);
	targets[target].fuzz(bytes, &g);
	free(bytes);
	return 0;
}
