/*
 * The kernel's symbol table: which function and source line an address belongs to.
 * Written by tools/mksymbols.py, read at a panic, so it is checked as a whole before use
 * and no lookup can leave it.
 *
 *	header	"MFLYSYMS" | u32 version 1 | u32 functions | u32 files | u32 lines size
 *		| u32 strings size | u32 zero
 *	function  u32 address | u32 name (in strings) | u32 first line byte (in lines)
 *	file	u32 name (in strings)
 *	lines	per function: uleb(address step << 1 | new file) [uleb(file)]
 *		uleb(zigzag(line step)); from the function's address, file 0, line 0
 *	strings	NUL-terminated
 *
 * little endian; functions in ascending order, addresses relative to the image.
 */
#ifndef LIB_SYMTAB_H
#define LIB_SYMTAB_H

#include "lib/base.h"

struct symtab {
	const uint8_t *functions, *files, *lines; /* borrows */
	const char *strings;
	uint32_t n_functions, n_files, lines_size, strings_size;
};

struct symbol {
	const char *function;
	uint64_t offset;  /* of the address in it */
	const char *file; /* NULL: no line known */
	uint32_t line;
};

/* 0 or -EINVAL. */
must_use int symtab_open(const void *data, uint64_t size, struct symtab *ret);
/* False: below the first function. */
bool symtab_find(const struct symtab *t, uint64_t address, struct symbol *ret);

#endif
