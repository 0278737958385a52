/* The capabilities of files, capabilities(7): who may give them, and when they go. */
#ifndef FS_FILE_CAPS_H
#define FS_FILE_CAPS_H

#include "fs/vfs.h"
#include "lib/file_caps.h"

/* 1: a program with these; 0: without; -EINVAL: what its image holds is none. */
must_use int inode_file_caps(struct inode *i, struct file_caps *ret);

/* getxattr(2) of FILE_CAPS_NAME. */
must_use int64_t file_caps_get(struct inode *i, void *buf, size_t n);
/* May current set it to that? 0, -EINVAL or -EPERM. */
must_use int file_caps_may_set(const void *value, size_t n);

/* They do not outlive a change of content or owner. i->lock held. 0, or what the file
 * system says. */
must_use int inode_file_caps_drop(struct inode *i);
/* It may have them from now on; i->lock held. */
void inode_file_caps_changed(struct inode *i);

#endif
