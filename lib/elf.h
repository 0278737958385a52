/*
 * ELF64 for x86-64: from untrusted headers to a plan of what to map. Used by the loader
 * for the kernel's image and by exec for programs. Nothing is mapped or read here besides
 * the two pieces the caller passes: the ELF header and the program headers.
 *
 * Always true of a plan (`limit` is the caller's bound on addresses):
 *  E1  segments are sorted, at least one, none empty, and no two share a page;
 *  E2  each ends below `limit`; lo and hi are page-aligned and contain all of them;
 *  E3  file bytes of each lie inside the file; filesz <= memsz;
 *  E4  vaddr and offset are congruent modulo the page size, so file pages can be mapped;
 *  E5  no sum of two fields overflows.
 *
 * Sources: System V gABI chapters 4 and 5; x86-64 psABI 1.0, 4 and 5.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H

#include "lib/base.h"

#define ELF_HEADER_SIZE 64
#define ELF_PHDR_SIZE 56
#define ELF_PHDRS_MAX 64    /* program headers read; more is refused */
#define ELF_SEGMENTS_MAX 16 /* PT_LOAD */
#define ELF_INTERP_MAX 4096 /* bytes of PT_INTERP, with the NUL */

enum { ELF_X = 1, ELF_W = 2, ELF_R = 4 }; /* p_flags */

struct elf_header {
	uint64_t entry, phoff;
	uint32_t phnum;
	bool dyn; /* ET_DYN: may be placed anywhere */
};

struct elf_segment {
	uint64_t vaddr, memsz;
	uint64_t offset, filesz;
	uint32_t flags; /* ELF_R | ELF_W | ELF_X */
};

struct elf_range {
	uint64_t vaddr, offset, size; /* size 0: absent */
};

struct elf_plan {
	bool dyn;
	uint64_t entry;
	uint64_t lo, hi;  /* page-aligned span of all segments */
	uint64_t align;	  /* largest p_align, at least a page */
	uint64_t phdr_va; /* for AT_PHDR; 0: the headers are not loaded */
	uint32_t phnum;
	bool has_stack;	      /* PT_GNU_STACK present ... */
	uint32_t stack_flags; /* ... with these flags */
	struct elf_range interp, dynamic, tls;
	uint64_t tls_memsz, tls_align;
	uint32_t count;
	struct elf_segment seg[ELF_SEGMENTS_MAX];
};

/* Reads the first bytes of a file (at least ELF_HEADER_SIZE, else refused). 0; -ENOEXEC
 * with
 * *ret_why set to a reason. */
must_use int elf_header_read(const void *buf, uint64_t n, struct elf_header *ret,
			     const char **ret_why);
/* Plans from phnum * ELF_PHDR_SIZE bytes of program headers of a file of `file_size`
 * bytes. `limit`: one past the highest address allowed; for ET_DYN the span is held below
 * it. */
must_use int elf_plan_read(const struct elf_header *h, const void *phdrs,
			   uint64_t file_size, uint64_t limit, struct elf_plan *ret,
			   const char **ret_why);
/* Both, for a file that is in memory as a whole. */
must_use int elf_image_read(const void *file, uint64_t size, uint64_t limit,
			    struct elf_plan *ret, const char **ret_why);

/* Dynamic relocations of a static PIE: finds DT_RELA's table through the file image and
 * checks that it lies in it. *ret_table is NULL when there is none. 0 or -ENOEXEC. */
struct elf_rela {
	uint64_t offset, info;
	int64_t addend;
};
must_use int elf_relocs_read(const void *file, uint64_t size, const struct elf_plan *plan,
			     const struct elf_rela **ret_table, uint64_t *ret_count,
			     const char **ret_why);
#define ELF_RELOC_RELATIVE 8 /* R_X86_64_RELATIVE: base + addend, 64 bits */

#endif
