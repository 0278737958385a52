/*
 * The locks behind futexes with an owner: who has one, who waits for it, and what
 * priority that lends. futex_pi.c brings the word in user memory in line.
 *
 * Always true:
 *  P1  a word that somebody waits for has a struct pi_lock, and so has one whose new
 *      owner has yet to write its id (`unwritten`: the old one died);
 *  P2  all of it, and the tasks' pi_* fields, change under pi_mutex alone; under it user
 *      memory is touched only where it is mapped;
 *  P3  a lock's waiters are in order of priority, and what is lent to a thread is the
 *      highest among the first waiters of its locks.
 *
 * All of this with pi_mutex held, but leftover_free.
 */
#ifndef PROC_PI_LOCK_H
#define PROC_PI_LOCK_H

#include "lib/rbtree.h"
#include "proc/futex_internal.h"
#include "proc/proc.h"

#define PI_CHAIN_MAX 1024 /* as Linux's kernel.max_lock_depth */

extern struct spinlock pi_mutex; /* RANK_FUTEX */

struct pi_lock {
	struct rb_node node; /* of `taken` */
	struct futex_key key;
	struct task *owner;  /* referenced */
	struct list owned;   /* of owner->pi_owned */
	struct list waiters; /* P3 */
	bool unwritten;
};

struct pi_waiter {
	struct list link;
	struct task *task;
	bool granted;
};

/* What a step under pi_mutex leaves to be given back after it. */
struct leftover {
	struct pi_lock *lock;
	struct task *task[2];
	uint32_t tasks;
};
void leftover_free(struct leftover *o);

struct pi_lock *pi_lock_find(const struct futex_key *k); /* NULL: none */
/* l, zeroed memory, becomes the word's. */
void pi_lock_add(struct pi_lock *l, const struct futex_key *k, struct task *owner);
struct pi_waiter *pi_lock_first(struct pi_lock *l); /* NULL: nobody waits */
/* Without waiters, and with its owner in the word, it is taken away: the word is
 * enough. */
void pi_lock_drop_unneeded(struct pi_lock *l, struct leftover *ret);
/* w->task waits from now on, no more, or has become the owner. */
void pi_lock_wait(struct pi_lock *l, struct pi_waiter *w);
void pi_lock_give_up(struct pi_lock *l, struct pi_waiter *w);
void pi_lock_grant(struct pi_lock *l, struct pi_waiter *w, struct leftover *ret);

#endif
