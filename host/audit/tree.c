/* mayfly audit tree: processes, and who became whom. */
#include "host/args.h"
#include "host/audit/log.h"
#include "host/audit/family.h"

static int take_all(struct family *f, struct audit_names *names, struct audit_log *log)
{
	struct audit_record r;
	int n;

	while ((n = audit_log_next(log, &r)) > 0) {
		names_learn(names, &r);
		family_take(f, &r);
	}
	return n < 0 ? MAYFLY_FAILED : 0;
}

static int draw_all(struct family *f, struct output *o)
{
	int status = 0;

	while (!status && family_draw(f, o))
		status = output_some(o);
	return status ? status : output_end(o);
}

int command_audit_tree(const struct options *options)
{
	const char *passwd = options->audit.passwd;
	struct audit_names names = { 0 };
	struct output output;
	struct audit_log log;
	struct family *family;
	int status = passwd ? names_read(&names, passwd) : 0;

	if (!status)
		status = audit_log_open(&log, options->argv[0]);
	if (status)
		return status;
	output_begin(&output);
	family = family_new(&names, output.utf8);
	status = take_all(family, &names, &log);
	if (!status)
		status = draw_all(family, &output);
	family_free(family);
	names_free(&names);
	audit_log_close(&log);
	return status ? status : audit_log_judge(&log);
}
