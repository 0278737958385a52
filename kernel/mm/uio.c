/* Walks over user and kernel buffers. */
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/usercopy.h"

#define IOV_MAX 1024 /* UIO_MAXIOV */

void uio_init_kernel(struct uio *u, void *buf, size_t n)
{
	uio_init_one(u, buf, n, true);
}

/* Checks the segments and cuts their sum to what one call may move. Bytes or -errno. */
static int64_t iov_check(struct iovec *iov, size_t count)
{
	size_t sum = 0;
	for (size_t i = 0; i < count; i++) {
		if ((int64_t)iov[i].iov_len < 0)
			return -EINVAL;
		if (!user_range_ok(UADDR(iov[i].iov_base), iov[i].iov_len))
			return -EFAULT;
		iov[i].iov_len = MIN(iov[i].iov_len, RW_MAX - sum);
		sum += iov[i].iov_len;
	}
	return (int64_t)sum;
}

int uio_init_vec(struct uio *u, uaddr_t vec, size_t count, struct iovec *fast,
		 size_t fast_n, struct iovec **ret_iov)
{
	struct iovec *iov = fast;

	if (count > IOV_MAX)
		return -EINVAL;
	if (count > fast_n) {
		iov = heap_alloc_array(count, sizeof *iov);
		if (!iov)
			return -ENOMEM;
	}
	int64_t sum = copy_in(iov, vec, count * sizeof *iov);
	if (!sum)
		sum = iov_check(iov, count);
	if (sum < 0) {
		if (iov != fast)
			heap_free(iov);
		return (int)sum;
	}
	u->kernel = false;
	u->nowait = false;
	u->iov = iov;
	u->seg_off = 0;
	u->segs = count;
	u->left = (size_t)sum;
	*ret_iov = iov != fast ? iov : NULL;
	return 0;
}

/* The current piece, at most n bytes, empty segments skipped. */
static size_t piece(struct uio *u, size_t n, uint64_t *ret_at)
{
	while (u->seg_off == u->iov->iov_len) {
		u->iov++;
		u->segs--;
		u->seg_off = 0;
	}
	*ret_at = (uint64_t)u->iov->iov_base + u->seg_off;
	return MIN(n, u->iov->iov_len - u->seg_off);
}

enum move { MOVE_OUT, MOVE_IN, MOVE_ZERO };

/* Bytes not moved. */
static size_t move_piece(const struct uio *u, enum move how, uint64_t at, void *mem,
			 size_t n)
{
	if (!u->kernel) {
		if (!user_range_ok(UADDR(at), n))
			return n;
		if (how == MOVE_ZERO)
			return arch_user_zero(at, n);
		return how == MOVE_OUT ? arch_user_write(at, mem, n)
				       : arch_user_read(mem, at, n);
	}
	if (how == MOVE_ZERO)
		memset((void *)at, 0, n);
	else if (how == MOVE_OUT)
		memcpy((void *)at, mem, n);
	else
		memcpy(mem, (void *)at, n);
	return 0;
}

static int64_t uio_move(struct uio *u, enum move how, void *mem, size_t n)
{
	size_t done = 0;

	n = MIN(n, u->left);
	while (done < n) {
		uint64_t at;
		size_t len = piece(u, n - done, &at);
		size_t missed =
			move_piece(u, how, at, mem ? (char *)mem + done : NULL, len);
		u->seg_off += len - missed;
		u->left -= len - missed;
		done += len - missed;
		if (missed)
			return done ? (int64_t)done : -EFAULT;
	}
	return (int64_t)done;
}

int64_t uio_write_slow(struct uio *u, const void *src, size_t n)
{
	return uio_move(u, MOVE_OUT, (void *)src, n);
}

int64_t uio_read_slow(struct uio *u, void *dst, size_t n)
{
	return uio_move(u, MOVE_IN, dst, n);
}

int64_t uio_write_zero_slow(struct uio *u, size_t n)
{
	return uio_move(u, MOVE_ZERO, NULL, n);
}

/* One byte of each page is enough; the result does not matter, only the fault. */
static void touch(uint64_t at, bool for_write)
{
	uint32_t word;
	at = ALIGN_DOWN(at, sizeof word);
	if (!user_range_ok(UADDR(at), sizeof word) || arch_user_load32(at, &word))
		return;
	/* Writes back what is there, if it is still there. */
	if (for_write && arch_user_cmpxchg32(at, word, word, &word))
		return;
}

void uio_prefault(struct uio *u, size_t n, bool for_write)
{
	size_t seg = 0, off = u->seg_off;

	if (u->kernel)
		return;
	n = MIN(n, u->left);
	while (n && seg < u->segs) {
		uint64_t at = (uint64_t)u->iov[seg].iov_base + off;
		size_t len = MIN(n, u->iov[seg].iov_len - off);
		for (uint64_t va = at; va < at + len;
		     va = ALIGN_DOWN(va, PAGE_SIZE) + PAGE_SIZE)
			touch(va, for_write);
		n -= len;
		off = 0;
		seg++;
	}
}
