/* Paths: what may be done where, and programs that get policies of their own. */
#include <string.h>

#include "policy/parse.h"
#include "policy/words.h"

/* A string is a path if it begins like one, else a reason. */
static bool is_path(const struct token *t)
{
	return t->kind == TOKEN_PATH ||
	       (t->kind == TOKEN_STRING && t->size && (*t->at == '/' || *t->at == '$'));
}

/* "read" and "execute" are system calls too: what comes behind tells. */
bool parse_is_access(const struct parser *p)
{
	struct lexer ahead = p->lex;
	bool access = false;

	ahead.quiet = true;
	while (ahead.token.kind == TOKEN_WORD) {
		if (!word_access(ahead.token.at, ahead.token.size))
			return access && (memchr(ahead.token.at, '.', ahead.token.size));
		access = true;
		lex_next(&ahead);
	}
	return access && (is_path(&ahead.token) || ahead.token.kind == TOKEN_STRING ||
			  ahead.token.kind == TOKEN_BAD);
}

bool parse_access(struct parser *p, bool deny, struct spot at)
{
	struct draft *d = p->draft;
	struct draft_program *program = &d->programs.at[p->program];
	struct lexer *lex = &p->lex;
	uint32_t access = 0, first = program->paths.n;
	const char *reason;

	while (lex->token.kind == TOKEN_WORD &&
	       word_access(lex->token.at, lex->token.size)) {
		access |= word_access(lex->token.at, lex->token.size);
		lex_next(lex);
	}
	while (is_path(&lex->token)) {
		*vec_push(&d->sources->arena, &program->paths) = (struct draft_path){
			.text = lex->token.at,
			.size = lex->token.size,
			.allow = deny ? 0 : access,
			.deny = deny ? access : 0,
			.at = lex->token.spot,
		};
		d->size += sizeof(struct policy_path) + lex->token.size;
		lex_next(lex);
	}
	if (deny && lex_is(lex, "with"))
		return parse_wrong(p, NULL, "what a path refuses is always EACCES");
	if (lex->token.kind == TOKEN_WORD)
		return parse_wrong(p, "a path begins with '/' or a variable",
				   "this is no path");
	if (!parse_end(p, &reason))
		return false;
	if (program->paths.n == first) {
		source_fault(d->sources, at, NULL, "no path is named");
		return false;
	}
	while (first < program->paths.n)
		program->paths.at[first++].reason = reason;
	return true;
}

static bool take_use(struct parser *p, struct draft_program *program, uint32_t first)
{
	struct lexer *lex = &p->lex;
	const char *use, *reason;
	struct spot use_at;

	if (program->execs.n == first)
		return parse_wrong(p, NULL, "a program's path was expected here");
	if (!lex_is(lex, "use"))
		return parse_wrong(p, NULL, "'use' was expected here");
	lex_next(lex);
	use_at = lex->token.spot;
	if (!parse_name(p, "a program's name was expected here", &use) ||
	    !parse_end(p, &reason))
		return false;
	for (; first < program->execs.n; first++) {
		program->execs.at[first].use = use;
		program->execs.at[first].use_at = use_at;
		program->execs.at[first].reason = reason;
	}
	return true;
}

bool parse_on(struct parser *p)
{
	struct draft *d = p->draft;
	struct draft_program *program = &d->programs.at[p->program];
	struct lexer *lex = &p->lex;
	uint32_t first = program->execs.n;

	while (is_path(&lex->token)) {
		*vec_push(&d->sources->arena, &program->execs) = (struct draft_exec){
			.text = lex->token.at,
			.size = lex->token.size,
			.at = lex->token.spot,
		};
		d->size += sizeof(struct policy_exec) + lex->token.size;
		lex_next(lex);
	}
	if (take_use(p, program, first))
		return true;
	program->execs.n = first;
	return false;
}
