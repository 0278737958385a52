/*
 * `mayfly policy`: what its commands share. Exit status: 0; POLICY_WRONG for a policy
 * with errors (they are on stderr); MAYFLY_FAILED if something could not be read or
 * written, or the options are wrong. diff and test have more to say: mayfly-policy(1).
 */
#ifndef HOST_POLICY_POLICY_H
#define HOST_POLICY_POLICY_H

#include <stdio.h>

#include "host/args.h"
#include "policy/built.h"

enum {
	POLICY_WRONG = 1,
	POLICY_NARROWED = 1, /* diff: narrowed or changed, and nothing widened */
	POLICY_WIDENED = 2,
};

/* Builds a policy as the options say. 0, or the exit status, having said why. Then
 * built_free() in any case. */
must_use int policy_build(const struct options *options, const char *what,
			  struct built *ret);

/* A stream whose bytes go to `path` (NULL: stdout) when it is finished. */
struct sink {
	FILE *out;
	char *bytes;
	size_t size;
};

void sink_begin(struct sink *sink);
/* 0 or MAYFLY_FAILED, having said why. */
must_use int sink_end(struct sink *sink, const char *path);

/* What is in the policy's messages, as JSON. */
void policy_messages_json(const struct built *built, FILE *out);

int command_policy_compile(const struct options *options);
int command_policy_check(const struct options *options);
int command_policy_explain(const struct options *options);
int command_policy_lint(const struct options *options);
int command_policy_test(const struct options *options);
int command_policy_diff(const struct options *options);
int command_policy_import(const struct options *options);
int command_policy_export(const struct options *options);

/* Is that a form that import reads? */
bool policy_format_known(const char *name);

#endif
