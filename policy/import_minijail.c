/*
 * Minijail's policies: a call a line, `NAME: EXPRESSION`, as its compiler takes them:
 * 1, conditions on arg0 to arg5 joined by && and ||, `; return ERROR`, named actions,
 * @default. What is not named ends the process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/import.h"
#include "policy/words.h"

#define TERMS_MAX 64 /* of a condition, joined by || */
#define TESTS_MAX 8  /* of a term, joined by && */

/* A condition: one of the terms holds; a term holds if all of its tests do. */
struct term {
	struct import_test tests[TESTS_MAX];
	uint32_t n;
};

struct condition {
	struct term terms[TERMS_MAX];
	uint32_t n;
};

struct minijail {
	struct import *i;
	const char *at, *end; /* of the line */
	struct spot spot;
	const char *line; /* its start */
	unsigned depth;	  /* of files that are included */
	uint32_t default_action;
	uint64_t named[POLICY_NUMBERS / 64];
};

/* ---- tokens ---- */

static bool fault(struct minijail *m, const char *what)
{
	struct spot at = m->spot;

	at.column = (uint32_t)(m->at - m->line) + 1;
	at.length = 1;
	source_fault(m->i->sources, at, NULL, "%s", what);
	return false;
}

static void skip_blanks(struct minijail *m)
{
	while (m->at < m->end && (*m->at == ' ' || *m->at == '\t' || *m->at == '\r'))
		m->at++;
}

static bool take(struct minijail *m, const char *sign)
{
	size_t n = strlen(sign);

	skip_blanks(m);
	if ((size_t)(m->end - m->at) < n || memcmp(m->at, sign, n))
		return false;
	m->at += n;
	return true;
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static size_t take_name(struct minijail *m, const char **ret)
{
	skip_blanks(m);
	*ret = m->at;
	while (m->at < m->end && is_name(*m->at))
		m->at++;
	return (size_t)(m->at - *ret);
}

static bool take_word(struct minijail *m, const char *word)
{
	const char *before = m->at, *name;
	size_t n = take_name(m, &name);

	if (n == strlen(word) && !memcmp(name, word, n))
		return true;
	m->at = before;
	return false;
}

/* ---- values ---- */

static bool take_value(struct minijail *m, uint64_t *ret, unsigned depth);

/* A number, a name, ~ or () around one. */
static bool take_single(struct minijail *m, uint64_t *ret, unsigned depth)
{
	const char *name;
	size_t n;

	if (depth > 16)
		return fault(m, "too many brackets");
	if (take(m, "~")) {
		if (!take_single(m, ret, depth + 1))
			return false;
		*ret = ~*ret;
		return true;
	}
	if (take(m, "(")) {
		if (!take_value(m, ret, depth + 1))
			return false;
		return take(m, ")") || fault(m, "a ')' was expected here");
	}
	n = take_name(m, &name);
	if (n && (word_number(name, n, ret) || word_constant(name, n, ret)))
		return true;
	m->at = name;
	return fault(m, "neither a number nor a name of a value");
}

static bool take_value(struct minijail *m, uint64_t *ret, unsigned depth)
{
	uint64_t more;

	if (!take_single(m, ret, depth))
		return false;
	for (;;) {
		skip_blanks(m);
		if (m->end - m->at >= 2 && m->at[0] == '|' && m->at[1] == '|')
			return true;
		if (!take(m, "|"))
			return true;
		if (!take_single(m, &more, depth))
			return false;
		*ret |= more;
	}
}

/* ---- conditions ---- */

/* `in`: all bits are among those; `&`: one of those is set. */
static bool take_test(struct minijail *m, struct import_test *t)
{
	static const struct {
		const char *sign;
		enum import_op op;
	} signs[] = {
		{ "==", IMPORT_EQ }, { "!=", IMPORT_NE }, { "<=", IMPORT_LE },
		{ ">=", IMPORT_GE }, { "<", IMPORT_LT },  { ">", IMPORT_GT },
	};
	const char *name;
	size_t n = take_name(m, &name);
	uint64_t value;

	if (n != 4 || memcmp(name, "arg", 3) || name[3] < '0' || name[3] > '5') {
		m->at = name;
		return fault(m, "arg0 to arg5 was expected here");
	}
	*t = (struct import_test){ .arg = (unsigned)(name[3] - '0') };
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (!take(m, signs[i].sign))
			continue;
		t->op = signs[i].op;
		return take_value(m, &t->value, 0);
	}
	t->op = IMPORT_MASKED_NE;
	if (take(m, "&"))
		return take_value(m, &t->mask, 0);
	if (!take_word(m, "in"))
		return fault(m, "== != < <= > >= & in was expected here");
	if (!take_value(m, &value, 0))
		return false;
	t->op = IMPORT_MASKED_EQ;
	t->mask = ~value;
	return true;
}

