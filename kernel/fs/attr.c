/*
 * Attributes: who may see and change them (inode(7), chmod(2), chown(2), utimensat(2),
 * truncate(2)), and the bits that must not outlive a change of content or owner.
 *
 * Locks: inode->lock for every change.
 */
#include <asm/signal.h>
#include <linux/resource.h>

#include "fs/acl.h"
#include "fs/confine.h"
#include "fs/file_caps.h"
#include "fs/flags.h"
#include "fs/inode.h"
#include "fs/notify.h"

int inode_permission_cred(const struct cred *c, struct inode *i, uint32_t may)
{
	if ((may & MAY_WRITE) && inode_is_immutable(i))
		return -EPERM;
	if (unlikely(i->ops->permission))
		return i->ops->permission(i, may);
	struct perm_facts o = { inode_mode_now(i), i->uid, i->gid };
	if (unlikely(i->acl))
		return inode_acl_permission(c, i, &o, may);
	return sec_may_access(c, &o, may);
}

int inode_permission(struct inode *i, uint32_t may)
{
	return inode_permission_cred(thread_current()->cred, i, may);
}

static bool read_only(const struct path *p)
{
	return ((p->mnt->flags & MS_RDONLY) || (p->dentry->sb->flags & SB_RDONLY)) &&
	       (S_ISREG(p->dentry->inode->mode) || S_ISDIR(p->dentry->inode->mode) ||
		S_ISLNK(p->dentry->inode->mode));
}

int path_permission(const struct path *p, uint32_t may)
{
	if ((may & MAY_WRITE) && read_only(p))
		return -EROFS;
	return inode_permission(p->dentry->inode, may);
}

bool inode_owner_or_capable(const struct inode *i)
{
	const struct cred *c = thread_current()->cred;
	return c->fsuid == i->uid || cred_has_cap(c, CAP_FOWNER);
}

/* ---- reading ---- */

int vfs_getattr(const struct path *p, struct kstat *ret)
{
	struct inode *i = p->dentry->inode;

	if (i->ops->getattr)
		return i->ops->getattr(i, ret);
	inode_getattr_simple(i, ret);
	return 0;
}

/* ---- changing ---- */

int inode_setattr_simple(struct inode *i, const struct attr_change *a)
{
	int err = a->valid & ATTR_MODE ? inode_mode_set(i, a->mode) : 0;
	if (err)
		return err;
	if (a->valid & ATTR_UID)
		i->uid = a->uid;
	if (a->valid & ATTR_GID)
		i->gid = a->gid;
	if (a->valid & ATTR_SIZE) {
		mapping_truncate(&i->mapping, a->size);
		i->size = a->size;
		inode_touch(i, TOUCH_MTIME);
	}
	inode_touch(i, TOUCH_CTIME);
	if (a->valid & ATTR_ATIME)
		i->t.atime = a->atime;
	if (a->valid & ATTR_MTIME)
		i->t.mtime = a->mtime;
	return 0;
}

static int do_setattr(struct inode *i, const struct attr_change *a)
{
	return i->ops->setattr ? i->ops->setattr(i, a) : inode_setattr_simple(i, a);
}

static bool may_chown(const struct inode *i, const struct attr_change *a)
{
	const struct cred *c = thread_current()->cred;
	bool owner = c->fsuid == i->uid;

	bool uid_ok = !(a->valid & ATTR_UID) || (owner && a->uid == i->uid);
	bool gid_ok = !(a->valid & ATTR_GID) ||
		      (owner && (a->gid == i->gid || cred_in_group(c, a->gid)));
	return (uid_ok && gid_ok) || cred_has_cap(c, CAP_CHOWN);
}

static int may_set_times(struct inode *i, const struct attr_change *a)
{
	if (!(a->valid & (ATTR_ATIME | ATTR_MTIME)) || inode_owner_or_capable(i))
		return 0;
	return a->valid & ATTR_NOW ? inode_permission(i, MAY_WRITE) : -EPERM;
}

/* The setuid and setgid bits that a change of content or owner takes away. Without the
 * group's x bit the latter is for those to keep who could also set it. */
static uint32_t privilege_bits(const struct inode *i)
{
	const struct cred *c = thread_current()->cred;
	uint32_t bits = i->mode & S_ISUID;

	if (S_ISDIR(i->mode) || likely(!(i->mode & (S_ISUID | S_ISGID))))
		return 0;
	if ((i->mode & S_IXGRP) ||
	    !(cred_in_group(c, i->gid) || cred_has_cap(c, CAP_FSETID)))
		bits |= i->mode & S_ISGID;
	return bits;
}

