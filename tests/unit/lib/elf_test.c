/* lib/elf.c: a good program gives the plan expected; every bound broken is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/elf.h>

#include "lib/elf.h"

#define LIMIT 0x7ffffffff000ull

struct image {
	Elf64_Ehdr e;
	Elf64_Phdr p[6];
	uint8_t rest[0x3000];
};

enum { TEXT, DATA, INTERP, STACK, TLS, DYNAMIC };

static struct image good(void)
{
	struct image m = { 0 };

	memcpy(m.e.e_ident, ELFMAG "\2\1\1", 7);
	m.e.e_type = ET_EXEC;
	m.e.e_machine = EM_X86_64;
	m.e.e_version = 1;
	m.e.e_entry = 0x400200;
	m.e.e_phoff = sizeof(m.e);
	m.e.e_phentsize = sizeof(Elf64_Phdr);
	m.e.e_phnum = 6;
	m.p[TEXT] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0,	0x400000,
				  0,	   0x1000,	0x1000, 0x1000 };
	m.p[DATA] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0x1800, 0x402800,
				  0,	   0x400,	0x2000, 0x200000 };
	m.p[INTERP] = (Elf64_Phdr){ PT_INTERP, PF_R, 0x300, 0x400300, 0, 20, 20, 1 };
	m.p[STACK] = (Elf64_Phdr){ PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 };
	m.p[TLS] = (Elf64_Phdr){ PT_TLS, PF_R, 0x1800, 0x402800, 0, 16, 64, 32 };
	m.p[DYNAMIC] =
		(Elf64_Phdr){ PT_DYNAMIC, PF_R | PF_W, 0x1900, 0x402900, 0, 64, 64, 8 };
	return m;
}

static int read_size(const struct image *m, size_t size, struct elf_plan *plan,
		     const char **why)
{
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, m, size);
	int err = elf_image_read(copy, size, LIMIT, plan, why);
	free(copy);
	return err;
}

static void accepted(const struct image *m, struct elf_plan *plan)
{
	const char *why = NULL;

	assert_int_equal(read_size(m, sizeof(*m), plan, &why), 0);
	assert_null(why);
}

static void refused(const struct image *m, const char *reason)
{
	struct elf_plan plan;
	const char *why = NULL;

	assert_int_equal(read_size(m, sizeof(*m), &plan, &why), -ENOEXEC);
	assert_string_equal(why, reason);
}

static void test_good(void **state)
{
	struct image m = good();
	struct elf_plan plan;

	accepted(&m, &plan);
	assert_false(plan.dyn);
	assert_int_equal(plan.entry, 0x400200);
	assert_int_equal(plan.count, 2);
	assert_int_equal(plan.lo, 0x400000);
	assert_int_equal(plan.hi, 0x405000);
	assert_int_equal(plan.align, 0x200000);
	assert_int_equal(plan.phdr_va, 0x400040);
	assert_int_equal(plan.seg[1].vaddr, 0x402800);
	assert_int_equal(plan.seg[1].offset, 0x1800);
	assert_int_equal(plan.seg[1].flags, ELF_R | ELF_W);
	assert_true(plan.has_stack);
	assert_int_equal(plan.stack_flags, ELF_R | ELF_W);
	assert_int_equal(plan.interp.offset, 0x300);
	assert_int_equal(plan.interp.size, 20);
	assert_int_equal(plan.tls.size, 16);
	assert_int_equal(plan.tls_memsz, 64);
	assert_int_equal(plan.dynamic.vaddr, 0x402900);
}

static void test_dyn_at_zero(void **state)
{
	struct image m = good();
	struct elf_plan plan;

	m.e.e_type = ET_DYN;
	for (int i = 0; i < 6; i++)
		if (m.p[i].p_vaddr)
			m.p[i].p_vaddr -= 0x400000;
	m.e.e_entry -= 0x400000;
	accepted(&m, &plan);
	assert_true(plan.dyn);
	assert_int_equal(plan.lo, 0);
	assert_int_equal(plan.phdr_va, 0x40);
}

static void test_header(void **state)
{
#define BROKEN(field, value, reason)                                                     \
	do {                                                                             \
		struct image m = good();                                                 \
		m.e.field = (value);                                                     \
		refused(&m, reason);                                                     \
	} while (0)
	BROKEN(e_ident[0], 0, "not an ELF file");
	BROKEN(e_ident[EI_CLASS], ELFCLASS32, "not 64-bit little endian");
	BROKEN(e_ident[EI_DATA], ELFDATA2MSB, "not 64-bit little endian");
	BROKEN(e_version, 2, "unknown ELF version");
	BROKEN(e_machine, 183, "made for another architecture");
	BROKEN(e_type, ET_REL, "not an executable");
	BROKEN(e_type, ET_CORE, "not an executable");
	BROKEN(e_phentsize, 32, "program headers of unknown size");
	BROKEN(e_phnum, 0, "no program headers");
	BROKEN(e_phnum, 65, "too many program headers");
	BROKEN(e_phoff, sizeof(struct image),
	       "program headers reach past the end of the file");
	BROKEN(e_phoff, UINT64_MAX, "program headers reach past the end of the file");
	BROKEN(e_entry, LIMIT, "the entry point lies outside the address range");
}

static void test_segments(void **state)
{
#define BAD(which, field, value, reason)                                                 \
	do {                                                                             \
		struct image m = good();                                                 \
		m.p[which].field = (value);                                              \
		refused(&m, reason);                                                     \
	} while (0)
	BAD(DATA, p_filesz, 0x2001,
	    "a segment has more bytes in the file than in memory");
	BAD(TEXT, p_offset, sizeof(struct image),
	    "a segment reaches past the end of the file");
	BAD(TEXT, p_offset, UINT64_MAX - 0xfff,
	    "a segment reaches past the end of the file");
	BAD(DATA, p_memsz, UINT64_MAX, "a segment lies outside the address range");
	BAD(DATA, p_memsz, LIMIT, "a segment lies outside the address range");
	BAD(DATA, p_vaddr, LIMIT - 0x800, "a segment lies outside the address range");
	BAD(DATA, p_align, 0x1001, "a segment's alignment is not a power of two");
	BAD(DATA, p_vaddr, 0x402900, "a segment's address and offset disagree");
	BAD(DATA, p_flags, 8, "a segment has unknown flags");
	BAD(DATA, p_vaddr, 0x400800,
	    "segments overlap, share a page or are out of order");
	BAD(DATA, p_vaddr, 0x3ff800,
	    "segments overlap, share a page or are out of order");
	BAD(TEXT, p_memsz, 0x2001, "segments overlap, share a page or are out of order");
}

static void test_other_headers(void **state)
{
	BAD(INTERP, p_filesz, 1, "the interpreter's name is empty or too long");
	BAD(INTERP, p_filesz, ELF_INTERP_MAX + 1,
	    "the interpreter's name is empty or too long");
	BAD(INTERP, p_offset, UINT64_MAX,
	    "a program header reaches past the end of the file");
	BAD(TLS, p_filesz, 65, "the TLS header is malformed");
	BAD(TLS, p_align, 3, "the TLS header is malformed");
	BAD(TLS, p_type, PT_INTERP, "a program header is given twice");
}

static void test_segment_counts(void **state)
{
	struct image m = good();
	struct elf_plan plan;

	m.p[TEXT].p_memsz = m.p[TEXT].p_filesz = 0;
	accepted(&m, &plan); /* an empty segment is none */
	assert_int_equal(plan.count, 1);
	assert_int_equal(plan.phdr_va, 0);
	m.p[DATA].p_memsz = m.p[DATA].p_filesz = 0;
	refused(&m, "nothing to load");

	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p[ELF_SEGMENTS_MAX + 1];
	} many = { .e = good().e };
	const char *why;
	for (int i = 0; i <= ELF_SEGMENTS_MAX; i++)
		many.p[i] =
			(Elf64_Phdr){ PT_LOAD, PF_R, 0, 0x1000 * (i + 1), 0, 0, 16, 0 };
	many.e.e_phnum = ELF_SEGMENTS_MAX;
	assert_int_equal(elf_image_read(&many, sizeof(many), LIMIT, &plan, &why), 0);
	many.e.e_phnum++;
	assert_int_equal(elf_image_read(&many, sizeof(many), LIMIT, &plan, &why),
			 -ENOEXEC);
	assert_string_equal(why, "too many segments");
}

