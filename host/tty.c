/* The terminal and the standard files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/kcmp.h>
#include <unistd.h>

#include "host/tty.h"

static bool claimed[3]; /* was closed at the start */

static struct {
	int fd; /* the terminal whose mode was changed */
	bool entered;
	struct termios before;
} tty = { .fd = -1 };

void stdio_claim(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		claimed[fd] = true;
		if (open("/dev/null", O_RDWR) != fd)
			exit(MAYFLY_FAILED);
	}
}

enum wire_stdio stdio_kind(int fd)
{
	if (claimed[fd])
		return WIRE_STDIO_CLOSED;
	return isatty(fd) ? WIRE_STDIO_TTY : WIRE_STDIO_PIPE;
}

bool stdio_merged(void)
{
	struct stat out, err;
	pid_t self = getpid();
	long order;

	if (claimed[1] || claimed[2] || fstat(1, &out) < 0 || fstat(2, &err) < 0)
		return false;
	if (out.st_dev != err.st_dev || out.st_ino != err.st_ino)
		return false;
	/* One pipe is one pipe; a file may have been opened twice, with two positions. */
	order = syscall(SYS_kcmp, self, self, KCMP_FILE, 1, 2);
	return order == 0 || (order < 0 && S_ISFIFO(out.st_mode));
}

enum tty_mode tty_mode_wanted(bool shell)
{
	bool ours = stdio_kind(0) == WIRE_STDIO_TTY && stdio_kind(1) == WIRE_STDIO_TTY &&
		    tcgetpgrp(0) == getpgrp();

	if (!ours)
		return TTY_KEPT;
	return shell ? TTY_RAW : TTY_KEYS;
}

void tty_enter(enum tty_mode mode)
{
	struct termios now;

	if (mode == TTY_KEPT)
		return;
	if (!tty.entered && tcgetattr(0, &tty.before) < 0)
		return;
	tty.fd = 0;
	tty.entered = true;
	now = tty.before;
	cfmakeraw(&now);
	if (mode == TTY_KEYS) {
		now.c_lflag |= ISIG;
		now.c_cc[VSUSP] = _POSIX_VDISABLE;
	}
	tcsetattr(0, TCSADRAIN, &now);
}

void tty_leave(void)
{
	if (!tty.entered)
		return;
	tcsetattr(tty.fd, TCSADRAIN, &tty.before);
	tty.entered = false;
}

void tty_size(uint16_t *ret_rows, uint16_t *ret_cols)
{
	struct winsize size = { 0 };

	for (int fd = 0; fd < 3; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0)
			break;
	*ret_rows = size.ws_row;
	*ret_cols = size.ws_col;
}

bool tty_escape_seen(struct tty_escape *escape, const char *keys, size_t size)
{
	/* A fresh line counts as Enter, so the sequence works at once. */
	for (size_t i = 0; i < size; i++) {
		if (escape->seen == 1 && keys[i] == '.')
			return true;
		if (keys[i] == '\r' || keys[i] == '\n')
			escape->seen = 0;
		else if (escape->seen == 0 && keys[i] == '~')
			escape->seen = 1;
		else
			escape->seen = -1;
	}
	return false;
}
