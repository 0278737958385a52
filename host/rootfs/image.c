/*
 * The image. mke2fs makes an empty file system of the right size. As all of the tree is
 * known, a folder's blocks are written once, whole, and a file's blocks are one run, or
 * few: no call searches what is there already.
 */
#include <errno.h>
#include <ext2fs/ext2fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/rootfs/image.h"
#include "host/rootfs/shape.h"
#include "host/tool.h"

/* What Mayfly's kernel reads; as tools/mkroot.py. */
#define FEATURES                                                                         \
	"none,extent,dir_index,filetype,large_file,sparse_super,metadata_csum,ext_attr"
#define UUID "6d617966-6c79-4001-8000-000000000002"
/* 2023-11-14, as make's SOURCE_DATE_EPOCH. */
#define MADE_AT 1700000000
/* More than a root file system holds; a sparse file of a hostile archive says
 * anything. */
#define BYTES_MAX GIB(256)
/* i_links_count has 16 bits, and ext4 ends there without dir_nlink. */
#define LINKS_MAX 65000

/* A piece of a file that lies in one place. */
struct run {
	uint64_t logical, physical, count; /* blocks */
};

struct runs {
	struct run *at;
	size_t count;
};

struct image {
	const char *name;
	int fd;
	struct tree *tree;
	ext2_filsys fs;
	blk64_t goal;	   /* where the next free blocks may be */
	struct runs *runs; /* by inode number, of regular files */
};

static int image_failed(const char *name, const char *what, long error)
{
	say("--root '%s': %s: %s", name, what, error_message(error));
	return -1;
}

static bool has_bytes(const struct tree_inode *inode)
{
	return S_ISREG(inode->meta.mode) && inode->links;
}

/* -- an empty file system -- */

/* What mke2fs or such printed when it failed: the last line that says something. */
static void tool_failed(const char *name, const char *tool, int status, char *output)
{
	size_t size = output ? strlen(output) : 0;
	const char *line;

	if (status == -ENOENT) {
		say("--root '%s': no %s here: install the package e2fsprogs", name, tool);
		return;
	}
	while (size && output[size - 1] == '\n')
		output[--size] = 0;
	line = size ? strrchr(output, '\n') : NULL;
	say("--root '%s': %s failed: %s", name, tool, line ? line + 1 : output);
}

/* Numbers the inodes that have a name, the root's children first, and adds up blocks. */
static int tree_number(const char *name, struct tree *tree, uint64_t *ret_blocks,
		       uint32_t *ret_count)
{
	uint32_t number = EXT2_GOOD_OLD_FIRST_INO;
	uint64_t blocks = 0;

	for (struct tree_inode *inode = tree->inodes; inode; inode = inode->next) {
		if (!inode->links)
			continue;
		inode->number = inode == tree->root ? EXT2_ROOT_INO : number++;
		if (inode->meta.size > BYTES_MAX) {
			say("--root '%s': a file of %llu bytes is more than an image can "
			    "hold",
			    name, (unsigned long long)inode->meta.size);
			return -1;
		}
		/* And a block of attributes. */
		blocks += shape_blocks(inode) + !!inode->xattrs;
	}
	if (blocks > BYTES_MAX / BLOCK_SIZE) {
		say("--root '%s': more than an image can hold", name);
		return -1;
	}
	*ret_blocks = blocks;
	*ret_count = number;
	return 0;
}

static int file_system_format(const char *name, int fd, uint64_t blocks, uint32_t inodes)
{
	/* Tables of inodes, bitmaps, the blocks of large files' extents. */
	uint64_t total = blocks + inodes / 16 + blocks / 64 + MIB(2) / BLOCK_SIZE;
	char *argv[] = { "mke2fs",
			 "-q",
			 "-F",
			 "-t",
			 "ext4",
			 "-b",
			 "4096",
			 "-I",
			 "256",
			 "-m",
			 "0",
			 "-O",
			 FEATURES,
			 "-U",
			 UUID,
			 "-E",
			 "root_owner=0:0,nodiscard,hash_seed=" UUID,
			 "-N",
			 must_format("%u", inodes + 16),
			 must_format("/proc/self/fd/%d", fd),
			 must_format("%llu", (unsigned long long)total),
			 NULL };
	char *output = NULL;
	int status = tool_run(argv, "", 0, fd, &output);

	if (status)
		tool_failed(name, "mke2fs", status, output);
	free(output);
	return status ? -1 : 0;
}

/* mke2fs makes a folder for e2fsck that no image of anyone else has. */
static errcode_t lost_found_remove(ext2_filsys fs)
{
	const ext2_ino_t number = EXT2_GOOD_OLD_FIRST_INO;
	struct ext2_inode inode;
	errcode_t error = ext2fs_read_inode(fs, number, &inode);

	if (!error)
		error = ext2fs_punch(fs, number, &inode, NULL, 0, ~0ull);
	if (!error)
		ext2fs_inode_alloc_stats2(fs, number, -1, 1);
	return error;
}

/* -- blocks -- */

