/* The job's stdin, stdout and stderr: a pipe each, one for both outputs, or a
 * terminal. */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "agent.h"

void number_append(char *to, unsigned number)
{
	char digits[12];
	size_t i = sizeof(digits) - 1;

	digits[i] = 0;
	do
		digits[--i] = '0' + number % 10;
	while (number /= 10);
	strcat(to, digits + i);
}

/* Lines come edited and echoed, and leave to a terminal that turns \n into \r\n. */
static void terminal_plain(int fd)
{
	struct termios mode;

	if (tcgetattr(fd, &mode) < 0)
		return;
	mode.c_lflag &= ~(tcflag_t)ECHO;
	mode.c_oflag &= ~(tcflag_t)OPOST;
	tcsetattr(fd, TCSANOW, &mode);
}

/* A new terminal of the window's size; the master serves both directions. */
static int terminal_open(struct agent *a, int *ret_slave)
{
	struct winsize size = { .ws_row = a->job.spec.rows, .ws_col = a->job.spec.cols };
	char name[32] = "/dev/pts/";
	int master, slave, unlock = 0;
	unsigned number;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (master < 0)
		return -errno;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0 ||
	    ioctl(master, TIOCGPTN, &number) < 0 || ioctl(master, TIOCSWINSZ, &size) < 0)
		return -errno;
	number_append(name, number);
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	if (a->job.spec.flags & WIRE_JOB_COOKED)
		terminal_plain(slave);
	a->output[WIRE_TTY].fd = master;
	a->output[WIRE_TTY].credit = wire_sender_init(WIRE_TTY);
	*ret_slave = slave;
	return 0;
}

static int output_open(struct agent *a, enum wire_stream stream, int *ret_fd)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	a->output[stream].fd = ends[0];
	a->output[stream].credit = wire_sender_init(stream);
	*ret_fd = ends[1];
	return 0;
}

static int input_open(struct agent *a, int *ret_fd)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	a->input.fd = ends[1];
	*ret_fd = ends[0];
	return 0;
}

int stdio_open(struct agent *a, struct job_stdio *ret_stdio)
{
	const struct wire_job *spec = &a->job.spec;
	const uint8_t kinds[3] = { spec->stdin_kind, spec->stdout_kind,
				   spec->stderr_kind };
	struct job_stdio stdio = { .fd = { -1, -1, -1 }, .terminal = -1 };
	int error = 0, slave = -1;

	a->input.credit = wire_receiver_init(WIRE_STDIN);
	for (int i = 0; i < 3 && error >= 0; i++) {
		if (kinds[i] == WIRE_STDIO_TTY) {
			stdio.terminal = i;
			if (slave < 0)
				error = terminal_open(a, &slave);
			stdio.fd[i] = slave;
		} else if (kinds[i] == WIRE_STDIO_PIPE && i == 0) {
			error = input_open(a, &stdio.fd[0]);
		} else if (i == 2 && (spec->flags & WIRE_JOB_MERGE)) {
			stdio.fd[2] = stdio.fd[1];
		} else if (kinds[i] == WIRE_STDIO_PIPE) {
			error = output_open(a, i == 1 ? WIRE_STDOUT : WIRE_STDERR,
					    &stdio.fd[i]);
		}
	}
	/* The keys of a terminal go in where its text comes out. */
	if (kinds[0] == WIRE_STDIO_TTY && error >= 0)
		a->input.fd = a->output[WIRE_TTY].fd;
	*ret_stdio = stdio;
	return error;
}

void stdio_handed_over(struct job_stdio *stdio)
{
	for (int i = 0; i < 3; i++) {
		bool again = i > 0 && (stdio->fd[i] == stdio->fd[0] ||
				       (i == 2 && stdio->fd[2] == stdio->fd[1]));

		if (stdio->fd[i] >= 0 && !again)
			close(stdio->fd[i]);
	}
}
