/* Statements. */
#include <string.h>

#include "policy/parse.h"
#include "policy/words.h"

/* ---- tokens ---- */

bool parse_hints(const struct parser *p)
{
	return p->draft->sources->message_count < SOURCE_MESSAGES_MAX;
}

bool parse_wrong(struct parser *p, const char *hint, const char *wanted)
{
	const struct token *t = &p->lex.token;

	if (t->kind != TOKEN_BAD)
		source_fault(p->draft->sources, t->spot, hint, "%s", wanted);
	lex_skip(&p->lex);
	return false;
}

const char *parse_text(struct parser *p)
{
	return arena_copy(&p->draft->sources->arena, p->lex.token.at, p->lex.token.size);
}

bool parse_end(struct parser *p, const char **ret_reason)
{
	*ret_reason = NULL;
	if (p->lex.token.kind == TOKEN_STRING) {
		*ret_reason = parse_text(p);
		lex_next(&p->lex);
	}
	if (!lex_is_end(&p->lex))
		return parse_wrong(p, NULL, "the end of the line was expected here");
	return true;
}

static bool expect(struct parser *p, const char *word)
{
	if (!lex_is(&p->lex, word)) {
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "'%s' was expected here", word);
		return parse_wrong(p, NULL, wanted);
	}
	lex_next(&p->lex);
	return true;
}

bool parse_name(struct parser *p, const char *wanted, const char **ret)
{
	if (p->lex.token.kind != TOKEN_STRING && p->lex.token.kind != TOKEN_WORD)
		return parse_wrong(p, NULL, wanted);
	*ret = parse_text(p);
	lex_next(&p->lex);
	return true;
}

static struct draft_program *program_of(struct parser *p)
{
	return &p->draft->programs.at[p->program];
}

/* Two texts at the same depth that say different things contradict each other. */
static void choose(struct parser *p, struct draft_choice *choice, uint32_t value,
		   const char *reason, struct spot at)
{
	struct sources *s = p->draft->sources;

	if (choice->at.line && choice->depth < p->depth)
		return;
	if (choice->at.line && choice->depth == p->depth && choice->value != value) {
		source_fault(s, at, NULL, "%s:%u says otherwise",
			     s->files.at[choice->at.file].name, choice->at.line);
		return;
	}
	*choice = (struct draft_choice){ value, p->depth, reason, at };
}

/* ---- actions ---- */

static uint32_t action_of(const struct token *t)
{
	static const struct {
		const char *word;
		uint32_t action;
	} words[] = {
		{ "kill", POLICY_ACTION_OF(POLICY_KILL, 0) },
		{ "kill-thread", POLICY_ACTION_OF(POLICY_KILL_THREAD, 0) },
		{ "trap", POLICY_ACTION_OF(POLICY_TRAP, 0) },
	};
	uint64_t number;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (token_is(t, words[i].word))
			return words[i].action;
	if (t->kind != TOKEN_WORD)
		return 0;
	if (!word_number(t->at, t->size, &number))
		number = word_error(t->at, t->size);
	return number && number <= POLICY_ERROR_MAX
		       ? POLICY_ACTION_OF(POLICY_ERRNO, number)
		       : 0;
}

static const char *guess_action(struct parser *p)
{
	static const char *const words[] = { "kill", "kill-thread", "trap" };
	struct guess g;

	if (!parse_hints(p) || p->lex.token.kind != TOKEN_WORD)
		return NULL;
	guess_begin(&g, p->lex.token.at, p->lex.token.size);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		guess_offer(&g, words[i]);
	for (int i = 1; i < 134; i++)
		if (strerrorname_np(i))
			guess_offer(&g, strerrorname_np(i));
	return guess_hint(&g, &p->draft->sources->arena);
}

bool parse_with(struct parser *p, uint32_t *ret_action)
{
	lex_next(&p->lex);
	*ret_action = action_of(&p->lex.token);
	if (!*ret_action)
		return parse_wrong(p, guess_action(p),
				   "an error as EPERM, 'kill', 'kill-thread' or 'trap' "
				   "was expected here");
	lex_next(&p->lex);
	return true;
}

/* ---- statements; the current token is behind their first word ---- */

static bool parse_policy(struct parser *p, struct spot at)
{
	struct draft_program *program = program_of(p);
	const char *name, *reason;

	if (!parse_name(p, "a name was expected here", &name) || !parse_end(p, &reason))
		return false;
	/* What is included has a name of its own. */
	if (p->depth || p->block.line)
		return true;
	if (program->at.line) {
		source_fault(p->draft->sources, at, NULL,
			     "the policy has a name already, in line %u",
			     program->at.line);
		return false;
	}
	program->name = name;
	program->at = at;
	return true;
}