/* Takes the next free blocks, at most `want`. */
static errcode_t run_take(struct image *image, uint64_t want, struct run *ret_run)
{
	ext2_filsys fs = image->fs;
	blk64_t last = ext2fs_blocks_count(fs->super) - 1, start, end;

	if (image->goal > last || ext2fs_find_first_zero_block_bitmap2(
					  fs->block_map, image->goal, last, &start))
		return EXT2_ET_BLOCK_ALLOC_FAIL;
	if (ext2fs_find_first_set_block_bitmap2(fs->block_map, start, last, &end))
		end = last + 1;
	*ret_run = (struct run){ 0, start, MIN(want, end - start) };
	ext2fs_block_alloc_stats_range(fs, start, ret_run->count, +1);
	image->goal = start + ret_run->count;
	return 0;
}

/* Gives the inode `blocks` blocks, as extents. Changes *raw. */
static errcode_t blocks_take(struct image *image, ext2_ino_t number,
			     struct ext2_inode *raw, uint64_t blocks,
			     struct runs *ret_runs)
{
	ext2_extent_handle_t handle;
	struct runs runs = { NULL, 0 };
	errcode_t error = ext2fs_extent_open2(image->fs, number, raw, &handle);

	if (error)
		return error;
	for (uint64_t at = 0; at < blocks && !error;) {
		struct ext2fs_extent extent = { .e_lblk = at };
		struct run run;

		error = run_take(image, MIN(blocks - at, EXT_INIT_MAX_LEN), &run);
		if (error)
			break;
		run.logical = extent.e_lblk;
		extent.e_pblk = run.physical;
		extent.e_len = run.count;
		error = ext2fs_extent_insert(handle, EXT2_EXTENT_INSERT_AFTER, &extent);
		if (!error)
			error = ext2fs_extent_fix_parents(handle);
		runs.at = must_grow(runs.at, (runs.count + 1) * sizeof(*runs.at));
		runs.at[runs.count++] = run;
		at += run.count;
	}
	ext2fs_extent_free(handle);
	ext2fs_iblk_add_blocks(image->fs, raw, blocks);
	if (error)
		free(runs.at);
	else
		*ret_runs = runs;
	return error;
}

