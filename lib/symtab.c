/* Address to function and line; see symtab.h. */
#include <asm/errno.h>

#include "lib/string.h"
#include "lib/symtab.h"

#define MAGIC "MFLYSYMS"
#define VERSION 1
#define FUNCTION_SIZE 12

struct header {
	char magic[8];
	uint32_t version, functions, files, lines_size, strings_size, zero;
} packed;

static uint32_t u32_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

struct function {
	uint32_t address, name, lines;
};

static struct function function_at(const struct symtab *t, uint32_t i)
{
	const uint8_t *p = t->functions + (uint64_t)i * FUNCTION_SIZE;

	return (struct function){ u32_at(p), u32_at(p + 4), u32_at(p + 8) };
}

/* Addresses and line positions ascend; names lie in the strings. */
static bool functions_valid(const struct symtab *t)
{
	struct function last = { 0 };

	for (uint32_t i = 0; i < t->n_functions; i++) {
		struct function f = function_at(t, i);
		if (f.address < last.address || f.lines < last.lines ||
		    f.lines > t->lines_size || f.name >= t->strings_size)
			return false;
		last = f;
	}
	return true;
}

static bool files_valid(const struct symtab *t)
{
	for (uint32_t i = 0; i < t->n_files; i++)
		if (u32_at(t->files + 4 * (uint64_t)i) >= t->strings_size)
			return false;
	return true;
}

int symtab_open(const void *data, uint64_t size, struct symtab *ret)
{
	struct header h;
	struct symtab t;

	if (size < sizeof(h))
		return -EINVAL;
	memcpy(&h, data, sizeof(h));
	uint64_t functions = (uint64_t)h.functions * FUNCTION_SIZE;
	uint64_t files = (uint64_t)h.files * 4;
	if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 || h.version != VERSION ||
	    h.zero ||
	    size != sizeof(h) + functions + files + h.lines_size + h.strings_size)
		return -EINVAL;

	t.functions = (const uint8_t *)data + sizeof(h);
	t.files = t.functions + functions;
	t.lines = t.files + files;
	t.strings = (const char *)t.lines + h.lines_size;
	t.n_functions = h.functions;
	t.n_files = h.files;
	t.lines_size = h.lines_size;
	t.strings_size = h.strings_size;
	if (!t.strings_size || t.strings[t.strings_size - 1] || !functions_valid(&t) ||
	    !files_valid(&t))
		return -EINVAL;
	*ret = t;
	return 0;
}

/* Reads one number of [*at, end); false: there is none. */
static bool uleb_read(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
	uint64_t v = 0;

	for (unsigned shift = 0; *at < end && shift < 63; shift += 7) {
		uint8_t b = *(*at)++;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

static void line_find(const struct symtab *t, const struct function *f, uint32_t end,
		      uint64_t address, struct symbol *ret)
{
	const uint8_t *at = t->lines + f->lines, *stop = t->lines + end;
	uint64_t step, file = 0, line = 0, row = f->address, delta;

	while (uleb_read(&at, stop, &step)) {
		row += step >> 1;
		if (row > address || ((step & 1) && !uleb_read(&at, stop, &file)) ||
		    !uleb_read(&at, stop, &delta))
			return;
		line += (delta >> 1) ^ -(delta & 1);
		ret->line = (uint32_t)line;
		ret->file = file < t->n_files && line
				    ? t->strings + u32_at(t->files + 4 * file)
				    : NULL;
	}
}

bool symtab_find(const struct symtab *t, uint64_t address, struct symbol *ret)
{
	uint32_t lo = 0, hi = t->n_functions;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (function_at(t, mid).address <= address)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0)
		return false;
	struct function f = function_at(t, lo - 1);
	uint32_t end = lo < t->n_functions ? function_at(t, lo).lines : t->lines_size;
	*ret = (struct symbol){ t->strings + f.name, address - f.address, NULL, 0 };
	line_find(t, &f, end, address, ret);
	return true;
}
