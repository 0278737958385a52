/* Shared memory segments: their life, and mapping them. See shm.h for what always
 * holds. */
#include "ipc/shm.h"

#include <asm/mman.h>
#include <limits.h>
#include <linux/resource.h>

#include "core/panic.h"
#include "ipc/ipc.h"
#include "lib/fmt.h"
#include "mm/page.h"
#include "mm/slab.h"

/* Pages of segments outlive processes, so that ending some would not help when they fill
 * the memory: who asks for more than this share gets SIGBUS. */
#define RESIDENT_NUM 3
#define RESIDENT_DEN 4

_Atomic uint64_t shm_max = SHMMAX, shm_all = SHMALL;

static _Atomic uint64_t total_pages;	/* of all segments */
static _Atomic uint64_t resident_pages; /* of them, there */
static uint64_t memory_pages;		/* [I] */

static struct shm *shm_of(struct ipc_object *o)
{
	return container_of(o, struct shm, object);
}

static uint64_t pages_of(uint64_t size)
{
	return (size >> PAGE_SHIFT) + !!(size % PAGE_SIZE);
}

/* ---- pages (mapping_ops) ---- */

static int charge(struct mapping *m)
{
	if (__atomic_add_fetch((uint64_t *)&resident_pages, 1, __ATOMIC_RELAXED) <=
	    memory_pages / RESIDENT_DEN * RESIDENT_NUM)
		return 0;
	resident_pages--;
	return -ENOSPC;
}

static void uncharge(struct mapping *m, size_t pages)
{
	resident_pages -= pages;
}

static const struct mapping_ops page_ops = { .charge = charge, .uncharge = uncharge };

/* ---- life (ipc_ids) ---- */

static int size_check(const struct ipc_request *r)
{
	if (!r->size || r->size > MIN(shm_max, (uint64_t)INT64_MAX))
		return -EINVAL;
	if (r->flags & SHM_HUGETLB) /* as Linux with no huge pages in its pool */
		return cred_has_cap(thread_current()->cred, CAP_IPC_LOCK) ? -ENOMEM
									  : -EPERM;
	if (!(r->flags & SHM_NORESERVE) && pages_of(r->size) > memory_pages)
		return -ENOMEM;
	return 0;
}

static int make(const struct ipc_request *r, struct ipc_object **ret)
{
	uint64_t pages = pages_of(r->size);
	int err = size_check(r);

	if (err)
		return err;
	uint64_t all =
		__atomic_add_fetch((uint64_t *)&total_pages, pages, __ATOMIC_RELAXED);
	struct shm *s = NULL;
	if (all > shm_all || all < pages)
		err = -ENOSPC;
	else if (!(s = ipc_alloc(sizeof *s)))
		err = -ENOMEM;
	if (err) {
		total_pages -= pages;
		return err;
	}
	ipc_object_init(&s->object, r);
	mapping_init(&s->mapping, &page_ops, s, false);
	s->size = r->size;
	s->mapping.size = r->size;
	s->first_key = r->key;
	s->cpid = process_current()->pid;
	s->ctime = ipc_now();
	*ret = &s->object;
	return 0;
}

static int suits(const struct ipc_object *o, const struct ipc_request *r)
{
	return r->size > container_of(o, const struct shm, object)->size ? -EINVAL : 0;
}

static void shm_free(struct ipc_object *o)
{
	struct shm *s = shm_of(o);

	mapping_fini(&s->mapping);
	total_pages -= pages_of(s->size);
	ipc_free(s, sizeof *s);
}

struct ipc_ids shm_ids = { .make = make, .suits = suits, .free = shm_free };

void shm_init(void)
{
	memory_pages = page_get_total();
	ipc_ids_init(&shm_ids, SHMMNI);
}

/* ---- attaching ---- */

/* H1's one more; the object's lock is held. */
static void attached_locked(struct shm *s)
{
	ref_get(&s->object.refs);
	s->attached++;
}

/* H1's one less, and H2. `area`: one that was mapped. */
static void detached(struct shm *s, bool area)
{
	spin_lock(&shm_ids.lock);
	spin_lock(&s->object.lock);
	insist(s->attached);
	s->attached--;
	if (area) {
		s->dtime = ipc_now();
		s->lpid = process_current()->pid;
	}
	bool last = !s->attached && (s->object.mode & SHM_DEST);
	if (last)
		ipc_unlink(&shm_ids, &s->object);
	spin_unlock(&s->object.lock);
	spin_unlock(&shm_ids.lock);
	if (last)
		ipc_object_put(&shm_ids, &s->object); /* the table's */
	ipc_object_put(&shm_ids, &s->object);
}

