/* getrandom(2). */
#include <linux/random.h>

#include "fs/devfs/random.h"
#include "sec/entropy.h"
#include "sys/syscall.h"

#define FLAGS (GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)
#define LENGTH_MAX 0x7ffff000ul /* as read(2): a page short of 2 GiB */

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
	uio_init_user(&u, buf, MIN(size, LENGTH_MAX));
	return random_read(&u);
}
