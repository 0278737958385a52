/*
 * systemd's SystemCallFilter= and its kin, systemd.exec(5), in a unit's text or alone.
 * What is in a @group is not known here: systemd-analyze(1) says it.
 */
#include <stdio.h>
#include <string.h>

#include "policy/import.h"
#include "policy/words.h"

#define DEPTH_MAX 8
#define KILL POLICY_ACTION_OF(POLICY_KILL, 0)
#define ALLOW POLICY_ACTION_OF(POLICY_ALLOW, 0)

struct systemd {
	struct import *i;
	struct spot spot;
	bool any, denies; /* a list was there; the first of them begins with ~ */
	uint32_t refusal; /* SystemCallErrorNumber= */
	bool listed[POLICY_NUMBERS], logged[POLICY_NUMBERS];
	uint32_t errors[POLICY_NUMBERS]; /* :EPERM; 0: as the others */
};

static bool fault(struct systemd *s, const char *what)
{
	source_fault(s->i->sources, s->spot, NULL, "%s", what);
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of a line; false: there is none. */
static bool word_next(const char **at, const char *end, const char **ret, size_t *ret_n)
{
	while (*at < end && is_space(**at))
		++*at;
	*ret = *at;
	while (*at < end && !is_space(**at))
		++*at;
	*ret_n = (size_t)(*at - *ret);
	return *ret_n;
}

static const char *line_end(const char *at, const char *end)
{
	const char *stop = memchr(at, '\n', (size_t)(end - at));

	return stop ? stop : end;
}

/* ---- groups ---- */

/* What is behind a group's name: indented lines up to the next name. NULL: unknown. */
static const char *group_find(const char *groups, const char *name, size_t n)
{
	const char *end = groups ? groups + strlen(groups) : NULL;

	for (const char *at = groups; at && at < end; at = line_end(at, end) + 1) {
		size_t size = (size_t)(line_end(at, end) - at);

		while (size && is_space(at[size - 1]))
			size--;
		if (size == n && !memcmp(at, name, n))
			return line_end(at, end);
	}
	return NULL;
}

struct change {
	bool *set;
	bool to;
	uint32_t error;
};

static bool name_apply(struct systemd *s, const char *name, size_t n,
		       const struct change *c, unsigned depth);

static bool group_apply(struct systemd *s, const char *name, size_t n,
			const struct change *c, unsigned depth)
{
	const char *at = group_find(s->i->systemd_groups, name, n), *end;

	if (!at && !s->i->systemd_groups)
		return fault(s,
			     "systemd-analyze(1), which knows the groups, is not there");
	if (!at || depth > DEPTH_MAX)
		return fault(s, "no such group of systemd");
	end = at + strlen(at);
	for (at++; at < end && is_space(*at); at = line_end(at, end) + 1) {
		const char *word, *from = at;
		size_t size;

		if (word_next(&from, line_end(at, end), &word, &size) && *word != '#' &&
		    !name_apply(s, word, size, c, depth + 1))
			return false;
	}
	return true;
}

static bool name_apply(struct systemd *s, const char *name, size_t n,
		       const struct change *c, unsigned depth)
{
	int number;

	if (*name == '@')
		return group_apply(s, name, n, c, depth);
	number = word_syscall(name, n);
	if (number < 0) {
		/* Groups name calls of other processors too. */
		if (!depth)
			import_note(s->i, "x86-64 has no call '%.*s'", (int)MIN(n, 64u),
				    name);
		return true;
	}
	c->set[number] = c->to;
	if (c->set == s->listed)
		s->errors[number] = c->to ? c->error : 0;
	return true;
}

/* ---- settings ---- */

static bool error_of(struct systemd *s, const char *text, size_t n, uint32_t *ret)
{
	uint64_t error;

	if (n == 4 && !memcmp(text, "kill", 4)) {
		*ret = KILL;
		return true;
	}
	if (!word_number(text, n, &error))
		error = word_error(text, n);
	if (!error || error > POLICY_ERROR_MAX)
		return fault(s, "no such error");
	*ret = POLICY_ACTION_OF(POLICY_ERRNO, error);
	return true;
}

static bool list_words(struct systemd *s, const char *at, const char *end, bool *set,
		       bool inverted)
{
	bool to = set != s->listed || inverted == s->denies;
	const char *word;
	size_t n;

	while (word_next(&at, end, &word, &n)) {
		const char *colon = memchr(word, ':', n);
		struct change c = { .set = set, .to = to };

		if (colon &&
		    !error_of(s, colon + 1, n - (size_t)(colon + 1 - word), &c.error))
			return false;
		if (!name_apply(s, word, colon ? (size_t)(colon - word) : n, &c, 0))
			return false;
	}
	return true;
}

/* Implied by a list of what is allowed: how programs begin and end, time and sleep. */
static bool allow_implied(struct systemd *s)
{
	static const char *const names[] = {
		"execve",	"exit",		"exit_group",	 "getrlimit",
		"rt_sigreturn", "clock_getres", "clock_gettime", "clock_nanosleep",
		"nanosleep",	"gettimeofday", "time",
	};
	struct change c = { .set = s->listed, .to = true };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)name_apply(s, names[i], strlen(names[i]), &c, 0);
	return !s->i->systemd_groups || group_apply(s, "@default", 8, &c, 0);
}