static void area_get(void *owner)
{
	struct shm *s = owner;

	spin_lock(&s->object.lock);
	attached_locked(s);
	s->atime = ipc_now();
	s->lpid = process_current()->pid;
	spin_unlock(&s->object.lock);
}

static void area_put(void *owner)
{
	detached(owner, true);
}

static size_t area_name(void *owner, char *buf, size_t n)
{
	const struct shm *s = owner;

	return fmt_to(buf, n, "/SYSV%08x (deleted)", (uint32_t)s->first_key);
}

static void area_id(void *owner, uint64_t *ret_dev, uint64_t *ret_ino)
{
	*ret_dev = 1; /* no device: as Linux's internal tmpfs, 00:01 */
	*ret_ino = (uint64_t)((struct shm *)owner)->object.id;
}

static int64_t area_punch(void *owner, uint64_t off, uint64_t len)
{
	mapping_punch(&((struct shm *)owner)->mapping, off, off + len);
	return 0;
}

static void area_hold(void *owner)
{
	ref_get(&((struct shm *)owner)->object.refs);
}

static void area_let_go(void *owner)
{
	ipc_object_put(&shm_ids, &((struct shm *)owner)->object);
}

static const struct area_ops shm_area_ops = {
	.get = area_get,
	.put = area_put,
	.name = area_name,
	.id = area_id,
	.punch = area_punch,
	.hold = area_hold,
	.let_go = area_let_go,
};

/* Finds the segment and holds it as attached, if current may use it so. */
static int hold(int32_t id, uint32_t want, struct shm **ret)
{
	struct ipc_object *o = ipc_find(&shm_ids, id);
	if (!o)
		return -EINVAL;
	spin_lock(&o->lock);
	int err = ipc_may(o, want);
	if (!err && o->removed)
		err = -EIDRM;
	if (!err)
		attached_locked(shm_of(o));
	spin_unlock(&o->lock);
	if (!err)
		*ret = shm_of(o);
	ipc_object_put(&shm_ids, o);
	return err;
}

/* Where it goes: 0 or -EINVAL. */
static int address_check(uint64_t *addr, uint64_t size, uint32_t flags)
{
	if (*addr % PAGE_SIZE && !(flags & SHM_RND))
		return -EINVAL;
	*addr = ALIGN_DOWN(*addr, PAGE_SIZE);
	if (*addr + size < *addr)
		return -EINVAL;
	return !*addr && (flags & SHM_REMAP) ? -EINVAL : 0;
}

static int64_t map(struct shm *s, uint64_t addr, uint32_t flags)
{
	bool writes = !(flags & SHM_RDONLY);
	/* Who else has it attached may write it. */
	bool code = !thread_current()->space->no_wx;
	const struct map_request r = {
		.addr = addr,
		.len = s->size,
		.prot = PROT_READ | (writes ? PROT_WRITE : 0u) |
			(flags & SHM_EXEC ? PROT_EXEC : 0u),
		.flags = AREA_SHARED | AREA_MAY_READ | (code ? AREA_MAY_EXEC : 0u) |
			 (writes ? AREA_MAY_WRITE : 0u),
		.fixed = addr,
		.noreplace = !(flags & SHM_REMAP),
		.mapping = &s->mapping,
		.ops = &shm_area_ops,
		.owner = s,
	};
	int64_t at = (flags & SHM_EXEC) && !code ? -EACCES
						 : space_map(thread_current()->space, &r);

	return at == -EEXIST ? -EINVAL : at;
}

int64_t shm_attach(int32_t id, uint64_t addr, uint32_t flags)
{
	uint32_t want = IPC_MAY_READ | (flags & SHM_RDONLY ? 0 : IPC_MAY_WRITE) |
			(flags & SHM_EXEC ? IPC_MAY_EXEC : 0);
	struct shm *s;

	int err = address_check(&addr, 0, flags);
	if (!err)
		err = hold(id, want, &s);
	if (err)
		return err;
	int64_t at = address_check(&addr, s->size, flags);
	if (!at)
		at = map(s, addr, flags);
	detached(s, false);
	return at;
}

int shm_detach(uint64_t addr)
{
	return space_detach(thread_current()->space, addr, &shm_area_ops);
}

/* ---- control ---- */

int shm_remove(int32_t id)
{
	struct ipc_object *o = ipc_find(&shm_ids, id);
	bool gone = false;

	if (!o)
		return -EINVAL;
	spin_lock(&shm_ids.lock);
	spin_lock(&o->lock);
	int err = o->removed ? -EIDRM : ipc_may_change(o);
	if (!err) {
		o->mode |= SHM_DEST;
		ipc_forget_key(&shm_ids, o);
		gone = !shm_of(o)->attached;
		if (gone)
			ipc_unlink(&shm_ids, o);
	}
	spin_unlock(&o->lock);
	spin_unlock(&shm_ids.lock);
	if (gone)
		ipc_object_put(&shm_ids, o); /* the table's */
	ipc_object_put(&shm_ids, o);
	return err;
}

