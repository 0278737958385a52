/* fcntl(2), F_NOTIFY: a signal to an open folder's owner when something happens in it. */
#ifndef FS_DNOTIFY_H
#define FS_DNOTIFY_H

#include "fs/vfs.h"

/* `what`: DN_*, added to what current's table has asked of f before; none: asks for
 * nothing more. fd: current's name for f, which goes along with the signal. -ENOTDIR,
 * -ENOMEM. */
must_use int dnotify_set(struct file *f, int fd, uint32_t what);
/* A descriptor of f in that table is closed: what it asked for through f ends. */
void dnotify_drop(struct file *f, const struct files *owner);

#endif
