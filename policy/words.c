/* The words of a policy. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/names.h"
#include "policy/numbers.h"
#include "policy/words.h"

static bool is_text(const char *known, const char *name, size_t size)
{
	/* Behind a NUL there is nothing of what is known. */
	return !memchr(name, 0, size) && !strncmp(known, name, size) && !known[size];
}

/* ---- names in order, so that they are found fast: made at the first question ---- */

struct index_entry {
	const char *name;
	uint64_t value;
};

struct index {
	struct index_entry *at;
	size_t n;
};

static int entry_compare(const void *a, const void *b)
{
	return strcmp(((const struct index_entry *)a)->name,
		      ((const struct index_entry *)b)->name);
}

static void index_make(struct index *index, struct index_entry *space, size_t n)
{
	qsort(space, n, sizeof(*space), entry_compare);
	*index = (struct index){ space, n };
}

static const struct index_entry *index_find(const struct index *index, const char *name,
					    size_t size)
{
	char key[64];
	struct index_entry wanted = { .name = key };

	if (!size || size >= sizeof(key) || memchr(name, 0, size))
		return NULL;
	memcpy(key, name, size);
	key[size] = 0;
	return bsearch(&wanted, index->at, index->n, sizeof(wanted), entry_compare);
}

static const struct index *syscalls(void)
{
	static struct index_entry space[POLICY_NUMBERS];
	static struct index index;
	size_t n = 0;

	if (index.n)
		return &index;
	for (uint32_t i = 0; i < syscall_numbers(); i++)
		if (syscall_row(i))
			space[n++] = (struct index_entry){ syscall_row(i)->name, i };
	index_make(&index, space, n);
	return &index;
}

static const struct index *constants(void)
{
	static struct index_entry space[2048];
	static struct index index;
	size_t n = 0;

	if (index.n)
		return &index;
	for (size_t i = 0; i < names_all_count; i++)
		for (size_t k = 0; k < names_all[i]->count && n < ARRAY_LEN(space); k++)
			space[n++] = (struct index_entry){ names_all[i]->at[k].name,
							   names_all[i]->at[k].value };
	index_make(&index, space, n);
	return &index;
}

/* ---- calls ---- */

int word_syscall(const char *name, size_t size)
{
	const struct index_entry *e = index_find(syscalls(), name, size);

	return e ? (int)e->value : -1;
}

const char *syscall_name(uint32_t number, char space[16])
{
	const struct syscall_row *row = syscall_row(number);

	snprintf(space, 16, "%" PRIu32, number);
	return row ? row->name : space;
}

static bool is_group(const char *known, const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < size && known[i]; i++)
		if (known[i] != name[i] && !(known[i] == '_' && name[i] == '-'))
			return false;
	return i == size && !known[i];
}

int word_group(const char *name, size_t size)
{
	if (size && *name == '@')
		name++, size--;
	for (int i = 0; i < SYSCALL_GROUPS; i++)
		if (is_group(syscall_groups[i].name, name, size))
			return i;
	return -1;
}

void group_name(unsigned group, char ret[32])
{
	snprintf(ret, 32, "%s", syscall_groups[group].name);
	for (char *at = ret; *at; at++)
		if (*at == '_')
			*at = '-';
}

/* ---- arguments ---- */

static const struct {
	uint16_t number;
	uint8_t field;
	const char *name;
} fields[] = {
#define POLICY_FIELD(syscall, number, kind, name) { NR_##syscall, number, #name },
#include "lib/abi/policy.def"
};

const char *argument_name(uint32_t number, uint32_t argument)
{
	const struct syscall_words *words = syscall_words(number);

	if (argument < SYSCALL_ARGS_MAX)
		return words ? words->args[argument] : NULL;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].number == number && fields[i].field == argument)
			return fields[i].name;
	return NULL;
}

int word_argument(uint32_t number, const char *name, size_t size)
{
	for (uint32_t i = 0; i < POLICY_FIELDS; i++) {
		const char *known = argument_name(number, i);

		if (known && is_text(known, name, size))
			return (int)i;
	}
	return -1;
}

const char *argument_list(struct arena *a, uint32_t number)
{
	const char *list = "";

	for (uint32_t i = 0; i < POLICY_FIELDS; i++) {
		const char *name = argument_name(number, i);

		if (name)
			list = arena_format(a, "%s%s%s", list, *list ? ", " : "", name);
	}
	return list;
}

/* ---- values ---- */

