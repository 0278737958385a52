/* What a policy says to a place in the file system. */
#include "lib/fmt.h"
#include "lib/policy_internal.h"
#include "lib/string.h"

/* How a rule's place lies to the one in question. */
enum relation {
	REL_NONE,
	REL_SAME,
	REL_ABOVE, /* the rule's is a folder above */
	REL_BELOW, /* the rule's lies below */
};

/* ---- patterns ---- */

/* Without components "/" is left. */
static size_t component(const char *s, size_t n)
{
	size_t len = 0;

	while (len < n && s[len] != '/')
		len++;
	return len;
}

/* `*` is any characters: where a star is followed by what does not fit, it takes one more
 * and the rest is tried again. */
static bool fits(const char *pattern, size_t n, const char *s, size_t len)
{
	size_t i = 0, k = 0, star = SIZE_MAX, resume = 0;

	while (k < len) {
		if (i < n && pattern[i] == '*') {
			star = i++;
			resume = k;
		} else if (i < n && pattern[i] == s[k]) {
			i++;
			k++;
		} else if (star != SIZE_MAX) {
			i = star + 1;
			k = ++resume;
		} else {
			return false;
		}
	}
	while (i < n && pattern[i] == '*')
		i++;
	return i == n;
}

static bool component_fits(const char *pattern, size_t n, const char *s, size_t len,
			   int32_t self)
{
	char number[12];

	if (n == 5 && !memcmp(pattern, "$self", n)) {
		size_t digits = fmt_to(number, sizeof(number), "%d", self);
		return digits == len && !memcmp(number, s, len);
	}
	return fits(pattern, n, s, len);
}

static enum relation pattern_relation(const char *pattern, const struct policy_place *at)
{
	const char *p = pattern + 1, *s = at->path + 1;
	size_t n = strlen(p), len = at->len - 1;

	while (n && len) {
		size_t pn = component(p, n), sn = component(s, len);
		if (!component_fits(p, pn, s, sn, at->self))
			return REL_NONE;
		p += pn + (pn < n);
		n -= pn + (pn < n);
		s += sn + (sn < len);
		len -= sn + (sn < len);
	}
	if (n)
		return REL_BELOW;
	return len ? REL_ABOVE : REL_SAME;
}

/* ---- plain ones, in ascending order of their texts ---- */

/* As strcmp of the table's text and the n bytes at s. */
static int compare(const char *text, const char *s, size_t n)
{
	int c = strncmp(text, s, n);

	return c ? c : text[n] != 0;
}

