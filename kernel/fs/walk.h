/*
 * A walk along a path's text. Callers that need more than path_at (open with O_CREAT,
 * rename) drive it in parts: walk_init, walk_parent or walk_all, walk_end.
 */
#ifndef FS_WALK_H
#define FS_WALK_H

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/mount.h"
#include "fs/name.h"

/* What the last component of a walk to the parent is. */
enum walk_last { LAST_NAME, LAST_DOT, LAST_DOTDOT, LAST_ROOT };

struct walk {
	struct path at;	  /* referenced: as far as the walk has come */
	const char *rest; /* text still to be walked */
	char *text;	  /* the link text that `rest` is in; NULL: the caller's */
	/* WALK_BENEATH, WALK_IN_ROOT: where it started; referenced */
	struct path scope;
	const struct cred *cred; /* borrowed */
	uint32_t flags;		 /* WALK_* */
	bool to_parent;		 /* stop in front of the last component */
	/* a slash follows the last component: a directory is meant */
	bool trailing;
	enum walk_last kind; /* to_parent: of `last` */
	struct qname last;   /* to_parent: below at.dentry; valid until walk_end */
	uint32_t links;	     /* symbolic links followed so far */
	uint32_t depth;	     /* used of stack */
	struct {
		char *text;
		const char *rest;
	} stack[SYMLINK_DEPTH_MAX]; /* what is left to do after the current link text */
};

/* Starts at dirfd and goes over what is cached. On error nothing is to be ended. */
must_use int walk_init(struct walk *w, int dirfd, const char *name, uint32_t flags,
		       bool to_parent, const struct cred *c);
/* To the end (or to the parent) of the text; `at` is the result. */
must_use int walk_run(struct walk *w);
/* The last component turned out to be this symbolic link (referenced, consumed): its text
 * is now the rest; walk_run goes on. */
must_use int walk_follow(struct walk *w, struct dentry *link);
/* Steps onto a child of `at` (consumes it), across mounts. */
must_use int walk_enter(struct walk *w, struct dentry *child);
void walk_end(struct walk *w);

/* All in one, for given credentials. */
must_use int walk_path(int dirfd, const char *name, uint32_t flags, const struct cred *c,
		       struct path *ret);

/* ---- fs/lookup.c ---- */

/* The child of a locked directory: from the cache or the file system. */
must_use int lookup_locked(struct dentry *dir, const struct qname *name,
			   struct dentry **ret);
/* The cached child if it still is right, else NULL; referenced. */
must_use struct dentry *lookup_cached(struct dentry *dir, const struct qname *name);

#endif
