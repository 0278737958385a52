/* mayfly policy explain, lint, test */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/policy/policy.h"
#include "policy/cases.h"
#include "policy/explain.h"
#include "policy/lint.h"
#include "policy/words.h"

static int program_of(const struct built *b, const char *name, uint32_t *ret)
{
	*ret = 0;
	if (!name)
		return 0;
	for (*ret = 0; *ret < b->policy.header->n_programs; ++*ret)
		if (!strcmp(b->policy.text + b->policy.programs[*ret].name, name))
			return 0;
	say("policy explain: there is no program '%s' in the policy", name);
	return MAYFLY_FAILED;
}

static int explain_syscall(struct built *b, uint32_t program,
			   const struct policy_options *o, FILE *out)
{
	struct question question;
	const char *why = question_read(&b->sources.arena, o->syscall,
					o->args ? o->args : "", &question);

	if (why) {
		say("policy explain: %s", why);
		return MAYFLY_FAILED;
	}
	explain_call(b, program, &question, out);
	return 0;
}

static int explain_place(struct built *b, uint32_t program,
			 const struct policy_options *o, FILE *out)
{
	const char *path = ask_path(&b->sources.arena, o->path);
	const char *word = o->access ? o->access : "";
	uint32_t want = 0;

	if (!path) {
		say("policy explain: --path: '%s' does not begin with '/'", o->path);
		return MAYFLY_FAILED;
	}
	while (*word) {
		size_t n = strcspn(word, ", ");
		uint32_t bits = n ? word_access(word, n) : 0;

		if (n && !bits) {
			say("policy explain: --access: not an access: '%.*s'; there are "
			    "read, modify, create, remove, execute, write",
			    (int)n, word);
			return MAYFLY_FAILED;
		}
		want |= bits;
		word += n + (word[n] != 0);
	}
	explain_path(b, program, path, want, out);
	return 0;
}

static int explain(struct built *b, const struct policy_options *o, FILE *out)
{
	uint32_t program;
	int status = program_of(b, o->program, &program);

	if (status)
		return status;
	if (o->syscall)
		return explain_syscall(b, program, o, out);
	if (o->path)
		return explain_place(b, program, o, out);
	for (uint32_t i = program;
	     i < (o->program ? program + 1 : b->policy.header->n_programs); i++) {
		fputs(i > program ? "\n" : "", out);
		explain_program(b, i, out);
	}
	return 0;
}

int command_policy_explain(const struct options *options)
{
	struct built built;
	struct sink sink;
	int status = policy_build(options, options->argv[0], &built);

	if (!status) {
		sink_begin(&sink);
		status = explain(&built, &options->policy, sink.out);
		if (sink_end(&sink, NULL))
			status = MAYFLY_FAILED;
	}
	built_free(&built);
	return status;
}

static int lint_print(struct built *b, const struct options *options)
{
	struct sink sink;
	int status;

	if (!b->from_text) {
		say("policy lint: %s is compiled: lint looks at texts", options->argv[0]);
		return MAYFLY_FAILED;
	}
	status = lint(b) ? POLICY_WRONG : 0;
	sink_begin(&sink);
	if (options->policy.json)
		policy_messages_json(b, sink.out);
	else
		sources_print(&b->sources, sink.out);
	return sink_end(&sink, NULL) ? MAYFLY_FAILED : status;
}

int command_policy_lint(const struct options *options)
{
	struct built built;
	int status = policy_build(options, options->argv[0], &built);

	if (!status)
		status = lint_print(&built, options);
	built_free(&built);
	return status;
}

static int cases(struct built *b, const char *name)
{
	int file = source_file(&b->sources, name);
	struct tally_of_cases tally;
	struct sink sink;
	bool right;

	if (file < 0) {
		say("policy test: %s: %s", name, strerror(-file));
		return MAYFLY_FAILED;
	}
	sink_begin(&sink);
	right = cases_run(b, (uint32_t)file, sink.out, &tally);
	fprintf(sink.out, "1..%u\n", tally.passed + tally.failed);
	if (sink_end(&sink, NULL))
		return MAYFLY_FAILED;
	sources_print(&b->sources, stderr);
	return !right ? MAYFLY_FAILED : tally.failed ? POLICY_WRONG : 0;
}

int command_policy_test(const struct options *options)
{
	struct built built;
	int status = policy_build(options, options->argv[0], &built);

	if (!status)
		status = cases(&built, options->argv[1]);
	built_free(&built);
	return status;
}
