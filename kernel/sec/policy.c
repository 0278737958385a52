/* Layers of policies. See policy.h. */
#include <asm/errno.h>

#include "sec/policy.h"

#include "core/panic.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

struct policy_blob {
	struct ref refs;
	struct policy policy; /* [I] */
	_Alignas(8) uint8_t form[];
};

/* ---- forms ---- */

int policy_blob_from_user(uaddr_t form, uint64_t size, struct policy_blob **ret)
{
	const char *why;

	if (size > POLICY_SIZE_MAX)
		return -E2BIG;
	struct policy_blob *b = heap_alloc(sizeof(*b) + size);
	if (!b)
		return -ENOMEM;
	int err = copy_in(b->form, form, size);
	if (!err)
		err = policy_parse(b->form, size, &b->policy, &why);
	if (err) {
		heap_free(b);
		return err;
	}
	ref_init(&b->refs, 1);
	*ret = b;
	return 0;
}

struct policy_blob *policy_blob_get(struct policy_blob *b)
{
	ref_get(&b->refs);
	return b;
}

void policy_blob_put(struct policy_blob *b)
{
	if (b && ref_put(&b->refs))
		heap_free(b);
}

const struct policy *policy_blob_policy(const struct policy_blob *b)
{
	return &b->policy;
}

/* ---- layers ---- */

struct policy_layer *policy_layer_new(struct policy_blob *b, uint32_t program)
{
	struct policy_layer *l = heap_zalloc(sizeof(*l));

	if (!l)
		return NULL;
	ref_init(&l->refs, 1);
	l->depth = 1;
	l->program = program;
	l->blob = policy_blob_get(b);
	return l;
}

void policy_layer_put_on(struct policy_layer *l, struct policy_layer *below)
{
	insist(!l->below);
	l->below = below;
	l->depth = policy_depth(below) + 1;
}

void policy_layer_put(struct policy_layer *l)
{
	while (l && ref_put(&l->refs)) {
		struct policy_layer *below = l->below;
		policy_blob_put(l->blob);
		heap_free(l);
		l = below;
	}
}

bool policy_layers_hold(const struct policy_layer *top, const struct policy_blob *b,
			uint32_t program)
{
	for (const struct policy_layer *l = top; l; l = l->below)
		if (l->blob == b && l->program == program)
			return true;
	return false;
}

bool policy_layers_within(const struct policy_layer *inner,
			  const struct policy_layer *outer)
{
	while (inner && inner->depth > policy_depth(outer))
		inner = inner->below;
	return inner == outer;
}

static const struct policy *form_of(const struct policy_layer *l)
{
	return &l->blob->policy;
}

bool policy_layer_has_flag(const struct policy_layer *l, enum policy_flag flag)
{
	return form_of(l)->programs[l->program].flags & flag;
}

bool policy_layer_learns(const struct policy_layer *l)
{
	return policy_layer_has_flag(l, POLICY_FLAG_LEARN);
}

bool policy_layers_all_flag(const struct policy_layer *top, enum policy_flag flag)
{
	for (const struct policy_layer *l = top; l; l = l->below)
		if (!policy_layer_has_flag(l, flag))
			return false;
	return true;
}

/* ---- limits ---- */

static uint64_t limit_of(const struct policy_layer *l, enum policy_limit_kind kind)
{
	return policy_limit_of(form_of(l), l->program, kind);
}

uint64_t policy_layers_limit(const struct policy_layer *top, enum policy_limit_kind kind)
{
	uint64_t lowest = UINT64_MAX;

	for (const struct policy_layer *l = top; l; l = l->below)
		lowest = MIN(lowest, limit_of(l, kind));
	return lowest;
}

static void uncharge_to(struct policy_layer *top, const struct policy_layer *end)
{
	for (struct policy_layer *l = top; l != end; l = l->below)
		l->tasks--;
}

bool policy_layers_charge(struct policy_layer *top)
{
	for (struct policy_layer *l = top; l; l = l->below) {
		if (++l->tasks <= limit_of(l, POLICY_LIMIT_PROCESSES))
			continue;
		uncharge_to(top, l->below);
		return false;
	}
	return true;
}

void policy_layers_uncharge(struct policy_layer *top)
{
	uncharge_to(top, NULL);
}

/* ---- calls ---- */

void policy_layer_asks(const struct policy_layer *l, uint64_t asks[POLICY_NUMBERS / 64])
{
	uint64_t passes[POLICY_NUMBERS / 64];

	policy_passes(form_of(l), l->program, passes);
	for (size_t i = 0; i < ARRAY_LEN(passes); i++)
		asks[i] |= ~passes[i];
}

void policy_layers_decide(const struct policy_layer *top, uint32_t number,
			  const uint64_t args[POLICY_ARGS], const uint64_t *fields,
			  struct policy_verdict *ret,
			  const struct policy_layer **ret_layer)
{
	struct policy_verdict v;

	*ret_layer = NULL;
	for (const struct policy_layer *l = top; l; l = l->below) {
		policy_decide(form_of(l), l->program, number, args, fields, &v);
		if (*ret_layer &&
		    POLICY_ACTION_KIND(v.action) <= POLICY_ACTION_KIND(ret->action))
			continue;
		*ret = v;
		*ret_layer = l;
	}
}

bool policy_layers_name(const struct policy_layer *top, uint32_t number)
{
	for (const struct policy_layer *l = top; l; l = l->below)
		if (policy_names(form_of(l), l->program, number))
			return true;
	return false;
}

/* ---- places ---- */

uint32_t policy_layers_rights(const struct policy_layer *top,
			      const struct policy_place *at)
{
	uint32_t rights = POLICY_ACCESS_ALL | POLICY_LOOK;

	for (const struct policy_layer *l = top; l; l = l->below)
		if (!policy_layer_learns(l))
			rights &= policy_rights(form_of(l), l->program, at);
	return rights;
}

const struct policy_layer *policy_layers_refuser(const struct policy_layer *top,
						 const struct policy_place *at,
						 uint32_t want)
{
	const struct policy_layer *learner = NULL;

	for (const struct policy_layer *l = top; l; l = l->below) {
		if (!(want & ~policy_rights(form_of(l), l->program, at)))
			continue;
		if (!policy_layer_learns(l))
			return l;
		learner = l;
	}
	return learner;
}

uint32_t policy_layer_limited(const struct policy_layer *l)
{
	uint32_t all = POLICY_ACCESS_ALL | POLICY_LOOK;
	uint32_t code =
		policy_layer_has_flag(l, POLICY_FLAG_EXEC_WRITE) ? 0 : POLICY_CODE;

	if (policy_layer_learns(l))
		return all | code;
	return (all & ~policy_everywhere(form_of(l), l->program)) | code;
}

bool policy_layers_rules_below(const struct policy_layer *top,
			       const struct policy_place *at)
{
	for (const struct policy_layer *l = top; l; l = l->below)
		if (policy_rules_below(form_of(l), l->program, at))
			return true;
	return false;
}
