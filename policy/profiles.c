/* The policies that come with Mayfly. */
#include <string.h>

#include "policy/profiles.h"

/* dir.mk: this file is compiled again when a profile changes. */
#define PROFILE(name, what)                                                              \
	__asm__(".pushsection .rodata\n"                                                 \
		"profile_" #name "_text:\n"                                              \
		".incbin \"policy/profiles/" #name ".policy\"\n"                         \
		"profile_" #name "_end:\n"                                               \
		".byte 0\n"                                                              \
		".popsection\n");                                                        \
	extern const char profile_##name##_text[], profile_##name##_end[];
#include "policy/profiles.def"
#undef PROFILE

const struct profile profiles[] = {
#define PROFILE(name, what) { #name, what, profile_##name##_text, profile_##name##_end },
#include "policy/profiles.def"
#undef PROFILE
};
const size_t profile_count = ARRAY_LEN(profiles);

const struct profile *profile_find(const char *name, size_t size)
{
	for (size_t i = 0; i < profile_count; i++)
		if (strlen(profiles[i].name) == size &&
		    !memcmp(profiles[i].name, name, size))
			return &profiles[i];
	return NULL;
}

size_t profile_size(const struct profile *profile)
{
	return (size_t)(profile->end - profile->text);
}
