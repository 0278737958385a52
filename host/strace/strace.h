/*
 * From the kernel's records of system calls (lib/calltrace.h) to the text that
 * `strace -f -tt -T -o FILE` writes.
 *
 * X1  The records come from a hostile guest: whatever they hold, the text is text (what
 *     is not printable is escaped), and memory and text stay within their limits.
 */
#ifndef HOST_STRACE_STRACE_H
#define HOST_STRACE_STRACE_H

#include "host/mayfly.h"

struct strace;

/* fd: borrowed. first_only: without the other threads, and so without the thread's
 * number. max: bytes of text. */
struct strace *strace_new(int fd, bool first_only, uint64_t max);
int strace_fd(const struct strace *s);
/* The next bytes of the stream; `strace` is a struct strace. 0, -EBADMSG (not a trace),
 * -EOVERFLOW (more than max), -errno of a write. */
must_use int strace_take(void *strace, const void *bytes, size_t size);
/* Writes what is left. 0 or -errno. */
must_use int strace_end(struct strace *s);
void strace_free(struct strace *s);

#endif
