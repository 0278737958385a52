/* getdents and getdents64: the user's buffer is filled entry by entry. */
#include "fs/file.h"
#include "lib/string.h"
#include "sys/syscall.h"

/* getdents(2); the UAPI headers lack both. */
struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[NAME_MAX_LEN + 1];
};

struct linux_dirent {
	uint64_t d_ino;
	uint64_t d_off;
	uint16_t d_reclen;
	char d_name[NAME_MAX_LEN + 2]; /* d_type is the record's last byte */
};

struct fill {
	struct dir_ctx ctx; /* first: emit gets at the rest */
	uaddr_t to;
	size_t left, done;
	int err; /* why it stopped before the first entry */
};

static bool put_record(struct fill *f, const void *rec, size_t len)
{
	if (len > f->left) {
		f->err = -EINVAL;
		return false;
	}
	if (copy_out(f->to, rec, len)) {
		f->err = -EFAULT;
		return false;
	}
	f->to = uaddr_add(f->to, len);
	f->left -= len;
	f->done += len;
	return true;
}

static bool emit64(struct dir_ctx *c, const char *name, size_t len, uint64_t next_pos,
		   uint64_t ino, uint8_t type)
{
	struct linux_dirent64 e;
	size_t head = offsetof(struct linux_dirent64, d_name);
	size_t total = ALIGN_UP(head + len + 1, sizeof(uint64_t));

	if (len > NAME_MAX_LEN)
		return true;
	e.d_ino = ino;
	e.d_off = (int64_t)next_pos;
	e.d_reclen = (uint16_t)total;
	e.d_type = type;
	memcpy(e.d_name, name, len);
	memset(e.d_name + len, 0, total - head - len);
	return put_record(container_of(c, struct fill, ctx), &e, total);
}

static bool emit_old(struct dir_ctx *c, const char *name, size_t len, uint64_t next_pos,
		     uint64_t ino, uint8_t type)
{
	struct linux_dirent e;
	size_t head = offsetof(struct linux_dirent, d_name);
	size_t total = ALIGN_UP(head + len + 2, sizeof(uint64_t));

	if (len > NAME_MAX_LEN)
		return true;
	e.d_ino = ino;
	e.d_off = next_pos;
	e.d_reclen = (uint16_t)total;
	memcpy(e.d_name, name, len);
	memset(e.d_name + len, 0, total - head - len);
	((uint8_t *)&e)[total - 1] = type;
	return put_record(container_of(c, struct fill, ctx), &e, total);
}

static int64_t fill_dents(int fd, uaddr_t buf, uint32_t count,
			  bool (*emit)(struct dir_ctx *, const char *, size_t, uint64_t,
				       uint64_t, uint8_t))
{
	struct fill fill = { .ctx = { emit },
			     .to = buf,
			     .left = (int32_t)count < 0 ? 0 : count };
	struct fd_ref r;

	if (!fd_borrow(fd, &r))
		return -EBADF;
	int64_t n = file_iterate(r.file, &fill.ctx);
	fd_return(&r);
	if (fill.done)
		return (int64_t)fill.done;
	return n ? n : fill.err;
}

int64_t sys_getdents64(int32_t fd, uaddr_t buf, uint32_t count)
{
	return fill_dents(fd, buf, count, emit64);
}

int64_t sys_getdents(int32_t fd, uaddr_t buf, uint32_t count)
{
	return fill_dents(fd, buf, count, emit_old);
}
