/* Copies from one open file to another inside the kernel: sendfile(2),
 * copy_file_range(2). */
#ifndef FS_COPY_H
#define FS_COPY_H

#include "fs/vfs.h"

/* Moves up to n bytes. A position of NULL is the file's own. Bytes moved, or -errno when
 * none were. */
must_use int64_t file_copy(struct file *in, uint64_t *in_pos, struct file *out,
			   uint64_t *out_pos, uint64_t n);

#endif
