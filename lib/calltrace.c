/* The records of a trace of system calls. */
#include <asm/errno.h>

#include "lib/calltrace.h"
#include "lib/string.h"

static const uint8_t body_sizes[CALLTRACE_TYPES] = {
	[CALLTRACE_BEGIN] = sizeof(uint64_t),
	[CALLTRACE_ENTER] = sizeof(struct calltrace_enter),
	[CALLTRACE_EXIT] = sizeof(struct calltrace_exit),
	[CALLTRACE_SIGNAL] = 128,
	[CALLTRACE_EXITED] = sizeof(struct calltrace_exited),
};

static bool has_memory(uint32_t type)
{
	return type == CALLTRACE_ENTER || type == CALLTRACE_EXIT;
}

/* ---- reading ---- */

/* The piece at `at`, which advances past it; false: there is no whole piece. */
static bool memory_next(const struct calltrace_record *r, size_t *at,
			struct calltrace_memory *ret, const uint8_t **ret_bytes)
{
	size_t left = r->memory_size - *at;

	if (left < sizeof(*ret))
		return false;
	memcpy(ret, r->memory + *at, sizeof(*ret));
	left -= sizeof(*ret);
	if (ret->zero || ret->size > CALLTRACE_RECORD_MAX ||
	    ALIGN_UP((size_t)ret->size, 8) > left || ret->address + ret->size < ret->size)
		return false;
	*ret_bytes = r->memory + *at + sizeof(*ret);
	*at += sizeof(*ret) + ALIGN_UP((size_t)ret->size, 8);
	return true;
}

static bool memory_valid(const struct calltrace_record *r)
{
	struct calltrace_memory piece;
	const uint8_t *bytes;
	size_t at = 0;

	while (at < r->memory_size)
		if (!memory_next(r, &at, &piece, &bytes))
			return false;
	return true;
}

int calltrace_decode(const void *bytes, size_t have, struct calltrace_record *ret)
{
	struct calltrace_record r = { 0 };
	size_t fixed;

	if (have < sizeof(r.head))
		return 0;
	memcpy(&r.head, bytes, sizeof(r.head));
	if (r.head.type < CALLTRACE_BEGIN || r.head.type >= CALLTRACE_TYPES)
		return -EPROTO;
	fixed = sizeof(r.head) + body_sizes[r.head.type];
	if (r.head.size < fixed || r.head.size > CALLTRACE_RECORD_MAX ||
	    r.head.size % 8 || r.head.zero || r.head.tid < 0)
		return -EPROTO;
	if (r.head.size > fixed && !has_memory(r.head.type))
		return -EPROTO;
	if (have < r.head.size)
		return 0;
	memcpy(&r.siginfo, (const uint8_t *)bytes + sizeof(r.head),
	       body_sizes[r.head.type]);
	r.memory = (const uint8_t *)bytes + fixed;
	r.memory_size = r.head.size - fixed;
	if (!memory_valid(&r))
		return -EPROTO;
	*ret = r;
	return (int)r.head.size;
}

const void *calltrace_at(const struct calltrace_record *r, uint64_t address,
			 size_t *ret_size)
{
	struct calltrace_memory piece;
	const uint8_t *bytes;
	size_t at = 0;

	while (memory_next(r, &at, &piece, &bytes)) {
		uint64_t skip = address - piece.address;

		if (address < piece.address || skip >= piece.size)
			continue;
		*ret_size = piece.size - skip;
		return bytes + skip;
	}
	return NULL;
}

/* ---- writing ---- */

void calltrace_begin(struct calltrace_writer *w, enum calltrace_type type, int32_t tid,
		     uint64_t ns, const void *body)
{
	struct calltrace_head head = { .type = type, .tid = tid, .ns = ns };

	memcpy(w->at, &head, sizeof(head));
	memcpy(w->at + sizeof(head), body, body_sizes[type]);
	w->size = sizeof(head) + body_sizes[type];
}

void *calltrace_room(struct calltrace_writer *w, size_t want, size_t *ret_fits)
{
	size_t used = w->size + sizeof(struct calltrace_memory);
	size_t left = used < CALLTRACE_RECORD_MAX ? CALLTRACE_RECORD_MAX - used : 0;

	*ret_fits = MIN(want, left);
	return w->at + used;
}

void calltrace_added(struct calltrace_writer *w, uint64_t address, size_t size)
{
	struct calltrace_memory piece = { .address = address, .size = (uint32_t)size };
	size_t padded = ALIGN_UP(size, 8);

	memcpy(w->at + w->size, &piece, sizeof(piece));
	w->size += sizeof(piece);
	memset(w->at + w->size + size, 0, padded - size);
	w->size += padded;
}

size_t calltrace_end(struct calltrace_writer *w)
{
	uint32_t size = (uint32_t)w->size;

	memcpy(w->at + offsetof(struct calltrace_head, size), &size, sizeof(size));
	return w->size;
}
