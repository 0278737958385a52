/*
 * What the policy refused.
 *
 * The text comes from the guest, where a job may have become the kernel's equal: it is
 * read field by field, and what it says is escaped where it is shown.
 */
#include <stdlib.h>
#include <string.h>

#include "host/json.h"
#include "host/refusals.h"
#include "host/strace/call.h"
#include "policy/describe.h"
#include "policy/suggest.h"

#define TOLD_MAX 10

struct refusal {
	uint64_t count;
	uint32_t action;
	char *policy, *program; /* heap; NULL: not known */
	char *place;		/* heap; NULL: none */
	struct refusal_facts facts;
};

/* ---- reading ---- */

static bool number_next(const char **at, int base, uint64_t *ret)
{
	char *end;

	*ret = strtoull(*at, &end, base);
	if (end == *at || *end != ' ')
		return false;
	*at = end + 1;
	return true;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next word, its %xx undone; heap. NULL: "-". */
static char *word_next(const char **at)
{
	size_t size = strcspn(*at, " \n"), n = 0;
	char *word = must_alloc(size + 1);

	for (size_t i = 0; i < size; i++) {
		const char *s = *at + i;

		if (*s == '%' && i + 2 < size && digit(s[1]) >= 0 && digit(s[2]) >= 0) {
			word[n++] = (char)(digit(s[1]) * 16 + digit(s[2]));
			i += 2;
		} else {
			word[n++] = *s;
		}
	}
	*at += size + ((*at)[size] == ' ');
	if (n != 1 || *word != '-')
		return word;
	free(word);
	return NULL;
}

static void refusal_fini(struct refusal *r)
{
	free(r->policy);
	free(r->program);
	free(r->place);
}

/* One line behind its first word. */
static bool refusal_read(const char *at, struct refusal *ret)
{
	struct refusal r = { 0 };
	uint64_t n[5];

	for (size_t i = 0; i < ARRAY_LEN(n); i++)
		if (!number_next(&at, 10, &n[i]))
			return false;
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if (!number_next(&at, 16, &r.facts.args[i]))
			return false;
	r.count = n[0];
	r.action = (uint32_t)n[1];
	r.facts.line = (uint32_t)n[2];
	r.facts.number = (uint32_t)n[3];
	r.facts.access = (uint32_t)n[4];
	r.policy = word_next(&at);
	r.program = word_next(&at);
	r.place = word_next(&at);
	r.facts.place = r.facts.access ? r.place : NULL;
	*ret = r;
	return true;
}

/* The next that was refused; false at the end. */
static bool refusal_next(const char **at, struct refusal *ret)
{
	static const char word[] = "refused ";

	while (*at && **at) {
		const char *line = *at, *end = strchrnul(line, '\n');

		*at = *end ? end + 1 : end;
		if (!strncmp(line, word, strlen(word)) &&
		    refusal_read(line + strlen(word), ret))
			return true;
	}
	return false;
}

/* ---- words ---- */

static char *call_words(const struct refusal *r)
{
	int path = r->place ? call_path_argument(r->facts.number) : -1;
	struct text text = { 0 };

	call_known(&text, r->facts.number, r->facts.args, -1, path, r->place);
	text_put(&text, "", 1);
	return text.at;
}

/* The job's policy, if what refused is that and no other of its programs. */
static const struct policy *policy_of(const struct session *s, const struct refusal *r,
				      struct policy *space)
{
	const char *why, *name;

	if (!s->plan->policy || !r->policy ||
	    policy_parse(s->plan->policy, s->plan->job.policy, space, &why))
		return NULL;
	name = &space->text[space->programs[0].name];
	return strncmp(name, r->policy, strlen(r->policy)) ? NULL : space;
}

static char *line_words(const struct session *s, const struct refusal *r)
{
	struct policy space;
	const struct policy *p = policy_of(s, r, &space);
	size_t size;
	char *bytes;
	FILE *out = open_memstream(&bytes, &size);

	if (!out)
		exit(MAYFLY_FAILED);
	bool found = suggest(out, p, 0, &r->facts);
	if (fclose(out))
		exit(MAYFLY_FAILED);
	if (found)
		return bytes;
	free(bytes);
	return NULL;
}

/* Text of the guest on a terminal: nothing but plain characters. */
static char *plain(const char *text)
{
	struct text t = { 0 };

	text_escape(&t, text, strlen(text));
	text_put(&t, "", 1);
	return t.at;
}

/* ---- telling ---- */

static void tell_one(const struct session *s, const struct refusal *r)
{
	char *call = call_words(r), *line = line_words(s, r);
	char *program = plain(r->program ? r->program : "?");
	char space[24];

	if (r->count > 1)
		say_more("%s: %s by %s, %llu times", action_word(r->action, space), call,
			 program, (unsigned long long)r->count);
	else
		say_more("%s: %s by %s", action_word(r->action, space), call, program);
	if (line)
		say_more("    would be allowed by:  %s", line);
	else if (r->facts.line)
		say_more("    line %u of the policy refuses it", r->facts.line);
	free(program);
	free(line);
	free(call);
}

static bool is_for_user(const struct session *s, const struct refusal *r)
{
	struct policy space;

	return refused_by_default(policy_of(s, r, &space), 0, &r->facts) ||
	       POLICY_ACTION_KIND(r->action) > POLICY_ERRNO;
}

void refusals_tell(const struct session *s)
{
	const char *at = s->topics[WIRE_TOPIC_POLICY].text;
	struct refusal r;
	unsigned n = 0;

	if (s->plan->options->quiet)
		return;
	for (; refusal_next(&at, &r); refusal_fini(&r)) {
		if (!is_for_user(s, &r))
			continue;
		if (!n++)
			say("the policy '%s' refused:", r.policy ? r.policy : "");
		if (n <= TOLD_MAX)
			tell_one(s, &r);
	}
	if (n > TOLD_MAX)
		say_more("and %u more; --report FILE has all", n - TOLD_MAX);
}

static json_t *text_or_null(const char *text)
{
	return text ? text_json(text, strlen(text)) : json_null();
}

static json_t *one_json(const struct session *s, const struct refusal *r)
{
	char *call = call_words(r), *line = line_words(s, r);
	char space[24], access[48];
	json_t *json = json_pack(
		"{s:o, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "call",
		text_or_null(call), "count", (json_int_t)r->count, "action",
		action_word(r->action, space), "program", text_or_null(r->program),
		"path", text_or_null(r->place), "access",
		r->facts.access & POLICY_ACCESS_ALL
			? json_string(access_text(r->facts.access & POLICY_ACCESS_ALL,
						  access))
			: json_null(),
		"policy", text_or_null(r->policy), "line",
		r->facts.line ? json_integer(r->facts.line) : json_null(), "allow",
		text_or_null(line));

	free(call);
	free(line);
	return json;
}

json_t *refusals_json(const struct session *s)
{
	const char *at = s->topics[WIRE_TOPIC_POLICY].text;
	json_t *list = json_array();
	struct refusal r;

	for (; refusal_next(&at, &r); refusal_fini(&r))
		json_array_append_new(list, one_json(s, &r));
	return list;
}
