/* A policy made of a text, and what it says. */
#ifndef TESTS_UNIT_POLICY_MADE_H
#define TESTS_UNIT_POLICY_MADE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/built.h"
#include "policy/words.h"

/* The text is right. Ends the test if not. */
static inline void make(struct built *b, const char *text)
{
	if (built_text(b, "test", text, strlen(text), NULL, 0)) {
		sources_print(&b->sources, stderr);
		fail();
	}
}

/* What is wrong with the text: its only message, in `to`. */
static inline const char *wrong_in(const char *text, char to[256])
{
	struct built b;

	assert_int_equal(built_text(&b, "test", text, strlen(text), NULL, 0), -EINVAL);
	assert_int_equal(b.sources.messages.n, 1);
	snprintf(to, 256, "%u:%u %s%s%s", b.sources.messages.at[0].at.line,
		 b.sources.messages.at[0].at.column, b.sources.messages.at[0].text,
		 b.sources.messages.at[0].hint ? "; " : "",
		 b.sources.messages.at[0].hint ? b.sources.messages.at[0].hint : "");
	built_free(&b);
	return to;
}

/* The action for a call; args end with what is left out, which is 0. */
static inline uint32_t verdict(const struct built *b, const char *call, uint64_t a0,
			       uint64_t a1, uint64_t a2, uint64_t a3)
{
	const uint64_t args[POLICY_ARGS] = { a0, a1, a2, a3 };
	const uint64_t fields[POLICY_FIELDS - POLICY_ARGS] = { 0 };
	struct policy_verdict v;
	int number = word_syscall(call, strlen(call));

	assert_true(number >= 0);
	policy_decide(&b->policy, 0, (uint32_t)number, args, fields, &v);
	return v.action;
}

#define ALLOWED POLICY_ACTION_OF(POLICY_ALLOW, 0)
#define REFUSED(error) POLICY_ACTION_OF(POLICY_ERRNO, error)

static inline uint32_t rights(const struct built *b, const char *path)
{
	const struct policy_place at = { path, strlen(path), 77 };

	return policy_rights(&b->policy, 0, &at);
}

#endif
