/*
 * What policies and Landlock say to the use of files: asked with the place that was
 * reached, where permission is decided too (F5), so no other name of it leads around.
 *
 * A thread under neither pays for a look at two words. Of what a policy does not allow
 * fs_upcalls.confined hears: the layer, the place (NULL: it has none), what was wanted;
 * true: it goes on all the same. Inode locks are held.
 */
#ifndef FS_CONFINE_H
#define FS_CONFINE_H

#include "fs/vfs.h"

/* What is wanted: the numbers of LANDLOCK_ACCESS_FS_*, and what Landlock does not
 * know. */
enum want {
	WANT_EXECUTE = 1 << 0,
	WANT_WRITE_FILE = 1 << 1,
	WANT_READ_FILE = 1 << 2,
	WANT_READ_DIR = 1 << 3,
	WANT_REMOVE_DIR = 1 << 4,
	WANT_REMOVE_FILE = 1 << 5,
	WANT_MAKE_CHAR = 1 << 6,
	WANT_MAKE_DIR = 1 << 7,
	WANT_MAKE_REG = 1 << 8,
	WANT_MAKE_SOCK = 1 << 9,
	WANT_MAKE_FIFO = 1 << 10,
	WANT_MAKE_BLOCK = 1 << 11,
	WANT_MAKE_SYM = 1 << 12,
	WANT_LOOK = 1 << 24,   /* attributes; to be in a folder */
	WANT_CHANGE = 1 << 25, /* attributes, size; to connect to a socket */
	WANT_WATCH = 1 << 26,  /* to hear of what is done to it */
};

must_use int confine_path_slow(const struct path *p, uint32_t want);
must_use int confine_name_slow(const struct path *dir, const struct qname *name,
			       uint32_t want);
must_use int confine_moved_slow(const struct path *from, const struct qname *old,
				const struct path *to, const struct qname *new,
				struct dentry *child);

static inline bool is_confined(void)
{
	const struct gate *g = &thread_current()->gate;

	return unlikely(g->limited || g->landlock);
}

/* 0 or -EACCES. */
must_use static inline int confine_path(const struct path *p, uint32_t want)
{
	return is_confined() ? confine_path_slow(p, want) : 0;
}
/* The same for what has, or is to have, that name in dir. */
must_use static inline int confine_name(const struct path *dir, const struct qname *name,
					uint32_t want)
{
	return is_confined() ? confine_name_slow(dir, name, want) : 0;
}
/* What is wanted of the file to open it; want_to_make: for making one of that mode. */
uint32_t want_of_open(const struct inode *i, uint32_t flags);
uint32_t want_to_make(uint32_t mode);
/* What to take the name of such a one away. */
static inline uint32_t want_to_remove(uint32_t mode)
{
	return S_ISDIR(mode) ? WANT_REMOVE_DIR : WANT_REMOVE_FILE;
}

/*
 * May `child`, `old` in `from`, be `new` in `to` as well or instead? -EXDEV if that would
 * allow more to be done with it than before, or if it is a folder with places in it that
 * a rule names: then only copying is left, which is asked about byte by byte.
 */
must_use static inline int confine_moved(const struct path *from, const struct qname *old,
					 const struct path *to, const struct qname *new,
					 struct dentry *child)
{
	return is_confined() ? confine_moved_slow(from, old, to, new, child) : 0;
}

/* Mounts and roots move everything below them: 0 or -EPERM. */
must_use int confine_tree(void);
/* A device has no place: a node for it is another name of all that it leads to. 0 or
 * -EPERM, unless the policies allow everything everywhere. */
must_use int confine_device(void);
/* Could it be mapped as code? Nobody is told if not. */
bool confine_allows_code_slow(const struct path *p);
static inline bool confine_allows_code(const struct path *p)
{
	return !is_confined() || confine_allows_code_slow(p);
}

#endif
