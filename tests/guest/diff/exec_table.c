/*
 * The truth table of execve(2) and credentials (capabilities(7), "Transformation of
 * capabilities during execve()"): caller x file's mode, owner and capabilities x what
 * keeps them from counting. The rows of the whole table that are tried are drawn from it
 * by a generator without a seed: the same ones everywhere.
 */
#include "diff.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ROWS 1550 /* of each case: what it may say is 256 KiB */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PICK(a) ((a)[draw(COUNT(a))])
#define SET_IDS (1u << CAP_SETUID | 1u << CAP_SETGID)
#define FILES (1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER)
#define SHOWN (SET_IDS | FILES | 1u << CAP_SETPCAP | 1u << CAP_KILL)
#define STACK (16ul << 20)   /* the caller's soft limit: more than the 8 MiB of old */
#define PROGRAM "exec_shown" /* its name is what the interpreter of a script is called */

struct caller {
	uint32_t uid[3], gid[3]; /* real, effective, saved */
	uint32_t permitted, effective, inheritable, ambient, bounding;
	unsigned long securebits;
	bool no_new_privs;
};

struct program {
	mode_t mode;
	uint32_t uid, gid;
	struct vfs_ns_cap_data caps;
	size_t caps_size; /* 0: none */
};

enum watcher { NOBODY, ROOT, PLAIN };

struct row {
	struct caller caller;
	struct program program;
	bool nosuid, script, shared_fs;
	enum watcher watcher;
};

static uint32_t draw(uint32_t n)
{
	static uint64_t x = 3;
	x = x * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(x >> 33) % n;
}

/* -- drawing ----------------------------------------------------------------------- */

static const uint32_t ids[] = { 0, 1000, 2000 };
static const uint32_t capsets[] = {
	0, 0, SHOWN, SET_IDS, FILES, 1u << CAP_KILL, SHOWN & ~SET_IDS,
};
static const unsigned long securebits[] = {
	0,
	0,
	0,
	SECBIT_NOROOT,
	SECBIT_NO_SETUID_FIXUP,
	SECBIT_KEEP_CAPS,
	SECBIT_KEEP_CAPS | SECBIT_KEEP_CAPS_LOCKED,
	SECBIT_NO_CAP_AMBIENT_RAISE,
	SECURE_ALL_BITS & ~SECBIT_NO_CAP_AMBIENT_RAISE,
};

static struct caller draw_caller(void)
{
	struct caller c = { .bounding = SHOWN };
	bool plain = draw(2);
	for (int i = 0; i < 3; i++) {
		c.uid[i] = plain && i ? c.uid[0] : PICK(ids);
		c.gid[i] = plain && i ? c.gid[0] : PICK(ids);
	}
	c.permitted = PICK(capsets);
	c.effective = draw(2) ? c.permitted : c.permitted & PICK(capsets);
	c.inheritable = draw(2) ? 0 : PICK(capsets);
	c.ambient = draw(3) ? 0 : c.permitted & c.inheritable & PICK(capsets);
	if (!draw(4))
		c.bounding = SHOWN & ~PICK(capsets);
	c.securebits = PICK(securebits);
	return c;
}

static void draw_file_caps(struct program *f)
{
	uint32_t permitted = PICK(capsets), inheritable = draw(2) ? 0 : PICK(capsets);
	bool v3 = !draw(4);
	f->caps.magic_etc = v3 ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2;
	if (draw(2))
		f->caps.magic_etc |= VFS_CAP_FLAGS_EFFECTIVE;
	f->caps.data[0].permitted = permitted;
	f->caps.data[0].inheritable = inheritable;
	f->caps.rootid = v3 && !draw(3) ? 1000 : 0;
	f->caps_size = v3 ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2;
}

static struct program draw_program(bool caps)
{
	static const mode_t modes[] = { 0755, 04755, 02755, 06755, 02745 };
	struct program f = { .mode = caps && draw(2) ? 0755 : PICK(modes),
			     .uid = PICK(ids),
			     .gid = PICK(ids) };
	if (caps)
		draw_file_caps(&f);
	return f;
}

/* -- the new program ---------------------------------------------------------------- */

/* Of the five sets, in the order of their first letters in /proc. */
static void show_caps(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	unsigned ambient = 0;
	if (syscall(SYS_capget, &h, d))
		return;
	for (int cap = 0; cap <= CAP_SETPCAP; cap++)
		ambient |=
			(unsigned)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0)
			<< cap;
	printf("p%x e%x i%x a%x", d[0].permitted & SHOWN, d[0].effective & SHOWN,
	       d[0].inheritable & SHOWN, ambient & SHOWN);
}

