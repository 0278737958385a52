/*
 * The policies that a thread is under: layers, each a program of a compiled form
 * (lib/policy.h), the latest on top. What one of them refuses is refused.
 *
 * Always true:
 *  L1  layers and what they refer to do not change; one holds a reference on the one
 *      below it;
 *  L2  a thread's topmost layer is replaced only by one that lies above it, so what it
 *      read once stays true while the thread lives.
 */
#ifndef SEC_POLICY_H
#define SEC_POLICY_H

#include "arch/arch.h"
#include "core/ref.h"
#include "lib/policy.h"

struct policy_blob;

struct policy_layer {
	struct ref refs;
	_Atomic uint32_t tasks;	    /* under it: POLICY_LIMIT_PROCESSES */
	uint32_t depth;		    /* [I] layers from here down */
	uint32_t program;	    /* [I] of the form */
	struct policy_layer *below; /* [I] referenced; NULL: the lowest */
	struct policy_blob *blob;   /* [I] referenced */
};

/* Copies the form. 0, -EINVAL, -E2BIG, -ENOMEM, -EFAULT. */
must_use int policy_blob_from_user(uaddr_t form, uint64_t size, struct policy_blob **ret);
struct policy_blob *policy_blob_get(struct policy_blob *b);
void policy_blob_put(struct policy_blob *b); /* NULL is fine */
const struct policy *policy_blob_policy(const struct policy_blob *b);

/* A layer with nothing below it yet. NULL: no memory. */
must_use struct policy_layer *policy_layer_new(struct policy_blob *b, uint32_t program);
/* Consumes the reference on `below`. l is nobody else's yet. */
void policy_layer_put_on(struct policy_layer *l, struct policy_layer *below);
static inline struct policy_layer *policy_layer_get(struct policy_layer *l)
{
	if (l)
		ref_get(&l->refs);
	return l;
}
void policy_layer_put(struct policy_layer *l); /* NULL is fine; may not be the last of
						* its chain under a spinlock */
static inline uint32_t policy_depth(const struct policy_layer *top)
{
	return top ? top->depth : 0;
}

/* Is that program of that form among them? */
bool policy_layers_hold(const struct policy_layer *top, const struct policy_blob *b,
			uint32_t program);
/* Is who has `inner` under all that `outer` consists of? */
bool policy_layers_within(const struct policy_layer *inner,
			  const struct policy_layer *outer);
bool policy_layer_has_flag(const struct policy_layer *l, enum policy_flag flag);
/* Have all of them that flag? (True of none.) */
bool policy_layers_all_flag(const struct policy_layer *top, enum policy_flag flag);

/* The lowest of their limits; UINT64_MAX: none has one. */
uint64_t policy_layers_limit(const struct policy_layer *top, enum policy_limit_kind kind);
/* One task more under all of them; false: that is more than a limit allows. */
must_use bool policy_layers_charge(struct policy_layer *top);
void policy_layers_uncharge(struct policy_layer *top);

/* Sets a bit for each number that the layer does not allow whatever the arguments. */
void policy_layer_asks(const struct policy_layer *l, uint64_t asks[POLICY_NUMBERS / 64]);

/* The sternest of all layers' verdicts, the topmost's of equals; *ret_layer gave it. */
void policy_layers_decide(const struct policy_layer *top, uint32_t number,
			  const uint64_t args[POLICY_ARGS], const uint64_t *fields,
			  struct policy_verdict *ret,
			  const struct policy_layer **ret_layer);
/* Has one of them a rule of that number? */
bool policy_layers_name(const struct policy_layer *top, uint32_t number);

/* What all of them allow there. A layer that learns allows everything. */
uint32_t policy_layers_rights(const struct policy_layer *top,
			      const struct policy_place *at);
/* The first that does not allow all of `want` there, of those that learn the last to be
 * asked; NULL: none. */
const struct policy_layer *policy_layers_refuser(const struct policy_layer *top,
						 const struct policy_place *at,
						 uint32_t want);
bool policy_layer_learns(const struct policy_layer *l);
/* POLICY_READ ..., POLICY_LOOK: what it does not allow at every place (of a layer that
 * learns, all of it); POLICY_CODE: nor to run what has no place. */
uint32_t policy_layer_limited(const struct policy_layer *l);
bool policy_layers_rules_below(const struct policy_layer *top,
			       const struct policy_place *at);

#endif
