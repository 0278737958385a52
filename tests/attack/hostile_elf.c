/*
 * ELF files made to hurt their loader: every one is answered with an errno or the death
 * of the process that asked for it, and the untouched twin runs before and after.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "common/tap.h"

#define BASE 0x400000ul
#define DATA 0x600000ul
#define GOOD_STATUS 42
#define RAN 0x100 /* outcome: exited with GOOD_STATUS */
#define DIED 0x200

/* A whole program: exits with what it finds in its data segment. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[4];
	unsigned char code[64];
	char interp[32];
	int status;
	char pad[4096];
};

static const unsigned char program[] = {
	0x8b, 0x3c, 0x25, 0, 0, 0,    0,    /* mov edi, [status] */
	0xb8, 60,   0,	  0, 0, 0x0f, 0x05, /* exit(edi) */
};

static void segment_set(Elf64_Phdr *p, uint32_t flags, uint64_t offset, uint64_t vaddr,
			uint64_t size)
{
	*p = (Elf64_Phdr){ .p_type = PT_LOAD,
			   .p_flags = flags,
			   .p_offset = offset,
			   .p_vaddr = vaddr,
			   .p_paddr = vaddr,
			   .p_filesz = size,
			   .p_memsz = size,
			   .p_align = 4096 };
}

static struct image good_image(void)
{
	struct image im = { 0 };
	uint32_t at = DATA + offsetof(struct image, status);
	memcpy(im.eh.e_ident, "\177ELF\2\1\1", 7);
	im.eh.e_type = ET_EXEC;
	im.eh.e_machine = EM_X86_64;
	im.eh.e_version = 1;
	im.eh.e_entry = BASE + offsetof(struct image, code);
	im.eh.e_phoff = offsetof(struct image, ph);
	im.eh.e_ehsize = sizeof(Elf64_Ehdr);
	im.eh.e_phentsize = sizeof(Elf64_Phdr);
	im.eh.e_phnum = 4;
	segment_set(&im.ph[0], PF_R | PF_X, 0, BASE, offsetof(struct image, pad));
	segment_set(&im.ph[1], PF_R | PF_W, 0, DATA, offsetof(struct image, pad));
	im.ph[1].p_memsz += 8192;
	im.ph[2] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
	im.ph[3] = (Elf64_Phdr){ .p_type = PT_NULL };
	memcpy(im.code, program, sizeof program);
	memcpy(im.code + 3, &at, 4);
	im.status = GOOD_STATUS;
	return im;
}

static void write_program(const char *path, const void *data, size_t n)
{
	unlink(path);
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, data, n), n);
	close(fd);
}

/* The errno of execve, RAN or DIED. */
static int outcome_of(const char *path)
{
	char *argv[] = { (char *)path, NULL };
	int tell[2], err = 0;
	CHECK(!pipe2(tell, O_CLOEXEC));
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (!pid) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		alarm(3); /* a mutated program may well loop */
		execve(path, argv, NULL);
		err = errno;
		(void)!write(tell[1], &err, sizeof err);
		_exit(0);
	}
	close(tell[1]);
	ssize_t told = read(tell[0], &err, sizeof err);
	close(tell[0]);
	int status = tap_wait(pid);
	if (told == sizeof err)
		return err;
	return status == GOOD_STATUS << 8 ? RAN : DIED;
}

static int run_bytes(const void *data, size_t n)
{
	write_program("p", data, n);
	return outcome_of("./p");
}

static int run_image(const struct image *im)
{
	return run_bytes(im, sizeof *im);
}

static void twin_runs(void)
{
	struct image im = good_image();
	CHECK_EQ(run_image(&im), RAN);
}

static void good_twin(void)
{
	tap_tmpdir();
	twin_runs();
}

