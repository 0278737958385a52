/* mayfly audit show: a line a record. */
#include <inttypes.h>
#include <stdlib.h>

#include "host/audit/audit.h"
#include "host/audit/filter.h"
#include "host/audit/json.h"
#include "host/audit/log.h"
#include "host/audit/words.h"

struct show {
	struct output output;
	struct audit_names names;
	struct filter filter;
	bool json;
};

static const char *mark_of(const struct output *o, const struct audit_record *r)
{
	if (!is_refusal(r))
		return " ";
	return o->utf8 ? "\u2717" : "x";
}

static void show_words(struct show *s, const struct audit_record *r)
{
	struct output *o = &s->output;
	const struct words w = { &o->text, &s->names, o->utf8 };
	bool red = o->color && is_refusal(r);
	size_t start;

	text_add(&o->text, "%s%5" PRIu64 ".%06" PRIu64 " %s %-11s ",
		 red ? "\033[31m" : "", (uint64_t)(r->mono_ns / NSEC_PER_SEC),
		 (uint64_t)(r->mono_ns % NSEC_PER_SEC / NSEC_PER_USEC), mark_of(o, r),
		 audit_event_name(r->event));
	if (r->pid)
		text_add(&o->text, "%5" PRId32 " ", r->pid);
	else
		text_add(&o->text, "    - ");
	words_record(&w, r);
	start = o->text.size;
	text_add(&o->text, "  [");
	if (words_program(&w, r))
		text_add(&o->text, "]");
	else
		o->text.size = start;
	text_add(&o->text, "%s\n", red ? "\033[0m" : "");
}

static int show_all(struct show *s, struct audit_log *log)
{
	struct audit_record r;
	int status = 0, n;

	while (!status && (n = audit_log_next(log, &r)) > 0) {
		names_learn(&s->names, &r);
		if (!filter_lets(&s->filter, &r, audit_log_moment(log, &r)))
			continue;
		if (s->json)
			json_line(&s->output.text, record_json(&r, &s->names));
		else
			show_words(s, &r);
		status = output_some(&s->output);
	}
	return status ? status : n < 0 ? MAYFLY_FAILED : output_end(&s->output);
}

int command_audit_show(const struct options *options)
{
	const struct audit_options *o = &options->audit;
	struct show s = { .json = o->json };
	struct audit_log log;
	int status = o->passwd ? names_read(&s.names, o->passwd) : 0;

	if (!status)
		status = filter_make(&s.filter, o, &s.names);
	if (!status)
		status = audit_log_open(&log, options->argv[0]);
	if (status)
		return status;
	audit_log_scan(&log, &s.names);
	output_begin(&s.output);
	status = show_all(&s, &log);
	names_free(&s.names);
	audit_log_close(&log);
	return status ? status : audit_log_judge(&log);
}
