/*
 * The wire between host command and guest agent: encoding, decoding, credit.
 * lib/abi/wire.def has the frames and the conversation.
 *
 * W1  A decoded message satisfies every bound of the table, and its text and tail lie
 *     wholly within the frame it was decoded from.
 * W2  Text is followed by a NUL and holds none: its pointer is a C string.
 * W3  A sender never has more bytes of a stream under way than the stream's window.
 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include "lib/base.h"

enum wire_limits {
#define WIRE_LIMIT(name, value) WIRE_##name = (value),
#include "lib/abi/wire.def"
	WIRE_FRAME_MAX = WIRE_HEADER_SIZE + WIRE_PAYLOAD_MAX,
	WIRE_WINDOW_MAX = 262144, /* no stream's is larger: tested */
};

enum wire_peer { WIRE_HOST = 1, WIRE_GUEST = 2, WIRE_EITHER = 3 };
enum wire_phase { WIRE_SETUP = 1, WIRE_RUN = 2, WIRE_AFTER = 4 };

enum wire_stream {
#define WIRE_STREAM(name, number, from, window) WIRE_##name = (number),
#include "lib/abi/wire.def"
	WIRE_STREAMS,
};

/* What the job gets as fd 0, 1 or 2. */
enum wire_stdio { WIRE_STDIO_CLOSED, WIRE_STDIO_PIPE, WIRE_STDIO_TTY };

enum wire_job_flags {
	WIRE_JOB_MERGE =
		1, /* stdout and stderr are one pipe: STDOUT carries both in order */
	WIRE_JOB_COOKED = 2, /* the host's terminal edits lines: the guest's must not */
	WIRE_JOB_TRACE = 4,  /* the stream TRACE is wanted */
	WIRE_JOB_AUDIT = 8,  /* the stream AUDIT is wanted */
	WIRE_JOB_FLAGS =
		WIRE_JOB_MERGE | WIRE_JOB_COOKED | WIRE_JOB_TRACE | WIRE_JOB_AUDIT,
};

/* The usual folder of a job. If the guest has none, the agent makes it; it becomes the
 * job's own. */
#define WIRE_JOB_FOLDER "/job"

enum wire_file_kind { WIRE_FILE_REGULAR = 1, WIRE_FILE_FOLDER, WIRE_FILE_LINK };

enum wire_topic {
#define WIRE_TOPIC(name, number, path) WIRE_TOPIC_##name = (number),
#include "lib/abi/wire.def"
	WIRE_TOPICS,
};

enum wire_stage {
#define WIRE_STAGE(name, number, text) WIRE_STAGE_##name = (number),
#include "lib/abi/wire.def"
	WIRE_STAGES,
};

struct wire_text {
	const char *at; /* encoding: need not end with NUL. decoding: does (W2) */
	uint16_t size;	/* without the NUL */
};

struct wire_tail {
	const void *at;
	uint32_t size;
};

typedef uint8_t wire_u8;
typedef uint16_t wire_u16;
typedef uint32_t wire_u32;
typedef uint64_t wire_u64;
typedef struct wire_text wire_text;
typedef struct wire_tail wire_tail;

enum wire_type {
#define WIRE_FRAME(NAME, name, number, from, phases) WIRE_##NAME = (number),
#define WIRE_FIELD(name, type, field, low, high)
#define WIRE_END(name)
#include "lib/abi/wire.def"
};

/* struct wire_hello, struct wire_job and so on: the fields of each frame. */
#define WIRE_FRAME(NAME, name, number, from, phases) struct wire_##name {
#define WIRE_FIELD(name, type, field, low, high) wire_##type field;
/* clang-format off */
#define WIRE_END(name) };
/* clang-format on */
#include "lib/abi/wire.def"

struct wire_msg {
	enum wire_type type;
	union {
#define WIRE_FRAME(NAME, name, number, from, phases) struct wire_##name name;
#define WIRE_FIELD(name, type, field, low, high)
#define WIRE_END(name)
#include "lib/abi/wire.def"
	};
};

/*
 * Decodes the first frame of `have` bytes that `from` sent. Returns the bytes it takes, 0
 * if the frame is not complete yet, -EPROTO for one that breaks the table, -EMSGSIZE for
 * a payload over WIRE_PAYLOAD_MAX. The message's text and tail borrow `bytes`.
 */
must_use int wire_decode(const void *bytes, size_t have, enum wire_peer from,
			 struct wire_msg *ret_msg);

/*
 * Writes a frame. Returns its size, -ENOSPC if `room` is too small, -EINVAL if the
 * message breaks the table. A tail whose pointer is NULL is left for the caller to fill
 * in: it is the last `size` bytes of the frame.
 */
must_use int wire_encode(void *buf, size_t room, const struct wire_msg *msg);

/* Whether the frame may come in that phase of the guest. */
must_use bool wire_allowed(enum wire_type type, enum wire_phase phase);

/* The frame's name, for messages; "?" for a number that has none. */
const char *wire_name(unsigned type);
const char *wire_stage_text(unsigned stage);

/* A text from a C string; what exceeds 64 KiB is not looked at, and refused by encode. */
struct wire_text wire_text_of(const char *s);

/* Whether a path from the other side stays below the folder it is used in: "", or names
 * without a leading slash, empty name, "." or "..". */
must_use bool wire_path_inside(const char *path);

/* -- credit: one per stream at its sender, one at its receiver -- */

struct wire_sender {
	uint32_t credit; /* bytes that may be sent now */
	uint32_t window;
};

struct wire_receiver {
	uint32_t held; /* received and not consumed */
	uint32_t owed; /* consumed and not given back */
	uint32_t window;
};

uint32_t wire_window(enum wire_stream stream);
enum wire_peer wire_stream_from(enum wire_stream stream);

struct wire_sender wire_sender_init(enum wire_stream stream);
/* n must not exceed ->credit. */
void wire_sender_spend(struct wire_sender *s, uint32_t n);
/* -EPROTO if more came back than was under way. */
must_use int wire_sender_grant(struct wire_sender *s, uint32_t n);

struct wire_receiver wire_receiver_init(enum wire_stream stream);
/* -EPROTO if the sender exceeded its credit. */
must_use int wire_receiver_take(struct wire_receiver *r, uint32_t n);
/* n must not exceed ->held. */
void wire_receiver_consume(struct wire_receiver *r, uint32_t n);
/* The credit to give back now: 0 until it is worth a frame. */
must_use uint32_t wire_receiver_owed(const struct wire_receiver *r);
/* To be called when the frame with that credit is written. */
void wire_receiver_repaid(struct wire_receiver *r, uint32_t n);

#endif
