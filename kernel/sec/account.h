/*
 * What all processes of one real user id use together, against the limits that count by
 * user. An account exists while somebody refers to it.
 */
#ifndef SEC_ACCOUNT_H
#define SEC_ACCOUNT_H

#include "lib/list.h"
#include "sec/cred.h"

struct account {
	struct ref refs;
	struct list link;		    /* [accounts lock] */
	uid_t uid;			    /* [I] */
	_Atomic uint32_t tasks;		    /* RLIMIT_NPROC */
	_Atomic uint32_t signals;	    /* RLIMIT_SIGPENDING */
	_Atomic uint64_t mqueue_bytes;	    /* RLIMIT_MSGQUEUE */
	_Atomic uint64_t inotify_instances; /* fs.inotify.max_user_instances */
	_Atomic uint64_t inotify_watches;   /* fs.inotify.max_user_watches */
};

must_use struct account *account_get(uid_t uid); /* NULL: no memory */
static inline struct account *account_ref(struct account *a)
{
	ref_get(&a->refs);
	return a;
}
void account_put(struct account *a); /* any context; NULL is fine */
/* Adds n to a count of the account unless it would pass max; false: it would. */
must_use static inline bool account_charge(_Atomic uint64_t *count, uint64_t n,
					   uint64_t max)
{
	uint64_t all = __atomic_add_fetch((uint64_t *)count, n, __ATOMIC_RELAXED);

	if (all <= max && all >= n)
		return true;
	*count -= n;
	return false;
}

#endif
