/*
 * The VFS on the host: fakes of memory, page cache, locks and the current thread, and the
 * few file calls that tests are made of. One thread; every lock's rank is checked.
 */
#ifndef TESTS_UNIT_KERNEL_FS_HARNESS_H
#define TESTS_UNIT_KERNEL_FS_HARNESS_H

#include "core/sched.h"
#include "fs/vfs.h"

/* A current thread with root's credentials and the VFS up; a tmpfs (or what is named)
 * as root. harness_end unmounts nothing: it checks that nothing is locked. */
void harness_begin(void);
void harness_mount_root(const char *type, const char *data);
void harness_end(void);

/* Heap objects in use: two equal counts around something mean it leaked nothing. */
extern long heap_objects;
/* The n-th allocation from now on fails, once; 0: none. */
extern long heap_fail_in;
/* Soft limit that fs_upcalls.rlimit gives for everything, and the last signal sent. */
extern uint64_t fake_limit;
extern int fake_signal;

/* Becomes this user, without capabilities unless uid is 0. */
void become(uid_t uid, gid_t gid);

/* Calls by path, from the current directory; results as system calls give them. */
int64_t put(const char *path, const char *text); /* create or truncate, then write */
/* Its content in a static buffer; NULL with *err set when it cannot be read. */
const char *get(const char *path);
int exists(const char *path); /* 1, 0; symbolic links are not followed */
int64_t stat_of(const char *path, struct kstat *ret);
struct file *must_open(const char *path, uint32_t flags);
/* Names in a directory, sorted, with spaces between: "a b c". */
const char *names(const char *path);
int chmod_to(const char *path, uint32_t mode);
int truncate_to(const char *path, uint64_t size);
int open_err(const char *path, uint32_t flags); /* 0 or what open says; closes again */
int rename_to(const char *a, const char *b, uint32_t flags);
int readlink_of(const char *path, char *buf, size_t n);

/* A test's set-up and end: a tmpfs with a directory /d and a file /d/f that says
 * "text". */
int small_tree(void **state);
int small_tree_end(void **state);

#endif
