/* libc: musl glibc */
/* What exec makes of a file, its arguments and its credentials: scripts, execveat(2), the
 * auxiliary vector, the environment, the vDSO. execve(2), getauxval(3), vdso(7). */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

extern char **environ;

static void put(const char *path, const char *text, mode_t mode)
{
	unlink(path);
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	CHECK(!chmod(path, mode));
}

/* Runs path with argv; what it printed into buf. The errno of execve, or -status. */
static int output_of(const char *path, char *const argv[], char *buf, size_t n)
{
	int p[2], e[2], err = 0;
	CHECK(!pipe2(p, O_CLOEXEC) && !pipe2(e, O_CLOEXEC));
	pid_t pid = fork();
	if (!pid) {
		dup2(p[1], 1);
		execve(path, argv, environ);
		err = errno;
		(void)!write(e[1], &err, sizeof err);
		_exit(127);
	}
	close(p[1]);
	close(e[1]);
	size_t got = 0;
	for (ssize_t m; got < n - 1 && (m = read(p[0], buf + got, n - 1 - got)) > 0;)
		got += (size_t)m;
	buf[got] = 0;
	ssize_t told = read(e[0], &err, sizeof err);
	close(p[0]);
	close(e[0]);
	int status = tap_wait(pid);
	return told == sizeof err ? err : -status;
}

/* The path of this program, as an interpreter that prints its arguments. */
static const char *self(void)
{
	static char path[256];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	CHECK(n > 0);
	path[n] = 0;
	return path;
}

/* A copy under a short name, since #! lines are bounded; in the working directory. */
static void short_name(void)
{
	static char buf[65536];
	int in = open("/proc/self/exe", O_RDONLY);
	int out = open("args", O_CREAT | O_WRONLY, 0755);
	ssize_t n;
	CHECK(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof buf)) > 0)
		CHECK_EQ(write(out, buf, (size_t)n), n);
	close(in);
	close(out);
}

static void scripts(void)
{
	char out[512], *argv[] = { "name", "one", "two", NULL };
	tap_tmpdir();
	short_name();
	put("s", "#!./args --print\necho not run\n", 0755);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), 0);
	CHECK(!strcmp(out, "[./args][--print][./s][one][two]\n"));
	put("s", "#! \t ./args   --print  spaces and more  \nx", 0755);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), 0);
	CHECK(!strcmp(out, "[./args][--print  spaces and more][./s][one][two]\n"));
	put("s", "#!./args --print", 0755); /* no newline */
	CHECK_EQ(output_of("./s", argv, out, sizeof out), 0);
	CHECK(!strcmp(out, "[./args][--print][./s][one][two]\n"));
}

static void scripts_of_scripts(void)
{
	char out[512], *argv[] = { "name", "x", NULL };
	tap_tmpdir();
	short_name();
	put("a", "#!./args --print\n", 0755);
	put("b", "#!./a B\n", 0755);
	CHECK_EQ(output_of("./b", argv, out, sizeof out), 0);
	CHECK(!strcmp(out, "[./args][--print][./a][B][./b][x]\n"));
	put("c", "#!./b\n", 0755);
	put("d", "#!./c\n", 0755);
	put("e", "#!./d\n", 0755);
	put("f", "#!./e\n", 0755);
	CHECK_EQ(output_of("./e", argv, out, sizeof out), 0);
	CHECK_EQ(output_of("./f", argv, out, sizeof out), ELOOP);
	put("self", "#!./self\n", 0755);
	CHECK_EQ(output_of("./self", argv, out, sizeof out), ELOOP);
}

static void bad_scripts(void)
{
	char out[512], line[400] = "#!", *argv[] = { "name", NULL };
	tap_tmpdir();
	put("s", "#!/absent/interpreter\n", 0755);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), ENOENT);
	put("s", "#!\n", 0755);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), ENOEXEC);
	put("s", "#!   \t  \n", 0755);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), ENOEXEC);
	memset(line + 2, 'x', 300); /* a name cut short is not run */
	put("s", line, 0755);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), ENOEXEC);
	put("s", "#!/tmp\n", 0755);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), EACCES);
	put("s", "", 0755);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), ENOEXEC);
	put("s", "echo hello\n", 0755);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), ENOEXEC);
	put("s", "#!/bin/sh\n", 0644);
	CHECK_EQ(output_of("./s", argv, out, sizeof out), EACCES);
}

