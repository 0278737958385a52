/*
 * Descriptor tables. A table starts inside its struct files and grows by doubling.
 *
 * Always true:
 *  T1  slot[fd] is set only while bit fd of `used` is; a used bit without a file is
 *      reserved;
 *  T2  no free descriptor is below `lowest`;
 *  T3  a table with one reference is changed by its owner alone, which is current: that
 *      is what lets fd_borrow do without lock and count.
 *
 * Locks: files->lock. Nothing sleeps under it: growth allocates first and looks again.
 */
#include <linux/resource.h>

#include "core/panic.h"
#include "fs/dnotify.h"
#include "fs/file.h"
#include "lib/string.h"

#define INLINE_FDS FILES_INLINE
#define WORD_BITS 64u
#define VMAP_FROM MIB(1)

static struct slab_cache *files_cache;

/* ---- memory ---- */

static size_t block_size(uint32_t cap)
{
	return cap * sizeof(struct file *) + 2 * (cap / WORD_BITS) * sizeof(uint64_t);
}

static void *block_alloc(uint32_t cap)
{
	size_t n = block_size(cap);
	if (n < VMAP_FROM)
		return heap_zalloc(n);
	void *b = vmap_alloc(n);
	if (b)
		memset(b, 0, n);
	return b;
}

static void block_free(struct file **slot, uint32_t cap)
{
	if (block_size(cap) < VMAP_FROM)
		heap_free(slot);
	else
		vmap_free(slot, block_size(cap));
}

static void use_block(struct files *t, void *block, uint32_t cap)
{
	t->slot = block;
	t->used = (uint64_t *)(t->slot + cap);
	t->cloexec = t->used + cap / WORD_BITS;
	t->cap = cap;
}

static bool is_inline(const struct files *t)
{
	return t->slot == t->inline_slot;
}

int files_new(struct files **ret)
{
	struct files *t = slab_zalloc(files_cache);
	if (!t)
		return -ENOMEM;
	ref_init(&t->refs, 1);
	spin_init(&t->lock, RANK_FILES);
	t->cap = INLINE_FDS;
	t->slot = t->inline_slot;
	t->used = t->inline_used;
	t->cloexec = t->inline_cloexec;
	*ret = t;
	return 0;
}

/* Makes room for descriptor `fd`. The lock is held; it is dropped meanwhile. */
static int grow_locked(struct files *t, uint32_t fd)
{
	while (fd >= t->cap) {
		uint32_t cap = t->cap;
		while (cap <= fd)
			cap *= 2;
		spin_unlock(&t->lock);
		void *block = block_alloc(cap);
		spin_lock(&t->lock);
		if (!block)
			return -ENOMEM;
		struct file **old = t->slot;
		uint64_t *used = t->used, *cloexec = t->cloexec;
		uint32_t old_cap = t->cap;
		if (old_cap >= cap) {
			spin_unlock(&t->lock);
			block_free(block, cap);
			spin_lock(&t->lock);
			continue;
		}
		use_block(t, block, cap);
		memcpy(t->slot, old, old_cap * sizeof *old);
		memcpy(t->used, used, old_cap / 8);
		memcpy(t->cloexec, cloexec, old_cap / 8);
		if (old != t->inline_slot) {
			spin_unlock(&t->lock);
			block_free(old, old_cap);
			spin_lock(&t->lock);
		}
	}
	return 0;
}

/* ---- bits ---- */

static bool bit_get(const uint64_t *map, uint32_t n)
{
	return map[n / WORD_BITS] >> (n % WORD_BITS) & 1;
}

static void bit_put(uint64_t *map, uint32_t n, bool on)
{
	uint64_t bit = 1ull << (n % WORD_BITS);

	if (on)
		map[n / WORD_BITS] |= bit;
	else
		map[n / WORD_BITS] &= ~bit;
}

/* First descriptor >= from whose bit in `map` is `set`; cap: none. */
static uint32_t bit_next(const uint64_t *map, uint32_t cap, uint32_t from, bool set)
{
	for (uint32_t w = from / WORD_BITS; w < cap / WORD_BITS; w++) {
		uint64_t bits = set ? map[w] : ~map[w];
		if (w == from / WORD_BITS)
			bits &= ~0ull << (from % WORD_BITS);
		if (bits)
			return w * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
	}
	return cap;
}

/* ---- getting ---- */

static struct files *mine(void)
{
	return thread_current()->files;
}

struct file *fd_get_any(int fd)
{
	struct files *t = mine();

	spin_lock(&t->lock);
	struct file *f = files_slot(t, fd);
	if (f)
		ref_get(&f->refs);
	spin_unlock(&t->lock);
	return f;
}

