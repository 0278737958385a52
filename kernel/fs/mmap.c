/* Files mapped into memory: what the address space asks of an open file. */
#include <asm/mman.h>
#include <linux/falloc.h>

#include "fs/confine.h"
#include "fs/flags.h"
#include "fs/inode.h"
#include "lib/string.h"

static void area_get(void *owner)
{
	file_get(owner);
}

static void area_put(void *owner)
{
	file_put(owner);
}

static size_t area_name(void *owner, char *buf, size_t n)
{
	const struct file *f = owner;
	char *text = path_text(&f->path, NULL, buf, n);

	if (!text)
		return 0;
	size_t len = strlen(text);
	memmove(buf, text, len + 1);
	return len;
}

static void area_id(void *owner, uint64_t *ret_dev, uint64_t *ret_ino)
{
	const struct file *f = owner;
	struct kstat st = { 0 };

	if (vfs_getattr(&f->path, &st))
		st = (struct kstat){ 0 };
	*ret_dev = st.dev;
	*ret_ino = st.ino;
}

static void area_wrote(void *owner)
{
	struct file *f = owner;

	inode_touch(f->inode, TOUCH_MTIME | TOUCH_CTIME);
}

static int64_t area_punch(void *owner, uint64_t off, uint64_t len)
{
	struct file *f = owner;

	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	return vfs_fallocate(f, mode, off, len);
}

/* Does it reach further than any file of its kind can? */
static bool beyond_all_files(const struct file *f, const struct map_request *r)
{
	uint64_t max = f->inode->sb->max_bytes;

	return S_ISREG(f->inode->mode) &&
	       (r->pgoff > max >> PAGE_SHIFT || r->len > max - (r->pgoff << PAGE_SHIFT));
}

static int may_map(const struct file *f, const struct map_request *r)
{
	if (!(f->mode & FMODE_READ))
		return -EACCES;
	if ((r->flags & AREA_SHARED) && (r->prot & PROT_WRITE) &&
	    !(f->mode & FMODE_WRITE))
		return -EACCES;
	/* The map could be written anywhere. */
	if ((r->flags & AREA_SHARED) && (f->mode & FMODE_WRITE) &&
	    inode_is_append(f->inode))
		return -EACCES;
	if ((f->path.mnt->flags & MS_NOEXEC) && (r->prot & PROT_EXEC))
		return -EPERM;
	int err = r->prot & PROT_EXEC ? confine_path(&f->path, WANT_EXECUTE) : 0;
	if (err)
		return err;
	return beyond_all_files(f, r) ? -EOVERFLOW : 0;
}

/* As if it were mapped once more: the file system has its say too (seals). */
static int area_may_map(void *owner, const struct map_request *r)
{
	struct map_request again = *r;

	return file_mmap(owner, &again);
}

const struct area_ops file_area_ops = {
	.get = area_get,
	.put = area_put,
	.name = area_name,
	.id = area_id,
	.wrote = area_wrote,
	.punch = area_punch,
	.may_map = area_may_map,
};

int generic_mmap(struct file *f, struct map_request *r)
{
	if (!S_ISREG(f->inode->mode))
		return -ENODEV;
	r->mapping = &f->inode->mapping;
	r->ops = &file_area_ops;
	r->owner = f;
	file_accessed(f);
	return 0;
}

int file_mmap(struct file *f, struct map_request *r)
{
	int err = may_map(f, r);

	if (err)
		return err;
	r->flags |= AREA_MAY_READ;
	if (!(r->flags & AREA_SHARED) || (f->mode & FMODE_WRITE))
		r->flags |= AREA_MAY_WRITE;
	if (!(f->path.mnt->flags & MS_NOEXEC) && confine_allows_code(&f->path))
		r->flags |= AREA_MAY_EXEC;
	return f->ops && f->ops->mmap ? f->ops->mmap(f, r) : -ENODEV;
}
