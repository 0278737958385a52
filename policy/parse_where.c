/* where: conditions on the arguments of a call. */
#include <stdlib.h>
#include <string.h>

#include "lib/policy_internal.h"
#include "policy/names.h"
#include "policy/parse.h"
#include "policy/words.h"

#define TESTS_MAX 64	/* of a rule */
#define VALUES_MAX 4096 /* of a set */

struct where {
	struct parser *p;
	uint32_t number; /* of the call */
	uint8_t arg;
	enum syscall_kind kind;
	uint64_t mask;
	bool masked;
	struct draft_test tests[TESTS_MAX];
	uint32_t n;
};

/* A|B: bits, and values of fields within the bits, such as O_RDWR. */
struct value {
	uint64_t bits;
	uint64_t fields;    /* the fields' masks */
	uint64_t in_fields; /* and what is in them */
	bool clash;	    /* two values for one field */
};

/* Names that are no bits but values of a field: `has` and `lacks` compare all of it. */
static const struct {
	const struct names *names;
	uint64_t mask;
} bit_fields[] = {
	{ &set_open_access, 3 },
	{ &set_socket_type, 15 },
	{ &set_map_type, 15 },
	{ &set_file_type, 0170000 },
};

static bool fault(struct where *w, const char *hint, const char *what)
{
	return parse_wrong(w->p, hint, what);
}

static struct arena *arena_of(struct where *w)
{
	return &w->p->draft->sources->arena;
}

/* ---- values ---- */

static uint64_t field_of(const struct token *t, uint64_t value)
{
	for (size_t i = 0; i < ARRAY_LEN(bit_fields); i++)
		for (size_t k = 0; k < bit_fields[i].names->count; k++)
			if (token_is(t, bit_fields[i].names->at[k].name) &&
			    value != bit_fields[i].mask)
				return bit_fields[i].mask;
	return 0;
}

static bool take_term(struct where *w, struct value *v)
{
	struct lexer *lex = &w->p->lex;
	const struct token *t = &lex->token;
	bool inverted = lex_is(lex, "~");
	uint64_t value, field;

	if (inverted)
		lex_next(lex);
	if (t->kind != TOKEN_WORD)
		return fault(w, NULL, "a number or a name of a value was expected here");
	if (!word_number(t->at, t->size, &value) &&
	    !word_constant(t->at, t->size, &value))
		return fault(w,
			     parse_hints(w->p)
				     ? guess_constant(arena_of(w), t->at, t->size)
				     : NULL,
			     "neither a number nor a name of a value");
	field = inverted ? 0 : field_of(t, value);
	v->clash |= (v->fields & field) && (v->in_fields & field) != value;
	v->fields |= field;
	if (field)
		v->in_fields |= value;
	else
		v->bits |= inverted ? ~value : value;
	lex_next(lex);
	return true;
}

static bool take_value(struct where *w, struct value *v)
{
	*v = (struct value){ 0 };
	if (!take_term(w, v))
		return false;
	while (lex_is(&w->p->lex, "|")) {
		lex_next(&w->p->lex);
		if (!take_term(w, v))
			return false;
	}
	return true;
}

/* A value as the kernel sees one in this argument; false: it does not fit. */
static bool seen_as(const struct where *w, uint64_t value, bool as_mask, uint64_t *ret)
{
	if (!policy_kind_is_narrow(w->kind)) {
		*ret = value;
		return true;
	}
	*ret = as_mask || !policy_kind_is_signed(w->kind)
		       ? (uint32_t)value
		       : (uint64_t)(int64_t)(int32_t)(uint32_t)value;
	return value <= UINT32_MAX || value >= (uint64_t)INT32_MIN;
}

static bool does_not_fit(struct where *w, struct spot at)
{
	source_fault(w->p->draft->sources, at, NULL, "'%s' of %s is 32 bits wide",
		     argument_name(w->number, w->arg), syscall_row(w->number)->name);
	lex_skip(&w->p->lex);
	return false;
}

/* ---- tests ---- */

static bool test_add(struct where *w, enum policy_test_op op, uint64_t mask,
		     uint64_t value)
{
	if (w->n == TESTS_MAX)
		return fault(w, NULL, "too many conditions in a line");
	w->tests[w->n++] = (struct draft_test){
		.arg = w->arg, .op = (uint8_t)op, .mask = mask, .value = value
	};
	return true;
}

static bool never(struct where *w, struct spot at, const char *why)
{
	source_fault(w->p->draft->sources, at, NULL, "%s", why);
	lex_skip(&w->p->lex);
	return false;
}

static bool take_compare(struct where *w, enum policy_test_op op)
{
	struct spot at = w->p->lex.token.spot;
	struct value v;
	uint64_t value;

	if (!take_value(w, &v))
		return false;
	value = v.bits | v.in_fields;
	if (!seen_as(w, value, w->masked, &value))
		return does_not_fit(w, at);
	if (w->masked && (value & ~w->mask) && op <= POLICY_TEST_NE)
		return never(w, at,
			     "the mask leaves nothing that could be equal to this");
	return test_add(w, op, w->mask, value);
}

static bool take_has(struct where *w, bool has)
{
	struct spot at = w->p->lex.token.spot;
	uint64_t bits, fields, in_fields;
	struct value v;

	if (!take_value(w, &v))
		return false;
	if (!seen_as(w, v.bits, true, &bits) || !seen_as(w, v.fields, true, &fields) ||
	    !seen_as(w, v.in_fields, true, &in_fields))
		return does_not_fit(w, at);
	if (!bits && !fields)
		return never(w, at, "no bit is named here");
	if (v.clash)
		return never(w, at,
			     has ? "these are values of one field: one at a time"
				 : "these are values of one field: join two 'lacks' "
				   "by 'and'");
	if (has)
		return test_add(w, POLICY_TEST_EQ, bits | fields, bits | in_fields);
	if (bits && !test_add(w, POLICY_TEST_EQ, bits, 0))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(bit_fields); i++)
		if ((fields & bit_fields[i].mask) == bit_fields[i].mask &&
		    !test_add(w, POLICY_TEST_NE, bit_fields[i].mask,
			      in_fields & bit_fields[i].mask))
			return false;
	return true;
}

