/* Which records are wanted. */
#ifndef HOST_AUDIT_FILTER_H
#define HOST_AUDIT_FILTER_H

#include "host/args.h"
#include "host/audit/names.h"

struct filter {
	bool failed, has_user;
	uint32_t uid, event; /* event: 0 is any */
	struct since since;
};

/* 0, or MAYFLY_FAILED having said why. */
must_use int filter_make(struct filter *f, const struct audit_options *o,
			 const struct audit_names *names);
/* wall_ns: when it was. */
must_use bool filter_lets(const struct filter *f, const struct audit_record *r,
			  uint64_t wall_ns);

/* "1.5s": after the boot; "2026-01-31T12:00:00.5+01:00". 0 or -EINVAL, -ERANGE. */
must_use int since_parse(const char *text, struct since *ret_since);
/* 64 hexadecimal digits. 0 or -EINVAL. */
must_use int head_parse(const char *text, uint8_t ret_head[AUDIT_DIGEST_SIZE]);

#endif
