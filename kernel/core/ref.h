/* Reference counts that saturate instead of wrapping: a leaked object beats a reused
 * one. */
#ifndef CORE_REF_H
#define CORE_REF_H

#include "lib/base.h"

struct ref {
	_Atomic uint32_t n;
};

#define REF_SATURATED 0x80000000u

static inline void ref_init(struct ref *r, uint32_t n)
{
	__atomic_store_n((uint32_t *)&r->n, n, __ATOMIC_RELAXED);
}

static inline uint32_t ref_read(const struct ref *r)
{
	return __atomic_load_n((const uint32_t *)&r->n, __ATOMIC_RELAXED);
}

/* The caller holds a reference already. */
static inline void ref_get(struct ref *r)
{
	if (unlikely(__atomic_fetch_add((uint32_t *)&r->n, 1, __ATOMIC_RELAXED) >=
		     REF_SATURATED - 1))
		ref_init(r, REF_SATURATED);
}

/* For lookups under a lock that the last put also takes: false when the object is
 * dying. */
must_use static inline bool ref_get_unless_zero(struct ref *r)
{
	uint32_t n = ref_read(r);
	do {
		if (n == 0)
			return false;
	} while (!__atomic_compare_exchange_n((uint32_t *)&r->n, &n, n + 1, true,
					      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return true;
}

/* True: this was the last one. */
must_use static inline bool ref_put(struct ref *r)
{
	uint32_t n = ref_read(r);
	do {
		if (unlikely(n >= REF_SATURATED))
			return false;
	} while (!__atomic_compare_exchange_n((uint32_t *)&r->n, &n, n - 1, true,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return n == 1;
}

/* Drops one that is not the last, true; or none at all, false: then the caller takes the
 * lock that finders hold, and calls ref_put. */
must_use static inline bool ref_put_not_last(struct ref *r)
{
	uint32_t n = ref_read(r);
	while (n > 1) {
		if (unlikely(n >= REF_SATURATED) ||
		    __atomic_compare_exchange_n((uint32_t *)&r->n, &n, n - 1, true,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

#endif
