/* Options of `mayfly policy`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "host/policy/options.h"
#include "policy/names.h"
#include "policy/policy.h"

int policy_set_output(struct options *o, const char *value)
{
	o->policy.output = value;
	return *value ? 0 : -EINVAL;
}

int policy_set_define(struct options *o, const char *value)
{
	struct policy_options *p = &o->policy;
	const char *equals = strchr(value, '=');

	if (!equals || equals == value)
		return -EINVAL;
	p->defines = must_grow(p->defines, (p->define_count + 1) * sizeof(*p->defines));
	p->defines[p->define_count++] = (struct policy_define){
		.name = must_format("%.*s", (int)(equals - value), value),
		.value = equals + 1,
	};
	return 0;
}

int policy_set_json(struct options *o, const char *value)
{
	o->policy.json = true;
	return 0;
}

int policy_set_syscall(struct options *o, const char *value)
{
	o->policy.syscall = value;
	return *value ? 0 : -EINVAL;
}

int policy_set_args(struct options *o, const char *value)
{
	o->policy.args = value;
	return 0;
}

int policy_set_path(struct options *o, const char *value)
{
	o->policy.path = value;
	return *value ? 0 : -EINVAL;
}

int policy_set_access(struct options *o, const char *value)
{
	o->policy.access = value;
	return *value ? 0 : -EINVAL;
}

int policy_set_program(struct options *o, const char *value)
{
	o->policy.program = value;
	return *value ? 0 : -EINVAL;
}

int policy_set_format(struct options *o, const char *value)
{
	o->policy.format = value;
	return policy_format_known(value) ? 0 : -EINVAL;
}

int policy_set_cap(struct options *o, const char *value)
{
	for (size_t i = 0; i < set_capability.count; i++) {
		if (strcmp(set_capability.at[i].name, value))
			continue;
		o->policy.caps |= BIT(set_capability.at[i].value);
		return 0;
	}
	return -EINVAL;
}

int policy_set_kernel(struct options *o, const char *value)
{
	char more;

	return sscanf(value, "%u.%u%c", &o->policy.kernel_major, &o->policy.kernel_minor,
		      &more) == 2 &&
			       o->policy.kernel_major
		       ? 0
		       : -EINVAL;
}

int policy_set_bpf(struct options *o, const char *value)
{
	o->policy.bpf = true;
	return 0;
}
