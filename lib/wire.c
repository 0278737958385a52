/*
 * The wire's codec: one loop over the field table of lib/abi/wire.def encodes, another
 * decodes. Nothing here knows a single frame by name.
 */
#include <asm/errno.h>

#include "lib/string.h"
#include "lib/wire.h"

enum field_type { FIELD_u8, FIELD_u16, FIELD_u32, FIELD_u64, FIELD_text, FIELD_tail };

struct field {
	uint8_t type;
	uint16_t offset; /* in struct wire_msg */
	uint64_t low, high;
};

struct frame {
	const char *name;
	const struct field *fields;
	uint8_t field_count;
	uint8_t from;	/* enum wire_peer */
	uint8_t phases; /* enum wire_phase */
};

/* clang-format off */
#define WIRE_FRAME(NAME, name, number, from, phases) \
	static const struct field name##_fields[] = {
#define WIRE_FIELD(name, type, field, low, high) \
	{ FIELD_##type, offsetof(struct wire_msg, name.field), low, high },
#define WIRE_END(name) };
#include "lib/abi/wire.def"
/* clang-format on */

static const struct frame frames[] = {
#define WIRE_FRAME(NAME, name, number, from, phases)                                     \
	[number] = { #NAME, name##_fields, ARRAY_LEN(name##_fields), WIRE_##from,        \
		     WIRE_##phases },
#define WIRE_FIELD(name, type, field, low, high)
#define WIRE_END(name)
#include "lib/abi/wire.def"
};

/* NULL for a number without a frame. */
static const struct frame *frame_of(unsigned type)
{
	if (type >= ARRAY_LEN(frames) || !frames[type].name)
		return NULL;
	return &frames[type];
}

const char *wire_name(unsigned type)
{
	const struct frame *frame = frame_of(type);

	return frame ? frame->name : "?";
}

bool wire_allowed(enum wire_type type, enum wire_phase phase)
{
	const struct frame *frame = frame_of(type);

	return frame && (frame->phases & phase);
}

const char *wire_stage_text(unsigned stage)
{
	static const char *const texts[] = {
#define WIRE_STAGE(name, number, text) [number] = text,
#include "lib/abi/wire.def"
	};

	return stage < ARRAY_LEN(texts) ? texts[stage] : "?";
}

struct wire_text wire_text_of(const char *s)
{
	return (struct wire_text){ .at = s, .size = (uint16_t)strnlen(s, UINT16_MAX) };
}

/* -- integers -- */

static const uint8_t int_size[] = {
	[FIELD_u8] = 1, [FIELD_u16] = 2, [FIELD_u32] = 4, [FIELD_u64] = 8
};

/* Little endian on the wire and, this being x86-64, in memory. */
static uint64_t int_load(const void *at, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

/* -- decoding -- */

/* The part of the payload that is not decoded yet. */
struct cursor {
	const uint8_t *at;
	size_t left;
};

static bool in_bounds(const struct field *field, uint64_t value)
{
	return value >= field->low && value <= field->high;
}

static bool decode_int(struct cursor *c, const struct field *field, void *member)
{
	unsigned size = int_size[field->type];
	uint64_t value;

	if (c->left < size)
		return false;
	value = int_load(c->at, size);
	if (!in_bounds(field, value))
		return false;
	memcpy(member, &value, size);
	c->at += size;
	c->left -= size;
	return true;
}

static bool decode_text(struct cursor *c, const struct field *field,
			struct wire_text *text)
{
	size_t size;

	if (c->left < 3)
		return false;
	size = int_load(c->at, 2);
	if (size > c->left - 3 || !in_bounds(field, size))
		return false;
	text->at = (const char *)c->at + 2;
	text->size = size;
	/* W2: the first NUL is the one that ends it. */
	if (memchr(text->at, 0, size + 1) != text->at + size)
		return false;
	c->at += size + 3;
	c->left -= size + 3;
	return true;
}

static bool decode_tail(struct cursor *c, const struct field *field,
			struct wire_tail *tail)
{
	if (!in_bounds(field, c->left))
		return false;
	tail->at = c->at;
	tail->size = c->left;
	c->left = 0;
	return true;
}

static bool decode_field(struct cursor *c, const struct field *field, void *member)
{
	if (field->type == FIELD_text)
		return decode_text(c, field, member);
	if (field->type == FIELD_tail)
		return decode_tail(c, field, member);
	return decode_int(c, field, member);
}

int wire_decode(const void *bytes, size_t have, enum wire_peer from,
		struct wire_msg *ret_msg)
{
	const uint8_t *at = bytes;
	const struct frame *frame;
	struct wire_msg msg = { 0 };
	struct cursor cursor;
	size_t size;

	if (have < WIRE_HEADER_SIZE)
		return 0;
	size = int_load(at, 4);
	if (size > WIRE_PAYLOAD_MAX)
		return -EMSGSIZE;
	frame = frame_of(at[4]);
	if (!frame || !(frame->from & from) || at[5] || at[6] || at[7])
		return -EPROTO;
	if (have - WIRE_HEADER_SIZE < size)
		return 0;

	msg.type = at[4];
	cursor = (struct cursor){ at + WIRE_HEADER_SIZE, size };
	for (unsigned i = 0; i < frame->field_count; i++)
		if (!decode_field(&cursor, &frame->fields[i],
				  (char *)&msg + frame->fields[i].offset))
			return -EPROTO;
	if (cursor.left)
		return -EPROTO;
	*ret_msg = msg;
	return WIRE_HEADER_SIZE + size;
}

/* -- encoding -- */

/* A field's size on the wire and, in *ret_value, the number that the table bounds. */
static size_t field_measure(const struct field *field, const void *member,
			    uint64_t *ret_value)
{
	switch (field->type) {
	case FIELD_text:
		*ret_value = ((const struct wire_text *)member)->size;
		return *ret_value + 3;
	case FIELD_tail:
		*ret_value = ((const struct wire_tail *)member)->size;
		return *ret_value;
	default:
		*ret_value = int_load(member, int_size[field->type]);
		return int_size[field->type];
	}
}

static void field_write(uint8_t *at, const struct field *field, const void *member)
{
	const struct wire_text *text = member;
	const struct wire_tail *tail = member;

	switch (field->type) {
	case FIELD_text:
		memcpy(at, &text->size, 2);
		if (text->size)
			memcpy(at + 2, text->at, text->size);
		at[2 + text->size] = 0;
		break;
	case FIELD_tail:
		if (tail->at && tail->size)
			memcpy(at, tail->at, tail->size);
		break;
	default:
		memcpy(at, member, int_size[field->type]);
	}
}

/* The payload's size, or -EINVAL for a message that breaks the table. */
static int msg_measure(const struct frame *frame, const struct wire_msg *msg)
{
	size_t total = 0;

	for (unsigned i = 0; i < frame->field_count; i++) {
		const struct field *field = &frame->fields[i];
		const char *member = (const char *)msg + field->offset;
		uint64_t value;

		total += field_measure(field, member, &value);
		if (!in_bounds(field, value))
			return -EINVAL;
		if (field->type == FIELD_text && value &&
		    memchr(((const struct wire_text *)member)->at, 0, value))
			return -EINVAL;
	}
	return total <= WIRE_PAYLOAD_MAX ? (int)total : -EINVAL;
}

int wire_encode(void *buf, size_t room, const struct wire_msg *msg)
{
	const struct frame *frame = frame_of(msg->type);
	uint8_t *at = buf;
	int size;

	if (!frame)
		return -EINVAL;
	size = msg_measure(frame, msg);
	if (size < 0)
		return size;
	if (room < WIRE_HEADER_SIZE + (size_t)size)
		return -ENOSPC;

	/* Nothing below can fail. */
	memcpy(at, &size, 4);
	at[4] = msg->type;
	at[5] = at[6] = at[7] = 0;
	at += WIRE_HEADER_SIZE;
	for (unsigned i = 0; i < frame->field_count; i++) {
		const struct field *field = &frame->fields[i];
		const char *member = (const char *)msg + field->offset;
		uint64_t value;

		field_write(at, field, member);
		at += field_measure(field, member, &value);
	}
	return WIRE_HEADER_SIZE + size;
}

/* -- paths -- */

bool wire_path_inside(const char *path)
{
	if (!*path)
		return true;
	for (;;) {
		const char *end = strchr(path, '/');
		size_t size = end ? (size_t)(end - path) : strlen(path);

		if (size == 0 || size > 255 || (size == 1 && path[0] == '.') ||
		    (size == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!end)
			return true;
		path = end + 1;
	}
}

/* -- credit -- */

static const struct {
	enum wire_peer from;
	uint32_t window;
} streams[WIRE_STREAMS] = {
#define WIRE_STREAM(name, number, from, window) [number] = { WIRE_##from, window },
#include "lib/abi/wire.def"
};

uint32_t wire_window(enum wire_stream stream)
{
	return streams[stream].window;
}

enum wire_peer wire_stream_from(enum wire_stream stream)
{
	return streams[stream].from;
}

struct wire_sender wire_sender_init(enum wire_stream stream)
{
	return (struct wire_sender){ wire_window(stream), wire_window(stream) };
}

void wire_sender_spend(struct wire_sender *s, uint32_t n)
{
	s->credit -= n;
}

int wire_sender_grant(struct wire_sender *s, uint32_t n)
{
	if (n > s->window - s->credit)
		return -EPROTO;
	s->credit += n;
	return 0;
}

struct wire_receiver wire_receiver_init(enum wire_stream stream)
{
	return (struct wire_receiver){ .window = wire_window(stream) };
}

int wire_receiver_take(struct wire_receiver *r, uint32_t n)
{
	if (n > r->window - r->held - r->owed)
		return -EPROTO;
	r->held += n;
	return 0;
}

void wire_receiver_consume(struct wire_receiver *r, uint32_t n)
{
	r->held -= n;
	r->owed += n;
}

uint32_t wire_receiver_owed(const struct wire_receiver *r)
{
	return r->owed >= r->window / 4 ? r->owed : 0;
}

void wire_receiver_repaid(struct wire_receiver *r, uint32_t n)
{
	r->owed -= n;
}
