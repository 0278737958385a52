/*
 * Names of AF_UNIX sockets: places in the file system, where the inode says which socket
 * is bound to it; abstract ones, in a tree; and the list of all sockets.
 *
 * Always true:
 *  W1  whoever is found by a name is not DEAD yet: release takes the name away first;
 *  W2  inode->rdev_state of a socket's place points at the socket while that holds the
 *      path, and is NULL before and after.
 *
 * Locks: names_lock over the tree, rdev_state and the list.
 */
#include "net/unix/unix.h"

#include <asm/errno.h>

#include "core/panic.h"
#include "fs/confine.h"
#include "fs/namei.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "sec/entropy.h"

#define PATH_AT offsetof(struct sockaddr_un, sun_path)

static struct spinlock names_lock = SPINLOCK_INIT(RANK_SOCK_NAMES);
static struct rb_tree abstracts;		 /* [names_lock] struct unix_name */
static struct list sockets = LIST_INIT(sockets); /* [names_lock] struct unix_sock */

/* ---- addresses ---- */

static bool is_abstract(const struct sock_addr *a)
{
	return a->bytes[PATH_AT] == 0;
}

/* A name to bind or to find: checked, and a path ends with its NUL. */
static int address_check(const struct sock_addr *a, struct sock_addr *ret)
{
	if (a->len <= PATH_AT || a->len > sizeof(struct sockaddr_un) ||
	    a->family != AF_UNIX)
		return -EINVAL;
	*ret = *a;
	ret->bytes[a->len] = 0;
	if (!is_abstract(ret))
		ret->len = PATH_AT + strlen((char *)ret->bytes + PATH_AT) + 1;
	return 0;
}

static struct unix_name *name_new(const struct sock_addr *a, int type)
{
	struct unix_name *n = heap_zalloc(sizeof *n);

	if (n) {
		ref_init(&n->refs, 1);
		n->address = *a;
		n->type = (uint16_t)type;
	}
	return n;
}

struct unix_name *unix_name_get(struct unix_name *n)
{
	ref_get(&n->refs);
	return n;
}

void unix_name_put(struct unix_name *n)
{
	if (n && ref_put(&n->refs))
		heap_free(n);
}

void unix_name_of(const struct unix_sock *u, struct sock_addr *ret)
{
	const struct unix_name *n = u->name;

	if (n)
		*ret = n->address;
	else
		ret->len = 0;
}

int unix_name(struct socket *s, bool peer, struct sock_addr *ret)
{
	struct unix_sock *u = unix_of(s), *of;

	of = peer ? unix_peer_get(u) : unix_get(u);
	if (!of)
		return -ENOTCONN;
	unix_name_of(of, ret);
	if (!ret->len) {
		ret->len = PATH_AT;
		ret->family = AF_UNIX;
	}
	unix_put(of);
	return 0;
}

/* ---- abstract names ---- */

/* Each type of socket has abstract names of its own. */
static int compare(const struct sock_addr *a, int type, const struct unix_name *n)
{
	const struct sock_addr *b = &n->address;

	if (type != n->type)
		return type < n->type ? -1 : 1;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	return memcmp(a->bytes, b->bytes, a->len);
}

/* With names_lock: who has the name, or where it belongs. */
static struct unix_name *abstract_find(const struct sock_addr *a, int type,
				       struct rb_node **ret_parent,
				       struct rb_node ***ret_link)
{
	struct rb_node **link = &abstracts.root, *parent = NULL;

	while (*link) {
		struct unix_name *n = container_of(*link, struct unix_name, node);
		int order = compare(a, type, n);

		if (!order)
			return n;
		parent = *link;
		link = order < 0 ? &parent->left : &parent->right;
	}
	*ret_parent = parent;
	*ret_link = link;
	return NULL;
}

static int bind_abstract(struct unix_sock *u, struct unix_name *n)
{
	struct rb_node *parent, **link;
	bool taken;

	spin_lock(&names_lock);
	taken = abstract_find(&n->address, n->type, &parent, &link);
	if (!taken) {
		rb_insert(&abstracts, &n->node, parent, link);
		n->sock = u;
	}
	spin_unlock(&names_lock);
	if (taken)
		return -EADDRINUSE;
	u->name = n;
	return 0;
}

static struct unix_sock *find_abstract(const struct sock_addr *a, int type)
{
	struct rb_node *parent, **link;
	struct unix_name *n;
	struct unix_sock *u;

	spin_lock(&names_lock);
	n = abstract_find(a, type, &parent, &link);
	u = n ? unix_get(n->sock) : NULL;
	spin_unlock(&names_lock);
	return u;
}

#define AUTO_NAMES 0x100000u /* five hexadecimal digits, unix(7) */

