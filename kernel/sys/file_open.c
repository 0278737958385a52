/* open and its relatives; working directory, root, umask. */
#include <linux/openat2.h>

#include "fs/mount.h"
#include "fs/open.h"
#include "fs/tmpfs/tmpfs.h"
#include "lib/string.h"
#include "proc/audit.h"
#include "proc/policy.h"
#include "sys/syscall.h"

#include <linux/memfd.h>

static int64_t open_named(int dirfd, const char *name, uint32_t flags, uint32_t mode,
			  uint32_t walk_flags)
{
	struct file *f;

	int fd = fd_reserve(0);
	if (fd < 0)
		return fd;
	int err = file_open_at(dirfd, name, flags | O_LARGEFILE, mode, walk_flags, &f);
	if (err) {
		fd_release(fd);
		return err;
	}
	fd_install(fd, f, flags & O_CLOEXEC);
	return fd;
}

static int64_t open_user(int dirfd, uaddr_t path, uint32_t flags, uint32_t mode,
			 uint32_t walk_flags)
{
	struct pathname n;

	/* It would say a regular file where a folder was asked for. */
	if ((flags & O_CREAT) && (flags & O_DIRECTORY) && !(flags & O_PATH))
		return -EINVAL;
	/* O_TMPFILE without O_DIRECTORY, which is a part of it, is nothing. */
	if ((flags & O_TMPFILE & ~O_DIRECTORY) && !(flags & O_DIRECTORY))
		return -EINVAL;
	int64_t fd = name_get(path, walk_flags, &n);
	if (fd)
		return fd;
	fd = open_named(dirfd, n.s, flags, mode, walk_flags);
	name_put(&n);
	return fd;
}

int64_t sys_openat(int32_t dirfd, uaddr_t path, uint32_t flags, uint32_t mode)
{
	return open_user(dirfd, path, flags & OPEN_FLAGS, mode, 0);
}

int64_t sys_open(uaddr_t path, uint32_t flags, uint32_t mode)
{
	return sys_openat(AT_FDCWD, path, flags, mode);
}

int64_t sys_creat(uaddr_t path, uint32_t mode)
{
	return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

static const struct {
	uint64_t resolve;
	uint32_t walk;
} resolve_flags[] = {
	{ RESOLVE_NO_XDEV, WALK_NO_XDEV },
	{ RESOLVE_NO_MAGICLINKS, WALK_NO_MAGIC },
	{ RESOLVE_NO_SYMLINKS, WALK_NO_SYMLINKS | WALK_NO_MAGIC },
	{ RESOLVE_BENEATH, WALK_BENEATH },
	{ RESOLVE_IN_ROOT, WALK_IN_ROOT },
	{ RESOLVE_CACHED, WALK_CACHED },
};

/* openat2(2): unlike open(2) it refuses what it does not know or would ignore. */
static int check_how(const struct open_how *how, uint32_t *ret_walk)
{
	uint64_t known = 0;

	*ret_walk = 0;
	for (size_t k = 0; k < ARRAY_LEN(resolve_flags); k++) {
		known |= resolve_flags[k].resolve;
		if (how->resolve & resolve_flags[k].resolve)
			*ret_walk |= resolve_flags[k].walk;
	}
	bool creates = (how->flags & O_CREAT) || (how->flags & O_TMPFILE) == O_TMPFILE;
	if ((how->flags & ~(uint64_t)OPEN_FLAGS) || (how->resolve & ~known) ||
	    (how->resolve & RESOLVE_BENEATH && how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (creates ? how->mode & ~07777ull : how->mode)
		return -EINVAL;
	if ((how->flags & O_PATH) &&
	    (how->flags & ~(uint64_t)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)))
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED) &&
	    (how->flags & (O_TRUNC | O_CREAT | (O_TMPFILE & ~O_DIRECTORY))))
		return -EAGAIN;
	return 0;
}

int64_t sys_openat2(int32_t dirfd, uaddr_t path, uaddr_t uhow, uint64_t size)
{
	struct open_how how = { 0 };
	uint32_t walk;

	if (size < sizeof how)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	int64_t err = copy_in_struct(&how, sizeof how, uhow, size);
	if (!err)
		err = policy_check_fields(
			(uint64_t[]){ how.flags, how.mode, how.resolve });
	if (!err)
		err = check_how(&how, &walk);
	if (err)
		return err;
	return open_user(dirfd, path, (uint32_t)how.flags, (uint32_t)how.mode, walk);
}

int64_t sys_memfd_create(uaddr_t name, uint32_t flags)
{
	const size_t prefix = 6; /* "memfd:" counts towards NAME_MAX */
	char text[NAME_MAX_LEN + 1];
	struct file *f;

	if (flags & ~(uint32_t)(MFD_CLOEXEC | MFD_ALLOW_SEALING))
		return -EINVAL;
	int64_t n = copy_in_str(text, name, sizeof text - prefix);
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	int err = memfd_new(text, flags, &f);
	return err ? err : fd_add(f, flags & MFD_CLOEXEC);
}

/* ---- working directory, root ---- */

int64_t sys_getcwd(uaddr_t buf, uint64_t size)
{
	struct path cwd;
	int64_t r;

	char *tmp = heap_alloc(PATH_MAX_LEN);
	if (!tmp)
		return -ENOMEM;
	fs_cwd_get(&cwd);
	if (cwd.dentry->flags & DENTRY_UNHASHED) {
		r = -ENOENT;
	} else {
		char *s = path_text(&cwd, NULL, tmp, PATH_MAX_LEN);
		uint64_t len = s ? strlen(s) + 1 : 0;
		if (!s)
			r = -ENAMETOOLONG;
		else if (len > size)
			r = -ERANGE;
		else
			r = copy_out(buf, s, len) ? -EFAULT : (int64_t)len;
	}
	path_put(&cwd);
	heap_free(tmp);
	return r;
}

/* Takes over p when one may be in it. */
static int64_t enter_dir(struct path *p, void (*set)(const struct path *))
{
	int err = inode_permission(p->dentry->inode, MAY_EXEC);

	if (!err)
		set(p);
	path_put(p);
	return err;
}

int64_t sys_chdir(uaddr_t path)
{
	struct path p;

	int err = path_at_user(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &p);
	return err ? err : enter_dir(&p, fs_ctx_set_cwd);
}

int64_t sys_fchdir(int32_t fd)
{
	struct file *f = fd_get_any(fd);
	int64_t r = -ENOTDIR;

	if (!f)
		return -EBADF;
	if (S_ISDIR(f->inode->mode)) {
		struct path p = f->path;
		path_get(&p);
		r = enter_dir(&p, fs_ctx_set_cwd);
	}
	file_put(f);
	return r;
}

int64_t sys_chroot(uaddr_t path)
{
	struct path p;

	int err = path_at_user(AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &p);
	if (err)
		return err;
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_CHROOT)) {
		err = inode_permission(p.dentry->inode, MAY_EXEC);
		path_put(&p);
		return err ? err : -EPERM;
	}
	struct audit_draft told;
	err = audit_change_begin(&told, AUDIT_EVENT_ROOT, &p);
	if (!err)
		return audit_change_end(&told, (int)enter_dir(&p, fs_ctx_set_root));
	path_put(&p);
	return err;
}

int64_t sys_umask(uint32_t mask)
{
	struct fs_ctx *fs = thread_current()->fs;

	return __atomic_exchange_n((uint32_t *)&fs->umask, mask & 0777, __ATOMIC_RELAXED);
}
