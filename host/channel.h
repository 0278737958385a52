/*
 * The host's end of the port: non-blocking, frames in and out.
 *
 * C1  channel_send() is called only with room for a frame (channel_room()), so a frame is
 *     never lost and memory is bounded.
 */
#ifndef HOST_CHANNEL_H
#define HOST_CHANNEL_H

#include "host/mayfly.h"
#include "lib/wire.h"

#define CHANNEL_OUT_SIZE (8 * WIRE_FRAME_MAX)

struct channel {
	int fd;
	bool ended; /* the guest's side is gone */
	size_t in_start, in_end;
	size_t out_start, out_end;
	uint8_t in[WIRE_FRAME_MAX];
	uint8_t out[CHANNEL_OUT_SIZE];
};

void channel_init(struct channel *c, int fd);
/* Whether any frame fits. Makes room if it can. */
must_use bool channel_room(struct channel *c);
/* Queues a frame. 0 or -EINVAL, -ENOSPC. */
must_use int channel_send(struct channel *c, const struct wire_msg *msg);
/* Where the tail of the next frame will be, after `head` bytes of fields; see
 * wire_encode(). */
void *channel_tail(struct channel *c, size_t head);
must_use bool channel_waiting(const struct channel *c);
/* Writes what the socket takes. */
void channel_flush(struct channel *c);
/* Reads what is there; sets ->ended at the end. */
void channel_receive(struct channel *c);
/* The next frame: 1, 0 if none is complete, or the decoder's error. The message borrows
 * the buffer until the next call of channel_receive(). */
must_use int channel_next(struct channel *c, struct wire_msg *ret_msg);

#endif
