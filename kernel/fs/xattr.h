/* Extended attributes as xattr(7) has them: who may touch which name space. */
#ifndef FS_XATTR_H
#define FS_XATTR_H

#include "fs/vfs.h"

must_use int64_t vfs_getxattr(const struct path *p, const char *name, void *buf,
			      size_t n);
must_use int vfs_setxattr(const struct path *p, const char *name, const void *v, size_t n,
			  int flags);
/* Names, each with its NUL; those current may not see are left out. */
must_use int64_t vfs_listxattr(const struct path *p, char *buf, size_t n);
must_use int vfs_removexattr(const struct path *p, const char *name);

#endif
