/* lib/bundle.c on hostile bytes: parts it accepts lie inside the file, in order. */
#include <stdlib.h>

#include "lib/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct refusal why = { NULL, NULL };
	const uint8_t *at = data;
	struct bundle b;

	if (bundle_parse(data, size, &b, &why)) {
		if (!why.part || !why.reason)
			abort();
		return 0;
	}
	for (int i = 0; i < BUNDLE_TYPES; i++) {
		const struct bundle_part *p = &b.part[i];
		if (!p->data)
			continue;
		if (p->data < at || p->size > (uint64_t)(data + size - p->data))
			abort();
		at = p->data + p->size;
	}
	return 0;
}
