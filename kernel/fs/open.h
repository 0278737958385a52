/* Opening, as the VFS's parts see it. */
#ifndef FS_OPEN_H
#define FS_OPEN_H

#include "fs/file.h"
#include "lib/fmt.h"

/* What open(2) knows; it ignores the rest. */
#define OPEN_FLAGS                                                                       \
	((uint32_t)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |       \
		    O_NONBLOCK | O_DSYNC | O_SYNC | FASYNC | O_DIRECT | O_LARGEFILE |    \
		    O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH |          \
		    O_TMPFILE))

/* Without a permission check: the caller has just made the file. */
must_use int file_open_created(const struct path *p, uint32_t flags, struct file **ret);
/* open(2) of what was found by other ways than a name: what its flags would say of the
 * last component. An O_TMPFILE's mode is 0. */
must_use int file_open_found(const struct path *p, uint32_t flags, struct file **ret);

#endif
