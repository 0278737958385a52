/* Accounts by user id: see account.h. */
#include "sec/account.h"

#include "core/spinlock.h"
#include "mm/slab.h"

#define BUCKETS 64

static struct spinlock accounts_lock = SPINLOCK_INIT(RANK_LEAF); /* interrupts off */
static struct list accounts[BUCKETS];				 /* [accounts_lock] */

static struct list *bucket_of(uid_t uid)
{
	struct list *b = &accounts[uid % BUCKETS];
	if (!b->next)
		list_init(b);
	return b;
}

static struct account *find(uid_t uid)
{
	list_for_each(a, bucket_of(uid), struct account,
		      link) if (a->uid == uid && ref_get_unless_zero(&a->refs)) return a;
	return NULL;
}

struct account *account_get(uid_t uid)
{
	struct account *fresh = heap_zalloc(sizeof *fresh);
	if (!fresh)
		return NULL;
	uint64_t flags = spin_lock_irq(&accounts_lock);
	struct account *a = find(uid);
	if (!a) {
		ref_init(&fresh->refs, 1);
		fresh->uid = uid;
		list_push_back(bucket_of(uid), &fresh->link);
	}
	spin_unlock_irq(&accounts_lock, flags);
	if (!a)
		return fresh;
	heap_free(fresh);
	return a;
}

void account_put(struct account *a)
{
	if (!a || !ref_put(&a->refs))
		return;
	uint64_t flags = spin_lock_irq(&accounts_lock);
	list_del(&a->link);
	spin_unlock_irq(&accounts_lock, flags);
	heap_free(a);
}
