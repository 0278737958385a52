/*
 * What other programs' lists of system calls say, as a draft. What they leave to others
 * (files, memory, privilege) the draft allows, and says so; what has no counterpart here
 * is refused, and noted.
 */
#ifndef POLICY_IMPORT_H
#define POLICY_IMPORT_H

#include "policy/draft.h"

struct import {
	struct draft draft;
	struct sources *sources; /* what is wrong with the text is said there */
	uint32_t file;
	/* Notes for the user: what could not be said here. */
	VEC(const char *) notes;
	/* What the text depends on. */
	uint64_t caps; /* a bit for each CAP_ that the program has */
	unsigned kernel_major, kernel_minor; /* 0: as the one that Mayfly is like */
	/* What is in a systemd group: lines of systemd-analyze syscall-filter. NULL: not
	 * known. */
	const char *systemd_groups;
};

/* Each reads sources' text of that index. False: it is wrong; it was said. */
bool import_oci(struct import *i);
bool import_minijail(struct import *i);
bool import_systemd(struct import *i);

/* ---- what they share ---- */

void import_begin(struct import *i, const char *name);
void import_note(struct import *i, const char *format, ...) printf_like(2, 3);
/* A rule of that action for one call; tests NULL: whatever its arguments. */
void import_call(struct import *i, uint32_t number, uint32_t action,
		 const struct draft_test *tests, uint32_t n);
/* What a call does that no rule is about: a refusal is the default, what allows is a rule
 * for each call of which `named` has no bit. */
void import_default(struct import *i, uint32_t action, const uint64_t *named);
/* Files and the like, which such lists say nothing of. */
void import_rest(struct import *i);

/* A comparison of an argument as a register of 64 bits, without a sign. */
enum import_op {
	IMPORT_NE,
	IMPORT_LT,
	IMPORT_LE,
	IMPORT_EQ,
	IMPORT_GE,
	IMPORT_GT,
	IMPORT_MASKED_EQ,
	IMPORT_MASKED_NE,
};

struct import_test {
	unsigned arg;
	enum import_op op;
	uint64_t mask, value;
};

/* A rule whose tests all must hold, as the registers are seen here. */
void import_rule(struct import *i, uint32_t number, uint32_t action,
		 const struct import_test *tests, uint32_t n);

#endif