int shm_set(int32_t id, const struct shmid64_ds *ds)
{
	struct ipc_object *o = ipc_find(&shm_ids, id);

	if (!o)
		return -EINVAL;
	spin_lock(&o->lock);
	int err = o->removed ? -EIDRM : ipc_may_change(o);
	if (!err)
		err = ipc_perm_set(o, &ds->shm_perm);
	if (!err)
		shm_of(o)->ctime = ipc_now();
	spin_unlock(&o->lock);
	ipc_object_put(&shm_ids, o);
	return err;
}

static int may_lock(const struct ipc_object *o, bool on)
{
	const struct cred *c = thread_current()->cred;

	bool is_own = c->euid == o->uid || c->euid == o->cuid;

	if (is_own && (!on || rlimit_current(RLIMIT_MEMLOCK)))
		return 0;
	return cred_has_cap(c, CAP_IPC_LOCK) ? 0 : -EPERM;
}

/* Nothing is ever swapped out, so that it is noted is all there is to do. */
int shm_lock(int32_t id, bool on)
{
	struct ipc_object *o = ipc_find(&shm_ids, id);

	if (!o)
		return -EINVAL;
	spin_lock(&o->lock);
	int err = o->removed ? -EIDRM : may_lock(o, on);
	if (!err)
		o->mode = on ? o->mode | SHM_LOCKED : o->mode & ~SHM_LOCKED;
	spin_unlock(&o->lock);
	ipc_object_put(&shm_ids, o);
	return err;
}

static void stat_locked(const struct shm *s, struct shmid64_ds *ret)
{
	*ret = (struct shmid64_ds){
		.shm_segsz = s->size,
		.shm_atime = s->atime,
		.shm_dtime = s->dtime,
		.shm_ctime = s->ctime,
		.shm_cpid = s->cpid,
		.shm_lpid = s->lpid,
		.shm_nattch = s->attached,
	};
	ipc_perm_get(&s->object, &ret->shm_perm);
}

int64_t shm_stat(int32_t id, bool index, bool any, struct shmid64_ds *ret)
{
	struct ipc_object *o =
		index ? ipc_find_index(&shm_ids, id) : ipc_find(&shm_ids, id);
	if (!o)
		return -EINVAL;
	spin_lock(&o->lock);
	int err = any ? 0 : ipc_may(o, IPC_MAY_READ);
	if (!err && o->removed)
		err = -EIDRM;
	if (!err)
		stat_locked(shm_of(o), ret);
	spin_unlock(&o->lock);
	int64_t result = err ? err : index ? o->id : 0;
	ipc_object_put(&shm_ids, o);
	return result;
}

int32_t shm_limits_get(struct shminfo64 *ret)
{
	uint32_t count;
	int32_t highest;

	*ret = (struct shminfo64){
		.shmmax = shm_max,
		.shmmin = SHMMIN,
		.shmmni = shm_ids.max,
		.shmseg = shm_ids.max,
		.shmall = shm_all,
	};
	ipc_usage(&shm_ids, &highest, &count);
	return highest;
}

int32_t shm_info_get(struct shm_info *ret)
{
	uint32_t count;
	int32_t highest;

	ipc_usage(&shm_ids, &highest, &count);
	*ret = (struct shm_info){
		.used_ids = (int)count,
		.shm_tot = total_pages,
		.shm_rss = resident_pages,
	};
	return highest;
}

static size_t show_one(const struct ipc_object *o, char *buf, size_t n)
{
	const struct shm *s = container_of(o, const struct shm, object);

	return fmt_to(buf, n,
		      "%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10lu %10lu "
		      "%10lu %21lu %21lu\n",
		      o->key, o->id, o->mode, s->size, s->cpid, s->lpid, s->attached,
		      o->uid, o->gid, o->cuid, o->cgid, (uint64_t)s->atime,
		      (uint64_t)s->dtime, (uint64_t)s->ctime,
		      s->mapping.n_pages * PAGE_SIZE, 0ul);
}

int shm_show(struct proc_text *t, void *arg)
{
	proc_printf(t, "       key      shmid perms                  size  cpid  lpid "
		       "nattch   uid   gid  cuid  cgid      atime      dtime      ctime "
		       "                  rss                  swap\n");
	ipc_show_all(&shm_ids, t, show_one);
	return 0;
}
