/*
 * A file system on top of lib/ext4 that reads an image held in memory: what the kernel
 * does through its page cache, in the shortest way. Each structure is copied into
 * memory of its exact size before it is decoded, so that ASan sees a read past its end.
 */
#ifndef TESTS_UNIT_LIB_EXT4_READER_H
#define TESTS_UNIT_LIB_EXT4_READER_H

#include <stdlib.h>
#include <string.h>

#include "lib/ext4.h"

struct reader {
	const uint8_t *image;
	size_t size;
	struct ext4_geometry g;
};

static inline void *reader_bytes(const struct reader *r, uint64_t off, size_t n)
{
	void *copy;

	if (off > r->size || n > r->size - off)
		return NULL;
	copy = malloc(n);
	memcpy(copy, r->image + off, n);
	return copy;
}

static inline void *reader_block(const struct reader *r, uint64_t block)
{
	return reader_bytes(r, block << r->g.block_shift, r->g.block_size);
}

static inline int reader_open(struct reader *r, const void *image, size_t size,
			      const char **why)
{
	void *super;
	int err;

	*r = (struct reader){ .image = image, .size = size };
	super = reader_bytes(r, EXT4_SUPER_OFFSET, EXT4_SUPER_SIZE);
	if (!super)
		return -EIO;
	err = ext4_super_decode(super, &r->g, why);
	free(super);
	return err;
}

/* Byte offset of an inode in the image. */
static inline int reader_inode_offset(const struct reader *r, uint32_t ino, uint64_t *ret)
{
	uint64_t table, offset;
	uint32_t group;
	void *desc;
	int err = ext4_inode_locate(&r->g, ino, &group, &offset);

	if (err)
		return err;
	desc = reader_bytes(r, ext4_group_offset(&r->g, group), r->g.desc_size);
	if (!desc)
		return -EIO;
	err = ext4_group_decode(&r->g, group, desc, &table);
	free(desc);
	*ret = (table << r->g.block_shift) + offset;
	return err;
}

static inline int reader_inode(const struct reader *r, uint32_t ino,
			       struct ext4_inode *ret)
{
	uint64_t at;
	void *raw;
	int err = reader_inode_offset(r, ino, &at);

	if (err)
		return err;
	raw = reader_bytes(r, at, r->g.inode_size);
	if (!raw)
		return -EIO;
	err = ext4_inode_decode(&r->g, ino, raw, ret);
	free(raw);
	return err;
}

static inline int reader_map(const struct reader *r, const struct ext4_inode *i,
			     uint32_t logical, struct ext4_run *ret, uint32_t *ret_depth)
{
	uint32_t depth;
	int err = ext4_extent_root(&r->g, i, &depth);

	if (err)
		return err;
	if (ret_depth)
		*ret_depth = depth;
	*ret = ext4_extent_find(i->block, logical, BIT(32));
	while (ret->kind == EXT4_RUN_CHILD) {
		void *node = reader_block(r, ret->block);

		if (!node)
			return -EIO;
		err = ext4_extent_check(&r->g, i, node, --depth);
		if (!err)
			*ret = ext4_extent_find(node, logical, ret->end);
		free(node);
		if (err)
			return err;
	}
	return 0;
}

/* A block of a file, zeroes for a hole; to be freed. */
static inline int reader_file_block(const struct reader *r, const struct ext4_inode *i,
				    uint32_t nr, void **ret)
{
	struct ext4_run run;
	int err = reader_map(r, i, nr, &run, NULL);

	if (err)
		return err;
	*ret = run.kind == EXT4_RUN_DATA ? reader_block(r, run.block)
					 : calloc(1, r->g.block_size);
	return *ret ? 0 : -EIO;
}

static inline int reader_dir_block(const struct reader *r, const struct ext4_inode *i,
				   uint32_t nr, void **ret)
{
	int err;

	if (nr >= i->size >> r->g.block_shift)
		return -EUCLEAN;
	err = reader_file_block(r, i, nr, ret);
	if (err)
		return err;
	err = ext4_dir_check(&r->g, i, *ret, nr);
	if (err)
		free(*ret);
	return err;
}

