/* lib/cmsg.c on hostile bytes: every message is in the buffer, and there is an end. */
#include "lib/cmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0, before = 0;
	struct cmsg c;

	while (cmsg_next(data, size, &at, &c) > 0) {
		if (at <= before || at > size || c.data < data ||
		    c.len > size - (size_t)(c.data - data))
			__builtin_trap();
		before = at;
	}
	return 0;
}
