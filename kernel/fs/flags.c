/* What chattr(1) sets: who may see and change it. */
#include "fs/flags.h"

#include <linux/falloc.h>

#include "fs/confine.h"
#include "fs/inode.h"

#define GUARDS ((uint32_t)(FS_IMMUTABLE_FL | FS_APPEND_FL))

static bool has_flags(const struct inode *i)
{
	return i->sb->file_flags && (S_ISREG(i->mode) || S_ISDIR(i->mode));
}

int vfs_flags_get(const struct inode *i, uint32_t *ret)
{
	if (!has_flags(i))
		return -ENOTTY;
	*ret = i->flags & i->sb->file_flags;
	return 0;
}

static int set_locked(struct inode *i, const struct flags_change *c)
{
	uint32_t flags = (i->flags & i->sb->file_flags & ~c->mask) | (c->flags & c->mask);

	if (((flags ^ i->flags) & GUARDS) &&
	    !cred_has_cap(thread_current()->cred, CAP_LINUX_IMMUTABLE))
		return -EPERM;
	return c->refusal ? c->refusal : i->ops->setflags(i, flags);
}

int vfs_flags_set(const struct path *p, const struct flags_change *c)
{
	struct inode *i = p->dentry->inode;

	if ((p->mnt->flags & MS_RDONLY) || (i->sb->flags & SB_RDONLY))
		return -EROFS;
	if (!has_flags(i) || !i->ops->setflags)
		return -ENOTTY;
	if (!inode_owner_or_capable(i))
		return -EPERM;
	int err = confine_path(p, WANT_CHANGE);
	if (err)
		return err;
	mutex_lock(&i->lock);
	err = set_locked(i, c);
	mutex_unlock(&i->lock);
	return err;
}

int flags_allow_fallocate(const struct inode *i, int mode)
{
	/* What only makes room adds, and loses nothing. */
	if ((mode & ~FALLOC_FL_KEEP_SIZE) && inode_is_append(i))
		return -EPERM;
	return inode_is_immutable(i) ? -EPERM : 0;
}
