/*
 * The `mayfly` command: what its parts share.
 *
 * H1  Exit status: the job's own, 128+n if signal n killed it, and as under env(1) and
 * timeout(1): MAYFLY_TIMED_OUT, MAYFLY_FAILED, MAYFLY_NOT_EXECUTABLE, MAYFLY_NOT_FOUND.
 * H2  Whatever goes wrong is one line on stderr: what, where, what to do.
 * H3  However the command ends, SIGKILL included, no QEMU and no temporary file stay
 *     behind.
 * H4  Everything that comes from the guest is hostile: frames, paths, texts.
 */
#ifndef HOST_MAYFLY_H
#define HOST_MAYFLY_H

#include <sys/types.h>

#include "lib/base.h"

#define MAYFLY_VERSION "0.1"

enum {
	MAYFLY_TIMED_OUT = 124,
	MAYFLY_FAILED = 125,
	MAYFLY_NOT_EXECUTABLE = 126,
	MAYFLY_NOT_FOUND = 127,
	/* What a shell shows for SIGXFSZ, which ends a program that writes too much. */
	MAYFLY_OUTPUT_LIMIT = 128 + 25,
};

/* Whom a job runs as unless somebody says: the number of a user and a group, which need
 * not be in a guest's lists. */
#define JOB_ID 1000u

/* "mayfly: ...\n" on stderr in one write; control characters of guest and files are
 * masked. */
void say(const char *format, ...) printf_like(1, 2);
/* A further line of the same message. */
void say_more(const char *format, ...) printf_like(1, 2);

mode_t umask_now(void);

/* CLOCK_MONOTONIC. */
uint64_t now_ns(void);

/* What malloc and its kin would return, or the end of the command: MAYFLY_FAILED. */
void *must_alloc(size_t size); /* zeroed */
void *must_grow(void *at, size_t size);
char *must_format(const char *format, ...) printf_like(1, 2);
/* tsearch(3), and what the node holds: `key`, or what was there before. */
void *must_search(void *key, void **root, int (*compare)(const void *, const void *));

/* write(2) until all is written. 0 or -errno. */
must_use int write_all(int fd, const void *bytes, size_t size);
/* A whole file of at most `max` bytes, with a NUL after it; heap. 0 or -errno. */
must_use int read_file(const char *path, size_t max, char **ret_text, size_t *ret_size);

/* The folder of caches, XDG_CACHE_HOME/mayfly, made if need be; NULL when there can be
 * none. */
const char *cache_folder(void);

struct options;

/* The commands: each returns the exit status. */
int command_run(const struct options *options);
int command_convert(const struct options *options);
int command_audit_show(const struct options *options);
int command_audit_tree(const struct options *options);
int command_audit_export(const struct options *options);
int command_audit_verify(const struct options *options);
int command_doctor(const struct options *options);
int command_version(const struct options *options);
int command_help(const struct options *options);

#endif
