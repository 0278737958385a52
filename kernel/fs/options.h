/* Mount options: "key=value,key,…". */
#ifndef FS_OPTIONS_H
#define FS_OPTIONS_H

#include "fs/vfs.h"

/* Calls fn for each option; v is "" where there is no value. Stops at the first error.
 * text may be NULL. 0, what fn said, -ENOMEM, -EINVAL. */
must_use int options_parse(const char *text,
			   int (*fn)(void *arg, const char *key, const char *v),
			   void *arg);
/* A number with k, m or g behind it. 0 or -EINVAL. */
must_use int option_size(const char *v, uint64_t *ret);

#endif