static bool set_filter(struct systemd *s, const char *at, const char *end)
{
	bool inverted;

	while (at < end && is_space(*at))
		at++;
	if (at == end) {
		/* An empty list takes back what was said before. */
		memset(s->listed, 0, sizeof(s->listed));
		memset(s->errors, 0, sizeof(s->errors));
		s->any = false;
		return true;
	}
	inverted = *at == '~';
	if (!s->any) {
		s->any = true;
		s->denies = inverted;
		if (!inverted && !allow_implied(s))
			return false;
	}
	return list_words(s, at + inverted, end, s->listed, inverted);
}

static bool set_log(struct systemd *s, const char *at, const char *end)
{
	while (at < end && is_space(*at))
		at++;
	if (at < end && *at == '~') {
		import_note(s->i,
			    "SystemCallLog=~ was left out: nothing is logged for it");
		return true;
	}
	return list_words(s, at, end, s->logged, false);
}

static bool set_error(struct systemd *s, const char *at, const char *end)
{
	const char *word;
	size_t n;

	if (!word_next(&at, end, &word, &n)) {
		s->refusal = KILL;
		return true;
	}
	return error_of(s, word, n, &s->refusal);
}

static bool take_line(struct systemd *s, const char *at, const char *end)
{
	static const struct {
		const char *name;
		bool (*set)(struct systemd *s, const char *at, const char *end);
	} settings[] = {
		{ "SystemCallFilter=", set_filter },
		{ "SystemCallErrorNumber=", set_error },
		{ "SystemCallLog=", set_log },
	};

	while (at < end && is_space(*at))
		at++;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		size_t n = strlen(settings[i].name);

		if ((size_t)(end - at) >= n && !memcmp(at, settings[i].name, n))
			return settings[i].set(s, at + n, end);
	}
	/* Other settings of a unit, sections, comments. */
	return true;
}

/* ---- what comes of it ---- */

static uint32_t refusal_of(const struct systemd *s, uint32_t number)
{
	return s->errors[number] ? s->errors[number] : s->refusal;
}

static void rules_add(struct systemd *s)
{
	for (uint32_t i = 0; i < syscall_numbers(); i++) {
		uint32_t allow = s->logged[i] ? POLICY_ACTION_OF(POLICY_LOG, 0) : ALLOW;
		/* In a list of what is allowed an error is an exception. */
		bool refused = s->denies ? s->listed[i] : s->errors[i] != 0;

		if (!syscall_row(i))
			continue;
		if (refused)
			import_call(s->i, i, refusal_of(s, i), NULL, 0);
		else if (s->denies || s->listed[i])
			import_call(s->i, i, allow, NULL, 0);
	}
}

bool import_systemd(struct import *i)
{
	const struct source *source = &i->sources->files.at[i->file];
	const char *at = source->text, *end = at + source->size;
	uint64_t none[POLICY_NUMBERS / 64] = { 0 };
	struct systemd s = { .i = i, .refusal = KILL, .spot.file = i->file };

	import_begin(i, "imported");
	while (at < end) {
		const char *stop = line_end(at, end);

		s.spot.line++;
		s.spot.column = 1;
		s.spot.length = (uint32_t)(stop - at);
		if (!take_line(&s, at, stop))
			return false;
		at = stop + 1;
	}
	if (!s.any)
		return fault(&s, "no SystemCallFilter= is there");
	rules_add(&s);
	import_default(i, s.refusal, none);
	import_rest(i);
	return true;
}
