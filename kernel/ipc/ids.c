/* Numbers, keys and owners of System V objects: see ids.h for what always holds. */
#include "ipc/ids.h"

#include <asm/errno.h>

#include "core/panic.h"
#include "core/sched.h"
#include "mm/slab.h"

void ipc_ids_init(struct ipc_ids *ids, uint64_t max)
{
	spin_init(&ids->lock, RANK_IPC_IDS);
	radix_init(&ids->objects, &radix_heap_ops);
	rb_init(&ids->by_key, NULL);
	ids->last_index = -1;
	ids->max = max;
}

void ipc_object_init(struct ipc_object *o, const struct ipc_request *r)
{
	const struct cred *c = thread_current()->cred;

	ref_init(&o->refs, 1);
	spin_init(&o->lock, RANK_IPC);
	o->key = r->key;
	o->mode = r->flags & IPC_MODE_BITS;
	o->uid = o->cuid = c->euid;
	o->gid = o->cgid = c->egid;
}

void ipc_object_put(struct ipc_ids *ids, struct ipc_object *o)
{
	if (o && ref_put(&o->refs))
		ids->free(o);
}

/* ---- permissions ---- */

int ipc_may(const struct ipc_object *o, uint32_t want)
{
	const struct ipc_facts f = { o->mode, o->uid, o->cuid, o->gid, o->cgid };

	return sec_may_ipc(thread_current()->cred, &f, want);
}

int ipc_may_change(const struct ipc_object *o)
{
	const struct cred *c = thread_current()->cred;

	return c->euid == o->uid || c->euid == o->cuid || cred_has_cap(c, CAP_SYS_ADMIN)
		       ? 0
		       : -EPERM;
}

void ipc_perm_get(const struct ipc_object *o, struct ipc64_perm *ret)
{
	*ret = (struct ipc64_perm){
		.key = o->key,
		.uid = o->uid,
		.gid = o->gid,
		.cuid = o->cuid,
		.cgid = o->cgid,
		.mode = (__kernel_mode_t)o->mode,
		.seq = (unsigned short)((uint32_t)o->id >> IPC_INDEX_BITS),
	};
}

int ipc_perm_set(struct ipc_object *o, const struct ipc64_perm *p)
{
	if (p->uid == ID_INVALID || p->gid == ID_INVALID)
		return -EINVAL;
	o->uid = p->uid;
	o->gid = p->gid;
	o->mode = (o->mode & ~IPC_MODE_BITS) | (p->mode & IPC_MODE_BITS);
	return 0;
}

/* ---- keys; ids->lock held ---- */

static struct ipc_object *of_node(struct rb_node *n)
{
	return container_of(n, struct ipc_object, by_key);
}

/* The object with the key, or NULL and where it would be. */
static struct ipc_object *key_find(struct ipc_ids *ids, int32_t key,
				   struct rb_node **ret_parent,
				   struct rb_node ***ret_link)
{
	struct rb_node *parent = NULL, **link = &ids->by_key.root;

	while (*link) {
		struct ipc_object *o = of_node(*link);
		if (key == o->key)
			return o;
		parent = *link;
		link = key < o->key ? &parent->left : &parent->right;
	}
	*ret_parent = parent;
	*ret_link = link;
	return NULL;
}

void ipc_forget_key(struct ipc_ids *ids, struct ipc_object *o)
{
	if (o->key != IPC_PRIVATE)
		rb_erase(&ids->by_key, &o->by_key);
	o->key = IPC_PRIVATE;
}

/* ---- numbers ---- */

/* Y2: an index at or below the last one was in use before. */
static int number_give(struct ipc_ids *ids, struct ipc_object *o)
{
	uint64_t index;

	if (ids->count >= MIN((uint64_t)ids->max, IPC_INDEX_MAX + 1ull) ||
	    !radix_first_absent(&ids->objects, 0, IPC_INDEX_MAX, &index))
		return -ENOSPC;
	int err = radix_insert(&ids->objects, index, o);
	if (err)
		return err;
	if ((int64_t)index <= ids->last_index && ids->sequence++ == IPC_SEQUENCE_MAX)
		ids->sequence = 0;
	ids->last_index = (int32_t)index;
	ids->count++;
	o->id = (int32_t)(ids->sequence << IPC_INDEX_BITS | (uint32_t)index);
	return 0;
}

static uint32_t index_of(int32_t id)
{
	return (uint32_t)id & IPC_INDEX_MAX;
}

/* Adds the new object; consumes the maker's reference. Its number, or -EEXIST (somebody
 * was first with the key), -ENOSPC, -ENOMEM: nothing is consumed. */
static int64_t add(struct ipc_ids *ids, struct ipc_object *o)
{
	struct rb_node *parent = NULL, **link = NULL;
	int err = 0;

	spin_lock(&ids->lock);
	if (o->key != IPC_PRIVATE && key_find(ids, o->key, &parent, &link))
		err = -EEXIST;
	if (!err)
		err = number_give(ids, o);
	if (!err && o->key != IPC_PRIVATE)
		rb_insert(&ids->by_key, &o->by_key, parent, link);
	int64_t id = o->id;
	spin_unlock(&ids->lock);
	return err ? err : id;
}

