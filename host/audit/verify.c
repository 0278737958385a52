/* mayfly audit verify: whether a log is whole. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/args.h"
#include "host/audit/audit.h"
#include "host/audit/json.h"
#include "host/audit/log.h"
#include "host/audit/words.h"
#include "host/json.h"

struct verdict {
	const char *file;
	const struct tally *tally;
	bool head_differs; /* from the one that is known from elsewhere */
};

static bool is_sound(const struct verdict *v)
{
	return !v->tally->fault && !v->head_differs;
}

/* ---- for people ---- */

static void add_fault(struct text *out, const struct verdict *v)
{
	const struct tally *t = v->tally;

	if (!t->fault) {
		text_add(out, "its head is not the one that was given");
		return;
	}
	text_add(out, "record %" PRIu64 ", at byte %" PRIu64 ": ", t->fault_at,
		 t->fault_at * AUDIT_RECORD_SIZE);
	if (t->part)
		text_add(out, "it was cut: %zu of its %d bytes are there", t->part,
			 AUDIT_RECORD_SIZE);
	else
		text_add(out, "%s", audit_fault_text(t->fault));
}

static void verdict_text(struct text *out, const struct verdict *v)
{
	const struct tally *t = v->tally;

	text_escape(out, v->file, strlen(v->file));
	text_add(out, is_sound(v) ? ": sound" : ": not sound: ");
	if (!is_sound(v))
		add_fault(out, v);
	text_add(out, "\n  records  %" PRIu64 "%s\n", t->check.next,
		 t->fault ? " before it" : "");
	text_add(out,
		 "  dropped  %" PRIu64 " (%" PRIu64 " vital, %" PRIu64 " ordinary)\n",
		 t->check.dropped, t->dropped[AUDIT_VITAL], t->dropped[AUDIT_ORDINARY]);
	text_add(out, "  end      %s\n", t->check.ended ? "yes" : "no");
	text_add(out, "  boot     ");
	words_boot_id(out, t->check.boot_id);
	text_add(out, "\n  head     ");
	words_hex(out, t->check.head, sizeof(t->check.head));
	text_add(out, "\n");
}

/* ---- for programs ---- */

static json_t *fault_json(const struct verdict *v)
{
	const struct tally *t = v->tally;
	struct text text = { 0 };
	json_t *json;

	if (is_sound(v))
		return json_null();
	add_fault(&text, v);
	json = json_pack(
		"{s:s, s:o, s:o, s:o}", "fault", t->fault ? fault_name(t->fault) : "head",
		"record", t->fault ? number_json(t->fault_at) : json_null(), "offset",
		t->fault ? number_json(t->fault_at * AUDIT_RECORD_SIZE) : json_null(),
		"text", text_json(text.at, text.size));
	free(text.at);
	return json;
}

static void verdict_json(struct text *out, const struct verdict *v)
{
	const struct tally *t = v->tally;

	json_line(out, json_pack("{s:o, s:b, s:o, s:o, s:{s:o, s:o}, s:b, s:o, s:o}",
				 "file", text_json(v->file, strlen(v->file)), "sound",
				 (int)is_sound(v), "fault", fault_json(v), "records",
				 number_json(t->check.next), "dropped", "vital",
				 number_json(t->dropped[AUDIT_VITAL]), "ordinary",
				 number_json(t->dropped[AUDIT_ORDINARY]), "end",
				 (int)t->check.ended, "boot_id",
				 boot_id_json(t->check.boot_id), "head",
				 hex_json(t->check.head, sizeof(t->check.head))));
}

int command_audit_verify(const struct options *options)
{
	const struct audit_options *o = &options->audit;
	struct audit_log log;
	struct audit_record r;
	struct output output;
	struct verdict v;
	int status = audit_log_open(&log, options->argv[0]), n;

	if (status)
		return status;
	while ((n = audit_log_next(&log, &r)) > 0 && !log.tally.fault)
		;
	if (n < 0)
		return MAYFLY_FAILED;
	v = (struct verdict){ log.name, &log.tally,
			      o->has_head && memcmp(o->head, log.tally.check.head,
						    sizeof(o->head)) != 0 };
	output_begin(&output);
	(o->json ? verdict_json : verdict_text)(&output.text, &v);
	audit_log_close(&log);
	status = output_end(&output);
	return status ? status : is_sound(&v) ? 0 : AUDIT_NOT_SOUND;
}
