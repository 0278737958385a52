/*
 * seccomp(2): what programs forbid themselves. That page and seccomp_unotify(2) are the
 * specification; lib/bpf.h has the language of filters.
 *
 * A thread's filters are a chain, the newest first. A call whose number has its bit in
 * thread.gate.asks is put to all of them; the sternest answer counts, and among equals
 * the newest one's.
 *
 * Always true:
 *  Y1  a filter does not change once a thread has it, and holds the one below it;
 *  Y2  a thread's top filter is replaced only by one that stands on it, until the thread
 *      ends: so it runs its filters without a lock, whatever other threads install;
 *  Y3  it is replaced under process->lock, before the bits of `asks` are set;
 *  Y4  what may not be lifted is not: nothing takes a filter away, no option of a tracer
 *      suspends one.
 */
#ifndef PROC_SECCOMP_H
#define PROC_SECCOMP_H

#include <linux/seccomp.h>

#include "proc/policy.h"

struct seccomp_filter; /* seccomp_filter.h */

/* ---- the running thread's own doing ---- */

/* SECCOMP_SET_MODE_FILTER with SECCOMP_FILTER_FLAG_*, of a struct sock_fprog. 0, a
 * listener's descriptor, the id of a thread that cannot be synchronised, or -EINVAL,
 * -EACCES, -EFAULT, -ENOMEM, -EBUSY, -ESRCH. */
must_use int64_t seccomp_set_filter(uint32_t flags, uaddr_t program);
/* SECCOMP_SET_MODE_STRICT. 0, -EINVAL: there are filters. */
must_use int64_t seccomp_set_strict(void);

/* What strict mode and filters say to a call. True: it is carried out, as regs say now;
 * *ret_moved: a tracer was asked, and may have made another call of it. False: regs->rax
 * is its result, or the thread is to get a signal. May not return. */
must_use bool seccomp_check(struct pt_regs *regs, bool *ret_moved);

/* ---- clone and exit ---- */

/* t got a copy of the running thread's gate; process->lock is held. */
void seccomp_inherit(struct task *t);
/* The running thread will make no more calls. */
void seccomp_exit(void);

/* ---- what others see ---- */

struct seccomp_state {
	uint32_t mode; /* SECCOMP_MODE_* */
	uint32_t n_filters;
};
void seccomp_state_get(struct task *t, struct seccomp_state *ret);
/* PTRACE_SECCOMP_GET_FILTER: how many instructions t's index-th filter has, the first
 * that was installed being 0; copied to `to` unless that is NULL. PTRACE_SECCOMP_GET_
 * METADATA: of struct seccomp_metadata, the bytes there is room for. -EACCES, -EINVAL,
 * -ENOENT, -EFAULT. */
must_use int64_t seccomp_peek(struct task *t, uint64_t index, uaddr_t to);
must_use int64_t seccomp_peek_metadata(struct task *t, uint64_t size, uaddr_t at);

#endif
