/* Options of `mayfly audit`. */
#include <errno.h>

#include "host/audit/export.h"
#include "host/audit/filter.h"
#include "host/audit/options.h"

int audit_set_json(struct options *o, const char *value)
{
	o->audit.json = true;
	return 0;
}

int audit_set_failed(struct options *o, const char *value)
{
	o->audit.failed = true;
	return 0;
}

int audit_set_user(struct options *o, const char *value)
{
	o->audit.user = value;
	return *value ? 0 : -EINVAL;
}

int audit_set_event(struct options *o, const char *value)
{
	o->audit.event = value;
	return *value ? 0 : -EINVAL;
}

int audit_set_since(struct options *o, const char *value)
{
	return since_parse(value, &o->audit.since);
}

int audit_set_passwd(struct options *o, const char *value)
{
	o->audit.passwd = value;
	return *value ? 0 : -EINVAL;
}

int audit_set_format(struct options *o, const char *value)
{
	o->audit.format = value;
	return export_find(value) ? 0 : -EINVAL;
}

int audit_set_head(struct options *o, const char *value)
{
	o->audit.has_head = true;
	return head_parse(value, o->audit.head);
}