static int64_t make(struct ipc_ids *ids, const struct ipc_request *r)
{
	struct ipc_object *o;

	int err = ids->make(r, &o);
	if (err)
		return err;
	int64_t id = add(ids, o);
	if (id < 0)
		ipc_object_put(ids, o);
	return id;
}

static int may_get(struct ipc_ids *ids, struct ipc_object *o, const struct ipc_request *r)
{
	if ((r->flags & IPC_CREAT) && (r->flags & IPC_EXCL))
		return -EEXIST;
	int err = ids->suits ? ids->suits(o, r) : 0;
	return err ? err : ipc_may(o, r->flags & IPC_MODE_BITS);
}

/* The number of the object with the key; -ENOENT: there is none. */
static int64_t get_existing(struct ipc_ids *ids, const struct ipc_request *r)
{
	struct rb_node *parent, **link;
	int64_t id = -ENOENT;

	spin_lock(&ids->lock);
	struct ipc_object *o = key_find(ids, r->key, &parent, &link);
	if (o) {
		spin_lock(&o->lock);
		int err = may_get(ids, o, r);
		id = err ? err : o->id;
		spin_unlock(&o->lock);
	}
	spin_unlock(&ids->lock);
	return id;
}

int64_t ipc_get(struct ipc_ids *ids, const struct ipc_request *r)
{
	if (r->key == IPC_PRIVATE)
		return make(ids, r);
	for (;;) {
		int64_t id = get_existing(ids, r);
		if (id != -ENOENT || !(r->flags & IPC_CREAT))
			return id;
		id = make(ids, r);
		if (id != -EEXIST)
			return id;
	}
}

struct ipc_object *ipc_find_index(struct ipc_ids *ids, int32_t index)
{
	if (index < 0 || (uint32_t)index > IPC_INDEX_MAX)
		return NULL;
	spin_lock(&ids->lock);
	struct ipc_object *o = radix_get(&ids->objects, (uint64_t)index);
	if (o)
		ref_get(&o->refs);
	spin_unlock(&ids->lock);
	return o;
}

struct ipc_object *ipc_find(struct ipc_ids *ids, int32_t id)
{
	if (id < 0)
		return NULL;
	struct ipc_object *o = ipc_find_index(ids, (int32_t)index_of(id));
	if (!o || o->id == id)
		return o;
	ipc_object_put(ids, o);
	return NULL;
}

struct ipc_object *ipc_next(struct ipc_ids *ids, uint32_t *index)
{
	uint64_t key;

	spin_lock(&ids->lock);
	struct ipc_object *o = radix_next(&ids->objects, *index, &key);
	if (o) {
		ref_get(&o->refs);
		*index = (uint32_t)key;
	}
	spin_unlock(&ids->lock);
	return o;
}

/* ---- the end ---- */

void ipc_unlink(struct ipc_ids *ids, struct ipc_object *o)
{
	insist(!o->removed && radix_remove(&ids->objects, index_of(o->id)) == o);
	ipc_forget_key(ids, o);
	ids->count--;
	o->removed = true;
	if (ids->unlinked)
		ids->unlinked(o);
}

int ipc_remove(struct ipc_ids *ids, int32_t id)
{
	struct ipc_object *o = ipc_find(ids, id);

	if (!o)
		return -EINVAL;
	spin_lock(&ids->lock);
	spin_lock(&o->lock);
	int err = o->removed ? -EIDRM : ipc_may_change(o);
	if (!err)
		ipc_unlink(ids, o);
	spin_unlock(&o->lock);
	spin_unlock(&ids->lock);
	if (!err)
		ipc_object_put(ids, o); /* the table's */
	ipc_object_put(ids, o);
	return err;
}

/* ---- what is told ---- */

void ipc_usage(struct ipc_ids *ids, int32_t *ret_highest, uint32_t *ret_count)
{
	uint64_t at = 0, key = 0;

	spin_lock(&ids->lock);
	while (radix_next(&ids->objects, at, &key))
		at = key + 1;
	*ret_highest = at ? (int32_t)(at - 1) : 0;
	*ret_count = ids->count;
	spin_unlock(&ids->lock);
}

void ipc_show_all(struct ipc_ids *ids, struct proc_text *t,
		  size_t (*show)(const struct ipc_object *o, char *buf, size_t n))
{
	char line[IPC_LINE_MAX];
	struct ipc_object *o;

	for (uint32_t i = 0; (o = ipc_next(ids, &i)); i++) {
		spin_lock(&o->lock);
		size_t n = o->removed ? 0 : show(o, line, sizeof line);
		spin_unlock(&o->lock);
		insist(n < sizeof line);
		proc_write(t, line, n);
		ipc_object_put(ids, o);
	}
}
