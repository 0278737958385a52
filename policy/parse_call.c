/* allow, log, deny: names of calls and groups, and what follows them. */
#include <string.h>

#include "policy/parse.h"
#include "policy/words.h"

#define WORDS_OF_NUMBERS (POLICY_NUMBERS / 64)

/* The calls that a line names. */
struct named {
	uint64_t all[WORDS_OF_NUMBERS], by_name[WORDS_OF_NUMBERS];
	unsigned count;
	bool failed; /* a name was none; it was said */
};

static void name_add(struct named *n, uint32_t number, bool by_name)
{
	n->all[number / 64] |= BIT(number % 64);
	if (by_name)
		n->by_name[number / 64] |= BIT(number % 64);
	n->count++;
}

static bool is_named(const uint64_t *set, uint32_t number)
{
	return set[number / 64] & BIT(number % 64);
}

/* The other names are read all the same. */
static void unknown(struct parser *p, struct named *n, const char *hint, const char *what)
{
	source_fault(p->draft->sources, p->lex.token.spot, hint, "%s", what);
	n->failed = true;
}

static void take_group(struct parser *p, struct named *n)
{
	const struct token *t = &p->lex.token;
	int group = word_group(t->at, t->size);

	if (group < 0)
		unknown(p, n,
			parse_hints(p)
				? guess_group(&p->draft->sources->arena, t->at, t->size)
				: NULL,
			"no such group");
	for (uint32_t i = 0; i < syscall_numbers(); i++)
		if (syscall_words(i) && syscall_words(i)->group == group)
			name_add(n, i, false);
}

static const char *guess_call(struct parser *p)
{
	const struct token *t = &p->lex.token;
	const char *hint;

	if (!parse_hints(p))
		return NULL;
	if (word_group(t->at, t->size) >= 0)
		return "a group is written with a '@'";
	hint = guess_syscall(&p->draft->sources->arena, t->at, t->size);
	return hint || !token_is(t, "exec-write")
		       ? hint
		       : "it is refused unless 'allow exec-write' says otherwise";
}

static void take_call(struct parser *p, struct named *n)
{
	const struct token *t = &p->lex.token;
	int number = word_syscall(t->at, t->size);

	if (*t->at == '@')
		take_group(p, n);
	else if (number < 0)
		unknown(p, n, guess_call(p), "no such system call");
	else
		name_add(n, (uint32_t)number, true);
	lex_next(&p->lex);
}

static bool is_clause(const struct parser *p)
{
	return lex_is(&p->lex, "where") || lex_is(&p->lex, "with");
}

static bool take_calls(struct parser *p, struct named *n)
{
	while (p->lex.token.kind == TOKEN_WORD && !is_clause(p))
		take_call(p, n);
	if (n->failed) {
		lex_skip(&p->lex);
		return false;
	}
	if (p->lex.token.kind == TOKEN_PATH)
		return parse_wrong(p, "as 'read /usr' or 'deny write /etc'",
				   "paths are named behind read, write, execute...");
	if (lex_is(&p->lex, ","))
		return parse_wrong(p, NULL, "names are parted by blanks");
	if (!n->count)
		return parse_wrong(p, NULL,
				   "a system call or a @group was expected here");
	return true;
}

/* The condition is read once for each call: what it means depends on the arguments. */
static bool take_where(struct parser *p, const struct named *n, const struct lexer *where,
		       struct draft_call *calls)
{
	for (uint32_t i = 0; i < POLICY_NUMBERS; i++) {
		if (!is_named(n->all, i))
			continue;
		p->lex = *where;
		if (!parse_where(p, i, calls++))
			return false;
		if (p->draft->size > DRAFT_SIZE_MAX)
			return false;
	}
	return true;
}

static bool take_clauses(struct parser *p, const struct named *n, struct draft_rule *rule,
			 struct draft_call *calls)
{
	bool has_where = false, has_with = false;

	while (is_clause(p)) {
		bool is_where = lex_is(&p->lex, "where");
		struct lexer where;

		if (is_where ? has_where : has_with)
			return parse_wrong(p, is_where ? "'and' joins conditions" : NULL,
					   "this is said twice");
		if (!is_where && rule->action != DRAFT_REFUSE)
			return parse_wrong(p, NULL,
					   "'with' says how a call is refused, and this "
					   "is allowed");
		if (is_where) {
			lex_next(&p->lex);
			where = p->lex;
			has_where = true;
			if (!take_where(p, n, &where, calls))
				return false;
		} else {
			has_with = true;
			if (!parse_with(p, &rule->action))
				return false;
		}
	}
	return true;
}

bool parse_calls(struct parser *p, struct draft_rule *rule)
{
	struct draft_call calls[POLICY_NUMBERS] = { 0 }, *call = calls;
	struct named n = { 0 };

	if (!take_calls(p, &n) || !take_clauses(p, &n, rule, calls) ||
	    !parse_end(p, &rule->reason))
		return false;
	for (uint32_t i = 0; i < POLICY_NUMBERS; i++) {
		if (!is_named(n.all, i))
			continue;
		call->number = (uint16_t)i;
		call->by_group = !is_named(n.by_name, i);
		call->rule = rule;
		draft_call_add(p->draft, p->program, call++);
	}
	return true;
}
