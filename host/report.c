/* --report: what happened, as JSON. docs/man/mayfly.1 describes the fields. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/json.h"
#include "host/refusals.h"
#include "host/report.h"
#include "host/timeline.h"

/* Nanoseconds between two moments as milliseconds; null if one did not come. */
static json_t *span_json(uint64_t from, uint64_t to)
{
	if (!from || !to || to < from)
		return json_null();
	return json_real((double)((to - from) / NSEC_PER_USEC) / 1000);
}

static json_t *times_json(const struct session *s)
{
	/* When a short job's first messages arrive says nothing: they come together. */
	const struct session_times t = timeline_times(&s->times);

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o}", "total_ms", span_json(t.start, t.end),
		"boot_ms", span_json(t.spawn, t.ready), "setup_ms",
		span_json(t.ready, t.started), "job_ms", span_json(t.started, t.exited),
		"user_ms", json_real((double)s->usage.user_us / 1000), "system_ms",
		json_real((double)s->usage.system_us / 1000));
}

/* The next of the lines "name value" that the kernel keeps; false at the end. Lines of
 * any other form are passed over. */
static bool line_next(const char **at, const char **ret_name, size_t *ret_name_size,
		      const char **ret_value, size_t *ret_value_size)
{
	while (*at && **at) {
		const char *line = *at, *end = strchrnul(line, '\n');
		const char *space = memchr(line, ' ', end - line);

		*at = *end ? end + 1 : end;
		if (!space || space == line || space + 1 == end)
			continue;
		*ret_name = line;
		*ret_name_size = space - line;
		*ret_value = space + 1;
		*ret_value_size = end - space - 1;
		return true;
	}
	return false;
}

/* Syscalls that the kernel refused, with counts. */
static json_t *refused_json(const struct session *s)
{
	const char *at = s->topics[WIRE_TOPIC_REFUSED].text, *name, *value;
	size_t name_size, value_size;
	json_t *list = json_array();

	while (line_next(&at, &name, &name_size, &value, &value_size))
		json_array_append_new(
			list, json_pack("{s:o, s:I}", "name", text_json(name, name_size),
					"count", (json_int_t)strtoll(value, NULL, 10)));
	return list;
}

static uint64_t topic_find(const struct textlog *topic, const char *wanted)
{
	const char *at = topic->text, *name, *value;
	size_t name_size, value_size;

	while (line_next(&at, &name, &name_size, &value, &value_size))
		if (strlen(wanted) == name_size && !memcmp(name, wanted, name_size))
			return strtoull(value, NULL, 10);
	return 0;
}

static json_t *memory_json(const struct session *s)
{
	uint64_t peak = topic_find(&s->topics[WIRE_TOPIC_MEMORY], "peak_bytes");

	return json_pack("{s:I, s:o, s:I, s:b}", "limit_bytes",
			 (json_int_t)s->plan->options->mem_bytes, "peak_bytes",
			 peak ? json_integer(peak) : json_null(), "max_rss_bytes",
			 (json_int_t)s->usage.max_rss_bytes, "out_of_memory",
			 (int)s->outcome.oom);
}

static json_t *boot_json(const struct session *s, bool kvm)
{
	const char *at = s->topics[WIRE_TOPIC_BOOT].text, *name, *value;
	size_t name_size, value_size;
	json_t *boot = json_pack(
		"{s:s, s:i, s:o}", "accelerator", kvm ? "kvm" : "tcg", "cpus",
		(int)s->plan->options->cpus, "root",
		text_json(s->plan->options->root, strlen(s->plan->options->root)));

	while (line_next(&at, &name, &name_size, &value, &value_size)) {
		char key[64];

		snprintf(key, sizeof(key), "%.*s", (int)name_size, name);
		json_object_set_new(boot, key, text_json(value, value_size));
	}
	return boot;
}

/* What the audit log counted; the log itself is for --audit. */
static json_t *audit_json(const struct session *s)
{
	const char *at = s->topics[WIRE_TOPIC_AUDIT].text, *name, *value;
	size_t name_size, value_size;
	json_t *audit = json_object();

	while (line_next(&at, &name, &name_size, &value, &value_size)) {
		char key[64], *end;
		long long number = strtoll(value, &end, 10);
		bool is_number = end == value + value_size;

		snprintf(key, sizeof(key), "%.*s", (int)name_size, name);
		json_object_set_new(audit, key,
				    is_number ? json_integer(number)
					      : text_json(value, value_size));
	}
	return audit;
}

static json_t *output_json(const struct session *s)
{
	return json_pack("{s:I, s:I, s:I, s:i}", "stdout_bytes",
			 (json_int_t)s->drains[WIRE_STDOUT].total, "stderr_bytes",
			 (json_int_t)s->drains[WIRE_STDERR].total, "terminal_bytes",
			 (json_int_t)s->drains[WIRE_TTY].total, "files_failed",
			 (int)s->download.failures);
}

static json_t *command_json(const struct session *s)
{
	const char *at = s->plan->strings;
	json_t *list = json_array();

	for (unsigned i = 0; i < s->plan->job.argc; i++, at += strlen(at) + 1)
		json_array_append_new(list, text_json(at, strlen(at)));
	return list;
}

char *report_text(const struct session *s, bool kvm, int exit_status)
{
	const struct options *options = s->plan->options;
	char *text = outcome_text(&s->outcome, options->timeout_ns, options->max_output);
	json_t *report = json_pack(
		"{s:s, s:o, s:s, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"mayfly", MAYFLY_VERSION, "command", command_json(s), "outcome",
		outcome_name(&s->outcome), "exit_status", exit_status, "signal",
		s->outcome.signal ? json_integer(s->outcome.signal) : json_null(),
		"message", text ? text_json(text, strlen(text)) : json_null(), "times",
		times_json(s), "memory", memory_json(s), "output", output_json(s),
		"refused_syscalls", refused_json(s), "policy_refusals", refusals_json(s),
		"audit", audit_json(s), "boot", boot_json(s, kvm));
	char *dump = json_dumps(report, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	char *whole = must_format("%s\n", dump ? dump : "{}");

	free(text);
	free(dump);
	json_decref(report);
	return whole;
}
