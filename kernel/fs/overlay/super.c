/*
 * Mounting an overlay. Options: lowerdir=, upperdir= and workdir= with paths, as in
 * Linux; or, for the boot's root, lowerfs= and lowerdev= to mount a file system of its
 * own as lower, with a tmpfs as upper (size= goes to it).
 */
#include <asm/statfs.h>

#include "fs/acl.h"
#include "fs/options.h"
#include "fs/overlay/overlay.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define OPTION_MAX 256u

struct ovl_options {
	char lowerdir[OPTION_MAX], upperdir[OPTION_MAX];
	char lowerfs[16], lowerdev[64], size[32];
};

static int set_option(void *arg, const char *key, const char *v)
{
	struct ovl_options *o = arg;
	const struct {
		const char *key;
		char *to;
		size_t max;
	} known[] = {
		{ "lowerdir", o->lowerdir, sizeof o->lowerdir },
		{ "upperdir", o->upperdir, sizeof o->upperdir },
		{ "lowerfs", o->lowerfs, sizeof o->lowerfs },
		{ "lowerdev", o->lowerdev, sizeof o->lowerdev },
		{ "size", o->size, sizeof o->size },
	};

	for (size_t k = 0; k < ARRAY_LEN(known); k++)
		if (!strcmp(key, known[k].key))
			return str_copy(known[k].to, v, known[k].max) < known[k].max
				       ? 0
				       : -EINVAL;
	return strcmp(key, "workdir") ? -EINVAL : 0;
}

/* ---- layers ---- */

static int mount_layer(const char *type, const char *source, const char *data,
		       uint32_t flags, struct path *ret)
{
	struct mount *m;

	int err = mount_internal(type, source, data, flags, &m);
	if (!err)
		*ret = (struct path){ m, dentry_get(m->root) };
	return err;
}

static int own_layers(struct ovl_sb *s, const struct ovl_options *o)
{
	char data[64] = "";

	int err = mount_layer(o->lowerfs, o->lowerdev, NULL, MS_RDONLY, &s->lower);
	if (err)
		return err;
	if (*o->size)
		fmt_to(data, sizeof data, "size=%s", o->size);
	err = mount_layer("tmpfs", "overlay", data, 0, &s->upper);
	if (err)
		return err;
	/* The root looks as the lower one does. */
	struct inode *u = s->upper.dentry->inode, *l = s->lower.dentry->inode;
	u->mode = l->mode;
	u->uid = l->uid;
	u->gid = l->gid;
	err = inode_acls_copy(l, u);
	u->t = l->t;
	u->flags = l->flags & OVL_FLAGS_KEPT;
	return err;
}

static int dir_layer(const char *path, struct path *ret)
{
	int err = path_at(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, ret);
	/* One overlay on another would need more stack than there is. */
	if (!err && ret->dentry->sb->type->magic == OVERLAYFS_MAGIC)
		err = -EINVAL;
	return err;
}

static bool can_be_upper(const struct path *p)
{
	const struct inode_ops *ops = p->dentry->inode->ops;

	return ops->tmpfile && ops->rename && ops->mknod && ops->setxattr &&
	       !(p->mnt->flags & MS_RDONLY);
}

static int given_layers(struct ovl_sb *s, const struct ovl_options *o)
{
	if (!*o->lowerdir)
		return -EINVAL;
	int err = dir_layer(o->lowerdir, &s->lower);
	if (err || !*o->upperdir)
		return err;
	err = dir_layer(o->upperdir, &s->upper);
	if (!err && !can_be_upper(&s->upper))
		err = -EINVAL;
	return err;
}

/* ---- super block ---- */

static int ovl_statfs(struct super_block *sb, struct statfs *ret)
{
	struct ovl_sb *s = ovl_sb_of(sb);
	struct super_block *real =
		s->upper.mnt ? s->upper.dentry->sb : s->lower.dentry->sb;

	int err = real->ops->statfs ? real->ops->statfs(real, ret) : 0;
	ret->f_type = OVERLAYFS_MAGIC;
	return err;
}

static size_t ovl_show_options(struct super_block *sb, char *buf, size_t n)
{
	struct ovl_sb *s = ovl_sb_of(sb);

	return fmt_to(buf, n, ",lowerdir=%s,upperdir=%s", s->lower.dentry->sb->type->name,
		      s->upper.mnt ? s->upper.dentry->sb->type->name : "none");
}

static void unpin_all(struct ovl_sb *s)
{
	struct rb_node *n;

	while ((n = s->by_upper.root))
		ovl_unpin(container_of(n, struct ovl_inode, by_upper)->inode);
}

static void ovl_put_super(struct super_block *sb)
{
	struct ovl_sb *s = ovl_sb_of(sb);

	if (!s)
		return;
	unpin_all(s);
	path_put(&s->upper);
	path_put(&s->lower);
	heap_free(s);
}

static const struct super_ops super_ops = {
	.evict = ovl_evict,
	.statfs = ovl_statfs,
	.put_super = ovl_put_super,
	.show_options = ovl_show_options,
};

static int ovl_fill(struct super_block *sb, const struct ovl_options *o)
{
	struct ovl_sb *s = ovl_sb_of(sb);
	struct inode *root;

	int err = *o->lowerfs ? own_layers(s, o) : given_layers(s, o);
	if (err)
		return err;
	if (!s->upper.mnt)
		sb->flags |= SB_RDONLY;
	sb->file_flags = s->lower.dentry->sb->file_flags;
	if (s->upper.mnt)
		sb->file_flags |= s->upper.dentry->sb->file_flags;
	err = ovl_inode_get(sb, s->upper.dentry, s->lower.dentry, &root);
	if (err)
		return err;
	sb->root = dentry_new_root(root);
	return sb->root ? 0 : -ENOMEM;
}

static int ovl_mount(struct super_block *sb, const char *source, const char *data)
{
	struct ovl_sb *s = heap_zalloc(sizeof *s);
	struct ovl_options *o = heap_zalloc(sizeof *o);
	int err = -ENOMEM;

	if (s && o) {
		mutex_init(&s->change, RANK_OVERLAY);
		spin_init(&s->lock, RANK_OBJECT);
		rb_init(&s->by_upper, NULL);
		sb->priv = s;
		sb->ops = &super_ops;
		sb->flags |= SB_POSIXACL;
		err = options_parse(data, set_option, o);
		if (!err)
			err = ovl_fill(sb, o);
	} else {
		heap_free(s);
	}
	heap_free(o);
	return err;
}

static struct fs_type overlay_type = {
	.name = "overlay",
	.magic = OVERLAYFS_MAGIC,
	.mount = ovl_mount,
};

void overlay_init(void)
{
	fs_type_register(&overlay_type);
}
