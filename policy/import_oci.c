/*
 * Lists of system calls in JSON: of Docker and Podman (moby/profiles/seccomp: names,
 * archMap, includes, excludes), and of the OCI's runtime specification ("linux.seccomp").
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/import.h"
#include "policy/names.h"
#include "policy/words.h"

#define EPERM_NUMBER 1
#define ENOSYS_NUMBER 38
#define KERNEL_MAJOR 6 /* what Mayfly is like */
#define KERNEL_MINOR 1

struct oci {
	struct import *i;
	uint32_t default_action;
	uint64_t unconditional[POLICY_NUMBERS / 64]; /* whatever the arguments */
	unsigned unknown;
};

static bool fault(struct oci *o, const char *format, const char *what)
{
	source_fault(o->i->sources, (struct spot){ 0 }, NULL, format, what);
	return false;
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* ---- actions ---- */

/* A number, or a name beside it. */
static unsigned error_of(const json_t *object, const char *number, const char *name,
			 unsigned otherwise)
{
	const json_t *value = json_object_get(object, number);
	const char *text = string_of(object, name);

	if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	    json_integer_value(value) <= POLICY_ERROR_MAX)
		return (unsigned)json_integer_value(value);
	if (*text && word_error(text, strlen(text)))
		return word_error(text, strlen(text));
	return otherwise;
}

static bool action_of(struct oci *o, const char *name, unsigned error, uint32_t *ret)
{
	static const struct {
		const char *name;
		enum policy_action kind;
	} actions[] = {
		{ "SCMP_ACT_ALLOW", POLICY_ALLOW },
		{ "SCMP_ACT_LOG", POLICY_LOG },
		{ "SCMP_ACT_ERRNO", POLICY_ERRNO },
		{ "SCMP_ACT_TRAP", POLICY_TRAP },
		{ "SCMP_ACT_KILL", POLICY_KILL_THREAD },
		{ "SCMP_ACT_KILL_THREAD", POLICY_KILL_THREAD },
		{ "SCMP_ACT_KILL_PROCESS", POLICY_KILL },
	};

	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (strcmp(actions[i].name, name))
			continue;
		if (actions[i].kind == POLICY_ERRNO && !error) {
			import_note(o->i, "error 0 does not carry a call out, nor refuse "
					  "it: refused with EPERM");
			error = EPERM_NUMBER;
		}
		*ret = POLICY_ACTION_OF(actions[i].kind,
					actions[i].kind == POLICY_ERRNO ? error : 0);
		return true;
	}
	if (strcmp(name, "SCMP_ACT_TRACE") && strcmp(name, "SCMP_ACT_NOTIFY"))
		return fault(o, "no such action: '%s'", name);
	/* What Linux does when nobody listens. */
	import_note(o->i, "%s: nobody listens here: refused with ENOSYS", name);
	*ret = POLICY_ACTION_OF(POLICY_ERRNO, ENOSYS_NUMBER);
	return true;
}

/* ---- for whom a rule is ---- */

static bool is_our_arch(const char *name)
{
	return !strcmp(name, "amd64") || !strcmp(name, "SCMP_ARCH_X86_64") ||
	       !strcmp(name, "x86_64");
}

static bool has_cap(const struct oci *o, const char *name)
{
	for (size_t i = 0; i < set_capability.count; i++)
		if (!strcmp(set_capability.at[i].name, name))
			return o->i->caps & BIT(set_capability.at[i].value);
	return false;
}

static bool any_of(const json_t *list, bool (*is)(const struct oci *, const char *),
		   const struct oci *o)
{
	const json_t *value;
	size_t k;

	json_array_foreach((json_t *)list, k,
			   value) if (json_is_string(value) &&
				      is(o, json_string_value(value))) return true;
	return false;
}

static bool all_of(const json_t *list, bool (*is)(const struct oci *, const char *),
		   const struct oci *o)
{
	const json_t *value;
	size_t k;

	json_array_foreach((json_t *)list, k,
			   value) if (!json_is_string(value) ||
				      !is(o, json_string_value(value))) return false;
	return true;
}

