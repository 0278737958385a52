/* access(2): what the real user may do. */
#ifndef FS_ACCESS_H
#define FS_ACCESS_H

#include "fs/vfs.h"

/* Credentials that judge by the real ids: a reference on current's when those say the
 * same. */
must_use int cred_real_ids(struct cred **ret);
/* `may` of MAY_*, 0: existence. walk_flags with WALK_REAL_IDS for all but AT_EACCESS. */
must_use int vfs_access(int dirfd, const char *name, uint32_t may, uint32_t walk_flags);

#endif
