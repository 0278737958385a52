/* signalfd(2): signals that are read. */
#ifndef PROC_SIGNALFD_H
#define PROC_SIGNALFD_H

#include "proc/signal.h"

/* flags: O_NONBLOCK. 0 or -errno. */
must_use int signalfd_open(sigset64_t mask, uint32_t flags, struct file **ret);
/* -EINVAL: not a signalfd. */
must_use int signalfd_set_mask(struct file *f, sigset64_t mask);

#endif
