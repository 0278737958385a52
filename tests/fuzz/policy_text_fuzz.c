/* Policies of hostile text: a clean refusal, or a form that is the same each time and
 * that decides. */
/* link: policy/built.c policy/compile.c policy/check.c policy/check_path.c */
/* link: policy/parse.c policy/parse_call.c policy/parse_where.c policy/parse_path.c */
/* link: policy/parse_include.c policy/lex.c policy/sources.c policy/arena.c */
/* link: policy/words.c policy/guess.c policy/names.c policy/draft.c policy/profiles.c */
#include <stdlib.h>
#include <string.h>

#include "policy/built.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void refused(struct built *b)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	must(b->sources.message_count && out);
	sources_print(&b->sources, out);
	fclose(out);
	for (size_t i = 0; i < size; i++)
		must(text[i] == '\n' || ((uint8_t)text[i] >= ' ' && text[i] != 0x7f));
	free(text);
}

static void taken(const struct built *b)
{
	const uint64_t args[POLICY_ARGS] = { 1, 2, 3 };
	const struct policy_place at = { "/job/x", 6, 1 };
	struct policy_verdict v;

	for (uint32_t program = 0; program < b->policy.header->n_programs; program++) {
		for (uint32_t i = 0; i < POLICY_NUMBERS; i++)
			policy_decide(&b->policy, program, i, args, NULL, &v);
		(void)policy_rights(&b->policy, program, &at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct built a, b;
	int error = built_text(&a, "a", (const char *)data, size, NULL, 0);

	must(error == built_text(&b, "b", (const char *)data, size, NULL, 0));
	if (error)
		refused(&a);
	else
		taken(&a);
	must(a.compiled.size == b.compiled.size &&
	     (error || !memcmp(a.compiled.form, b.compiled.form, a.compiled.size)));
	built_free(&a);
	built_free(&b);
	return 0;
}
