/* Between the files of devpts. */
#ifndef FS_DEVPTS_DEVPTS_INTERNAL_H
#define FS_DEVPTS_DEVPTS_INTERNAL_H

#include "dev/pty.h"
#include "fs/devpts/devpts.h"
#include "lib/radix.h"

#define PTY_MAX 4096u /* kernel.pty.max of Linux */

struct devpts_options {
	uid_t uid;
	gid_t gid;
	bool has_uid, has_gid;
	uint32_t mode, ptmx_mode, max;
};

/* One mount. */
struct devpts {
	struct ref refs;   /* its super block, and each pair */
	struct mutex lock; /* RANK_PIPE */
	/* guarded by lock */
	struct radix entries; /* number -> inode (referenced) while the master is open */
	struct radix numbers; /* number -> this, while anything of the pair is left */
	struct super_block *sb;	   /* NULL: unmounted */
	struct devpts_options opt; /* [I] */
};

extern const struct file_ops ptmx_file_ops;

/* The instance of a super block, NULL when it is not devpts. */
struct devpts *devpts_of(const struct super_block *sb);
void devpts_put(struct devpts *d);
/* A new pair with its entry. 0, -ENOSPC, -ENOMEM. */
must_use int devpts_pair_new(struct devpts *d, struct pty **ret);
/* The master is closing: the entry goes. */
void devpts_entry_remove(struct devpts *d, uint32_t index);

#endif
