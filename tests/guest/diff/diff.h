/*
 * What differential cases are made of. A case exercises one call, or one corner of one,
 * and says what it saw; the same static program runs on Linux and on Mayfly, and the two
 * outputs have to be equal byte for byte (tests/guest/diff.py compares them).
 *
 *	DIFF_CASE(dup2_onto_itself)
 *	{
 *		TRY(dup2(1, 1));		says "dup2(1, 1) = 1"
 *		TRY(dup2(99, 99));		says "dup2(99, 99): EBADF"
 *	}
 *
 * A case runs in a process of its own: a session leader without a terminal, root, in a
 * fresh folder of a fresh tmpfs, umask 022, every signal at its default, three open
 * descriptors (all /dev/null), the same limits everywhere. What it says must not depend
 * on a pid, an address, a time, or who runs first: say relations, and wait for events.
 */
#ifndef DIFF_H
#define DIFF_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct diff_case {
	const char *name;
	void (*fn)(void);
};

/* What a case execs: argv[0] of the program itself. Its exit status is the function's. */
struct diff_helper {
	const char *name;
	int (*fn)(int argc, char **argv);
};

#define DIFF_CASE(id)                                                                    \
	static void case_##id(void);                                                     \
	static const struct diff_case entry_##id __attribute__((                         \
		used, section("diff_cases"), aligned(8))) = { #id, case_##id };          \
	static void case_##id(void)

#define DIFF_HELPER(id)                                                                  \
	static int helper_##id(int argc, char **argv);                                   \
	static const struct diff_helper entry_##id __attribute__((                       \
		used, section("diff_helpers"), aligned(8))) = { #id, helper_##id };      \
	static int helper_##id(int argc, char **argv)

/* -- saying ------------------------------------------------------------------------- */

/* One line of the case's output, from any of its processes, whatever they closed. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* "LABEL: N bytes: TEXT", what is not printable as \ooo. */
void say_bytes(const char *label, const void *bytes, long n);
/* "LABEL: exited 3", "LABEL: killed by SIGKILL", ... */
void say_status(const char *label, int status);

/* "CALL = VALUE" or "CALL: ERRNO"; gives the value. */
#define TRY(call) diff_try(#call, (errno = 0, (long)(call)))
/* The same for a value that means nothing outside this run: "CALL: ok" or "CALL:
 * ERRNO". */
#define MAY(call) diff_may(#call, (errno = 0, (long)(call)))
/* "EXPR = VALUE", of anything that is not a call with an errno. */
#define SHOW(expr) say("%s = %lld", #expr, (long long)(expr))
/* "EXPR = 0octal". */
#define SHOW_OCTAL(expr) say("%s = 0%llo", #expr, (unsigned long long)(expr))

/* Adds n bytes to what the case said. */
void diff_write(const char *line, size_t n);
long diff_try(const char *label, long result);
long diff_may(const char *label, long result);

/* "ENOENT", "SIGUSR1", or the number. Static, overwritten by the next call. */
const char *err_name(int err);
const char *sig_name(int sig);

/* -- doing -------------------------------------------------------------------------- */

/* What the case's preparation needs; when it is false the case ends there, saying so. */
#define NEED(cond) ((cond) ? (void)0 : diff_need(#cond))
void diff_need(const char *what) __attribute__((noreturn));

/* A child that runs fn and exits with what it gives. */
pid_t child_of(int (*fn)(void));
/* For child_of: sleeps until a signal ends it. */
int sleeper(void);
/* Waits for it and gives its wait status; -1 when it is no child. */
int reap(pid_t pid);
/* Returns when the thread sleeps (10 s at most): what was asked of it has begun. */
void wait_asleep(pid_t tid);
/* Returns when the process is stopped or a zombie, by the letter of /proc. */
void wait_state(pid_t pid, char state);
void nap(unsigned ms);
/* Nanoseconds of the monotonic clock. */
int64_t now_ns(void);

/* A file with that content in the working directory. */
void make_file(const char *path, const char *content);
/* All that is in a file of at most 64 KiB, as say_bytes says it. */
void say_file(const char *path);

/* A handler that counts: caught[sig]. SA_SIGINFO fills caught_info too. */
extern volatile sig_atomic_t caught[65];
extern siginfo_t caught_info;
void catch (int sig, int flags);
void block_signal(int sig);
void unblock_signal(int sig);

/* Runs a helper of this program in a new process: exec of /proc/self/exe with that
 * argv[0], arguments up to NULL. Says each line of its output, then its status. */
void run_helper(const char *name, ...) __attribute__((sentinel));
/* The exec alone; returns when it fails. */
int exec_helper(const char *name, char *const *more);

/* Root no more: uid and gid 1234, no other groups, no capabilities. */
void become_nobody(void);
/* fn in a child that is; says "nobody" and how it ended. */
void as_nobody(void (*fn)(void));

/* A page of zeros, shared by the case's processes. */
uint32_t *shared_words(void);
/* futex(2). The fourth argument is a deadline, or a number where one is wanted. */
long futex(uint32_t *at, int op, uint32_t val, const void *timeout, uint32_t *at2,
	   uint32_t val3);

#endif
