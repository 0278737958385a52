/* Values as JSON. */
#ifndef HOST_JSON_H
#define HOST_JSON_H

#include <jansson.h>
#include <stddef.h>

/* Bytes of the user or the guest as JSON text: what is not UTF-8 becomes '?'. */
json_t *text_json(const char *text, size_t size);

#endif
