/* Texts that include others. */
#include <errno.h>
#include <string.h>

#include "policy/parse.h"

/* A text is read once for each program that includes it. */
static bool is_seen(struct parser *p, uint32_t file)
{
	uint64_t *seen = &p->draft->sources->files.at[file].included_by;
	bool is_seen = *seen & BIT(p->program);

	*seen |= BIT(p->program);
	return is_seen;
}

/* "a includes b includes a" */
static const char *chain(const struct parser *p, const char *tail)
{
	struct sources *s = p->draft->sources;

	for (; p; p = p->above)
		tail = arena_format(&s->arena, "%s includes %s",
				    s->files.at[p->lex.file].name, tail);
	return tail;
}

static bool is_loop(const struct parser *p, uint32_t file)
{
	for (; p; p = p->above)
		if (p->lex.file == file)
			return true;
	return false;
}

/* The file's path, seen from the folder of the text that includes it. */
static const char *include_path(struct parser *p, const char *path)
{
	struct sources *s = p->draft->sources;
	const char *from = s->files.at[p->lex.file].name;
	const char *slash = strrchr(from, '/');

	if (path[0] == '/' || !slash)
		return path;
	return arena_format(&s->arena, "%.*s/%s", (int)(slash - from), from, path);
}

static int include_open(struct parser *p, struct spot at, const char *name,
			bool is_profile)
{
	struct sources *s = p->draft->sources;
	int file;

	if (!is_profile && s->files.at[p->lex.file].is_profile)
		is_profile = true;
	file = is_profile ? source_profile(s, name)
			  : source_file(s, include_path(p, name));
	if (file < 0 && is_profile)
		source_fault(s, at, "a file's name is written in quotes",
			     "no such profile: '%s'", name);
	else if (file == -EFBIG)
		source_fault(s, at, NULL, "'%s' is larger than %d megabytes", name,
			     (int)(SOURCE_SIZE_MAX / MIB(1)));
	else if (file < 0)
		source_fault(s, at, NULL, "cannot read '%s': %s", name, strerror(-file));
	return file;
}

bool parse_include(struct parser *p, struct spot at)
{
	struct sources *s = p->draft->sources;
	bool is_profile = p->lex.token.kind == TOKEN_WORD;
	const char *name, *reason;
	struct parser below;
	int file;

	if (p->lex.token.kind == TOKEN_PATH)
		return parse_wrong(p, NULL, "a file's name is written in quotes");
	if (!parse_name(p, "a file's name in quotes, or a profile's, was expected here",
			&name) ||
	    !parse_end(p, &reason))
		return false;
	file = include_open(p, at, name, is_profile);
	if (file < 0)
		return false;
	if (is_loop(p, (uint32_t)file)) {
		source_fault(s, at, NULL, "a loop of includes: %s",
			     chain(p, s->files.at[file].name));
		return false;
	}
	if (p->depth >= INCLUDE_DEPTH_MAX) {
		source_fault(s, at, NULL, "more than %d includes deep",
			     INCLUDE_DEPTH_MAX);
		return false;
	}
	if (is_seen(p, (uint32_t)file))
		return true;
	below = (struct parser){ .draft = p->draft,
				 .program = p->program,
				 .depth = p->depth + 1,
				 .outer_line = p->depth ? p->outer_line : at.line,
				 .above = p };
	if (!s->files.at[file].included_at)
		s->files.at[file].included_at = below.outer_line;
	lex_begin(&below.lex, s, (uint32_t)file);
	parse_text_of(&below);
	return true;
}

bool parse_is_too_large(struct parser *p)
{
	struct sources *s = p->draft->sources;

	s->parsed += s->files.at[p->lex.file].size;
	if (s->parsed <= SOURCE_SIZE_MAX)
		return false;
	source_fault(s, (struct spot){ 0 }, NULL,
		     "%s: with this the policy's texts are larger than %d megabytes",
		     s->files.at[p->lex.file].name, (int)(SOURCE_SIZE_MAX / MIB(1)));
	return true;
}
