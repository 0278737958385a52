/* What a form says, in the words of the language. */
#ifndef POLICY_DESCRIBE_H
#define POLICY_DESCRIBE_H

#include <stdio.h>

#include "policy/draft.h"

/* A test: "flags has O_CREAT". */
void describe_test(FILE *out, uint32_t number, const struct draft_test *test);
/* Those of a rule, joined by "and". */
void describe_tests(FILE *out, uint32_t number, const struct draft_test *tests,
		    uint32_t n);
/* A test of a form, as one of a draft; borrows the form's values. */
struct draft_test test_of(const struct policy *p, const struct policy_test *t);
void describe_rule_tests(FILE *out, const struct policy *p, const struct policy_rule *r);

/* An argument's value: O_RDONLY|O_CLOEXEC, 12, 0x1000. */
void describe_value(FILE *out, uint32_t number, uint32_t arg, uint64_t value);
/* How a call is refused in the language: EPERM, kill. */
const char *action_word(uint32_t action, char space[24]);
/* What happens to a call: "allowed", "refused with EPERM", "the process is killed". */
const char *action_text(uint32_t action, char space[48]);
/* "read execute" */
const char *access_text(uint32_t access, char space[48]);
/* As the language has it: in quotes if it must be. */
void describe_string(FILE *out, const char *text);
void describe_path(FILE *out, const char *text, uint16_t flags);

#endif
