/* What cases do again and again: see diff.h. */
#include "diff.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 10000

/* -- names --------------------------------------------------------------------------- */

#define NAME(e)                                                                          \
	{                                                                                \
		e, #e                                                                    \
	}

static const struct name {
	int value;
	const char *text;
} err_names[] = {
	NAME(EPERM),
	NAME(ENOENT),
	NAME(ESRCH),
	NAME(EINTR),
	NAME(EIO),
	NAME(ENXIO),
	NAME(E2BIG),
	NAME(ENOEXEC),
	NAME(EBADF),
	NAME(ECHILD),
	NAME(EAGAIN),
	NAME(ENOMEM),
	NAME(EACCES),
	NAME(EFAULT),
	NAME(ENOTBLK),
	NAME(EBUSY),
	NAME(EEXIST),
	NAME(EXDEV),
	NAME(ENODEV),
	NAME(ENOTDIR),
	NAME(EISDIR),
	NAME(EINVAL),
	NAME(ENFILE),
	NAME(EMFILE),
	NAME(ENOTTY),
	NAME(ETXTBSY),
	NAME(EFBIG),
	NAME(ENOSPC),
	NAME(ESPIPE),
	NAME(EROFS),
	NAME(EMLINK),
	NAME(EPIPE),
	NAME(EDOM),
	NAME(ERANGE),
	NAME(EDEADLK),
	NAME(ENAMETOOLONG),
	NAME(ENOLCK),
	NAME(ENOSYS),
	NAME(ENOTEMPTY),
	NAME(ELOOP),
	NAME(ENOMSG),
	NAME(EIDRM),
	NAME(ENODATA),
	NAME(EOVERFLOW),
	NAME(EBADFD),
	NAME(ENOTSOCK),
	NAME(EDESTADDRREQ),
	NAME(EMSGSIZE),
	NAME(EPROTOTYPE),
	NAME(ENOPROTOOPT),
	NAME(EPROTONOSUPPORT),
	NAME(EOPNOTSUPP),
	NAME(ESOCKTNOSUPPORT),
	NAME(EAFNOSUPPORT),
	NAME(EADDRINUSE),
	NAME(EADDRNOTAVAIL),
	NAME(ECONNABORTED),
	NAME(ECONNRESET),
	NAME(ENOBUFS),
	NAME(EISCONN),
	NAME(ENOTCONN),
	NAME(ETIMEDOUT),
	NAME(ECONNREFUSED),
	NAME(EALREADY),
	NAME(EINPROGRESS),
	NAME(ESTALE),
	NAME(ETOOMANYREFS),
	NAME(ECANCELED),
	NAME(EPFNOSUPPORT),
};

static const struct name sig_names[] = {
	NAME(SIGHUP),  NAME(SIGINT),   NAME(SIGQUIT), NAME(SIGILL),  NAME(SIGTRAP),
	NAME(SIGABRT), NAME(SIGBUS),   NAME(SIGFPE),  NAME(SIGKILL), NAME(SIGUSR1),
	NAME(SIGSEGV), NAME(SIGUSR2),  NAME(SIGPIPE), NAME(SIGALRM), NAME(SIGTERM),
	NAME(SIGCHLD), NAME(SIGCONT),  NAME(SIGSTOP), NAME(SIGTSTP), NAME(SIGTTIN),
	NAME(SIGTTOU), NAME(SIGURG),   NAME(SIGXCPU), NAME(SIGXFSZ), NAME(SIGVTALRM),
	NAME(SIGPROF), NAME(SIGWINCH), NAME(SIGIO),   NAME(SIGPWR),  NAME(SIGSYS),
};

static const char *name_of(const struct name *names, size_t n, const char *kind,
			   int value)
{
	static char number[32];
	for (size_t i = 0; i < n; i++)
		if (names[i].value == value)
			return names[i].text;
	snprintf(number, sizeof number, "%s %d", kind, value);
	return number;
}

const char *err_name(int err)
{
	return name_of(err_names, sizeof err_names / sizeof *err_names, "errno", err);
}

const char *sig_name(int sig)
{
	return name_of(sig_names, sizeof sig_names / sizeof *sig_names, "signal", sig);
}

/* -- saying ------------------------------------------------------------------------- */

void say(const char *fmt, ...)
{
	char line[1200] = " ";
	va_list ap;
	va_start(ap, fmt);
	int n = 1 + vsnprintf(line + 1, sizeof line - 2, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof line - 2)
		n = sizeof line - 2;
	for (int i = 1; i < n; i++)
		if (line[i] == '\n')
			line[i] = '~';
	line[n++] = '\n';
	diff_write(line, (size_t)n);
}

void say_bytes(const char *label, const void *bytes, long n)
{
	char text[1000];
	size_t at = 0;
	const unsigned char *b = bytes;
	for (long i = 0; i < n && at < sizeof text - 5; i++) {
		if (b[i] >= ' ' && b[i] < 0x7f)
			text[at++] = (char)b[i];
		else
			at += (size_t)sprintf(text + at, "\\%03o", b[i]);
	}
	text[at] = 0;
	if (n < 0)
		say("%s: %s", label, err_name(errno));
	else
		say("%s: %ld bytes: %s", label, n, text);
}

