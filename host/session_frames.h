/* What the session does with the guest's frames; for session.c only. */
#ifndef HOST_SESSION_FRAMES_H
#define HOST_SESSION_FRAMES_H

#include "host/session.h"

/* Ends the run with this outcome, unless it has one already. */
void session_end(struct session *s, struct outcome outcome);
/* Ends it before its time (S4). Cut twice, it waits for nothing any more. */
void session_cut(struct session *s, struct outcome outcome);
/* Ends it for an error of this machine: a negative errno about `what`. */
void session_end_errno(struct session *s, const char *what, int error);
/* Queues a small frame; one for which there is no room is of no use any more. */
void session_send(struct session *s, const struct wire_msg *msg);
void session_drains_open(struct session *s);
/* Handles every complete frame that was received. */
void session_frames(struct session *s);
/* Gives back credit that is due, and tells the guest of readers that are gone. */
void session_credits(struct session *s);
/* What a write to a drain came to: 0 or -errno. */
void session_drained(struct session *s, enum wire_stream stream, int error);

#endif
