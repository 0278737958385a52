/* execve(2), execveat(2): errors, scripts, what survives and what does not. */
#include "diff.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* What execve gives when tried in a child: its errno, or the status of what ran. */
static void try_exec(const char *path, char *const *argv)
{
	pid_t pid = fork();
	if (!pid) {
		execve(path, argv, environ);
		say("execve of %s: %s", path, err_name(errno));
		_exit(90);
	}
	say_status(path, reap(pid));
}

static void make_program(const char *path, const void *content, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	NEED(fd >= 0 && write(fd, content, n) == (ssize_t)n);
	NEED(!fchmod(fd, mode));
	close(fd);
}

static void copy_self(const char *path, mode_t mode)
{
	static char buf[1 << 16];
	int in = open("/proc/self/exe", O_RDONLY), n;
	int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	NEED(in >= 0 && out >= 0);
	while ((n = (int)read(in, buf, sizeof buf)) > 0)
		NEED(write(out, buf, (size_t)n) == n);
	NEED(!fchmod(out, mode));
	close(in);
	close(out);
}

/* -- what the new program sees ------------------------------------------------------- */

DIFF_HELPER(args)
{
	for (int i = 0; i < argc; i++)
		printf("argv[%d] = %s\n", i, argv[i]);
	for (char **e = environ; *e; e++)
		printf("env %s\n", *e);
	fflush(stdout);
	return 5;
}

DIFF_HELPER(signals)
{
	struct sigaction sa;
	sigset_t mask, pending;
	for (int sig = SIGUSR1; sig <= SIGUSR2; sig++)
		if (!sigaction(sig, NULL, &sa))
			printf("%s %s\n", sig_name(sig),
			       sa.sa_handler == SIG_DFL	  ? "default"
			       : sa.sa_handler == SIG_IGN ? "ignored"
							  : "caught");
	stack_t ss;
	sigaltstack(NULL, &ss);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	sigpending(&pending);
	printf("SIGTERM %s, %s; altstack %s\n",
	       sigismember(&mask, SIGTERM) ? "blocked" : "open",
	       sigismember(&pending, SIGTERM) ? "pending" : "not pending",
	       ss.ss_flags & SS_DISABLE ? "off" : "on");
	return fflush(stdout);
}

DIFF_HELPER(descriptors)
{
	for (int fd = 0; fd < 16; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d open, getfd %d\n", fd, fcntl(fd, F_GETFD));
	return fflush(stdout);
}

DIFF_HELPER(attributes)
{
	struct itimerval it;
	char name[17] = "";
	int death = -1;
	getitimer(ITIMER_REAL, &it);
	prctl(PR_GET_NAME, name);
	prctl(PR_GET_PDEATHSIG, &death);
	printf("name %s, itimer %s, pdeathsig %d, dumpable %d, keepcaps %d, nnp %d\n",
	       name, it.it_value.tv_sec ? "armed" : "off", death, prctl(PR_GET_DUMPABLE),
	       prctl(PR_GET_KEEPCAPS), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	printf("umask %03o, nice %d, slack %d, child subreaper unchanged\n", umask(0),
	       getpriority(PRIO_PROCESS, 0), prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) > 0);
	return fflush(stdout);
}

DIFF_HELPER(auxiliary)
{
	printf("pagesz %lu clktck %lu secure %lu uid %lu %lu gid %lu %lu\n",
	       getauxval(AT_PAGESZ), getauxval(AT_CLKTCK), getauxval(AT_SECURE),
	       getauxval(AT_UID), getauxval(AT_EUID), getauxval(AT_GID),
	       getauxval(AT_EGID));
	printf("phent %lu, phdr %s, entry %s, random %s, platform %s, flags %lu\n",
	       getauxval(AT_PHENT), getauxval(AT_PHDR) ? "set" : "none",
	       getauxval(AT_ENTRY) ? "set" : "none",
	       getauxval(AT_RANDOM) ? "set" : "none",
	       getauxval(AT_PLATFORM) ? (char *)getauxval(AT_PLATFORM) : "none",
	       getauxval(AT_FLAGS));
	printf("sysinfo_ehdr %s, hwcap2 %s, execfn %s, base %lu\n",
	       getauxval(AT_SYSINFO_EHDR) ? "set" : "none",
	       getauxval(AT_HWCAP2) & ~2ul ? "odd" : "even", (char *)getauxval(AT_EXECFN),
	       getauxval(AT_BASE));
	return fflush(stdout);
}

DIFF_CASE(exec_arguments_and_environment)
{
	setenv("A", "1", 1);
	setenv("EMPTY", "", 1);
	run_helper("args", "x", "", "y z", NULL);
}

DIFF_CASE(exec_auxiliary_vector)
{
	run_helper("auxiliary", NULL);
	become_nobody();
	run_helper("auxiliary", NULL);
}

DIFF_CASE(exec_signals)
{
	static char stack[8192];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
	catch (SIGUSR1, SA_RESTART);
	signal(SIGUSR2, SIG_IGN);
	sigaltstack(&ss, NULL);
	block_signal(SIGTERM);
	run_helper("signals", NULL);
	pid_t pid = fork();
	if (!pid) {
		raise(SIGTERM);
		run_helper("signals", NULL);
		exec_helper("signals", NULL);
	}
	say_status("with a pending signal", reap(pid));
}

DIFF_CASE(exec_descriptors)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup2(fd, 9);
	fcntl(dup2(fd, 10), F_SETFD, FD_CLOEXEC);
	fcntl(dup2(fd, 11), F_SETFD, 0);
	run_helper("descriptors", NULL);
}

