/* Options of `mayfly policy`: what each does with its value. 0 or -EINVAL. */
#ifndef HOST_POLICY_OPTIONS_H
#define HOST_POLICY_OPTIONS_H

#include "host/args.h"
#include "host/policy/policy.h"

must_use int policy_set_output(struct options *o, const char *value);
must_use int policy_set_define(struct options *o, const char *value);
must_use int policy_set_json(struct options *o, const char *value);
must_use int policy_set_format(struct options *o, const char *value);
must_use int policy_set_cap(struct options *o, const char *value);
must_use int policy_set_kernel(struct options *o, const char *value);
must_use int policy_set_bpf(struct options *o, const char *value);
must_use int policy_set_syscall(struct options *o, const char *value);
must_use int policy_set_args(struct options *o, const char *value);
must_use int policy_set_path(struct options *o, const char *value);
must_use int policy_set_access(struct options *o, const char *value);
must_use int policy_set_program(struct options *o, const char *value);

#endif