static const struct lie {
	const char *what;
	size_t at, size;
	uint64_t value;
	int errno_wanted; /* 0: any, or death */
} lies[] = {
#define EH(field, value, err)                                                            \
	{                                                                                \
#field " " #value, offsetof(struct image, eh.field),                     \
			sizeof(((struct image *)0)->eh.field), value, err                \
	}
#define PH(n, field, value, err)                                                         \
	{                                                                                \
		"ph[" #n "]." #field " " #value, offsetof(struct image, ph[n].field),    \
			sizeof(((struct image *)0)->ph[n].field), value, err             \
	}
	EH(e_machine, EM_AARCH64, ENOEXEC),
	EH(e_machine, EM_386, ENOEXEC),
	EH(e_type, ET_REL, ENOEXEC),
	EH(e_type, ET_CORE, ENOEXEC),
	EH(e_phentsize, 0, ENOEXEC),
	EH(e_phentsize, 32, ENOEXEC),
	EH(e_phentsize, 0xffff, ENOEXEC),
	EH(e_phnum, 0, ENOEXEC),
	EH(e_phnum, 0xffff, ENOEXEC),
	EH(e_phnum, 1200, ENOEXEC),
	EH(e_phoff, ~0ull, 0),
	EH(e_phoff, 1ull << 63, 0),
	EH(e_phoff, sizeof(struct image), 0),
	EH(e_phoff, sizeof(struct image) - 8, 0),
	EH(e_entry, 0, 0),
	EH(e_entry, 0x12345678, 0),
	EH(e_entry, 1ull << 47, 0),
	EH(e_entry, 0xffff800000000000, 0),
	EH(e_entry, 0xffffffffffffffff, 0),
	PH(0, p_memsz, 0, 0),
	PH(0, p_memsz, ~0ull, 0),
	PH(0, p_filesz, ~0ull, 0),
	PH(0, p_filesz, 1ull << 40, 0),
	PH(0, p_offset, ~0ull, 0),
	PH(0, p_offset, ~0xfffull, 0),
	PH(0, p_offset, 1ull << 63, 0),
	PH(0, p_offset, 0x1001, 0),
	PH(0, p_vaddr, ~0xfffull, 0),
	PH(0, p_vaddr, 0xffff800000000000, 0),
	PH(0, p_vaddr, 0x7ffffffff000, 0),
	PH(0, p_vaddr, 1ull << 47, 0),
	PH(1, p_memsz, 1ull << 47, 0),
	PH(1, p_memsz, 0x7fffffffffff, 0),
	PH(1, p_memsz, ~0ull - 0x600000, 0),
	PH(1, p_memsz, ~0ull, 0),
	PH(1, p_filesz, 1ull << 32, 0),
	PH(1, p_vaddr, BASE, 0),
	PH(1, p_vaddr, BASE - 4096, 0),
	PH(1, p_vaddr, 0x1234, 0),
	PH(1, p_align, 3, 0),
	PH(1, p_align, 1ull << 63, 0),
	PH(2, p_type, PT_INTERP, 0),
	PH(3, p_type, PT_DYNAMIC, 0),
	PH(3, p_type, PT_TLS, 0),
	PH(2, p_filesz, ~0ull, 0),
};

static void headers_that_lie(void)
{
	tap_tmpdir();
	for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
		struct image im = good_image();
		memcpy((char *)&im + lies[i].at, &lies[i].value, lies[i].size);
		int got = run_image(&im);
		if (lies[i].errno_wanted && got != lies[i].errno_wanted)
			tap_fail(__FILE__, __LINE__, "%s gave %d", lies[i].what, got);
	}
	twin_runs();
}

static void no_segment_may_reach_the_kernel(void)
{
	static const uint64_t at[] = { 0x7ffffffff000, 0x800000000000, 0xffff800000000000,
				       0xffffffff80000000, 0xfffffffffffff000 };
	tap_tmpdir();
	for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
		struct image im = good_image();
		im.ph[1].p_vaddr = at[i];
		im.ph[1].p_memsz = 3 * 4096;
		CHECK(run_image(&im) != RAN);
	}
	twin_runs();
}

