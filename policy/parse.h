/*
 * The policy language, read: statements become a draft. mayfly-policy(5) is what it is.
 *
 * A statement that is wrong is said and left out, and the next one is read: all that is
 * wrong is found at once.
 */
#ifndef POLICY_PARSE_H
#define POLICY_PARSE_H

#include "policy/draft.h"
#include "policy/lex.h"

#define INCLUDE_DEPTH_MAX 32

struct parser {
	struct lexer lex;
	struct draft *draft;
	uint32_t program;	    /* whose statements these are */
	uint32_t depth;		    /* of the text: 0 is the outermost */
	uint32_t outer_line;	    /* of the outermost text: what includes this one */
	const struct parser *above; /* what includes this text */
	struct spot block;	    /* where an open program begins; line 0: none is */
};

/* Reads the outermost text. What is wrong is in draft->sources. */
void parse(struct draft *draft, uint32_t file);

/* ---- what the parts of the parser share ---- */

/* The current token is not what is right there: says it, goes to the end of the line.
 * False, always. */
bool parse_wrong(struct parser *p, const char *hint, const char *wanted);
/* Takes a reason, if there is one, and the end of the statement. */
bool parse_end(struct parser *p, const char **ret_reason);
/* Whether one more hint is worth finding. */
bool parse_hints(const struct parser *p);
/* "with X": EPERM, kill, kill-thread, trap. */
bool parse_with(struct parser *p, uint32_t *ret_action);
/* What the token stands for, with a NUL behind it. */
const char *parse_text(struct parser *p);

/* A word or a string; `wanted` is said if there is none. */
bool parse_name(struct parser *p, const char *wanted, const char **ret);
/* All statements of a text whose first token is the current one. */
void parse_text_of(struct parser *p);

/* ---- parse_include.c ---- */

bool parse_include(struct parser *p, struct spot at);
/* Counts the text; true: it is one too many, and it was said. */
bool parse_is_too_large(struct parser *p);

/* ---- parse_call.c ---- */

bool parse_calls(struct parser *p, struct draft_rule *rule);

/* ---- parse_where.c ---- */

/* "A == B and ...", as tests of that call. On failure it is said what is wrong. */
bool parse_where(struct parser *p, uint32_t number, struct draft_call *call);

/* ---- parse_path.c ---- */

/* Access words and paths. */
bool parse_access(struct parser *p, bool deny, struct spot at);
bool parse_on(struct parser *p);
/* Do access words follow, and then a path or what was meant as one? */
bool parse_is_access(const struct parser *p);

#endif
