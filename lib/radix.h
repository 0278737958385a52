/*
 * Radix tree from a 64-bit key to a non-NULL pointer, 64-way. Nodes come from the
 * caller's allocator; insertion may fail, everything else cannot. Grows in height as keys
 * need it.
 */
#ifndef LIB_RADIX_H
#define LIB_RADIX_H

#include "lib/base.h"

#define RADIX_BITS 6
#define RADIX_FANOUT 64

struct radix_node {
	uint32_t used; /* non-NULL slots */
	void *slot[RADIX_FANOUT];
};

struct radix_ops {
	struct radix_node *(*alloc)(void); /* zeroed, or NULL */
	void (*free)(struct radix_node *n);
};

struct radix {
	struct radix_node *root;
	uint32_t height; /* levels; 0: empty */
	const struct radix_ops *ops;
};

void radix_init(struct radix *r, const struct radix_ops *ops);
/* 0, -EEXIST, -ENOMEM. */
must_use int radix_insert(struct radix *r, uint64_t key, void *val);
void *radix_get(const struct radix *r, uint64_t key); /* NULL: absent */
/* Values of key, key+1, … while present and in key's node, at most n; how many. */
size_t radix_get_run(const struct radix *r, uint64_t key, void **ret, size_t n);
void *radix_remove(struct radix *r, uint64_t key); /* what was there, or NULL */
/* Replaces an existing entry; the old one. */
void *radix_replace(struct radix *r, uint64_t key, void *val);
/* Smallest key >= from; its value, NULL: none. */
void *radix_next(const struct radix *r, uint64_t from, uint64_t *ret_key);
/* Smallest absent key in [from, last]; false: all taken. For pid and id allocation. */
bool radix_first_absent(const struct radix *r, uint64_t from, uint64_t last,
			uint64_t *ret);
/* Frees all nodes; entries are the caller's. */
void radix_fini(struct radix *r);

#endif
