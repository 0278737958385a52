/* The audit log's ring: places, records, the chain, and the keeper. */
#include "proc/audit.h"

#include <asm/errno.h>
#include <asm/poll.h>

#include "core/cmdline.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/timer.h"
#include "lib/boot_info.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc/audit_log.h"
#include "proc/boot_id.h"
#include "proc/proc.h"
#include "proc/uts.h"

#define RECORDS_MIN 64ull
#define RECORDS_MAX 8192ull
#define SHARE 128 /* of memory */

#define SEAL_AT_ONCE 16
#define GATHER_NS (2 * NSEC_PER_MSEC) /* what the keeper is let wait for more */
#define DRAIN_NS (2 * NSEC_PER_SEC)

/* Interrupts off: it is taken within locks that interrupt handlers take too. */
static struct spinlock lock = SPINLOCK_INIT(RANK_OBJECT);
static struct audit_ring ring; /* [lock], and see sec/audit_ring.h */
static struct mutex sealing = MUTEX_INIT(sealing, RANK_AUDIT); /* who seals */
static struct waitq data = WAITQ_INIT(data);		       /* a record was written */
static struct waitq room = WAITQ_INIT(room);		       /* the keeper has read */
static _Atomic bool ended;			   /* [lock] to change: END is written */
static enum { MODE_ON, MODE_STOP, MODE_OFF } mode; /* [I] after the start */

static struct audit_reader *keeper; /* [lock] NULL: there is none */
static struct waitq due_wait = WAITQ_INIT(due_wait);
static bool due;     /* [lock] it is time for it to read */
static bool gathers; /* [lock] `gather` will say so */
static struct timer gather;

/* ---- the keeper's time ---- */

static void say_due(void)
{
	uint64_t flags = spin_lock_irq(&lock);
	due = true;
	gathers = false;
	spin_unlock_irq(&lock, flags);
	wake_poll(&due_wait, POLLIN | POLLRDNORM);
}

static void on_gathered(struct timer *t)
{
	say_due();
}

/* A record was written. True: the keeper is to be woken now. The lock is held. */
static bool keeper_told(void)
{
	if (!keeper || due)
		return false;
	if (ring.next - ring.kept >= ring.n / 8) {
		due = true;
	} else if (!gathers) {
		gathers = true;
		timer_set(&gather, clock_mono() + GATHER_NS);
	}
	return due;
}

/* ---- writing ---- */

static void stamp(struct audit_record *r)
{
	r->mono_ns = clock_mono();
	r->wall_ns = r->mono_ns + clock_real_offset();
	r->cpu = cpu_id();
}

/* Nobody waits for the old ones: the latest are kept. Sealing is not for them. */
static void make_room(void)
{
	mutex_lock(&sealing);
	uint64_t flags = spin_lock_irq(&lock);
	if (!keeper && ring.next > ring.n / 4)
		audit_ring_forget(&ring, ring.next - ring.n / 4);
	spin_unlock_irq(&lock, flags);
	mutex_unlock(&sealing);
}

/* A hint, taken without the lock: half of the ring is left for whoever is faster. */
static bool is_crowded(void)
{
	return !__atomic_load_n(&keeper, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&ring.next, __ATOMIC_RELAXED) -
			       __atomic_load_n(&ring.kept, __ATOMIC_RELAXED) >=
		       ring.n / 2;
}

static bool try_reserve(enum audit_class class)
{
	uint64_t flags = spin_lock_irq(&lock);
	bool got = audit_ring_has_place(&ring, class) && audit_ring_reserve(&ring, class);
	spin_unlock_irq(&lock, flags);
	return got;
}

/* Who dies while it waits does not get away uncounted. */
static bool reserve_or_count(struct audit_place *place)
{
	uint64_t flags = spin_lock_irq(&lock);
	place->reserved = place->reserved || audit_ring_reserve(&ring, place->class);
	spin_unlock_irq(&lock, flags);
	return place->reserved;
}