/* The first of `n` rules that is not before the text. */
static uint32_t path_first(const struct policy *p, const struct policy_path *a,
			   uint32_t n, const char *s, size_t len)
{
	uint32_t at = 0;

	while (n) {
		uint32_t half = n / 2;
		if (compare(&p->text[a[at + half].text], s, len) < 0) {
			at += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return at;
}

/* Does the text begin with the folder and a slash? `/` is all but itself's. */
static bool is_below(const char *text, const struct policy_place *at)
{
	if (at->len == 1)
		return text[1];
	return !strncmp(text, at->path, at->len) && text[at->len] == '/';
}

/* ---- all rules that have to do with a place ---- */

/* fn is called for each rule of the place and above, and for those below until it says
 * that it knows enough of them. */
struct visitor {
	bool (*fn)(const struct policy_path *a, enum relation rel, struct visitor *v);
	uint32_t allow, deny; /* so far */
	uint32_t want, line;
	bool below;	 /* there is a rule below */
	bool leads_down; /* and it allows something */
};

static uint32_t plain_count(const struct policy *p, const struct policy_program *g)
{
	const struct policy_path *a = &p->paths[g->first_path];
	uint32_t at = 0, n = g->n_paths;

	while (n) {
		uint32_t half = n / 2;
		if (!(a[at + half].flags & POLICY_PATH_PATTERN)) {
			at += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return at;
}

static void visit_same(const struct policy *p, const struct policy_path *a, uint32_t n,
		       const char *s, size_t len, enum relation rel, struct visitor *v)
{
	for (uint32_t i = path_first(p, a, n, s, len); i < n; i++) {
		if (compare(&p->text[a[i].text], s, len))
			break;
		(void)v->fn(&a[i], rel, v);
	}
}

static void visit_up(const struct policy *p, const struct policy_path *a, uint32_t n,
		     const struct policy_place *at, struct visitor *v)
{
	enum relation root = at->len == 1 ? REL_SAME : REL_ABOVE;

	visit_same(p, a, n, "/", 1, root, v);
	for (size_t len = 1; len < at->len; len++) {
		len += component(at->path + len, at->len - len);
		visit_same(p, a, n, at->path, len, len == at->len ? REL_SAME : REL_ABOVE,
			   v);
	}
}

/* What begins with the folder's text need not lie below it ("/a-b" comes between "/a" and
 * "/a/b"), but nothing else is between the first and the last that does. */
static void visit_down(const struct policy *p, const struct policy_path *a, uint32_t n,
		       const struct policy_place *at, struct visitor *v)
{
	for (uint32_t i = path_first(p, a, n, at->path, at->len); i < n; i++) {
		const char *text = &p->text[a[i].text];
		if (strncmp(text, at->path, at->len))
			break;
		if (is_below(text, at) && !v->fn(&a[i], REL_BELOW, v))
			break;
	}
}

static void visit(const struct policy *p, uint32_t program, const struct policy_place *at,
		  struct visitor *v)
{
	const struct policy_program *g = &p->programs[program];
	const struct policy_path *a = &p->paths[g->first_path];
	uint32_t plain = plain_count(p, g);

	visit_up(p, a, plain, at, v);
	visit_down(p, a, plain, at, v);
	for (uint32_t i = plain; i < g->n_paths; i++) {
		enum relation rel = pattern_relation(&p->text[a[i].text], at);
		if (rel != REL_NONE)
			(void)v->fn(&a[i], rel, v);
	}
}

static bool speaks_of(const struct policy_path *a, enum relation rel)
{
	return rel == REL_SAME || (rel == REL_ABOVE && !(a->flags & POLICY_PATH_EXACT));
}

static bool add_rights(const struct policy_path *a, enum relation rel, struct visitor *v)
{
	if (speaks_of(a, rel)) {
		v->allow |= a->allow;
		v->deny |= a->deny;
	} else if (rel == REL_BELOW && a->allow) {
		v->leads_down = true;
		return false;
	}
	return true;
}

uint32_t policy_rights(const struct policy *p, uint32_t program,
		       const struct policy_place *at)
{
	struct visitor v = { .fn = add_rights };

	visit(p, program, at, &v);
	uint32_t rights = v.allow & ~v.deny;
	return rights || v.leads_down ? rights | POLICY_LOOK : 0;
}

uint32_t policy_everywhere(const struct policy *p, uint32_t program)
{
	const struct policy_program *g = &p->programs[program];
	uint32_t allow = 0, deny = 0;

	for (uint32_t i = 0; i < g->n_paths; i++) {
		const struct policy_path *a = &p->paths[g->first_path + i];
		deny |= a->deny;
		if (!a->flags && !p->text[a->text + 1])
			allow |= a->allow;
	}
	allow &= ~deny;
	return allow ? allow | POLICY_LOOK : 0;
}

/* The first line that denies any of it, else the first that allows any. */
static bool find_line(const struct policy_path *a, enum relation rel, struct visitor *v)
{
	if (!speaks_of(a, rel))
		return true;
	if ((a->deny & v->want) && !v->deny) {
		v->deny = a->deny;
		v->line = a->line;
	} else if ((a->allow & v->want) && !v->line) {
		v->line = a->line;
	}
	return true;
}

uint32_t policy_path_line(const struct policy *p, uint32_t program,
			  const struct policy_place *at, uint32_t want)
{
	struct visitor v = { .fn = find_line, .want = want };

	visit(p, program, at, &v);
	return v.line;
}

static bool find_below(const struct policy_path *a, enum relation rel, struct visitor *v)
{
	(void)a;
	v->below |= rel == REL_BELOW;
	return !v->below;
}

bool policy_rules_below(const struct policy *p, uint32_t program,
			const struct policy_place *at)
{
	struct visitor v = { .fn = find_below };

	visit(p, program, at, &v);
	return v.below;
}

int32_t policy_exec_find(const struct policy *p, uint32_t program,
			 const struct policy_place *at)
{
	const struct policy_program *g = &p->programs[program];

	for (uint32_t i = 0; i < g->n_execs; i++) {
		const struct policy_exec *e = &p->execs[g->first_exec + i];
		const char *text = &p->text[e->text];
		bool fits_it = e->flags & POLICY_PATH_PATTERN
				       ? pattern_relation(text, at) == REL_SAME
				       : !compare(text, at->path, at->len);
		if (fits_it)
			return (int32_t)e->program;
	}
	return -1;
}
