/* The policies that come with Mayfly: profiles/, in the program itself. */
#ifndef POLICY_PROFILES_H
#define POLICY_PROFILES_H

#include "lib/base.h"

struct profile {
	const char *name, *what;
	const char *text, *end;
};

extern const struct profile profiles[];
extern const size_t profile_count;

/* NULL: there is none of that name. */
const struct profile *profile_find(const char *name, size_t size);
size_t profile_size(const struct profile *profile);

#endif