void say_status(const char *label, int status)
{
	if (status == -1)
		say("%s: no such child", label);
	else if (WIFEXITED(status))
		say("%s: exited %d", label, WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("%s: killed by %s", label, sig_name(WTERMSIG(status)));
	else if (WIFSTOPPED(status))
		say("%s: stopped by %s", label, sig_name(WSTOPSIG(status)));
	else
		say("%s: continued", label);
}

long diff_try(const char *label, long result)
{
	int err = errno;
	if (result == -1 && err)
		say("%s: %s", label, err_name(err));
	else
		say("%s = %ld", label, result);
	errno = err;
	return result;
}

long diff_may(const char *label, long result)
{
	int err = errno;
	say("%s: %s", label, result == -1 ? err_name(err) : "ok");
	errno = err;
	return result;
}

void diff_need(const char *what)
{
	say("could not prepare: %s: %s", what, err_name(errno));
	_exit(99);
}

/* -- processes ----------------------------------------------------------------------- */

pid_t child_of(int (*fn)(void))
{
	pid_t pid = fork();
	NEED(pid >= 0);
	if (!pid)
		_exit(fn());
	return pid;
}

int sleeper(void)
{
	while (pause())
		;
	return 0;
}

int reap(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return -1;
	return status;
}

static char state_of(pid_t pid)
{
	char path[64], stat[256], state = '?';
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return state;
	ssize_t n = read(fd, stat, sizeof stat - 1);
	close(fd);
	stat[n > 0 ? n : 0] = 0;
	char *end = strrchr(stat, ')');
	return end && end[1] ? end[2] : state;
}

void wait_state(pid_t pid, char state)
{
	for (int64_t end = now_ns() + PATIENCE_MS * 1000000LL; now_ns() < end; nap(1))
		if (state_of(pid) == state)
			return;
	say("process never came to state %c", state);
}

void wait_asleep(pid_t tid)
{
	wait_state(tid, 'S');
}

void nap(unsigned ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };
	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

int64_t now_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* -- files --------------------------------------------------------------------------- */

void make_file(const char *path, const char *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	NEED(fd >= 0);
	NEED(write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
}

void say_file(const char *path)
{
	static char buf[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof buf);
	say_bytes(path, buf, n);
	if (fd >= 0)
		close(fd);
}

/* -- signals ------------------------------------------------------------------------- */

volatile sig_atomic_t caught[65];
siginfo_t caught_info;

static void count_it(int sig)
{
	caught[sig]++;
}

static void count_info(int sig, siginfo_t *info, void *frame)
{
	caught[sig]++;
	caught_info = *info;
}

void catch (int sig, int flags)
{
	struct sigaction sa = { .sa_flags = flags };
	if (flags & SA_SIGINFO)
		sa.sa_sigaction = count_info;
	else
		sa.sa_handler = count_it;
	NEED(!sigaction(sig, &sa, NULL));
}

static void mask_signal(int how, int sig)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	NEED(!sigprocmask(how, &set, NULL));
}

void block_signal(int sig)
{
	mask_signal(SIG_BLOCK, sig);
}

void unblock_signal(int sig)
{
	mask_signal(SIG_UNBLOCK, sig);
}

/* -- exec ---------------------------------------------------------------------------- */

int exec_helper(const char *name, char *const *more)
{
	char *argv[16] = { (char *)name };
	for (int i = 1; i < 15 && more && (argv[i] = more[i - 1]); i++)
		;
	return execve("/proc/self/exe", argv, environ);
}

static void say_lines(int fd)
{
	static char buf[65536];
	size_t n = 0;
	ssize_t got;
	while ((got = read(fd, buf + n, sizeof buf - 1 - n)) > 0)
		n += (size_t)got;
	buf[n] = 0;
	for (char *line = strtok(buf, "\n"); line; line = strtok(NULL, "\n"))
		say("%s", line);
}

void run_helper(const char *name, ...)
{
	char *more[16];
	int n = 0, out[2];
	va_list ap;
	va_start(ap, name);
	while (n < 15 && (more[n] = va_arg(ap, char *)))
		n++;
	more[n] = NULL;
	va_end(ap);
	NEED(!pipe(out));
	pid_t pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		dup2(out[1], 1);
		close(out[0]);
		if (out[1] != 1)
			close(out[1]);
		exec_helper(name, more);
		say("exec of %s: %s", name, err_name(errno));
		_exit(98);
	}
	close(out[1]);
	say_lines(out[0]);
	close(out[0]);
	say_status(name, reap(pid));
}

void become_nobody(void)
{
	NEED(!setgroups(0, NULL));
	NEED(!setresgid(1234, 1234, 1234));
	NEED(!setresuid(1234, 1234, 1234));
}

void as_nobody(void (*fn)(void))
{
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		fn();
		_exit(0);
	}
	say_status("nobody", reap(pid));
}

uint32_t *shared_words(void)
{
	uint32_t *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	NEED(words != MAP_FAILED);
	return words;
}

long futex(uint32_t *at, int op, uint32_t val, const void *timeout, uint32_t *at2,
	   uint32_t val3)
{
	return syscall(SYS_futex, at, op, val, timeout, at2, val3);
}