static bool arch_is(const struct oci *o, const char *name)
{
	return is_our_arch(name);
}

/* Is the kernel at least that old? */
static bool is_kernel(const struct oci *o, const char *least)
{
	unsigned major = 0, minor = 0, ours = o->i->kernel_major;

	(void)!sscanf(least, "%u.%u", &major, &minor);
	if (!ours)
		return major < KERNEL_MAJOR ||
		       (major == KERNEL_MAJOR && minor <= KERNEL_MINOR);
	return major < ours || (major == ours && minor <= o->i->kernel_minor);
}

/* As moby's loader: of `includes` the architectures (any), the capabilities (all) and the
 * kernel must fit; of `excludes` none of any may. */
static bool is_for_us(const struct oci *o, const json_t *rule)
{
	const json_t *in = json_object_get(rule, "includes");
	const json_t *ex = json_object_get(rule, "excludes");
	const json_t *arches = json_object_get(in, "arches");
	const char *least = string_of(in, "minKernel"),
		   *newer = string_of(ex, "minKernel");

	if (json_array_size(arches) && !any_of(arches, arch_is, o))
		return false;
	if (!all_of(json_object_get(in, "caps"), has_cap, o))
		return false;
	if (*least && !is_kernel(o, least))
		return false;
	if (any_of(json_object_get(ex, "arches"), arch_is, o) ||
	    any_of(json_object_get(ex, "caps"), has_cap, o))
		return false;
	return !*newer || !is_kernel(o, newer);
}

/* ---- a rule ---- */

static uint64_t number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	/* Jansson keeps integers with a sign; what is larger comes as a real number. */
	if (json_is_real(value))
		return json_real_value(value) >= 18446744073709551615.0
			       ? UINT64_MAX
			       : (uint64_t)json_real_value(value);
	return (uint64_t)json_integer_value(value);
}

static bool test_of_json(struct oci *o, const json_t *arg, struct import_test *ret)
{
	static const struct {
		const char *name;
		enum import_op op;
	} ops[] = {
		{ "SCMP_CMP_NE", IMPORT_NE },
		{ "SCMP_CMP_LT", IMPORT_LT },
		{ "SCMP_CMP_LE", IMPORT_LE },
		{ "SCMP_CMP_EQ", IMPORT_EQ },
		{ "SCMP_CMP_GE", IMPORT_GE },
		{ "SCMP_CMP_GT", IMPORT_GT },
		{ "SCMP_CMP_MASKED_EQ", IMPORT_MASKED_EQ },
	};
	const char *name = string_of(arg, "op");
	uint64_t index = number_of(arg, "index");

	if (!json_is_object(arg) || index >= POLICY_ARGS)
		return fault(o, "an argument of a rule is wrong%s", "");
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		uint64_t value = number_of(arg, "value");

		if (strcmp(ops[i].name, name))
			continue;
		*ret = (struct import_test){ .arg = (unsigned)index,
					     .op = ops[i].op,
					     .value = value };
		if (ret->op == IMPORT_MASKED_EQ) {
			ret->mask = value;
			ret->value = number_of(arg, "valueTwo");
		}
		return true;
	}
	return fault(o, "no such comparison: '%s'", name);
}

struct rule {
	uint32_t action;
	struct import_test tests[POLICY_ARGS * 4];
	uint32_t n;
	/* an argument is tested twice: then one test is enough, as runc has it */
	bool any;
};

static bool tests_read(struct oci *o, const json_t *args, struct rule *r)
{
	const json_t *arg;
	unsigned seen = 0;
	size_t k;

	json_array_foreach((json_t *)args, k, arg)
	{
		if (k == ARRAY_LEN(r->tests))
			return fault(o, "a rule has too many arguments%s", "");
		if (!test_of_json(o, arg, &r->tests[r->n]))
			return false;
		r->any |= seen & 1u << r->tests[r->n].arg;
		seen |= 1u << r->tests[r->n++].arg;
	}
	return true;
}