static inline int reader_find_linear(const struct reader *r, const struct ext4_inode *dir,
				     const char *name, uint32_t *ret)
{
	void *block;

	*ret = 0;
	for (uint32_t nr = 0; nr < dir->size >> r->g.block_shift && !*ret; nr++) {
		int err = reader_dir_block(r, dir, nr, &block);

		if (err)
			return err;
		*ret = ext4_dir_find(&r->g, block, name, strlen(name));
		free(block);
	}
	return 0;
}

/* Through the hash tree alone; *ret_continues: a linear search might still find it. */
static inline int reader_find_hashed(const struct reader *r, const struct ext4_inode *dir,
				     const char *name, uint32_t *ret, bool *ret_continues)
{
	struct ext4_dx dx;
	uint32_t nr;
	void *block;
	int err = reader_dir_block(r, dir, 0, &block);

	if (err)
		return err;
	err = ext4_dx_begin(&r->g, block, name, strlen(name), &dx, &nr);
	free(block);
	while (!err) {
		bool leaf = !dx.levels;

		err = reader_dir_block(r, dir, nr, &block);
		if (err)
			break;
		if (leaf)
			*ret = ext4_dir_find(&r->g, block, name, strlen(name));
		else
			err = ext4_dx_descend(&r->g, block, &dx, &nr);
		free(block);
		if (leaf)
			break;
	}
	*ret_continues = ext4_dx_continues(&dx);
	return err;
}

/* The inode at a path from the root; no symbolic links are followed. */
static inline int reader_path(const struct reader *r, const char *path,
			      struct ext4_inode *ret)
{
	char copy[1024], *save, *name;
	int err = reader_inode(r, EXT4_ROOT_INO, ret);

	strcpy(copy, path);
	for (name = strtok_r(copy, "/", &save); name && !err;
	     name = strtok_r(NULL, "/", &save)) {
		uint32_t ino;

		err = reader_find_linear(r, ret, name, &ino);
		if (!err)
			err = ino ? reader_inode(r, ino, ret) : -ENOENT;
	}
	return err;
}

/* All bytes of a file or a long link; to be freed. */
static inline int reader_content(const struct reader *r, const struct ext4_inode *i,
				 uint8_t **ret)
{
	uint32_t blocks = (i->size + r->g.block_size - 1) >> r->g.block_shift;
	uint8_t *all = malloc(((size_t)blocks << r->g.block_shift) + 1);

	for (uint32_t nr = 0; nr < blocks; nr++) {
		void *block;
		int err = reader_file_block(r, i, nr, &block);

		if (err) {
			free(all);
			return err;
		}
		memcpy(all + ((size_t)nr << r->g.block_shift), block, r->g.block_size);
		free(block);
	}
	*ret = all;
	return 0;
}

/* Value of an attribute by its full name; its length or -errno. */
static inline int64_t reader_xattr(const struct reader *r, uint32_t ino, const char *name,
				   char *buf, size_t room)
{
	struct ext4_xattr_area area[2] = { { 0 }, { 0 } };
	void *raw = NULL, *block = NULL;
	struct ext4_inode i;
	struct ext4_xattr x;
	int64_t found = -ENODATA;
	uint64_t at;
	int err = reader_inode_offset(r, ino, &at);

	if (!err)
		err = reader_inode(r, ino, &i);
	if (err)
		return err;
	raw = reader_bytes(r, at, r->g.inode_size);
	err = ext4_xattr_in_inode(&r->g, &i, raw, &area[0]);
	if (!err && i.xattr_block) {
		block = reader_block(r, i.xattr_block);
		err = block ? ext4_xattr_in_block(&r->g, &i, block, &area[1]) : -EIO;
	}
	for (int k = 0; k < 2 && !err; k++) {
		while ((err = ext4_xattr_next(&area[k], &x)) > 0) {
			const char *prefix = ext4_xattr_prefix(x.index);
			size_t n = prefix ? strlen(prefix) : 0;

			if (!prefix || strncmp(name, prefix, n) ||
			    strlen(name + n) != x.name_len ||
			    memcmp(name + n, x.name, x.name_len))
				continue;
			memcpy(buf, x.value, x.value_len < room ? x.value_len : room);
			found = x.value_len;
		}
	}
	free(raw);
	free(block);
	return err ? err : found;
}

#endif
