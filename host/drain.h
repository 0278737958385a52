/*
 * Where a stream of the job comes out on the host. What the reader does not take yet
 * waits here, at most the stream's window.
 *
 * D1  Writing never blocks the session: a pipe or terminal is opened anew without
 *     blocking, since the flag of an inherited file would be shared with its other users.
 */
#ifndef HOST_DRAIN_H
#define HOST_DRAIN_H

#include "host/mayfly.h"
#include "lib/wire.h"

struct drain {
	int fd;		/* -1: the job does not have the stream */
	bool own;	/* fd is ours to close */
	bool gone;	/* nobody reads any more */
	bool told;	/* the guest knows */
	bool may_block; /* could not be opened anew: small pieces, when poll says so */
	struct wire_receiver credit;
	uint64_t total; /* bytes that came */
	size_t start, end;
	char *bytes; /* of the window's size */
	/* Not NULL: takes every byte at once, instead. 0 or -errno. */
	int (*take)(void *arg, const void *bytes, size_t size);
	void *arg;
};

void drain_init(struct drain *d);
void drain_open(struct drain *d, enum wire_stream stream, int fd);
/* A stream that is made into something else, which goes to fd. Borrows arg. */
void drain_open_taker(struct drain *d, enum wire_stream stream, int fd,
		      int (*take)(void *arg, const void *bytes, size_t size), void *arg);
void drain_close(struct drain *d);
/* Takes `size` bytes of the guest. 0, -EPROTO past the window, or as drain_pump(). */
must_use int drain_take(struct drain *d, const void *bytes, size_t size);
/* Writes what can be. 0, or -errno of a write that will never succeed; EPIPE is no
 * error. */
must_use int drain_pump(struct drain *d);
must_use bool drain_waiting(const struct drain *d);

#endif
