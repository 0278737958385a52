/* Character devices by number: what /proc/devices shows. chrdev_register is in
 * fs/vfs.h. */
#ifndef FS_CHRDEV_H
#define FS_CHRDEV_H

#include "fs/vfs.h"

/* The i-th registered range; false past the last. */
bool chrdev_nth(size_t i, uint32_t *ret_major, const char **ret_name);
/* /dev/tty, console, ttyS0: kernel/fs/tty_file.c. */
void tty_file_init(void);
/* A file of terminal t; consumes the reference, also on failure. */
struct tty;
must_use int tty_file_open(struct tty *t, struct file *f);

#endif
