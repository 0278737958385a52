/* The audit log's chain, made and checked. */
#include <sodium/crypto_generichash_blake2b.h>

#include "lib/audit.h"
#include "lib/string.h"

static const struct {
	const char *name;
	enum audit_class class;
} events[] = {
#define AUDIT_EVENT(name, number, text, class) [number] = { text, AUDIT_##class },
#include "lib/abi/audit.def"
};

static const char *const causes[] = {
#define AUDIT_CAUSE(name, number, text) [number] = text,
#include "lib/abi/audit.def"
};

static const char *const faults[] = {
	[AUDIT_SOUND] = "sound",
	[AUDIT_CHANGED] = "it was changed: its digest is not that of its bytes",
	[AUDIT_MALFORMED] = "a field holds what no record does",
	[AUDIT_FOREIGN] = "it is of another boot",
	[AUDIT_REPEATED] = "a record with its number was there before",
	[AUDIT_MISSING] = "records before it are missing",
	[AUDIT_UNCHAINED] = "it does not follow the record before it",
	[AUDIT_AFTER_END] = "it comes after the end",
	[AUDIT_CUT] = "the end is missing: it was removed, or the machine died",
};

static bool is_event(uint32_t event)
{
	return event && event < AUDIT_EVENTS;
}

const char *audit_event_name(uint32_t event)
{
	return is_event(event) ? events[event].name : "?";
}

enum audit_class audit_class_of(enum audit_event event)
{
	return events[event].class;
}

const char *audit_cause_text(uint32_t cause)
{
	return cause < AUDIT_CAUSES ? causes[cause] : "?";
}

const char *audit_fault_text(enum audit_fault fault)
{
	return faults[fault];
}

/* ---- the chain ---- */

static void digest_of(const struct audit_record *r, uint8_t ret[AUDIT_DIGEST_SIZE])
{
	crypto_generichash_blake2b(ret, AUDIT_DIGEST_SIZE, (const uint8_t *)r,
				   offsetof(struct audit_record, digest), NULL, 0);
}

void audit_seal(struct audit_record *r, const uint8_t previous[AUDIT_DIGEST_SIZE])
{
	memcpy(r->previous, previous, sizeof(r->previous));
	digest_of(r, r->digest);
}

/* Up to its end NUL. */
static bool is_text(const char *text, size_t size)
{
	size_t n = strnlen(text, size);

	if (n == size)
		return false;
	while (n < size)
		if (text[n++])
			return false;
	return true;
}

static bool well_formed(const struct audit_record *r)
{
	return is_event(r->event) && r->cause < AUDIT_CAUSES &&
	       is_text(r->text, sizeof(r->text)) &&
	       (r->event == AUDIT_EVENT_BOOT) == !r->sequence;
}

static enum audit_fault fault_of(const struct audit_check *c,
				 const struct audit_record *r)
{
	uint8_t digest[AUDIT_DIGEST_SIZE];

	digest_of(r, digest);
	if (memcmp(digest, r->digest, sizeof(digest)) != 0)
		return AUDIT_CHANGED;
	if (!well_formed(r))
		return AUDIT_MALFORMED;
	if (c->next && memcmp(r->boot_id, c->boot_id, sizeof(c->boot_id)) != 0)
		return AUDIT_FOREIGN;
	if (r->sequence < c->next)
		return AUDIT_REPEATED;
	if (r->sequence > c->next)
		return AUDIT_MISSING;
	if (memcmp(r->previous, c->head, sizeof(c->head)) != 0)
		return AUDIT_UNCHAINED;
	return c->ended ? AUDIT_AFTER_END : AUDIT_SOUND;
}

enum audit_fault audit_check_next(struct audit_check *c, const struct audit_record *r)
{
	enum audit_fault fault = fault_of(c, r);

	if (fault)
		return fault;
	if (!c->next)
		memcpy(c->boot_id, r->boot_id, sizeof(c->boot_id));
	if (r->event == AUDIT_EVENT_DROPPED)
		c->dropped += r->count;
	c->ended = r->event == AUDIT_EVENT_END;
	c->next++;
	memcpy(c->head, r->digest, sizeof(c->head));
	return AUDIT_SOUND;
}

enum audit_fault audit_check_end(const struct audit_check *c)
{
	return c->ended ? AUDIT_SOUND : AUDIT_CUT;
}
