/* Paths as pairs of mount and dentry: counting them, and giving them back as text. */
#include <asm/errno.h>

#include "fs/mount.h"
#include "lib/string.h"

/* Text grows from the end of the buffer towards its start. */
struct back_text {
	char *start, *at;
	bool full;
};

static void prepend(struct back_text *t, const char *s, size_t n)
{
	if ((size_t)(t->at - t->start) < n) {
		t->full = true;
		return;
	}
	t->at -= n;
	memcpy(t->at, s, n);
}

/* Prepends ":[n]". */
static void prepend_number(struct back_text *t, uint64_t n)
{
	prepend(t, "]", 1);
	do {
		char digit = (char)('0' + n % 10);
		prepend(t, &digit, 1);
		n /= 10;
	} while (n);
	prepend(t, ":[", 2);
}

/* Prepends "/a/b/c" up to root; false: the way up ends elsewhere. dcache_lock held. */
static bool prepend_ancestors(struct back_text *t, struct path at,
			      const struct path *root)
{
	while (!path_equal(&at, root) && !t->full) {
		if (at.dentry == at.mnt->root) {
			if (!at.mnt->parent)
				return false;
			at = (struct path){ at.mnt->parent, at.mnt->point };
			continue;
		}
		if (at.dentry == at.dentry->parent)
			return false;
		prepend(t, at.dentry->name.s, at.dentry->name.len);
		prepend(t, "/", 1);
		at.dentry = at.dentry->parent;
	}
	return true;
}

/* Seen from `top`; dcache_lock is held. */
static char *text_locked(const struct path *p, struct path top, char *buf, size_t n)
{
	struct back_text t = { buf, buf + n, false };
	bool anon = p->dentry->flags & DENTRY_ANON;

	prepend(&t, "", 1);
	if ((p->dentry->flags & DENTRY_UNHASHED) && !anon)
		prepend(&t, " (deleted)", 10);
	char *tail = t.at;
	if (p->dentry->flags & DENTRY_NUMBERED)
		prepend_number(&t, p->dentry->inode->ino);
	if (anon) {
		prepend(&t, p->dentry->name.s, p->dentry->name.len);
	} else {
		bool reached = prepend_ancestors(&t, *p, &top);
		if (t.at == tail)
			prepend(&t, "/", 1);
		if (!reached)
			prepend(&t, "(unreachable)", 13);
	}
	return t.full ? NULL : t.at;
}

char *path_text(const struct path *p, const struct path *root, char *buf, size_t n)
{
	struct fs_ctx *fs = thread_current()->fs;
	struct path top = { 0 };

	spin_lock(&dcache_lock);
	if (root) {
		top = *root;
	} else if (fs) {
		spin_lock(&fs->lock);
		top = fs->root;
		spin_unlock(&fs->lock);
	}
	char *text = text_locked(p, top, buf, n);
	spin_unlock(&dcache_lock);
	return text;
}

char *path_text_global(const struct path *p, char *buf, size_t n)
{
	spin_lock(&dcache_lock);
	char *text =
		text_locked(p, (struct path){ root_mount, root_mount->root }, buf, n);
	spin_unlock(&dcache_lock);
	return text;
}

int path_place(const struct path *p, const struct qname *child, char *buf, size_t n,
	       const char **ret)
{
	struct back_text t = { buf, buf + n, false };
	bool nowhere = (p->dentry->flags & DENTRY_ANON) || p->mnt->internal;

	prepend(&t, "", 1);
	if (child) {
		prepend(&t, child->s, child->len);
		prepend(&t, "/", 1);
	}
	spin_lock(&dcache_lock);
	bool reached =
		!nowhere &&
		prepend_ancestors(&t, *p, &(struct path){ root_mount, root_mount->root });
	spin_unlock(&dcache_lock);
	if (!*t.at)
		prepend(&t, "/", 1);
	if (t.full)
		return -ENAMETOOLONG;
	if (!reached)
		return nowhere ? -ENXIO : -ENOENT;
	*ret = t.at;
	return 0;
}
