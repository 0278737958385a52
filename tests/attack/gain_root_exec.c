/*
 * A plain user's ways to root by execve: what a set-user-ID program is started with,
 * and by whom it is steered. Each is refused or harmless; its twin is the honest use.
 * Some are named after holes that were there.
 */
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/gain.h"

#define SPAN 100 /* a few ms of a victim's life, in steps */

static const char *const hostile_environment[] = {
	"LD_PRELOAD=/tmp/evil.so",
	"LD_AUDIT=/tmp/evil.so",
	"LD_LIBRARY_PATH=/tmp",
	"GLIBC_TUNABLES=a=a=a=b=b",
	"GCONV_PATH=/tmp",
	"LD_DEBUG_OUTPUT=/tmp/x",
	"MALLOC_TRACE=/etc/passwd2",
	"IFS=/",
	NULL,
};

/* ---- the victim's own words ---- */

static int same_strings(char **got, const char *const *want)
{
	for (; *want; got++, want++)
		if (!*got || strcmp(*got, *want))
			return 0;
	return !*got;
}

static int open_descriptors(void)
{
	int n = 0;
	for (int fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* 1: somebody has moved it while it was root. */
static int was_steered(void)
{
	struct stat first, now;
	if (geteuid() || stat(".", &first))
		return 0;
	for (int i = 0; i < SPAN; i++) {
		usleep(100);
		if (!stat(".", &now) && now.st_ino != first.st_ino)
			return 1;
	}
	return 0;
}

static int own_words(int argc, char **argv)
{
	if (argc == 1 && !argv[0][0])
		return 40 + (int)geteuid();
	if (argc != 2)
		return -1;
	if (!strcmp(argv[1], "--environment"))
		return same_strings(environ, hostile_environment) &&
		       getauxval(AT_SECURE) == 1;
	if (!strcmp(argv[1], "--persona"))
		return (personality(0xffffffff) & ADDR_NO_RANDOMIZE) != 0;
	if (!strcmp(argv[1], "--pdeath")) {
		int sig;
		return prctl(PR_GET_PDEATHSIG, &sig) ? 98 : sig;
	}
	if (!strcmp(argv[1], "--open"))
		return open_descriptors();
	if (!strcmp(argv[1], "--steered"))
		return was_steered();
	return -1;
}

/* ---- what it is started with ---- */

/* LD_PRELOAD and its like are the loader's to drop: it is told to by AT_SECURE. */
static void attack_environment(void)
{
	char *argv[] = { victim, "--environment", NULL };
	int pid = fork();
	if (!pid)
		execve(victim, argv, (char **)hostile_environment);
	CHECK_EQ(gain_wait(pid), 1);
	CHECK_EQ(gain_run(victim, STAYS), 0);
	CHECK_EQ(gain_run("./plain", SECURE), 0);
}

static void the_loader_is_told_not_to_trust(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_environment);
}

/* CVE-2021-4034 */
static void attack_without_arguments(void)
{
	char *none[] = { NULL };
	int pid = fork();
	if (!pid)
		execve(victim, none, none);
	CHECK_EQ(gain_wait(pid), 40);
	pid = fork();
	if (!pid)
		execve(victim, NULL, NULL);
	CHECK_EQ(gain_wait(pid), 40);
}

static void an_empty_argv_is_filled(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_without_arguments);
}

static void attack_persona(void)
{
	CHECK(personality(ADDR_NO_RANDOMIZE) >= 0);
	CHECK_EQ(gain_run("./plain", "--persona"), 1);
	CHECK_EQ(gain_run(victim, "--persona"), 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	CHECK_EQ(gain_run(victim, STAYS), PLAIN);
}

static void addresses_stay_random(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_persona);
}

static int run_in_too_little(const char *path)
{
	int pid = fork();
	if (!pid) {
		struct rlimit l = { 1 << 16, 1 << 16 };
		CHECK(personality(ADDR_NO_RANDOMIZE) >= 0);
		CHECK_EQ(setrlimit(RLIMIT_AS, &l), 0);
		execl(path, path, STAYS, NULL);
		_exit(personality(0xffffffff) & ADDR_NO_RANDOMIZE ? 96 : 95);
	}
	return gain_wait(pid);
}

/* Linux has reached the point of no return by then. */
static void attack_failing(void)
{
	int code = run_in_too_little(victim);
	CHECK(code == 96 || code == 128 + SIGKILL || code == 128 + SIGSEGV);
	CHECK_EQ(gain_run(victim, STAYS), 0);
}

