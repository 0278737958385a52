/*
 * New names: mkdir, mknod, symlink, link; and the rules who may make and take away names
 * (path_resolution(7), inode(7), the sticky bit).
 *
 * Locks: the directory's inode lock from the lookup of the last name to its change.
 */
#include "fs/namei.h"

#include "fs/confine.h"
#include "fs/flags.h"
#include "fs/notify.h"
#include "fs/walk.h"

uint32_t mode_masked(const struct inode *dir, uint32_t mode)
{
	return dir->default_acl ? mode : mode & ~thread_current()->fs->umask;
}

int read_only_at(const struct path *dir)
{
	return (dir->mnt->flags & MS_RDONLY) || (dir->dentry->sb->flags & SB_RDONLY)
		       ? -EROFS
		       : 0;
}

int may_create(const struct path *dir)
{
	if (dir->dentry->flags & DENTRY_UNHASHED)
		return -ENOENT;
	int err = read_only_at(dir);
	return err ? err : inode_permission(dir->dentry->inode, MAY_WRITE | MAY_EXEC);
}

static bool sticky_forbids(const struct inode *dir, const struct inode *victim)
{
	const struct cred *c = thread_current()->cred;

	return (dir->mode & S_ISVTX) && c->fsuid != victim->uid && c->fsuid != dir->uid &&
	       !cred_has_cap(c, CAP_FOWNER);
}

int may_delete(const struct path *dir, struct dentry *d, bool as_dir)
{
	if (!d->inode)
		return -ENOENT;
	int err = read_only_at(dir);
	if (!err)
		err = inode_permission(dir->dentry->inode, MAY_WRITE | MAY_EXEC);
	if (err)
		return err;
	if (sticky_forbids(dir->dentry->inode, d->inode) ||
	    inode_is_append(dir->dentry->inode) || inode_is_guarded(d->inode))
		return -EPERM;
	if (as_dir != S_ISDIR(d->inode->mode))
		return as_dir ? -ENOTDIR : -EISDIR;
	return d->flags & DENTRY_MOUNTPOINT ? -EBUSY : 0;
}

/* The locked parent and the absent name to be made in it, as something of that mode. */
static int create_begin(int dirfd, const char *name, uint32_t mode,
			struct parent_lookup *ret)
{
	int err = path_parent_lock(dirfd, name, 0, ret);
	if (err)
		return err;
	if (ret->dentry->inode)
		err = -EEXIST;
	else if (ret->trailing_slash && !S_ISDIR(mode))
		err = -ENOENT;
	else
		err = may_create(&ret->parent);
	if (!err)
		err = confine_name(&ret->parent, &ret->dentry->name, want_to_make(mode));
	if (err)
		path_unlock_parent(ret);
	return err;
}

int vfs_mkdir(int dirfd, const char *name, uint32_t mode)
{
	struct parent_lookup p;

	int err = create_begin(dirfd, name, S_IFDIR, &p);
	if (err)
		return err;
	struct inode *dir = p.parent.dentry->inode;
	mode = mode_masked(dir, mode & (S_IRWXU | S_IRWXG | S_IRWXO | S_ISVTX)) | S_IFDIR;
	if (!dir->ops->mkdir)
		err = -EPERM;
	else if (dir->nlink == UINT32_MAX)
		err = -EMLINK;
	else
		err = dir->ops->mkdir(dir, p.dentry, mode);
	if (!err)
		notify_created(dir, p.dentry);
	path_unlock_parent(&p);
	return err;
}

int mknod_check_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFCHR:
	case S_IFBLK:
		return 0;
	case S_IFDIR:
		return -EPERM;
	}
	return -EINVAL;
}

/* Devices are for the privileged; a whiteout (0:0) opens nothing and is for everybody. */
static int may_mknod(uint32_t mode, dev_id_t rdev)
{
	bool device = S_ISBLK(mode) || (S_ISCHR(mode) && rdev != 0);

	if (!device)
		return 0;
	int err = confine_device();
	if (err)
		return err;
	return cred_has_cap(thread_current()->cred, CAP_MKNOD) ? 0 : -EPERM;
}

