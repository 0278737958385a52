/*
 * Landlock's rules (Documentation/userspace-api/landlock.rst; ABI 2): layers of what may
 * be done below which objects. An object is known by its address; the walk from a file up
 * to the root is the caller's.
 *
 * A layer denies what it handles and no rule on the way up allows; what one layer denies
 * is denied. LANDLOCK_REFER is handled by all of them.
 *
 * Layers never change; one holds a reference on the one below it, and a thread's topmost
 * is replaced only by one above it.
 */
#ifndef SEC_LANDLOCK_H
#define SEC_LANDLOCK_H

#include "core/ref.h"

#define LANDLOCK_LAYERS_MAX 16
#define LANDLOCK_ABI 2
/* <linux/landlock.h>'s numbers: LANDLOCK_ACCESS_FS_REFER, all, those of plain files. */
#define LANDLOCK_REFER (1u << 13)
#define LANDLOCK_ALL ((1u << 14) - 1)
#define LANDLOCK_OF_FILES 7u

struct landlock_rule {
	const void *object;
	uint32_t access; /* allowed there and below */
};

struct landlock_layer {
	struct ref refs;
	uint32_t depth;		      /* [I] layers from here down */
	uint32_t handled;	      /* [I] */
	struct landlock_layer *below; /* [I] referenced; NULL: the lowest */
	uint32_t n;
	struct landlock_rule *rules; /* [I] ascending by object */
	void *pins;		     /* [I] what keeps the objects: release()'s */
	void (*release)(struct landlock_layer *l); /* frees it, and what it owns */
};

static inline struct landlock_layer *landlock_get(struct landlock_layer *l)
{
	if (l)
		ref_get(&l->refs);
	return l;
}
void landlock_put(struct landlock_layer *l); /* NULL is fine */
static inline uint32_t landlock_depth(const struct landlock_layer *top)
{
	return top ? top->depth : 0;
}
/* Is who has `inner` under all that `outer` consists of? */
bool landlock_within(const struct landlock_layer *inner,
		     const struct landlock_layer *outer);

/* What each layer, from the top, still denies of what was asked. */
struct landlock_walk {
	const struct landlock_layer *top;
	uint32_t denied[LANDLOCK_LAYERS_MAX];
};
void landlock_ask(struct landlock_walk *w, const struct landlock_layer *top,
		  uint32_t access);
/* The next object on the way up. */
void landlock_step(struct landlock_walk *w, const void *object);
/* What is denied by any layer when the root is reached. */
uint32_t landlock_denied(const struct landlock_walk *w);
/* Would what `from` denied be allowed by `to`? Both were asked for all. */
bool landlock_gains(const struct landlock_walk *from, const struct landlock_walk *to,
		    uint32_t among);

#endif
