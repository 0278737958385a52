/* Expectations of a policy. */
#include <stdlib.h>
#include <string.h>

#include "policy/cases.h"
#include "policy/describe.h"
#include "policy/explain.h"
#include "policy/words.h"

struct cases {
	struct built *b;
	FILE *out;
	struct tally_of_cases *tally;
	struct spot at;
	char *words[64];
	uint32_t columns[64];
	unsigned n;
};

static bool fault(struct cases *c, unsigned word, const char *what)
{
	struct spot at = c->at;

	if (word < c->n) {
		at.column = c->columns[word];
		at.length = (uint32_t)strlen(c->words[word]);
	}
	source_fault(&c->b->sources, at, NULL, "%s", what);
	return false;
}

/* ---- what happened ---- */

static void point(struct cases *c, bool holds)
{
	unsigned number = c->tally->passed + c->tally->failed + 1;

	c->tally->passed += holds;
	c->tally->failed += !holds;
	fprintf(c->out, "%sok %u -", holds ? "" : "not ", number);
	for (unsigned i = 1; i < c->n; i++) {
		fputc(' ', c->out);
		print_masked(c->out, c->words[i], strlen(c->words[i]));
	}
	fputc('\n', c->out);
}

/* Why it was otherwise, behind "# ". */
static void diagnose(struct cases *c, char *text, size_t size)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		fprintf(c->out, "# %s\n", line);
	(void)size;
}

static void case_call(struct cases *c, const struct question *q, bool allow, uint32_t how)
{
	struct answer answer;
	bool allowed, holds;
	char *text;
	size_t size;
	FILE *out;

	ask(&c->b->policy, 0, q, &answer);
	allowed = POLICY_ACTION_KIND(answer.action) < POLICY_ERRNO;
	holds = allow == allowed && (!how || answer.action == how);
	point(c, holds);
	out = holds ? NULL : open_memstream(&text, &size);
	if (!out)
		return;
	explain_call(c->b, 0, q, out);
	fclose(out);
	diagnose(c, text, size);
	free(text);
}

static void case_path(struct cases *c, const char *path, uint32_t access, bool allow)
{
	uint32_t rights = ask_rights(&c->b->policy, 0, path) & access;
	bool holds = allow ? rights == access : !rights;
	char *text;
	size_t size;
	FILE *out;

	point(c, holds);
	out = holds ? NULL : open_memstream(&text, &size);
	if (!out)
		return;
	explain_path(c->b, 0, path, access, out);
	fclose(out);
	diagnose(c, text, size);
	free(text);
}

/* ---- lines ---- */

static uint32_t how_of(const char *word)
{
	static const uint32_t kinds[] = { POLICY_KILL, POLICY_KILL_THREAD, POLICY_TRAP };
	unsigned error = word_error(word, strlen(word));
	char space[24];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(action_word(POLICY_ACTION_OF(kinds[i], 0), space), word))
			return POLICY_ACTION_OF(kinds[i], 0);
	return error ? POLICY_ACTION_OF(POLICY_ERRNO, error) : 0;
}

static bool path_case(struct cases *c, unsigned at, bool allow)
{
	struct arena *a = &c->b->sources.arena;
	uint32_t access = 0;

	while (at < c->n && *c->words[at] != '/') {
		uint32_t bits = word_access(c->words[at], strlen(c->words[at]));

		if (!bits)
			return fault(c, at, "neither an access nor a path");
		access |= bits;
		at++;
	}
	if (at + 1 != c->n)
		return fault(c, at, "one path was expected here");
	case_path(c, ask_path(a, c->words[at]), access, allow);
	return true;
}

static bool call_case(struct cases *c, unsigned at, bool allow)
{
	struct arena *a = &c->b->sources.arena;
	const char *args = "", *why;
	struct question q;
	uint32_t how = 0;

	if (!allow && at < c->n && (how = how_of(c->words[at])))
		at++;
	if (at == c->n)
		return fault(c, at, "a system call was expected here");
	for (unsigned i = at + 1; i < c->n; i++)
		args = arena_format(a, "%s %s", args, c->words[i]);
	why = question_read(a, c->words[at], args, &q);
	if (why)
		return fault(c, at, why);
	case_call(c, &q, allow, how);
	return true;
}

static bool is_path_case(const struct cases *c, unsigned at)
{
	return at < c->n && word_access(c->words[at], strlen(c->words[at])) &&
	       at + 1 < c->n &&
	       (*c->words[at + 1] == '/' ||
		word_access(c->words[at + 1], strlen(c->words[at + 1])));
}

static bool case_line(struct cases *c)
{
	bool deny = c->n > 1 && !strcmp(c->words[1], "deny");
	bool allow = c->n > 1 && !strcmp(c->words[1], "allow");

	if (strcmp(c->words[0], "expect"))
		return fault(c, 0, "'expect' was expected here");
	if (is_path_case(c, 1 + (deny || allow)))
		return path_case(c, 1 + (deny || allow), !deny);
	if (!deny && !allow)
		return fault(c, 1, "'allow', 'deny' or an access was expected here");
	return call_case(c, 2, allow);
}

/* Blanks part words; `#` begins a comment. */
static bool words_split(struct cases *c, const char *line, size_t size)
{
	struct arena *a = &c->b->sources.arena;
	size_t i = 0;

	c->n = 0;
	while (i < size) {
		size_t from;

		while (i < size && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
			i++;
		from = i;
		while (i < size && line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
			i++;
		if (i == from || line[from] == '#')
			break;
		if (c->n == ARRAY_LEN(c->words))
			return fault(c, 0, "too many words");
		c->columns[c->n] = (uint32_t)from + 1;
		c->words[c->n++] = arena_copy(a, line + from, i - from);
	}
	return true;
}

bool cases_run(struct built *b, uint32_t file, FILE *out, struct tally_of_cases *ret)
{
	struct cases c = { .b = b, .out = out, .tally = ret };
	const char *at = b->sources.files.at[file].text;
	const char *end = at + b->sources.files.at[file].size;
	uint32_t before = b->sources.message_count;

	*ret = (struct tally_of_cases){ 0 };
	c.at = (struct spot){ .file = file, .column = 1, .length = 1 };
	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		size_t size = (size_t)((line_end ? line_end : end) - at);

		c.at.line++;
		if (words_split(&c, at, size) && c.n)
			(void)case_line(&c);
		at += size + 1;
	}
	return b->sources.message_count == before;
}