static bool take_term(struct minijail *m, struct term *term)
{
	term->n = 0;
	do {
		if (term->n == TESTS_MAX)
			return fault(m, "too many conditions");
		if (!take_test(m, &term->tests[term->n]))
			return false;
		term->n++;
	} while (take(m, "&&"));
	return true;
}

static bool take_condition(struct minijail *m, struct condition *c)
{
	c->n = 0;
	do {
		if (c->n == TERMS_MAX)
			return fault(m, "too many conditions");
		if (!take_term(m, &c->terms[c->n]))
			return false;
		c->n++;
	} while (take(m, "||"));
	return true;
}

static struct import_test inverse(const struct import_test *t)
{
	static const enum import_op ops[] = {
		[IMPORT_NE] = IMPORT_EQ,
		[IMPORT_EQ] = IMPORT_NE,
		[IMPORT_LT] = IMPORT_GE,
		[IMPORT_GE] = IMPORT_LT,
		[IMPORT_LE] = IMPORT_GT,
		[IMPORT_GT] = IMPORT_LE,
		[IMPORT_MASKED_EQ] = IMPORT_MASKED_NE,
		[IMPORT_MASKED_NE] = IMPORT_MASKED_EQ,
	};
	struct import_test not = *t;

	not .op = ops[t->op];
	return not ;
}

/* When none of the terms holds: of each one test does not. */
static bool condition_not(struct minijail *m, const struct condition *c,
			  struct condition *ret)
{
	struct condition *more = malloc(sizeof(*more));

	if (!more)
		exit(ARENA_EXIT);
	ret->n = 1;
	ret->terms[0].n = 0;
	for (uint32_t i = 0; i < c->n; i++) {
		more->n = 0;
		for (uint32_t k = 0; k < ret->n; k++) {
			for (uint32_t t = 0; t < c->terms[i].n; t++) {
				struct term *term = &more->terms[more->n];

				if (more->n == TERMS_MAX ||
				    ret->terms[k].n == TESTS_MAX) {
					free(more);
					return fault(m, "the condition is too complex");
				}
				*term = ret->terms[k];
				term->tests[term->n++] = inverse(&c->terms[i].tests[t]);
				more->n++;
			}
		}
		*ret = *more;
	}
	free(more);
	return true;
}

/* ---- lines ---- */

/* EPERM, 1, kill-process: what follows `return`, or stands alone. */
static bool take_action(struct minijail *m, uint32_t *ret)
{
	static const struct {
		const char *word;
		uint32_t action;
	} words[] = {
		{ "allow", POLICY_ACTION_OF(POLICY_ALLOW, 0) },
		{ "log", POLICY_ACTION_OF(POLICY_LOG, 0) },
		{ "kill", POLICY_ACTION_OF(POLICY_KILL, 0) },
		{ "kill-process", POLICY_ACTION_OF(POLICY_KILL, 0) },
		{ "kill-thread", POLICY_ACTION_OF(POLICY_KILL_THREAD, 0) },
		{ "trap", POLICY_ACTION_OF(POLICY_TRAP, 0) },
		{ "user-notify", POLICY_ACTION_OF(POLICY_ERRNO, 38) },
		{ "trace", POLICY_ACTION_OF(POLICY_ERRNO, 38) },
	};
	const char *name;
	uint64_t error;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!take_word(m, words[i].word))
			continue;
		*ret = words[i].action;
		return true;
	}
	if (!take_word(m, "return"))
		return fault(m, "an action was expected here");
	n = take_name(m, &name);
	if (!n || (!word_number(name, n, &error) && !(error = word_error(name, n))) ||
	    error > POLICY_ERROR_MAX) {
		m->at = name;
		return fault(m, "an error was expected here");
	}
	/* Without an error the call is not made, and seems to succeed: no such thing
	 * here. */
	if (!error)
		import_note(m->i, "'return 0' does not carry a call out, nor refuse it: "
				  "refused with EPERM");
	*ret = POLICY_ACTION_OF(POLICY_ERRNO, error ? error : 1);
	return true;
}

static void rules_add(struct minijail *m, uint32_t number, uint32_t action,
		      const struct condition *c)
{
	for (uint32_t i = 0; i < c->n; i++)
		import_rule(m->i, number, action, c->terms[i].tests, c->terms[i].n);
}

static bool take_conditional(struct minijail *m, uint32_t number)
{
	struct condition *c = malloc(2 * sizeof(*c));
	uint32_t action;
	bool good;

	if (!c)
		exit(ARENA_EXIT);
	good = take_condition(m, c);
	if (good)
		rules_add(m, number, POLICY_ACTION_OF(POLICY_ALLOW, 0), c);
	if (good && take(m, ";")) {
		good = take_action(m, &action) && condition_not(m, c, c + 1);
		if (good)
			rules_add(m, number, action, c + 1);
	}
	free(c);
	return good;
}

