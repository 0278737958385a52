/* The tree: paths, entries, layers. */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/rootfs/tree.h"

/* Bytes of a path, and of what links make of it. */
#define PATH_LIMIT 8192
/* As many links as Linux follows. */
#define LINKS_MAX 40
/* image-spec, layer.md: whiteouts. Other names that start so are of AUFS itself. */
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define AUFS ".wh..wh."

/* -- entries of a folder -- */

static int names_compare(const void *a, const void *b)
{
	const struct tree_entry *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static struct tree_entry *entry_new(const char *name, size_t size)
{
	struct tree_entry *entry = must_alloc(sizeof(*entry) + size + 1);

	memcpy(entry->name, name, size);
	return entry;
}

static struct tree_entry *entry_find(const struct tree_inode *folder, const char *name,
				     size_t size)
{
	struct tree_entry *key = entry_new(name, size);
	void **found = tfind(key, (void *const *)&folder->names, names_compare);

	free(key);
	return found ? *found : NULL;
}

/* Consumes the entry, whose name the folder does not have. */
static void entry_add(struct tree_inode *folder, struct tree_entry *entry,
		      struct tree_inode *inode, unsigned layer)
{
	entry->folder = folder;
	entry->inode = inode;
	entry->layer = layer;
	entry->at = folder->end;
	*folder->end = entry;
	folder->end = &entry->next;
	inode->links++;
	if (!tsearch(entry, &folder->names, names_compare)) {
		say("out of memory on this machine");
		exit(MAYFLY_FAILED);
	}
}

/* Takes an entry away, and all below it. */
static void entry_remove(struct tree_entry *entry)
{
	struct tree_inode *folder = entry->folder;

	while (entry->inode->first)
		entry_remove(entry->inode->first);
	tdelete(entry, &folder->names, names_compare);
	*entry->at = entry->next;
	if (entry->next)
		entry->next->at = entry->at;
	else
		folder->end = entry->at;
	entry->inode->links--;
	free(entry);
}

static void entry_hide(struct tree_entry *entry, unsigned layer);

/* Takes away what layers before this one put into the folder. */
static void folder_hide(struct tree_inode *folder, unsigned layer)
{
	struct tree_entry *next;

	for (struct tree_entry *entry = folder->first; entry; entry = next) {
		next = entry->next;
		entry_hide(entry, layer);
	}
}

/* A whiteout hides what was there before its layer, wherever in the layer it stands: a
 * folder that the layer has put something into stays with just that. */
static void entry_hide(struct tree_entry *entry, unsigned layer)
{
	folder_hide(entry->inode, layer);
	if (entry->layer < layer && !entry->inode->first)
		entry_remove(entry);
}

/* -- inodes -- */

static void meta_set(struct tree_inode *inode, const struct tree_meta *meta)
{
	free((char *)inode->meta.target);
	inode->meta = *meta;
	if (meta->target)
		inode->meta.target = must_format("%s", meta->target);
}

static struct tree_inode *inode_new(struct tree *tree, const struct tree_meta *meta)
{
	struct tree_inode *inode = must_alloc(sizeof(*inode));

	meta_set(inode, meta);
	inode->end = &inode->first;
	*tree->end = inode;
	tree->end = &inode->next;
	return inode;
}

static void xattrs_free(struct tree_inode *inode)
{
	struct tree_xattr *next;

	for (struct tree_xattr *xattr = inode->xattrs; xattr; xattr = next) {
		next = xattr->next;
		free(xattr->name);
		free(xattr);
	}
	inode->xattrs = NULL;
}

void tree_xattr_set(struct tree_inode *inode, const char *name, const void *value,
		    size_t size)
{
	struct tree_xattr **at = &inode->xattrs,
			  *xattr = must_alloc(sizeof(*xattr) + size);

	xattr->name = must_format("%s", name);
	xattr->size = size;
	memcpy(xattr->value, value, size);
	while (*at && strcmp((*at)->name, name))
		at = &(*at)->next;
	if (*at) {
		struct tree_xattr *old = *at;

		*at = old->next;
		free(old->name);
		free(old);
	}
	xattr->next = *at;
	*at = xattr;
}

static bool is_folder(const struct tree_inode *inode)
{
	return S_ISDIR(inode->meta.mode);
}

struct tree *tree_new(void)
{
	static const struct tree_meta folder = { .mode = S_IFDIR | 0755 };
	struct tree *tree = must_alloc(sizeof(*tree));

	tree->end = &tree->inodes;
	tree->root = inode_new(tree, &folder);
	tree->root->above = tree->root;
	tree->root->links = 1;
	return tree;
}

void tree_free(struct tree *tree)
{
	struct tree_inode *next;

	if (!tree)
		return;
	while (tree->root->first)
		entry_remove(tree->root->first);
	for (struct tree_inode *inode = tree->inodes; inode; inode = next) {
		next = inode->next;
		xattrs_free(inode);
		free((char *)inode->meta.target);
		free(inode);
	}
	free(tree);
}

/* -- paths -- */

/* A path on its way: what is left of it, in memory of its own. */
struct walk {
	struct tree *tree; /* NULL: missing folders are not made */
	unsigned layer;
	struct tree_inode *at;
	char *path, *rest;
	unsigned links;
};

/* The next name of the path and its size; false at the end. */
static bool name_next(const char **path, const char **ret_name, size_t *ret_size)
{
	*path += strspn(*path, "/");
	*ret_name = *path;
	*ret_size = strcspn(*path, "/");
	*path += *ret_size;
	return *ret_size;
}

static bool name_is(const char *name, size_t size, const char *other)
{
	return size == strlen(other) && !memcmp(name, other, size);
}

/* Goes on with what a link says. */
static int walk_link(struct walk *walk, const struct tree_inode *link)
{
	const char *target = link->meta.target;
	char *path;

	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	if (strlen(target) + strlen(walk->rest) > PATH_LIMIT)
		return -ENAMETOOLONG;
	path = must_format("%s/%s", target, walk->rest);
	free(walk->path);
	walk->path = walk->rest = path;
	return *target == '/';
}

/* Makes the folder that is missing. */
static int walk_make(struct walk *walk, const char *name, size_t size)
{
	static const struct tree_meta folder = { .mode = S_IFDIR | 0755 };
	struct tree_inode *made;

	if (!walk->tree)
		return -ENOENT;
	if (size > TREE_NAME_MAX || walk->at->depth == TREE_DEPTH_MAX)
		return -ENAMETOOLONG;
	made = inode_new(walk->tree, &folder);
	made->above = walk->at;
	made->depth = walk->at->depth + 1;
	entry_add(walk->at, entry_new(name, size), made, walk->layer);
	walk->at = made;
	return 0;
}

/* Goes one name further down. */
static int walk_step(struct walk *walk, const struct tree_inode *root, const char *name,
		     size_t size)
{
	struct tree_entry *entry;
	int absolute;

	if (name_is(name, size, "."))
		return 0;
	if (name_is(name, size, "..")) {
		walk->at = walk->at->above;
		return 0;
	}
	entry = entry_find(walk->at, name, size);
	if (!entry)
		return walk_make(walk, name, size);
	if (is_folder(entry->inode)) {
		walk->at = entry->inode;
		return 0;
	}
	if (!S_ISLNK(entry->inode->meta.mode))
		return -ENOTDIR;
	absolute = walk_link(walk, entry->inode);
	if (absolute > 0)
		walk->at = (struct tree_inode *)root;
	return MIN(absolute, 0);
}

/* The folder that `size` bytes of path lead to. */
static int folder_find(const struct tree *tree, struct tree *maker, unsigned layer,
		       const char *path, size_t size, struct tree_inode **ret_folder)
{
	struct walk walk = { .tree = maker, .layer = layer, .at = tree->root };
	const char *name;
	size_t name_size;
	int error = 0;

	walk.path = walk.rest = must_format("%.*s", (int)size, path);
	while (!error && name_next((const char **)&walk.rest, &name, &name_size))
		error = walk_step(&walk, tree->root, name, name_size);
	free(walk.path);
	if (error == 0)
		*ret_folder = walk.at;
	return error;
}

/* Splits a path of an archive into its folder and its last name; a size of 0 is the
 * root's. -EINVAL if ".." is in it. */
static int path_split(const char *path, size_t *ret_folder_size, const char **ret_name,
		      size_t *ret_name_size)
{
	const char *at = path, *name;
	size_t size;

	*ret_folder_size = *ret_name_size = 0;
	*ret_name = path;
	if (strlen(path) > PATH_LIMIT)
		return -ENAMETOOLONG;
	while (name_next(&at, &name, &size)) {
		if (name_is(name, size, ".."))
			return -EINVAL;
		if (name_is(name, size, "."))
			continue;
		if (size > TREE_NAME_MAX)
			return -ENAMETOOLONG;
		*ret_folder_size = name - path;
		*ret_name = name;
		*ret_name_size = size;
	}
	return 0;
}

/* -- what a layer does -- */

/* Makes room for an entry: removes what has its name, unless that is a folder and the new
 * one too, which is then returned. */
static struct tree_entry *place_clear(struct tree_inode *folder, const char *name,
				      size_t size, bool for_folder)
{
	struct tree_entry *old = entry_find(folder, name, size);

	if (old && for_folder && is_folder(old->inode))
		return old;
	if (old)
		entry_remove(old);
	return NULL;
}

static void inode_update(struct tree_inode *inode, const struct tree_meta *meta)
{
	xattrs_free(inode);
	meta_set(inode, meta);
}

int tree_put(struct tree *tree, unsigned layer, const char *path,
	     const struct tree_meta *meta, struct tree_inode **ret_inode)
{
	struct tree_inode *folder, *inode;
	struct tree_entry *old;
	size_t folder_size, size;
	const char *name;
	int error = path_split(path, &folder_size, &name, &size);

	if (error < 0)
		return error;
	if (S_ISLNK(meta->mode) && (!meta->target || !*meta->target))
		return -EINVAL;
	if (!size) {
		if (!S_ISDIR(meta->mode))
			return -EINVAL;
		inode_update(tree->root, meta);
		*ret_inode = tree->root;
		return 0;
	}
	error = folder_find(tree, tree, layer, path, folder_size, &folder);
	if (error < 0)
		return error;
	if (folder->depth == TREE_DEPTH_MAX)
		return -ENAMETOOLONG;
	old = place_clear(folder, name, size, S_ISDIR(meta->mode));
	if (old) {
		inode_update(old->inode, meta);
		old->layer = layer;
		*ret_inode = old->inode;
		return 0;
	}
	inode = inode_new(tree, meta);
	inode->above = folder;
	inode->depth = folder->depth + 1;
	entry_add(folder, entry_new(name, size), inode, layer);
	*ret_inode = inode;
	return 0;
}

int tree_hardlink(struct tree *tree, unsigned layer, const char *path, const char *target)
{
	struct tree_inode *inode = tree_find(tree, target), *folder;
	struct tree_entry *old;
	size_t folder_size, size;
	const char *name;
	int error = path_split(path, &folder_size, &name, &size);

	if (error < 0)
		return error;
	if (!inode)
		return -ENOENT;
	if (is_folder(inode))
		return -EPERM;
	if (!size)
		return -EINVAL;
	error = folder_find(tree, tree, layer, path, folder_size, &folder);
	if (error < 0)
		return error;
	old = entry_find(folder, name, size);
	if (old && old->inode == inode) {
		old->layer = layer;
		return 0;
	}
	place_clear(folder, name, size, false);
	/* Its only name may have been below a folder that stood in its way. */
	if (!inode->links)
		return -ENOENT;
	entry_add(folder, entry_new(name, size), inode, layer);
	return 0;
}

int tree_whiteout(struct tree *tree, unsigned layer, const char *path)
{
	struct tree_inode *folder;
	struct tree_entry *hidden;
	size_t folder_size, size;
	const char *name;
	int error = path_split(path, &folder_size, &name, &size);

	if (error < 0)
		return error;
	if (size < strlen(WHITEOUT) || memcmp(name, WHITEOUT, strlen(WHITEOUT)))
		return 0;
	error = folder_find(tree, NULL, layer, path, folder_size, &folder);
	if (error == -ENOENT)
		return 1;
	if (error < 0)
		return error;
	if (name_is(name, size, OPAQUE)) {
		folder_hide(folder, layer);
	} else if (size < strlen(AUFS) || memcmp(name, AUFS, strlen(AUFS))) {
		hidden = entry_find(folder, name + strlen(WHITEOUT),
				    size - strlen(WHITEOUT));
		if (hidden)
			entry_hide(hidden, layer);
	}
	return 1;
}

struct tree_inode *tree_find(const struct tree *tree, const char *path)
{
	struct tree_inode *folder;
	struct tree_entry *entry;
	size_t folder_size, size;
	const char *name;

	if (path_split(path, &folder_size, &name, &size) < 0 ||
	    folder_find(tree, NULL, 0, path, folder_size, &folder) < 0)
		return NULL;
	if (!size)
		return tree->root;
	entry = entry_find(folder, name, size);
	return entry ? entry->inode : NULL;
}
