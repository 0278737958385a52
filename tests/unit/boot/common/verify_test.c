/* boot/common/verify.c: a good kernel is accepted; what would break W^X, leave the image
 * or need unknown relocations is refused in the kernel's name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <linux/elf.h>

#include "boot/common/verify.h"

enum { TEXT, RODATA, DATA, DYNAMIC, PHDRS };

struct image {
	Elf64_Ehdr e;
	Elf64_Phdr p[PHDRS];
	uint8_t text[0x1000 - sizeof(Elf64_Ehdr) - PHDRS * sizeof(Elf64_Phdr)];
	struct {
		Elf64_Dyn dyn[4];
		Elf64_Rela rela[2];
		uint8_t rest[0x1000 - 4 * sizeof(Elf64_Dyn) - 2 * sizeof(Elf64_Rela)];
	} rodata;
	uint8_t data[0x1000];
};

struct file {
	uint8_t header[24];
	uint8_t part[16];
	struct image image;
};

static struct file good(void)
{
	struct file f = { .header = BUNDLE_MAGIC };
	struct image m = { 0 };
	uint32_t words[2] = { BUNDLE_VERSION, 1 }, kind = BUNDLE_KERNEL;
	uint64_t size = sizeof(f), part = sizeof(m);

	memcpy(m.e.e_ident, ELFMAG "\2\1\1", 7);
	m.e.e_type = ET_DYN;
	m.e.e_machine = EM_X86_64;
	m.e.e_version = 1;
	m.e.e_entry = 0x800;
	m.e.e_phoff = sizeof(m.e);
	m.e.e_phentsize = sizeof(Elf64_Phdr);
	m.e.e_phnum = PHDRS;
	m.p[TEXT] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, 0, 0, 0x1000, 0x1000, 0x1000 };
	m.p[RODATA] =
		(Elf64_Phdr){ PT_LOAD, PF_R, 0x1000, 0x1000, 0, 0x1000, 0x1000, 0x1000 };
	m.p[DATA] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0x2000, 0x2000,
				  0,	   0x1000,	0x3000, 0x1000 };
	m.p[DYNAMIC] = (Elf64_Phdr){ PT_DYNAMIC, PF_R, 0x1000, 0x1000, 0, 64, 64, 8 };
	m.rodata.dyn[0] = (Elf64_Dyn){ DT_RELA, { 0x1000 + sizeof(m.rodata.dyn) } };
	m.rodata.dyn[1] = (Elf64_Dyn){ DT_RELASZ, { sizeof(m.rodata.rela) } };
	m.rodata.dyn[2] = (Elf64_Dyn){ DT_RELAENT, { sizeof(Elf64_Rela) } };
	m.rodata.rela[0] = (Elf64_Rela){ 0x1800, ELF_RELOC_RELATIVE, 0x100 };
	m.rodata.rela[1] = (Elf64_Rela){ 0x4ff8, ELF_RELOC_RELATIVE, 0x200 };

	memcpy(f.header + 8, words, 8);
	memcpy(f.header + 16, &size, 8);
	memcpy(f.part, &kind, 4);
	memcpy(f.part + 8, &part, 8);
	f.image = m;
	return f;
}

/* Aligned as a loader gets it. */
static int verify(const struct file *f, struct verified *v, struct refusal *why)
{
	struct file *copy = aligned_alloc(4096, ALIGN_UP(sizeof(*f), 4096ul));

	memcpy(copy, f, sizeof(*f));
	int err = verify_bundle(copy, sizeof(*copy), v, why);
	free(copy);
	return err;
}

static void test_good(void **state)
{
	struct file f = good();
	struct refusal why;
	struct verified v;

	assert_int_equal(verify(&f, &v, &why), 0);
	assert_int_equal(v.kernel.count, 3);
	assert_int_equal(v.reloc_count, 2);
}

#define REFUSED(change, text)                                                            \
	do {                                                                             \
		struct file f = good();                                                  \
		struct image *m = &f.image;                                              \
		struct refusal why = { 0 };                                              \
		struct verified v;                                                       \
		change;                                                                  \
		assert_int_equal(verify(&f, &v, &why), -EINVAL);                         \
		assert_string_equal(why.part, "kernel");                                 \
		assert_string_equal(why.reason, text);                                   \
	} while (0)

static void test_image(void **state)
{
	REFUSED(m->e.e_ident[0] = 0, "not an ELF file");
	REFUSED(m->e.e_type = ET_EXEC, "not a static position-independent image");
	REFUSED(m->p[TEXT].p_flags |= PF_W, "a segment is writable and executable");
	REFUSED(m->e.e_entry = 0x1800, "the entry point is not in its text");
	REFUSED(m->e.e_entry = 0x9000, "the entry point is not in its text");
	REFUSED(m->p[DATA].p_memsz = MIB(64), "a segment lies outside the address range");
	REFUSED(m->p[TEXT].p_type = PT_NULL, "not a static position-independent image");
	REFUSED((m->p[RODATA].p_vaddr += 16, m->p[RODATA].p_offset += 16,
		 m->p[RODATA].p_filesz -= 16, m->p[RODATA].p_memsz -= 16),
		"a segment is not page-aligned");
	REFUSED((m->p[DYNAMIC].p_type = PT_INTERP),
		"not a static position-independent image");
}

static void test_relocs(void **state)
{
	REFUSED(m->rodata.rela[1].r_info = 1, "a relocation of unknown kind");
	REFUSED(m->rodata.rela[1].r_offset = 0x800, "a relocation outside its data");
	REFUSED(m->rodata.rela[1].r_offset = 0x4ff9, "a relocation outside its data");
	REFUSED(m->rodata.rela[0].r_offset = UINT64_MAX - 3,
		"a relocation outside its data");
	REFUSED(m->rodata.dyn[1].d_un.d_val = 24 * 0x1000,
		"the relocation table lies outside the file");
}

/* A kernel and a command line of 16 bytes. */
static int verify_cmdline(const char text[static 16], struct refusal *why)
{
	struct {
		struct file f;
		uint32_t kind, zero;
		uint64_t length;
		char text[16];
	} with = { good(), BUNDLE_CMDLINE, 0, 16, "" };
	uint32_t parts = 2;
	uint64_t size = sizeof(with);
	struct verified v;

	memcpy(with.text, text, 16);
	memcpy(with.f.header + 12, &parts, 4);
	memcpy(with.f.header + 16, &size, 8);
	/* The kernel's part is padded to 16 bytes by being a multiple of them. */
	return verify_bundle(&with, sizeof(with), &v, why);
}

static void test_cmdline(void **state)
{
	struct refusal why;

	assert_int_equal(verify_cmdline("loglevel=7 a=b c", &why), 0);
	assert_int_equal(verify_cmdline("loglevel=7\na=b c", &why), -EINVAL);
	assert_string_equal(why.part, "cmdline");
	assert_string_equal(why.reason, "not printable ASCII");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_relocs),
		cmocka_unit_test(test_cmdline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
