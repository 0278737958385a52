/* The host's end of the port. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "host/channel.h"

void channel_init(struct channel *c, int fd)
{
	c->fd = fd;
	c->ended = false;
	c->in_start = c->in_end = c->out_start = c->out_end = 0;
}

bool channel_room(struct channel *c)
{
	if (c->out_start == c->out_end)
		c->out_start = c->out_end = 0;
	if (sizeof(c->out) - c->out_end < WIRE_FRAME_MAX &&
	    c->out_start >= WIRE_FRAME_MAX) {
		memmove(c->out, c->out + c->out_start, c->out_end - c->out_start);
		c->out_end -= c->out_start;
		c->out_start = 0;
	}
	return sizeof(c->out) - c->out_end >= WIRE_FRAME_MAX;
}

int channel_send(struct channel *c, const struct wire_msg *msg)
{
	int size = wire_encode(c->out + c->out_end, sizeof(c->out) - c->out_end, msg);

	if (size < 0)
		return size;
	c->out_end += size;
	return 0;
}

void *channel_tail(struct channel *c, size_t head)
{
	return c->out + c->out_end + WIRE_HEADER_SIZE + head;
}

bool channel_waiting(const struct channel *c)
{
	return c->out_start < c->out_end;
}

void channel_flush(struct channel *c)
{
	while (channel_waiting(c) && !c->ended) {
		ssize_t n = send(c->fd, c->out + c->out_start, c->out_end - c->out_start,
				 MSG_NOSIGNAL);

		if (n > 0)
			c->out_start += n;
		else if (n < 0 && errno == EAGAIN)
			return;
		else if (n == 0 || errno != EINTR)
			/* What the guest still sent is read before its end is noticed. */
			c->out_start = c->out_end;
	}
}

void channel_receive(struct channel *c)
{
	ssize_t n;

	memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
	c->in_end -= c->in_start;
	c->in_start = 0;
	n = recv(c->fd, c->in + c->in_end, sizeof(c->in) - c->in_end, 0);
	if (n > 0)
		c->in_end += n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->ended = true;
}

int channel_next(struct channel *c, struct wire_msg *ret_msg)
{
	int size = wire_decode(c->in + c->in_start, c->in_end - c->in_start, WIRE_GUEST,
			       ret_msg);

	if (size <= 0)
		return size;
	c->in_start += size;
	return 1;
}
