/* The job's bytes between its pipes and the port, within the credit of each stream. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>

#include "agent.h"

/* -- host to job -- */

static void credit_return(struct agent *a)
{
	struct wire_msg msg = { .type = WIRE_CREDIT };
	uint32_t owed = wire_receiver_owed(&a->input.credit);

	if (!owed)
		return;
	msg.credit = (struct wire_credit){ WIRE_STDIN, owed };
	port_send(a, &msg);
	wire_receiver_repaid(&a->input.credit, owed);
}

/* The terminal's master is also where its text comes out: only that end closes it. */
static void input_fd_drop(struct agent *a)
{
	if (a->input.fd != a->output[WIRE_TTY].fd)
		close(a->input.fd);
	a->input.fd = -1;
}

/* Bytes that lie in the pipe, by any of its ends. */
static unsigned pipe_rest(int fd)
{
	int size = 0;

	return fd >= 0 && ioctl(fd, FIONREAD, &size) == 0 ? (unsigned)size : 0;
}

/* All that the host had is in the pipe. The end that closes was the only one of ours. */
static void input_finish(struct agent *a)
{
	char path[32] = "/proc/self/fd/";

	if (a->input.given && a->input.fd != a->output[WIRE_TTY].fd) {
		number_append(path, a->input.fd);
		a->input.rest = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	}
	input_fd_drop(a);
}

uint64_t input_taken(const struct agent *a)
{
	if (a->job.spec.stdin_kind != WIRE_STDIO_PIPE)
		return 0;
	return a->input.given - pipe_rest(a->input.fd) - pipe_rest(a->input.rest);
}

/* The job closed its stdin: what waits for it is dropped, and the host need send no
 * more. */
static void input_refused(struct agent *a)
{
	struct wire_msg msg = { .type = WIRE_CLOSED, .closed = { WIRE_STDIN } };

	a->input.given -= pipe_rest(a->input.fd);
	input_fd_drop(a);
	wire_receiver_consume(&a->input.credit, a->input.end - a->input.start);
	a->input.start = a->input.end = 0;
	port_send(a, &msg);
}

void input_pump(struct agent *a)
{
	struct sink *in = &a->input;
	ssize_t n;

	if (in->fd < 0)
		return;
	if (in->start == in->end) {
		/* Polled without asking for anything: only an error is told. */
		input_refused(a);
		return;
	}
	n = write(in->fd, in->bytes + in->start, in->end - in->start);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		input_refused(a);
		return;
	}
	if (n > 0) {
		in->start += n;
		in->given += n;
		wire_receiver_consume(&in->credit, n);
		credit_return(a);
	}
	if (in->start == in->end) {
		in->start = in->end = 0;
		if (in->ended)
			input_finish(a);
	}
}

static void on_pipe(int number)
{
}

/* Many a job is sent nothing, so this waits until something comes. SIGPIPE is caught, not
 * ignored: exec then gives a job its default back. */
static void input_first(struct sink *in)
{
	struct sigaction action = { .sa_handler = on_pipe };

	in->used = true;
	sigaction(SIGPIPE, &action, NULL);
	fcntl(in->fd, F_SETFL, O_WRONLY | O_NONBLOCK);
}

void input_data(struct agent *a, const struct wire_tail *bytes)
{
	struct sink *in = &a->input;

	if (wire_receiver_take(&in->credit, bytes->size) < 0 || in->ended)
		agent_fail(a, WIRE_STAGE_PROTOCOL, EOVERFLOW, "DATA");
	if (in->fd < 0) {
		wire_receiver_consume(&in->credit, bytes->size);
		credit_return(a);
		return;
	}
	if (!in->used)
		input_first(in);
	/* What is held never exceeds the window, and `bytes` has its size. */
	if (sizeof(in->bytes) - in->end < bytes->size) {
		memmove(in->bytes, in->bytes + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	memcpy(in->bytes + in->end, bytes->at, bytes->size);
	in->end += bytes->size;
	input_pump(a);
}

void input_end(struct agent *a)
{
	struct sink *in = &a->input;

	in->ended = true;
	if (in->fd >= 0 && in->start == in->end)
		input_finish(a);
}

/* -- job to host -- */

void output_close(struct agent *a, enum wire_stream stream)
{
	struct source *out = &a->output[stream];
	struct wire_msg msg = { .type = WIRE_EOF, .eof = { stream } };

	if (out->fd < 0)
		return;
	if (a->input.fd == out->fd)
		a->input.fd = -1;
	close(out->fd);
	out->fd = -1;
	port_send(a, &msg);
}

bool output_wants(const struct agent *a, enum wire_stream stream)
{
	const struct source *out = &a->output[stream];
	/* Records come whole. */
	uint32_t least = stream == WIRE_AUDIT ? AUDIT_RECORD_SIZE : 1;

	return out->fd >= 0 && out->credit.credit >= least;
}

void output_pump(struct agent *a, enum wire_stream stream)
{
	struct source *out = &a->output[stream];
	size_t want = MIN(out->credit.credit, WIRE_PAYLOAD_MAX - 1u);
	struct wire_msg msg = { .type = WIRE_DATA, .data = { .stream = stream } };
	ssize_t n;

	if (!output_wants(a, stream))
		return;
	n = read(out->fd, port_reserve(a, WIRE_HEADER_SIZE + 1, want), want);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* A terminal that nobody has open any more reads as EIO. */
		output_close(a, stream);
		return;
	}
	msg.data.bytes.size = n;
	port_send(a, &msg);
	wire_sender_spend(&out->credit, n);
}

/*
 * Every process of the job is dead, so the pipes only empty. One that stays open all the
 * same (as an ordinary process the agent does not sweep everybody) is left when it has
 * nothing.
 */
void output_drain(struct agent *a)
{
	for (;;) {
		struct pollfd polls[1 + WIRE_STREAMS] = { { .fd = a->port.fd,
							    .events = POLLIN } };
		bool starved = false, moved = false;

		for (int i = 0; i < WIRE_STREAMS; i++) {
			const struct source *out = &a->output[i];

			polls[1 + i] =
				(struct pollfd){ .fd = output_wants(a, i) ? out->fd : -1,
						 .events = POLLIN };
			starved |= out->fd >= 0 && !output_wants(a, i);
		}
		if (starved)
			port_flush(a);
		if (poll(polls, ARRAY_LEN(polls), starved ? -1 : 0) < 0)
			continue;
		for (int i = 0; i < WIRE_STREAMS; i++) {
			if (polls[1 + i].revents) {
				output_pump(a, i);
				moved = true;
			}
		}
		if (polls[0].revents)
			port_receive(a);
		else if (!moved && !starved)
			break;
	}
	for (int i = 0; i < WIRE_STREAMS; i++)
		if (i != WIRE_AUDIT)
			output_close(a, i);
}
