/* mayfly policy import, mayfly policy export */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/policy/policy.h"
#include "host/tool.h"
#include "policy/export.h"
#include "policy/import.h"
#include "policy/print.h"

static const struct format {
	const char *name;
	bool (*read)(struct import *i);
} formats[] = {
	{ "docker", import_oci },
	{ "oci", import_oci },
	{ "minijail", import_minijail },
	{ "systemd", import_systemd },
};

bool policy_format_known(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (!strcmp(formats[i].name, name))
			return true;
	return false;
}

/* ---- import ---- */

static const struct format *format_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

/* By its look, if nobody says. */
static const struct format *format_of(const struct options *options,
				      const struct source *source)
{
	size_t blanks;

	if (options->policy.format)
		return format_named(options->policy.format);
	blanks = strspn(source->text, " \t\r\n");
	if (source->text[blanks] == '{')
		return format_named("docker");
	return format_named(memmem(source->text, source->size, "SystemCall", 10)
				    ? "systemd"
				    : "minijail");
}

/* What systemd's groups hold; NULL: there is no systemd. Heap. */
static char *groups_ask(void)
{
	static char *argv[] = { "systemd-analyze", "--no-pager", "syscall-filter", NULL };
	char *output = NULL;

	if (tool_run(argv, "", 0, -1, &output) == 0)
		return output;
	free(output);
	return NULL;
}

static void print_head(const struct import *i, const char *name, FILE *out)
{
	fputs("# imported from ", out);
	print_masked(out, name, strlen(name));
	fputc('\n', out);
	for (uint32_t k = 0; k < i->notes.n; k++) {
		fputs("# note: ", out);
		print_masked(out, i->notes.at[k], strlen(i->notes.at[k]));
		fputc('\n', out);
		say("policy import: note: %s", i->notes.at[k]);
	}
}

/* The text is a policy: it is compiled to prove it. */
static int text_check(const char *text, size_t size)
{
	struct built built;
	int error = built_text(&built, "imported", text, size, NULL, 0);

	if (error)
		sources_print(&built.sources, stderr);
	built_free(&built);
	return error ? MAYFLY_FAILED : 0;
}

static int import(const struct options *options, struct import *i)
{
	const struct source *source = &i->sources->files.at[i->file];
	const struct format *format = format_of(options, source);
	struct sink sink;
	int status;

	if (!format->read(i)) {
		sources_print(i->sources, stderr);
		return POLICY_WRONG;
	}
	sink_begin(&sink);
	print_head(i, source->name, sink.out);
	draft_print(&i->draft, sink.out);
	fflush(sink.out);
	status = text_check(sink.bytes, sink.size);
	if (sink_end(&sink, status ? "/dev/null" : options->policy.output))
		return MAYFLY_FAILED;
	return status;
}

int command_policy_import(const struct options *options)
{
	const char *name = options->argv[0];
	struct sources sources = { 0 };
	struct import i = { .sources = &sources,
			    .caps = options->policy.caps,
			    .kernel_major = options->policy.kernel_major,
			    .kernel_minor = options->policy.kernel_minor };
	int file = source_file(&sources, name), status;
	char *groups = NULL;

	if (file < 0) {
		say("policy import: %s: %s", name, strerror(-file));
		sources_free(&sources);
		return MAYFLY_FAILED;
	}
	i.file = (uint32_t)file;
	if (!strcmp(format_of(options, &sources.files.at[file])->name, "systemd"))
		i.systemd_groups = groups = groups_ask();
	status = import(options, &i);
	free(groups);
	sources_free(&sources);
	return status;
}

/* ---- export ---- */

static int write_bpf(struct export *e, FILE *out)
{
	struct sock_filter *filter;
	int n = export_bpf(e, &filter);

	if (n < 0) {
		say("policy export: the filter is longer than Linux takes: %d "
		    "instructions",
		    BPF_MAXINSNS);
		return MAYFLY_FAILED;
	}
	fwrite(filter, sizeof(*filter), (size_t)n, out);
	return 0;
}

static int export_to(const struct options *options, struct export *e)
{
	struct sink sink;
	int status = 0;

	sink_begin(&sink);
	if (options->policy.bpf)
		status = write_bpf(e, sink.out);
	else
		export_oci(e, sink.out);
	if (sink_end(&sink, status ? "/dev/null" : options->policy.output))
		status = MAYFLY_FAILED;
	for (uint32_t i = 0; i < e->notes.n && !status; i++)
		say("policy export: note: %s", e->notes.at[i]);
	return status;
}

int command_policy_export(const struct options *options)
{
	struct export e = { 0 };
	struct built built;
	int status;

	if (options->policy.bpf && !options->policy.output && isatty(STDOUT_FILENO)) {
		say("policy export: a filter is no text; use -o FILE");
		return MAYFLY_FAILED;
	}
	status = policy_build(options, options->argv[0], &built);
	if (!status) {
		e.policy = &built.policy;
		status = export_to(options, &e);
		export_free(&e);
	}
	built_free(&built);
	return status;
}
