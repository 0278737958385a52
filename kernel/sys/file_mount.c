/* mount, umount2, pivot_root. All of them are for CAP_SYS_ADMIN. */
#include "fs/confine.h"
#include "fs/mount.h"
#include "proc/audit.h"
#include "sys/syscall.h"

#define KERNEL_FLAGS 0x7fffffffull /* those above are not for callers */
#define PROPAGATION ((uint32_t)(MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))

struct mount_args {
	const char *source, *type, *data; /* NULL: not given */
	uint32_t flags;
};

static bool may_mount(void)
{
	return cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN);
}

/* relatime is what Linux gives unless told otherwise. */
static uint32_t mount_flags(uint32_t flags)
{
	uint32_t own = flags & MOUNT_FLAGS;

	if (!(flags & (MS_NOATIME | MS_STRICTATIME)))
		own |= MS_RELATIME;
	return own | (flags & (MS_BIND | MS_REMOUNT));
}

static int from_path(const struct mount_args *a, const struct path *at,
		     int (*fn)(const struct path *from, const struct path *at,
			       uint32_t flags))
{
	struct path from;

	if (!a->source || !*a->source)
		return -EINVAL;
	int err = path_at(AT_FDCWD, a->source, WALK_FOLLOW, &from);
	if (err)
		return err;
	err = fn(&from, at, a->flags);
	path_put(&from);
	return err;
}

static int do_bind(const struct path *from, const struct path *at, uint32_t flags)
{
	return mount_bind(from, at, flags & MS_REC, flags);
}

static int do_move(const struct path *from, const struct path *at, uint32_t flags)
{
	return mount_move(from, at);
}

/* One name space: mounts have nobody to propagate to. Still exactly one way is asked for,
 * and nothing else with it. */
static int do_propagation(uint32_t flags, const struct path *at)
{
	uint32_t way = flags & ~(uint32_t)(MS_REC | MS_SILENT);

	if ((way & ~PROPAGATION) || (way & (way - 1)) || at->dentry != at->mnt->root)
		return -EINVAL;
	return 0;
}

static int carry_out(const struct mount_args *a, const struct path *at)
{
	if (a->flags & MS_REMOUNT)
		return mount_remount(at, mount_flags(a->flags), a->data);
	if (a->flags & MS_BIND)
		return from_path(a, at, do_bind);
	if (a->flags & PROPAGATION)
		return do_propagation(a->flags, at);
	if (a->flags & MS_MOVE)
		return from_path(a, at, do_move);
	if (!a->type)
		return -EINVAL;
	return mount_fs(a->type, a->source, a->data, at, mount_flags(a->flags));
}

static int do_mount(const struct mount_args *a, const struct path *at)
{
	struct audit_draft told;
	int err = confine_tree();

	if (!err)
		err = audit_change_begin(&told, AUDIT_EVENT_MOUNT, at);
	return err ? err : audit_change_end(&told, carry_out(a, at));
}

static int do_umount(const struct path *at, uint32_t flags)
{
	struct audit_draft told;
	int err = confine_tree();

	if (!err)
		err = audit_change_begin(&told, AUDIT_EVENT_MOUNT, at);
	return err ? err : audit_change_end(&told, mount_umount(at, flags));
}

static int do_pivot(const struct path *new, const struct path *old)
{
	struct audit_draft told;
	int err = confine_tree();

	if (!err)
		err = audit_change_begin(&told, AUDIT_EVENT_ROOT, new);
	return err ? err : audit_change_end(&told, mount_pivot(new, old));
}

/* A string that may be absent, into a page of its own. */
static int copy_string(uaddr_t from, size_t max, char **ret)
{
	*ret = NULL;
	if (!from.va)
		return 0;
	char *s = heap_alloc(max);
	if (!s)
		return -ENOMEM;
	int64_t n = copy_in_str(s, from, max);
	if (n < 0) {
		heap_free(s);
		return n == -ENAMETOOLONG ? -EINVAL : (int)n;
	}
	*ret = s;
	return 0;
}

int64_t sys_mount(uaddr_t source, uaddr_t target, uaddr_t type, uint64_t flags,
		  uaddr_t data)
{
	char *src = NULL, *fs = NULL, *opt = NULL;
	struct path at;

	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(uint64_t)MS_MGC_MSK;
	int err = copy_string(type, PAGE_SIZE, &fs);
	if (!err)
		err = copy_string(source, PATH_MAX_LEN, &src);
	if (!err)
		err = copy_string(data, PAGE_SIZE, &opt);
	if (!err)
		err = path_at_user(AT_FDCWD, target, WALK_FOLLOW, &at);
	if (!err) {
		struct mount_args a = { src, fs, opt, (uint32_t)flags };
		err = flags > KERNEL_FLAGS ? -EINVAL
		      : may_mount()	   ? do_mount(&a, &at)
					   : -EPERM;
		path_put(&at);
	}
	heap_free(opt);
	heap_free(src);
	heap_free(fs);
	return err;
}

int64_t sys_umount2(uaddr_t target, uint32_t flags)
{
	struct path at;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	int err = path_at_user(AT_FDCWD, target,
			       flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &at);
	if (err)
		return err;
	err = may_mount() ? do_umount(&at, flags) : -EPERM;
	dentry_put(at.dentry);
	mount_put_unused(at.mnt);
	return err;
}

int64_t sys_pivot_root(uaddr_t new_root, uaddr_t put_old)
{
	struct path new, old;

	if (!may_mount())
		return -EPERM;
	int err = path_at_user(AT_FDCWD, new_root, WALK_FOLLOW | WALK_DIRECTORY, &new);
	if (err)
		return err;
	err = path_at_user(AT_FDCWD, put_old, WALK_FOLLOW | WALK_DIRECTORY, &old);
	if (!err) {
		err = do_pivot(&new, &old);
		path_put(&old);
	}
	path_put(&new);
	return err;
}
