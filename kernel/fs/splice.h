/*
 * splice(2) and its kin: bytes between a pipe and a file, or between pipes, in the pipes'
 * buffers.
 */
#ifndef FS_SPLICE_H
#define FS_SPLICE_H

#include "fs/pipe.h"

/* <fcntl.h>'s; Linux's UAPI headers lack them (splice(2)). */
#define SPLICE_F_MOVE 1u
#define SPLICE_F_NONBLOCK 2u
#define SPLICE_F_MORE 4u
#define SPLICE_F_GIFT 8u

/* One of the two is a pipe. Positions: NULL means the file's own. Bytes moved, 0 at the
 * end of `in`, -EINVAL (no pipe among them; the same pipe twice), -EAGAIN, -EPIPE,
 * -ERESTARTSYS. */
must_use int64_t file_splice(struct file *in, uint64_t *in_pos, struct file *out,
			     uint64_t *out_pos, size_t len, uint32_t flags);
/* Copies without taking: both are pipes. */
must_use int64_t pipe_tee(struct file *in, struct file *out, size_t len, uint32_t flags);
/* User memory into or out of a pipe, by how it was opened. -EBADF: not a pipe. */
must_use int64_t pipe_vmsplice(struct file *f, struct uio *u, uint32_t flags);

#endif
