/* The terminal that the command was started from, and its three standard files. */
#ifndef HOST_TTY_H
#define HOST_TTY_H

#include <termios.h>

#include "host/mayfly.h"
#include "lib/wire.h"

/* Puts /dev/null where stdin, stdout or stderr is closed, so that no other file lands
 * there; stdio_kind() still knows. Ends the command if even that fails. */
void stdio_claim(void);
/* What fd 0, 1 or 2 was when the command started: closed, a terminal or anything else. */
enum wire_stdio stdio_kind(int fd);
/* Whether stdout and stderr are the same open file, so that their order matters. */
must_use bool stdio_merged(void);

enum tty_mode {
	TTY_KEPT, /* the terminal edits lines; so the guest's must not */
	TTY_KEYS, /* every key goes to the job but Ctrl-C and Ctrl-\, which end the VM */
	TTY_RAW,  /* every key goes to the job */
};

/* The mode that fits: raw needs stdin and stdout to be this job's terminal. */
enum tty_mode tty_mode_wanted(bool shell);
/* Enters the mode; a second call enters it again, after a stop. */
void tty_enter(enum tty_mode mode);
/* Back to how it was; harmless if nothing was entered. */
void tty_leave(void);
/* The window's size, 0 by 0 without a terminal. */
void tty_size(uint16_t *ret_rows, uint16_t *ret_cols);

/* Recognises Enter ~ . among the keys of a shell, as ssh does. */
struct tty_escape {
	int seen;
};
/* Whether the keys complete the sequence. */
must_use bool tty_escape_seen(struct tty_escape *escape, const char *keys, size_t size);

#endif
