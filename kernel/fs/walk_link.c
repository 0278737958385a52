/* Walks: following symbolic links, by text and by magic. */
#include "fs/walk.h"

/* In a sticky directory that everybody may write to, only the owner's links are followed,
 * and the follower's own: links planted in /tmp lead nobody astray (CVE-2000-0972 and its
 * kin). */
static bool may_follow(const struct walk *w, const struct inode *dir,
		       const struct inode *link)
{
	const uint32_t shared = S_ISVTX | S_IWOTH;

	return (dir->mode & shared) != shared || link->uid == w->cred->fsuid ||
	       link->uid == dir->uid;
}

static int may_follow_here(struct walk *w, const struct inode *link)
{
	if (w->flags & WALK_NO_SYMLINKS || w->at.mnt->flags & MS_NOSYMFOLLOW)
		return -ELOOP;
	if (++w->links > SYMLINK_DEPTH_MAX)
		return -ELOOP;
	return may_follow(w, w->at.dentry->inode, link) ? 0 : -EACCES;
}

/* A link of /proc: it is its target, whatever text it shows. */
static int follow_magic(struct walk *w, struct inode *link)
{
	struct path to, old = w->at;

	if (w->flags & WALK_NO_MAGIC)
		return -ELOOP;
	if (w->flags & (WALK_BENEATH | WALK_IN_ROOT))
		return -EXDEV;
	int err = link->ops->follow(link, &to);
	if (err)
		return err;
	if ((w->flags & WALK_NO_XDEV) && to.mnt != old.mnt) {
		path_put(&to);
		return -EXDEV;
	}
	w->at = to;
	path_put(&old);
	return 0;
}

static int to_root(struct walk *w)
{
	struct path root, old = w->at;

	if (w->flags & WALK_BENEATH)
		return -EXDEV;
	if (w->flags & WALK_IN_ROOT) {
		root = w->scope;
		path_get(&root);
	} else {
		fs_root_get(&root);
	}
	if ((w->flags & WALK_NO_XDEV) && root.mnt != old.mnt) {
		path_put(&root);
		return -EXDEV;
	}
	w->at = root;
	path_put(&old);
	return 0;
}

/* The link's text becomes what is walked next; what was left is kept for afterwards. */
static void push_text(struct walk *w, char *text)
{
	if (*w->rest) {
		w->stack[w->depth].text = w->text;
		w->stack[w->depth].rest = w->rest;
		w->depth++;
	} else if (w->text) {
		path_buf_free(w->text);
	}
	w->text = text;
	w->rest = text;
}

static int follow_text(struct walk *w, struct inode *link)
{
	if (!link->ops->readlink)
		return -EINVAL;
	char *text = path_buf_alloc();
	if (!text)
		return -ENOMEM;
	int64_t n = link->ops->readlink(link, text, PATH_MAX_LEN);
	if (n <= 0 || n >= PATH_MAX_LEN) {
		path_buf_free(text);
		return n < 0 ? (int)n : n ? -ENAMETOOLONG : -ENOENT;
	}
	text[n] = '\0';
	inode_accessed(w->at.mnt, link);
	push_text(w, text);
	return *text == '/' ? to_root(w) : 0;
}

int walk_follow(struct walk *w, struct dentry *link)
{
	int err = may_follow_here(w, link->inode);

	w->kind = LAST_ROOT;
	if (!err)
		err = link->inode->ops->follow ? follow_magic(w, link->inode)
					       : follow_text(w, link->inode);
	dentry_put(link);
	return err;
}
