/* Extended attributes: permission by name space, then the file system's own store. */
#include "fs/xattr.h"

#include "fs/acl.h"
#include "fs/confine.h"
#include "fs/file_caps.h"
#include "fs/flags.h"
#include "fs/inode.h"
#include "fs/notify.h"
#include "lib/string.h"

static bool in_space(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

static bool capable(int cap)
{
	return cred_has_cap(thread_current()->cred, cap);
}

/* user.*: of files and directories only; in a sticky directory the owner alone writes. */
static int may_user(struct inode *i, uint32_t may)
{
	bool write = may & MAY_WRITE;

	if (!S_ISREG(i->mode) && !S_ISDIR(i->mode))
		return write ? -EPERM : -ENODATA;
	if (S_ISDIR(i->mode) && (i->mode & S_ISVTX) && write &&
	    !inode_owner_or_capable(i))
		return -EPERM;
	return inode_permission(i, may);
}

static int may_trusted(uint32_t may)
{
	if (capable(CAP_SYS_ADMIN))
		return 0;
	return may & MAY_WRITE ? -EPERM : -ENODATA;
}

static bool is_caps(const char *name)
{
	return !strcmp(name, FILE_CAPS_NAME);
}

static int may_security(const char *name, uint32_t may)
{
	int cap = is_caps(name) ? CAP_SETFCAP : CAP_SYS_ADMIN;

	return !(may & MAY_WRITE) || capable(cap) ? 0 : -EPERM;
}

/* system.*: access control lists are all there is; they say themselves who may. */
static int may_system(const char *name)
{
	enum acl_kind kind;

	return acl_kind_of(name, &kind) ? 0 : -EOPNOTSUPP;
}

static bool is_read_only(const struct path *p)
{
	return (p->mnt->flags & MS_RDONLY) || (p->dentry->inode->sb->flags & SB_RDONLY);
}

static int may_xattr(const struct path *p, const char *name, uint32_t may)
{
	struct inode *i = p->dentry->inode;
	int err;

	if ((may & MAY_WRITE) && is_read_only(p))
		return -EROFS;
	if ((may & MAY_WRITE) && inode_is_guarded(i))
		return -EPERM;
	if (in_space(name, "user."))
		err = may_user(i, may);
	else if (in_space(name, "trusted."))
		err = may_trusted(may);
	else if (in_space(name, "security."))
		err = may_security(name, may);
	else if (in_space(name, "system."))
		return may_system(name);
	else
		return (err = inode_permission(i, may)) ? err : -EOPNOTSUPP;
	/* A prefix alone names nothing. */
	return err || *(strchr(name, '.') + 1) ? err : -EINVAL;
}

int64_t vfs_getxattr(const struct path *p, const char *name, void *buf, size_t n)
{
	struct inode *i = p->dentry->inode;

	int err = may_xattr(p, name, MAY_READ);
	if (err)
		return err;
	enum acl_kind kind;
	if (acl_kind_of(name, &kind))
		return inode_acl_read(i, kind, buf, n);
	if (is_caps(name))
		return file_caps_get(i, buf, n);
	return i->ops->getxattr ? i->ops->getxattr(i, name, buf, n) : -EOPNOTSUPP;
}

/* The file system's part of a change, v NULL: a removal; i->lock held. XATTR_CREATE and
 * XATTR_REPLACE mean nothing to lists. */
static int change_locked(struct inode *i, const char *name, const void *v, size_t n,
			 int flags)
{
	enum acl_kind kind;

	if (acl_kind_of(name, &kind))
		return inode_acl_write(i, kind, v, n);
	if (is_caps(name))
		inode_file_caps_changed(i);
	if (v)
		return i->ops->setxattr ? i->ops->setxattr(i, name, v, n, flags)
					: -EOPNOTSUPP;
	return i->ops->removexattr ? i->ops->removexattr(i, name) : -EOPNOTSUPP;
}

static int change(const struct path *p, const char *name, const void *v, size_t n,
		  int flags)
{
	struct inode *i = p->dentry->inode;

	int err = v && is_caps(name) && !is_read_only(p) ? file_caps_may_set(v, n) : 0;
	if (!err)
		err = confine_path(p, WANT_CHANGE);
	if (!err)
		err = may_xattr(p, name, MAY_WRITE);
	if (err)
		return err;
	mutex_lock(&i->lock);
	err = change_locked(i, name, v, n, flags);
	mutex_unlock(&i->lock);
	if (!err)
		notify_dentry(p->dentry, i, IN_ATTRIB);
	return err;
}

int vfs_setxattr(const struct path *p, const char *name, const void *v, size_t n,
		 int flags)
{
	return change(p, name, v, n, flags);
}

int vfs_removexattr(const struct path *p, const char *name)
{
	return change(p, name, NULL, 0, 0);
}

/* Drops trusted.* from a list of names; its new length. */
static size_t hide_trusted(char *buf, size_t len)
{
	size_t out = 0;

	for (size_t at = 0; at < len;) {
		size_t n = strlen(buf + at) + 1;
		if (!in_space(buf + at, "trusted.")) {
			memmove(buf + out, buf + at, n);
			out += n;
		}
		at += n;
	}
	return out;
}

int64_t vfs_listxattr(const struct path *p, char *buf, size_t n)
{
	struct inode *i = p->dentry->inode;

	if (!i->ops->listxattr)
		return 0;
	int64_t len = i->ops->listxattr(i, buf, n);
	if (len > 0 && n && !cred_holds_cap(thread_current()->cred, CAP_SYS_ADMIN))
		len = (int64_t)hide_trusted(buf, (size_t)len);
	return len;
}