DIFF_HELPER(exec_shown)
{
	uint32_t u[3], g[3];
	syscall(SYS_getresuid, &u[0], &u[1], &u[2]);
	syscall(SYS_getresgid, &g[0], &g[1], &g[2]);
	printf("%u %u %u %ld, %u %u %u %ld, ", u[0], u[1], u[2],
	       syscall(SYS_setfsuid, -1), g[0], g[1], g[2], syscall(SYS_setfsgid, -1));
	show_caps();
	int pdeath = -1;
	struct rlimit stack;
	prctl(PR_GET_PDEATHSIG, &pdeath);
	getrlimit(RLIMIT_STACK, &stack);
	printf(" s%x%s%s%s%s", prctl(PR_GET_SECUREBITS),
	       getauxval(AT_SECURE) ? " secure" : "",
	       prctl(PR_GET_DUMPABLE) ? "" : " undumpable", pdeath ? "" : " unparented",
	       stack.rlim_cur == STACK ? "" : " stacked");
	return 0;
}

/* -- the caller --------------------------------------------------------------------- */

static void drop_bounding(uint32_t keep)
{
	for (int cap = 0; cap <= CAP_SETPCAP; cap++) {
		if ((SHOWN & ~keep) & 1u << cap)
			NEED(!prctl(PR_CAPBSET_DROP, cap));
	}
}

static void set_caps(const struct caller *c)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = {
		{ c->effective, c->permitted, c->inheritable },
	};
	NEED(!syscall(SYS_capset, &h, d));
	for (int cap = 0; cap <= CAP_SETPCAP; cap++) {
		if (c->ambient & 1u << cap)
			NEED(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0));
	}
}

/* Ambient capabilities come before what might forbid to raise them, and securebits while
 * CAP_SETPCAP is still there. */
