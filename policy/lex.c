/* A policy's text as tokens. */
#include <ctype.h>
#include <string.h>

#include "policy/lex.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("_-.@+:", c));
}

static struct spot spot_of(const struct lexer *l, const char *from, const char *to)
{
	return (struct spot){ l->file, l->line, (uint32_t)(from - l->line_start) + 1,
			      (uint32_t)(to - from) };
}

static void token_set(struct lexer *l, enum token_kind kind, const char *from,
		      const char *to)
{
	l->token =
		(struct token){ kind, from, (size_t)(to - from), spot_of(l, from, to) };
	l->at = to;
}

static void line_next(struct lexer *l, const char *start)
{
	l->at = l->line_start = start;
	l->line++;
}

/* The backslash and the end of line behind it; NULL: there is none. */
static const char *continued(const struct lexer *l)
{
	const char *at = l->at;

	if (*at++ != '\\')
		return NULL;
	while (at < l->end && is_blank(*at))
		at++;
	return at < l->end && *at == '\n' ? at + 1 : NULL;
}

static void skip_blanks(struct lexer *l)
{
	const char *next;

	while (l->at < l->end) {
		if (is_blank(*l->at)) {
			l->at++;
		} else if (*l->at == '#') {
			const char *end = memchr(l->at, '\n', (size_t)(l->end - l->at));

			l->at = end ? end : l->end;
		} else if (*l->at == '\n' && l->in_set) {
			line_next(l, l->at + 1);
		} else if ((next = continued(l))) {
			line_next(l, next);
		} else {
			break;
		}
	}
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* What stands behind a backslash; *at goes on behind it. -1: nothing that is known. */
static int escaped(const char **at, const char *end)
{
	static const char from[] = "nt\"\\", to[] = "\n\t\"\\";
	const char *s = *at, *known;
	int value;

	if (s == end)
		return -1;
	known = *s ? strchr(from, *s) : NULL;
	*at = s + 1;
	if (known)
		return to[known - from];
	if (*s != 'x' || end - s < 3 || hex_digit(s[1]) < 0 || hex_digit(s[2]) < 0)
		return -1;
	*at = s + 3;
	value = hex_digit(s[1]) << 4 | hex_digit(s[2]);
	return value ? value : -1;
}

static void lex_string(struct lexer *l)
{
	const char *from = l->at, *at = from + 1;
	const char *line_end = memchr(at, '\n', (size_t)(l->end - at));
	const char *end = line_end ? line_end : l->end;
	const char *fault = NULL;
	char *text = arena_new(&l->sources->arena, (size_t)(end - at) + 1), *to = text;

	while (at < end && *at != '"') {
		const char *start = at;
		int c = (unsigned char)*at++;

		if (c == '\\')
			c = escaped(&at, end);
		if (c <= 0 && !fault)
			fault = start;
		*to++ = (char)c;
	}
	if (at == end) {
		if (!l->quiet)
			source_fault(l->sources, spot_of(l, from, end), NULL,
				     "the string does not end in its line");
		token_set(l, TOKEN_BAD, from, end);
		return;
	}
	token_set(l, TOKEN_STRING, from, at + 1);
	l->token.at = text;
	l->token.size = (size_t)(to - text);
	if (!fault)
		return;
	l->token.kind = TOKEN_BAD;
	if (!l->quiet)
		source_fault(l->sources, spot_of(l, fault, MIN(fault + 2, at)),
			     "there are \\\" \\\\ \\n \\t \\xhh",
			     "not a character of a string");
}

static void lex_path(struct lexer *l)
{
	const char *at = l->at;

	while (at < l->end && !is_blank(*at) && *at != '\n' && *at)
		at++;
	token_set(l, TOKEN_PATH, l->at, at);
}

static void lex_bad(struct lexer *l)
{
	unsigned char c = (unsigned char)*l->at;
	struct spot at = spot_of(l, l->at, l->at + 1);

	token_set(l, TOKEN_BAD, l->at, l->at + 1);
	if (l->quiet)
		return;
	if (!c)
		source_fault(l->sources, at, NULL, "a NUL byte");
	else if (c < ' ' || c >= 0x7f)
		source_fault(l->sources, at, "other letters go into comments and strings",
			     "a byte that is not understood: 0x%02x", c);
	else
		source_fault(l->sources, at, NULL, "not understood: '%c'", c);
}

static void lex_sign(struct lexer *l)
{
	static const char *const signs[] = { "==", "!=", "<=", ">=", "<", ">", "=",
					     "&",  "|",	 "~",  "{",  "}", "," };

	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		size_t size = strlen(signs[i]);

		if ((size_t)(l->end - l->at) >= size && !memcmp(l->at, signs[i], size)) {
			token_set(l, TOKEN_SIGN, l->at, l->at + size);
			return;
		}
	}
	lex_bad(l);
}

void lex_next(struct lexer *l)
{
	const char *at;

	if (l->token.kind == TOKEN_LINE && l->at < l->end)
		line_next(l, l->at + 1);
	skip_blanks(l);
	at = l->at;
	if (at == l->end) {
		token_set(l, TOKEN_END, at, at);
	} else if (*at == '\n') {
		token_set(l, TOKEN_LINE, at, at);
	} else if (*at == '"') {
		lex_string(l);
	} else if (*at == '/' || *at == '$') {
		lex_path(l);
	} else if (is_word(*at)) {
		while (at < l->end && is_word(*at))
			at++;
		token_set(l, TOKEN_WORD, l->at, at);
	} else {
		lex_sign(l);
	}
}

/* Nothing in what is skipped is looked at, nor complained of. */
void lex_skip(struct lexer *l)
{
	const char *end;

	l->in_set = false;
	if (l->token.kind == TOKEN_LINE || l->token.kind == TOKEN_END)
		return;
	end = memchr(l->at, '\n', (size_t)(l->end - l->at));
	l->at = end ? end : l->end;
	token_set(l, end ? TOKEN_LINE : TOKEN_END, l->at, l->at);
}

void lex_begin(struct lexer *l, struct sources *sources, uint32_t file)
{
	const struct source *source = &sources->files.at[file];

	*l = (struct lexer){ .sources = sources,
			     .file = file,
			     .at = source->text,
			     .end = source->text + source->size,
			     .line_start = source->text,
			     .line = 1,
			     .token.kind = TOKEN_END };
	lex_next(l);
}

bool token_is(const struct token *t, const char *text)
{
	return (t->kind == TOKEN_WORD || t->kind == TOKEN_SIGN) &&
	       t->size == strlen(text) && !memcmp(t->at, text, t->size);
}

bool lex_is(const struct lexer *l, const char *text)
{
	return token_is(&l->token, text);
}

bool lex_is_end(const struct lexer *l)
{
	return l->token.kind == TOKEN_LINE || l->token.kind == TOKEN_END ||
	       lex_is(l, "}");
}
