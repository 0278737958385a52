/*
 * A compiled policy for Linux's seccomp. What seccomp cannot say is refused where that is
 * possible, and noted.
 */
#ifndef POLICY_EXPORT_H
#define POLICY_EXPORT_H

#include <linux/filter.h>
#include <stdio.h>

#include "lib/policy.h"
#include "policy/arena.h"

struct export
{
	struct arena arena;
	const struct policy *policy;
	VEC(const char *) notes; /* what cannot be said */
};

/* A filter of classic BPF, in the arena: struct sock_filter[]. Its length; -E2BIG: it is
 * longer than Linux takes. */
must_use int export_bpf(struct export *e, struct sock_filter **ret);
/* JSON of Docker, Podman and the OCI. */
void export_oci(struct export *e, FILE *out);

void export_free(struct export *e);

/* ---- what they share ---- */

void export_note(struct export *e, const char *format, ...) printf_like(2, 3);
/* What neither says: paths and the like. */
void export_note_rest(struct export *e);
/* The rules of a number, the one that decides first: the sternest. In the arena. */
const struct policy_rule **export_rules(struct export *e, uint32_t number,
					uint32_t *ret_n);

#endif
