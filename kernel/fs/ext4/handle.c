/* ext4's inodes by number and generation, as the disk has them. */
#include "fs/ext4/ext4_fs.h"

static int give(struct dentry *d, uint32_t *ret_generation)
{
	*ret_generation = ext4_inode_of(d->inode)->generation;
	return 0;
}

/* What an inode that nobody uses has on disk need not even be an inode. */
static int check(struct ext4_fs *fs, const struct file_id *id)
{
	struct ext4_inode e;
	struct page *p;
	const void *raw;

	if (id->ino > fs->g.inodes ||
	    (id->ino < EXT4_FIRST_INO && id->ino != EXT4_ROOT_INO))
		return -ESTALE;
	int err = ext4_inode_probe(fs, (uint32_t)id->ino, &p, &raw, &e);
	if (err)
		return err == -ENOMEM || err == -EIO ? err : -ESTALE;
	page_put(p);
	return e.generation == id->generation ? 0 : -ESTALE;
}

/* Others may have it before it has a name. */
static int get(struct super_block *sb, uint32_t ino, struct inode **ret)
{
	int err = ext4_iget(sb, ino, ret);

	if (!err && ((*ret)->state & INODE_NEW))
		inode_ready(*ret);
	return err;
}

static int find(struct super_block *sb, const struct file_id *id, struct inode **ret)
{
	int err = check(ext4_of(sb), id);

	return err ? err : get(sb, (uint32_t)id->ino, ret);
}

static int parent(struct inode *dir, struct inode **ret)
{
	uint32_t ino;
	int err = ext4_parent(dir, &ino);

	return err ? err : get(dir->sb, ino, ret);
}

const struct handle_ops ext4_handle_ops = {
	.form = FILE_HANDLE_INO32,
	.give = give,
	.find = find,
	.parent = parent,
};
