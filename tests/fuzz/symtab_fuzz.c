/* lib/symtab.c on hostile bytes: what opens can be searched anywhere. */
#include <string.h>

#include "lib/symtab.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct symtab t;
	struct symbol s;

	if (symtab_open(data, size, &t))
		return 0;
	for (uint64_t at = 0; at < 1 << 16; at += 97)
		if (symtab_find(&t, at, &s) && s.file)
			(void)(strlen(s.function) + strlen(s.file));
	return 0;
}
