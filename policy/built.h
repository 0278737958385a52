/* A policy with all that is known of it: its texts, the draft, the compiled form. */
#ifndef POLICY_BUILT_H
#define POLICY_BUILT_H

#include "policy/compile.h"
#include "policy/policy.h"

struct built {
	struct sources sources;
	struct draft draft; /* no texts: nothing, it was a compiled form */
	bool from_text;
	struct compiled compiled;
	struct policy policy; /* borrows compiled.form */
};

/* As policy_compile_file, but what is wrong is left in sources.messages. -EINVAL: there
 * are messages. */
must_use int built_file(struct built *b, const char *what,
			const struct policy_define *defines, size_t n);
must_use int built_text(struct built *b, const char *name, const char *text, size_t size,
			const struct policy_define *defines, size_t n);
void built_free(struct built *b);

#endif
