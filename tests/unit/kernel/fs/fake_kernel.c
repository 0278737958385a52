/* Fakes of what the VFS stands on: memory, locks, waiting, clocks, the current thread. */
#include <asm/prctl.h>

#include "core/panic.h"
#include "core/timer.h"
#include "fs/mount.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "sec/entropy.h"
#include "tests/unit/kernel/fs/harness.h"

void *calloc(size_t n, size_t size);
void free(void *p);
noreturn_fn void abort(void);
int puts(const char *s);
long syscall(long nr, ...);

#define SYS_ARCH_PRCTL 158

/* ---- memory ---- */

long heap_objects, heap_fail_in;

static void *take(size_t n)
{
	if (heap_fail_in && --heap_fail_in == 0)
		return NULL;
	heap_objects++;
	return calloc(1, n ? n : 1);
}

void heap_free(void *p)
{
	heap_objects -= p != NULL;
	free(p);
}

void *heap_alloc(size_t n)
{
	return take(n);
}

void *heap_zalloc(size_t n)
{
	return take(n);
}

void *heap_alloc_array(size_t n, size_t size)
{
	return take(n * size);
}

char *heap_strdup(const char *s, size_t len)
{
	char *c = take(len + 1);
	if (c)
		memcpy(c, s, len);
	return c;
}

void *vmap_alloc(size_t n)
{
	return take(n);
}

void vmap_free(void *p, size_t n)
{
	heap_free(p);
}

struct slab_cache {
	size_t size;
};

struct slab_cache *slab_cache_new(const char *name, size_t size, size_t align)
{
	static struct slab_cache caches[16];
	static size_t n;

	caches[n].size = size;
	return &caches[n++];
}

void *slab_alloc(struct slab_cache *c)
{
	return take(c->size);
}

void *slab_zalloc(struct slab_cache *c)
{
	return take(c->size);
}

void slab_free(struct slab_cache *c, void *p)
{
	heap_free(p);
}

void *page_mem_alloc(uint32_t flags)
{
	return take(PAGE_SIZE);
}

void page_mem_free(void *p)
{
	heap_free(p);
}

uint64_t page_get_total(void)
{
	return 16384;
}

void shrinker_register(struct shrinker *s)
{
}

/* ---- locks: ranks rise ---- */

static struct spinlock *held[16];
static unsigned n_held;

void lock_debug_acquire(struct spinlock *l)
{
	insist(!n_held || held[n_held - 1]->rank < l->rank);
	held[n_held++] = l;
}

void lock_debug_release(struct spinlock *l)
{
	insist(n_held && held[n_held - 1] == l);
	n_held--;
}

void spin_lock_slow(struct spinlock *l)
{
	panic("a lock that nobody can ever release");
}

void waitq_init(struct waitq *q)
{
	spin_init(&q->lock, RANK_WAITQ);
	list_init(&q->waiters);
}

void wake_key(struct waitq *q, uint32_t n, uint32_t key)
{
}

void sched_preempt(void)
{
	insist(!n_held);
}

void wait_prepare(struct waitq *q, struct waiter *w, enum wait_mode mode)
{
	insist(!n_held);
}

int wait_sleep(enum wait_mode mode, uint64_t deadline)
{
	return -ERESTARTSYS; /* as if a signal came */
}

void wait_finish(struct waitq *q, struct waiter *w)
{
}

void panic(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	fmt_va(text, sizeof text, fmt, ap);
	va_end(ap);
	puts(text);
	abort();
}

/* ---- clocks, randomness, user memory ---- */

uint64_t clock_real(void)
{
	static uint64_t now = 1700000000ull * NSEC_PER_SEC;
	return now += NSEC_PER_USEC;
}

uint64_t clock_mono(void)
{
	return clock_real();
}

size_t arch_hw_random(void *buf, size_t n)
{
	memset(buf, 0x5a, n);
	return n;
}

void entropy_get(void *buf, size_t n)
{
	memset(buf, 0x5a, n);
}

int64_t arch_user_strncpy(char *dst, uint64_t src, size_t max)
{
	size_t n = strnlen((const char *)src, max);

	memcpy(dst, (const char *)src, n + (n < max));
	return (int64_t)n;
}

/* ---- devices and FIFOs have no drivers here ---- */

int chrdev_open(struct inode *i, struct file *f)
{
	return -ENXIO;
}

const struct file_ops fifo_file_ops = { .stream = true };

void epoll_file_release(struct file *f)
{
}

/* ---- the current thread ---- */

static struct thread thread;
static struct cpu cpu = { .self = &cpu, .current = &thread };
static struct cred cred;
static struct groups no_groups = { .n = 0 };
uint64_t fake_limit = UINT64_MAX;
int fake_signal;

static uint64_t rlimit(int which)
{
	return fake_limit;
}

static void signal_current(int sig)
{
	fake_signal = sig;
}

void become(uid_t uid, gid_t gid)
{
	uint64_t caps = uid ? 0 : ~0ull;

	ref_init(&cred.refs, 1000);
	ref_init(&no_groups.refs, 1000);
	cred.groups = &no_groups;
	cred.uid = cred.euid = cred.suid = cred.fsuid = uid;
	cred.gid = cred.egid = cred.sgid = cred.fsgid = gid;
	cred.cap_effective = cred.cap_permitted = caps;
}

void harness_begin(void)
{
	static bool up;

	syscall(SYS_ARCH_PRCTL, ARCH_SET_GS, &cpu);
	thread.cred = &cred;
	become(0, 0);
	if (!up)
		vfs_init();
	up = true;
	fs_upcalls.rlimit = rlimit;
	fs_upcalls.signal_current = signal_current;
	fake_limit = UINT64_MAX;
	heap_fail_in = 0;
	int err = files_new(&thread.files);
	insist(!err);
}

void harness_mount_root(const char *type, const char *data)
{
	int err = mount_root(type, "root", data);
	insist(!err);
	thread.fs->umask = 022;
}

void harness_end(void)
{
	insist(!n_held);
	become(0, 0);
	if (thread.fs) {
		fs_ctx_put(thread.fs);
		thread.fs = NULL;
	}
	files_put(thread.files);
	thread.files = NULL;
	if (!root_mount)
		return;
	struct mount *m = root_mount;
	root_mount = NULL;
	while (!list_empty(&m->children)) {
		struct mount *c = list_first(&m->children, struct mount, sibling);
		while (!list_empty(&c->children))
			c = list_first(&c->children, struct mount, sibling);
		mount_detach(c);
		mount_put(c);
	}
	mount_put(m);
}