static void execveat_forms(void)
{
	char *argv[] = { "p", "--print", "x", NULL };
	tap_tmpdir();
	short_name();
	put("s", "#!./args --print\n", 0755);
	CHECK(!symlink("args", "l"));
	int prog = open("args", O_RDONLY | O_CLOEXEC), path = open("args", O_PATH);
	int dir = open(".", O_RDONLY | O_DIRECTORY);
	int script = open("s", O_RDONLY | O_CLOEXEC);
	static const struct {
		int which;
		const char *name;
		int flags, errno_wanted;
	} forms[] = {
		{ 0, "", AT_EMPTY_PATH, 0 },
		{ 1, "", AT_EMPTY_PATH, 0 },
		{ 2, "args", 0, 0 },
		{ 2, "l", 0, 0 },
		{ 2, "l", AT_SYMLINK_NOFOLLOW, ELOOP },
		{ 0, "", 0, ENOENT },
		{ 2, "args", 0x40000000, EINVAL },
		{ 3, "", AT_EMPTY_PATH, ENOENT },
		{ 2, "", AT_EMPTY_PATH, EACCES },
	};
	int fds[] = { prog, path, dir, script };
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		pid_t pid = fork();
		if (!pid) {
			close(1);
			open("/dev/null", O_WRONLY);
			syscall(SYS_execveat, fds[forms[i].which], forms[i].name, argv,
				environ, forms[i].flags);
			_exit(errno);
		}
		int status = tap_wait(pid);
		if (status != forms[i].errno_wanted << 8)
			tap_fail(__FILE__, __LINE__, "form %zu ended with %#x", i,
				 status);
	}
}

static void auxiliary_vector(void)
{
	CHECK_EQ(getauxval(AT_PAGESZ), 4096);
	CHECK_EQ(getauxval(AT_CLKTCK), 100);
	CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
	CHECK(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
	CHECK_EQ(getauxval(AT_SECURE), 0);
	CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	const Elf64_Phdr *ph = (void *)getauxval(AT_PHDR);
	CHECK(ph && getauxval(AT_PHNUM) > 0 && getauxval(AT_ENTRY));
	CHECK(!strcmp((char *)getauxval(AT_PLATFORM), "x86_64"));
	CHECK(getauxval(AT_HWCAP));
	const unsigned char *r = (void *)getauxval(AT_RANDOM);
	int zeros = 0;
	for (int i = 0; i < 16; i++)
		zeros += !r[i];
	CHECK(zeros < 4);
	CHECK(strstr((char *)getauxval(AT_EXECFN), "exec"));
	CHECK(!memcmp((void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, 4));
}

static void random_bytes_differ(void)
{
	char a[64], b[64], *argv[] = { (char *)self(), "--random", NULL };
	CHECK_EQ(output_of(self(), argv, a, sizeof a), 0);
	CHECK_EQ(output_of(self(), argv, b, sizeof b), 0);
	CHECK(strlen(a) == 33 && strcmp(a, b));
}

/* The address of a symbol of the vDSO. */
static uintptr_t vdso_symbol(const char *name)
{
	const char *base = (void *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *eh = (const void *)base;
	const Elf64_Phdr *ph = (const void *)(base + eh->e_phoff);
	const Elf64_Sym *syms = NULL;
	const char *strings = NULL;
	const uint32_t *hash = NULL;
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_DYNAMIC)
			continue;
		const Elf64_Dyn *d = (const void *)(base + ph[i].p_offset);
		for (; d->d_tag; d++) {
			const void *at = base + d->d_un.d_ptr;
			if (d->d_tag == DT_SYMTAB)
				syms = at;
			else if (d->d_tag == DT_STRTAB)
				strings = at;
			else if (d->d_tag == DT_HASH)
				hash = at;
		}
	}
	CHECK(syms && strings);
	if (!hash)
		tap_skip("the vDSO has no DT_HASH");
	for (uint32_t i = 0; i < hash[1]; i++)
		if (syms[i].st_shndx && !strcmp(strings + syms[i].st_name, name))
			return (uintptr_t)base + syms[i].st_value;
	return 0;
}

static void vdso_has_its_symbols(void)
{
	struct timespec a, b;
	unsigned cpu = 99, node = 99;
	uintptr_t gettime = vdso_symbol("__vdso_clock_gettime");
	uintptr_t getcpu = vdso_symbol("__vdso_getcpu");
	CHECK(gettime && getcpu && vdso_symbol("__vdso_gettimeofday") &&
	      vdso_symbol("__vdso_time"));
	CHECK(!((int (*)(int, struct timespec *))gettime)(CLOCK_MONOTONIC, &a));
	CHECK(!syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &b));
	long ns = (b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec;
	CHECK(ns >= 0 && ns < 1000000000);
	CHECK(!((int (*)(unsigned *, unsigned *, void *))getcpu)(&cpu, &node, NULL));
	CHECK(cpu < 1024 && node == 0);
}

static void vdso_cannot_be_written(void)
{
	pid_t pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		*(volatile char *)getauxval(AT_SYSINFO_EHDR) = 1;
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, 11);
}

