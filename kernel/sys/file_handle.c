/* name_to_handle_at(2), open_by_handle_at(2). */
#include "fs/handle.h"

#include "fs/open.h"
#include "lib/string.h"
#include "sys/syscall.h"

/* What is given for a handle when there was no room for it. */
#define TYPE_NONE 255

static int64_t give(const struct path *p, uaddr_t to, uaddr_t mount_id)
{
	int32_t id = (int32_t)p->mnt->id;
	uint8_t bytes[FILE_HANDLE_MAX];
	struct file_handle_head h;
	size_t size;

	int err = vfs_handle_size(p, &size);
	if (err)
		return err;
	if (get_user(h, to))
		return -EFAULT;
	if (h.bytes > FILE_HANDLE_MAX)
		return -EINVAL;
	bool fits = h.bytes >= size;
	h = (struct file_handle_head){ (uint32_t)size,
				       fits ? FILE_HANDLE_TYPE : TYPE_NONE };
	if (fits)
		err = vfs_handle_give(p, bytes);
	if (err)
		return err;
	if (put_user(mount_id, id) || put_user(to, h))
		return -EFAULT;
	if (!fits)
		return -EOVERFLOW;
	return copy_out(uaddr_add(to, sizeof h), bytes, size);
}

int64_t sys_name_to_handle_at(int32_t dirfd, uaddr_t path, uaddr_t handle,
			      uaddr_t mount_id, uint32_t flags)
{
	uint32_t walk = flags & AT_SYMLINK_FOLLOW ? WALK_FOLLOW : 0;
	struct path p;

	if (flags & ~(uint32_t)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	int64_t r = path_at_user(dirfd, path, walk, &p);
	if (r)
		return r;
	r = give(&p, handle, mount_id);
	path_put(&p);
	return r;
}

/* The mount that a descriptor is on, by a path that holds it. */
static int place_of(int fd, struct path *ret)
{
	if (fd == AT_FDCWD) {
		fs_cwd_get(ret);
		return 0;
	}
	struct file *f = fd_get(fd);
	if (!f)
		return -EBADF;
	*ret = f->path;
	path_get(ret);
	file_put(f);
	return 0;
}

static int64_t open_handle(int mountfd, const struct file_handle_head *h,
			   const uint8_t *bytes, uint32_t flags)
{
	struct path at;
	struct file *f;

	int err = place_of(mountfd, &at);
	if (err)
		return err;
	err = vfs_handle_open(at.mnt, h->type, bytes, h->bytes, flags | O_LARGEFILE, &f);
	path_put(&at);
	return err ? err : fd_add(f, flags & O_CLOEXEC);
}

int64_t sys_open_by_handle_at(int32_t mountfd, uaddr_t handle, uint32_t flags)
{
	uint8_t bytes[FILE_HANDLE_MAX];
	struct file_handle_head h;

	if (!cred_has_cap(thread_current()->cred, CAP_DAC_READ_SEARCH))
		return -EPERM;
	if (get_user(h, handle))
		return -EFAULT;
	if (!h.bytes || h.bytes > FILE_HANDLE_MAX)
		return -EINVAL;
	if (copy_in(bytes, uaddr_add(handle, sizeof h), h.bytes))
		return -EFAULT;
	return open_handle(mountfd, &h, bytes, flags & OPEN_FLAGS);
}
