/*
 * ext4 directories: finding a name, listing them all. Blocks come checked out of the
 * directory's page cache. A position in a directory is the byte offset of the entry that
 * follows: nothing changes, so it stays good.
 */
#include "fs/ext4/ext4_fs.h"

/* Block nr of the directory, until page_put. */
static int block_get(struct inode *dir, uint32_t nr, struct page **ret_page,
		     const void **ret)
{
	const struct ext4_geometry *g = &ext4_of(dir->sb)->g;
	uint64_t at = (uint64_t)nr << g->block_shift;
	int err;

	if (at >= dir->size)
		return ext4_complain(ext4_of(dir->sb), "index of directory", dir->ino,
				     -EUCLEAN);
	err = mapping_get(&dir->mapping, at >> PAGE_SHIFT, 1, ret_page);
	if (!err)
		*ret = (const char *)page_va(*ret_page) + at % PAGE_SIZE;
	return err;
}

/* *ret is the inode number, 0: not in this block. */
static int find_in_block(struct inode *dir, uint32_t nr, const struct qname *name,
			 uint32_t *ret)
{
	const void *block;
	struct page *p;
	int err = block_get(dir, nr, &p, &block);

	if (err)
		return err;
	*ret = ext4_dir_find(&ext4_of(dir->sb)->g, block, name->s, name->len);
	page_put(p);
	return 0;
}

static int find_linear(struct inode *dir, const struct qname *name, uint32_t *ret)
{
	uint64_t blocks = dir->size >> ext4_of(dir->sb)->g.block_shift;
	int err = 0;

	*ret = 0;
	for (uint64_t nr = 0; nr < blocks && !*ret && !err; nr++)
		err = find_in_block(dir, (uint32_t)nr, name, ret);
	return err;
}

/* The leaf of the hash tree where the name would be. */
static int leaf_find(struct inode *dir, const struct qname *name, struct ext4_dx *dx,
		     uint32_t *ret_nr)
{
	const struct ext4_geometry *g = &ext4_of(dir->sb)->g;
	const void *block;
	struct page *p;
	int err = block_get(dir, 0, &p, &block);

	if (err)
		return err;
	err = ext4_dx_begin(g, block, name->s, name->len, dx, ret_nr);
	page_put(p);
	while (!err && dx->levels) {
		err = block_get(dir, *ret_nr, &p, &block);
		if (err)
			break;
		err = ext4_dx_descend(g, block, dx, ret_nr);
		page_put(p);
	}
	return err;
}

/* Where the tree gives no answer, the list that it indexes does. */
static int find(struct inode *dir, const struct qname *name, uint32_t *ret)
{
	const struct ext4_geometry *g = &ext4_of(dir->sb)->g;
	struct ext4_dx dx;
	uint32_t nr;
	int err;

	if (!(ext4_inode_of(dir)->flags & EXT4_INODE_INDEX) ||
	    !(g->compat & EXT4_COMPAT_DIR_INDEX))
		return find_linear(dir, name, ret);
	err = leaf_find(dir, name, &dx, &nr);
	if (err == -EOPNOTSUPP)
		return find_linear(dir, name, ret);
	if (err)
		return err;
	err = find_in_block(dir, nr, name, ret);
	if (!err && !*ret && ext4_dx_continues(&dx))
		return find_linear(dir, name, ret);
	return err;
}

int ext4_lookup(struct inode *dir, struct dentry *d)
{
	struct inode *i = NULL;
	uint32_t ino = 0;
	int err;

	if (d->name.len > EXT4_NAME_MAX)
		return -ENAMETOOLONG;
	err = find(dir, &d->name, &ino);
	if (!err && ino)
		err = ext4_iget(dir->sb, ino, &i);
	if (err)
		return err;
	dentry_instantiate(d, i);
	return 0;
}

int ext4_parent(struct inode *dir, uint32_t *ret)
{
	const struct qname dots = { "..", 2, 0 };

	/* It is in the first block, whether that begins a tree or not. */
	int err = find_in_block(dir, 0, &dots, ret);
	if (err)
		return err;
	return *ret ? 0
		    : ext4_complain(ext4_of(dir->sb), "no parent in directory", dir->ino,
				    -EUCLEAN);
}

/* Entries of one block from byte `from` on. 1: all emitted, 0: the reader is full. */
static int emit_block(struct file *f, struct dir_ctx *c, const void *block, uint64_t base,
		      uint32_t from)
{
	struct ext4_fs *fs = ext4_of(f->inode->sb);
	struct ext4_name n;
	uint32_t at = 0;

	while (ext4_dir_next(&fs->g, block, &at, &n)) {
		/* Entries are found from the block's start: `from` may be any number. */
		if (at <= from)
			continue;
		if (!ext4_name_ok(&n))
			return ext4_complain(fs, "name in directory", f->inode->ino,
					     -EUCLEAN);
		if (!c->emit(c, n.s, n.len, base + at, n.ino, ext4_name_dt(n.type)))
			return 0;
		f->pos = base + at;
	}
	return 1;
}

int ext4_iterate(struct file *f, struct dir_ctx *c)
{
	struct inode *dir = f->inode;
	const struct ext4_geometry *g = &ext4_of(dir->sb)->g;
	int more = 1;

	while (more > 0 && f->pos < dir->size) {
		uint64_t pos = f->pos, base = ALIGN_DOWN(pos, (uint64_t)g->block_size);
		const void *block;
		struct page *p;
		int err = block_get(dir, (uint32_t)(base >> g->block_shift), &p, &block);

		if (err)
			return err;
		more = emit_block(f, c, block, base, (uint32_t)(pos - base));
		page_put(p);
		if (more > 0)
			f->pos = base + g->block_size;
	}
	return more < 0 ? more : 0;
}
