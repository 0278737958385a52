/* Values as JSON. */
#include <stdlib.h>

#include "host/json.h"
#include "host/mayfly.h"

json_t *text_json(const char *text, size_t size)
{
	json_t *json = json_stringn(text, size);
	char *plain;

	if (json)
		return json;
	plain = must_alloc(size + 1);
	for (size_t i = 0; i < size; i++)
		plain[i] = (unsigned char)text[i] < 128 && text[i] ? text[i] : '?';
	json = json_stringn(plain, size);
	free(plain);
	return json;
}
