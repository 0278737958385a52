/* syslog(2): the kernel log for dmesg. Linux's actions, by number as the man page gives
 * them. */
#include "core/log.h"
#include "core/sched.h"
#include "core/spinlock.h"
#include "fs/kmsg.h"
#include "mm/slab.h"
#include "sec/cred.h"
#include "sys/syscall.h"

enum action {
	ACTION_CLOSE,
	ACTION_OPEN,
	ACTION_READ,
	ACTION_READ_ALL,
	ACTION_READ_CLEAR,
	ACTION_CLEAR,
	ACTION_CONSOLE_OFF,
	ACTION_CONSOLE_ON,
	ACTION_CONSOLE_LEVEL,
	ACTION_SIZE_UNREAD,
	ACTION_SIZE_BUFFER,
};

static struct spinlock lock = SPINLOCK_INIT(RANK_LEAF);
static uint64_t cleared_to; /* [lock] what READ_ALL no longer shows */

static uint64_t position_get(const uint64_t *p)
{
	spin_lock(&lock);
	uint64_t v = *p;
	spin_unlock(&lock);
	return v;
}

static void position_set(uint64_t *p, uint64_t v)
{
	spin_lock(&lock);
	if (v > *p)
		*p = v;
	spin_unlock(&lock);
}

/* The newest `len` bytes after `from`; *ret_end: where the log ends now. */
static int64_t read_tail(uint64_t from, uaddr_t buf, size_t len, uint64_t *ret_end)
{
	char *text = heap_alloc(log_size());
	if (!text)
		return -ENOMEM;
	uint64_t pos = from;
	size_t n = log_read(&pos, text, log_size());
	size_t skip = n > len ? n - len : 0;
	int64_t err = copy_out(buf, text + skip, n - skip);
	heap_free(text);
	*ret_end = pos;
	return err ? err : (int64_t)(n - skip);
}

static int64_t read_next(uaddr_t buf, size_t len)
{
	struct uio u;

	uio_init_user(&u, buf, len);
	return kmsg_take(&u, false);
}

static int64_t read_all(uaddr_t buf, int32_t len, bool clear)
{
	uint64_t end;
	int64_t n = read_tail(position_get(&cleared_to), buf, (size_t)len, &end);
	if (n >= 0 && clear)
		position_set(&cleared_to, end);
	return n;
}

int64_t sys_syslog(int32_t type, uaddr_t buf, int32_t len)
{
	bool reads = type >= ACTION_READ && type <= ACTION_READ_CLEAR;
	if (type < 0 || type > ACTION_SIZE_BUFFER || (reads && (!buf.va || len < 0)))
		return -EINVAL;
	/* All of it, as kernel.dmesg_restrict says. */
	if (!cred_has_cap(thread_current()->cred, CAP_SYSLOG))
		return -EPERM;
	uint64_t end;
	switch (type) {
	case ACTION_READ:
		return read_next(buf, (size_t)len);
	case ACTION_READ_ALL:
	case ACTION_READ_CLEAR:
		return read_all(buf, len, type == ACTION_READ_CLEAR);
	case ACTION_CLEAR:
		end = log_end();
		position_set(&cleared_to, end);
		return 0;
	case ACTION_CONSOLE_LEVEL:
		if (len < 1 || len > 8)
			return -EINVAL;
		log_set_console_level((enum log_level)(len - 1));
		return 0;
	case ACTION_SIZE_UNREAD:
		return (int64_t)kmsg_untaken();
	case ACTION_SIZE_BUFFER:
		return (int64_t)log_size();
	default: /* opening, closing and muting need nothing done */
		return 0;
	}
}
