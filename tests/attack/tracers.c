/*
 * What a hostile tracer, or whoever wants to become one, would try. Each attempt is
 * refused or harmless; the twin beside it is the honest use, which works.
 */
/* libc: glibc */
#include <elf.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#define PTRACE_GETREGS 12
#define PTRACE_SETREGS 13
#define KERNEL_VA 0xffffffff81000000ul
#define HOLE_VA 0x0000900000000000ul

static long pt(long request, int pid, unsigned long addr, unsigned long data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

static void nap(void)
{
	for (;;)
		pause();
}

static int child(void (*fn)(void))
{
	int pid = fork();
	if (!pid) {
		fn();
		_exit(0);
	}
	CHECK(pid > 0);
	return pid;
}

/* Attached and stopped. */
static int tracee(void (*fn)(void))
{
	int pid = child(fn), status;
	CHECK_EQ(pt(PTRACE_ATTACH, pid, 0, 0), 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFSTOPPED(status));
	return pid;
}

/* Its signals are let through, but for the tracing's own. */
static int end_status(int pid)
{
	int status, sig;
	do {
		CHECK_EQ(waitpid(pid, &status, __WALL), pid);
		sig = WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
	} while (sig && !pt(PTRACE_CONT, pid, 0, sig == SIGTRAP ? 0 : (unsigned)sig));
	return status;
}

static void end(int pid)
{
	int status;
	kill(pid, SIGKILL);
	do {
		CHECK_EQ(waitpid(pid, &status, __WALL), pid);
	} while (WIFSTOPPED(status));
}

static struct user_regs_struct regs_of(int pid)
{
	struct user_regs_struct r;
	CHECK_EQ(pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r), 0);
	return r;
}

static void poke_reg(int pid, size_t at, unsigned long v)
{
	CHECK_EQ(pt(PTRACE_POKEUSR, pid, at, v), 0);
}

#define REG(r) offsetof(struct user, regs.r)

/* ---- registers ---- */

static void segments_stay_user_modes(void)
{
	static const unsigned long bad[] = { 0, 8, 0x10, 0x18, 0x23, 0x30, 0x3b, 0x43 };
	int pid = tracee(nap);
	tap_needs_mayfly(); /* Linux takes any selector of ring 3, and sees what comes */
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(cs), bad[i]), EIO);
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(ss), bad[i]), EIO);
	}
	CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(ds), 0x10), EIO);
	CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(gs), 3), EIO);
	poke_reg(pid, REG(cs), 0x33);
	poke_reg(pid, REG(ss), 0x2b);
	poke_reg(pid, REG(ds), 0);
	end(pid);
}

static void flags_stay_harmless(void)
{
	int pid = tracee(nap);
	struct user_regs_struct r = regs_of(pid);
	unsigned long before = r.eflags;
	r.eflags = ~0ul & ~0x100ul;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	unsigned long after = regs_of(pid).eflags;
	/* IOPL, VM, VIF, VIP and all above; IF cannot be lost either. NT is Linux's. */
	CHECK_EQ(after & ~0x50fd5ul & ~0x4000ul, before & ~0x50fd5ul & ~0x4000ul);
	CHECK_EQ(after & 0x3000, 0);
	CHECK_EQ(after & 0x8d5, 0x8d5); /* the twin: arithmetic flags */
	r.eflags = 0;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	CHECK_EQ(regs_of(pid).eflags & 0x200, 0x200);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	end(pid);
}

static void goes_to(unsigned long rip, unsigned long rsp, int sig)
{
	int pid = tracee(nap);
	struct user_regs_struct r = regs_of(pid);
	r.orig_rax = -1ul;
	r.rip = rip ? rip : r.rip;
	r.rsp = rsp ? rsp : r.rsp;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	int status = end_status(pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), sig);
}

static void aborts(void)
{
	abort();
}

static void rip_in_the_kernel_is_a_fault(void)
{
	goes_to(KERNEL_VA, 0, SIGSEGV);
	goes_to(HOLE_VA, 0, SIGSEGV);
	goes_to(0x7ffffffff000, 0, SIGSEGV);
	goes_to(-1ul, 0, SIGSEGV);
	goes_to((unsigned long)aborts, 0, SIGABRT);
}

static void pushes(void)
{
	abort();
}

