/* The kernel log as files: /proc/kmsg, /dev/kmsg, and syslog(2)'s reading call. */
#ifndef FS_KMSG_H
#define FS_KMSG_H

#include "fs/vfs.h"

/* Takes the next line of the log, which no other reader will get; waits for one unless
 * `nonblock`. Bytes (the rest of a long line is lost), -EAGAIN, -ERESTARTSYS. */
must_use int64_t kmsg_take(struct uio *u, bool nonblock);
size_t kmsg_untaken(void); /* bytes that kmsg_take has yet to give */
void kmsg_init(void);

#endif
