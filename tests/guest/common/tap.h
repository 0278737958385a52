/*
 * What guest tests are made of. A test program is static, runs on Mayfly and on Linux
 * alike (the host is the oracle), and prints TAP: one line per case.
 *
 *	static void reads_what_was_written(void) { ... CHECK(read(fd, b, 4) == 4); ... }
 *	TEST_MAIN(CASE(reads_what_was_written), ...)
 *
 * A case runs in a child process, so that one that crashes or hangs (20 s) is one
 * failure. A case without a single CHECK fails: it shows nothing.
 */
#ifndef GUEST_TAP_H
#define GUEST_TAP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

struct tap_case {
	const char *name;
	void (*fn)(void);
};

#define CASE(fn)                                                                         \
	{                                                                                \
#fn, fn                                                                  \
	}
#define TEST_MAIN(...)                                                                   \
	int main(int argc, char **argv)                                                  \
	{                                                                                \
		static const struct tap_case cases[] = { __VA_ARGS__ };                  \
		return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);       \
	}

/* Runs the cases named in argv, or all. 0 when all passed. */
int tap_run(const struct tap_case *cases, size_t n, int argc, char **argv);

/* Fails the case at this line and leaves it. */
void tap_fail(const char *file, int line, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
/* Leaves the case as skipped (root needed, and the like); counted, never as passed. */
void tap_skip(const char *why) __attribute__((noreturn));
/* Skips the case on any machine but Mayfly's own: it would harm another, or shows what is
 * meant to differ from Linux. */
void tap_needs_mayfly(void);
bool tap_on_mayfly(void);
void tap_needs_root(void);
void tap_checked(void);

#define CHECK(cond)                                                                      \
	do {                                                                             \
		tap_checked();                                                           \
		if (!(cond))                                                             \
			tap_fail(__FILE__, __LINE__, "%s (errno %d)", #cond, errno);     \
	} while (0)

#define CHECK_EQ(a, b)                                                                   \
	do {                                                                             \
		long long a_ = (long long)(a), b_ = (long long)(b);                      \
		tap_checked();                                                           \
		if (a_ != b_)                                                            \
			tap_fail(__FILE__, __LINE__, "%s is %lld, not %lld (errno %d)",  \
				 #a, a_, b_, errno);                                     \
	} while (0)

/* The call gives -1 with just this errno. */
#define CHECK_ERR(call, err)                                                             \
	do {                                                                             \
		errno = 0;                                                               \
		long long r_ = (long long)(call);                                        \
		tap_checked();                                                           \
		if (r_ != -1 || errno != (err))                                          \
			tap_fail(__FILE__, __LINE__, "%s gave %lld, errno %d, not %s",   \
				 #call, r_, errno, #err);                                \
	} while (0)

/* A fresh empty directory, also the working directory; removed when the case ends. */
const char *tap_tmpdir(void);
/* Waits for a child; its wait status. Fails the case if there is none. */
int tap_wait(int pid);

#endif
