/*
 * security.capability, the attribute that gives a program capabilities: capabilities(7),
 * "File capability extended attribute versioning"; <linux/capability.h> has its bytes
 * (struct vfs_cap_data, struct vfs_ns_cap_data), little endian. Pure.
 */
#ifndef LIB_FILE_CAPS_H
#define LIB_FILE_CAPS_H

#include <asm/errno.h>
#include <linux/capability.h>

#include "lib/base.h"

#define FILE_CAPS_NAME "security.capability"

struct file_caps {
	uint64_t permitted, inheritable; /* sets of bits 1 << CAP_*; only known ones */
	bool effective;
	uint32_t rootid; /* version 3: whose user namespace they are of; else 0 */
};

/* Versions 2 and 3, which are all that may be set. 0, or -EINVAL. */
must_use int file_caps_parse(const void *value, size_t n, struct file_caps *ret);

/* May that be set? Unlike what is found on a disk it must hold nothing unknown, and be of
 * a namespace whose root is somebody. */
must_use bool file_caps_settable(const void *value, size_t n);

/* How getxattr(2) shows it where root is user 0: what is of version 3 and root's has the
 * form of version 2. ret: XATTR_CAPS_SZ_3 bytes. Its length, or -EINVAL. */
must_use int64_t file_caps_shown(const void *value, size_t n, void *ret);

#endif
