/*
 * Landlock's rulesets and walks. See landlock.h.
 *
 * A rule's object is an inode. The ruleset, and every layer made of it, holds the path
 * that it was named by, so that it stays the same inode.
 *
 * Locks: ruleset.lock over its rules; a layer's do not change.
 */
#include "fs/landlock.h"

#include <asm/errno.h>

#include "fs/file.h"
#include "fs/mount.h"
#include "lib/string.h"

#define RULES_MAX 65536u

struct ruleset {
	struct mutex lock; /* RANK_RULESET */
	uint32_t handled;  /* [I] */
	/* guarded by lock */
	uint32_t n, room;
	struct landlock_rule *rules; /* ascending by object */
	struct path *paths;	     /* theirs, referenced */
};

/* ---- the file ---- */

static void paths_put(struct path *paths, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		path_put(&paths[i]);
	heap_free(paths);
}

static void ruleset_release(struct file *f)
{
	struct ruleset *r = f->priv;

	paths_put(r->paths, r->n);
	heap_free(r->rules);
	heap_free(r);
}

/* It can be had for reading and writing; both do nothing, as on Linux. */
static int64_t dummy(struct file *f, struct uio *u, uint64_t *pos)
{
	(void)f;
	(void)u;
	(void)pos;
	return -EINVAL;
}

static const struct file_ops ruleset_ops = {
	.release = ruleset_release,
	.read = dummy,
	.write = dummy,
	.llseek = noop_llseek,
	.stream = true,
};

int landlock_ruleset_new(uint32_t handled, struct file **ret)
{
	struct ruleset *r = heap_zalloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	mutex_init(&r->lock, RANK_RULESET);
	r->handled = handled;
	int err = file_new_anon("[landlock-ruleset]", &ruleset_ops, r, O_RDWR, ret);
	if (err)
		heap_free(r);
	return err;
}

bool file_is_landlock(const struct file *f)
{
	return f->ops == &ruleset_ops;
}

/* ---- rules ---- */

static uint32_t rule_place(const struct ruleset *r, const void *object)
{
	uint32_t at = 0;

	while (at < r->n && r->rules[at].object < object)
		at++;
	return at;
}

static int grow(struct ruleset *r)
{
	uint32_t room = r->room ? 2 * r->room : 8;

	if (r->n < r->room)
		return 0;
	if (r->n >= RULES_MAX)
		return -E2BIG;
	struct landlock_rule *rules = heap_alloc_array(room, sizeof(*rules));
	struct path *paths = heap_alloc_array(room, sizeof(*paths));
	if (!rules || !paths) {
		heap_free(rules);
		heap_free(paths);
		return -ENOMEM;
	}
	memcpy(rules, r->rules, r->n * sizeof(*rules));
	memcpy(paths, r->paths, r->n * sizeof(*paths));
	heap_free(r->rules);
	heap_free(r->paths);
	r->rules = rules;
	r->paths = paths;
	r->room = room;
	return 0;
}

/* Of two rules for one object both count. */
static int add_locked(struct ruleset *r, const struct path *p, uint32_t access)
{
	const void *object = p->dentry->inode;
	uint32_t at = rule_place(r, object), after;

	if (at < r->n && r->rules[at].object == object) {
		r->rules[at].access |= access;
		return 0;
	}
	int err = grow(r);
	if (err)
		return err;
	after = r->n - at;
	memmove(&r->rules[at + 1], &r->rules[at], after * sizeof(*r->rules));
	memmove(&r->paths[at + 1], &r->paths[at], after * sizeof(*r->paths));
	r->rules[at] = (struct landlock_rule){ object, access };
	r->paths[at] = *p;
	path_get(p);
	r->n++;
	return 0;
}

int landlock_ruleset_add(struct file *f, const struct path *p, uint32_t access)
{
	struct ruleset *r = f->priv;

	if (access & ~r->handled)
		return -EINVAL;
	if ((p->dentry->flags & DENTRY_ANON) || p->mnt->internal)
		return -EBADFD;
	if (!S_ISDIR(p->dentry->inode->mode) && (access & ~LANDLOCK_OF_FILES))
		return -EINVAL;
	mutex_lock(&r->lock);
	int err = add_locked(r, p, access);
	mutex_unlock(&r->lock);
	return err;
}

