/* lib/wire.c: every frame of the table goes through, every broken bound is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/crc32c.h"
#include "lib/wire.h"

enum kind { KIND_u8, KIND_u16, KIND_u32, KIND_u64, KIND_text, KIND_tail };

struct row {
	const char *name;
	enum kind kind;
	size_t offset;
	uint64_t low, high;
};

/* One row per field of every frame. */
static const struct row rows[] = {
#define WIRE_FRAME(NAME, name, number, from, phases)
#define WIRE_FIELD(name, kind, field, low, high)                                         \
	{ #name, KIND_##kind, offsetof(struct wire_msg, name.field), low, high },
#define WIRE_END(name)
#include "lib/abi/wire.def"
};

struct frame_row {
	const char *name;
	enum wire_type type;
	enum wire_peer from;
};

static const struct frame_row frame_rows[] = {
#define WIRE_FRAME(NAME, name, number, from, phases) { #name, number, WIRE_##from },
#define WIRE_FIELD(name, kind, field, low, high)
#define WIRE_END(name)
#include "lib/abi/wire.def"
};

static char filler[WIRE_PAYLOAD_MAX + 1];

/* Sets the field's value, or the length of its text or tail. */
static void field_set(struct wire_msg *msg, const struct row *row, uint64_t value)
{
	char *at = (char *)msg + row->offset;

	switch (row->kind) {
	case KIND_text:
		*(struct wire_text *)at = (struct wire_text){ filler, value };
		break;
	case KIND_tail:
		*(struct wire_tail *)at = (struct wire_tail){ filler, value };
		break;
	default:
		memcpy(at, &value, (size_t)1 << row->kind);
	}
}

static uint64_t field_get(const struct wire_msg *msg, const struct row *row)
{
	const char *at = (const char *)msg + row->offset;
	uint64_t value = 0;

	if (row->kind == KIND_text)
		return ((const struct wire_text *)at)->size;
	if (row->kind == KIND_tail)
		return ((const struct wire_tail *)at)->size;
	memcpy(&value, at, (size_t)1 << row->kind);
	return value;
}

static bool row_of(const struct row *row, const struct frame_row *frame)
{
	return !strcmp(row->name, frame->name);
}

/* Keeps the sum of a frame's texts below the payload's maximum. */
static uint64_t high_of(const struct row *row)
{
	if (row->kind == KIND_tail && row->high > WIRE_PAYLOAD_MAX - 16)
		return WIRE_PAYLOAD_MAX - 16;
	return row->high;
}

static struct wire_msg msg_with(const struct frame_row *frame, bool high)
{
	struct wire_msg msg = { .type = frame->type };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (row_of(&rows[i], frame))
			field_set(&msg, &rows[i], high ? high_of(&rows[i]) : rows[i].low);
	return msg;
}

static enum wire_peer side_of(const struct frame_row *frame)
{
	return frame->from == WIRE_GUEST ? WIRE_GUEST : WIRE_HOST;
}

static void every_frame_survives_the_round_trip(void **state)
{
	static uint8_t buf[WIRE_FRAME_MAX];

	for (size_t f = 0; f < ARRAY_LEN(frame_rows); f++) {
		for (int high = 0; high < 2; high++) {
			struct wire_msg msg = msg_with(&frame_rows[f], high), back;
			int size = wire_encode(buf, sizeof(buf), &msg);

			assert_true(size >= WIRE_HEADER_SIZE);
			assert_int_equal(
				wire_decode(buf, size, side_of(&frame_rows[f]), &back),
				size);
			assert_int_equal(back.type, msg.type);
			for (size_t i = 0; i < ARRAY_LEN(rows); i++)
				if (row_of(&rows[i], &frame_rows[f]))
					assert_int_equal(field_get(&back, &rows[i]),
							 field_get(&msg, &rows[i]));
		}
	}
}

/* A frame cut anywhere is incomplete, and no byte past the cut is read (ASan watches). */
static void a_cut_frame_is_incomplete(void **state)
{
	static uint8_t buf[WIRE_FRAME_MAX];

	for (size_t f = 0; f < ARRAY_LEN(frame_rows); f++) {
		struct wire_msg msg = msg_with(&frame_rows[f], false), back;
		int size = wire_encode(buf, sizeof(buf), &msg);

		assert_true(size > 0);
		for (int cut = 0; cut < size; cut++) {
			uint8_t *part = malloc(cut + !cut);

			memcpy(part, buf, cut);
			assert_int_equal(
				wire_decode(part, cut, side_of(&frame_rows[f]), &back),
				0);
			free(part);
		}
	}
}

static void the_other_side_s_frames_are_refused(void **state)
{
	uint8_t buf[WIRE_FRAME_MAX];

	for (size_t f = 0; f < ARRAY_LEN(frame_rows); f++) {
		struct wire_msg msg = msg_with(&frame_rows[f], false), back;
		int size = wire_encode(buf, sizeof(buf), &msg);
		enum wire_peer other = WIRE_EITHER ^ side_of(&frame_rows[f]);
		int result = wire_decode(buf, size, other, &back);

		assert_int_equal(result,
				 frame_rows[f].from == WIRE_EITHER ? size : -EPROTO);
	}
}

static void a_value_past_a_bound_is_refused(void **state)
{
	static uint8_t buf[WIRE_FRAME_MAX + 8];

	for (size_t f = 0; f < ARRAY_LEN(frame_rows); f++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct wire_msg msg = msg_with(&frame_rows[f], false);
			uint64_t top = rows[i].kind > KIND_u64 ? UINT16_MAX
				       : rows[i].kind == KIND_u64
					       ? UINT64_MAX
					       : BIT(8 << rows[i].kind) - 1;

			if (!row_of(&rows[i], &frame_rows[f]))
				continue;
			if (rows[i].low > 0) {
				field_set(&msg, &rows[i], rows[i].low - 1);
				assert_int_equal(wire_encode(buf, sizeof(buf), &msg),
						 -EINVAL);
			}
			if (rows[i].high < top && rows[i].high < WIRE_PAYLOAD_MAX) {
				field_set(&msg, &rows[i], rows[i].high + 1);
				assert_int_equal(wire_encode(buf, sizeof(buf), &msg),
						 -EINVAL);
			}
		}
	}
}

