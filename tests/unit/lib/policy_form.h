/* Compiled policies for tests, put together by hand. */
#ifndef TESTS_UNIT_LIB_POLICY_FORM_H
#define TESTS_UNIT_LIB_POLICY_FORM_H

#include <stdlib.h>
#include <string.h>

#include "lib/policy.h"

/* What a form consists of; text is the strings, each with its NUL. */
struct parts {
	struct policy_program programs[4];
	struct policy_rule rules[16];
	struct policy_test tests[16];
	uint64_t values[8];
	struct policy_path paths[16];
	struct policy_exec execs[4];
	struct policy_limit limits[4];
	char text[256];
	uint32_t n_programs, n_rules, n_tests, n_values, n_paths, n_execs, n_limits;
	uint32_t text_size;
};

/* The offset of a string that is added. */
static inline uint32_t part_text(struct parts *p, const char *s)
{
	uint32_t at = p->text_size ? p->text_size : 1;

	memcpy(p->text + at, s, strlen(s) + 1);
	p->text_size = at + (uint32_t)strlen(s) + 1;
	return at;
}

static inline uint8_t *put(uint8_t *at, const void *from, size_t size)
{
	memcpy(at, from, size);
	return at + size;
}

/* The sealed form; heap. */
static inline void *parts_form(const struct parts *p, size_t *ret_size)
{
	struct policy_header h = {
		.magic = POLICY_MAGIC,
		.version = POLICY_VERSION,
		.n_programs = p->n_programs,
		.n_rules = p->n_rules,
		.n_tests = p->n_tests,
		.n_values = p->n_values,
		.n_paths = p->n_paths,
		.n_execs = p->n_execs,
		.n_limits = p->n_limits,
		.text_size = ALIGN_UP(p->text_size + 1, 8u),
	};
	uint8_t *form = aligned_alloc(8, 8192), *at = form + sizeof(h);

	memset(form, 0, 8192);
	at = put(at, p->programs, p->n_programs * sizeof(*p->programs));
	at = put(at, p->rules, p->n_rules * sizeof(*p->rules));
	at = put(at, p->tests, p->n_tests * sizeof(*p->tests));
	at = put(at, p->values, p->n_values * sizeof(*p->values));
	at = put(at, p->paths, p->n_paths * sizeof(*p->paths));
	at = put(at, p->execs, p->n_execs * sizeof(*p->execs));
	at = put(at, p->limits, p->n_limits * sizeof(*p->limits));
	at = put(at, p->text, h.text_size);
	h.size = (uint32_t)(at - form);
	put(form, &h, sizeof(h));
	policy_seal(form, h.size);
	*ret_size = h.size;
	return form;
}

#endif
