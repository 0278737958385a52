/*
 * Control messages of sendmsg(2) and recvmsg(2), as cmsg(3) lays them out: a header, its
 * data, padding to eight bytes, the next header. The bytes come from a job.
 */
#ifndef LIB_CMSG_H
#define LIB_CMSG_H

#include "lib/base.h"

/* Linux's struct cmsghdr; the UAPI headers lack it. */
struct cmsg_header {
	uint64_t len; /* of the header and the data */
	int32_t level, type;
};

#define CMSG_LEN(n) (sizeof(struct cmsg_header) + (n))
#define CMSG_SPACE(n) CMSG_LEN(ALIGN_UP((size_t)(n), 8))

struct cmsg {
	int32_t level, type;
	const uint8_t *data; /* borrows */
	size_t len;	     /* of data */
};

/* The message at *at of a buffer of n bytes; *at goes on to the next. 1, 0 when there is
 * no room for another header, -EINVAL for a length that is shorter than a header or
 * leaves the buffer. */
must_use int cmsg_next(const void *buf, size_t n, size_t *at, struct cmsg *ret);

#endif
