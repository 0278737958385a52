/*
 * A file system in memory, without the files' bytes: what a folder or the layers of an
 * image add up to. Pure; every byte that comes in is hostile.
 *
 * T1  Paths stay inside: ".." is refused in a path, and in a link it stops at the root.
 * T2  Each entry has a name of 1 to 255 bytes, without '/', that is neither "." nor "..";
 *     no two of a folder have the same. A folder is at most TREE_DEPTH_MAX below the
 *     root.
 * T3  An inode's `links` is the number of its entries; 0 is one that was replaced.
 * T4  A later layer's entry takes the place of an earlier one's, but a folder's
 *     attributes only: its entries stay, until a whiteout hides them (OCI image-spec,
 *     layer.md).
 */
#ifndef HOST_ROOTFS_TREE_H
#define HOST_ROOTFS_TREE_H

#include "host/mayfly.h"

#define TREE_DEPTH_MAX 1024
#define TREE_NAME_MAX 255

struct tree_xattr {
	struct tree_xattr *next;
	char *name;
	size_t size;
	uint8_t value[];
};

/* What an entry says about its inode. Borrows; the tree copies. */
struct tree_meta {
	uint32_t mode; /* with its type */
	uint32_t uid, gid;
	uint32_t major, minor; /* of a device */
	int64_t mtime_s;
	uint32_t mtime_ns;
	uint64_t size;	    /* of a regular file */
	const char *target; /* of a symbolic link */
};

struct tree_entry {
	struct tree_entry *next, **at; /* in its folder, in the order they came */
	struct tree_inode *folder, *inode;
	unsigned layer;
	char name[];
};

struct tree_inode {
	struct tree_inode *next; /* of the tree, in the order they came */
	struct tree_meta meta;
	struct tree_xattr *xattrs;
	uint32_t links;
	unsigned layer; /* where its bytes are... */
	uint64_t index; /* ...as the reader of that layer counts */
	/* a folder's: */
	struct tree_entry *first, **end;
	void *names;		  /* tsearch(3) of entries by name */
	struct tree_inode *above; /* the root's is itself */
	unsigned depth;
	/* the writer's: */
	uint32_t number;
};

struct tree {
	struct tree_inode *root; /* a folder, always */
	struct tree_inode *inodes, **end;
};

struct tree *tree_new(void);
void tree_free(struct tree *tree);

/*
 * Puts an entry of layer `layer`, making folders above it that are missing. Links on the
 * way are followed, inside. "" and "." are the root. 0 with the inode, or -EINVAL (a path
 * that leaves, a link to nothing), -ENAMETOOLONG, -ENOTDIR, -ELOOP.
 */
must_use int tree_put(struct tree *tree, unsigned layer, const char *path,
		      const struct tree_meta *meta, struct tree_inode **ret_inode);
/* Puts another name of what `target` is. Also -ENOENT, -EPERM (a folder). */
must_use int tree_hardlink(struct tree *tree, unsigned layer, const char *path,
			   const char *target);
/* Does what a path of a layer says if its name is a whiteout's: 1; 0 if it is not, or
 * -errno. */
must_use int tree_whiteout(struct tree *tree, unsigned layer, const char *path);
/* What has that path, links on the way followed, but not the last; NULL if nothing
 * has. */
struct tree_inode *tree_find(const struct tree *tree, const char *path);
/* Sets an attribute, or replaces it. */
void tree_xattr_set(struct tree_inode *inode, const char *name, const void *value,
		    size_t size);

#endif
