/* lib/audit and all that host/audit makes of a log of hostile records: no crash, and only
 * text. The first byte says whether the records are sealed first, as a hostile guest's
 * kernel would; the rest are records, the last one filled up with zeroes. */
/* link: host/audit/log.c host/audit/names.c host/audit/words.c host/audit/who.c */
/* link: host/audit/json.c host/audit/family.c host/audit/auditd.c host/audit/ocsf.c */
/* link: host/json.c host/util.c host/strace/text.c policy/names.c */
/* link: host/strace/known.c host/strace/call.c host/strace/args_plain.c */
/* link: host/strace/args_file.c */
/* link: host/strace/args_process.c host/strace/args_socket.c host/strace/args_ipc.c */
#include <stdlib.h>
#include <string.h>

#include "host/audit/export.h"
#include "host/audit/family.h"
#include "host/audit/json.h"
#include "host/audit/log.h"
#include "host/audit/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of host/say.c. */
void say(const char *format, ...)
{
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* JSON may hold what lies beyond ASCII. */
static void text_check(struct text *t, uint8_t last)
{
	for (size_t i = 0; i < t->size; i++)
		must(t->at[i] == '\n' ||
		     ((uint8_t)t->at[i] >= ' ' && (uint8_t)t->at[i] <= last));
	t->size = 0;
}

static void line_check(struct text *t)
{
	must(t->size > 1 && memchr(t->at, '\n', t->size) == t->at + t->size - 1);
	text_check(t, 0xff);
}

static void record_check(const struct audit_record *r, const struct audit_names *names,
			 struct text *t)
{
	const struct words w = { t, names, false };

	words_record(&w, r);
	must(!t->size || !memchr(t->at, '\n', t->size));
	(void)words_program(&w, r);
	text_check(t, '~');
	export_auditd(t, r, r->wall_ns, names);
	must(t->size && t->at[t->size - 1] == '\n');
	text_check(t, '~');
	export_ocsf(t, r, r->wall_ns, names);
	line_check(t);
	json_line(t, record_json(r, names));
	line_check(t);
}

static void family_check(struct family *f)
{
	struct output o = { .color = false };

	while (family_draw(f, &o))
		;
	text_check(&o.text, '~');
	free(o.text.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t previous[AUDIT_DIGEST_SIZE] = { 0 };
	struct audit_names names = { 0 };
	struct family *family = family_new(&names, false);
	struct tally tally = { 0 };
	struct text text = { 0 };

	for (size_t at = 1; at < size; at += AUDIT_RECORD_SIZE) {
		struct audit_record r = { 0 };

		memcpy(&r, data + at, MIN(sizeof(r), size - at));
		if (data[0] & 1)
			audit_seal(&r, previous);
		memcpy(previous, r.digest, sizeof(previous));
		if (!tally.count)
			(void)tally_may_begin(&r);
		tally_take(&tally, &r);
		names_learn(&names, &r);
		family_take(family, &r);
		record_check(&r, &names, &text);
	}
	tally_end(&tally, 0);
	must(fault_name(tally.fault));
	family_check(family);
	family_free(family);
	names_free(&names);
	free(text.at);
	return 0;
}
