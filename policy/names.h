/*
 * What the bits and values of system calls' arguments are called: names.def as data, for
 * those who write them (policies) and those who show them (traces).
 */
#ifndef POLICY_NAMES_H
#define POLICY_NAMES_H

#include "lib/base.h"

/* A set of named bits, or of named values. */
struct name {
	uint64_t value;
	const char *name;
};

struct names {
	const struct name *at;
	size_t count;
};

#define SET(set) extern const struct names set_##set;
#define N(value)
#define V(value, text)
#define SET_END
#include "policy/names.def"
#undef SET
#undef N
#undef V
#undef SET_END

/* A set's name for the value; NULL. */
const char *names_find(const struct names *set, uint64_t value);
/* Every set. */
extern const struct names *const names_all[];
extern const size_t names_all_count;

#endif
