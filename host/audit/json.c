/* A record as JSON. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/audit/json.h"
#include "host/audit/words.h"
#include "host/json.h"

const char *cause_name(uint32_t cause)
{
	static const char *const names[] = {
#define AUDIT_CAUSE(name, number, text) [number] = #name,
#include "lib/abi/audit.def"
	};
	static char lower[ARRAY_LEN(names)][32];

	if (cause >= ARRAY_LEN(names) || !names[cause])
		return NULL;
	for (size_t i = 0; names[cause][i] && i < sizeof(lower[0]) - 1; i++)
		lower[cause][i] = (char)tolower((unsigned char)names[cause][i]);
	return lower[cause];
}

/* ---- values ---- */

/* The text's bytes as a JSON text; frees it. */
static json_t *text_taken(struct text *t)
{
	json_t *json = text_json(t->at ? t->at : "", t->size);

	free(t->at);
	return json;
}

json_t *hex_json(const uint8_t *bytes, size_t size)
{
	struct text t = { 0 };

	words_hex(&t, bytes, size);
	return text_taken(&t);
}

json_t *boot_id_json(const uint8_t id[16])
{
	struct text t = { 0 };

	words_boot_id(&t, id);
	return text_taken(&t);
}

json_t *moment_json(uint64_t wall_ns)
{
	struct text t = { 0 };

	words_moment(&t, wall_ns);
	return text_taken(&t);
}

json_t *number_json(uint64_t number)
{
	if (number > INT64_MAX)
		return json_sprintf("%" PRIu64, number);
	return json_integer((json_int_t)number);
}

static json_t *bits_json(uint64_t bits)
{
	return json_sprintf("0x%" PRIx64, bits);
}

/* ---- fields, by their types ---- */

static json_t *u64_json(const void *at, size_t size)
{
	return number_json(*(const uint64_t *)at);
}

static json_t *i64_json(const void *at, size_t size)
{
	return json_integer(*(const int64_t *)at);
}

static json_t *u32_json(const void *at, size_t size)
{
	return json_integer(*(const uint32_t *)at);
}

static json_t *i32_json(const void *at, size_t size)
{
	return json_integer(*(const int32_t *)at);
}

static json_t *bytes_json(const void *at, size_t size)
{
	return hex_json(at, size);
}

static json_t *chars_json(const void *at, size_t size)
{
	return text_json(at, strnlen(at, size));
}

static json_t *numbers_json(const void *at, size_t size)
{
	json_t *list = json_array();

	for (size_t i = 0; i < size / sizeof(uint64_t); i++)
		json_array_append_new(list, bits_json(((const uint64_t *)at)[i]));
	return list;
}

static json_t *set_json(const void *at, size_t size)
{
	return bits_json(*(const uint64_t *)at);
}

static json_t *cred_json(const void *at, size_t size)
{
	const struct audit_cred *c = at;
	json_t *json = json_object();

#define AUDIT_CRED(type, field)                                                          \
	json_object_set_new(json, #field,                                                \
			    _Generic(&c->field, const uint32_t *                         \
				     : u32_json, const uint64_t *                        \
				     : set_json)(&c->field, sizeof(c->field)));
#include "lib/abi/audit.def"
	return json;
}

static json_t *fields_json(const struct audit_record *r)
{
	json_t *json = json_object();

#define AUDIT_FIELD(type, field, count)                                                  \
	json_object_set_new(json, #field,                                                \
			    _Generic(&r->field, const uint64_t *                         \
				     : u64_json, const int64_t *                         \
				     : i64_json, const uint32_t *                        \
				     : u32_json, const int32_t *                         \
				     : i32_json, const struct audit_cred *               \
				     : cred_json, const uint8_t(*)[16]                   \
				     : bytes_json, const uint8_t(*)[32]                  \
				     : bytes_json, const char(*)[AUDIT_TEXT_SIZE]        \
				     : chars_json, const uint64_t(*)[6]                  \
				     : numbers_json)(&r->field, sizeof(r->field)));
#include "lib/abi/audit.def"
	return json;
}

/* ---- the record ---- */

static json_t *call_json(const struct audit_record *r)
{
	struct text t = { 0 };

	words_call(&t, r);
	return t.size ? text_taken(&t) : json_null();
}

static json_t *program_json(const struct audit_record *r, const struct audit_names *names)
{
	const char *path = names_program(names, r->program);

	return path ? text_json(path, strlen(path)) : json_null();
}

json_t *record_json(const struct audit_record *r, const struct audit_names *names)
{
	const char *cause = cause_name(r->cause), *event = audit_event_name(r->event);
	json_t *json = fields_json(r);

	if (*event != '?')
		json_object_set_new(json, "event", json_string(event));
	if (cause)
		json_object_set_new(json, "cause", json_string(cause));
	json_object_set_new(json, "boot_id", boot_id_json(r->boot_id));
	json_object_set_new(json, "capabilities", bits_json(r->capabilities));
	json_object_set_new(json, "time", moment_json(r->wall_ns));
	json_object_set_new(json, "call", call_json(r));
	json_object_set_new(json, "program_path", program_json(r, names));
	json_object_set_new(json, "refused", json_boolean(is_refusal(r)));
	return json;
}

static int add_piece(const char *piece, size_t size, void *out)
{
	text_put(out, piece, size);
	return 0;
}

void json_line(struct text *out, json_t *json)
{
	if (json_dump_callback(json, add_piece, out, JSON_COMPACT) == 0)
		text_put(out, "\n", 1);
	json_decref(json);
}