DIFF_CASE(exec_attributes)
{
	struct itimerval it = { .it_value = { 1000, 0 } };
	prctl(PR_SET_NAME, "before");
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	prctl(PR_SET_KEEPCAPS, 1);
	prctl(PR_SET_DUMPABLE, 0);
	setpriority(PRIO_PROCESS, 0, 3);
	umask(031);
	pid_t pid = fork();
	if (!pid) {
		setitimer(ITIMER_REAL, &it, NULL);
		int out[2];
		char b[1024];
		NEED(!pipe(out));
		dup2(out[1], 1);
		if (!fork())
			exec_helper("attributes", NULL);
		close(out[1]), close(1);
		long n = 0, got;
		while ((got = read(out[0], b + n, sizeof b - (size_t)n)) > 0)
			n += got;
		say_bytes("child", b, n);
		_exit(0);
	}
	say_status("child", reap(pid));
}

DIFF_CASE(exec_errors)
{
	char *argv[] = { "x", NULL };
	NEED(!mkdir("d", 0755) && !symlink("loop", "loop"));
	make_program("plain", "x", 1, 0644);
	make_program("text", "not a program", 13, 0755);
	make_program("empty", "", 0, 0755);
	make_program("nul", "\0\0\0\0", 4, 0755);
	try_exec("missing", argv);
	try_exec("d", argv);
	try_exec("plain", argv);
	try_exec("text", argv);
	try_exec("empty", argv);
	try_exec("nul", argv);
	try_exec("loop", argv);
	try_exec("plain/x", argv);
	try_exec("", argv);
	TRY(execve((char *)8, argv, NULL));
	TRY(execve("text", (char **)8, NULL));
	TRY(execve("/proc/self/exe", (char *[]){ (char *)8, NULL }, NULL));
}

DIFF_CASE(exec_bad_elf)
{
	char *argv[] = { "x", NULL };
	Elf64_Ehdr e = { .e_ident = ELFMAG "\2\1\1",
			 .e_type = ET_EXEC,
			 .e_machine = EM_X86_64,
			 .e_version = 1,
			 .e_phoff = sizeof e,
			 .e_ehsize = sizeof e,
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 1 };
	make_program("short", &e, 20, 0755);
	make_program("nophdr", &e, sizeof e, 0755);
	e.e_machine = EM_AARCH64;
	make_program("arm", &e, sizeof e, 0755);
	e.e_machine = EM_X86_64, e.e_type = ET_REL;
	make_program("object", &e, sizeof e, 0755);
	e.e_type = ET_CORE;
	make_program("core", &e, sizeof e, 0755);
	e.e_type = ET_EXEC, e.e_phnum = 0;
	make_program("zero", &e, sizeof e, 0755);
	e.e_phnum = 1, e.e_phentsize = 8;
	make_program("phent", &e, sizeof e, 0755);
	try_exec("short", argv);
	try_exec("nophdr", argv);
	try_exec("arm", argv);
	try_exec("object", argv);
	try_exec("core", argv);
	try_exec("zero", argv);
	try_exec("phent", argv);
}

