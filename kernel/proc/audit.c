/* The audit log: drafts become records, and records are sealed for their readers. */
#include "proc/audit.h"

#include <asm/poll.h>
#include <linux/limits.h>
#include <sodium/crypto_generichash_blake2b.h>

#include "core/panic.h"
#include "core/timer.h"
#include "lib/string.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "proc/boot_id.h"
#include "proc/proc.h"
#include "proc/procfs.h"
#include "proc/uts.h"
#include "sec/audit_ring.h"

#define RECORDS_MIN 64u
#define RECORDS_MAX 8192u
#define SHARE 256 /* of memory */

/* Interrupts off: it is taken within locks that interrupt handlers take too. */
static struct spinlock lock = SPINLOCK_INIT(RANK_OBJECT);
static struct audit_ring ring; /* [lock], and see sec/audit_ring.h */
static struct mutex sealing = MUTEX_INIT(sealing, RANK_AUDIT); /* who seals */
static struct waitq data = WAITQ_INIT(data);

/* ---- writing ---- */

static void seal_one(struct audit_record *r)
{
	memcpy(r->boot_id, boot_id_get(), sizeof r->boot_id);
	audit_seal(r, ring.head);
}

/* All records that are there now. */
static void seal_all(void)
{
	struct audit_record *r;
	mutex_lock(&sealing);
	uint64_t flags = spin_lock_irq(&lock);
	while ((r = audit_ring_unsealed(&ring))) {
		spin_unlock_irq(&lock, flags);
		seal_one(r);
		flags = spin_lock_irq(&lock);
		audit_ring_sealed(&ring);
	}
	spin_unlock_irq(&lock, flags);
	mutex_unlock(&sealing);
}

/* Nobody waits for the old ones: the latest are kept. */
static void make_room(void)
{
	struct audit_record stamp = { .mono_ns = clock_mono(),
				      .wall_ns = clock_real(),
				      .cpu = cpu_id() };
	seal_all();
	uint64_t flags = spin_lock_irq(&lock);
	audit_ring_keep(&ring, ring.sealed, &stamp);
	spin_unlock_irq(&lock, flags);
}

static bool take_place(enum audit_event event)
{
	uint64_t flags = spin_lock_irq(&lock);
	bool is_full = ring.next - ring.kept >= ring.n / 2;
	spin_unlock_irq(&lock, flags);
	if (is_full)
		make_room();
	flags = spin_lock_irq(&lock);
	bool got = audit_ring_reserve(&ring, audit_class_of(event));
	spin_unlock_irq(&lock, flags);
	return got;
}

static void describe_call(struct audit_record *r, struct task *t)
{
	const struct pt_regs *regs = task_user_regs(t);
	r->syscall = (uint32_t)regs->orig_rax;
	r->arg[0] = regs->rdi;
	r->arg[1] = regs->rsi;
	r->arg[2] = regs->rdx;
	r->arg[3] = regs->r10;
	r->arg[4] = regs->r8;
	r->arg[5] = regs->r9;
}

static void exe_get(void *exe)
{
	file_get(exe);
}

/* False: no memory, or a path that is too long. */
static bool digest_path(const struct path *path, uint8_t ret[AUDIT_DIGEST_SIZE])
{
	char *buf = heap_alloc(PATH_MAX);
	const char *text = buf ? path_text(path, NULL, buf, PATH_MAX) : NULL;
	if (text)
		crypto_generichash_blake2b(ret, AUDIT_DIGEST_SIZE, (const uint8_t *)text,
					   strlen(text), NULL, 0);
	heap_free(buf);
	return text;
}

/* Asked for once a program, however many records there are. */
static void describe_program(struct audit_record *r, struct process *p)
{
	uint64_t flags = spin_lock_irq(&p->lock);
	bool known = p->program_known;
	if (known)
		memcpy(r->program, p->program, sizeof r->program);
	spin_unlock_irq(&p->lock, flags);
	struct space *s = thread_current()->space;
	struct file *exe = known || !s ? NULL : space_exe_get(s, exe_get);
	if (!exe)
		return;
	known = digest_path(&exe->path, r->program);
	file_put(exe);
	if (!known)
		return;
	flags = spin_lock_irq(&p->lock);
	memcpy(p->program, r->program, sizeof p->program);
	p->program_known = true;
	spin_unlock_irq(&p->lock, flags);
}

void audit_begin(struct audit_draft *d, enum audit_event event, enum audit_cause cause)
{
	struct task *t = task_current();
	struct process *p = t->process;
	struct audit_record *r = &d->record;
	d->has_place = take_place(event);
	if (!d->has_place)
		return;
	memset(r, 0, sizeof *r);
	r->event = event;
	r->cause = cause;
	r->pid = p->pid;
	r->tid = t->tid;
	r->ppid = process_parent_pid(p);
	r->session = p->session;
	describe_call(r, t);
	describe_program(r, p);
}

void audit_text(struct audit_draft *d, const char *text)
{
	const size_t room = sizeof d->record.text;
	size_t n = strlen(text);
	if (d->has_place)
		str_copy(d->record.text, n < room ? text : text + n - room + 1, room);
}

void audit_cancel(struct audit_draft *d)
{
	if (!d->has_place)
		return;
	uint64_t flags = spin_lock_irq(&lock);
	audit_ring_cancel(&ring);
	spin_unlock_irq(&lock, flags);
	d->has_place = false;
}

