/*
 * Terminals: the line discipline (n_tty as termios(3) defines it) between a driver
 * (serial port, pty pair) and readers. Job control needs processes: proc registers
 * tty_job_ops.
 */
#ifndef DEV_TTY_H
#define DEV_TTY_H

#include "core/async.h"
#include "core/wait.h"
#include "mm/usercopy.h"

struct tty;

struct tty_job_ops {
	/* Signal to every process of a group; 0 or -ESRCH. */
	int (*signal_pgrp)(int32_t pgrp, int sig);
	int32_t (*current_pgrp)(void);
	int32_t (*current_session)(void);
	bool (*current_is_leader)(void);
	struct tty *(*current_tty)(void); /* controlling terminal, referenced; NULL */
	void (*set_current_tty)(struct tty *t); /* of the session; NULL: gives it up */
	bool (*pgrp_in_session)(int32_t pgrp, int32_t session);
	bool (*pgrp_orphaned)(int32_t pgrp);
	bool (*current_ignores)(int sig);	 /* ignored or blocked */
	void (*hangup_session)(int32_t session); /* SIGHUP+SIGCONT, drops the tty */
	void (*drop_tty)(int32_t session);	 /* takes the tty away in silence */
};
extern struct tty_job_ops tty_job_ops;

#define TTY_MAJOR 4	/* ttyS0 is minor 64 (Linux's devices.txt) */
#define TTY_AUX_MAJOR 5 /* tty 0, console 1, ptmx 2 */
#define TTY_PTS_MAJOR 136
#define TTY_SERIAL_MINOR 64

struct tty *tty_get(struct tty *t);
void tty_put(struct tty *t);
/* Name for /proc/pid/stat's tty_nr and ttyname: device number in Linux's encoding. */
uint32_t tty_device_number(const struct tty *t);
int32_t tty_foreground_pgrp(struct tty *t);
/* The leader of the session that has it is gone. */
void tty_leader_exited(struct tty *t);
/* vhangup(2), and the loss of the other side: everybody who has it open is cut off. */
void tty_hangup(struct tty *t);

/* ---- open terminals: what a file of a terminal holds ---- */

struct tty_handle;

struct tty_open_how {
	bool noctty;   /* O_NOCTTY */
	bool may_read; /* only a readable open makes it the controlling terminal */
};
/* Consumes a reference of t on success only. 0, -EBUSY (exclusive), -EIO, -ENOMEM. */
must_use int tty_open(struct tty *t, struct tty_open_how how, struct tty_handle **ret);
void tty_close(struct tty_handle *h);
must_use int64_t tty_read(struct tty_handle *h, struct uio *u, bool nonblock);
must_use int64_t tty_write(struct tty_handle *h, struct uio *u, bool nonblock);
must_use int64_t tty_ioctl(struct tty_handle *h, uint32_t cmd, uaddr_t arg);
/* POLL* events that are ready; the queues on which changes are announced. */
uint32_t tty_poll(struct tty_handle *h);
struct waitq *tty_read_queue(struct tty_handle *h);
struct waitq *tty_write_queue(struct tty_handle *h);
/* For O_ASYNC, about input; and whom it is told by default: a process group, 0: none. */
struct async_set *tty_async(struct tty_handle *h, int32_t *ret_pgrp);

/* ---- the serial port's terminal: tty_serial.c ---- */

/* ttyS0, referenced; made and its interrupt requested at the first call. 0 or -errno. */
must_use int tty_serial_get(struct tty **ret);

#endif
