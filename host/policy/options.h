/* Options of `mayfly policy`: what each does with its value. 0 or -EINVAL. */
#ifndef HOST_POLICY_OPTIONS_H
#define HOST_POLICY_OPTIONS_H

#include "host/args.h"
#include "host/policy/policy.h"

must_use int policy_set_output(struct options *o, const char *value);
must_use int policy_set_define(struct options *o, const char *value);
must_use int policy_set_json(struct options *o, const char *value);

#endif
