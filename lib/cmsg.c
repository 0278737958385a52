/* Control messages: one after the other out of a buffer. */
#include <asm/errno.h>

#include "lib/cmsg.h"
#include "lib/string.h"

int cmsg_next(const void *buf, size_t n, size_t *at, struct cmsg *ret)
{
	struct cmsg_header h;

	if (*at > n || n - *at < sizeof h)
		return 0;
	memcpy(&h, (const uint8_t *)buf + *at, sizeof h);
	if (h.len < sizeof h || h.len > n - *at)
		return -EINVAL;
	*ret = (struct cmsg){
		.level = h.level,
		.type = h.type,
		.data = (const uint8_t *)buf + *at + sizeof h,
		.len = h.len - sizeof h,
	};
	*at += MIN(ALIGN_UP(h.len, 8), n - *at);
	return 1;
}