DIFF_CASE(exec_argument_limits)
{
	static char huge[140000], *argv[200];
	memset(huge, 'a', sizeof huge - 1);
	argv[0] = "args", argv[1] = huge;
	try_exec("/proc/self/exe", argv);
	huge[131071] = 0;
	pid_t pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), 1);
		execve("/proc/self/exe", argv, environ);
		_exit(90);
	}
	say_status("131071 bytes", reap(pid));
	for (int i = 1; i < 199; i++)
		argv[i] = huge;
	try_exec("/proc/self/exe", argv);
	NEED(!setrlimit(RLIMIT_STACK, &(struct rlimit){ 1 << 20, 1 << 20 }));
	argv[3] = NULL;
	try_exec("/proc/self/exe", argv);
	huge[100000] = 0;
	argv[2] = NULL;
	pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), 1);
		execve("/proc/self/exe", argv, environ);
		_exit(90);
	}
	say_status("a third of a MiB of stack", reap(pid));
}

DIFF_CASE(exec_scripts)
{
	char *argv[] = { "zero", "one", NULL };
	copy_self("args", 0755);
	make_program("s1", "#!./args\n", 9, 0755);
	make_program("s2", "#! ./args  two words \nrest", 26, 0755);
	make_program("s3", "#!./s1\n", 7, 0755);
	make_program("s4", "#!\n", 3, 0755);
	make_program("s5", "#!./missing\n", 12, 0755);
	make_program("s6", "#!./s6\n", 7, 0755);
	make_program("s7", "#!./args", 8, 0755);
	static const char *const scripts[] = { "./s1", "./s2", "./s3", "./s4",
					       "./s5", "./s6", "./s7" };
	for (unsigned i = 0; i < 7; i++) {
		int out[2];
		static char b[4096];
		NEED(!pipe(out));
		pid_t pid = fork();
		if (!pid) {
			dup2(out[1], 1);
			execve(scripts[i], argv, environ);
			say("%s: %s", scripts[i], err_name(errno));
			_exit(91);
		}
		close(out[1]);
		say_status(scripts[i], reap(pid));
		long n = read(out[0], b, sizeof b);
		if (n > 0)
			say_bytes("output", b, n);
		close(out[0]);
	}
}

DIFF_CASE(exec_script_line_limit)
{
	char script[600], *argv[] = { "x", NULL };
	copy_self("args", 0755);
	memset(script, 'b', sizeof script);
	memcpy(script, "#!./args ", 9);
	script[599] = '\n';
	make_program("long", script, sizeof script, 0755);
	pid_t pid = fork();
	if (!pid) {
		dup2(open("out", O_CREAT | O_RDWR, 0644), 1);
		execve("./long", argv, environ);
		_exit(91);
	}
	say_status("long", reap(pid));
	struct stat st;
	SHOW(!stat("out", &st) ? st.st_size : -1);
	memset(script, 'c', sizeof script);
	memcpy(script, "#!", 2);
	make_program("longer", script, sizeof script, 0755);
	try_exec("./longer", argv);
}

DIFF_CASE(exec_file_busy)
{
	char *argv[] = { "sleeper", NULL };
	copy_self("prog", 0755);
	int fd = open("prog", O_WRONLY);
	try_exec("./prog", argv);
	close(fd);
	pid_t pid = fork();
	if (!pid) {
		argv[0] = "pauses";
		execve("./prog", argv, environ);
		_exit(1);
	}
	wait_asleep(pid);
	nap(20);
	wait_asleep(pid);
	TRY(open("prog", O_WRONLY));
	TRY(truncate("prog", 0));
	TRY(unlink("prog"));
	kill(pid, SIGKILL);
	say_status("prog", reap(pid));
}

DIFF_HELPER(pauses)
{
	pause();
	return 0;
}

