/*
 * File system types and super blocks: what is mounted, apart from where.
 *
 * Locks: types_lock over the list of types, which only grows.
 */
#include "fs/mount.h"
#include "fs/notify.h"
#include "lib/string.h"

static struct spinlock types_lock = SPINLOCK_INIT(RANK_OBJECT);
static struct list types = LIST_INIT(types); /* [types_lock] */
static _Atomic uint32_t next_minor = 1;

void fs_type_register(struct fs_type *t)
{
	spin_lock(&types_lock);
	list_push_back(&types, &t->link);
	spin_unlock(&types_lock);
}

struct fs_type *fs_type_find(const char *name)
{
	struct fs_type *found = NULL;

	spin_lock(&types_lock);
	list_for_each(t, &types, struct fs_type, link)
	{
		if (!strcmp(t->name, name)) {
			found = t;
			break;
		}
	}
	spin_unlock(&types_lock);
	return found;
}

/* The list only grows at its end: following a link needs no lock. */
void fs_type_for_each(void (*fn)(const struct fs_type *t, void *arg), void *arg)
{
	list_for_each(t, &types, struct fs_type, link) fn(t, arg);
}

static struct super_block *super_new(const struct fs_type *t, const char *source,
				     uint32_t flags)
{
	struct super_block *sb = heap_zalloc(sizeof *sb);
	if (!sb)
		return NULL;
	uint32_t minor = next_minor++; /* DEV_ID uses its arguments twice */
	ref_init(&sb->refs, 1);
	mutex_init(&sb->rename_lock, RANK_SB_RENAME);
	sb->type = t;
	sb->dev = DEV_ID(0u, minor);
	sb->block_size = PAGE_SIZE;
	sb->max_bytes = INT64_MAX;
	sb->next_ino = 1;
	if (flags & MS_RDONLY)
		sb->flags |= SB_RDONLY;
	str_copy(sb->source, source ? source : "none", sizeof sb->source);
	return sb;
}

int super_mount_type(const struct fs_type *t, const char *source, const char *data,
		     uint32_t flags, struct super_block **ret)
{
	struct super_block *sb = super_new(t, source, flags);
	if (!sb)
		return -ENOMEM;
	int err = t->mount(sb, source, data);
	if (err) {
		super_put(sb);
		return err;
	}
	insist(sb->root && sb->root->inode);
	*ret = sb;
	return 0;
}

int super_mount(const char *type, const char *source, const char *data, uint32_t flags,
		struct super_block **ret)
{
	const struct fs_type *t = fs_type_find(type);
	if (!t)
		return -ENODEV;
	if (t->needs_device && (!source || !*source))
		return -EINVAL;
	if (!t->sole)
		return super_mount_type(t, source, data, flags, ret);
	ref_get(&t->sole->refs);
	*ret = t->sole;
	return 0;
}

/* Half-built ones too: a failed mount leaves no root, and priv to put_super. */
void super_put(struct super_block *sb)
{
	if (!ref_put(&sb->refs))
		return;
	notify_unmounted(sb);
	dcache_prune_sb(sb);
	if (sb->root)
		dentry_put(sb->root);
	if (sb->ops && sb->ops->put_super)
		sb->ops->put_super(sb);
	heap_free(sb);
}
