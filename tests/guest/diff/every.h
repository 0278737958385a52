/*
 * Cases that go through every kind of something: one call, with each kind of descriptor,
 * of address, of path, or with each single bit of a word of flags.
 *
 *	EVERY_FD(fsync, fsync(fd))
 *
 * is the case fd_fsync: a line for each kind of descriptor. Each call finds descriptors
 * made anew; it must not wait for anybody.
 */
#ifndef EVERY_H
#define EVERY_H

#include "diff.h"

#include <stdint.h>
#include <sys/uio.h>

/* What the call may use besides; descriptors are new ones: */
extern char every_buf[4096];
extern struct iovec every_vec; /* its first 8 bytes */
int every_file(void);	       /* of 32 bytes */
int every_pipe(int end);       /* with 10 bytes in it; neither end waits */
int every_socket(void);	       /* of a pair, the same */

/* [0, every_fd_kinds): a new descriptor of that kind, all non-blocking. The number is the
 * same for all kinds. */
extern const int every_fd_kinds;
int every_fd(int kind, const char **ret_name);
/* Closes what every_fd opened. */
void every_fd_done(int fd);

extern const int every_ptr_kinds;
void *every_ptr(int kind, const char **ret_name);

/* Makes the paths' files in the working directory, once. */
void every_path_prepare(void);
/* Takes away what that left mounted. */
void every_path_done(void);
extern const int every_path_kinds;
const char *every_path(int kind, const char **ret_name);

/* Closes a descriptor that was made: 0; -1 when it was not. */
long every_closed(long fd);

/* "NAME: ok" for anything not negative, else "NAME: ERRNO". */
void every_say(const char *name, long result);
/* "bit N: ..." */
void every_say_bit(int bit, long result);

#define EVERY_FD(id, call)                                                               \
	DIFF_CASE(fd_##id)                                                               \
	{                                                                                \
		for (int kind = 0; kind < every_fd_kinds; kind++) {                      \
			const char *name;                                                \
			int fd = every_fd(kind, &name);                                  \
			every_say(name, (errno = 0, (long)(call)));                      \
			every_fd_done(fd);                                               \
		}                                                                        \
	}

#define EVERY_PTR(id, call)                                                              \
	DIFF_CASE(ptr_##id)                                                              \
	{                                                                                \
		for (int kind = 0; kind < every_ptr_kinds; kind++) {                     \
			const char *name;                                                \
			void *p = every_ptr(kind, &name);                                \
			every_say(name, (errno = 0, (long)(call)));                      \
		}                                                                        \
	}

#define EVERY_PATH(id, call)                                                             \
	DIFF_CASE(path_##id)                                                             \
	{                                                                                \
		every_path_prepare();                                                    \
		for (int kind = 0; kind < every_path_kinds; kind++) {                    \
			const char *name, *p = every_path(kind, &name);                  \
			every_say(name, (errno = 0, (long)(call)));                      \
		}                                                                        \
		every_path_done();                                                       \
	}

/* Bits first to last. */
#define EVERY_BIT(id, first, last, call)                                                 \
	DIFF_CASE(bit_##id)                                                              \
	{                                                                                \
		for (int bit = first; bit <= last; bit++) {                              \
			uint64_t flag = 1ull << bit;                                     \
			every_say_bit(bit, (errno = 0, (long)(call)));                   \
		}                                                                        \
	}

#endif
