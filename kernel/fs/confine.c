/* Policies and files. See confine.h. */
#include "fs/confine.h"

#include <asm/errno.h>

#include "fs/landlock.h"
#include "lib/string.h"
#include "sec/policy.h"

/* What the rules of policies call it. */
static uint32_t access_of(uint32_t want)
{
	static const struct {
		uint32_t want, access;
	} names[] = {
		{ WANT_EXECUTE, POLICY_EXECUTE },
		{ WANT_WRITE_FILE | WANT_CHANGE, POLICY_MODIFY },
		{ WANT_READ_FILE | WANT_READ_DIR | WANT_WATCH, POLICY_READ },
		{ WANT_REMOVE_DIR | WANT_REMOVE_FILE, POLICY_REMOVE },
		{ WANT_MAKE_CHAR | WANT_MAKE_DIR | WANT_MAKE_REG | WANT_MAKE_SOCK |
			  WANT_MAKE_FIFO | WANT_MAKE_BLOCK | WANT_MAKE_SYM,
		  POLICY_CREATE },
		{ WANT_LOOK, POLICY_LOOK },
	};
	uint32_t access = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (want & names[i].want)
			access |= names[i].access;
	return access;
}

uint32_t want_of_open(const struct inode *i, uint32_t flags)
{
	uint32_t acc = flags & O_ACCMODE, want = 0;

	if (flags & O_PATH)
		return WANT_LOOK;
	if (acc == O_RDONLY || acc == O_RDWR)
		want |= S_ISDIR(i->mode) ? WANT_READ_DIR : WANT_READ_FILE;
	if (acc == O_WRONLY || acc == O_RDWR)
		want |= WANT_WRITE_FILE;
	if (flags & O_TRUNC)
		want |= WANT_CHANGE;
	return want ? want : WANT_LOOK;
}

uint32_t want_to_make(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return WANT_MAKE_DIR;
	case S_IFLNK:
		return WANT_MAKE_SYM;
	case S_IFIFO:
		return WANT_MAKE_FIFO;
	case S_IFSOCK:
		return WANT_MAKE_SOCK;
	case S_IFCHR:
		return WANT_MAKE_CHAR;
	case S_IFBLK:
		return WANT_MAKE_BLOCK;
	}
	return WANT_MAKE_REG;
}

/* ---- places ---- */

/* A place in words, and where they are kept: most are short. */
struct place {
	struct policy_place at;
	char *long_text;
	char text[192];
};

static int place_long(struct place *l, const struct path *p, const struct qname *child)
{
	l->long_text = heap_alloc(PATH_MAX_LEN);
	if (!l->long_text)
		return -ENOMEM;
	return path_place(p, child, l->long_text, PATH_MAX_LEN, &l->at.path);
}

/* place_end() comes after it, whatever it returns. */
static int place_begin(struct place *l, const struct path *p, const struct qname *child)
{
	l->long_text = NULL;
	int err = path_place(p, child, l->text, sizeof(l->text), &l->at.path);
	if (err == -ENAMETOOLONG)
		err = place_long(l, p, child);
	if (err)
		return err;
	l->at.len = strlen(l->at.path);
	l->at.self = fs_upcalls.current_tgid();
	return 0;
}

static void place_end(struct place *l)
{
	heap_free(l->long_text);
}

/* What never had a name (pipes, memory files) nobody can be denied who got hold of it,
 * but not as a program, unless all may run what they wrote; what cannot be found from
 * the root is nobody's. */
static int nameless(const struct policy_layer *top, int err, uint32_t want)
{
	if (err == -ENOMEM)
		return err;
	if (err == -ENXIO && (!(want & WANT_EXECUTE) ||
			      policy_layers_all_flag(top, POLICY_FLAG_EXEC_WRITE)))
		return 0;
	return fs_upcalls.confined(top, NULL, access_of(want)) ? 0 : -EACCES;
}

