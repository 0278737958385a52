/*
 * host/rootfs/tree.c on what hostile layers do: each line of the input is a step, its
 * first byte says which, the rest are paths. After every step T2 and T3 hold.
 */
/* link: host/rootfs/tree.c host/say.c host/util.c */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/rootfs/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* Counts the entries of each inode below a folder, in ->number. */
static void entries_count(struct tree_inode *folder)
{
	must(folder->depth <= TREE_DEPTH_MAX);
	for (struct tree_entry *e = folder->first; e; e = e->next) {
		size_t size = strlen(e->name);

		must(*e->at == e && e->folder == folder);
		must(size && size <= TREE_NAME_MAX && !strchr(e->name, '/'));
		must(strcmp(e->name, ".") && strcmp(e->name, ".."));
		e->inode->number++;
		if (S_ISDIR(e->inode->meta.mode)) {
			must(e->inode->above == folder && e->inode->number == 1);
			entries_count(e->inode);
		}
	}
}

static void tree_check(struct tree *tree)
{
	for (struct tree_inode *i = tree->inodes; i; i = i->next)
		i->number = 0;
	tree->root->number = 1;
	entries_count(tree->root);
	for (struct tree_inode *i = tree->inodes; i; i = i->next)
		must(i->number == i->links);
}

static void step(struct tree *tree, uint8_t what, char *path)
{
	static const uint32_t types[] = { S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR };
	char *colon = strchr(path, ':');
	const char *other = colon ? colon + 1 : "";
	struct tree_meta meta = { .mode = types[what >> 6] | 0644 };
	unsigned layer = (what >> 3) & 7;
	struct tree_inode *inode;

	if (colon)
		*colon = 0;
	meta.target = S_ISLNK(meta.mode) ? other : NULL;
	switch (what & 7) {
	case 0:
		(void)!tree_hardlink(tree, layer, path, other);
		break;
	case 1:
		(void)!tree_whiteout(tree, layer, path);
		break;
	default:
		if (tree_put(tree, layer, path, &meta, &inode) == 0)
			must(inode->links && inode->meta.mode == meta.mode);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree *tree = tree_new();
	char *text = must_alloc(size + 1), *at = text, *line;

	memcpy(text, data, size);
	while ((line = strsep(&at, "\n")))
		if (*line)
			step(tree, *line, line + 1);
	tree_check(tree);
	free(text);
	tree_free(tree);
	return 0;
}
