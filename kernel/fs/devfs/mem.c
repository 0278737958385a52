/* The devices that are no devices: /dev/null and /dev/zero (null(4)), /dev/full
 * (full(4)). */
#include "core/panic.h"
#include "fs/devfs/mem.h"
#include "fs/vfs.h"

#define MEM_MAJOR 1

static int64_t null_read(struct file *f, struct uio *u, uint64_t *pos)
{
	return 0;
}

static int64_t null_write(struct file *f, struct uio *u, uint64_t *pos)
{
	size_t n = u->left;

	u->left = 0;
	return (int64_t)n;
}

#define ZERO_CHUNK MIB(1)

static int64_t zero_read(struct file *f, struct uio *u, uint64_t *pos)
{
	int64_t done = 0;

	while (u->left) {
		size_t n = MIN(u->left, ZERO_CHUNK);
		int64_t r = uio_write_zero(u, n);

		if (r > 0)
			done += r;
		if (r < (int64_t)n)
			return done ? done : -EFAULT;
		if (u->left && !sched_may_go_on())
			break;
	}
	return done;
}

static int64_t full_write(struct file *f, struct uio *u, uint64_t *pos)
{
	return -ENOSPC;
}

/* Any position is as good as another; lseek(2) says 0, as on Linux. */
static int64_t no_seek(struct file *f, int64_t off, int whence)
{
	f->pos = 0;
	return 0;
}

/* Anonymous memory: a request without a mapping. mmap(2) makes shared ones an object. */
static int zero_mmap(struct file *f, struct map_request *r)
{
	r->mapping = NULL;
	r->ops = NULL;
	r->owner = NULL;
	r->pgoff = 0;
	return 0;
}

static const struct file_ops null_ops = {
	.read = null_read,
	.write = null_write,
	.llseek = no_seek,
	.nowait_read = true,
	.nowait_write = true,
};

static const struct file_ops zero_ops = {
	.read = zero_read,
	.write = null_write,
	.llseek = no_seek,
	.mmap = zero_mmap,
	.nowait_read = true,
	.nowait_write = true,
};

static const struct file_ops full_ops = {
	.read = zero_read,
	.write = full_write,
	.llseek = no_seek,
};

static const struct {
	uint32_t minor;
	const char *name;
	const struct file_ops *ops;
} devices[] = {
	{ 3, "null", &null_ops },
	{ 5, "zero", &zero_ops },
	{ 7, "full", &full_ops },
};

void mem_init(void)
{
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		insist(!chrdev_register(MEM_MAJOR, devices[i].minor, 1, devices[i].name,
					devices[i].ops));
}
