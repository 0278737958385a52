/* host/explain.c: why a program would not run, and hostile files do no harm. */
/* link: host/say.c host/util.c */
#include <elf.h>
#include <fcntl.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/plan.h"

static char *explain(const void *bytes, size_t size)
{
	char path[] = "/tmp/explain-test-XXXXXX";
	int fd = mkstemp(path);
	char *text;

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, bytes, size), 0);
	close(fd);
	text = program_explain(path);
	unlink(path);
	return text;
}

static void expect(const void *bytes, size_t size, const char *part)
{
	char *text = explain(bytes, size);

	if (!text || !strstr(text, part))
		fail_msg("'%s' lacks '%s'", text ? text : "", part);
	free(text);
}

struct program {
	Elf64_Ehdr head;
	Elf64_Phdr part;
	char interpreter[32];
};

static struct program program_with(unsigned machine)
{
	struct program p = { .head = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64 },
				       .e_machine = machine,
				       .e_phoff = offsetof(struct program, part),
				       .e_phentsize = sizeof(Elf64_Phdr),
				       .e_phnum = 1 },
			     .part = { .p_type = PT_INTERP,
				       .p_offset = offsetof(struct program, interpreter),
				       .p_filesz = 32 },
			     .interpreter = "/lib64/ld.so" };

	return p;
}

static void reasons(void **state)
{
	struct program p = program_with(EM_X86_64);

	expect("", 0, "empty");
	expect("hello\n", 6, "neither");
	expect("#!/no/sh -x\n", 12, "'/no/sh'");
	expect("#! /no/sh", 9, "'/no/sh'");
	expect(&p, sizeof(p), "/lib64/ld.so");
	p = program_with(EM_AARCH64);
	expect(&p, sizeof(p), "ARM64");
	p = program_with(12345);
	expect(&p, sizeof(p), "another machine");
}

static void hostile_headers(void **state)
{
	struct program p = program_with(EM_X86_64);

	for (size_t cut = 20; cut < sizeof(p); cut++)
		free(explain(&p, cut));
	p.part.p_offset = UINT64_MAX - 3;
	expect(&p, sizeof(p), "damaged");
	p = program_with(EM_X86_64);
	p.part.p_filesz = UINT64_MAX;
	expect(&p, sizeof(p), "damaged");
	p = program_with(EM_X86_64);
	p.head.e_phoff = UINT64_MAX - 7;
	expect(&p, sizeof(p), "damaged");
	p = program_with(EM_X86_64);
	p.part.p_type = PT_LOAD;
	p.head.e_phnum = 65535;
	expect(&p, sizeof(p), "damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons),
		cmocka_unit_test(hostile_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