static void describe_cred(struct audit_cred *to, uint8_t groups[16], const struct cred *c)
{
	*to = (struct audit_cred){ .uid = c->uid,
				   .euid = c->euid,
				   .suid = c->suid,
				   .fsuid = c->fsuid,
				   .gid = c->gid,
				   .egid = c->egid,
				   .sgid = c->sgid,
				   .fsgid = c->fsgid,
				   .inheritable = c->cap_inheritable,
				   .permitted = c->cap_permitted,
				   .effective = c->cap_effective,
				   .bounding = c->cap_bounding,
				   .ambient = c->cap_ambient,
				   .securebits = c->securebits,
				   .no_new_privs = c->no_new_privs };
	memcpy(groups, c->groups->digest, sizeof c->groups->digest);
}

static void add(struct audit_record *r)
{
	uint64_t flags = spin_lock_irq(&lock);
	r->mono_ns = clock_mono();
	r->wall_ns = clock_real();
	r->cpu = cpu_id();
	audit_ring_add(&ring, r);
	spin_unlock_irq(&lock, flags);
	wake_poll(&data, POLLIN | POLLRDNORM);
}

void audit_add(struct audit_draft *d, const struct cred *before, const struct cred *after,
	       int64_t result)
{
	struct audit_record *r = &d->record;
	if (!d->has_place)
		return;
	describe_cred(&r->before, r->groups_before, before);
	describe_cred(&r->after, r->groups_after, after);
	r->result = result;
	add(r);
	d->has_place = false;
}

int audit_refused(enum audit_event event, enum audit_cause cause,
		  const struct cred *wanted, int err)
{
	const struct cred *me = thread_current()->cred;
	struct audit_draft d;
	audit_begin(&d, event, cause);
	audit_add(&d, me, wanted ? wanted : me, err);
	return err;
}

/* ---- reading ---- */

struct reader {
	struct mutex lock; /* RANK_FILE_POS */
	_Atomic uint64_t
		at; /* [lock] to change: the number of the record it reads next */
};

static int data_open(struct inode *i, struct file *f)
{
	struct reader *r = heap_zalloc(sizeof *r);
	if (!r)
		return -ENOMEM;
	mutex_init(&r->lock, RANK_FILE_POS);
	uint64_t flags = spin_lock_irq(&lock);
	r->at = audit_ring_oldest(&ring);
	spin_unlock_irq(&lock, flags);
	f->priv = r;
	return 0;
}

static void data_release(struct file *f)
{
	heap_free(f->priv);
}

/* One record into the user's memory: its size, 0: none there, -EPIPE: some are gone. */
static int64_t read_one(struct reader *r, struct uio *u)
{
	struct audit_record record;
	uint64_t at = r->at, missed;
	seal_all();
	uint64_t flags = spin_lock_irq(&lock);
	bool got = audit_ring_read(&ring, &at, &record, &missed);
	spin_unlock_irq(&lock, flags);
	if (!got)
		return 0;
	if (missed) {
		r->at = at - 1;
		return -EPIPE;
	}
	int64_t n = uio_write(u, &record, sizeof record);
	if (n != sizeof record)
		return -EFAULT;
	r->at = at;
	return n;
}

static int64_t read_some(struct reader *r, struct uio *u)
{
	int64_t sum = 0, n = 0;
	while (u->left >= AUDIT_RECORD_SIZE && (n = read_one(r, u)) > 0)
		sum += n;
	return sum ? sum : n;
}

static bool is_behind(const struct reader *r)
{
	uint64_t flags = spin_lock_irq(&lock);
	bool is = r->at < ring.next;
	spin_unlock_irq(&lock, flags);
	return is;
}

static int64_t data_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct reader *r = f->priv;
	if (u->left < AUDIT_RECORD_SIZE)
		return u->left ? -EINVAL : 0;
	for (;;) {
		mutex_lock(&r->lock);
		int64_t n = read_some(r, u);
		mutex_unlock(&r->lock);
		if (n)
			return n;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		int err = wait_event_intr(&data, is_behind(r));
		if (err)
			return err;
	}
}

static uint32_t data_poll(struct file *f, struct poll_table *pt)
{
	poll_add(pt, f, &data);
	return is_behind(f->priv) ? POLLIN | POLLRDNORM : 0;
}

static const struct file_ops data_ops = {
	.open = data_open,
	.release = data_release,
	.read = data_read,
	.poll = data_poll,
	.stream = true,
};

static int show_stats(struct proc_text *o, void *arg)
{
	uint64_t flags = spin_lock_irq(&lock);
	const struct audit_ring r = ring;
	spin_unlock_irq(&lock, flags);
	proc_printf(
		o, "records %lu\nplaces %u\ndropped_vital %lu\ndropped_ordinary %lu\n",
		(unsigned long)r.next, r.n, (unsigned long)r.dropped_total[AUDIT_VITAL],
		(unsigned long)r.dropped_total[AUDIT_ORDINARY]);
	return 0;
}

void audit_fill(void)
{
	proc_made(proc_file_ops("audit/data", 0400, &data_ops, NULL));
	proc_made(proc_file("audit/stats", 0400, show_stats, NULL, NULL));
}

/* ---- the beginning ---- */

static void tell_boot(void)
{
	struct audit_record r = { .event = AUDIT_EVENT_BOOT, .syscall = UINT32_MAX };
	struct new_utsname name;
	uts_get(&name);
	str_copy(r.text, name.release, sizeof r.text);
	insist(audit_ring_reserve(&ring, AUDIT_VITAL));
	add(&r);
}

void audit_init(void)
{
	uint64_t n = page_get_total() * PAGE_SIZE / SHARE / AUDIT_RECORD_SIZE;
	n = MIN(MAX(n, RECORDS_MIN), RECORDS_MAX);
	struct audit_record *slot = vmap_alloc(n * AUDIT_RECORD_SIZE);
	if (!slot)
		panic("audit: no memory for %lu records", (unsigned long)n);
	audit_ring_init(&ring, slot, (uint32_t)n);
	tell_boot();
}