/* The decoder checks for itself: the bytes here did not come from the encoder. */
static void the_decoder_checks_bounds(void **state)
{
	static const struct {
		const char *what;
		int want;
		size_t size;
		uint8_t bytes[24];
	} cases[] = {
		{ "stream 6", -EPROTO, 9, { 1, 0, 0, 0, WIRE_EOF, 0, 0, 0, 6 } },
		{ "stream 5", 9, 9, { 1, 0, 0, 0, WIRE_EOF, 0, 0, 0, 5 } },
		{ "a byte too many",
		  -EPROTO,
		  10,
		  { 2, 0, 0, 0, WIRE_EOF, 0, 0, 0, 3, 0 } },
		{ "a byte too few", -EPROTO, 8, { 0, 0, 0, 0, WIRE_EOF } },
		{ "a pad that is not zero",
		  -EPROTO,
		  9,
		  { 1, 0, 0, 0, WIRE_EOF, 0, 1, 0, 3 } },
		{ "no such frame", -EPROTO, 8, { 0, 0, 0, 0, 200 } },
		{ "frame 0", -EPROTO, 8, { 0 } },
		{ "known bad before it is complete", -EPROTO, 8, { 9, 0, 0, 0, 200 } },
		{ "too long", -EMSGSIZE, 8, { 1, 0x80, 0, 0, WIRE_DATA } },
		{ "huge", -EMSGSIZE, 8, { 0xff, 0xff, 0xff, 0xff, WIRE_DATA } },
		{ "text", 13, 13, { 5, 0, 0, 0, WIRE_OUT, 0, 0, 0, 2, 0, 'a', 'b', 0 } },
		{ "text without NUL",
		  -EPROTO,
		  13,
		  { 5, 0, 0, 0, WIRE_OUT, 0, 0, 0, 2, 0, 'a', 'b', 'c' } },
		{ "text with a NUL inside",
		  -EPROTO,
		  13,
		  { 5, 0, 0, 0, WIRE_OUT, 0, 0, 0, 2, 0, 'a', 0, 0 } },
		{ "text longer than the frame",
		  -EPROTO,
		  13,
		  { 5, 0, 0, 0, WIRE_OUT, 0, 0, 0, 3, 0, 'a', 'b', 0 } },
		{ "empty text where one is needed",
		  -EPROTO,
		  11,
		  { 3, 0, 0, 0, WIRE_OUT, 0, 0, 0, 0, 0, 0 } },
		{ "signal 65", -EPROTO, 9, { 1, 0, 0, 0, WIRE_SIGNAL, 0, 0, 0, 65 } },
		{ "signal 0", -EPROTO, 9, { 1, 0, 0, 0, WIRE_SIGNAL, 0, 0, 0, 0 } },
		{ "credit 0", -EPROTO, 13, { 5, 0, 0, 0, WIRE_CREDIT, 0, 0, 0, 1 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct wire_msg msg;
		int result = wire_decode(cases[i].bytes, cases[i].size, WIRE_HOST, &msg);

		if (result != cases[i].want)
			fail_msg("%s: %d, wanted %d", cases[i].what, result,
				 cases[i].want);
	}
}

static void an_encoder_without_room_writes_nothing(void **state)
{
	struct wire_msg msg = { .type = WIRE_DATA, .data = { 1, { "hello", 5 } } };
	uint8_t buf[14] = { 0 }, zero[14] = { 0 };

	assert_int_equal(wire_encode(buf, 13, &msg), -ENOSPC);
	assert_memory_equal(buf, zero, sizeof(buf));
	assert_int_equal(wire_encode(buf, 14, &msg), 14);
}

static void a_tail_can_be_filled_in_place(void **state)
{
	struct wire_msg msg = { .type = WIRE_DATA, .data = { 2, { NULL, 3 } } }, back;
	uint8_t buf[12];

	assert_int_equal(wire_encode(buf, sizeof(buf), &msg), 12);
	memcpy(buf + 9, "abc", 3);
	assert_int_equal(wire_decode(buf, 12, WIRE_GUEST, &back), 12);
	assert_memory_equal(back.data.bytes.at, "abc", 3);
}

static void text_with_a_nul_is_not_encoded(void **state)
{
	struct wire_msg msg = { .type = WIRE_OUT, .out = { { "a\0b", 3 } } };
	uint8_t buf[64];

	assert_int_equal(wire_encode(buf, sizeof(buf), &msg), -EINVAL);
	msg.out.path = wire_text_of("a");
	assert_int_equal(wire_encode(buf, sizeof(buf), &msg), 12);
}

static void paths_that_leave_the_folder_are_refused(void **state)
{
	static const char *const good[] = { "", "a", "a/b", "..a", "a../b", ".a", "..." };
	static const char *const bad[] = { "/",	     "/a",   ".",  "..",  "a/..", "../a",
					   "a/../b", "a//b", "a/", "./a", "a/./b" };
	char name[300];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(wire_path_inside(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(wire_path_inside(bad[i]));
	memset(name, 'x', sizeof(name));
	name[255] = 0;
	assert_true(wire_path_inside(name));
	name[255] = 'x';
	name[256] = 0;
	assert_false(wire_path_inside(name));
}

static void phases_are_kept(void **state)
{
	assert_true(wire_allowed(WIRE_JOB, WIRE_SETUP));
	assert_false(wire_allowed(WIRE_JOB, WIRE_RUN));
	assert_true(wire_allowed(WIRE_FILE, WIRE_AFTER));
	assert_false(wire_allowed(WIRE_FILE, WIRE_RUN));
	assert_true(wire_allowed(WIRE_POWEROFF, WIRE_AFTER));
	assert_false(wire_allowed(0, WIRE_RUN));
	assert_false(wire_allowed(255, WIRE_RUN));
}

static void credit_is_neither_exceeded_nor_invented(void **state)
{
	struct wire_sender s = wire_sender_init(WIRE_STDIN);
	struct wire_receiver r = wire_receiver_init(WIRE_STDIN);
	uint32_t window = wire_window(WIRE_STDIN), owed;

	assert_int_equal(s.credit, window);
	wire_sender_spend(&s, window);
	assert_int_equal(s.credit, 0);
	assert_int_equal(wire_receiver_take(&r, window), 0);
	assert_int_equal(wire_receiver_take(&r, 1), -EPROTO);

	wire_receiver_consume(&r, 1);
	assert_int_equal(wire_receiver_owed(&r), 0);
	assert_int_equal(wire_receiver_take(&r, 1), -EPROTO);
	wire_receiver_consume(&r, window / 4 - 1);
	owed = wire_receiver_owed(&r);
	assert_int_equal(owed, window / 4);
	wire_receiver_repaid(&r, owed);
	assert_int_equal(wire_sender_grant(&s, owed), 0);
	assert_int_equal(wire_receiver_take(&r, owed), 0);

	assert_int_equal(wire_sender_grant(&s, window - owed), 0);
	assert_int_equal(wire_sender_grant(&s, 1), -EPROTO);
}

static void windows_fit_the_credit_frame(void **state)
{
	for (int i = 0; i < WIRE_STREAMS; i++) {
		assert_in_range(wire_window(i), WIRE_PAYLOAD_MAX, WIRE_WINDOW_MAX);
		assert_int_not_equal(wire_stream_from(i), WIRE_EITHER);
	}
}

/* The table as a text: what both sides must agree on. */
static const char table[] =
#define WIRE_LIMIT(name, value) #name "=" #value ";"
#include "lib/abi/wire.def"
#define WIRE_STREAM(name, number, from, window)                                          \
#name "=" #number "," #from "," #window ";"
#include "lib/abi/wire.def"
#define WIRE_FRAME(NAME, name, number, from, phases) #NAME "=" #number "," #from ";"
#define WIRE_FIELD(name, kind, field, low, high)                                         \
#name "." #field "=" #kind "," #low "," #high ";"
#define WIRE_END(name)
#include "lib/abi/wire.def"
#define WIRE_TOPIC(name, number, path) #name "=" #number ";"
#include "lib/abi/wire.def"
#define WIRE_STAGE(name, number, text) #name "=" #number ";"
#include "lib/abi/wire.def"
	;

/* Has it changed? Then so must WIRE_VERSION, and both numbers here: an image may hold an
 * agent of any age. */
static void another_table_is_another_version(void **state)
{
	assert_int_equal(WIRE_VERSION, 4);
	assert_int_equal(~crc32c(~0U, table, sizeof table - 1), 0x2cf50ee3);
}

static void names_are_for_messages(void **state)
{
	assert_string_equal(wire_name(WIRE_EXITED), "EXITED");
	assert_string_equal(wire_name(0), "?");
	assert_string_equal(wire_name(1000), "?");
	assert_string_equal(wire_stage_text(WIRE_STAGE_EXEC), "cannot execute");
	assert_string_equal(wire_stage_text(1000), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_survives_the_round_trip),
		cmocka_unit_test(a_cut_frame_is_incomplete),
		cmocka_unit_test(the_other_side_s_frames_are_refused),
		cmocka_unit_test(a_value_past_a_bound_is_refused),
		cmocka_unit_test(the_decoder_checks_bounds),
		cmocka_unit_test(an_encoder_without_room_writes_nothing),
		cmocka_unit_test(a_tail_can_be_filled_in_place),
		cmocka_unit_test(text_with_a_nul_is_not_encoded),
		cmocka_unit_test(paths_that_leave_the_folder_are_refused),
		cmocka_unit_test(phases_are_kept),
		cmocka_unit_test(credit_is_neither_exceeded_nor_invented),
		cmocka_unit_test(windows_fit_the_credit_frame),
		cmocka_unit_test(another_table_is_another_version),
		cmocka_unit_test(names_are_for_messages),
	};

	memset(filler, 'x', sizeof(filler));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