static void interpreters(void)
{
	static const char *const named[] = {
		"./p", "./absent", "/", "./text", "", "./cut"
	};
	tap_tmpdir();
	write_program("text",
		      "not an ELF file, though long enough to be read as one......", 58);
	struct image cut = good_image();
	write_program("cut", &cut, 100);
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
		struct image im = good_image();
		strcpy(im.interp, named[i]);
		im.ph[3] = (Elf64_Phdr){ .p_type = PT_INTERP,
					 .p_flags = PF_R,
					 .p_offset = offsetof(struct image, interp),
					 .p_filesz = strlen(named[i]) + 1 };
		int got = run_image(&im);
		CHECK(got != RAN || i == 0); /* itself is a program like another */
	}
	struct image im = good_image();
	memset(im.interp, 'x', sizeof im.interp);
	im.ph[3] = (Elf64_Phdr){ .p_type = PT_INTERP,
				 .p_offset = offsetof(struct image, interp),
				 .p_filesz = sizeof im.interp };
	CHECK(run_image(&im) != RAN); /* no NUL at its end */
	im.ph[3].p_filesz = ~0ull;
	CHECK(run_image(&im) != RAN);
	im.ph[3].p_filesz = 0;
	CHECK(run_image(&im) != RAN);
	im.ph[3].p_filesz = 8;
	im.ph[3].p_offset = ~0ull - 4;
	CHECK(run_image(&im) != RAN);
	twin_runs();
}

static void cut_at_every_byte(void)
{
	struct image im = good_image();
	tap_tmpdir();
	for (size_t n = 0; n < offsetof(struct image, code); n++) {
		int got = run_bytes(&im, n);
		if (got == RAN || (n < sizeof im.eh && got != ENOEXEC))
			tap_fail(__FILE__, __LINE__, "%zu bytes of it gave %d", n, got);
	}
	twin_runs();
}

static void every_header_byte_changed(void)
{
	static const unsigned char with[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	tap_tmpdir();
	for (size_t at = 0; at < offsetof(struct image, code); at++)
		for (size_t i = 0; i < sizeof with; i++) {
			struct image im = good_image();
			unsigned char *byte = (unsigned char *)&im + at;
			if (*byte == with[i])
				continue;
			*byte = with[i];
			run_image(&im);
		}
	twin_runs();
}

static void random_program_headers(void)
{
	static const uint64_t values[] = { 0,
					   1,
					   4095,
					   4096,
					   4097,
					   BASE,
					   DATA,
					   1ull << 31,
					   1ull << 32,
					   1ull << 47,
					   (1ull << 47) - 4096,
					   1ull << 63,
					   ~0ull - 4095,
					   ~0ull };
	unsigned seed = 1;
	tap_tmpdir();
	for (int round = 0; round < 1500; round++) {
		struct image im = good_image();
		for (int i = 0; i < 3; i++) {
			Elf64_Phdr *p = &im.ph[rand_r(&seed) % 4];
			uint64_t *field = &p->p_offset + rand_r(&seed) % 6;
			*field = values[rand_r(&seed) % (sizeof values / 8)];
			if (rand_r(&seed) % 4 == 0)
				p->p_type = rand_r(&seed) % 8;
			if (rand_r(&seed) % 4 == 0)
				p->p_flags = rand_r(&seed) % 8;
		}
		run_image(&im);
	}
	twin_runs();
}

static void shrinks_while_it_runs(void)
{
	/* A program on a file that loses its pages: busy, or a fault, never garbage. */
	struct image im = good_image();
	tap_tmpdir();
	static const unsigned char loop[] = { 0xeb, 0xfe };
	memcpy(im.code, loop, sizeof loop);
	write_program("loop", &im, sizeof im);
	int running[2];
	char c;
	CHECK(!pipe2(running, O_CLOEXEC));
	pid_t pid = fork();
	if (!pid) {
		execl("./loop", "loop", NULL);
		_exit(1);
	}
	close(running[1]);
	CHECK_EQ(read(running[0], &c, 1), 0); /* closed by exec */
	CHECK_ERR(open("loop", O_WRONLY | O_TRUNC), ETXTBSY);
	CHECK_ERR(truncate("loop", 0), ETXTBSY);
	kill(pid, 9);
	CHECK_EQ(tap_wait(pid), 9);
	CHECK(open("loop", O_WRONLY | O_TRUNC) >= 0);
}

TEST_MAIN(CASE(good_twin), CASE(headers_that_lie), CASE(no_segment_may_reach_the_kernel),
	  CASE(interpreters), CASE(cut_at_every_byte), CASE(every_header_byte_changed),
	  CASE(random_program_headers), CASE(shrinks_while_it_runs))
