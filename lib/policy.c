/* The compiled form of a policy, checked. Nothing of it is believed before it was. */
#include <sodium/crypto_generichash_blake2b.h>

#include "lib/policy.h"
#include "lib/policy_internal.h"
#include "lib/string.h"

_Static_assert(sizeof(struct policy_header) % 8 == 0, "what follows is aligned");
_Static_assert(sizeof(struct policy_program) % 8 == 0, "and this");
_Static_assert(sizeof(struct policy_rule) == 16 && sizeof(struct policy_test) == 24 &&
		       sizeof(struct policy_path) == 16 &&
		       sizeof(struct policy_exec) == 16 &&
		       sizeof(struct policy_limit) == 16,
	       "without holes");

static void digest_of(const struct policy_header *h, size_t size,
		      uint8_t ret[POLICY_DIGEST_SIZE])
{
	crypto_generichash_blake2b_state state;
	struct policy_header blank = *h;

	memset(blank.digest, 0, sizeof(blank.digest));
	(void)crypto_generichash_blake2b_init(&state, NULL, 0, POLICY_DIGEST_SIZE);
	(void)crypto_generichash_blake2b_update(&state, (uint8_t *)&blank, sizeof(blank));
	(void)crypto_generichash_blake2b_update(
		&state, (const uint8_t *)h + sizeof(blank), size - sizeof(blank));
	(void)crypto_generichash_blake2b_final(&state, ret, POLICY_DIGEST_SIZE);
}

void policy_seal(void *form, size_t size)
{
	struct policy_header *h = form;

	digest_of(h, size, h->digest);
}

/* ---- the tables' places ---- */

/* Where a table ends that begins there; NULL stays NULL, and is what too large a one
 * gives. */
static const char *table_end(const char *at, const char *end, uint32_t n, size_t size)
{
	return at && n <= (size_t)(end - at) / size ? at + n * size : NULL;
}

static bool lay_out(const struct policy_header *h, struct policy *ret)
{
	const char *at = (const char *)(h + 1), *end = (const char *)h + h->size;

	ret->header = h;
	ret->programs = (const void *)at;
	at = table_end(at, end, h->n_programs, sizeof(*ret->programs));
	ret->rules = (const void *)at;
	at = table_end(at, end, h->n_rules, sizeof(*ret->rules));
	ret->tests = (const void *)at;
	at = table_end(at, end, h->n_tests, sizeof(*ret->tests));
	ret->values = (const void *)at;
	at = table_end(at, end, h->n_values, sizeof(*ret->values));
	ret->paths = (const void *)at;
	at = table_end(at, end, h->n_paths, sizeof(*ret->paths));
	ret->execs = (const void *)at;
	at = table_end(at, end, h->n_execs, sizeof(*ret->execs));
	ret->limits = (const void *)at;
	at = table_end(at, end, h->n_limits, sizeof(*ret->limits));
	ret->text = at;
	return at && h->text_size && (size_t)(end - at) == h->text_size;
}

static const char *check_header(const struct policy_header *h, size_t size)
{
	uint8_t digest[POLICY_DIGEST_SIZE];

	if (size < sizeof(*h) || memcmp(h->magic, POLICY_MAGIC, sizeof(h->magic)))
		return "it is not a compiled policy";
	if (h->version != POLICY_VERSION)
		return "it is of another version";
	if (h->size != size)
		return "it is not whole";
	digest_of(h, size, digest);
	if (memcmp(digest, h->digest, sizeof(digest)))
		return "its digest is not that of its bytes";
	return NULL;
}

/* ---- what the tables hold ---- */

static bool is_text(const struct policy *p, uint32_t at)
{
	return at < p->header->text_size && (!at || !p->text[at - 1]);
}

static bool is_component(const char *s, size_t n)
{
	return n && !(n == 1 && s[0] == '.') && !(n == 2 && s[0] == '.' && s[1] == '.');
}

static bool is_path(const char *s)
{
	if (s[0] != '/' || strlen(s) > POLICY_PATH_MAX)
		return false;
	if (!s[1])
		return true;
	while (*s == '/') {
		size_t n = 0;
		for (s++; s[n] && s[n] != '/'; n++)
			continue;
		if (!is_component(s, n))
			return false;
		s += n;
	}
	return true;
}

static bool is_action(uint32_t action, enum policy_action from)
{
	uint32_t kind = POLICY_ACTION_KIND(action), error = POLICY_ACTION_ERROR(action);

	if (kind < from || kind >= POLICY_ACTIONS || kind == POLICY_ASK)
		return false;
	return kind == POLICY_ERRNO ? error && error <= POLICY_ERROR_MAX : !error;
}

/* What the tables before have used up: all parts follow one another. */
struct used {
	uint32_t rules, tests, values, paths, execs, limits;
};

static bool take(uint32_t *used, uint32_t first, uint32_t n, uint32_t all)
{
	if (first != *used || n > all - *used)
		return false;
	*used += n;
	return true;
}

static bool check_values(const struct policy *p, const struct policy_test *t,
			 struct used *used)
{
	bool is_set = t->op == POLICY_TEST_IN || t->op == POLICY_TEST_NOT_IN;

	if (!is_set)
		return !t->n_values;
	if (!t->n_values || t->value > UINT32_MAX ||
	    !take(&used->values, (uint32_t)t->value, t->n_values, p->header->n_values))
		return false;
	const uint64_t *v = &p->values[t->value];
	for (uint32_t i = 1; i < t->n_values; i++)
		if (v[i - 1] >= v[i])
			return false;
	return true;
}