static void a_failed_exec_leaves_the_personality(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_failing);
}

static int run_with_pdeath(const char *path)
{
	int pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGUSR1);
		execl(path, path, "--pdeath", NULL);
	}
	return gain_wait(pid);
}

static void attack_pdeath(void)
{
	CHECK_EQ(run_with_pdeath("./plain"), SIGUSR1);
	CHECK_EQ(run_with_pdeath(victim), 0);
}

static void a_parent_s_death_tells_it_nothing(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_pdeath);
}

/* The kernel leaves 0 to 2 closed, and tells the C library to fill them. */
static int run_without_descriptors(const char *path)
{
	int pid = fork();
	if (!pid) {
		for (int fd = 0; fd < 64; fd++)
			close(fd);
		execl(path, path, "--open", NULL);
	}
	return gain_wait(pid);
}

static void attack_closed(void)
{
	CHECK_EQ(run_without_descriptors("./plain"), 0);
	CHECK_EQ(run_without_descriptors(victim), 3);
}

static void its_first_files_are_not_taken_for_standard_ones(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_closed);
}

/* Whole or not at all. */
static int run_limited(int which, rlim_t most, const char *arg)
{
	int pid = fork();
	if (!pid) {
		struct rlimit l;
		CHECK_EQ(getrlimit(which, &l), 0);
		l.rlim_cur = l.rlim_max = most < l.rlim_max ? most : l.rlim_max;
		CHECK_EQ(setrlimit(which, &l), 0);
		execl(victim, victim, arg, NULL);
		_exit(96);
	}
	return gain_wait(pid);
}

static void attack_limits(void)
{
	static const int which[] = { RLIMIT_AS,	   RLIMIT_STACK,  RLIMIT_DATA,
				     RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_CORE };
	for (size_t i = 0; i < sizeof which / sizeof *which; i++)
		for (rlim_t most = 0; most <= 1 << 18;
		     most = most ? most << 3 : 1 << 12) {
			int code = run_limited(which[i], most, STAYS);
			CHECK(code == 0 || code == 96 || code == 128 + SIGKILL ||
			      code == 128 + SIGSEGV);
		}
	CHECK_EQ(run_limited(RLIMIT_FSIZE, 0, STAYS), 0);
	CHECK_EQ(run_limited(RLIMIT_AS, 64 << 20, STAYS), 0);
}

static void limits_do_not_run_half_of_it(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_limits);
}

static void make_script(const char *name, mode_t mode)
{
	char line[256];
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	int n = snprintf(line, sizeof line, "#!%s %s\n", victim, STAYS);
	CHECK_EQ(write(fd, line, (size_t)n), n);
	close(fd);
	CHECK_EQ(chmod(name, mode), 0);
}

static void attack_scripts(void)
{
	CHECK_EQ(gain_run("./of_plain", NULL), PLAIN);
	CHECK_EQ(gain_run("./of_root", NULL), 0); /* its interpreter's bit */
}

static void a_script_s_bit_counts_for_nothing(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	make_script("of_plain", 06755);
	gain_copy("victim", 0, 04755);
	make_script("of_root", 0755);
	gain_as_plain(attack_scripts);
}

/* ---- who steers it ---- */

static int shares_directories(void (*fn)(void))
{
	int pid = (int)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		fn();
		_exit(0);
	}
	return pid;
}

static void lurk(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pause();
}

static int ready[2];

static void *has_its_own_directories(void *arg)
{
	char c = 'x';
	unshare(CLONE_FS);
	(void)!write(ready[1], &c, 1);
	pause();
	return arg;
}

/* One thread less shares them than there are: nobody outside may make up for it. */
static int euid_beside_a_thread_apart(int with_sharer)
{
	int pid = fork();
	if (!pid) {
		pthread_t t;
		char c;
		if (with_sharer)
			shares_directories(lurk);
		CHECK_EQ(pipe2(ready, O_CLOEXEC), 0);
		CHECK_EQ(pthread_create(&t, NULL, has_its_own_directories, NULL), 0);
		CHECK_EQ(read(ready[0], &c, 1), 1);
		execl(victim, victim, STAYS, NULL);
	}
	return gain_wait(pid);
}

static void attack_hidden_sharer(void)
{
	CHECK_EQ(euid_beside_a_thread_apart(1), PLAIN);
	CHECK_EQ(euid_beside_a_thread_apart(0), 0);
}