/* Setting the times to the present is what writing does too: appending is allowed it. */
static bool guards_forbid(const struct inode *i, const struct attr_change *a)
{
	bool times = a->valid & (ATTR_ATIME | ATTR_MTIME);

	if (times && (a->valid & ATTR_NOW))
		return inode_is_immutable(i);
	return (times || (a->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))) &&
	       inode_is_guarded(i);
}

static int may_setattr(struct inode *i, struct attr_change *a)
{
	/* chown(path, -1, -1) changes nothing but these, and is no way for others to. */
	bool mode =
		(a->valid & ATTR_MODE) || ((a->valid & ATTR_KILL) && privilege_bits(i));

	if (guards_forbid(i, a))
		return -EPERM;
	if ((a->valid & (ATTR_UID | ATTR_GID)) && !may_chown(i, a))
		return -EPERM;
	if (mode && !inode_owner_or_capable(i))
		return -EPERM;
	return may_set_times(i, a);
}

/* What of the mode the kernel decides itself. */
static void adjust_mode(const struct inode *i, struct attr_change *a)
{
	const struct cred *c = thread_current()->cred;
	gid_t gid = a->valid & ATTR_GID ? a->gid : i->gid;

	if ((a->valid & ATTR_MODE) && (a->mode & S_ISGID) && !cred_in_group(c, gid) &&
	    !cred_has_cap(c, CAP_FSETID))
		a->mode &= ~(uint32_t)S_ISGID;
	if ((a->valid & ATTR_KILL) && privilege_bits(i)) {
		a->valid |= ATTR_MODE;
		a->mode = i->mode & ~privilege_bits(i);
	}
}

int vfs_setattr(const struct path *p, struct attr_change *a)
{
	struct inode *i = p->dentry->inode;

	if ((p->mnt->flags & MS_RDONLY) || (i->sb->flags & SB_RDONLY))
		return -EROFS;
	int err = confine_path(p, WANT_CHANGE);
	if (err)
		return err;
	mutex_lock(&i->lock);
	err = may_setattr(i, a);
	if (!err && (a->valid & ATTR_KILL) && S_ISREG(i->mode))
		err = inode_file_caps_drop(i);
	if (!err) {
		adjust_mode(i, a);
		err = do_setattr(i, a);
	}
	mutex_unlock(&i->lock);
	if (!err)
		notify_changed(p, a);
	return err;
}

int inode_strip_privileges(struct inode *i)
{
	uint32_t bits = privilege_bits(i);

	int err = S_ISREG(i->mode) ? inode_file_caps_drop(i) : 0;
	if (err)
		return err;
	if (likely(!bits) || cred_has_cap(thread_current()->cred, CAP_FSETID))
		return 0;
	struct attr_change a = { .valid = ATTR_MODE, .mode = i->mode & ~bits };
	return do_setattr(i, &a);
}

int vfs_resize(const struct path *p, uint64_t size)
{
	struct inode *i = p->dentry->inode;

	if (size > i->size && size > fs_upcalls.rlimit(RLIMIT_FSIZE)) {
		fs_upcalls.signal_current(SIGXFSZ);
		return -EFBIG;
	}
	if (size > i->sb->max_bytes)
		return -EFBIG;
	mutex_lock(&i->lock);
	int err = inode_strip_privileges(i);
	if (!err) {
		struct attr_change a = { .valid = ATTR_SIZE, .size = size };
		err = do_setattr(i, &a);
	}
	mutex_unlock(&i->lock);
	if (!err)
		notify_dentry(p->dentry, i, IN_MODIFY);
	return err;
}

int64_t vfs_fallocate(struct file *f, int mode, uint64_t off, uint64_t len)
{
	struct inode *i = f->inode;

	if (!f->ops->fallocate)
		return -EOPNOTSUPP;
	int64_t r = flags_allow_fallocate(i, mode);
	if (!r)
		r = f->ops->fallocate(f, mode, off, len);
	if (r)
		return r;
	/* Nobody runs it in between: it is open for writing. */
	mutex_lock(&i->lock);
	r = inode_strip_privileges(i);
	mutex_unlock(&i->lock);
	return r;
}

/* ---- executing against writing ---- */

/* Moves the count away from 0 in one direction, if it is not on the other side. */
static int count_step(_Atomic int32_t *n, int32_t step)
{
	int32_t old = *n;

	do {
		if (step > 0 ? old < 0 : old > 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n((int32_t *)n, &old, old + step, true,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

int inode_writer_get(struct inode *i)
{
	return count_step(&i->writers, 1);
}

void inode_writer_put(struct inode *i)
{
	i->writers--;
}

int inode_deny_get(struct inode *i)
{
	return count_step(&i->writers, -1);
}

void inode_deny_put(struct inode *i)
{
	i->writers++;
}
