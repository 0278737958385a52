/*
 * The only way to user memory. All return 0 or -EFAULT; a range that leaves user space is
 * a fault before anything is touched, unless there is nothing to touch: no bytes are at
 * any address. They may sleep (page faults), so no spinlock is held.
 */
#ifndef MM_USERCOPY_H
#define MM_USERCOPY_H

#include <asm/errno.h>
#include <linux/uio.h>

#include "arch/arch.h"

static inline bool user_range_ok(uaddr_t a, size_t n)
{
	return n <= USER_END && a.va <= USER_END - n;
}

static inline uaddr_t uaddr_add(uaddr_t a, uint64_t n)
{
	return UADDR(a.va + n);
}

must_use static inline int copy_in(void *dst, uaddr_t src, size_t n)
{
	return (user_range_ok(src, n) && !arch_user_read(dst, src.va, n)) || !n ? 0
										: -EFAULT;
}

must_use static inline int copy_out(uaddr_t dst, const void *src, size_t n)
{
	return (user_range_ok(dst, n) && !arch_user_write(dst.va, src, n)) || !n
		       ? 0
		       : -EFAULT;
}

must_use static inline int user_zero(uaddr_t dst, size_t n)
{
	return user_range_ok(dst, n) && !arch_user_zero(dst.va, n) ? 0 : -EFAULT;
}

/* Length without NUL, -EFAULT, or -ENAMETOOLONG when max bytes hold no NUL. */
must_use int64_t copy_in_str(char *dst, uaddr_t src, size_t max);
/* Struct of a size that user space states (openat2, clone3): bytes we do not know must be
 * zero. 0, -EFAULT, -E2BIG. */
must_use int copy_in_struct(void *dst, size_t dst_size, uaddr_t src, size_t src_size);

#define put_user(dst, val)                                                               \
	({                                                                               \
		__typeof__(val) v_ = (val);                                              \
		copy_out((dst), &v_, sizeof v_);                                         \
	})
#define get_user(lval, src) copy_in(&(lval), (src), sizeof(lval))

/*
 * A walk over user or kernel buffers, as read and write want it. `left` counts down.
 */
struct uio {
	bool kernel;	   /* segments are kernel addresses */
	bool nowait;	   /* RWF_NOWAIT: as on a non-blocking file */
	struct iovec *iov; /* current segment; borrows */
	size_t seg_off;	   /* bytes of it already done */
	size_t segs;	   /* segments left, with the current one */
	size_t left;	   /* bytes left in all */
	struct iovec one;  /* storage for the single-buffer forms */
};

#define RW_MAX 0x7ffff000ul /* what one read or write moves at most, as on Linux */

static inline void uio_init_one(struct uio *u, void *base, size_t n, bool kernel)
{
	u->kernel = kernel;
	u->nowait = false;
	u->one = (struct iovec){ .iov_base = base, .iov_len = n };
	u->iov = &u->one;
	u->seg_off = 0;
	u->segs = 1;
	u->left = n;
}

static inline void uio_init_user(struct uio *u, uaddr_t buf, size_t n)
{
	uio_init_one(u, (void *)buf.va, MIN(n, RW_MAX), false);
}

void uio_init_kernel(struct uio *u, void *buf, size_t n);
/* Copies the vector in; *ret_iov is to be freed with heap_free after use (NULL if it fit
 * in `fast`). 0, -EFAULT, -EINVAL (bad count or length sum), -ENOMEM. */
must_use int uio_init_vec(struct uio *u, uaddr_t vec, size_t count, struct iovec *fast,
			  size_t fast_n, struct iovec **ret_iov);

/* What the three below do when it is not the common case. */
must_use int64_t uio_write_slow(struct uio *u, const void *src, size_t n);
must_use int64_t uio_read_slow(struct uio *u, void *dst, size_t n);
must_use int64_t uio_write_zero_slow(struct uio *u, size_t n);

/* The common case: user memory, and all of it in the current segment. */
static inline bool uio_is_plain(const struct uio *u, size_t n)
{
	return !u->kernel && n && n <= u->left && n <= u->iov->iov_len - u->seg_off;
}

static inline uint64_t uio_plain_at(const struct uio *u)
{
	return (uint64_t)u->iov->iov_base + u->seg_off;
}

static inline int64_t uio_plain_done(struct uio *u, size_t n)
{
	u->seg_off += n;
	u->left -= n;
	return (int64_t)n;
}

/* Moves up to n bytes between kernel memory and the uio; advances by what was done.
 * Returns the count; short means a fault (-EFAULT if not one byte could be moved). After
 * a fault on the short way the long way finds out how far it gets. Kernel -> uio: */
must_use static inline int64_t uio_write(struct uio *u, const void *src, size_t n)
{
	if (likely(uio_is_plain(u, n)) &&
	    likely(!arch_user_write(uio_plain_at(u), src, n)))
		return uio_plain_done(u, n);
	return uio_write_slow(u, src, n);
}

/* uio -> kernel */
must_use static inline int64_t uio_read(struct uio *u, void *dst, size_t n)
{
	if (likely(uio_is_plain(u, n)) &&
	    likely(!arch_user_read(dst, uio_plain_at(u), n)))
		return uio_plain_done(u, n);
	return uio_read_slow(u, dst, n);
}

must_use static inline int64_t uio_write_zero(struct uio *u, size_t n)
{
	if (likely(uio_is_plain(u, n)) && likely(!arch_user_zero(uio_plain_at(u), n)))
		return uio_plain_done(u, n);
	return uio_write_zero_slow(u, n);
}

/* Touches the first bytes of the next n, so that a copy under a lock is likely to
 * succeed. */
void uio_prefault(struct uio *u, size_t n, bool for_write);
static inline void uio_truncate(struct uio *u, size_t n)
{
	if (u->left > n)
		u->left = n;
}

#endif
