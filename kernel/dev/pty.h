/*
 * Pseudo-terminal pairs: a terminal (the slave) whose wire ends in a file (the master).
 * devpts names them; here are the pairs themselves.
 */
#ifndef DEV_PTY_H
#define DEV_PTY_H

#include "dev/tty.h"

struct pty;

/* A locked pair with number `index`; `gone(owner, index)` runs when the last holder of
 * either side is gone. The reference returned is the master's. 0 or -ENOMEM. */
must_use int pty_new(uint32_t index, void (*gone)(void *owner, uint32_t index),
		     void *owner, struct pty **ret);
uint32_t pty_index(const struct pty *p);
struct tty *pty_slave(struct pty *p); /* borrows; tty_get keeps the pair */

/* The master's file. */
void pty_master_close(struct pty *p); /* hangs the slave up; consumes the reference */
must_use int64_t pty_master_read(struct pty *p, struct uio *u, bool nonblock);
must_use int64_t pty_master_write(struct pty *p, struct uio *u, bool nonblock);
must_use int64_t pty_master_ioctl(struct pty *p, uint32_t cmd, uaddr_t arg);
uint32_t pty_master_poll(struct pty *p);
struct waitq *pty_read_queue(struct pty *p);
struct waitq *pty_write_queue(struct pty *p);
struct async_set *pty_async(struct pty *p); /* about input for the master */

#endif
