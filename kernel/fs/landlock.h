/* Landlock (landlock(7)): rulesets as files, and the walk from a file up to the root that
 * its rules are asked on. */
#ifndef FS_LANDLOCK_H
#define FS_LANDLOCK_H

#include "fs/vfs.h"
#include "sec/landlock.h"

/* A new ruleset's file, of rights LANDLOCK_ACCESS_FS_*. */
must_use int landlock_ruleset_new(uint32_t handled, struct file **ret);
/* f's ruleset gets a rule for what is at p; consumes nothing. 0, -EINVAL, -EBADFD,
 * -ENOMEM, -E2BIG. */
must_use int landlock_ruleset_add(struct file *f, const struct path *p, uint32_t access);
bool file_is_landlock(const struct file *f);
/* The ruleset as it is now, as a layer on top of `below` (consumed if it succeeds). 0,
 * -E2BIG, -ENOMEM. */
must_use int landlock_ruleset_layer(struct file *f, struct landlock_layer *below,
				    struct landlock_layer **ret);

/* May the running thread do that with what is at p? 0 or -EACCES. */
must_use int landlock_check(const struct path *p, uint32_t access);
/* See confine_moved(). 0, -EXDEV. */
must_use int landlock_check_moved(const struct path *from, struct dentry *child,
				  const struct path *to);

#endif