int audit_log_place(enum audit_class class, struct audit_place *ret)
{
	*ret = (struct audit_place){ .class = class };
	if (mode == MODE_OFF)
		return -ENOSPC;
	if (mode == MODE_ON && is_crowded())
		make_room();
	/* The keeper cannot wait for itself. */
	if (mode == MODE_ON || ended || process_current() == init_process)
		return 0;
	int err =
		wait_event_killable(&room, (ret->reserved = try_reserve(class)) || ended);
	return err && !reserve_or_count(ret) ? -EINTR : 0;
}

void audit_log_cancel(const struct audit_place *place)
{
	if (!place->reserved)
		return;
	uint64_t flags = spin_lock_irq(&lock);
	audit_ring_cancel(&ring);
	spin_unlock_irq(&lock, flags);
}

void audit_log_add(struct audit_record *r, const struct audit_place *place)
{
	bool wake = false;
	uint64_t flags = spin_lock_irq(&lock);
	if (!ended && (place->reserved || audit_ring_reserve(&ring, place->class))) {
		stamp(r);
		audit_ring_add(&ring, r);
		wake = keeper_told();
	}
	spin_unlock_irq(&lock, flags);
	wake_poll(&data, POLLIN | POLLRDNORM);
	if (wake)
		wake_poll(&due_wait, POLLIN | POLLRDNORM);
}

/* ---- reading ---- */

/* Records first to first + n - 1, whose bytes are ours while `sealing` is held. */
static void seal(uint64_t first, uint32_t n)
{
	const uint8_t *previous = ring.head;
	for (uint32_t k = 0; k < n; k++) {
		struct audit_record *r = audit_ring_slot(&ring, first + k);
		memcpy(r->boot_id, boot_id_get(), sizeof r->boot_id);
		audit_seal(r, previous);
		previous = r->digest;
	}
}

/* Some at a time, so that who writes is not held up. */
void audit_log_seal(void)
{
	uint32_t n;
	mutex_lock(&sealing);
	do {
		uint64_t flags = spin_lock_irq(&lock);
		uint64_t first = ring.sealed;
		n = (uint32_t)MIN(ring.next - first, (uint64_t)SEAL_AT_ONCE);
		spin_unlock_irq(&lock, flags);
		seal(first, n);
		flags = spin_lock_irq(&lock);
		audit_ring_sealed(&ring, n);
		spin_unlock_irq(&lock, flags);
	} while (n == SEAL_AT_ONCE);
	mutex_unlock(&sealing);
}

void audit_log_open(struct audit_reader *r, bool keeps)
{
	mutex_init(&r->lock, RANK_FILE_POS);
	r->keeps = keeps;
	uint64_t flags = spin_lock_irq(&lock);
	r->at = audit_ring_oldest(&ring);
	if (keeps) {
		keeper = r;
		due = true;
	}
	spin_unlock_irq(&lock, flags);
}

void audit_log_close(struct audit_reader *r)
{
	uint64_t flags = spin_lock_irq(&lock);
	if (keeper == r)
		keeper = NULL;
	spin_unlock_irq(&lock, flags);
}

static uint64_t find(uint64_t at, bool *ret_is_sealed)
{
	uint64_t flags = spin_lock_irq(&lock);
	uint64_t found = audit_ring_find(&ring, at);
	*ret_is_sealed = found < ring.sealed;
	spin_unlock_irq(&lock, flags);
	return found;
}

/* The copy is made without the lock: nobody who writes waits for it. */
int audit_log_read(struct audit_reader *r, struct audit_record *ret)
{
	bool is_sealed;
	uint64_t at = find(r->at, &is_sealed);
	if (at == r->at && !is_sealed)
		return 0;
	if (at == r->at) {
		memcpy(ret, audit_ring_slot(&ring, at), sizeof *ret);
		at = find(r->at, &is_sealed);
	}
	bool missed = at != r->at;
	r->at = missed ? at : at + 1;
	return missed ? -EPIPE : 1;
}

void audit_log_keep(struct audit_reader *r)
{
	struct audit_record now = { 0 };
	uint64_t flags = spin_lock_irq(&lock);
	bool moved = r == keeper && r->at > ring.kept;
	stamp(&now);
	if (moved)
		audit_ring_keep(&ring, r->at, &now);
	if (r == keeper)
		due = due && r->at < ring.next;
	spin_unlock_irq(&lock, flags);
	if (moved)
		wake_all(&room);
}