static void become(const struct caller *c)
{
	struct caller first = *c;
	NEED(!prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
	NEED(!syscall(SYS_setgroups, 0, NULL));
	NEED(!syscall(SYS_setresgid, c->gid[0], c->gid[1], c->gid[2]));
	NEED(!syscall(SYS_setresuid, c->uid[0], c->uid[1], c->uid[2]));
	first.permitted = first.effective = SHOWN;
	set_caps(&first);
	drop_bounding(c->bounding);
	NEED(!prctl(PR_SET_SECUREBITS, c->securebits));
	first = *c;
	first.ambient = 0;
	set_caps(&first);
	NEED(!prctl(PR_SET_PDEATHSIG, SIGURG));
	if (c->no_new_privs)
		NEED(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

static const char *path_of(const struct row *r)
{
	return r->nosuid   ? r->script ? "nosuid/script" : "nosuid/" PROGRAM
	       : r->script ? "script"
			   : PROGRAM;
}

static void run_program(const struct row *r, int out)
{
	char *argv[] = { PROGRAM, NULL }, *env[] = { NULL };
	NEED(dup2(out, 1) == 1);
	if (r->watcher == PLAIN)
		raise(SIGSTOP); /* until its parent is no longer root */
	become(&r->caller);
	if (r->watcher != NOBODY && ptrace(PTRACE_TRACEME, 0, 0, 0))
		dprintf(1, "not traced: %s; ", err_name(errno));
	execve(path_of(r), argv, env);
	dprintf(1, "%s", err_name(errno));
	_exit(0);
}

/* -- its tracer --------------------------------------------------------------------- */

static int watch(const struct row *r, int out)
{
	int status;
	pid_t pid = fork();
	if (!pid)
		run_program(r, out);
	if (r->watcher == PLAIN) {
		NEED(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
		become_nobody();
	}
	/* Only the stopped one needs root to be woken: by itself, who is its
	 * session's. */
	kill(pid, SIGCONT);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
		ptrace(PTRACE_CONT, pid, 0, 0);
	return 0;
}

static pid_t start(const struct row *r, int out)
{
	pid_t pid = r->shared_fs
			    ? (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0)
			    : fork();
	if (pid)
		return pid;
	if (r->watcher != NOBODY)
		_exit(watch(r, out));
	run_program(r, out);
	return -1;
}

/* -- rows --------------------------------------------------------------------------- */

static void copy_self(const char *path)
{
	static char buf[1 << 16];
	int in = open("/proc/self/exe", O_RDONLY);
	int out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	long n;
	NEED(in >= 0 && out >= 0);
	while ((n = read(in, buf, sizeof buf)) > 0)
		NEED(write(out, buf, (size_t)n) == n);
	close(in);
	close(out);
}

static void make_script(const char *path)
{
	make_file(path, "#!" PROGRAM "\n");
	NEED(!chmod(path, 0755));
}

static void make_files(void)
{
	NEED(!chmod(".", 0755));
	NEED(!mkdir("nosuid", 0755));
	NEED(!mount("none", "nosuid", "tmpfs", MS_NOSUID, NULL));
	copy_self(PROGRAM);
	make_script("script");
	copy_self("nosuid/" PROGRAM);
	make_script("nosuid/script");
}

static void limit_stack(void)
{
	struct rlimit stack;
	NEED(!getrlimit(RLIMIT_STACK, &stack));
	stack.rlim_cur = STACK;
	NEED(!setrlimit(RLIMIT_STACK, &stack));
}

static void prepare(const char *path, const struct program *f)
{
	NEED(!chown(path, f->uid, f->gid));
	NEED(!chmod(path, f->mode));
	if (f->caps_size)
		NEED(!setxattr(path, "security.capability", &f->caps, f->caps_size, 0));
}

/* As it was: nothing may count when the interpreter of a script runs. */
static void restore(const char *path, const struct program *f)
{
	NEED(!chmod(path, 0755));
	NEED(!chown(path, 0, 0));
	if (f->caps_size)
		removexattr(path, "security.capability");
}

static void say_row(const struct row *r, const char *result)
{
	static const char *const watchers[] = { "", " root-traces", " traced" };
	const struct caller *c = &r->caller;
	const struct program *f = &r->program;
	char caps[80] = "";
	if (f->caps_size)
		sprintf(caps, " f%x/%x%s%s", f->caps.data[0].permitted,
			f->caps.data[0].inheritable,
			f->caps.magic_etc & VFS_CAP_FLAGS_EFFECTIVE ? "e" : "",
			f->caps.rootid ? " of 1000" : "");
	say("%u %u %u, %u %u %u, p%x e%x i%x a%x b%x s%lx%s; %o %u:%u%s%s%s%s%s = %s",
	    c->uid[0], c->uid[1], c->uid[2], c->gid[0], c->gid[1], c->gid[2],
	    c->permitted, c->effective, c->inheritable, c->ambient, c->bounding,
	    c->securebits, c->no_new_privs ? " nnp" : "", f->mode, f->uid, f->gid, caps,
	    r->nosuid ? " nosuid" : "", r->script ? " script" : "",
	    r->shared_fs ? " shares" : "", watchers[r->watcher], result);
}

static void try_row(const struct row *r)
{
	char result[512];
	size_t have = 0;
	long n;
	int p[2];
	NEED(!pipe2(p, O_CLOEXEC));
	prepare(path_of(r), &r->program);
	pid_t pid = start(r, p[1]);
	close(p[1]);
	while ((n = read(p[0], result + have, sizeof result - 1 - have)) > 0)
		have += (size_t)n;
	close(p[0]);
	result[have] = 0;
	reap(pid);
	restore(path_of(r), &r->program);
	say_row(r, result);
}

DIFF_CASE(exec_setid_table)
{
	limit_stack();
	make_files();
	for (int i = 0; i < ROWS; i++) {
		struct row r = { .caller = draw_caller(),
				 .program = draw_program(false),
				 .script = !draw(12) };
		r.caller.no_new_privs = !draw(12);
		try_row(&r);
	}
}

DIFF_CASE(exec_caps_table)
{
	limit_stack();
	make_files();
	for (int i = 0; i < ROWS; i++) {
		struct row r = { .caller = draw_caller(),
				 .program = draw_program(true),
				 .script = !draw(12) };
		r.caller.no_new_privs = !draw(12);
		try_row(&r);
	}
}

DIFF_CASE(exec_watched_table)
{
	limit_stack();
	make_files();
	for (int i = 0; i < ROWS; i++) {
		struct row r = { .caller = draw_caller(),
				 .program = draw_program(draw(2)) };
		switch (draw(4)) {
		case 0:
			r.nosuid = true;
			break;
		case 1:
			r.shared_fs = true;
			break;
		case 2:
			r.watcher = PLAIN;
			break;
		default:
			r.watcher = ROOT;
		}
		r.caller.no_new_privs = !draw(6);
		r.script = !draw(20);
		try_row(&r);
	}
}
