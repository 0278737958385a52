/* What printers of several files use. */
#ifndef HOST_STRACE_ARGS_H
#define HOST_STRACE_ARGS_H

#include <time.h>

#include "host/strace/call.h"

void text_timespec(struct text *t, const struct timespec *ts);
/* Of a struct timeval's two numbers. */
void text_timeval(struct text *t, const struct timespec *tv);
void text_mode(struct text *t, uint32_t mode);
void text_open_flags(struct text *t, uint64_t flags);

/* struct iovec[]; late: the data that the call gave, as many bytes as it says. */
void print_iovecs(struct call *c, uint64_t at, uint64_t count, bool late);

#endif
