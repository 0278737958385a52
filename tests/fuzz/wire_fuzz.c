/* lib/wire.c's decoder on bytes of a hostile peer: W1 and W2 hold, and what it accepts
 * encodes to the same bytes. The first byte chooses the side. */
#include <stdlib.h>
#include <string.h>

#include "lib/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void text_check(const struct wire_text *text)
{
	must(strlen(text->at) == text->size);
}

/* Every text is a C string within its bounds, every integer and tail within them. */
static void msg_check(const struct wire_msg *msg)
{
#define CHECK_u8(v, low, high) must((uint64_t)(v) - (low) <= (uint64_t)(high) - (low))
#define CHECK_u16 CHECK_u8
#define CHECK_u32 CHECK_u8
#define CHECK_u64 CHECK_u8
#define CHECK_text(v, low, high) (CHECK_u8((v).size, low, high), text_check(&(v)))
#define CHECK_tail(v, low, high) CHECK_u8((v).size, low, high)
	switch (msg->type) {
#define WIRE_FRAME(NAME, name, number, from, phases) case number:
#define WIRE_FIELD(name, type, field, low, high) CHECK_##type(msg->name.field, low, high);
#define WIRE_END(name) break;
#include "lib/abi/wire.def"
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[WIRE_FRAME_MAX];
	enum wire_peer from;

	if (!size)
		return 0;
	from = data[0] & 1 ? WIRE_HOST : WIRE_GUEST;
	data++;
	size--;
	for (;;) {
		struct wire_msg msg;
		int taken = wire_decode(data, size, from, &msg);

		if (taken <= 0)
			return 0;
		must((size_t)taken <= size);
		msg_check(&msg);
		must(wire_encode(again, sizeof(again), &msg) == taken);
		must(!memcmp(again, data, taken));
		data += taken;
		size -= taken;
	}
}
