/* lib/file_caps.c on hostile bytes: what is read is known; shown, it means the same. */
#include <stdlib.h>
#include <string.h>

#include "lib/file_caps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size + 1), shown[XATTR_CAPS_SZ_3];
	struct file_caps c, again;

	memcpy(bytes, data, size);
	int err = file_caps_parse(bytes, size, &c);
	int64_t n = file_caps_shown(bytes, size, shown);
	must(!err == (n > 0));
	must(!err || !file_caps_settable(bytes, size));
	if (!err) {
		must(!((c.permitted | c.inheritable) >> (CAP_LAST_CAP + 1)));
		must(n <= (int64_t)size && !file_caps_parse(shown, (size_t)n, &again));
		must(c.permitted == again.permitted &&
		     c.inheritable == again.inheritable);
		must(c.effective == again.effective && c.rootid == again.rootid);
	}
	free(bytes);
	return 0;
}