static void a_thread_apart_does_not_hide_a_sharer(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_hidden_sharer);
}

static void steer(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0; i < 4 * SPAN; i++) {
		(void)!chdir(i % 2 ? "/" : "/tmp");
		usleep(50);
	}
}

/* The moment of the execve, and how long after it. */
static atomic_int now;
static long wait_ns;

static void *shares_in_time(void *arg)
{
	struct timespec from, t;
	now = 1;
	while (now == 1)
		continue;
	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &t);
	while ((t.tv_sec - from.tv_sec) * 1000000000 + t.tv_nsec - from.tv_nsec <
	       wait_ns);
	shares_directories(steer);
	pause();
	return arg;
}

static void attack_late_sharer(void)
{
	for (wait_ns = 0; wait_ns < 400000; wait_ns += 4000) {
		int pid = fork();
		if (!pid) {
			pthread_t t;
			CHECK_EQ(pthread_create(&t, NULL, shares_in_time, NULL), 0);
			while (!now)
				sched_yield();
			now = 2;
			execl(victim, victim, "--steered", NULL);
		}
		CHECK_EQ(gain_wait(pid), 0);
	}
	CHECK_EQ(gain_run(victim, STAYS), 0);
}

static void who_begins_to_share_during_exec_does_not_steer(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_late_sharer);
}

/* ---- what cannot be read ---- */

#define BASE 0x10000000ul

/* A program whose interpreter is the latest victim. */
static void make_front(const char *name)
{
	struct {
		Elf64_Ehdr h;
		Elf64_Phdr p[2];
		char interp[128];
	} f;
	memset(&f, 0, sizeof f);
	memcpy(f.h.e_ident, ELFMAG, SELFMAG);
	f.h.e_ident[EI_CLASS] = ELFCLASS64;
	f.h.e_ident[EI_DATA] = ELFDATA2LSB;
	f.h.e_ident[EI_VERSION] = EV_CURRENT;
	f.h.e_type = ET_EXEC;
	f.h.e_machine = EM_X86_64;
	f.h.e_version = EV_CURRENT;
	f.h.e_entry = BASE;
	f.h.e_phoff = sizeof f.h;
	f.h.e_ehsize = sizeof f.h;
	f.h.e_phentsize = sizeof f.p[0];
	f.h.e_phnum = 2;
	f.p[0] = (Elf64_Phdr){ .p_type = PT_INTERP,
			       .p_flags = PF_R,
			       .p_offset = sizeof f.h + sizeof f.p,
			       .p_filesz = strlen(victim) + 1,
			       .p_memsz = strlen(victim) + 1 };
	f.p[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
			       .p_flags = PF_R | PF_X,
			       .p_vaddr = BASE,
			       .p_filesz = sizeof f,
			       .p_memsz = sizeof f,
			       .p_align = 4096 };
	strcpy(f.interp, victim);
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	CHECK_EQ(write(fd, &f, sizeof f), (long)sizeof f);
	close(fd);
}

static int can_look_into(const char *program)
{
	char path[64];
	int pid = gain_hold(program);
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	int fd = open(path, O_RDONLY);
	close(fd);
	gain_end(pid);
	return fd >= 0;
}

static void attack_unreadable(void)
{
	CHECK_ERR(open(victim, O_RDONLY), EACCES);
	CHECK(!can_look_into(victim));
	CHECK(!can_look_into("./of_hidden"));
	CHECK(can_look_into("./of_open"));
}

static void an_unreadable_interpreter_is_not_looked_into(void)
{
	gain_dir();
	gain_copy("open", 0, 0755);
	make_front("of_open");
	gain_copy("hidden", 0, 0711);
	make_front("of_hidden");
	gain_as_plain(attack_unreadable);
}

GAIN_MAIN(own_words, CASE(the_loader_is_told_not_to_trust), CASE(an_empty_argv_is_filled),
	  CASE(addresses_stay_random), CASE(a_failed_exec_leaves_the_personality),
	  CASE(a_parent_s_death_tells_it_nothing),
	  CASE(its_first_files_are_not_taken_for_standard_ones),
	  CASE(limits_do_not_run_half_of_it), CASE(a_script_s_bit_counts_for_nothing),
	  CASE(a_thread_apart_does_not_hide_a_sharer),
	  CASE(who_begins_to_share_during_exec_does_not_steer),
	  CASE(an_unreadable_interpreter_is_not_looked_into))
