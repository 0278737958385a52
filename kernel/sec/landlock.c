/* Landlock's rules. See landlock.h. */
#include "sec/landlock.h"

void landlock_put(struct landlock_layer *l)
{
	while (l && ref_put(&l->refs)) {
		struct landlock_layer *below = l->below;
		l->release(l);
		l = below;
	}
}

bool landlock_within(const struct landlock_layer *inner,
		     const struct landlock_layer *outer)
{
	while (inner && inner->depth > landlock_depth(outer))
		inner = inner->below;
	return inner == outer;
}

static uint32_t allowed_at(const struct landlock_layer *l, const void *object)
{
	const struct landlock_rule *r = l->rules;
	uint32_t n = l->n;

	while (n) {
		uint32_t half = n / 2;
		if (r[half].object == object)
			return r[half].access;
		if (r[half].object < object) {
			r += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return 0;
}

void landlock_ask(struct landlock_walk *w, const struct landlock_layer *top,
		  uint32_t access)
{
	w->top = top;
	for (uint32_t i = 0; top; top = top->below)
		w->denied[i++] = access & (top->handled | LANDLOCK_REFER);
}

void landlock_step(struct landlock_walk *w, const void *object)
{
	uint32_t i = 0;

	for (const struct landlock_layer *l = w->top; l; l = l->below, i++)
		if (w->denied[i])
			w->denied[i] &= ~allowed_at(l, object);
}

uint32_t landlock_denied(const struct landlock_walk *w)
{
	uint32_t denied = 0;

	for (uint32_t i = 0; i < landlock_depth(w->top); i++)
		denied |= w->denied[i];
	return denied;
}

bool landlock_gains(const struct landlock_walk *from, const struct landlock_walk *to,
		    uint32_t among)
{
	for (uint32_t i = 0; i < landlock_depth(from->top); i++)
		if (from->denied[i] & ~to->denied[i] & among)
			return true;
	return false;
}
