/* Regular files of tmpfs: writing under seals, holes, preallocation. */
#include <asm/mman.h>
#include <linux/falloc.h>
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/inode.h"
#include "fs/tmpfs/tmpfs.h"

static int64_t tmpfs_write(struct file *f, struct uio *u, uint64_t *pos)
{
	struct inode *i = f->inode;

	mutex_lock(&i->lock);
	uint32_t seals = tmpfs_of(i)->seals;
	if (f->flags & O_APPEND)
		*pos = i->size;
	int64_t n;
	if (unlikely(u->left && ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) ||
				 ((seals & F_SEAL_GROW) && *pos + u->left > i->size))))
		n = -EPERM;
	else
		n = inode_write_locked(i, u, pos);
	mutex_unlock(&i->lock);
	return n;
}

static int tmpfs_mmap(struct file *f, struct map_request *r)
{
	uint32_t seals = tmpfs_of(f->inode)->seals;

	if ((r->flags & AREA_SHARED) && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))) {
		if (r->prot & PROT_WRITE)
			return -EPERM;
		r->flags &= ~(uint32_t)AREA_MAY_WRITE;
	}
	return generic_mmap(f, r);
}

/* ---- holes ---- */

static int64_t seek_data(struct inode *i, uint64_t off)
{
	uint64_t page;

	if (off >= i->size || !mapping_next(&i->mapping, off >> PAGE_SHIFT, &page))
		return -ENXIO;
	uint64_t at = MAX(off, page << PAGE_SHIFT);
	return at < i->size ? (int64_t)at : -ENXIO;
}

static int64_t seek_hole(struct inode *i, uint64_t off)
{
	uint64_t want = off >> PAGE_SHIFT, page;

	if (off >= i->size)
		return -ENXIO;
	while (mapping_next(&i->mapping, want, &page) && page == want)
		want++;
	return (int64_t)MIN(MAX(off, want << PAGE_SHIFT), (uint64_t)i->size);
}

static int64_t tmpfs_llseek(struct file *f, int64_t off, int whence)
{
	struct inode *i = f->inode;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_llseek(f, off, whence);
	if (off < 0)
		return -ENXIO;
	mutex_lock(&i->lock);
	int64_t to = whence == SEEK_DATA ? seek_data(i, (uint64_t)off)
					 : seek_hole(i, (uint64_t)off);
	mutex_unlock(&i->lock);
	if (to >= 0)
		f->pos = (uint64_t)to;
	return to;
}

/* ---- fallocate(2) ---- */

/* Whether the file system has room for what of pages [from, to) is not there yet. */
static bool has_room(struct inode *i, uint64_t from, uint64_t to)
{
	const struct tmpfs_sb *t = tmpfs_sb_of(i->sb);
	uint64_t need = to - from, at;

	for (uint64_t n = from; mapping_next(&i->mapping, n, &at) && at < to; n = at + 1)
		need--;
	uint64_t used = t->used_pages;
	return used <= t->max_pages && need <= t->max_pages - used;
}

/* Zero-filled pages for [off, end), so that writing there cannot find no space. */
static int allocate(struct inode *i, uint64_t off, uint64_t end)
{
	/* Before any is made: a failed call leaves the space as it was. */
	if (!has_room(i, off >> PAGE_SHIFT, (end + PAGE_SIZE - 1) >> PAGE_SHIFT))
		return -ENOSPC;
	for (uint64_t n = off >> PAGE_SHIFT; n < (end + PAGE_SIZE - 1) >> PAGE_SHIFT;
	     n++) {
		struct page *p;
		int err = mapping_get(&i->mapping, n, 0, &p);
		if (err)
			return err;
		page_put(p);
		if (!sched_may_go_on())
			return -EINTR;
	}
	return 0;
}

static int grow(struct inode *i, uint64_t end)
{
	struct uio none = { .left = 1 };

	return end <= i->size ? 0 : write_limit(i, end - 1, &none);
}

static int fallocate_locked(struct inode *i, int mode, uint64_t off, uint64_t end)
{
	bool keep = mode & FALLOC_FL_KEEP_SIZE;

	if ((mode & ~FALLOC_FL_KEEP_SIZE) &&
	    (tmpfs_of(i)->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))
		return -EPERM;
	/* Memory past the end is growth too, whether the size shows it or not. */
	if (!(mode & FALLOC_FL_PUNCH_HOLE) && end > i->size &&
	    (tmpfs_of(i)->seals & F_SEAL_GROW))
		return -EPERM;
	int err = mode & FALLOC_FL_PUNCH_HOLE ? 0 : grow(i, end);
	if (err)
		return err;
	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		mapping_punch(&i->mapping, off, end);
	if (!(mode & FALLOC_FL_PUNCH_HOLE))
		err = allocate(i, off, end);
	if (err) {
		/* What reaches past the end serves nobody, and would be there for
		 * good. */
		mapping_punch(&i->mapping, ALIGN_UP((uint64_t)i->size, PAGE_SIZE),
			      ALIGN_UP(end, PAGE_SIZE));
		return err;
	}
	if (!keep && end > i->size) {
		struct attr_change a = { .valid = ATTR_SIZE, .size = end };
		err = inode_setattr_simple(i, &a);
	}
	inode_touch(i, TOUCH_MTIME | TOUCH_CTIME);
	return err;
}

static int64_t tmpfs_fallocate(struct file *f, int mode, uint64_t off, uint64_t len)
{
	struct inode *i = f->inode;

	switch (mode & ~FALLOC_FL_KEEP_SIZE) {
	case 0:
	case FALLOC_FL_ZERO_RANGE:
		break;
	case FALLOC_FL_PUNCH_HOLE:
		if (mode & FALLOC_FL_KEEP_SIZE)
			break;
		return -EOPNOTSUPP;
	default:
		return -EOPNOTSUPP;
	}
	if (off + len > i->sb->max_bytes)
		return -EFBIG;
	mutex_lock(&i->lock);
	int err = fallocate_locked(i, mode, off, off + len);
	mutex_unlock(&i->lock);
	return err;
}

static int tmpfs_fsync(struct file *f)
{
	return 0;
}

const struct file_ops tmpfs_file_fops = {
	.read = generic_read,
	.write = tmpfs_write,
	.llseek = tmpfs_llseek,
	.mmap = tmpfs_mmap,
	.fsync = tmpfs_fsync,
	.fallocate = tmpfs_fallocate,
};

const struct inode_ops tmpfs_file_inode_ops = {
	.setattr = tmpfs_setattr,
	.setflags = tmpfs_setflags,
	.set_acl = tmpfs_set_acl,
	TMPFS_XATTR_OPS,
};
