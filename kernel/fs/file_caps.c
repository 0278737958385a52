/* security.capability between the file systems and those who ask. */
#include "fs/file_caps.h"

#include "fs/inode.h"
#include "lib/string.h"

/* Its bytes as the file system has them; what is longer than any is not one. */
static int64_t bytes_of(struct inode *i, uint8_t bytes[XATTR_CAPS_SZ_3])
{
	if (!i->ops->getxattr)
		return -EOPNOTSUPP;
	int64_t n = i->ops->getxattr(i, FILE_CAPS_NAME, bytes, XATTR_CAPS_SZ_3);
	return n == -ERANGE ? -EINVAL : n;
}

int inode_file_caps(struct inode *i, struct file_caps *ret)
{
	uint8_t bytes[XATTR_CAPS_SZ_3];
	if (i->state & INODE_NO_CAPS)
		return 0;
	int64_t n = bytes_of(i, bytes);
	if (n == -ENODATA || n == -EOPNOTSUPP)
		return 0;
	int err = n < 0 ? (int)n : file_caps_parse(bytes, (size_t)n, ret);
	return err ? err : 1;
}

int64_t file_caps_get(struct inode *i, void *buf, size_t n)
{
	uint8_t bytes[XATTR_CAPS_SZ_3], shown[XATTR_CAPS_SZ_3];
	int64_t have = bytes_of(i, bytes);
	if (have >= 0)
		have = file_caps_shown(bytes, (size_t)have, shown);
	if (have < 0 || !n)
		return have;
	if ((size_t)have > n)
		return -ERANGE;
	memcpy(buf, shown, (size_t)have);
	return have;
}

int file_caps_may_set(const void *value, size_t n)
{
	if (!file_caps_settable(value, n))
		return -EINVAL;
	return cred_has_cap(thread_current()->cred, CAP_SETFCAP) ? 0 : -EPERM;
}

int inode_file_caps_drop(struct inode *i)
{
	if (likely(i->state & INODE_NO_CAPS))
		return 0;
	int err = i->ops->removexattr ? i->ops->removexattr(i, FILE_CAPS_NAME) : 0;
	if (err && err != -ENODATA && err != -EOPNOTSUPP)
		return err;
	i->state |= INODE_NO_CAPS;
	return 0;
}

void inode_file_caps_changed(struct inode *i)
{
	i->state &= ~INODE_NO_CAPS;
}
