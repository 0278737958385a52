/* The agent's side of the port. Frames that are sent gather in a buffer, so that a short
 * job's last words are one write. */
#include <poll.h>

#include "agent.h"

void port_flush(struct agent *a)
{
	struct port *p = &a->port;
	size_t done = 0;

	while (done < p->out_end) {
		ssize_t n = write(p->fd, p->out + done, p->out_end - done);

		if (n > 0)
			done += n;
		else if (n < 0 && errno == EAGAIN)
			poll(&(struct pollfd){ .fd = p->fd, .events = POLLOUT }, 1, -1);
		else if (n == 0 || errno != EINTR)
			break;
	}
	/* A port that cannot be written has lost its host; the next read tells. */
	p->out_end = 0;
}

void *port_reserve(struct agent *a, size_t head, size_t want)
{
	struct port *p = &a->port;

	if (sizeof(p->out) - p->out_end < head + want)
		port_flush(a);
	return p->out + p->out_end + head;
}

void port_send(struct agent *a, const struct wire_msg *msg)
{
	struct port *p = &a->port;
	int size = wire_encode(p->out + p->out_end, sizeof(p->out) - p->out_end, msg);

	if (size == -ENOSPC) {
		port_flush(a);
		size = wire_encode(p->out, sizeof(p->out), msg);
	}
	if (size > 0)
		p->out_end += size;
}

static void frames_handle(struct agent *a)
{
	struct port *p = &a->port;

	for (;;) {
		struct wire_msg msg;
		int size = wire_decode(p->in + p->in_start, p->in_end - p->in_start,
				       WIRE_HOST, &msg);

		if (size < 0)
			agent_fail(a, WIRE_STAGE_PROTOCOL, -size, "");
		if (size == 0)
			return;
		frame_handle(a, &msg);
		p->in_start += size;
	}
}

void port_receive(struct agent *a)
{
	struct port *p = &a->port;
	ssize_t n;

	if (p->in_start) {
		memmove(p->in, p->in + p->in_start, p->in_end - p->in_start);
		p->in_end -= p->in_start;
		p->in_start = 0;
	}
	n = read(p->fd, p->in + p->in_end, sizeof(p->in) - p->in_end);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		agent_end(a);
	p->in_end += n;
	frames_handle(a);
}
