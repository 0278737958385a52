/* What a process says about a signal that it sends. */
#ifndef SYS_SIGINFO_H
#define SYS_SIGINFO_H

#include "proc/signal.h"

/* Reads it, to go with that signal. -EFAULT, or -E2BIG when bytes that mean nothing yet
 * are set. */
must_use int signal_info_in(siginfo_t *ret, uaddr_t from, int32_t sig);

#endif
