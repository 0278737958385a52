/* A record as JSON: every field under its name of lib/abi/audit.def. */
#ifndef HOST_AUDIT_JSON_H
#define HOST_AUDIT_JSON_H

#include <jansson.h>

#include "host/audit/names.h"
#include "host/strace/text.h"

/* "not_allowed": a name that stays; NULL: no cause has the number. */
const char *cause_name(uint32_t cause);
/* Numbers and texts are such; bytes and sets of bits are hexadecimal. `event` and `cause`
 * are names. What is made of it: time, call, program_path, refused. */
json_t *record_json(const struct audit_record *r, const struct audit_names *names);
json_t *hex_json(const uint8_t *bytes, size_t size);
json_t *boot_id_json(const uint8_t id[16]);
json_t *moment_json(uint64_t wall_ns);
/* A number that JSON's readers can hold; a text otherwise. */
json_t *number_json(uint64_t number);
/* The object on a line of its own; consumes it. */
void json_line(struct text *out, json_t *json);

#endif