static void rsp_in_the_kernel_is_a_fault(void)
{
	tap_checked();
	int pid;
	static const unsigned long bad[] = { KERNEL_VA, HOLE_VA, 8, -8ul };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		pid = tracee(nap);
		struct user_regs_struct r = regs_of(pid);
		r.orig_rax = -1ul;
		r.rip = (unsigned long)pushes;
		r.rsp = bad[i];
		CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
		CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
		int status = end_status(pid);
		CHECK(WIFSIGNALED(status));
		CHECK(WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
	}
}

static void calls(void)
{
	for (;;)
		getppid();
}

/* At a stop on the way out of a call: the fast return must not be taken with them. */
static void a_call_returns_to_the_kernel_as_a_fault(void)
{
	int pid = tracee(calls), status;
	struct ptrace_syscall_info i;
	CHECK_EQ(pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD), 0);
	do {
		CHECK_EQ(pt(PTRACE_SYSCALL, pid, 0, 0), 0);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		CHECK(pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof i, (unsigned long)&i) > 0);
	} while (i.op != PTRACE_SYSCALL_INFO_EXIT);
	struct user_regs_struct r = regs_of(pid);
	r.rip = r.rcx = HOLE_VA;
	r.r11 = r.eflags;
	CHECK_EQ(pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r), 0);
	CHECK_EQ(pt(PTRACE_CONT, pid, 0, 0), 0);
	status = end_status(pid);
	CHECK(WIFSIGNALED(status));
	CHECK_EQ(WTERMSIG(status), SIGSEGV);
}

static void bases_stay_below_the_kernel(void)
{
	int pid = tracee(nap);
	static const unsigned long bad[] = { KERNEL_VA, HOLE_VA, 0x7ffffffff000, -1ul };
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(fs_base), bad[i]), EIO);
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, REG(gs_base), bad[i]), EIO);
	}
	poke_reg(pid, REG(gs_base), 0x7000);
	CHECK_EQ(regs_of(pid).gs_base, 0x7000);
	end(pid);
}

static void fpu_images_are_checked(void)
{
	int pid = tracee(nap);
	static uint64_t image[2048], good[2048];
	struct iovec iov = { image, sizeof image };
	CHECK_EQ(pt(PTRACE_GETREGSET, pid, NT_X86_XSTATE, (unsigned long)&iov), 0);
	memcpy(good, image, sizeof good);
	size_t n = iov.iov_len;
	static const struct {
		size_t word;
		uint64_t value;
	} bad[] = {
		{ 64, ~0ull },	      /* XSTATE_BV */
		{ 65, 1ull << 63 },   /* XCOMP_BV: compacted */
		{ 66, 1 },	      /* reserved */
		{ 3, 0xffffffffull }, /* MXCSR */
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		memcpy(image, good, sizeof image);
		image[bad[i].word] = bad[i].value;
		iov = (struct iovec){ image, n };
		CHECK_EQ(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (unsigned long)&iov),
			 -1);
	}
	iov = (struct iovec){ good, n };
	CHECK_EQ(pt(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (unsigned long)&iov), 0);
	CHECK_EQ(pt(PTRACE_DETACH, pid, 0, 0), 0);
	usleep(1000);
	CHECK_EQ(waitpid(pid, NULL, WNOHANG), 0);
	end(pid);
}

/* CVE-2018-8897: a watchpoint under `mov ss` traps behind the kernel's door. */
static void there_are_no_hardware_breakpoints(void)
{
	tap_needs_mayfly();
	int pid = tracee(nap);
	for (int i = 0; i < 8; i++) {
		size_t at = offsetof(struct user, u_debugreg) + i * sizeof(long);
		CHECK_ERR(pt(PTRACE_POKEUSR, pid, at, i == 7 ? 0xd0001 : KERNEL_VA), EIO);
		CHECK_EQ(pt(PTRACE_POKEUSR, pid, at, 0), 0);
	}
	end(pid);
}

static void kernel_memory_is_out_of_reach(void)
{
	int pid = tracee(nap);
	static const unsigned long bad[] = {
		KERNEL_VA,	    HOLE_VA, 0x7ffffffff000,
		0xffff888000000000, -8ul,    0x7fffffffeffc
	};
	unsigned long out;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct iovec local = { &out, 8 }, remote = { (void *)bad[i], 8 };
		CHECK_ERR(pt(PTRACE_PEEKDATA, pid, bad[i], (unsigned long)&out), EIO);
		CHECK_ERR(pt(PTRACE_POKEDATA, pid, bad[i], 0), EIO);
		CHECK_ERR(process_vm_readv(pid, &local, 1, &remote, 1, 0), EFAULT);
		CHECK_ERR(process_vm_writev(pid, &local, 1, &remote, 1, 0), EFAULT);
		/* and as the place of the result */
		CHECK_ERR(pt(PTRACE_GETREGS, pid, 0, bad[i]), EFAULT);
	}
	CHECK_EQ(pt(PTRACE_PEEKDATA, pid, (unsigned long)bad, (unsigned long)&out), 0);
	CHECK_EQ(out, bad[0]);
	end(pid);
}

