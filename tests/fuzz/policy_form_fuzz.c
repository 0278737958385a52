/* Compiled policies of hostile bytes, sealed as if they were right: those that are taken
 * are explained, compared and exported. */
/* link: policy/built.c policy/compile.c policy/check.c policy/check_path.c */
/* link: policy/parse.c policy/parse_call.c policy/parse_where.c policy/parse_path.c */
/* link: policy/parse_include.c policy/lex.c policy/sources.c policy/arena.c */
/* link: policy/words.c policy/guess.c policy/names.c policy/draft.c policy/profiles.c */
/* link: policy/describe.c policy/ask.c policy/explain.c policy/diff.c */
/* link: policy/diff_call.c policy/export.c policy/export_bpf.c policy/export_oci.c */
/* link: lib/bpf.c */
#include <stdlib.h>
#include <string.h>

#include "lib/bpf.h"
#include "policy/built.h"
#include "policy/diff.h"
#include "policy/explain.h"
#include "policy/export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void explained(struct built *b, FILE *out)
{
	struct question q = { .number = 257, .paths = { NULL, "/usr/x" } };

	for (uint32_t i = 0; i < b->policy.header->n_programs; i++) {
		explain_program(b, i, out);
		explain_call(b, i, &q, out);
		explain_path(b, i, "/job/x", 0, out);
	}
}

static void compared(const struct policy *p, const struct policy *other)
{
	struct diff same = { 0 }, diff = { 0 };

	diff_policies(&same, p, p);
	must(!same.found.n);
	diff_policies(&diff, other, p);
	diff_free(&same);
	diff_free(&diff);
}

static void exported(const struct policy *p, FILE *out)
{
	struct export e = { .policy = p };
	struct sock_filter *filter;
	uint16_t *written;
	int n = export_bpf(&e, &filter);

	if (n > 0) {
		written = calloc((size_t)n, sizeof(*written));
		must(bpf_check(filter, (size_t)n, written) == 0);
		free(written);
	}
	export_oci(&e, out);
	export_free(&e);
}

static void taken(struct built *b)
{
	static struct built other;
	FILE *out;
	char *text;
	size_t size;

	if (!other.compiled.form)
		must(!built_file(&other, "job", NULL, 0));
	out = open_memstream(&text, &size);
	must(out);
	explained(b, out);
	fflush(out);
	for (size_t i = 0; i < size; i++)
		must(text[i] == '\n' || ((uint8_t)text[i] >= ' ' && text[i] != 0x7f));
	compared(&b->policy, &other.policy);
	exported(&b->policy, out);
	fclose(out);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_header *header;
	struct built b;

	if (size < sizeof(*header))
		return 0;
	header = malloc(size);
	memcpy(header, data, size);
	memcpy(header->magic, POLICY_MAGIC, sizeof(header->magic));
	header->version = POLICY_VERSION;
	header->size = (uint32_t)size;
	policy_seal(header, size);
	if (!built_text(&b, "form", (const char *)header, size, NULL, 0))
		taken(&b);
	built_free(&b);
	free(header);
	return 0;
}