int unix_autobind(struct unix_sock *u)
{
	struct sock_addr a = { .len = PATH_AT + 6, .family = AF_UNIX };
	struct unix_name *n;
	uint32_t first;

	if (u->name)
		return 0;
	n = name_new(&a, u->sock.type);
	if (!n)
		return -ENOMEM;
	entropy_get(&first, sizeof first);
	for (uint32_t k = 0; k < AUTO_NAMES; k++) {
		char text[8];

		fmt_to(text, sizeof text, "%05x", (first + k) % AUTO_NAMES);
		memcpy(n->address.bytes + PATH_AT + 1, text, 5);
		if (!bind_abstract(u, n))
			return 0;
	}
	unix_name_put(n);
	return -ENOSPC;
}

int unix_autobind_for_creds(struct unix_sock *u)
{
	int err;

	if (!(u->sock.options & SOCK_OPT_PASSCRED) || u->name)
		return 0;
	mutex_lock(&u->control_lock);
	err = unix_autobind(u);
	mutex_unlock(&u->control_lock);
	return err;
}

/* ---- paths ---- */

static int bind_path(struct unix_sock *u, struct unix_name *n)
{
	uint32_t mode = u->sock.file->inode->mode & (S_IRWXU | S_IRWXG | S_IRWXO);

	/* Even where a default access control list would do without. */
	mode &= ~thread_current()->fs->umask;
	int err = vfs_mknod_path(AT_FDCWD, (char *)n->address.bytes + PATH_AT,
				 S_IFSOCK | mode, 0, &u->path);

	if (err)
		return err == -EEXIST ? -EADDRINUSE : err;
	spin_lock(&names_lock);
	u->path.dentry->inode->rdev_state = u;
	n->sock = u;
	spin_unlock(&names_lock);
	u->name = n;
	return 0;
}

static int find_path(const char *text, struct unix_sock **ret)
{
	struct unix_sock *u = NULL;
	struct path p;
	int err = path_at(AT_FDCWD, text, WALK_FOLLOW, &p);

	if (err)
		return err;
	err = path_permission(&p, MAY_WRITE);
	if (!err)
		err = confine_path(&p, WANT_CHANGE);
	if (!err && S_ISSOCK(p.dentry->inode->mode)) {
		spin_lock(&names_lock);
		u = p.dentry->inode->rdev_state;
		if (u)
			unix_get(u);
		spin_unlock(&names_lock);
	}
	path_put(&p);
	if (!err && !u)
		err = -ECONNREFUSED;
	*ret = u;
	return err;
}

/* ---- binding and finding ---- */

static int bind_named(struct unix_sock *u, const struct sock_addr *a)
{
	struct unix_name *n;
	int err;

	if (u->name)
		return -EINVAL;
	n = name_new(a, u->sock.type);
	if (!n)
		return -ENOMEM;
	err = is_abstract(a) ? bind_abstract(u, n) : bind_path(u, n);
	if (err)
		unix_name_put(n);
	return err;
}

int unix_bind(struct socket *s, const struct sock_addr *a)
{
	struct unix_sock *u = unix_of(s);
	bool any = a->len == PATH_AT && a->family == AF_UNIX;
	struct sock_addr named;
	int err = any ? 0 : address_check(a, &named);

	if (!err)
		err = mutex_lock_intr(&u->control_lock);
	if (err)
		return err;
	err = any ? unix_autobind(u) : bind_named(u, &named);
	mutex_unlock(&u->control_lock);
	return err;
}

int unix_find(const struct sock_addr *a, int type, struct unix_sock **ret)
{
	struct sock_addr named;
	struct unix_sock *u;
	int err = address_check(a, &named);

	if (err)
		return err;
	if (is_abstract(&named)) {
		u = find_abstract(&named, type);
		err = u ? 0 : -ECONNREFUSED;
	} else {
		err = find_path((char *)named.bytes + PATH_AT, &u);
	}
	if (!err && u->sock.type != type) {
		unix_put(u);
		err = -EPROTOTYPE;
	}
	if (!err)
		*ret = u;
	return err;
}

void unix_unbind(struct unix_sock *u)
{
	struct unix_name *n = u->name;

	/* An accepted socket only shares its listener's. */
	if (!n || n->sock != u)
		return;
	spin_lock(&names_lock);
	if (u->path.dentry)
		u->path.dentry->inode->rdev_state = NULL;
	else
		rb_erase(&abstracts, &n->node);
	n->sock = NULL;
	spin_unlock(&names_lock);
}

/* ---- the list ---- */

void unix_list_add(struct unix_sock *u)
{
	spin_lock(&names_lock);
	list_push_back(&sockets, &u->link);
	spin_unlock(&names_lock);
}

bool unix_list_del_last(struct unix_sock *u)
{
	bool last;

	spin_lock(&names_lock);
	last = ref_put(&u->refs);
	if (last)
		list_del(&u->link);
	spin_unlock(&names_lock);
	return last;
}

struct unix_sock *unix_list_next(struct unix_sock *at)
{
	struct unix_sock *u = NULL;
	struct list *next;

	spin_lock(&names_lock);
	next = at ? at->link.next : sockets.next;
	if (next != &sockets)
		u = unix_get(list_entry(next, struct unix_sock, link));
	spin_unlock(&names_lock);
	if (at)
		unix_put(at);
	return u;
}

void unix_names_init(void)
{
	rb_init(&abstracts, NULL);
}
