/*
 * The policy language as a library: mayfly-policy(5) is the language, lib/policy.h what
 * it is compiled to. For the host: it allocates, and ends the program when it cannot.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "lib/base.h"

/* A variable's value, instead of what the policy says. */
struct policy_define {
	const char *name, *value;
};

/*
 * Compiles a policy: a file's path ("-": stdin), or the name of a profile if it has no
 * slash and there is such a profile. A file that is a compiled form already is checked.
 *
 * 0: *ret_form (malloc'd, aligned to 8) is the form, policy_parse() takes it. -EINVAL:
 * the policy is wrong; -ENOENT and others of open(2) and read(2), -EFBIG: it could not be
 * read. *ret_messages (malloc'd) is what is wrong then, lines for the user; else NULL.
 */
must_use int policy_compile_file(const char *what, const struct policy_define *defines,
				 size_t n, void **ret_form, size_t *ret_size,
				 char **ret_messages);

/* The same for a text in memory, which messages call `name`: what it includes can only be
 * profiles. */
must_use int policy_compile_text(const char *name, const char *text, size_t size,
				 const struct policy_define *defines, size_t n,
				 void **ret_form, size_t *ret_size, char **ret_messages);

#endif
