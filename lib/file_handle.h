/*
 * What is in a file handle of name_to_handle_at(2): an inode's number, and its
 * generation, which tells it from others that had the number before. Handles come back
 * from a job, which may have written them itself.
 */
#ifndef LIB_FILE_HANDLE_H
#define LIB_FILE_HANDLE_H

#include "lib/base.h"

/* MAX_HANDLE_SZ of libc's <fcntl.h>; the UAPI headers lack it, and the structure. */
#define FILE_HANDLE_MAX 128u
struct file_handle_head {
	uint32_t bytes; /* that follow */
	int32_t type;
};
#define FILE_HANDLE_TYPE 1 /* the only one we give */

struct file_id {
	uint64_t ino;
	uint32_t generation;
};

/* The form is its size in bytes, as Linux's file systems have them. */
enum file_handle_form {
	FILE_HANDLE_INO32 = 8,	/* number, generation */
	FILE_HANDLE_INO64 = 12, /* generation, number */
};

/* Writes `form` bytes. */
void file_handle_encode(enum file_handle_form form, const struct file_id *id, void *buf);
/* `n` bytes of a job's. 0, or -ESTALE: not such a handle. What follows it is ignored. */
must_use int file_handle_decode(enum file_handle_form form, int32_t type, const void *buf,
				size_t n, struct file_id *ret);

#endif
