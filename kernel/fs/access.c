/* access(2), faccessat2(2): a permission check without an access. */
#include <linux/securebits.h>

#include "fs/access.h"
#include "fs/confine.h"
#include "fs/walk.h"

/* capabilities(7): real root has what is permitted, everybody else nothing. */
static uint64_t real_caps(const struct cred *c)
{
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return c->cap_effective;
	return c->uid ? 0 : c->cap_permitted;
}

int cred_real_ids(struct cred **ret)
{
	struct cred *c = thread_current()->cred;

	if (c->uid == c->fsuid && c->gid == c->fsgid &&
	    c->cap_effective == real_caps(c)) {
		*ret = cred_get(c);
		return 0;
	}
	struct cred *real = cred_copy(c);
	if (!real)
		return -ENOMEM;
	real->fsuid = real->uid;
	real->fsgid = real->gid;
	real->cap_effective = real_caps(real);
	*ret = real;
	return 0;
}

/* What the answer promises. */
static uint32_t want_of_may(const struct inode *i, uint32_t may)
{
	uint32_t want = WANT_LOOK;

	if (S_ISDIR(i->mode))
		return may & MAY_READ ? want | WANT_READ_DIR : want;
	if (may & MAY_READ)
		want |= WANT_READ_FILE;
	if (may & MAY_WRITE)
		want |= WANT_WRITE_FILE;
	return may & MAY_EXEC ? want | WANT_EXECUTE : want;
}

static int may_access_path(const struct cred *c, const struct path *p, uint32_t may)
{
	struct inode *i = p->dentry->inode;

	if ((may & MAY_EXEC) && S_ISREG(i->mode) && (p->mnt->flags & MS_NOEXEC))
		return -EACCES;
	int err = may ? inode_permission_cred(c, i, may) : 0;
	if (!err)
		err = confine_path(p, want_of_may(i, may));
	/* Read-only is found out last, and does not matter for devices. */
	bool special = S_ISCHR(i->mode) || S_ISBLK(i->mode) || S_ISFIFO(i->mode) ||
		       S_ISSOCK(i->mode);
	if (!err && (may & MAY_WRITE) && !special &&
	    ((p->mnt->flags & MS_RDONLY) || (i->sb->flags & SB_RDONLY)))
		err = -EROFS;
	return err;
}

int vfs_access(int dirfd, const char *name, uint32_t may, uint32_t walk_flags)
{
	struct cred *c;
	struct path p;
	int err = 0;

	if (walk_flags & WALK_REAL_IDS)
		err = cred_real_ids(&c);
	else
		c = cred_get(thread_current()->cred);
	if (err)
		return err;
	err = walk_path(dirfd, name, walk_flags, c, &p);
	if (!err) {
		err = may_access_path(c, &p, may);
		path_put(&p);
	}
	cred_put(c);
	return err;
}
