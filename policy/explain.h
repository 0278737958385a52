/* A policy in words. */
#ifndef POLICY_EXPLAIN_H
#define POLICY_EXPLAIN_H

#include <stdio.h>

#include "policy/ask.h"
#include "policy/built.h"

/* All of one of its programs. */
void explain_program(struct built *b, uint32_t program, FILE *out);
/* What would happen to the call, and the lines that decide. */
void explain_call(struct built *b, uint32_t program, const struct question *q, FILE *out);
/* What may be done there; want 0: with all of it. */
void explain_path(struct built *b, uint32_t program, const char *path, uint32_t want,
		  FILE *out);

/* The call with its arguments: as many as it has. */
void explain_question(const struct question *q, FILE *out);

#endif
