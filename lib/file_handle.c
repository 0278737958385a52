#include "lib/file_handle.h"

#include <asm/errno.h>

#include "lib/string.h"

void file_handle_encode(enum file_handle_form form, const struct file_id *id, void *buf)
{
	uint32_t low = (uint32_t)id->ino, high = (uint32_t)(id->ino >> 32);
	uint32_t narrow[] = { low, id->generation };
	uint32_t wide[] = { id->generation, low, high };

	if (form == FILE_HANDLE_INO32)
		memcpy(buf, narrow, sizeof narrow);
	else
		memcpy(buf, wide, sizeof wide);
}

int file_handle_decode(enum file_handle_form form, int32_t type, const void *buf,
		       size_t n, struct file_id *ret)
{
	uint32_t w[3] = { 0 };

	if (type != FILE_HANDLE_TYPE || n < (size_t)form)
		return -ESTALE;
	memcpy(w, buf, (size_t)form);
	if (form == FILE_HANDLE_INO32)
		*ret = (struct file_id){ .ino = w[0], .generation = w[1] };
	else
		*ret = (struct file_id){ .ino = w[1] | (uint64_t)w[2] << 32,
					 .generation = w[0] };
	return 0;
}