/* A page mapped for all is not changed through one tracee's breakpoint. */
static void pokes_stay_private(void)
{
	const char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pid = tracee(nap);
	CHECK_ERR(pt(PTRACE_POKEDATA, pid, (unsigned long)page, 1), EIO);
	CHECK_EQ(page[0], 0);
	unsigned long text = *(unsigned long *)nap;
	CHECK_EQ(pt(PTRACE_POKETEXT, pid, (unsigned long)nap, 0xcccc), 0);
	CHECK_EQ(*(unsigned long *)nap, text);
	end(pid);
}

/* ---- who may ---- */

static void become(uid_t uid)
{
	CHECK_EQ(setresgid(uid, uid, uid), 0);
	CHECK_EQ(setresuid(uid, uid, uid), 0);
	CHECK_EQ(prctl(PR_SET_DUMPABLE, 1), 0);
}

static int napping_as(uid_t uid)
{
	int sync[2];
	char c;
	CHECK_EQ(pipe(sync), 0);
	int pid = fork();
	if (!pid) {
		if (uid)
			become(uid);
		(void)!write(sync[1], "x", 1);
		nap();
	}
	CHECK_EQ(read(sync[0], &c, 1), 1);
	return pid;
}

/* Every door into pid; how many of them open. */
static int doors_open(int pid)
{
	char path[64];
	unsigned long word;
	struct iovec local = { &word, 8 }, remote = { path, 8 };
	int open_doors = 0, fd;
	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY);
	open_doors += fd >= 0;
	close(fd);
	open_doors += process_vm_readv(pid, &local, 1, &remote, 1, 0) == 8;
	open_doors += process_vm_writev(pid, &local, 1, &remote, 1, 0) == 8;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	open_doors += syscall(SYS_pidfd_getfd, fd, 0, 0) >= 0;
	close(fd);
	open_doors += syscall(SYS_kcmp, getpid(), pid, 2, 0, 0) >= 0;
	if (!pt(PTRACE_SEIZE, pid, 0, 0)) {
		open_doors++;
		CHECK_EQ(pt(PTRACE_INTERRUPT, pid, 0, 0), 0);
		CHECK_EQ(waitpid(pid, NULL, __WALL), pid);
		CHECK_EQ(pt(PTRACE_DETACH, pid, 0, 0), 0);
	}
	return open_doors;
}

#define DOORS 6