static void test_every_truncation(void **state)
{
	struct image m = good();
	struct elf_plan plan;
	const char *why;

	for (size_t n = 0; n < 0x1c00; n += n < 512 ? 1 : 64)
		assert_int_equal(read_size(&m, n, &plan, &why), -ENOEXEC);
	assert_int_equal(read_size(&m, 0x1c00, &plan, &why), 0);
}

static struct image with_relocs(uint64_t at, uint64_t size, uint64_t entry)
{
	struct image m = good();
	Elf64_Dyn d[4] = {
		{ DT_RELA, { at } },
		{ DT_RELASZ, { size } },
		{ DT_RELAENT, { entry } },
	};

	memcpy((uint8_t *)&m + m.p[DYNAMIC].p_offset, d, sizeof(d));
	return m;
}

static int relocs(const struct image *m, uint64_t *ret_count, const char **why)
{
	const struct elf_rela *table;
	struct elf_plan plan;

	assert_int_equal(elf_image_read(m, sizeof(*m), LIMIT, &plan, why), 0);
	return elf_relocs_read(m, sizeof(*m), &plan, &table, ret_count, why);
}

static void test_relocs(void **state)
{
	const char *why;
	uint64_t n;

	struct image m = with_relocs(0x402a00, 48, 24);
	assert_int_equal(relocs(&m, &n, &why), 0);
	assert_int_equal(n, 2);
	m = with_relocs(0x402a00, 0, 24);
	assert_int_equal(relocs(&m, &n, &why), 0);
	assert_int_equal(n, 0);
	m = with_relocs(0x402a00, 47, 24);
	assert_int_equal(relocs(&m, &n, &why), -ENOEXEC);
	m = with_relocs(0x402a00, 48, 16);
	assert_int_equal(relocs(&m, &n, &why), -ENOEXEC);
	m = with_relocs(0x402c00 - 24, 48, 24); /* into the bss */
	assert_int_equal(relocs(&m, &n, &why), -ENOEXEC);
	m = with_relocs(UINT64_MAX, 48, 24);
	assert_int_equal(relocs(&m, &n, &why), -ENOEXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_dyn_at_zero),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_other_headers),
		cmocka_unit_test(test_segment_counts),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_relocs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
