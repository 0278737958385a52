/* Options of `mayfly audit`: what each does with its value. 0 or -EINVAL, -ERANGE. */
#ifndef HOST_AUDIT_OPTIONS_H
#define HOST_AUDIT_OPTIONS_H

#include "host/args.h"

must_use int audit_set_json(struct options *o, const char *value);
must_use int audit_set_failed(struct options *o, const char *value);
must_use int audit_set_user(struct options *o, const char *value);
must_use int audit_set_event(struct options *o, const char *value);
must_use int audit_set_since(struct options *o, const char *value);
must_use int audit_set_passwd(struct options *o, const char *value);
must_use int audit_set_format(struct options *o, const char *value);
must_use int audit_set_head(struct options *o, const char *value);

#endif