static bool parse_let(struct parser *p, struct spot at)
{
	struct draft *d = p->draft;
	struct draft_variable v = { .depth = p->depth };
	const char *reason;

	v.at = p->lex.token.spot;
	if (p->lex.token.kind != TOKEN_WORD)
		return parse_wrong(p, NULL, "a variable's name was expected here");
	v.name = parse_text(p);
	lex_next(&p->lex);
	if (!expect(p, "="))
		return false;
	if (p->lex.token.kind != TOKEN_PATH && p->lex.token.kind != TOKEN_WORD &&
	    p->lex.token.kind != TOKEN_STRING)
		return parse_wrong(p, NULL, "a value was expected here");
	v.value = parse_text(p);
	lex_next(&p->lex);
	if (!parse_end(p, &reason))
		return false;
	if (!strcmp(v.name, "self")) {
		source_fault(d->sources, v.at, NULL,
			     "$self is the number of the process that asks");
		return false;
	}
	*vec_push(&d->sources->arena, &d->variables) = v;
	return true;
}

static bool parse_calls_of(struct parser *p, struct spot at, uint32_t action)
{
	struct draft_rule *rule = arena_new(&p->draft->sources->arena, sizeof(*rule));

	*rule = (struct draft_rule){ .action = action, .at = at };
	return parse_calls(p, rule);
}

static bool parse_allow(struct parser *p, struct spot at)
{
	const char *reason;

	if (!lex_is(&p->lex, "exec-write"))
		return parse_calls_of(p, at, POLICY_ACTION_OF(POLICY_ALLOW, 0));
	lex_next(&p->lex);
	if (!parse_end(p, &reason))
		return false;
	choose(p, &program_of(p)->exec_write, POLICY_FLAG_EXEC_WRITE, reason, at);
	return true;
}

static bool parse_log(struct parser *p, struct spot at)
{
	return parse_calls_of(p, at, POLICY_ACTION_OF(POLICY_LOG, 0));
}

static bool parse_deny(struct parser *p, struct spot at)
{
	if (parse_is_access(p))
		return parse_access(p, true, at);
	return parse_calls_of(p, at, DRAFT_REFUSE);
}

static bool parse_default(struct parser *p, struct spot at)
{
	uint32_t action = DRAFT_DEFAULT;
	const char *reason;

	if (!lex_is(&p->lex, "deny"))
		return parse_wrong(p, "what is not named is refused",
				   "'deny' was expected here");
	lex_next(&p->lex);
	if (lex_is(&p->lex, "with") && !parse_with(p, &action))
		return false;
	if (!parse_end(p, &reason))
		return false;
	choose(p, &program_of(p)->default_action, action, reason, at);
	return true;
}

static bool parse_gain(struct parser *p, struct spot at)
{
	bool kill = lex_is(&p->lex, "kill");
	const char *reason;

	if (!kill && !lex_is(&p->lex, "refuse"))
		return parse_wrong(p, NULL, "'refuse' or 'kill' was expected here");
	lex_next(&p->lex);
	if (!parse_end(p, &reason))
		return false;
	choose(p, &program_of(p)->gain, kill ? POLICY_FLAG_GAIN_KILL : 0, reason, at);
	return true;
}

static const char *guess_limit(struct parser *p)
{
	struct guess g;

	if (!parse_hints(p))
		return NULL;
	guess_begin(&g, p->lex.token.at, p->lex.token.size);
	for (int i = 0; i < POLICY_LIMITS; i++)
		guess_offer(&g, limit_name(i));
	return g.best ? guess_hint(&g, &p->draft->sources->arena)
		      : "there are memory, processes, files, cpu, output, file-size";
}

static bool parse_limit(struct parser *p, struct spot at)
{
	struct draft_program *program = program_of(p);
	const char *reason;

	do {
		struct draft_limit limit = { .at = p->lex.token.spot };
		const struct token *t = &p->lex.token;
		int kind = t->kind == TOKEN_WORD ? word_limit(t->at, t->size) : -1;

		if (kind < 0)
			return parse_wrong(p, guess_limit(p), "not a limit");
		limit.kind = (enum policy_limit_kind)kind;
		lex_next(&p->lex);
		if (t->kind != TOKEN_WORD ||
		    !word_amount(limit.kind, t->at, t->size, &limit.value))
			return parse_wrong(p, "as 256M, 30s or 8",
					   "not an amount of this limit");
		lex_next(&p->lex);
		*vec_push(&p->draft->sources->arena, &program->limits) = limit;
	} while (p->lex.token.kind == TOKEN_WORD);
	return parse_end(p, &reason);
}

