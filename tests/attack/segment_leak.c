/*
 * What a thread has loaded into %ds, %es, %fs, %gs is its own: others on that CPU must
 * not read it, nor the program that it executes. For itself it stays.
 */
#include <asm/prctl.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "common/tap.h"

#define DATA 0x2b /* the selector of user mode's stack segment */
#define TURNS 300

/* %fs stays out of it: the libc's thread is behind it. */
static unsigned loaded(void)
{
	unsigned ds, es, gs;
	__asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%gs, %2"
			 : "=r"(ds), "=r"(es), "=r"(gs));
	return ds << 16 | es << 8 | gs;
}

#define NOTHING_LOADED 0u
#define ALL_LOADED ((unsigned)(DATA << 16 | DATA << 8 | DATA))

static void load(void)
{
	__asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%gs" ::"r"(DATA));
}

/* One CPU for the case and its children. */
static void share_a_cpu(void)
{
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	CHECK(!sched_setaffinity(0, sizeof one, &one));
}

static void others_see_nothing_and_it_stays(void)
{
	volatile unsigned *turns = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	share_a_cpu();
	pid_t pid = fork();
	if (!pid) {
		load();
		while (*turns < TURNS)
			sched_yield();
		_exit(loaded() != ALL_LOADED);
	}
	unsigned seen = 0;
	for (; *turns < TURNS; ++*turns) {
		sched_yield();
		seen |= loaded();
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(seen == NOTHING_LOADED);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void starts_with_nothing(void)
{
	CHECK(loaded() == NOTHING_LOADED);
}

static void programs_start_with_nothing(void)
{
	int status;
	pid_t pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), 1);
		load();
		execl("/proc/self/exe", "segment_leak", "starts_with_nothing", NULL);
		_exit(99);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

static void a_child_has_its_parents(void)
{
	int status;
	load();
	pid_t pid = fork();
	if (!pid)
		_exit(loaded() != ALL_LOADED);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	CHECK(loaded() == ALL_LOADED);
}

static void a_base_goes_with_the_null_selector(void)
{
	uint64_t base = 1;
	share_a_cpu();
	load();
	CHECK(!syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	CHECK(base == 0);
	CHECK(!syscall(SYS_arch_prctl, ARCH_SET_GS, 0x123456000));
	CHECK((loaded() & 0xff) == 0);
	pid_t pid = fork();
	if (!pid) {
		load();
		for (int i = 0; i < TURNS; i++)
			sched_yield();
		_exit(0);
	}
	for (int i = 0; i < TURNS; i++)
		sched_yield();
	CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(!syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	CHECK(base == 0x123456000);
}

/* A tracer can set what the tracee could load; nothing else gets to the CPU. */
static void a_tracer_sets_what_could_be_loaded(void)
{
	struct user_regs_struct r;
	int status;
	pid_t pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(loaded() != DATA << 8);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	CHECK(!ptrace(PTRACE_GETREGS, pid, NULL, &r));
	CHECK(r.ds == 0 && r.es == 0 && r.gs == 0);
	r.es = DATA;
	r.ds = 7;    /* of a local table that is not there */
	r.gs = 0x43; /* the task segment */
	CHECK(!ptrace(PTRACE_SETREGS, pid, NULL, &r));
	r.gs = 0x18; /* the kernel's data */
	CHECK_ERR(ptrace(PTRACE_SETREGS, pid, NULL, &r), EIO);
	CHECK(!ptrace(PTRACE_CONT, pid, NULL, NULL));
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
}

TEST_MAIN(CASE(others_see_nothing_and_it_stays), CASE(starts_with_nothing),
	  CASE(programs_start_with_nothing), CASE(a_child_has_its_parents),
	  CASE(a_base_goes_with_the_null_selector),
	  CASE(a_tracer_sets_what_could_be_loaded))
