/*
 * A process's root, working directory and umask.
 *
 * Locks: fs_ctx.lock over the paths (taken inside dcache_lock by path walks); all_lock, a
 * mutex outside of it, over the list of all contexts.
 */
#include "fs/mount.h"

static struct mutex all_lock = MUTEX_INIT(all_lock, RANK_MOUNTS);
static struct list all = LIST_INIT(all); /* [all_lock] */

int fs_ctx_copy(struct fs_ctx *from, struct fs_ctx **ret)
{
	struct fs_ctx *c = heap_zalloc(sizeof *c);
	if (!c)
		return -ENOMEM;
	ref_init(&c->refs, 1);
	c->users = 1;
	spin_init(&c->lock, RANK_FS_CTX);
	if (from) {
		spin_lock(&from->lock);
		c->root = from->root;
		c->cwd = from->cwd;
		path_get(&c->root);
		path_get(&c->cwd);
		c->umask = from->umask;
		spin_unlock(&from->lock);
	} else {
		spin_lock(&dcache_lock);
		c->root = (struct path){ root_mount, root_mount->root };
		c->cwd = c->root;
		path_get(&c->root);
		path_get(&c->cwd);
		spin_unlock(&dcache_lock);
		c->umask = 022;
	}
	mutex_lock(&all_lock);
	list_push_back(&all, &c->link);
	mutex_unlock(&all_lock);
	*ret = c;
	return 0;
}

struct fs_ctx *fs_ctx_get(struct fs_ctx *c)
{
	ref_get(&c->refs);
	return c;
}

void fs_ctx_put(struct fs_ctx *c)
{
	if (!c || !ref_put(&c->refs))
		return;
	mutex_lock(&all_lock);
	list_del(&c->link);
	mutex_unlock(&all_lock);
	path_put(&c->root);
	path_put(&c->cwd);
	heap_free(c);
}

struct fs_ctx *fs_ctx_use(struct fs_ctx *c)
{
	c->users++;
	return fs_ctx_get(c);
}

void fs_ctx_unuse(struct fs_ctx *c)
{
	c->users--;
	fs_ctx_put(c);
}

bool fs_ctx_shared(const struct fs_ctx *c)
{
	return c->users > 1;
}

static void path_of_current(struct path *ret, size_t offset)
{
	struct fs_ctx *c = thread_current()->fs;

	spin_lock(&c->lock);
	*ret = *(struct path *)((char *)c + offset);
	path_get(ret);
	spin_unlock(&c->lock);
}

void fs_root_get(struct path *ret)
{
	path_of_current(ret, offsetof(struct fs_ctx, root));
}

void fs_cwd_get(struct path *ret)
{
	path_of_current(ret, offsetof(struct fs_ctx, cwd));
}

static void set_path(struct fs_ctx *c, struct path *at, const struct path *to,
		     void (*tell)(void))
{
	spin_lock(&c->lock);
	struct path old = *at;
	*at = *to;
	path_get(at);
	if (tell)
		tell();
	spin_unlock(&c->lock);
	path_put(&old);
}

void fs_ctx_set_root(const struct path *p)
{
	set_path(thread_current()->fs, &thread_current()->fs->root, p,
		 fs_upcalls.tree_changed);
}

void fs_ctx_set_cwd(const struct path *p)
{
	set_path(thread_current()->fs, &thread_current()->fs->cwd, p, NULL);
}

void fs_ctx_replace_all(const struct path *from, const struct path *to)
{
	mutex_lock(&all_lock);
	list_for_each(c, &all, struct fs_ctx, link)
	{
		if (path_equal(&c->root, from))
			set_path(c, &c->root, to, NULL);
		if (path_equal(&c->cwd, from))
			set_path(c, &c->cwd, to, NULL);
	}
	mutex_unlock(&all_lock);
}
