/*
 * A policy's text as tokens. A line is a statement; a backslash before its end lets it go
 * on, and so does a set that is open.
 */
#ifndef POLICY_LEX_H
#define POLICY_LEX_H

#include "policy/sources.h"

enum token_kind {
	TOKEN_END,    /* of the text */
	TOKEN_LINE,   /* its end */
	TOKEN_WORD,   /* a name, a number, @group */
	TOKEN_STRING, /* "...": `at` is what it stands for, in the arena */
	TOKEN_PATH,   /* begins with / or $, ends at a blank */
	TOKEN_SIGN,   /* == != <= >= < > = & | ~ { } , */
	TOKEN_BAD,    /* and it was said what is wrong with it */
};

struct token {
	enum token_kind kind;
	const char *at;
	size_t size;
	struct spot spot;
};

struct lexer {
	struct sources *sources;
	struct token token; /* the current one */
	const char *at, *end, *line_start;
	uint32_t file, line;
	bool in_set; /* the ends of lines are blanks */
	bool quiet;  /* looks ahead: what is wrong is said when it is read */
};

void lex_begin(struct lexer *l, struct sources *sources, uint32_t file);
/* Goes on to the next token. */
void lex_next(struct lexer *l);
/* Goes to the end of the line. */
void lex_skip(struct lexer *l);
/* Is the current token that word, or sign? */
bool lex_is(const struct lexer *l, const char *text);
/* The end of a statement: of a line, of the text, or `}`. */
bool lex_is_end(const struct lexer *l);
bool token_is(const struct token *t, const char *text);

#endif
