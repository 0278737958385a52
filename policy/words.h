/* The words of a policy: names of calls, groups, arguments, constants, errors. Those of
 * untrusted texts have no NUL behind them. */
#ifndef POLICY_WORDS_H
#define POLICY_WORDS_H

#include "lib/policy.h"
#include "lib/syscall_words.h"
#include "policy/arena.h"

/* A call's number; -1: there is none of that name. */
int word_syscall(const char *name, size_t size);
/* "read"; "512" in `space` if there is none of that number. */
const char *syscall_name(uint32_t number, char space[16]);
/* A group's, with or without '@', '-' for '_'; -1. */
int word_group(const char *name, size_t size);
/* "basic-io" */
void group_name(unsigned group, char ret[32]);
/* An argument's number, or POLICY_FIELD's; -1. */
int word_argument(uint32_t number, const char *name, size_t size);
/* NULL: it has none of that number. */
const char *argument_name(uint32_t number, uint32_t argument);
/* "fd, buf, count": heap of the arena. */
const char *argument_list(struct arena *a, uint32_t number);
/* O_RDONLY; false: unknown. */
bool word_constant(const char *name, size_t size, uint64_t *ret);
/* EPERM; 0: unknown. */
unsigned word_error(const char *name, size_t size);
/* "EPERM"; "4095" in `space`. */
const char *error_name(unsigned error, char space[16]);
/* POLICY_READ...; several for "write"; 0: unknown. */
uint32_t word_access(const char *name, size_t size);
/* 12, 0x1f, 0755, -1; false: no number, or too large. */
bool word_number(const char *text, size_t size, uint64_t *ret);
/* 256M, 30s, 8 as the limit's unit has it; false: none. */
bool word_amount(enum policy_limit_kind kind, const char *text, size_t size,
		 uint64_t *ret);
/* -1: there is no such limit. */
int word_limit(const char *name, size_t size);
const char *limit_name(enum policy_limit_kind kind);
/* "256M", "30s" */
void amount_text(enum policy_limit_kind kind, uint64_t value, char ret[32]);

/* What may have been meant. */
struct guess {
	const char *word;
	size_t size;
	const char *best;
	unsigned distance;
};
void guess_begin(struct guess *g, const char *word, size_t size);
void guess_offer(struct guess *g, const char *known);
/* "did you mean 'openat'?"; NULL: nothing is near. */
const char *guess_hint(const struct guess *g, struct arena *a);
const char *guess_syscall(struct arena *a, const char *name, size_t size);
const char *guess_group(struct arena *a, const char *name, size_t size);
const char *guess_constant(struct arena *a, const char *name, size_t size);

#endif
