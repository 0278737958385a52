/*
 * A random number generator in one object: ChaCha20 with fast key erasure (Bernstein,
 * 2017). Pure: who owns it locks it and seeds it.
 *
 * Always true:
 *  C1  a byte that was handed out, or any before it, cannot be had from the state
 *      again: each batch begins with the key of the next, and what is taken of a batch
 *      is erased.
 */
#ifndef SEC_CSPRNG_H
#define SEC_CSPRNG_H

#include "lib/base.h"

#define CSPRNG_KEY 32u
#define CSPRNG_BATCH 480u /* with the next key, eight blocks of the cipher */

struct csprng {
	uint8_t key[CSPRNG_KEY];
	uint8_t batch[CSPRNG_BATCH]; /* its last `left` bytes are fresh */
	uint32_t left;
};

/* Starts anew from a secret key; what was left of the old one is dropped. */
void csprng_seed(struct csprng *c, const uint8_t key[CSPRNG_KEY]);
/* Adds n <= CSPRNG_KEY bytes to the key of the next batch: cannot make it worse. */
void csprng_mix(struct csprng *c, const void *bytes, size_t n);
/* True: the next csprng_get of n bytes computes a new batch. */
static inline bool csprng_is_dry(const struct csprng *c, size_t n)
{
	return c->left < n;
}
void csprng_get(struct csprng *c, void *buf, size_t n);
/* n bytes from a key that is used for nothing else; erases the key. */
void csprng_expand(uint8_t key[CSPRNG_KEY], void *buf, size_t n);

#endif
