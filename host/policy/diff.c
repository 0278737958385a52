/* mayfly policy diff */
#include <string.h>

#include "host/json.h"
#include "host/policy/policy.h"
#include "policy/diff.h"

static const char *const kinds[DIFF_KINDS] = { "widened", "narrowed", "changed" };

static void print_text(const struct diff *diff, FILE *out)
{
	static const char signs[DIFF_KINDS] = { '+', '-', '~' };

	for (uint32_t i = 0; i < diff->found.n; i++) {
		const struct difference *d = &diff->found.at[i];

		fprintf(out, "%c ", signs[d->kind]);
		if (*d->program) {
			print_masked(out, d->program, strlen(d->program));
			fputs(": ", out);
		}
		print_masked(out, d->what, strlen(d->what));
		fputc('\n', out);
	}
	fprintf(out, "%u widened, %u narrowed, %u changed%s\n", diff->count[DIFF_WIDENED],
		diff->count[DIFF_NARROWED], diff->count[DIFF_CHANGED],
		diff->sampled ? "; not every combination of arguments was tried" : "");
}

static void print_json(const struct diff *diff, FILE *out)
{
	json_t *list = json_array(), *all;

	for (uint32_t i = 0; i < diff->found.n; i++) {
		const struct difference *d = &diff->found.at[i];

		json_array_append_new(
			list,
			json_pack("{s:s, s:o, s:o}", "kind", kinds[d->kind], "program",
				  text_json(d->program, strlen(d->program)), "what",
				  text_json(d->what, strlen(d->what))));
	}
	all = json_pack("{s:i, s:i, s:i, s:b, s:o}", "widened",
			(int)diff->count[DIFF_WIDENED], "narrowed",
			(int)diff->count[DIFF_NARROWED], "changed",
			(int)diff->count[DIFF_CHANGED], "sampled", diff->sampled,
			"differences", list);
	json_dumpf(all, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(all);
}

static int print(const struct options *options, const struct diff *diff)
{
	struct sink sink;

	sink_begin(&sink);
	(options->policy.json ? print_json : print_text)(diff, sink.out);
	if (sink_end(&sink, NULL))
		return MAYFLY_FAILED;
	if (diff->count[DIFF_WIDENED])
		return POLICY_WIDENED;
	return diff->found.n ? POLICY_NARROWED : 0;
}

int command_policy_diff(const struct options *options)
{
	struct diff diff = { 0 };
	struct built before, after;
	int status;

	/* A wrong policy is no verdict. */
	status = policy_build(options, options->argv[0], &before);
	if (policy_build(options, options->argv[1], &after) || status) {
		status = MAYFLY_FAILED;
	} else {
		diff_policies(&diff, &before.policy, &after.policy);
		status = print(options, &diff);
		diff_free(&diff);
	}
	built_free(&before);
	built_free(&after);
	return status;
}
