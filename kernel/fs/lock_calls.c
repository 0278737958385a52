/* flock(2) and fcntl(2)'s locks, in terms of fs/locks.h. */
#include <linux/fs.h>

#include "fs/file.h"
#include "fs/locks.h"

int locks_flock(struct file *f, int op)
{
	struct file_lock want = {
		.family = FAMILY_FLOCK,
		.exclusive = (op & ~LOCK_NB) == LOCK_EX,
		.owner = f,
		.pid = fs_upcalls.current_tgid(),
		.end = LOCK_END,
	};

	switch (op & ~LOCK_NB) {
	case LOCK_SH:
	case LOCK_EX: {
		int err = file_lock_set(f, &want, false);
		if (err != -EAGAIN || (op & LOCK_NB))
			return err;
		/* A conversion is not atomic: the old lock goes before the wait. */
		err = file_lock_clear(f, &want);
		return err ? err : file_lock_set(f, &want, true);
	}
	case LOCK_UN:
		return file_lock_clear(f, &want);
	}
	return -EINVAL;
}

/* Where l_whence puts the range, fcntl(2): a negative length reaches backwards. */
static int range_of(struct file *f, const struct flock *l, struct file_lock *ret)
{
	int64_t base, start;

	switch (l->l_whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = (int64_t)f->pos;
		break;
	case SEEK_END:
		base = (int64_t)f->inode->size;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, (int64_t)l->l_start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	ret->start = start;
	ret->end = LOCK_END;
	if (l->l_len > 0 &&
	    __builtin_add_overflow(start, (int64_t)l->l_len - 1, &ret->end))
		return -EOVERFLOW;
	if (l->l_len < 0) {
		if (start + l->l_len < 0)
			return -EINVAL;
		ret->start = start + l->l_len;
		ret->end = start - 1;
	}
	return 0;
}

static int check_mode(const struct file *f, short type)
{
	switch (type) {
	case F_RDLCK:
		return f->mode & FMODE_READ ? 0 : -EBADF;
	case F_WRLCK:
		return f->mode & FMODE_WRITE ? 0 : -EBADF;
	case F_UNLCK:
		return 0;
	}
	return -EINVAL;
}

static bool is_ofd(int cmd)
{
	return cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

static int get_lock(struct file *f, const struct file_lock *want, struct flock *l)
{
	struct file_lock other;

	if (l->l_type != F_RDLCK && l->l_type != F_WRLCK)
		return -EINVAL;
	if (!file_lock_test(f, want, &other)) {
		l->l_type = F_UNLCK;
		return 0;
	}
	*l = (struct flock){
		.l_type = other.exclusive ? F_WRLCK : F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = other.start,
		.l_len = other.end == LOCK_END ? 0 : other.end - other.start + 1,
		.l_pid = other.pid,
	};
	return 0;
}

int locks_fcntl(struct file *f, int cmd, struct flock *l)
{
	bool ofd = is_ofd(cmd);
	struct file_lock want = {
		.family = ofd ? FAMILY_OFD : FAMILY_POSIX,
		.exclusive = l->l_type == F_WRLCK,
		.owner = ofd ? (const void *)f : (const void *)thread_current()->files,
		.pid = ofd ? -1 : fs_upcalls.current_tgid(),
	};

	if (ofd && l->l_pid != 0)
		return -EINVAL;
	int err = range_of(f, l, &want);
	if (err)
		return err;
	if (cmd == F_GETLK || cmd == F_OFD_GETLK)
		return get_lock(f, &want, l);
	err = check_mode(f, l->l_type);
	if (err)
		return err;
	if (l->l_type == F_UNLCK)
		return file_lock_clear(f, &want);
	return file_lock_set(f, &want, cmd == F_SETLKW || cmd == F_OFD_SETLKW);
}
