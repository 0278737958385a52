/* Paths: variables, and the canonical form. */
#include <ctype.h>
#include <string.h>

#include "policy/check.h"
#include "policy/words.h"

/* A path in the making. */
struct expansion {
	struct draft *draft;
	struct spot at;
	char text[POLICY_PATH_MAX + 2]; /* one more than is allowed, and a NUL */
	size_t size;
};

static bool fault(struct expansion *e, const char *hint, const char *what)
{
	source_fault(e->draft->sources, e->at, hint, "%s", what);
	return false;
}

static bool put(struct expansion *e, const char *bytes, size_t size)
{
	if (size > POLICY_PATH_MAX - e->size)
		return fault(e, NULL, "the path is too long");
	memcpy(e->text + e->size, bytes, size);
	e->size += size;
	return true;
}

/* ---- variables ---- */

/* They are in order, as check_variables left them. */
static struct draft_variable *variable_find(struct draft *d, const char *name,
					    size_t size)
{
	uint32_t from = 0, n = d->variables.n;

	while (n) {
		struct draft_variable *v = &d->variables.at[from + n / 2];
		int order = strncmp(v->name, name, size);

		if (!order && !v->name[size])
			return v;
		if (order < 0) {
			from += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return NULL;
}

static bool unknown(struct expansion *e, const char *name, size_t size)
{
	struct arena *a = &e->draft->sources->arena;
	struct guess g;

	guess_begin(&g, name, size);
	for (uint32_t i = 0; i < e->draft->variables.n; i++)
		guess_offer(&g, e->draft->variables.at[i].name);
	return fault(e, guess_hint(&g, a),
		     arena_format(a, "no such variable: '$%.*s'", (int)size, name));
}

static bool expand(struct expansion *e, const char *text, size_t size);

/* A variable's value is worked out once: it may be made of others. */
static bool value_work_out(struct expansion *e, struct draft_variable *v)
{
	struct expansion value = { .draft = e->draft, .at = v->at };

	if (v->busy)
		return fault(e, NULL,
			     arena_format(&e->draft->sources->arena,
					  "'$%s' is made of itself", v->name));
	v->busy = true;
	v->done = true;
	if (expand(&value, v->value, strlen(v->value)))
		v->value = arena_copy(&e->draft->sources->arena, value.text, value.size);
	else
		v->value = "/";
	v->busy = false;
	return true;
}

static bool expand_variable(struct expansion *e, const char *name, size_t size)
{
	struct draft_variable *v = variable_find(e->draft, name, size);

	if (!v)
		return unknown(e, name, size);
	if ((!v->done || v->busy) && !value_work_out(e, v))
		return false;
	return put(e, v->value, strlen(v->value));
}

/* The name behind a `$`, and how much of the text it takes. */
static size_t variable_name(const char *text, size_t size, const char **ret_name,
			    size_t *ret_size)
{
	bool braced = size && text[0] == '{';
	size_t n = braced;

	while (n < size && (isalnum((unsigned char)text[n]) || text[n] == '_'))
		n++;
	*ret_name = text + braced;
	*ret_size = n - braced;
	if (!braced)
		return n;
	return n < size && text[n] == '}' ? n + 1 : 0;
}

static bool expand(struct expansion *e, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const char *name;
		size_t n, taken;

		if (text[i] != '$') {
			if (!put(e, text + i, 1))
				return false;
			continue;
		}
		taken = variable_name(text + i + 1, size - i - 1, &name, &n);
		if (!taken || !n)
			return fault(e, NULL, "a '$' without a variable's name");
		if (n == 4 && !memcmp(name, "self", n)) {
			if (!put(e, "$self", 5))
				return false;
		} else if (!expand_variable(e, name, n)) {
			return false;
		}
		i += taken;
	}
	return true;
}

/* ---- the canonical form ---- */

/* One component, put behind a slash. */
static bool component(struct expansion *e, const char *at, size_t n, uint16_t *flags)
{
	bool self = n == 5 && !memcmp(at, "$self", n);
	bool is_proc = e->size == 5 && !memcmp(e->text, "/proc", 5);

	if (n == 2 && at[0] == '.' && at[1] == '.')
		return fault(e, "a rule is about the object, however it is reached",
			     "'..' in a path");
	if (n == 2 && at[0] == '*' && at[1] == '*')
		return fault(e, "a path stands for all that is below it",
			     "'**' in a path");
	if (memchr(at, '$', n) && !self)
		return fault(e, NULL, "$self is a component of its own");
	if (is_proc && n == 4 && !memcmp(at, "self", n)) {
		at = "$self";
		n = 5;
		self = true;
	}
	if (self || memchr(at, '*', n))
		*flags |= POLICY_PATH_PATTERN;
	return put(e, "/", 1) && put(e, at, n);
}

static bool canonical(struct expansion *e, const char *text, uint16_t *flags)
{
	e->size = 0;
	*flags = 0;
	while (*text) {
		size_t n = strcspn(text, "/");

		if (n == 1 && *text == '.') {
			if (!text[1])
				*flags |= POLICY_PATH_EXACT;
		} else if (n && !component(e, text, n, flags)) {
			return false;
		}
		text += n + (text[n] == '/');
	}
	return e->size || put(e, "/", 1);
}

bool check_path(struct draft *draft, struct spot at, const char **text, size_t *size,
		uint16_t *flags)
{
	struct expansion e = { .draft = draft, .at = at };
	const char *written;

	if (memchr(*text, 0, *size))
		return fault(&e, NULL, "a NUL byte in a path");
	if (!expand(&e, *text, *size))
		return false;
	written = arena_copy(&draft->sources->arena, e.text, e.size);
	if (*written != '/')
		return fault(&e, "it begins with '/'", "this is no path");
	if (!canonical(&e, written, flags))
		return false;
	*text = arena_copy(&draft->sources->arena, e.text, e.size);
	*size = e.size;
	return true;
}

const char *path_canonical(struct arena *a, const char *path)
{
	char *to = arena_new(a, strlen(path) + 2), *at = to;

	if (*path != '/')
		return NULL;
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (at > to && *--at != '/')
				continue;
		} else if (n && !(n == 1 && *path == '.')) {
			*at++ = '/';
			memcpy(at, path, n);
			at += n;
		}
		path += n + (path[n] == '/');
	}
	if (at == to)
		*at++ = '/';
	*at = 0;
	return to;
}
