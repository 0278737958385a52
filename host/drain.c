/* Where a stream of the job comes out on the host. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/drain.h"

void drain_init(struct drain *d)
{
	*d = (struct drain){ .fd = -1 };
}

/* D1 */
static void reopen(struct drain *d)
{
	char self[32];
	struct stat st;
	int fd;

	if (fstat(d->fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))) {
		d->may_block = S_ISSOCK(st.st_mode);
		return;
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", d->fd);
	fd = open(self, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		d->may_block = true;
		return;
	}
	d->fd = fd;
	d->own = true;
}

void drain_open(struct drain *d, enum wire_stream stream, int fd)
{
	drain_init(d);
	d->fd = fd;
	d->credit = wire_receiver_init(stream);
	d->bytes = must_alloc(wire_window(stream));
	reopen(d);
}

void drain_open_taker(struct drain *d, enum wire_stream stream, int fd,
		      int (*take)(void *arg, const void *bytes, size_t size), void *arg)
{
	drain_init(d);
	d->fd = fd;
	d->credit = wire_receiver_init(stream);
	d->take = take;
	d->arg = arg;
}

void drain_close(struct drain *d)
{
	if (d->own)
		close(d->fd);
	free(d->bytes);
	drain_init(d);
}

bool drain_waiting(const struct drain *d)
{
	return d->start < d->end;
}

/* One write. Bytes written, 0 if none can be now, or -errno. */
static ssize_t piece_write(struct drain *d, const char *bytes, size_t size)
{
	ssize_t n;

	if (d->may_block) {
		struct pollfd poll_out = { .fd = d->fd, .events = POLLOUT };

		if (poll(&poll_out, 1, 0) <= 0)
			return 0;
		size = MIN(size, (size_t)PIPE_BUF);
	}
	n = write(d->fd, bytes, size);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n < 0 ? -errno : n;
}

/* Writes from `bytes` until the reader is full. Bytes written or -errno; all of them
 * count as written when the reader is gone. */
static ssize_t some_write(struct drain *d, const char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size && !d->gone) {
		ssize_t n = piece_write(d, bytes + done, size - done);

		if (n == 0)
			return done;
		if (n == -EPIPE || n == -EIO)
			d->gone = true;
		else if (n < 0)
			return n;
		else
			done += n;
	}
	return size;
}

int drain_pump(struct drain *d)
{
	ssize_t n = some_write(d, d->bytes + d->start, d->end - d->start);

	if (n < 0)
		return n;
	wire_receiver_consume(&d->credit, n);
	d->start += n;
	if (d->start == d->end)
		d->start = d->end = 0;
	return 0;
}

int drain_take(struct drain *d, const void *bytes, size_t size)
{
	ssize_t n = 0;

	if (d->fd < 0 || wire_receiver_take(&d->credit, size) < 0)
		return -EPROTO;
	d->total += size;
	if (d->take) {
		wire_receiver_consume(&d->credit, size);
		return d->gone ? 0 : d->take(d->arg, bytes, size);
	}
	/* The usual case costs no copy. */
	if (!drain_waiting(d)) {
		n = some_write(d, bytes, size);
		if (n < 0)
			return n;
		wire_receiver_consume(&d->credit, n);
	}
	size -= n;
	if (d->credit.window - d->end < size) {
		memmove(d->bytes, d->bytes + d->start, d->end - d->start);
		d->end -= d->start;
		d->start = 0;
	}
	memcpy(d->bytes + d->end, (const char *)bytes + n, size);
	d->end += size;
	return 0;
}