static void environment_arrives(void)
{
	static char big[100000];
	char out[64], *argv[] = { (char *)self(), "--getenv", NULL };
	memset(big, 'v', sizeof big - 1);
	memcpy(big, "BIG=", 4);
	CHECK(!putenv(big));
	CHECK(!setenv("EMPTY", "", 1));
	CHECK_EQ(output_of(self(), argv, out, sizeof out), 0);
	CHECK(!strcmp(out, "99995 0\n"));
}

static void no_arguments_at_all(void)
{
	/* Linux gives an empty argv one empty string, since pkexec (CVE-2021-4034). */
	char out[64], *none[] = { NULL };
	tap_tmpdir();
	CHECK_EQ(output_of(self(), none, out, sizeof out), 0);
	CHECK(!strcmp(out, "argc 1 []\n"));
}

static void set_id_bits_take_effect(void)
{
	char out[128], *argv[] = { "p", "--ids", NULL };
	tap_needs_root();
	tap_tmpdir();
	short_name();
	CHECK(!chmod(".", 0755));
	CHECK(!chown("args", 1234, 2345) && !chmod("args", 06755));
	pid_t pid = fork();
	if (!pid) {
		if (setresgid(1000, 1000, 1000) || setresuid(1000, 1000, 1000))
			_exit(1);
		CHECK_EQ(output_of("./args", argv, out, sizeof out), 0);
		if (strcmp(out, "1000 1234 1234 1000 2345 2345 secure 1 dumpable 0\n"))
			tap_fail(__FILE__, __LINE__, "%s", out);
		CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		CHECK_EQ(output_of("./args", argv, out, sizeof out), 0);
		if (strcmp(out, "1000 1000 1000 1000 1000 1000 secure 0 dumpable 1\n"))
			tap_fail(__FILE__, __LINE__, "%s", out);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static void writing_takes_the_set_id_bits_away(void)
{
	struct stat st;
	tap_needs_root();
	tap_tmpdir();
	put("f", "x", 06755);
	CHECK(!chown("f", 1000, 1000) && !chmod("f", 06755));
	pid_t pid = fork();
	if (!pid) {
		if (chmod(".", 0777) || setresgid(1000, 1000, 1000) ||
		    setresuid(1000, 1000, 1000))
			_exit(1);
		int fd = open("f", O_WRONLY);
		CHECK(fd >= 0);
		CHECK_EQ(write(fd, "y", 1), 1);
		CHECK(!fstat(fd, &st));
		CHECK_EQ(st.st_mode & 07777, 0755);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

static const struct tap_case cases[] = {
	CASE(scripts),
	CASE(scripts_of_scripts),
	CASE(bad_scripts),
	CASE(execveat_forms),
	CASE(auxiliary_vector),
	CASE(random_bytes_differ),
	CASE(vdso_has_its_symbols),
	CASE(vdso_cannot_be_written),
	CASE(environment_arrives),
	CASE(no_arguments_at_all),
	CASE(set_id_bits_take_effect),
	CASE(writing_takes_the_set_id_bits_away),
};

static int print_arguments(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("[%s]", argv[i]);
	printf("\n");
	return 0;
}

static int print_ids(void)
{
	uid_t r, e, s;
	gid_t g, h, i;
	if (getresuid(&r, &e, &s) || getresgid(&g, &h, &i))
		return 1;
	printf("%d %d %d %d %d %d secure %lu dumpable %d\n", r, e, s, g, h, i,
	       getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
	return 0;
}

static int print_random(void)
{
	const unsigned char *r = (void *)getauxval(AT_RANDOM);
	for (int i = 0; i < 16; i++)
		printf("%02x", r[i]);
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	if (argc == 1 && !argv[0][0])
		return printf("argc %d [%s]\n", argc, argv[0]) < 0;
	if (!strncmp(mode, "--print", 7))
		return print_arguments(argc, argv);
	if (!strcmp(mode, "--ids"))
		return print_ids();
	if (!strcmp(mode, "--random"))
		return print_random();
	if (!strcmp(mode, "--getenv"))
		return printf("%zu %zu\n", strlen(getenv("BIG")),
			      strlen(getenv("EMPTY"))) < 0;
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}
