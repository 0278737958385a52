/* The xattr family: twelve calls, four things to do, three ways to name the file. */
#include <linux/limits.h>
#include <linux/xattr.h>

#include "fs/xattr.h"
#include "lib/string.h"
#include "sys/syscall.h"

struct xattr_call {
	uaddr_t name, value;
	uint64_t size;
	uint32_t flags;
	int64_t (*fn)(const struct xattr_call *c, const struct path *p);
};

static int64_t on_path(uaddr_t path, uint32_t walk, const struct xattr_call *c)
{
	struct path p;

	int64_t r = path_at_user(AT_FDCWD, path, walk, &p);
	if (r)
		return r;
	r = c->fn(c, &p);
	path_put(&p);
	return r;
}

static int64_t on_fd(int fd, const struct xattr_call *c)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	int64_t r = c->fn(c, &f->path);
	file_put(f);
	return r;
}

static int copy_name(const struct xattr_call *c, char name[XATTR_NAME_MAX + 1])
{
	int64_t n = copy_in_str(name, c->name, XATTR_NAME_MAX + 1);

	if (n == 0 || n == -ENAMETOOLONG)
		return -ERANGE;
	return n < 0 ? (int)n : 0;
}

/* A buffer of at least one byte, so that NULL always means no memory. */
static void *value_buf(uint64_t size)
{
	return heap_alloc(size ? size : 1);
}

static int64_t do_get(const struct xattr_call *c, const struct path *p)
{
	char name[XATTR_NAME_MAX + 1];
	uint64_t size = MIN(c->size, (uint64_t)XATTR_SIZE_MAX);

	int64_t r = copy_name(c, name);
	if (r)
		return r;
	void *buf = value_buf(size);
	if (!buf)
		return -ENOMEM;
	r = vfs_getxattr(p, name, buf, size);
	if (r > 0 && size && copy_out(c->value, buf, (size_t)r))
		r = -EFAULT;
	heap_free(buf);
	return r;
}

static int64_t do_list(const struct xattr_call *c, const struct path *p)
{
	uint64_t size = MIN(c->size, (uint64_t)XATTR_LIST_MAX);
	char *buf = value_buf(size);

	if (!buf)
		return -ENOMEM;
	int64_t r = vfs_listxattr(p, buf, size);
	if (r > 0 && size && copy_out(c->value, buf, (size_t)r))
		r = -EFAULT;
	heap_free(buf);
	return r;
}

static int64_t do_set(const struct xattr_call *c, const struct path *p)
{
	char name[XATTR_NAME_MAX + 1];

	int64_t r = copy_name(c, name);
	if (r)
		return r;
	if (c->size > XATTR_SIZE_MAX)
		return -E2BIG;
	void *buf = value_buf(c->size);
	if (!buf)
		return -ENOMEM;
	r = copy_in(buf, c->value, c->size);
	if (!r)
		r = vfs_setxattr(p, name, buf, c->size, (int)c->flags);
	heap_free(buf);
	return r;
}

static int64_t do_remove(const struct xattr_call *c, const struct path *p)
{
	char name[XATTR_NAME_MAX + 1];

	int err = copy_name(c, name);
	return err ? err : vfs_removexattr(p, name);
}

static int check_set(uint32_t flags)
{
	return flags & ~(uint32_t)(XATTR_CREATE | XATTR_REPLACE) ? -EINVAL : 0;
}

int64_t sys_getxattr(uaddr_t path, uaddr_t name, uaddr_t value, uint64_t size)
{
	return on_path(path, WALK_FOLLOW,
		       &(struct xattr_call){ name, value, size, 0, do_get });
}

int64_t sys_lgetxattr(uaddr_t path, uaddr_t name, uaddr_t value, uint64_t size)
{
	return on_path(path, 0, &(struct xattr_call){ name, value, size, 0, do_get });
}

int64_t sys_fgetxattr(int32_t fd, uaddr_t name, uaddr_t value, uint64_t size)
{
	return on_fd(fd, &(struct xattr_call){ name, value, size, 0, do_get });
}

int64_t sys_setxattr(uaddr_t path, uaddr_t name, uaddr_t value, uint64_t size,
		     uint32_t flags)
{
	int err = check_set(flags);
	return err ? err
		   : on_path(path, WALK_FOLLOW,
			     &(struct xattr_call){ name, value, size, flags, do_set });
}

int64_t sys_lsetxattr(uaddr_t path, uaddr_t name, uaddr_t value, uint64_t size,
		      uint32_t flags)
{
	int err = check_set(flags);
	return err ? err
		   : on_path(path, 0,
			     &(struct xattr_call){ name, value, size, flags, do_set });
}

int64_t sys_fsetxattr(int32_t fd, uaddr_t name, uaddr_t value, uint64_t size,
		      uint32_t flags)
{
	int err = check_set(flags);
	return err ? err
		   : on_fd(fd, &(struct xattr_call){ name, value, size, flags, do_set });
}

int64_t sys_listxattr(uaddr_t path, uaddr_t list, uint64_t size)
{
	return on_path(path, WALK_FOLLOW,
		       &(struct xattr_call){ UADDR_NULL, list, size, 0, do_list });
}

int64_t sys_llistxattr(uaddr_t path, uaddr_t list, uint64_t size)
{
	return on_path(path, 0,
		       &(struct xattr_call){ UADDR_NULL, list, size, 0, do_list });
}

int64_t sys_flistxattr(int32_t fd, uaddr_t list, uint64_t size)
{
	return on_fd(fd, &(struct xattr_call){ UADDR_NULL, list, size, 0, do_list });
}

int64_t sys_removexattr(uaddr_t path, uaddr_t name)
{
	return on_path(path, WALK_FOLLOW,
		       &(struct xattr_call){ name, UADDR_NULL, 0, 0, do_remove });
}

int64_t sys_lremovexattr(uaddr_t path, uaddr_t name)
{
	return on_path(path, 0,
		       &(struct xattr_call){ name, UADDR_NULL, 0, 0, do_remove });
}

int64_t sys_fremovexattr(int32_t fd, uaddr_t name)
{
	return on_fd(fd, &(struct xattr_call){ name, UADDR_NULL, 0, 0, do_remove });
}
