/* Why a program would not run, read off its first bytes. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/plan.h"

static const char *machine_name(unsigned machine)
{
	static const struct {
		unsigned machine;
		const char *name;
	} names[] = { { EM_386, "32-bit x86" }, { EM_ARM, "32-bit ARM" },
		      { EM_AARCH64, "ARM64" },	{ EM_RISCV, "RISC-V" },
		      { EM_PPC64, "POWER" },	{ EM_S390, "IBM Z" },
		      { EM_MIPS, "MIPS" } };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "another machine";
}

/* The path in PT_INTERP, or NULL; heap. */
static char *interpreter_of(const uint8_t *at, size_t size)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;

	memcpy(&head, at, sizeof(head));
	for (unsigned i = 0; i < head.e_phnum; i++) {
		if (head.e_phoff > size || head.e_phentsize != sizeof(part) ||
		    size - head.e_phoff < (i + 1) * sizeof(part))
			return NULL;
		memcpy(&part, at + head.e_phoff + i * sizeof(part), sizeof(part));
		if (part.p_type != PT_INTERP)
			continue;
		if (part.p_offset > size || part.p_filesz > size - part.p_offset)
			return NULL;
		return must_format(
			"%.*s",
			(int)strnlen((const char *)at + part.p_offset, part.p_filesz),
			(const char *)at + part.p_offset);
	}
	return NULL;
}

static char *elf_explain(const uint8_t *at, size_t size)
{
	unsigned machine = at[18] | at[19] << 8;
	char *interpreter, *text;

	if (at[EI_CLASS] != ELFCLASS64 || machine != EM_X86_64)
		return must_format("a program for %s, and the guest is 64-bit x86",
				   machine_name(machine));
	interpreter = size >= sizeof(Elf64_Ehdr) ? interpreter_of(at, size) : NULL;
	if (!interpreter)
		return must_format("a damaged or truncated ELF program");
	text = must_format(
		"it is linked dynamically and needs %s in the guest: link it with "
		"-static, or give a --root that has its libraries",
		interpreter);
	free(interpreter);
	return text;
}

static char *script_explain(const char *line, size_t size)
{
	size_t start = 2 + strspn(line + 2, " \t");
	size_t length = strcspn(line + start, " \t\n");

	if (start + length > size)
		return NULL;
	return must_format("a script, and its interpreter '%.*s' is not in the guest",
			   (int)length, line + start);
}

char *program_explain(const char *path)
{
	uint8_t head[4097] = { 0 };
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = read(fd, head, sizeof(head) - 1);
	close(fd);
	if (n == 0)
		return must_format("the file is empty");
	if (n >= 20 && !memcmp(head, ELFMAG, SELFMAG))
		return elf_explain(head, n);
	if (n > 2 && !memcmp(head, "#!", 2))
		return script_explain((const char *)head, n);
	return n > 0 ? must_format(
			       "neither an ELF program nor a script that starts with #!")
		     : NULL;
}
