/* Mounting tmpfs: options as in tmpfs(5), and what statfs(2) says. */
#include <asm/statfs.h>
#include <linux/limits.h>

#include "fs/mount.h"
#include "fs/options.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "sec/entropy.h"

#define MODE_DEFAULT (S_ISVTX | S_IRWXU | S_IRWXG | S_IRWXO)

static void defaults(struct tmpfs_sb *t, uint32_t mode)
{
	t->max_pages = page_get_total() / 2;
	t->max_inodes = page_get_total() / 2;
	t->mode = mode;
	t->uid = thread_current()->cred->fsuid;
	t->gid = thread_current()->cred->fsgid;
}

/* size=: bytes with k, m, g, or a percentage of memory. */
static int parse_size(const char *v, uint64_t *ret_pages)
{
	uint64_t n;
	const char *end;

	int err = fmt_parse_u64(v, 10, &n, &end);
	if (!err && !strcmp(end, "%")) {
		*ret_pages = page_get_total() / 100 * MIN(n, 100ull);
		return 0;
	}
	err = option_size(v, &n);
	if (!err)
		*ret_pages = (n + PAGE_SIZE - 1) >> PAGE_SHIFT;
	return err;
}

static int set_option(void *arg, const char *key, const char *v)
{
	struct tmpfs_sb *t = arg;
	uint64_t n;

	if (!strcmp(key, "size"))
		return parse_size(v, &t->max_pages);
	if (!strcmp(key, "nr_blocks"))
		return option_size(v, &t->max_pages);
	if (!strcmp(key, "nr_inodes"))
		return option_size(v, &t->max_inodes);
	if (!strcmp(key, "inode64") || !strcmp(key, "inode32"))
		return 0;
	bool mode = !strcmp(key, "mode");
	int err = fmt_parse_u64(v, mode ? 8 : 10, &n, NULL);
	if (err || n > UINT32_MAX)
		return -EINVAL;
	if (mode)
		t->mode = (uint32_t)n & 07777;
	else if (!strcmp(key, "uid"))
		t->uid = (uid_t)n;
	else if (!strcmp(key, "gid"))
		t->gid = (gid_t)n;
	else
		return -EINVAL;
	return 0;
}

/* 0 stands for no limit. */
static void unlimit(struct tmpfs_sb *t)
{
	if (!t->max_pages)
		t->max_pages = UINT64_MAX / 2;
	if (!t->max_inodes)
		t->max_inodes = UINT64_MAX / 2;
}

static int tmpfs_remount(struct super_block *sb, const char *data)
{
	struct tmpfs_sb *t = tmpfs_sb_of(sb), try = *t;

	int err = options_parse(data, set_option, &try);
	if (err)
		return err;
	unlimit(&try);
	if (try.max_pages < t->used_pages || try.max_inodes < t->used_inodes)
		return -EINVAL;
	t->max_pages = try.max_pages;
	t->max_inodes = try.max_inodes;
	return 0;
}

static int tmpfs_statfs(struct super_block *sb, struct statfs *ret)
{
	struct tmpfs_sb *t = tmpfs_sb_of(sb);
	uint64_t used = t->used_pages, inodes = t->used_inodes;

	ret->f_type = TMPFS_MAGIC;
	ret->f_bsize = PAGE_SIZE;
	ret->f_blocks = (long)t->max_pages;
	ret->f_bfree = ret->f_bavail = (long)(t->max_pages - MIN(used, t->max_pages));
	ret->f_files = (long)t->max_inodes;
	ret->f_ffree = (long)(t->max_inodes - MIN(inodes, t->max_inodes));
	ret->f_namelen = NAME_MAX_LEN;
	return 0;
}

static size_t tmpfs_show_options(struct super_block *sb, char *buf, size_t n)
{
	struct tmpfs_sb *t = tmpfs_sb_of(sb);

	return fmt_to(buf, n, ",size=%lluk,nr_inodes=%llu,mode=%o",
		      (unsigned long long)(t->max_pages * (PAGE_SIZE / 1024)),
		      (unsigned long long)t->max_inodes, t->mode);
}

static void tmpfs_put_super(struct super_block *sb)
{
	tmpfs_handles_free(sb->priv);
	heap_free(sb->priv);
}

static const struct super_ops super_ops = {
	.evict = tmpfs_evict,
	.statfs = tmpfs_statfs,
	.put_super = tmpfs_put_super,
	.show_options = tmpfs_show_options,
	.remount = tmpfs_remount,
	.handles = &tmpfs_handle_ops,
};

void tmpfs_unlimit(struct super_block *sb)
{
	struct tmpfs_sb *t = tmpfs_sb_of(sb);

	t->max_pages = t->max_inodes = 0;
	unlimit(t);
}

int tmpfs_fill(struct super_block *sb, uint32_t mode, const char *data)
{
	struct tmpfs_sb *t = heap_zalloc(sizeof *t);
	struct inode *root;

	if (!t)
		return -ENOMEM;
	sb->priv = t;
	sb->ops = &super_ops;
	sb->file_flags = TMPFS_FLAGS;
	sb->flags |= SB_POSIXACL;
	spin_init(&t->lock, RANK_OBJECT);
	list_init(&t->dying);
	rb_init(&t->handled, NULL);
	t->handle_key = entropy_get_u64();
	defaults(t, mode);
	int err = options_parse(data, set_option, t);
	if (err)
		return err;
	unlimit(t);
	err = tmpfs_inode_new(sb, NULL, S_IFDIR | t->mode, 0, &root);
	if (err)
		return err;
	root->uid = t->uid;
	root->gid = t->gid;
	sb->root = dentry_new_root(root);
	return sb->root ? 0 : -ENOMEM;
}

static int tmpfs_mount(struct super_block *sb, const char *source, const char *data)
{
	return tmpfs_fill(sb, MODE_DEFAULT, data);
}

static struct fs_type tmpfs_type = {
	.name = "tmpfs",
	.magic = TMPFS_MAGIC,
	.mount = tmpfs_mount,
};

void tmpfs_init(void)
{
	fs_type_register(&tmpfs_type);
	memfd_init();
}
