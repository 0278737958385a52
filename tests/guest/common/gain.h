/*
 * What tests of ways to become root share: the test program is its own victim, a copy of
 * itself that belongs to root and has a set-user-ID bit, started by a plain user with an
 * argument that says what it shall do.
 */
#ifndef GUEST_GAIN_H
#define GUEST_GAIN_H

#include <sys/types.h>

#include "tap.h"

#define PLAIN 77	  /* the user that attacks: an exit code can say who it is */
#define STAYS "--euid"	  /* exits with its effective user id */
#define SECURE "--secure" /* exits with AT_SECURE */
#define HOLDS "--hold"	  /* says on its standard output that it runs, and waits */

extern char victim[]; /* the path of the latest one */

/* A case's directory, and a copy of this program in it. Root's work. */
void gain_dir(void);
void gain_copy(const char *name, uid_t owner, mode_t mode); /* its path in `victim` */

/* All ids are uid's, and it is dumpable. */
void gain_become(uid_t uid);
/* The attack runs as PLAIN in a child; a CHECK that fails there fails the case. */
void gain_as_plain(void (*attack)(void));
/* A child of any kind: its exit code, 128 + a signal. A CHECK that fails in it fails the
 * case. */
int gain_wait(int pid);
/* Runs a program with one argument and waits. */
int gain_run(const char *path, const char *arg);
/* Starts a program with HOLDS, and returns when it runs. gain_end kills and reaps: it
 * ends by itself when its standard input does. */
int gain_hold(const char *path);
void gain_end(int pid);
/* What a held victim does: says that it runs, and stays until gain_end. Its status. */
int gain_held(void);

/* What the argument of a victim says, before any case runs; `own` knows more words. */
int gain_main(const struct tap_case *cases, size_t n, int argc, char **argv,
	      int (*own)(int argc, char **argv));

#define GAIN_MAIN(own, ...)                                                              \
	int main(int argc, char **argv)                                                  \
	{                                                                                \
		static const struct tap_case cases[] = { __VA_ARGS__ };                  \
		return gain_main(cases, sizeof cases / sizeof cases[0], argc, argv,      \
				 own);                                                   \
	}

#endif