/* Does any place matter? To run what has none another right is needed. */
static bool is_limited(uint32_t access)
{
	uint32_t limited = thread_current()->gate.limited;

	return (access & limited) ||
	       ((access & POLICY_EXECUTE) && (limited & POLICY_CODE));
}

static int ask(const struct path *p, const struct qname *child, uint32_t want)
{
	const struct policy_layer *top = thread_current()->gate.policy, *by;
	uint32_t access = access_of(want);
	struct place l;

	if (!is_limited(access))
		return 0;
	int err = place_begin(&l, p, child);
	if (err) {
		err = nameless(top, err, want);
	} else {
		by = policy_layers_refuser(top, &l.at, access);
		if (by && !fs_upcalls.confined(by, &l.at, access))
			err = -EACCES;
	}
	place_end(&l);
	return err;
}

int confine_path_slow(const struct path *p, uint32_t want)
{
	int err = ask(p, NULL, want);

	return err ? err : landlock_check(p, want);
}

int confine_name_slow(const struct path *dir, const struct qname *name, uint32_t want)
{
	int err = ask(dir, name, want);

	return err ? err : landlock_check(dir, want);
}

static int check_moved(const struct policy_layer *top, const struct place *from,
		       const struct place *to, bool is_dir)
{
	uint32_t before = policy_layers_rights(top, &from->at);
	uint32_t after = policy_layers_rights(top, &to->at);

	if (after & ~before)
		return -EXDEV;
	return is_dir && (policy_layers_rules_below(top, &from->at) ||
			  policy_layers_rules_below(top, &to->at))
		       ? -EXDEV
		       : 0;
}

static int policy_check_moved(const struct path *from, const struct qname *old,
			      const struct path *to, const struct qname *new, bool is_dir)
{
	const struct policy_layer *top = thread_current()->gate.policy;
	/* Two are too much for a stack that a file system is still to use. */
	struct place *l = heap_alloc(2 * sizeof(*l));

	if (!top || !l) {
		heap_free(l);
		return top ? -ENOMEM : 0;
	}
	l[1].long_text = NULL;
	int err = place_begin(&l[0], from, old);
	if (!err)
		err = place_begin(&l[1], to, new);
	if (!err)
		err = check_moved(top, &l[0], &l[1], is_dir);
	else if (err != -ENOMEM)
		err = -EXDEV;
	place_end(&l[0]);
	place_end(&l[1]);
	heap_free(l);
	return err;
}

int confine_moved_slow(const struct path *from, const struct qname *old,
		       const struct path *to, const struct qname *new,
		       struct dentry *child)
{
	int err = policy_check_moved(from, old, to, new, S_ISDIR(child->inode->mode));

	return err ? err : landlock_check_moved(from, child, to);
}

int confine_tree(void)
{
	const struct policy_layer *top = thread_current()->gate.policy, *by;
	const struct policy_place root = { "/", 1, 0 };

	if (thread_current()->gate.landlock)
		return -EPERM;
	if (likely(!top))
		return 0;
	by = policy_layers_refuser(top, &root, POLICY_ACCESS_ALL);
	if (!by && policy_layers_rules_below(top, &root))
		by = top;
	return !by || fs_upcalls.confined(by, &root, POLICY_ACCESS_ALL) ? 0 : -EPERM;
}

int confine_device(void)
{
	const struct gate *g = &thread_current()->gate;

	return !(g->limited & POLICY_ACCESS_ALL) ||
			       fs_upcalls.confined(g->policy, NULL, POLICY_CREATE)
		       ? 0
		       : -EPERM;
}

bool confine_allows_code_slow(const struct path *p)
{
	const struct policy_layer *top = thread_current()->gate.policy;
	struct place l;

	if (!is_limited(POLICY_EXECUTE))
		return true;
	int err = place_begin(&l, p, NULL);
	bool may =
		err ? err == -ENXIO && policy_layers_all_flag(top, POLICY_FLAG_EXEC_WRITE)
		    : policy_layers_rights(top, &l.at) & POLICY_EXECUTE;
	place_end(&l);
	return may;
}