/* What was said of the call before. */
static void call_forget(struct oci *o, uint32_t number)
{
	struct draft_program *p = &o->i->draft.programs.at[0];
	uint32_t kept = 0;

	for (uint32_t k = 0; k < p->calls.n; k++)
		if (p->calls.at[k].number != number)
			p->calls.at[kept++] = p->calls.at[k];
	p->calls.n = kept;
}

/* As libseccomp has it: the first rule without a condition is all that counts. */
static void call_add(struct oci *o, uint32_t number, const struct rule *r)
{
	uint64_t *said = &o->unconditional[number / 64], bit = BIT(number % 64);

	if (*said & bit)
		return;
	if (!r->n) {
		*said |= bit;
		call_forget(o, number);
	}
	for (uint32_t k = 0; k < r->n && r->any; k++)
		import_rule(o->i, number, r->action, &r->tests[k], 1);
	if (!r->any)
		import_rule(o->i, number, r->action, r->tests, r->n);
}

static void name_add(struct oci *o, const char *name, const struct rule *r)
{
	int number = word_syscall(name, strlen(name));

	if (number >= 0)
		call_add(o, (uint32_t)number, r);
	else
		o->unknown++;
}

static bool rule_read(struct oci *o, const json_t *rule)
{
	const json_t *names = json_object_get(rule, "names"), *name;
	struct rule r = { 0 };
	size_t k;

	if (!json_is_object(rule))
		return fault(o, "a rule is not an object%s", "");
	if (!is_for_us(o, rule))
		return true;
	if (!action_of(o, string_of(rule, "action"),
		       error_of(rule, "errnoRet", "errno", EPERM_NUMBER), &r.action) ||
	    !tests_read(o, json_object_get(rule, "args"), &r))
		return false;
	/* As runc and Docker: what the default does is not said again. */
	if (r.action == o->default_action)
		return true;
	json_array_foreach((json_t *)names, k, name) if (json_is_string(name))
		name_add(o, json_string_value(name), &r);
	if (*string_of(rule, "name"))
		name_add(o, string_of(rule, "name"), &r);
	return true;
}

/* ---- the list ---- */

static const json_t *list_of(const json_t *root)
{
	const json_t *linux_part = json_object_get(root, "linux");
	const json_t *inner = json_object_get(linux_part ? linux_part : root, "seccomp");

	return inner ? inner : root;
}

static bool list_read(struct oci *o, const json_t *list)
{
	const json_t *rules = json_object_get(list, "syscalls"), *rule;
	const json_t *arches = json_object_get(list, "architectures");
	size_t k;

	if (!action_of(o, string_of(list, "defaultAction"),
		       error_of(list, "defaultErrnoRet", "defaultErrno", EPERM_NUMBER),
		       &o->default_action))
		return false;
	if (json_array_size(arches) && !any_of(arches, arch_is, o))
		import_note(o->i, "the list is for other processors");
	if (rules && !json_is_array(rules) && !json_is_null(rules))
		return fault(o, "'syscalls' is not a list%s", "");
	json_array_foreach((json_t *)rules, k,
			   rule) if (!rule_read(o, rule)) return false;
	if (o->unknown)
		import_note(o->i, "%u names are of calls that x86-64 does not have",
			    o->unknown);
	return true;
}

bool import_oci(struct import *i)
{
	const struct source *source = &i->sources->files.at[i->file];
	struct oci o = { .i = i };
	json_error_t error;
	json_t *root = json_loadb(source->text, source->size, 0, &error);
	bool good;

	import_begin(i, "imported");
	if (!root) {
		struct spot at = { i->file, error.line > 0 ? (uint32_t)error.line : 0,
				   error.column > 0 ? (uint32_t)error.column : 1, 1 };

		source_fault(i->sources, at, NULL, "not JSON: %s", error.text);
		return false;
	}
	good = json_is_object(root) ? list_read(&o, list_of(root))
				    : fault(&o, "not a list of system calls%s", "");
	if (good) {
		/* Where no condition holds the default does. */
		import_default(i, o.default_action, o.unconditional);
		import_rest(i);
	}
	json_decref(root);
	return good;
}