DIFF_CASE(execveat_corners)
{
	char *argv[] = { "args", NULL }, *env[] = { NULL };
	copy_self("prog", 0755);
	NEED(!symlink("prog", "link"));
	int fd = open("prog", O_PATH), here = open(".", O_RDONLY);
	dup2(open("/dev/null", O_WRONLY), 1);
	TRY(syscall(SYS_execveat, fd, "", argv, env, 0));
	TRY(syscall(SYS_execveat, here, "link", argv, env, AT_SYMLINK_NOFOLLOW));
	TRY(syscall(SYS_execveat, 99, "prog", argv, env, 0));
	TRY(syscall(SYS_execveat, fd, "x", argv, env, 0));
	TRY(syscall(SYS_execveat, here, "", argv, env, AT_EMPTY_PATH));
	TRY(syscall(SYS_execveat, here, "prog", argv, env, 1));
	pid_t pid = fork();
	if (!pid)
		_exit((int)syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH));
	say_status("by descriptor", reap(pid));
	pid = fork();
	if (!pid)
		_exit((int)syscall(SYS_execveat, here, "link", argv, env, 0));
	say_status("by name", reap(pid));
}

DIFF_CASE(execveat_script_by_descriptor)
{
	char *argv[] = { "x", NULL };
	copy_self("args", 0755);
	make_program("s", "#!./args\n", 9, 0755);
	int fd = open("s", O_RDONLY), keep = open("s", O_RDONLY);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	dup2(keep, 20);
	for (int i = 0; i < 2; i++) {
		int out[2];
		char b[1024];
		NEED(!pipe(out));
		pid_t pid = fork();
		if (!pid) {
			dup2(out[1], 1);
			syscall(SYS_execveat, i ? fd : 20, "", argv, environ,
				AT_EMPTY_PATH);
			say("%s", err_name(errno));
			_exit(92);
		}
		close(out[1]);
		say_status("script", reap(pid));
		say_bytes("output", b, read(out[0], b, sizeof b));
		close(out[0]);
	}
}

static void *sleep_on(void *arg)
{
	while (pause())
		;
	return arg;
}

static void *exec_from_here(void *arg)
{
	exec_helper("single", NULL);
	return arg;
}

DIFF_HELPER(single)
{
	int tasks = 0;
	DIR *dir = opendir("/proc/self/task");
	while (readdir(dir))
		tasks++;
	return getpid() == syscall(SYS_gettid) && tasks == 3 ? 0 : 1;
}

DIFF_CASE(exec_from_a_thread)
{
	pid_t pid = fork();
	if (!pid) {
		pthread_t t;
		for (int i = 0; i < 3; i++)
			pthread_create(&t, NULL, sleep_on, NULL);
		pthread_create(&t, NULL, exec_from_here, NULL);
		sleeper();
	}
	say_status("all threads but one are gone, the pid is kept", reap(pid));
}

DIFF_CASE(exec_setuid_program)
{
	copy_self("prog", 04755);
	NEED(!chown("prog", 4321, 0) && !chmod("prog", 04755) && !chmod(".", 0755));
	become_nobody();
	pid_t pid = fork();
	if (!pid)
		execve("./prog", (char *[]){ "ids", NULL }, environ);
	say_status("setuid: euid is the owner's, AT_SECURE", reap(pid));
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	pid = fork();
	if (!pid)
		execve("./prog", (char *[]){ "ids", NULL }, environ);
	say_status("no_new_privs", reap(pid));
}

DIFF_HELPER(ids)
{
	return (geteuid() == 4321) | (getauxval(AT_SECURE) ? 2 : 0) |
	       (getuid() == 1234 ? 4 : 0) | (prctl(PR_GET_DUMPABLE) == 1 ? 8 : 0);
}

DIFF_CASE(exec_setgid_program)
{
	copy_self("prog", 0755);
	NEED(!chown("prog", 0, 77) && !chmod("prog", 02755) && !chmod(".", 0755));
	become_nobody();
	pid_t pid = fork();
	if (!pid)
		execve("./prog", (char *[]){ "gids", NULL }, environ);
	say_status("setgid", reap(pid));
}

DIFF_HELPER(gids)
{
	return (getegid() == 77) | (getauxval(AT_SECURE) ? 2 : 0);
}
