/* ext4 inodes: from disk to the VFS. They never change: the file system is read-only. */
#include "fs/ext4/ext4_fs.h"

static struct slab_cache *inode_cache; /* of struct ext4_inode */

static const struct inode_ops file_inode_ops = {
	.getxattr = ext4_getxattr,
	.listxattr = ext4_listxattr,
};

static const struct inode_ops dir_inode_ops = {
	.lookup = ext4_lookup,
	.getxattr = ext4_getxattr,
	.listxattr = ext4_listxattr,
};

static const struct inode_ops link_inode_ops = {
	.readlink = ext4_readlink,
	.getxattr = ext4_getxattr,
	.listxattr = ext4_listxattr,
};

static const struct file_ops file_ops = {
	.read = generic_read,
	.llseek = generic_llseek,
	.mmap = generic_mmap,
};

static const struct file_ops dir_file_ops = {
	.iterate = ext4_iterate,
	.llseek = generic_llseek,
};

/* First block of a group's inode table. */
static int table_find(struct ext4_fs *fs, uint32_t group, uint64_t *ret)
{
	const void *desc;
	struct page *p;
	int err = ext4_bytes(fs, ext4_group_offset(&fs->g, group), &p, &desc);

	if (err)
		return err;
	err = ext4_group_decode(&fs->g, group, desc, ret);
	page_put(p);
	return err ? ext4_complain(fs, "group", group, err) : 0;
}

int ext4_inode_probe(struct ext4_fs *fs, uint32_t ino, struct page **ret_page,
		     const void **ret_raw, struct ext4_inode *ret)
{
	uint64_t offset, table;
	struct page *p;
	uint32_t group;
	const void *raw;
	int err = ext4_inode_locate(&fs->g, ino, &group, &offset);

	if (err)
		return err;
	err = table_find(fs, group, &table);
	if (err)
		return err;
	err = ext4_bytes(fs, (table << fs->g.block_shift) + offset, &p, &raw);
	if (err)
		return err;
	err = ext4_inode_decode(&fs->g, ino, raw, ret);
	if (err) {
		page_put(p);
		return err;
	}
	*ret_page = p;
	*ret_raw = raw;
	return 0;
}

int ext4_inode_read(struct ext4_fs *fs, uint32_t ino, struct page **ret_page,
		    const void **ret_raw, struct ext4_inode *ret)
{
	int err = ext4_inode_probe(fs, ino, ret_page, ret_raw, ret);

	return err ? ext4_complain(fs, "inode", ino, err) : 0;
}

/* Times past 2262 do not fit; they are shown as the last that does. */
static int64_t time_ns(struct ext4_time t)
{
	const int64_t most = INT64_MAX / (int64_t)NSEC_PER_SEC - 1;

	return MIN(t.sec, most) * (int64_t)NSEC_PER_SEC + t.nsec;
}

static void inode_fill(struct inode *i, struct ext4_inode *e)
{
	uint32_t major, minor;

	i->priv = e;
	i->mode = e->mode;
	i->nlink = e->links;
	i->uid = e->uid;
	i->gid = e->gid;
	i->size = e->size;
	i->blocks = e->sectors;
	/* FS_*_FL are ext4's own numbers. */
	i->flags = e->flags & EXT4_INODE_SHOWN;
	i->t = (struct file_times){
		.atime = time_ns(e->atime),
		.mtime = time_ns(e->mtime),
		.ctime = time_ns(e->ctime),
		.btime = time_ns(e->btime),
	};
	i->ops = &file_inode_ops;
	i->fops = &special_file_ops;
	if (S_ISREG(i->mode)) {
		i->fops = &file_ops;
		mapping_init(&i->mapping, &ext4_data_ops, i, true);
	} else if (S_ISDIR(i->mode)) {
		i->ops = &dir_inode_ops;
		i->fops = &dir_file_ops;
		mapping_init(&i->mapping, &ext4_dir_ops, i, true);
	} else if (S_ISLNK(i->mode)) {
		i->ops = &link_inode_ops;
		mapping_init(&i->mapping, &ext4_data_ops, i, true);
	} else if (S_ISCHR(i->mode) || S_ISBLK(i->mode)) {
		ext4_inode_device(e, &major, &minor);
		i->rdev = DEV_ID(major, minor);
	}
	i->mapping.size = e->size;
}

int ext4_iget(struct super_block *sb, uint32_t ino, struct inode **ret)
{
	struct ext4_inode *e;
	struct page *p;
	const void *raw;
	bool is_new;
	struct inode *i = inode_get_cached(sb, ino, &is_new);
	int err;

	if (!i)
		return -ENOMEM;
	if (!is_new) {
		*ret = i;
		return 0;
	}
	e = slab_alloc(inode_cache);
	err = e ? ext4_inode_read(ext4_of(sb), ino, &p, &raw, e) : -ENOMEM;
	if (err) {
		slab_free(inode_cache, e);
		inode_put(i);
		return err;
	}
	inode_fill(i, e);
	err = ext4_acls_load(i, raw);
	page_put(p);
	if (err)
		inode_put(i);
	else
		*ret = i;
	return err;
}

void ext4_inode_free(struct inode *i)
{
	slab_free(inode_cache, i->priv);
}

int ext4_inode_cache_init(void)
{
	inode_cache = slab_cache_new("ext4_inode", sizeof(struct ext4_inode), 0);
	return inode_cache ? 0 : -ENOMEM;
}