static bool take_rule(struct minijail *m, uint32_t number)
{
	uint32_t action = POLICY_ACTION_OF(POLICY_ALLOW, 0);
	const char *before;

	skip_blanks(m);
	before = m->at;
	m->named[number / 64] |= BIT(number % 64);
	if (m->end - m->at >= 3 && !memcmp(m->at, "arg", 3))
		return take_conditional(m, number);
	if (!take_word(m, "1")) {
		m->at = before;
		if (!take_action(m, &action))
			return false;
	}
	import_call(m->i, number, action, NULL, 0);
	return true;
}

static void take_lines(struct minijail *m, uint32_t file);

/* A file beside this one, whose lines are as if they stood here. */
static bool take_include(struct minijail *m)
{
	struct sources *s = m->i->sources;
	const char *from = s->files.at[m->spot.file].name, *slash = strrchr(from, '/');
	struct minijail outer = *m;
	const char *name, *end = m->end;
	int file;

	skip_blanks(m);
	while (end > m->at && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	if (m->depth)
		return fault(m, "an included file includes none");
	name = arena_format(&s->arena, "%.*s%.*s",
			    slash && *m->at != '/' ? (int)(slash + 1 - from) : 0, from,
			    (int)(end - m->at), m->at);
	file = source_file(s, name);
	/* Each as often as it is read. */
	if (file >= 0)
		s->parsed += s->files.at[file].size;
	if (s->parsed > SOURCE_SIZE_MAX)
		return fault(m, "with this the list is too large");
	if (file < 0)
		return fault(m, arena_format(&s->arena, "cannot read '%s': %s", name,
					     strerror(-file)));
	m->depth++;
	take_lines(m, (uint32_t)file);
	m->depth--;
	m->spot = outer.spot;
	m->line = outer.line;
	m->at = m->end = outer.end;
	return true;
}

static bool take_at(struct minijail *m)
{
	if (take_word(m, "default"))
		return take_action(m, &m->default_action);
	if (take_word(m, "include"))
		return take_include(m);
	if (take_word(m, "frequency")) {
		m->at = m->end;
		return true;
	}
	return fault(m, "@default or @include was expected here");
}

static bool take_line(struct minijail *m)
{
	const char *name;
	int number;
	size_t n;

	skip_blanks(m);
	if (m->at == m->end || *m->at == '#')
		return true;
	if (take(m, "@"))
		return take_at(m);
	n = take_name(m, &name);
	if (!n)
		return fault(m, "a system call was expected here");
	number = word_syscall(name, n);
	if (!take(m, ":"))
		return fault(m, "a ':' was expected here");
	if (number < 0) {
		import_note(m->i, "x86-64 has no call '%.*s'", (int)MIN(n, 64u), name);
		return true;
	}
	if (!take_rule(m, (uint32_t)number))
		return false;
	skip_blanks(m);
	return m->at == m->end || *m->at == '#' ||
	       fault(m, "the end of the line was expected here");
}

/* A line, and those that a backslash joins to it: blanks are in place of what joins. */
static char *line_join(struct minijail *m, const char **at, const char *end)
{
	const char *from = *at;
	char *text;

	for (;;) {
		const char *stop = memchr(*at, '\n', (size_t)(end - *at));

		m->spot.line++;
		*at = stop ? stop + 1 : end;
		stop = stop ? stop : end;
		if (stop == from || stop[-1] != '\\' || *at == end)
			break;
	}
	text = arena_copy(&m->i->sources->arena, from, (size_t)(*at - from));
	for (char *c = text; *c; c++)
		if (*c == '\n' || (*c == '\\' && c[1] == '\n'))
			*c = ' ';
	return text;
}

static void take_lines(struct minijail *m, uint32_t file)
{
	const struct source *source = &m->i->sources->files.at[file];
	const char *at = source->text, *end = at + source->size;

	m->spot = (struct spot){ .file = file };
	while (at < end) {
		m->line = m->at = line_join(m, &at, end);
		m->end = m->at + strlen(m->at);
		(void)take_line(m);
	}
}

bool import_minijail(struct import *i)
{
	struct minijail m = { .i = i,
			      .default_action = POLICY_ACTION_OF(POLICY_KILL, 0) };
	uint32_t before = i->sources->message_count;

	import_begin(i, "imported");
	take_lines(&m, i->file);
	import_default(i, m.default_action, m.named);
	import_rest(i);
	return i->sources->message_count == before;
}
