/* lib/file_handle.c on hostile bytes: what is taken for a handle is written as it was
 * read. */
#include <stdlib.h>
#include <string.h>

#include "lib/file_handle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void one(enum file_handle_form form, const uint8_t *data, size_t size)
{
	uint8_t again[FILE_HANDLE_INO64];
	struct file_id id;

	if (file_handle_decode(form, FILE_HANDLE_TYPE, data, size, &id)) {
		if (size >= (size_t)form)
			abort();
		return;
	}
	file_handle_encode(form, &id, again);
	if (memcmp(again, data, (size_t)form))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	one(FILE_HANDLE_INO32, data, size);
	one(FILE_HANDLE_INO64, data, size);
	return 0;
}
