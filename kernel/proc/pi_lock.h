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

extern struct spinlock pi_mutex; /* RANK_PI: a bucket may be locked */

struct pi_lock {
	struct rb_node node; /* of `taken` */
	struct futex_key key;
	struct task *owner;  /* referenced */
	struct list owned;   /* of owner->pi_owned */
	struct list waiters; /* P3 */
	bool unwritten;
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
/* The same, of a lock that nobody had and nobody waits for. */
void pi_waiter_grant(struct pi_waiter *w);
/* Whether t, to own what `me` is about to wait for, waits for `me`; or for too long a
 * chain to tell. */
bool pi_waits_for(const struct task *t, const struct task *me);

/* ---- futex_pi.c: the word ---- */

/* 0; -EAGAIN: it held something else, *v has it; -ENOENT: its page is not there to be
 * written: pi_word_fault_in, without the lock. */
must_use int pi_word_change(uaddr_t word, uint32_t *v, uint32_t new);
must_use int pi_word_fault_in(uaddr_t word);
/* Whose id the word has, for a step that finds it unchanged. */
struct pi_owner {
	struct task *task; /* referenced; NULL: no such thread */
	uint32_t tid;	   /* in the word, when the owner was looked up */
};
/* No lock held. 0 or -EFAULT. Gives back what it had before. */
must_use int pi_owner_look_up(uaddr_t word, struct pi_owner *o);

/* How a wait for the word's lock ends that came to `err`, no lock held: 0 if it has been
 * granted even so. */
must_use int pi_wait_end(uaddr_t word, const struct futex_key *k, struct pi_waiter *w,
			 int err);
bool pi_waiter_is_granted(const void *waiter);

#endif