struct file *fd_get(int fd)
{
	struct file *f = fd_get_any(fd);

	if (f && unlikely(f->mode & FMODE_PATH)) {
		file_put(f);
		return NULL;
	}
	return f;
}

/* ---- adding ---- */

static uint64_t fd_limit(void)
{
	return MIN(fs_upcalls.rlimit(RLIMIT_NOFILE), (uint64_t)INT32_MAX);
}

int fd_reserve(int from)
{
	struct files *t = mine();
	uint64_t limit = fd_limit();
	int err = 0;

	spin_lock(&t->lock);
	uint32_t start = MAX((uint32_t)from, t->lowest), fd;
	for (;;) {
		fd = bit_next(t->used, t->cap, MIN(start, t->cap), false);
		fd = MAX(fd, start);
		if (fd >= limit)
			err = -EMFILE;
		else if (fd >= t->cap)
			err = grow_locked(t, fd);
		if (err || !bit_get(t->used, fd))
			break;
	}
	if (!err) {
		bit_put(t->used, fd, true);
		if ((uint32_t)from <= t->lowest)
			t->lowest = fd + 1;
	}
	spin_unlock(&t->lock);
	return err ? err : (int)fd;
}

void fd_install(int fd, struct file *f, bool cloexec)
{
	struct files *t = mine();

	spin_lock(&t->lock);
	insist(bit_get(t->used, (uint32_t)fd) && !t->slot[fd]);
	t->slot[fd] = f;
	bit_put(t->cloexec, (uint32_t)fd, cloexec);
	spin_unlock(&t->lock);
}

/* Frees a descriptor; the file that was there, if any. Lock held. */
static struct file *vacate(struct files *t, uint32_t fd)
{
	struct file *f = t->slot[fd];

	t->slot[fd] = NULL;
	bit_put(t->used, fd, false);
	bit_put(t->cloexec, fd, false);
	t->lowest = MIN(t->lowest, fd);
	return f;
}

void fd_release(int fd)
{
	struct files *t = mine();

	spin_lock(&t->lock);
	struct file *f = vacate(t, (uint32_t)fd);
	spin_unlock(&t->lock);
	insist(!f);
}

int fd_add(struct file *f, bool cloexec)
{
	int fd = fd_reserve(0);

	if (fd < 0)
		file_put(f);
	else
		fd_install(fd, f, cloexec);
	return fd;
}

int fd_add_pair(struct file *const f[2], bool cloexec, uaddr_t ret)
{
	int32_t fd[2] = { fd_reserve(0), -1 };

	fd[1] = fd[0] < 0 ? fd[0] : fd_reserve(0);
	int err = fd[1] < 0 ? fd[1] : copy_out(ret, fd, sizeof fd);
	for (int i = 0; i < 2; i++) {
		if (!err) {
			fd_install(fd[i], f[i], cloexec);
			continue;
		}
		if (fd[i] >= 0)
			fd_release(fd[i]);
		file_put(f[i]);
	}
	return err;
}

int fd_replace(int fd, struct file *f, bool cloexec)
{
	struct files *t = mine();
	struct file *old = NULL;
	int err = 0;

	if (fd < 0 || (uint64_t)fd >= fd_limit()) {
		file_put(f);
		return -EBADF;
	}
	spin_lock(&t->lock);
	if ((uint32_t)fd >= t->cap)
		err = grow_locked(t, (uint32_t)fd);
	if (!err && bit_get(t->used, (uint32_t)fd) && !t->slot[fd])
		err = -EBUSY;
	if (!err) {
		old = t->slot[fd];
		t->slot[fd] = f;
		bit_put(t->used, (uint32_t)fd, true);
		bit_put(t->cloexec, (uint32_t)fd, cloexec);
	}
	spin_unlock(&t->lock);
	if (err)
		file_put(f);
	if (old)
		(void)file_close(old, t);
	return err ? err : fd;
}

/* ---- closing ---- */

int file_close(struct file *f, const struct files *owner)
{
	int err =
		f->ops && f->ops->flush && !(f->mode & FMODE_PATH) ? f->ops->flush(f) : 0;

	if (f->inode->locks)
		locks_drop_posix(f, owner);
	if (unlikely(f->inode->watch_mask))
		dnotify_drop(f, owner);
	file_put(f);
	return err;
}

int fd_close(int fd)
{
	struct files *t = mine();

	spin_lock(&t->lock);
	struct file *f = files_slot(t, fd);
	if (f)
		vacate(t, (uint32_t)fd);
	spin_unlock(&t->lock);
	return f ? file_close(f, t) : -EBADF;
}

