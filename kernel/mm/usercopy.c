/* Strings and sized structs from user space. */
#include "mm/usercopy.h"

#include "lib/string.h"

int64_t copy_in_str(char *dst, uaddr_t src, size_t max)
{
	if (src.va >= USER_END)
		return -EFAULT;
	size_t room = MIN(max, USER_END - src.va);
	int64_t n = arch_user_strncpy(dst, src.va, room);
	if (n < 0 || (size_t)n < room)
		return n;
	return room < max ? -EFAULT : -ENAMETOOLONG;
}

/* 0 when [src, src+n) holds only zeroes, -E2BIG, -EFAULT. */
static int zeroes_expect(uaddr_t src, size_t n)
{
	uint8_t buf[64];

	while (n) {
		size_t len = MIN(n, sizeof buf);
		int err = copy_in(buf, src, len);
		if (err)
			return err;
		for (size_t i = 0; i < len; i++) {
			if (buf[i])
				return -E2BIG;
		}
		src = uaddr_add(src, len);
		n -= len;
	}
	return 0;
}

int copy_in_struct(void *dst, size_t dst_size, uaddr_t src, size_t src_size)
{
	if (src_size > PAGE_SIZE)
		return -E2BIG;
	if (src_size > dst_size) {
		int err = zeroes_expect(uaddr_add(src, dst_size), src_size - dst_size);
		if (err)
			return err;
	}
	memset(dst, 0, dst_size);
	return copy_in(dst, src, MIN(dst_size, src_size));
}