static bool check_rule(const struct policy *p, const struct policy_rule *r,
		       struct used *used)
{
	if (r->number >= POLICY_NUMBERS || !is_action(r->action, POLICY_ALLOW) ||
	    !take(&used->tests, r->first_test, r->n_tests, p->header->n_tests))
		return false;
	for (uint32_t i = 0; i < r->n_tests; i++) {
		const struct policy_test *t = &p->tests[r->first_test + i];
		if (policy_arg_kind(r->number, t->arg) == KIND_none ||
		    t->op >= POLICY_TEST_OPS || t->zero || !check_values(p, t, used))
			return false;
	}
	return true;
}

static bool check_rules(const struct policy *p, const struct policy_program *g,
			struct used *used)
{
	if (!take(&used->rules, g->first_rule, g->n_rules, p->header->n_rules))
		return false;
	const struct policy_rule *r = &p->rules[g->first_rule];
	for (uint32_t i = 0; i < g->n_rules; i++)
		if (!check_rule(p, &r[i], used) || (i && r[i - 1].number > r[i].number))
			return false;
	return true;
}

static bool check_path(const struct policy *p, const struct policy_path *a)
{
	uint32_t flags = POLICY_PATH_EXACT | POLICY_PATH_PATTERN;

	return is_text(p, a->text) && is_path(&p->text[a->text]) &&
	       !(a->flags & ~flags) && !a->zero && !a->allow != !a->deny &&
	       !((a->allow | a->deny) & ~POLICY_ACCESS_ALL);
}

static bool in_order(const struct policy *p, const struct policy_path *a,
		     const struct policy_path *b)
{
	bool pattern[] = { a->flags & POLICY_PATH_PATTERN,
			   b->flags & POLICY_PATH_PATTERN };

	if (pattern[0] != pattern[1])
		return pattern[1];
	return strcmp(&p->text[a->text], &p->text[b->text]) <= 0;
}

static bool check_paths(const struct policy *p, const struct policy_program *g,
			struct used *used)
{
	if (!take(&used->paths, g->first_path, g->n_paths, p->header->n_paths))
		return false;
	const struct policy_path *a = &p->paths[g->first_path];
	for (uint32_t i = 0; i < g->n_paths; i++)
		if (!check_path(p, &a[i]) || (i && !in_order(p, &a[i - 1], &a[i])))
			return false;
	return true;
}

static bool check_execs(const struct policy *p, const struct policy_program *g,
			struct used *used)
{
	if (!take(&used->execs, g->first_exec, g->n_execs, p->header->n_execs))
		return false;
	for (uint32_t i = 0; i < g->n_execs; i++) {
		const struct policy_exec *e = &p->execs[g->first_exec + i];
		if (!is_text(p, e->text) || !is_path(&p->text[e->text]) ||
		    (e->flags & ~POLICY_PATH_PATTERN) ||
		    e->program >= p->header->n_programs)
			return false;
	}
	return true;
}

static bool check_limits(const struct policy *p, const struct policy_program *g,
			 struct used *used)
{
	if (!take(&used->limits, g->first_limit, g->n_limits, p->header->n_limits))
		return false;
	const struct policy_limit *l = &p->limits[g->first_limit];
	for (uint32_t i = 0; i < g->n_limits; i++)
		if (l[i].kind >= POLICY_LIMITS || (i && l[i - 1].kind >= l[i].kind))
			return false;
	return true;
}

static const char *check_program(const struct policy *p, const struct policy_program *g,
				 struct used *used)
{
	bool learns = g->flags & POLICY_FLAG_LEARN;

	if (!is_text(p, g->name) || g->flags & ~POLICY_FLAGS_ALL)
		return "a program's head is wrong";
	if (learns ? g->default_action != POLICY_ACTION_OF(POLICY_ASK, 0)
		   : !is_action(g->default_action, POLICY_ERRNO))
		return "a default allows";
	if (!check_rules(p, g, used))
		return "a rule is wrong";
	if (!check_paths(p, g, used))
		return "a path rule is wrong";
	if (!check_execs(p, g, used))
		return "a rule for a program is wrong";
	return check_limits(p, g, used) ? NULL : "a limit is wrong";
}

static const char *check_tables(const struct policy *p)
{
	const struct policy_header *h = p->header;
	struct used used = { 0 };

	if (!h->n_programs || h->n_programs > POLICY_PROGRAMS_MAX)
		return "it has no program, or too many";
	if (p->text[0] || p->text[h->text_size - 1])
		return "its text does not end";
	for (uint32_t i = 0; i < h->n_programs; i++) {
		const char *why = check_program(p, &p->programs[i], &used);
		if (why)
			return why;
	}
	if (used.rules != h->n_rules || used.tests != h->n_tests ||
	    used.values != h->n_values || used.paths != h->n_paths ||
	    used.execs != h->n_execs || used.limits != h->n_limits)
		return "it holds what no program has";
	return NULL;
}

int policy_parse(const void *form, size_t size, struct policy *ret, const char **ret_why)
{
	struct policy p;

	if (size > POLICY_SIZE_MAX) {
		*ret_why = "it is too large";
		return -E2BIG;
	}
	*ret_why = check_header(form, size);
	if (!*ret_why && !lay_out(form, &p))
		*ret_why = "its tables do not fit";
	if (!*ret_why)
		*ret_why = check_tables(&p);
	if (*ret_why)
		return -EINVAL;
	*ret = p;
	return 0;
}

uint64_t policy_limit_of(const struct policy *p, uint32_t program,
			 enum policy_limit_kind kind)
{
	const struct policy_program *g = &p->programs[program];

	for (uint32_t i = 0; i < g->n_limits; i++)
		if (p->limits[g->first_limit + i].kind == kind)
			return p->limits[g->first_limit + i].value;
	return UINT64_MAX;
}