/* Closes each open descriptor of [first, last] whose bit in the chosen map is set. */
static void close_where(struct files *t, bool only_cloexec, uint32_t first, uint32_t last)
{
	for (uint32_t fd = first;; fd++) {
		spin_lock(&t->lock);
		fd = bit_next(only_cloexec ? t->cloexec : t->used, t->cap, fd, true);
		bool more = fd < t->cap && fd <= last;
		struct file *f = more && t->slot[fd] ? vacate(t, fd) : NULL;
		spin_unlock(&t->lock);
		if (!more)
			return;
		if (f)
			(void)file_close(f, t);
	}
}

void files_close_on_exec(struct files *f)
{
	close_where(f, true, 0, UINT32_MAX);
}

void fd_close_range(unsigned first, unsigned last, bool cloexec_only)
{
	struct files *t = mine();

	if (!cloexec_only) {
		close_where(t, false, first, last);
		return;
	}
	spin_lock(&t->lock);
	for (uint32_t fd = first; fd < t->cap && fd <= last; fd++)
		if (t->slot[fd])
			bit_put(t->cloexec, fd, true);
	spin_unlock(&t->lock);
}

int fd_get_cloexec(int fd)
{
	struct files *t = mine();

	spin_lock(&t->lock);
	int r = files_slot(t, fd) ? bit_get(t->cloexec, (uint32_t)fd) : -EBADF;
	spin_unlock(&t->lock);
	return r;
}

int fd_set_cloexec(int fd, bool on)
{
	struct files *t = mine();

	spin_lock(&t->lock);
	bool there = files_slot(t, fd);
	if (there)
		bit_put(t->cloexec, (uint32_t)fd, on);
	spin_unlock(&t->lock);
	return there ? 0 : -EBADF;
}

/* ---- whole tables ---- */

struct files *files_get(struct files *f)
{
	ref_get(&f->refs);
	return f;
}

bool files_shared(const struct files *t)
{
	return ref_read(&t->refs) > 1;
}

void files_put(struct files *t)
{
	if (!t || !ref_put(&t->refs))
		return;
	close_where(t, false, 0, UINT32_MAX);
	if (!is_inline(t))
		block_free(t->slot, t->cap);
	slab_free(files_cache, t);
}

static void copy_slots_locked(struct files *to, const struct files *from)
{
	uint32_t n = MIN(from->cap, to->cap);

	for (uint32_t fd = bit_next(from->used, n, 0, true); fd < n;
	     fd = bit_next(from->used, n, fd + 1, true)) {
		if (!from->slot[fd])
			continue;
		to->slot[fd] = file_get(from->slot[fd]);
		bit_put(to->used, fd, true);
		bit_put(to->cloexec, fd, bit_get(from->cloexec, fd));
	}
}

int files_copy(struct files *from, struct files **ret)
{
	struct files *to;

	int err = files_new(&to);
	if (err)
		return err;
	/* `to` is nobody else's yet, but the helpers want its lock. */
	for (;;) {
		uint32_t need = from->cap;
		spin_lock(&to->lock);
		err = grow_locked(to, need - 1);
		spin_unlock(&to->lock);
		if (err) {
			files_put(to);
			return err;
		}
		spin_lock(&from->lock);
		bool fits = from->cap <= to->cap;
		if (fits)
			copy_slots_locked(to, from);
		spin_unlock(&from->lock);
		if (fits)
			break;
	}
	*ret = to;
	return 0;
}

struct file *files_next(struct files *t, int *fd, bool *ret_cloexec)
{
	struct file *f = NULL;

	spin_lock(&t->lock);
	uint32_t n = (uint32_t)*fd;
	while ((n = bit_next(t->used, t->cap, MIN(n, t->cap), true)) < t->cap &&
	       !t->slot[n])
		n++;
	if (n < t->cap) {
		f = file_get(t->slot[n]);
		*fd = (int)n;
		*ret_cloexec = bit_get(t->cloexec, n);
	}
	spin_unlock(&t->lock);
	return f;
}

uint32_t fd_table_size(void)
{
	struct files *t = thread_current()->files;

	spin_lock(&t->lock);
	uint32_t n = t->cap;
	spin_unlock(&t->lock);
	return n;
}

size_t files_count(struct files *t)
{
	size_t n = 0;

	spin_lock(&t->lock);
	for (uint32_t fd = bit_next(t->used, t->cap, 0, true); fd < t->cap;
	     fd = bit_next(t->used, t->cap, fd + 1, true))
		n++;
	spin_unlock(&t->lock);
	return n;
}

void fdtable_init(void)
{
	files_cache = slab_cache_new("files", sizeof(struct files), 0);
	insist(files_cache);
}
