/* mayfly policy compile, mayfly policy check */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "host/json.h"
#include "host/policy/policy.h"

int command_policy_compile(const struct options *options)
{
	const char *output = options->policy.output;
	struct built built;
	struct sink sink;
	int status;

	if (!output && isatty(STDOUT_FILENO)) {
		say("policy compile: a compiled policy is no text; use -o FILE");
		return MAYFLY_FAILED;
	}
	status = policy_build(options, options->argv[0], &built);
	if (!status) {
		sink_begin(&sink);
		fwrite(built.compiled.form, 1, built.compiled.size, sink.out);
		status = sink_end(&sink, output);
	}
	built_free(&built);
	return status;
}

static json_t *place_json(const struct built *built, struct spot at)
{
	const char *name;

	if (!at.line)
		return json_null();
	name = built->sources.files.at[at.file].name;
	return json_pack("{s:o, s:i, s:i, s:i}", "file", text_json(name, strlen(name)),
			 "line", (int)at.line, "column", (int)at.column, "length",
			 (int)at.length);
}

static json_t *messages_json(const struct built *built)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < built->sources.messages.n; i++) {
		const struct message *m = &built->sources.messages.at[i];

		json_array_append_new(
			list,
			json_pack("{s:o, s:o, s:o}", "at", place_json(built, m->at),
				  "error", text_json(m->text, strlen(m->text)), "hint",
				  m->hint ? text_json(m->hint, strlen(m->hint))
					  : json_null()));
	}
	return list;
}

void policy_messages_json(const struct built *built, FILE *out)
{
	json_t *json = messages_json(built);

	json_dumpf(json, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(json);
}

static int check_json(const struct options *options)
{
	const struct policy_options *o = &options->policy;
	struct built built;
	struct sink sink;
	json_t *json;
	int error, status;

	error = built_file(&built, options->argv[0], o->defines, o->define_count);
	json = json_pack("{s:b, s:o}", "right", !error, "errors", messages_json(&built));
	sink_begin(&sink);
	json_dumpf(json, sink.out, JSON_INDENT(2));
	fputc('\n', sink.out);
	status = sink_end(&sink, NULL);
	json_decref(json);
	built_free(&built);
	return status		  ? status
	       : error == -EINVAL ? POLICY_WRONG
	       : error		  ? MAYFLY_FAILED
				  : 0;
}

int command_policy_check(const struct options *options)
{
	struct built built;
	int status;

	if (options->policy.json)
		return check_json(options);
	status = policy_build(options, options->argv[0], &built);
	built_free(&built);
	return status;
}