static int mknod_in(struct inode *dir, struct dentry *d, uint32_t mode, dev_id_t rdev)
{
	int err = may_mknod(mode, rdev);
	if (err)
		return err;
	if (S_ISREG(mode))
		return dir->ops->create ? dir->ops->create(dir, d, mode) : -EPERM;
	if (!S_ISCHR(mode) && !S_ISBLK(mode))
		rdev = 0;
	return dir->ops->mknod ? dir->ops->mknod(dir, d, mode, rdev) : -EPERM;
}

int vfs_mknod_path(int dirfd, const char *name, uint32_t mode, dev_id_t rdev,
		   struct path *ret)
{
	struct parent_lookup p;

	if (!(mode & S_IFMT))
		mode |= S_IFREG;
	int err = mknod_check_type(mode);
	if (err)
		return err;
	err = create_begin(dirfd, name, mode, &p);
	if (err)
		return err;
	struct inode *dir = p.parent.dentry->inode;
	mode = mode_masked(dir, mode & 07777) | (mode & S_IFMT);
	err = mknod_in(dir, p.dentry, mode, rdev);
	if (!err) {
		*ret = (struct path){ p.parent.mnt, p.dentry };
		path_get(ret);
		notify_created(dir, p.dentry);
	}
	path_unlock_parent(&p);
	return err;
}

int vfs_mknod(int dirfd, const char *name, uint32_t mode, dev_id_t rdev)
{
	struct path made;
	int err = vfs_mknod_path(dirfd, name, mode, rdev, &made);

	if (!err)
		path_put(&made);
	return err;
}

int vfs_symlink(const char *target, int dirfd, const char *name)
{
	struct parent_lookup p;

	int err = create_begin(dirfd, name, S_IFLNK, &p);
	if (err)
		return err;
	struct inode *dir = p.parent.dentry->inode;
	err = dir->ops->symlink ? dir->ops->symlink(dir, p.dentry, target) : -EPERM;
	if (!err)
		notify_created(dir, p.dentry);
	path_unlock_parent(&p);
	return err;
}

/* proc(5), protected_hardlinks: whoever does not own a file may link it only if it is a
 * plain one that they may read and write; else links would keep setuid programs from
 * being mended. */
static int may_link(struct inode *i)
{
	const uint32_t group_exec = S_ISGID | S_IXGRP;

	if (inode_owner_or_capable(i))
		return 0;
	if (!S_ISREG(i->mode) || (i->mode & S_ISUID) ||
	    (i->mode & group_exec) == group_exec ||
	    inode_permission(i, MAY_READ | MAY_WRITE))
		return -EPERM;
	return 0;
}

static int link_locked(struct inode *target, struct inode *dir, struct dentry *d)
{
	int err;

	if (S_ISDIR(target->mode) || inode_is_guarded(target))
		return -EPERM;
	mutex_lock(&target->lock);
	if (target->nlink == 0 && !(target->state & INODE_LINKABLE))
		err = -ENOENT;
	else if (target->nlink == UINT32_MAX)
		err = -EMLINK;
	else
		err = dir->ops->link ? dir->ops->link(dir, d, target) : -EPERM;
	if (!err)
		target->state &= ~INODE_LINKABLE;
	mutex_unlock(&target->lock);
	return err;
}

static int confine_linked(const struct path *target, const struct parent_lookup *p)
{
	const struct path from = { target->mnt, target->dentry->parent };

	return confine_moved(&from, &target->dentry->name, &p->parent, &p->dentry->name,
			     target->dentry);
}

int vfs_link(const struct path *target, int dirfd, const char *name)
{
	struct inode *i = target->dentry->inode;
	struct parent_lookup p;

	int err = path_parent_lock(dirfd, name, 0, &p);
	if (err)
		return err;
	if (p.dentry->inode)
		err = -EEXIST;
	else if (p.trailing_slash)
		err = -ENOENT;
	else if (read_only_at(&p.parent))
		err = -EROFS;
	else if (p.parent.mnt != target->mnt)
		err = -EXDEV;
	if (!err)
		err = may_link(i);
	if (!err)
		err = may_create(&p.parent);
	if (!err)
		err = confine_name(&p.parent, &p.dentry->name, want_to_make(i->mode));
	if (!err)
		err = confine_linked(target, &p);
	if (!err)
		err = link_locked(i, p.parent.dentry->inode, p.dentry);
	if (!err) {
		notify_inode(i, IN_ATTRIB); /* st_nlink */
		notify_created(p.parent.dentry->inode, p.dentry);
	}
	path_unlock_parent(&p);
	return err;
}