static int doors_open_for(uid_t uid, int pid)
{
	int status, tester = fork();
	if (!tester) {
		become(uid);
		_exit(doors_open(pid));
	}
	CHECK_EQ(waitpid(tester, &status, 0), tester);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void only_the_same_user_looks_in(void)
{
	tap_needs_root();
	int mine = napping_as(1000), others = napping_as(1001), roots = napping_as(0);
	CHECK_EQ(doors_open_for(1000, mine), DOORS);
	CHECK_EQ(doors_open_for(1000, others), 0);
	CHECK_EQ(doors_open_for(1000, roots), 0);
	CHECK_EQ(doors_open(others), DOORS);
	end(mine);
	end(others);
	end(roots);
}

static int undumpable(void)
{
	int sync[2];
	char c;
	CHECK_EQ(pipe(sync), 0);
	int pid = fork();
	if (!pid) {
		become(1000);
		prctl(PR_SET_DUMPABLE, 0);
		(void)!write(sync[1], "x", 1);
		nap();
	}
	CHECK_EQ(read(sync[0], &c, 1), 1);
	return pid;
}

static void the_undumpable_are_left_alone(void)
{
	tap_needs_root();
	int pid = undumpable();
	CHECK_EQ(doors_open_for(1000, pid), 0);
	CHECK_EQ(doors_open(pid), DOORS); /* CAP_SYS_PTRACE */
	end(pid);
}

static void process_1_is_nobodys(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	CHECK_EQ(doors_open(1), 0);
	int pid = napping_as(0);
	CHECK_EQ(doors_open(pid), DOORS);
	end(pid);
}

/* A parent with fewer capabilities cannot be made the tracer of a child with more. */
static void traceme_needs_an_equal(void)
{
	tap_needs_root();
	int status, pid = fork();
	if (!pid) {
		/* Real and saved ids stay root's for the child, which takes them back. */
		if (setresuid(-1, 1000, 0))
			_exit(9);
		int grandchild = fork();
		if (!grandchild) {
			if (setresuid(0, 0, 0))
				_exit(8);
			_exit(pt(PTRACE_TRACEME, 0, 0, 0) ? 1 : 0);
		}
		if (setresuid(1000, 1000, 1000))
			_exit(7);
		waitpid(grandchild, &status, 0);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 6);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	/* Whoever was first: the parent that is root still, or one that is not. */
	CHECK(status == 0 || status == 1 << 8);
}

/* ---- privileges gained by execve ---- */

static char helper[128];

/* A set-user-ID copy of this program; `--euid` makes it exit with its effective id. */
static void make_helper(mode_t mode)
{
	char buf[65536];
	ssize_t n;
	const char *dir = tap_tmpdir();
	snprintf(helper, sizeof helper, "%s/helper", dir);
	CHECK_EQ(chmod(dir, 0755), 0);
	int from = open("/proc/self/exe", O_RDONLY),
	    to = open(helper, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	CHECK(from >= 0 && to >= 0);
	while ((n = read(from, buf, sizeof buf)) > 0)
		CHECK_EQ(write(to, buf, (size_t)n), n);
	close(from);
	close(to);
	CHECK_EQ(chmod(helper, mode), 0);
}

static void exec_helper(void)
{
	char *argv[] = { helper, "--euid", NULL };
	execv(helper, argv);
	_exit(99);
}

static int helper_as(uid_t uid, bool traced)
{
	int status, pid = fork();
	if (!pid) {
		become(uid);
		int run = fork();
		if (!run) {
			if (traced && pt(PTRACE_TRACEME, 0, 0, 0))
				_exit(98);
			exec_helper();
		}
		status = end_status(run);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 97);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void a_watched_program_gains_nothing(void)
{
	tap_needs_root();
	make_helper(04755);
	if (helper_as(77, false) != 0)
		tap_skip("the folder is mounted nosuid");
	CHECK_EQ(helper_as(77, false), 0);
	CHECK_EQ(helper_as(77, true), 77);
	CHECK_EQ(helper_as(0, true), 0); /* root may watch */
}

static int effective_id(int pid)
{
	char path[64], line[256];
	int real, effective = -1;
	snprintf(path, sizeof path, "/proc/%d/status", pid);
	FILE *f = fopen(path, "r");
	while (f && fgets(line, sizeof line, f))
		sscanf(line, "Uid: %d %d", &real, &effective);
	if (f)
		fclose(f);
	return effective;
}

/* Attaching while the other side is about to gain privileges: whoever is first, nobody
 * traces a privileged program. */
static void attaching_does_not_race_with_exec(void)
{
	tap_needs_root();
	make_helper(04755);
	if (helper_as(77, false) != 0)
		tap_skip("the folder is mounted nosuid");
	int status, pid = fork();
	if (!pid) {
		become(77);
		for (int i = 0; i < 60; i++) {
			int run = fork();
			if (!run) {
				usleep((useconds_t)(i % 7) * 40);
				exec_helper();
			}
			/* Until it is ours, or so privileged that it is not to be had. */
			bool ours = false;
			for (int k = 0; k < 4000 && !ours; k++)
				ours = !pt(PTRACE_SEIZE, run, 0, PTRACE_O_TRACEEXIT);
			waitpid(run, &status, __WALL);
			/* At its exit: a program we trace has no id but ours. */
			if (WIFSTOPPED(status) && effective_id(run) == 0)
				_exit(2);
			while (WIFSTOPPED(status)) {
				pt(PTRACE_CONT, run, 0, 0);
				waitpid(run, &status, __WALL);
			}
			if (!WIFEXITED(status))
				_exit(1);
		}
		_exit(0);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

static void what_cannot_be_read_is_not_peeked_at(void)
{
	tap_needs_root();
	make_helper(0711);
	int status, pid = fork();
	if (!pid) {
		unsigned long word;
		become(77);
		int run = fork();
		if (!run) {
			pt(PTRACE_TRACEME, 0, 0, 0);
			exec_helper();
		}
		waitpid(run, &status, 0); /* the exec's trap */
		bool shut = pt(PTRACE_PEEKTEXT, run, (unsigned long)nap,
			       (unsigned long)&word) == -1;
		bool regs = regs_of(run).rip != 0; /* the twin: it is traced */
		kill(run, SIGKILL);
		_exit(shut && regs ? 0 : 1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(status, 0);
}

/* ---- storms ---- */

static volatile int storm_target, storm_over;

static void *storm(void *arg)
{
	struct user_regs_struct r;
	unsigned long word;
	while (!storm_over) {
		int pid = storm_target;
		if (!pid || pt(PTRACE_SEIZE, pid, 0, 0))
			continue;
		for (int i = 0; i < 20; i++) {
			pt(PTRACE_INTERRUPT, pid, 0, 0);
			waitpid(pid, NULL, __WALL | WNOHANG);
			if (pt(PTRACE_GETREGS, pid, 0, (unsigned long)&r))
				continue;
			pt(PTRACE_SETREGS, pid, 0, (unsigned long)&r);
			pt(PTRACE_PEEKTEXT, pid, r.rip & ~7ul, (unsigned long)&word);
			pt(PTRACE_POKETEXT, pid, r.rip & ~7ul, word);
			pt(i % 3 ? PTRACE_SYSCALL : PTRACE_SINGLESTEP, pid, 0, 0);
		}
		pt(PTRACE_DETACH, pid, 0, 0);
	}
	return arg;
}

static void busy(void)
{
	for (;;) {
		getppid();
		if (!fork())
			_exit(0);
		waitpid(-1, NULL, WNOHANG);
	}
}

/* Kills, steps and register writes at once: nothing but the target may suffer. */
static void kills_race_with_tracers(void)
{
	pthread_t t[3];
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, storm, NULL), 0);
	for (int round = 0; round < 40; round++) {
		int pid = child(busy);
		storm_target = pid;
		usleep(5000);
		kill(pid, round % 2 ? SIGKILL : SIGTERM);
		usleep(1000);
		storm_target = 0;
		kill(pid, SIGKILL);
		kill(pid, SIGCONT);
		while (waitpid(pid, NULL, __WALL) == pid && !kill(pid, 0))
			continue;
	}
	storm_over = 1;
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
		continue;
}

/* Two that trace each other stop each other, and die when told to. */
static void a_ring_of_tracers_can_be_killed(void)
{
	int sync[2], status;
	CHECK_EQ(pipe(sync), 0);
	int a = fork();
	if (!a) {
		int self = getpid(), b = fork();
		if (!b) {
			pt(PTRACE_SEIZE, self, 0, 0);
			pt(PTRACE_INTERRUPT, self, 0, 0);
			(void)!write(sync[1], "x", 1);
			nap();
		}
		pt(PTRACE_SEIZE, b, 0, PTRACE_O_EXITKILL);
		pt(PTRACE_INTERRUPT, b, 0, 0);
		nap();
	}
	usleep(50000);
	kill(a, SIGKILL);
	CHECK_EQ(waitpid(a, &status, 0), a);
	CHECK(WIFSIGNALED(status));
}

int main(int argc, char **argv)
{
	static const struct tap_case cases[] = {
		CASE(segments_stay_user_modes),
		CASE(flags_stay_harmless),
		CASE(rip_in_the_kernel_is_a_fault),
		CASE(rsp_in_the_kernel_is_a_fault),
		CASE(a_call_returns_to_the_kernel_as_a_fault),
		CASE(bases_stay_below_the_kernel),
		CASE(fpu_images_are_checked),
		CASE(there_are_no_hardware_breakpoints),
		CASE(kernel_memory_is_out_of_reach),
		CASE(pokes_stay_private),
		CASE(only_the_same_user_looks_in),
		CASE(the_undumpable_are_left_alone),
		CASE(process_1_is_nobodys),
		CASE(traceme_needs_an_equal),
		CASE(a_watched_program_gains_nothing),
		CASE(attaching_does_not_race_with_exec),
		CASE(what_cannot_be_read_is_not_peeked_at),
		CASE(kills_race_with_tracers),
		CASE(a_ring_of_tracers_can_be_killed),
	};
	if (argc == 2 && !strcmp(argv[1], "--euid"))
		return (int)geteuid();
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}
