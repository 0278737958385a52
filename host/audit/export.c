/* mayfly audit export: a log in the forms of others. */
#include <string.h>

#include "host/args.h"
#include "host/audit/audit.h"
#include "host/audit/export.h"
#include "host/audit/log.h"

export_fn *export_find(const char *format)
{
	static const struct {
		const char *name;
		export_fn *write;
	} formats[] = { { "auditd", export_auditd }, { "ocsf-json", export_ocsf } };

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (!strcmp(formats[i].name, format))
			return formats[i].write;
	return NULL;
}

static int export_all(struct audit_log *log, struct audit_names *names, export_fn *write)
{
	struct output output;
	struct audit_record r;
	int status = 0, n;

	output_begin(&output);
	while (!status && (n = audit_log_next(log, &r)) > 0) {
		names_learn(names, &r);
		write(&output.text, &r, audit_log_moment(log, &r), names);
		status = output_some(&output);
	}
	return status ? status : n < 0 ? MAYFLY_FAILED : output_end(&output);
}

int command_audit_export(const struct options *options)
{
	const struct audit_options *o = &options->audit;
	struct audit_names names = { 0 };
	struct audit_log log;
	int status;

	if (!o->format) {
		say("audit export: --format says which form: auditd or ocsf-json");
		return MAYFLY_FAILED;
	}
	status = o->passwd ? names_read(&names, o->passwd) : 0;
	if (!status)
		status = audit_log_open(&log, options->argv[0]);
	if (status)
		return status;
	audit_log_scan(&log, &names);
	status = export_all(&log, &names, export_find(o->format));
	names_free(&names);
	audit_log_close(&log);
	return status ? status : audit_log_judge(&log);
}