bool audit_log_is_behind(const struct audit_reader *r)
{
	uint64_t flags = spin_lock_irq(&lock);
	bool is = r->at < ring.next;
	spin_unlock_irq(&lock, flags);
	return is;
}

bool audit_log_has_news(const struct audit_reader *r)
{
	uint64_t flags = spin_lock_irq(&lock);
	bool has = r->at < ring.next && (r != keeper || due);
	spin_unlock_irq(&lock, flags);
	return has;
}

struct waitq *audit_log_news(const struct audit_reader *r)
{
	return r->keeps ? &due_wait : &data;
}

int audit_log_end(void)
{
	struct audit_record end = { .event = AUDIT_EVENT_END, .syscall = UINT32_MAX };
	uint64_t flags = spin_lock_irq(&lock);
	bool can = !ended && audit_ring_has_place(&ring, AUDIT_VITAL) &&
		   audit_ring_reserve(&ring, AUDIT_VITAL);
	if (can) {
		stamp(&end);
		audit_ring_add(&ring, &end);
	}
	can = can || ended;
	ended = can;
	/* What is left is to be read at once. */
	due = due || can;
	spin_unlock_irq(&lock, flags);
	if (can)
		wake_all(&room);
	return can ? 0 : -EAGAIN;
}

static bool is_drained(uint64_t up_to)
{
	uint64_t flags = spin_lock_irq(&lock);
	bool is = !keeper || ring.kept >= up_to;
	spin_unlock_irq(&lock, flags);
	return is;
}

void audit_drain(void)
{
	uint64_t flags = spin_lock_irq(&lock);
	uint64_t up_to = ring.next;
	spin_unlock_irq(&lock, flags);
	say_due();
	(void)wait_event_full(&room, is_drained(up_to), WAIT_KILLABLE,
			      clock_mono() + DRAIN_NS, false);
}

void audit_log_numbers(struct audit_log_numbers *ret)
{
	static const char *const modes[] = { "on", "stop", "off" };
	uint64_t flags = spin_lock_irq(&lock);
	ret->records = ring.next;
	ret->places = ring.n;
	for (int class = 0; class < AUDIT_CLASSES; class ++)
		ret->dropped[class] = ring.dropped_total[class];
	spin_unlock_irq(&lock, flags);
	ret->mode = modes[mode];
}

/* ---- the beginning ---- */

static void tell_boot(void)
{
	struct audit_record r = { .event = AUDIT_EVENT_BOOT, .syscall = UINT32_MAX };
	struct new_utsname name;
	uts_get(&name);
	str_copy(r.text, name.release, sizeof r.text);
	audit_log_add(&r, &(struct audit_place){ .class = AUDIT_VITAL });
	audit_fact("command line %.40s", arch_cmdline());
	audit_fact("cpu %s", arch_cpu_info()->brand);
	audit_fact("cpus %u", cpu_count());
	audit_fact("memory %lu", (unsigned long)(page_get_total() * PAGE_SIZE));
	audit_fact("entropy %s",
		   arch_boot_info()->seed_is_hardware ? "hardware" : "jitter");
}

static void choose_mode(void)
{
	char word[8];
	if (!cmdline_get("audit", word, sizeof word))
		return;
	if (!strcmp(word, "stop"))
		mode = MODE_STOP;
	else if (!strcmp(word, "off"))
		mode = MODE_OFF;
	else if (strcmp(word, "on") != 0)
		log_warn("audit=%s: not on, stop or off; it stays on", word);
}

void audit_init(void)
{
	uint64_t n = page_get_total() * PAGE_SIZE / SHARE / AUDIT_RECORD_SIZE;
	n = BIT(63 - __builtin_clzll(MIN(MAX(n, RECORDS_MIN), RECORDS_MAX)));
	struct audit_record *slot = vmap_alloc(n * AUDIT_RECORD_SIZE);
	if (!slot)
		panic("audit: no memory for %lu records", (unsigned long)n);
	audit_ring_init(&ring, slot, (uint32_t)n);
	timer_init(&gather, on_gathered);
	choose_mode();
	tell_boot();
}
