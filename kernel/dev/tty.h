/*
 * Terminals: the line discipline (n_tty as termios(3) defines it) between a driver (serial
 * port, pty pair) and readers. Job control needs processes: proc registers tty_job_ops.
 */
#ifndef DEV_TTY_H
#define DEV_TTY_H

#include "core/wait.h"

struct tty;

struct tty_job_ops {
	/* Signal to every process of a group; 0 or -ESRCH. */
	int (*signal_pgrp)(int32_t pgrp, int sig);
	int32_t (*current_pgrp)(void);
	int32_t (*current_session)(void);
	bool (*current_is_leader)(void);
	struct tty *(*current_tty)(void);    /* controlling terminal, referenced; NULL */
	void (*set_current_tty)(struct tty *t); /* of the session; NULL: gives it up */
	bool (*pgrp_in_session)(int32_t pgrp, int32_t session);
	bool (*pgrp_orphaned)(int32_t pgrp);
	bool (*current_ignores)(int sig);    /* ignored or blocked */
	void (*hangup_session)(int32_t session); /* SIGHUP+SIGCONT, drops the tty */
};
extern struct tty_job_ops tty_job_ops;

struct tty *tty_get(struct tty *t);
void tty_put(struct tty *t);
/* Name for /proc/pid/stat's tty_nr and ttyname: device number in Linux's encoding. */
uint32_t tty_device_number(const struct tty *t);
int32_t tty_foreground_pgrp(struct tty *t);
/* The session that has it ends, or its leader gives it up. */
void tty_disassociate(struct tty *t);

#endif