/* ---- layers ---- */

static void layer_release(struct landlock_layer *l)
{
	if (l->pins)
		paths_put(l->pins, l->n);
	heap_free(l->rules);
	heap_free(l);
}

static int copy_rules(struct ruleset *r, struct landlock_layer *l)
{
	if (!r->n)
		return 0;
	l->rules = heap_alloc_array(r->n, sizeof(*l->rules));
	struct path *paths = heap_alloc_array(r->n, sizeof(*paths));
	if (!l->rules || !paths) {
		heap_free(paths);
		return -ENOMEM;
	}
	memcpy(l->rules, r->rules, r->n * sizeof(*l->rules));
	memcpy(paths, r->paths, r->n * sizeof(*paths));
	for (uint32_t i = 0; i < r->n; i++)
		path_get(&paths[i]);
	l->pins = paths;
	l->n = r->n;
	return 0;
}

int landlock_ruleset_layer(struct file *f, struct landlock_layer *below,
			   struct landlock_layer **ret)
{
	struct ruleset *r = f->priv;

	if (landlock_depth(below) >= LANDLOCK_LAYERS_MAX)
		return -E2BIG;
	struct landlock_layer *l = heap_zalloc(sizeof(*l));
	if (!l)
		return -ENOMEM;
	ref_init(&l->refs, 1);
	l->release = layer_release;
	l->handled = r->handled;
	l->depth = landlock_depth(below) + 1;
	mutex_lock(&r->lock);
	int err = copy_rules(r, l);
	mutex_unlock(&r->lock);
	if (err) {
		layer_release(l);
		return err;
	}
	l->below = below;
	*ret = l;
	return 0;
}

/* ---- walks ---- */

/* Up to the root of all mounts. What was never in it (pipes, memory files) is allowed
 * everything, what cannot be reached from it nothing more. */
static void walk_up(struct landlock_walk *w, struct path at)
{
	spin_lock(&dcache_lock);
	for (;;) {
		landlock_step(w, at.dentry->inode);
		while (at.dentry == at.mnt->root && at.mnt->parent)
			at = (struct path){ at.mnt->parent, at.mnt->point };
		if (at.dentry == at.mnt->root || at.dentry == at.dentry->parent)
			break;
		at.dentry = at.dentry->parent;
	}
	spin_unlock(&dcache_lock);
}

static void ask_at(struct landlock_walk *w, const struct path *p, uint32_t access)
{
	landlock_ask(w, thread_current()->gate.landlock, access);
	walk_up(w, *p);
}

int landlock_check(const struct path *p, uint32_t access)
{
	struct landlock_walk w;

	if (!thread_current()->gate.landlock || !(access & LANDLOCK_ALL) ||
	    (p->dentry->flags & DENTRY_ANON) || p->mnt->internal)
		return 0;
	ask_at(&w, p, access & LANDLOCK_ALL);
	return landlock_denied(&w) ? -EACCES : 0;
}

int landlock_check_moved(const struct path *from, struct dentry *child,
			 const struct path *to)
{
	bool is_dir = S_ISDIR(child->inode->mode);
	struct landlock_walk before, after;

	if (!thread_current()->gate.landlock || from->dentry == to->dentry)
		return 0;
	ask_at(&before, from, LANDLOCK_ALL);
	ask_at(&after, to, LANDLOCK_ALL);
	if ((landlock_denied(&before) | landlock_denied(&after)) & LANDLOCK_REFER)
		return -EXDEV;
	/* A rule for what is moved goes with it. */
	landlock_step(&before, child->inode);
	landlock_step(&after, child->inode);
	return landlock_gains(&before, &after, is_dir ? LANDLOCK_ALL : LANDLOCK_OF_FILES)
		       ? -EXDEV
		       : 0;
}