bool word_constant(const char *name, size_t size, uint64_t *ret)
{
	const struct index_entry *e = index_find(constants(), name, size);

	if (e)
		*ret = e->value;
	return e;
}

#define ERRORS 134 /* Linux's are below */

unsigned word_error(const char *name, size_t size)
{
	for (int error = 1; error < ERRORS; error++) {
		const char *known = strerrorname_np(error);

		if (known && is_text(known, name, size))
			return (unsigned)error;
	}
	if (is_text("ENOTSUP", name, size))
		return ENOTSUP;
	return is_text("EWOULDBLOCK", name, size) ? EWOULDBLOCK : 0;
}

const char *error_name(unsigned error, char space[16])
{
	const char *name = strerrorname_np((int)error);

	snprintf(space, 16, "%u", error);
	/* glibc's own choice of two names for a number is the rarer one. */
	return error == EOPNOTSUPP ? "EOPNOTSUPP" : name ? name : space;
}

uint32_t word_access(const char *name, size_t size)
{
	static const struct {
		const char *word;
		uint32_t bits;
	} words[] = {
#define POLICY_ACCESS(name, number, word, text) { word, POLICY_##name },
#include "lib/abi/policy.def"
		{ "write", POLICY_MODIFY | POLICY_CREATE | POLICY_REMOVE },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (is_text(words[i].word, name, size))
			return words[i].bits;
	return 0;
}

static int digit_of(char c, unsigned base)
{
	int digit = isdigit((unsigned char)c)	? c - '0'
		    : isalpha((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
						: 99;

	return digit < (int)base ? digit : -1;
}

/* Digits up to the first that is none; *ret_end is behind them. */
static bool digits(const char *at, const char *end, unsigned base, uint64_t *ret,
		   const char **ret_end)
{
	const char *from = at;
	uint64_t value = 0;

	for (; at < end && digit_of(*at, base) >= 0; at++)
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit_of(*at, base), &value))
			return false;
	*ret = value;
	*ret_end = at;
	return at > from;
}

bool word_number(const char *text, size_t size, uint64_t *ret)
{
	const char *end = text + size, *at = text;
	bool negative = size && *at == '-';
	unsigned base = 10;
	uint64_t value;

	at += negative;
	if (end - at > 2 && at[0] == '0' && tolower((unsigned char)at[1]) == 'x') {
		base = 16;
		at += 2;
	} else if (end - at > 1 && at[0] == '0') {
		base = 8;
	}
	if (!digits(at, end, base, &value, &at) || at != end)
		return false;
	if (negative && value > (uint64_t)INT64_MAX + 1)
		return false;
	*ret = negative ? 0 - value : value;
	return true;
}

/* ---- limits ---- */

enum unit { BYTES, COUNT, SECONDS };

static const struct {
	const char *word;
	enum unit unit;
} limits[] = {
#define POLICY_LIMIT(name, number, word, unit) [number] = { word, unit },
#include "lib/abi/policy.def"
};

static const struct {
	char letter;
	enum unit unit;
	uint64_t factor;
} suffixes[] = {
	{ 'T', BYTES, GIB(1024) }, { 'G', BYTES, GIB(1) }, { 'M', BYTES, MIB(1) },
	{ 'K', BYTES, KIB(1) },	   { 'h', SECONDS, 3600 }, { 'm', SECONDS, 60 },
	{ 's', SECONDS, 1 },
};

int word_limit(const char *name, size_t size)
{
	for (int i = 0; i < POLICY_LIMITS; i++)
		if (is_text(limits[i].word, name, size))
			return i;
	return -1;
}

const char *limit_name(enum policy_limit_kind kind)
{
	return limits[kind].word;
}

bool word_amount(enum policy_limit_kind kind, const char *text, size_t size,
		 uint64_t *ret)
{
	const char *at, *end = text + size;
	uint64_t value;

	if (!digits(text, end, 10, &value, &at))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(suffixes) && end - at == 1; i++)
		if (suffixes[i].letter == *at && suffixes[i].unit == limits[kind].unit) {
			*ret = value * suffixes[i].factor;
			return value <= UINT64_MAX / suffixes[i].factor;
		}
	*ret = value;
	return at == end;
}

void amount_text(enum policy_limit_kind kind, uint64_t value, char ret[32])
{
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (suffixes[i].unit == limits[kind].unit && value &&
		    value % suffixes[i].factor == 0) {
			snprintf(ret, 32, "%" PRIu64 "%c", value / suffixes[i].factor,
				 suffixes[i].letter);
			return;
		}
	snprintf(ret, 32, "%" PRIu64, value);
}