static int all_write(int fd, const uint8_t *bytes, size_t size, uint64_t offset)
{
	while (size) {
		ssize_t n = pwrite(fd, bytes, size, offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		size -= n;
		offset += n;
	}
	return 0;
}

static errcode_t folder_write(struct image *image, const struct tree_inode *folder,
			      const struct runs *runs, size_t count)
{
	uint8_t *bytes = must_alloc(count * BLOCK_SIZE);
	errcode_t error = 0;

	shape_folder(folder, bytes);
	for (size_t r = 0; r < runs->count; r++) {
		const struct run *run = &runs->at[r];

		for (uint64_t i = 0; i < run->count && !error; i++) {
			uint8_t *block = bytes + (run->logical + i) * BLOCK_SIZE;

			ext2fs_initialize_dirent_tail(
				image->fs, EXT2_DIRENT_TAIL(block, BLOCK_SIZE));
			error = ext2fs_write_dir_block4(image->fs, run->physical + i,
							block, 0, folder->number);
		}
	}
	free(bytes);
	return error;
}

/* -- inodes -- */

/* The content that the tree itself has: a folder's entries, a link's target. */
static errcode_t content_write(struct image *image, const struct tree_inode *inode,
			       struct ext2_inode_large *raw)
{
	uint64_t count = shape_blocks(inode);
	struct runs runs = { NULL, 0 };
	const char *target = inode->meta.target;
	uint8_t block[BLOCK_SIZE] = { 0 };
	errcode_t error = 0;

	if (raw->i_flags & EXT4_EXTENTS_FL)
		error = blocks_take(image, inode->number, (struct ext2_inode *)raw, count,
				    &runs);
	if (error)
		return error;
	if (S_ISDIR(inode->meta.mode)) {
		raw->i_size = count * BLOCK_SIZE;
		error = folder_write(image, inode, &runs, count);
	} else if (S_ISLNK(inode->meta.mode)) {
		raw->i_size = strlen(target);
		if (!runs.count) {
			memcpy(raw->i_block, target, raw->i_size);
		} else {
			memcpy(block, target, MIN(raw->i_size, BLOCK_SIZE - 1));
			error = io_channel_write_blk64(image->fs->io, runs.at->physical,
						       1, block);
		}
	} else if (S_ISREG(inode->meta.mode)) {
		image->runs[inode->number] = runs;
		return 0;
	}
	free(runs.at);
	return error;
}

/* Namespaces that mean something in a guest. */
static bool xattr_kept(const char *name)
{
	static const char *const spaces[] = { "user.", "trusted.", "security.",
					      "system.posix_acl_" };

	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		if (!strncmp(name, spaces[i], strlen(spaces[i])))
			return true;
	return false;
}

static errcode_t xattrs_write(struct image *image, const struct tree_inode *inode)
{
	struct ext2_xattr_handle *handle;
	errcode_t error = ext2fs_xattrs_open(image->fs, inode->number, &handle);

	if (error)
		return error;
	for (struct tree_xattr *x = inode->xattrs; x && !error; x = x->next)
		if (xattr_kept(x->name))
			error = ext2fs_xattr_set(handle, x->name, x->value, x->size);
	ext2fs_xattrs_close(&handle);
	return error;
}

static errcode_t inode_write(struct image *image, const struct tree_inode *inode)
{
	struct ext2_inode_large raw;
	errcode_t error;

	shape_inode(inode, &raw);
	if (inode != image->tree->root)
		ext2fs_inode_alloc_stats2(image->fs, inode->number, +1,
					  S_ISDIR(inode->meta.mode));
	error = content_write(image, inode, &raw);
	if (!error)
		error = ext2fs_write_inode_full(image->fs, inode->number,
						(struct ext2_inode *)&raw, sizeof(raw));
	if (!error && inode->xattrs)
		error = xattrs_write(image, inode);
	return error;
}

/* The root's block that mke2fs made gives way to ours. */
static errcode_t root_clear(ext2_filsys fs)
{
	struct ext2_inode inode;
	errcode_t error = ext2fs_read_inode(fs, EXT2_ROOT_INO, &inode);

	return error ? error : ext2fs_punch(fs, EXT2_ROOT_INO, &inode, NULL, 0, ~0ull);
}

static errcode_t inodes_write(struct image *image)
{
	errcode_t error = lost_found_remove(image->fs);

	if (!error)
		error = root_clear(image->fs);
	for (struct tree_inode *i = image->tree->inodes; i && !error; i = i->next) {
		if (!i->links)
			continue;
		error = shape_links(i) > LINKS_MAX ? EXT2_ET_INVALID_ARGUMENT
						   : inode_write(image, i);
	}
	return error;
}

/* When it was made is no part of what it holds (I2). */
static errcode_t times_fix(ext2_filsys fs)
{
	struct ext2_inode bad_blocks;
	errcode_t error = ext2fs_read_inode(fs, EXT2_BAD_INO, &bad_blocks);

	fs->now = MADE_AT;
	fs->super->s_mkfs_time = fs->super->s_lastcheck = MADE_AT;
	fs->super->s_mkfs_time_hi = fs->super->s_lastcheck_hi = 0;
	if (error)
		return error;
	bad_blocks.i_atime = bad_blocks.i_mtime = bad_blocks.i_ctime = MADE_AT;
	return ext2fs_write_inode(fs, EXT2_BAD_INO, &bad_blocks);
}

/* -- from outside -- */

struct image *image_new(const char *name, int fd, struct tree *tree)
{
	struct image *image;
	char *path;
	uint64_t blocks;
	uint32_t count;
	errcode_t error;

	if (tree_number(name, tree, &blocks, &count) ||
	    file_system_format(name, fd, blocks, count))
		return NULL;
	image = must_alloc(sizeof(*image));
	*image = (struct image){ .name = name, .fd = fd, .tree = tree, .goal = 1 };
	image->runs = must_alloc(count * sizeof(*image->runs));
	path = must_format("/proc/self/fd/%d", fd);
	initialize_ext2_error_table();
	error = ext2fs_open(path, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0, unix_io_manager,
			    &image->fs);
	free(path);
	if (!error)
		error = ext2fs_read_bitmaps(image->fs);
	if (!error)
		error = times_fix(image->fs);
	if (!error)
		error = inodes_write(image);
	if (!error)
		return image;
	image_failed(name, "cannot make the image", error);
	image_drop(image);
	return NULL;
}

int image_write(struct image *image, const struct tree_inode *inode, const void *bytes,
		size_t size, uint64_t offset)
{
	const struct runs *runs = &image->runs[inode->number];
	const uint8_t *at = bytes;

	if (!has_bytes(inode) || offset > inode->meta.size ||
	    size > inode->meta.size - offset)
		return -EFBIG;
	for (size_t i = 0; i < runs->count && size; i++) {
		const struct run *run = &runs->at[i];
		uint64_t skip = offset - run->logical * BLOCK_SIZE, n;
		int error;

		if (skip >= run->count * BLOCK_SIZE)
			continue;
		n = MIN(size, run->count * BLOCK_SIZE - skip);
		error = all_write(image->fd, at, n, run->physical * BLOCK_SIZE + skip);
		if (error < 0)
			return error;
		at += n;
		offset += n;
		size -= n;
	}
	return 0;
}

int image_finish(struct image *image)
{
	errcode_t error = ext2fs_flush(image->fs);
	int result = 0;

	if (error)
		result = image_failed(image->name, "cannot write the image", error);
	image_drop(image);
	return result;
}

void image_drop(struct image *image)
{
	if (!image)
		return;
	for (struct tree_inode *i = image->tree->inodes; i; i = i->next)
		if (has_bytes(i))
			free(image->runs[i->number].at);
	free(image->runs);
	if (image->fs)
		ext2fs_free(image->fs);
	free(image);
}
