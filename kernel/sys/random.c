/* getrandom(2). */
#include <linux/random.h>
#include <sodium/utils.h>

#include "fs/devfs/random.h"
#include "sec/entropy.h"
#include "sys/syscall.h"

#define FLAGS (GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)
#define LENGTH_MAX 0x7ffff000ul /* as read(2): a page short of 2 GiB */
#define SMALL 64u		/* keys and seeds: what nearly all calls are about */

/* False: not all of it could be written, and the long way will tell how much. */
static bool get_small(uaddr_t buf, size_t n)
{
	uint8_t bytes[SMALL];
	int err;

	entropy_get(bytes, n);
	err = copy_out(buf, bytes, n);
	sodium_memzero(bytes, sizeof(bytes));
	return !err;
}

int64_t sys_getrandom(uaddr_t buf, uint64_t size, uint32_t flags)
{
	struct uio u;
	int err;

	if ((flags & ~FLAGS) ||
	    (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if (unlikely(!entropy_ready()) && !(flags & GRND_INSECURE)) {
		if (flags & GRND_NONBLOCK)
			return -EAGAIN;
		err = entropy_wait();
		if (err)
			return err;
	}
	if (size <= SMALL && get_small(buf, size))
		return (int64_t)size;
	uio_init_user(&u, buf, MIN(size, LENGTH_MAX));
	return random_read(&u);
}