static int value_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint32_t sorted(uint64_t *values, uint32_t n)
{
	uint32_t kept = 0;

	qsort(values, n, sizeof(*values), value_compare);
	for (uint32_t i = 0; i < n; i++)
		if (!kept || values[kept - 1] != values[i])
			values[kept++] = values[i];
	return kept;
}

static bool take_values(struct where *w, uint64_t *values, uint32_t *ret_n)
{
	struct lexer *lex = &w->p->lex;
	uint32_t n = 0;

	do {
		struct spot at;
		struct value v;

		lex_next(lex);
		at = lex->token.spot;
		if (lex_is(lex, "}") && n)
			break;
		if (!take_value(w, &v))
			return false;
		if (n == VALUES_MAX)
			return fault(w, NULL, "too many values in a set");
		if (!seen_as(w, v.bits | v.in_fields, w->masked, &values[n++]))
			return does_not_fit(w, at);
	} while (lex_is(lex, ","));
	*ret_n = n;
	return true;
}

static bool take_set(struct where *w, enum policy_test_op op)
{
	struct lexer *lex = &w->p->lex;
	uint64_t values[VALUES_MAX];
	struct draft_test *test;
	uint32_t n = 0;

	if (!lex_is(lex, "{"))
		return fault(w, "as 'in {1, 2}'", "a '{' was expected here");
	lex->in_set = true;
	if (!take_values(w, values, &n))
		return false;
	if (!lex_is(lex, "}"))
		return fault(w, NULL, "a ',' or the set's '}' was expected here");
	lex->in_set = false;
	lex_next(lex);
	n = sorted(values, n);
	if (n == 1)
		return test_add(w, op == POLICY_TEST_IN ? POLICY_TEST_EQ : POLICY_TEST_NE,
				w->mask, values[0]);
	if (!test_add(w, op, w->mask, 0))
		return false;
	test = &w->tests[w->n - 1];
	test->values = arena_grow(arena_of(w), values, n, n, sizeof(*values));
	test->n_values = n;
	return true;
}

/* ---- conditions ---- */

static bool take_argument(struct where *w)
{
	const struct token *t = &w->p->lex.token;
	const char *name = syscall_row(w->number)->name;
	const char *list = argument_list(arena_of(w), w->number);
	int arg = t->kind == TOKEN_WORD ? word_argument(w->number, t->at, t->size) : -1;

	if (arg < 0)
		return fault(w,
			     *list ? arena_format(arena_of(w), "%s has %s", name, list)
				   : arena_format(arena_of(w), "%s has none", name),
			     "no such argument");
	w->arg = (uint8_t)arg;
	w->kind = policy_arg_kind(w->number, (uint32_t)arg);
	w->mask = UINT64_MAX;
	w->masked = false;
	lex_next(&w->p->lex);
	return true;
}

static bool take_mask(struct where *w)
{
	struct spot at;
	struct value v;

	if (!lex_is(&w->p->lex, "&"))
		return true;
	lex_next(&w->p->lex);
	at = w->p->lex.token.spot;
	if (!take_value(w, &v))
		return false;
	if (!seen_as(w, v.bits | v.in_fields, true, &w->mask))
		return does_not_fit(w, at);
	w->masked = true;
	return true;
}

static bool take_operator(struct where *w)
{
	static const struct {
		const char *sign;
		enum policy_test_op op;
	} compare[] = {
		{ "==", POLICY_TEST_EQ }, { "!=", POLICY_TEST_NE },
		{ "<", POLICY_TEST_LT },  { "<=", POLICY_TEST_LE },
		{ ">", POLICY_TEST_GT },  { ">=", POLICY_TEST_GE },
	};
	struct lexer *lex = &w->p->lex;
	bool has = lex_is(lex, "has"), lacks = lex_is(lex, "lacks");
	bool in = lex_is(lex, "in"), not = lex_is(lex, "not");

	for (size_t i = 0; i < ARRAY_LEN(compare); i++) {
		if (lex_is(lex, compare[i].sign)) {
			lex_next(lex);
			return take_compare(w, compare[i].op);
		}
	}
	if (!has && !lacks && !in && !not )
		return fault(w, lex_is(lex, "=") ? "did you mean '=='?" : NULL,
			     "== != < <= > >= has lacks in or not in was expected here");
	if (w->masked && (has || lacks))
		return fault(w, NULL, "'has' and 'lacks' are no comparison of a mask");
	lex_next(lex);
	if (has || lacks)
		return take_has(w, has);
	if (not &&!lex_is(lex, "in"))
		return fault(w, NULL, "'in' was expected here");
	if (not )
		lex_next(lex);
	return take_set(w, not ? POLICY_TEST_NOT_IN : POLICY_TEST_IN);
}

bool parse_where(struct parser *p, uint32_t number, struct draft_call *call)
{
	struct where w = { .p = p, .number = number };

	do {
		if (w.n)
			lex_next(&p->lex);
		if (!take_argument(&w) || !take_mask(&w) || !take_operator(&w))
			return false;
	} while (lex_is(&p->lex, "and"));
	if (lex_is(&p->lex, "or"))
		return fault(&w, "write a line for each", "there is no 'or'");
	call->n_tests = w.n;
	call->tests = arena_grow(arena_of(&w), w.tests, w.n, w.n, sizeof(*w.tests));
	return true;
}
