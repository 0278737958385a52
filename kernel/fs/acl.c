/* Access control lists of inodes: reading, setting, inheriting, following the mode. */
#include "fs/acl.h"

#include <linux/xattr.h>

#include "fs/inode.h"
#include "lib/string.h"

static struct spinlock acl_lock = SPINLOCK_INIT(RANK_ACL);

static const char access_name[] = XATTR_NAME_POSIX_ACL_ACCESS;
static const char default_name[] = XATTR_NAME_POSIX_ACL_DEFAULT;

bool acl_kind_of(const char *name, enum acl_kind *ret)
{
	if (!strcmp(name, access_name))
		*ret = ACL_OF_ACCESS;
	else if (!strcmp(name, default_name))
		*ret = ACL_OF_DEFAULT;
	else
		return false;
	return true;
}

const char *acl_name(enum acl_kind kind, size_t *ret_len)
{
	bool access = kind == ACL_OF_ACCESS;

	*ret_len = access ? sizeof access_name : sizeof default_name;
	return access ? access_name : default_name;
}

static _Atomic(struct acl *) *slot(struct inode *i, enum acl_kind kind)
{
	return kind == ACL_OF_ACCESS ? &i->acl : &i->default_acl;
}

/* A reference, or NULL. */
static struct acl *list_of(const struct inode *i, enum acl_kind kind)
{
	_Atomic(struct acl *) *s = slot((struct inode *)i, kind);

	if (!*s)
		return NULL;
	spin_lock(&acl_lock);
	struct acl *a = acl_get(*s);
	spin_unlock(&acl_lock);
	return a;
}

static void store(struct inode *i, enum acl_kind kind, struct acl *a)
{
	spin_lock(&acl_lock);
	struct acl *old = *slot(i, kind);
	*slot(i, kind) = acl_get(a);
	spin_unlock(&acl_lock);
	acl_put(old);
}

/* ---- permission ---- */

int inode_acl_permission(const struct cred *c, struct inode *i,
			 const struct perm_facts *o, uint32_t may)
{
	struct acl *a = list_of(i, ACL_OF_ACCESS);

	if (!a)
		return sec_may_access(c, o, may);
	int err = sec_may_access_acl(c, o, a, may);
	acl_put(a);
	return err;
}

/* ---- attributes ---- */

int64_t inode_acl_read(struct inode *i, enum acl_kind kind, void *buf, size_t n)
{
	if (!(i->sb->flags & SB_POSIXACL) || S_ISLNK(i->mode))
		return -EOPNOTSUPP;
	struct acl *a = list_of(i, kind);
	if (!a)
		return -ENODATA;
	size_t size = acl_xattr_size(a->n);
	int64_t r = (int64_t)size;
	if (n && n < size)
		r = -ERANGE;
	else if (n)
		acl_xattr_encode(a->entry, a->n, buf);
	acl_put(a);
	return r;
}

/* *ret: the list that the bytes are, not checked; NULL: they stand for none. */
static int parse(const void *value, size_t n, struct acl **ret)
{
	*ret = NULL;
	if (!value)
		return 0;
	int64_t count = acl_xattr_count(value, n);
	if (count <= 0)
		return (int)count;
	struct acl *a = acl_new((uint32_t)count);
	if (!a)
		return -ENOMEM;
	int err = acl_xattr_decode(value, a->n, a->entry);
	if (err)
		acl_put(a);
	else
		*ret = a;
	return err;
}

/* As chmod(2) does, for who is not in the file's group. */
static bool loses_setgid(const struct inode *i)
{
	const struct cred *c = thread_current()->cred;

	return (i->mode & S_ISGID) && !cred_in_group(c, i->gid) &&
	       !cred_has_cap(c, CAP_FSETID);
}

/* A change whose list is checked: what it does to the mode, and then it is made. */
static int change(struct inode *i, enum acl_kind kind, struct acl *a)
{
	struct acl_change c = { .kind = kind, .acl = a, .mode = i->mode };

	if (kind == ACL_OF_ACCESS) {
		if (a)
			c.mode = (c.mode & ~0777u) | acl_mode(a->entry, a->n);
		if (a && acl_is_minimal(a->entry, a->n))
			c.acl = NULL;
		if (loses_setgid(i))
			c.mode &= ~(uint32_t)S_ISGID;
	}
	return i->ops->set_acl(i, &c);
}