static bool parse_on_exec(struct parser *p, struct spot at)
{
	return expect(p, "exec") && parse_on(p);
}

static bool parse_program(struct parser *p, struct spot at)
{
	struct draft *d = p->draft;
	const char *name;

	if (!parse_name(p, "the program's name was expected here", &name) ||
	    !expect(p, "{"))
		return false;
	for (uint32_t i = 1; i < d->programs.n; i++)
		if (!strcmp(d->programs.at[i].name, name))
			source_fault(d->sources, at, NULL,
				     "there is a program of that name, in line %u",
				     d->programs.at[i].at.line);
	if (p->block.line || p->program)
		source_fault(d->sources, at, "put it behind the other's '}'",
			     "a program within a program");
	p->block = at;
	if (d->programs.n >= POLICY_PROGRAMS_MAX) {
		source_fault(d->sources, at, NULL, "more than %d programs",
			     POLICY_PROGRAMS_MAX - 1);
		return true;
	}
	*vec_push(&d->sources->arena, &d->programs) =
		(struct draft_program){ .name = name, .at = at };
	p->program = d->programs.n - 1;
	return true;
}

/* ---- all of them ---- */

static const struct statement {
	const char *word;
	bool (*parse)(struct parser *p, struct spot at);
} statements[] = {
	{ "policy", parse_policy },   { "include", parse_include },
	{ "let", parse_let },	      { "allow", parse_allow },
	{ "log", parse_log },	      { "deny", parse_deny },
	{ "default", parse_default }, { "gain", parse_gain },
	{ "limit", parse_limit },     { "on", parse_on_exec },
	{ "program", parse_program },
};

static const char *guess_statement(struct parser *p)
{
	static const char *const access[] = { "read",	"modify",  "create",
					      "remove", "execute", "write" };
	struct guess g;

	if (p->lex.token.kind != TOKEN_WORD || !parse_hints(p))
		return NULL;
	if (word_syscall(p->lex.token.at, p->lex.token.size) >= 0 ||
	    word_group(p->lex.token.at, p->lex.token.size) >= 0)
		return "a call is allowed by 'allow' before it";
	guess_begin(&g, p->lex.token.at, p->lex.token.size);
	for (size_t i = 0; i < ARRAY_LEN(statements); i++)
		guess_offer(&g, statements[i].word);
	for (size_t i = 0; i < ARRAY_LEN(access); i++)
		guess_offer(&g, access[i]);
	return guess_hint(&g, &p->draft->sources->arena);
}

static void parse_statement(struct parser *p)
{
	struct spot at = p->lex.token.spot;

	if (p->lex.token.kind == TOKEN_WORD &&
	    word_access(p->lex.token.at, p->lex.token.size)) {
		(void)parse_access(p, false, at);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		if (lex_is(&p->lex, statements[i].word)) {
			lex_next(&p->lex);
			(void)statements[i].parse(p, at);
			return;
		}
	}
	(void)parse_wrong(p, guess_statement(p), "no line begins so");
}

static void block_end(struct parser *p)
{
	if (!p->block.line) {
		(void)parse_wrong(p, NULL, "no program is open here");
		return;
	}
	p->block.line = 0;
	p->program = p->above ? p->above->program : 0;
	lex_next(&p->lex);
}

void parse_text_of(struct parser *p)
{
	if (parse_is_too_large(p))
		return;
	while (p->lex.token.kind != TOKEN_END && p->draft->size <= DRAFT_SIZE_MAX) {
		if (p->lex.token.kind == TOKEN_LINE)
			lex_next(&p->lex);
		else if (lex_is(&p->lex, "}"))
			block_end(p);
		else
			parse_statement(p);
	}
	if (p->block.line)
		source_fault(p->draft->sources, p->block, NULL,
			     "this program is not ended by a '}'");
}

void parse(struct draft *draft, uint32_t file)
{
	struct parser p = { .draft = draft };

	draft->main = file;
	lex_begin(&p.lex, draft->sources, file);
	parse_text_of(&p);
	if (draft->size > DRAFT_SIZE_MAX)
		source_fault(draft->sources, (struct spot){ 0 }, NULL,
			     "the policy is too large");
}
