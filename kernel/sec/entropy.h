/*
 * Randomness for the whole kernel and, through getrandom(2) and /dev/random, for user
 * space.
 *
 * A pool takes everything in, through BLAKE2b; each CPU has a generator (csprng.h) keyed
 * from the pool, so that no lock is shared on the way out.
 *
 * The seed: the loader's, RDRAND, virtio-rng when there is one, and what somebody with
 * the right to do so credits through RNDADDENTROPY. Before 256 bits are credited the
 * generators run on what there is, good enough for address layout; getrandom waits.
 *
 * A VM that is resumed twice from one snapshot has the same pool twice. Each batch of a
 * generator mixes RDRAND in, so the copies part within 480 bytes per CPU; without
 * RDRAND the host must send fresh entropy after it resumes a VM. fork(2) copies
 * nothing: all state is here.
 *
 * Always true:
 *  N1  pool and keys cannot be run backwards: each step replaces them by a hash or
 *      cipher output;
 *  N2  credited input reaches the generators 256 bits at a time or not at all: who sees
 *      outputs cannot follow the pool by guessing a few bits at a time.
 */
#ifndef SEC_ENTROPY_H
#define SEC_ENTROPY_H

#include "core/wait.h"

void entropy_init(void); /* boot CPU, before the first use */

/* Random bytes. Any context, never sleeps, never fails. */
void entropy_get(void *buf, size_t n);
static inline uint64_t entropy_get_u64(void)
{
	uint64_t v;
	entropy_get(&v, sizeof(v));
	return v;
}

/* Mixes bytes in and credits `bits` of them as unknown to anybody else. Any context. */
void entropy_add(const void *buf, size_t n, uint32_t bits);
/* New keys for all CPUs at their next use, whatever was credited. */
void entropy_reseed(void);

bool entropy_ready(void);
/* Sleeps until it is. 0, -ERESTARTSYS. */
must_use int entropy_wait(void);
extern struct waitq entropy_waitq; /* woken when it becomes ready */

#endif
