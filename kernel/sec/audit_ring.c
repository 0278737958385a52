/* The ring of audit records: places, numbers, counts. */
#include "sec/audit_ring.h"

#include "lib/string.h"

void audit_ring_init(struct audit_ring *r, struct audit_record *slot, uint32_t n)
{
	memset(r, 0, sizeof *r);
	r->slot = slot;
	r->n = n;
}

static uint32_t places_free(const struct audit_ring *r)
{
	return r->n - (uint32_t)(r->next - r->kept) - r->reserved;
}

bool audit_ring_has_place(const struct audit_ring *r, enum audit_class class)
{
	uint32_t not_for_it = 1 + (class == AUDIT_ORDINARY ? r->n / 4 : 0);

	return places_free(r) > not_for_it;
}

bool audit_ring_reserve(struct audit_ring *r, enum audit_class class)
{
	if (!audit_ring_has_place(r, class)) {
		r->dropped[class]++;
		r->dropped_total[class]++;
		return false;
	}
	r->reserved++;
	return true;
}

void audit_ring_cancel(struct audit_ring *r)
{
	r->reserved--;
}

static void put(struct audit_ring *r, const struct audit_record *facts)
{
	struct audit_record *to = audit_ring_slot(r, r->next);

	memcpy(to, facts, offsetof(struct audit_record, previous));
	to->sequence = r->next++;
}

/* When the last place is taken for it, the keeper's next step makes another. */
static void tell_dropped(struct audit_ring *r, const struct audit_record *stamp)
{
	uint64_t count = r->dropped[AUDIT_VITAL] + r->dropped[AUDIT_ORDINARY];

	if (!count || !places_free(r))
		return;
	struct audit_record told = { .mono_ns = stamp->mono_ns,
				     .wall_ns = stamp->wall_ns,
				     .event = AUDIT_EVENT_DROPPED,
				     .cause = AUDIT_CAUSE_RING_FULL,
				     .cpu = stamp->cpu,
				     .syscall = UINT32_MAX,
				     .count = count };
	for (int class = 0; class < AUDIT_CLASSES; class ++) {
		told.arg[class] = r->dropped[class];
		r->dropped[class] = 0;
	}
	put(r, &told);
}

void audit_ring_add(struct audit_ring *r, const struct audit_record *facts)
{
	tell_dropped(r, facts);
	r->reserved--;
	put(r, facts);
}

void audit_ring_sealed(struct audit_ring *r, uint32_t n)
{
	r->sealed += n;
	if (n)
		memcpy(r->head, audit_ring_slot(r, r->sealed - 1)->digest,
		       sizeof r->head);
}

void audit_ring_keep(struct audit_ring *r, uint64_t at, const struct audit_record *stamp)
{
	if (at > r->kept)
		r->kept = at;
	tell_dropped(r, stamp);
}

void audit_ring_forget(struct audit_ring *r, uint64_t at)
{
	if (at > r->kept)
		r->kept = at;
	if (at > r->sealed)
		r->sealed = r->forgotten = at;
}