static int check_and_change(struct inode *i, enum acl_kind kind, struct acl *a)
{
	if (!i->ops->set_acl)
		return -EOPNOTSUPP;
	if (kind == ACL_OF_DEFAULT && !S_ISDIR(i->mode))
		return a ? -EACCES : 0;
	if (!inode_owner_or_capable(i))
		return -EPERM;
	int err = a ? acl_check(a->entry, a->n) : 0;
	return err ? err : change(i, kind, a);
}

int inode_acl_write(struct inode *i, enum acl_kind kind, const void *value, size_t n)
{
	struct acl *a;

	if (!(i->sb->flags & SB_POSIXACL))
		return -EOPNOTSUPP;
	int err = parse(value, n, &a);
	if (err)
		return err;
	err = check_and_change(i, kind, a);
	acl_put(a);
	return err;
}

/* ---- for file systems ---- */

static void mode_store(struct inode *i, uint32_t mode)
{
	mode = (i->mode & S_IFMT) | (mode & ~(uint32_t)S_IFMT);
	__atomic_store_n(&i->mode, mode, __ATOMIC_RELEASE);
}

void inode_acl_load(struct inode *i, enum acl_kind kind, struct acl *a)
{
	store(i, kind, a);
	acl_put(a);
}

void inode_acl_set_simple(struct inode *i, const struct acl_change *c)
{
	if (c->acl)
		store(i, c->kind, c->acl);
	mode_store(i, c->mode);
	if (!c->acl)
		store(i, c->kind, NULL);
	inode_touch(i, TOUCH_CTIME);
}

int inode_mode_set(struct inode *i, uint32_t mode)
{
	if (unlikely(i->acl)) {
		struct acl *a = acl_copy(i->acl);
		if (!a)
			return -ENOMEM;
		acl_set_mode(a->entry, a->n, mode);
		store(i, ACL_OF_ACCESS, a);
		acl_put(a);
	}
	mode_store(i, mode);
	return 0;
}

static int set(struct inode *i, enum acl_kind kind, struct acl *a, uint32_t mode)
{
	return i->ops->set_acl(i, &(struct acl_change){ kind, a, mode });
}

/* The access list that comes of a default one: the list itself when the mode takes
 * nothing away. */
static struct acl *limited(struct acl *dflt, uint32_t mode)
{
	if (!(acl_mode(dflt->entry, dflt->n) & ~mode))
		return acl_get(dflt);
	struct acl *a = acl_copy(dflt);
	if (a)
		acl_limit(a->entry, a->n, mode);
	return a;
}

static int inherit(struct inode *i, struct acl *dflt)
{
	struct acl *a = limited(dflt, i->mode);
	if (!a)
		return -ENOMEM;
	uint32_t mode = (i->mode & ~0777u) | acl_mode(a->entry, a->n);
	bool minimal = acl_is_minimal(a->entry, a->n);
	int err = set(i, ACL_OF_ACCESS, minimal ? NULL : a, mode);
	if (!err && S_ISDIR(i->mode))
		err = set(i, ACL_OF_DEFAULT, dflt, mode);
	acl_put(a);
	return err;
}

int inode_acl_inherit(struct inode *i, const struct inode *dir)
{
	if (likely(!dir->default_acl) || S_ISLNK(i->mode))
		return 0;
	struct acl *dflt = list_of(dir, ACL_OF_DEFAULT);
	int err = dflt ? inherit(i, dflt) : 0;
	acl_put(dflt);
	return err;
}

static int copy_kind(const struct inode *from, struct inode *to, enum acl_kind kind)
{
	struct acl *a = list_of(from, kind);
	int err = 0;

	if (a || *slot(to, kind))
		err = to->ops->set_acl ? set(to, kind, a, from->mode) : -EOPNOTSUPP;
	acl_put(a);
	return err;
}

int inode_acls_copy(const struct inode *from, struct inode *to)
{
	int err = copy_kind(from, to, ACL_OF_ACCESS);

	return err ? err : copy_kind(from, to, ACL_OF_DEFAULT);
}

static void follow_kind(struct inode *i, const struct inode *real, enum acl_kind kind)
{
	struct acl *a = list_of(real, kind);

	store(i, kind, a);
	acl_put(a);
}

void inode_acls_follow(struct inode *i, const struct inode *real)
{
	bool has = real->acl;

	if (has)
		follow_kind(i, real, ACL_OF_ACCESS);
	__atomic_store_n(&i->mode, real->mode, __ATOMIC_RELEASE);
	if (!has)
		follow_kind(i, real, ACL_OF_ACCESS);
	follow_kind(i, real, ACL_OF_DEFAULT);
}

void inode_acls_free(struct inode *i)
{
	acl_put(i->acl);
	acl_put(i->default_acl);
}
