/* /dev/random and /dev/urandom (random(4)). They differ only before the pool is ready. */
#include <linux/poll.h>
#include <linux/random.h>
#include <sodium/utils.h>

#include "core/panic.h"
#include "fs/devfs/random.h"
#include "sec/entropy.h"

#define MEM_MAJOR 1
#define RANDOM_MINOR 8
#define URANDOM_MINOR 9
#define CHUNK 1024u
#define POOL_BITS 256 /* what a ready pool says it has */

int64_t random_read(struct uio *u)
{
	uint8_t chunk[CHUNK];
	int64_t done = 0;

	while (u->left) {
		size_t n = MIN(u->left, sizeof(chunk));
		int64_t r;

		entropy_get(chunk, n);
		r = uio_write(u, chunk, n);
		sodium_memzero(chunk, n);
		if (r > 0)
			done += r;
		if (r < (int64_t)n)
			return done ? done : -EFAULT;
		if (u->left && !sched_may_go_on())
			break;
	}
	return done;
}

static int64_t urandom_read(struct file *f, struct uio *u, uint64_t *pos)
{
	return random_read(u);
}

static int64_t blocking_read(struct file *f, struct uio *u, uint64_t *pos)
{
	int err;

	if (!entropy_ready() && u->left) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = entropy_wait();
		if (err)
			return err;
	}
	return random_read(u);
}

/* Anybody may stir; only RNDADDENTROPY, with a capability, gives credit. */
static int64_t stir(struct uio *u, size_t left, uint32_t bits)
{
	uint8_t chunk[128];
	int64_t done = 0;

	while (left) {
		size_t n = MIN(left, sizeof(chunk));
		int64_t r = uio_read(u, chunk, n);

		if (r <= 0)
			return done ? done : -EFAULT;
		done += r;
		left -= (size_t)r;
		entropy_add(chunk, (size_t)r, left ? 0 : bits);
		sodium_memzero(chunk, sizeof(chunk));
		if (left && !sched_may_go_on())
			break;
	}
	return done;
}

static int64_t random_write(struct file *f, struct uio *u, uint64_t *pos)
{
	return stir(u, u->left, 0);
}

static int64_t add_entropy(uaddr_t arg)
{
	struct rand_pool_info info;
	struct uio u;
	int64_t r;

	if (copy_in(&info, arg, sizeof(info)))
		return -EFAULT;
	if (info.entropy_count < 0 || info.buf_size < 0)
		return -EINVAL;
	uio_init_user(&u, uaddr_add(arg, sizeof(info)), (size_t)info.buf_size);
	/* No byte holds more than eight bits, whatever is claimed. */
	r = stir(&u, u.left,
		 (uint32_t)MIN((int64_t)info.entropy_count, 8ll * info.buf_size));
	return r < 0 ? r : r < info.buf_size ? -EFAULT : 0;
}

static int64_t add_credit(uaddr_t arg)
{
	int32_t bits;

	if (get_user(bits, arg))
		return -EFAULT;
	if (bits < 0)
		return -EINVAL;
	entropy_add(NULL, 0, (uint32_t)bits);
	return 0;
}

static int64_t random_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	if (cmd == RNDGETENTCNT)
		return put_user(arg, (int32_t)(entropy_ready() ? POOL_BITS : 0));
	if (cmd != RNDADDENTROPY && cmd != RNDADDTOENTCNT && cmd != RNDRESEEDCRNG &&
	    cmd != RNDZAPENTCNT && cmd != RNDCLEARPOOL)
		return -EINVAL;
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
		return -EPERM;
	if (cmd == RNDADDENTROPY)
		return add_entropy(arg);
	if (cmd == RNDADDTOENTCNT)
		return add_credit(arg);
	if (cmd == RNDRESEEDCRNG) {
		if (!entropy_ready())
			return -ENODATA;
		entropy_reseed();
	}
	/* Nothing takes entropy away, so there is nothing to clear. */
	return 0;
}

static uint32_t random_poll(struct file *f, struct poll_table *pt)
{
	poll_add(pt, f, &entropy_waitq);
	return POLLOUT | POLLWRNORM | (entropy_ready() ? POLLIN | POLLRDNORM : 0);
}

static const struct file_ops random_ops = {
	.read = blocking_read,
	.write = random_write,
	.ioctl = random_ioctl,
	.poll = random_poll,
};

static const struct file_ops urandom_ops = {
	.read = urandom_read,
	.write = random_write,
	.ioctl = random_ioctl,
};

void random_init(void)
{
	insist(!chrdev_register(MEM_MAJOR, RANDOM_MINOR, 1, "random", &random_ops));
	insist(!chrdev_register(MEM_MAJOR, URANDOM_MINOR, 1, "urandom", &urandom_ops));
}
