/*
 * Classic BPF as seccomp(2) has it: a filter of instructions (<linux/filter.h>) that runs
 * over one call (struct seccomp_data of <linux/seccomp.h>) and returns what is to become
 * of it. Pure: the caller brings the memory.
 *
 * What passed bpf_check always ends, after n instructions at most, and reads nothing but
 * the call and what it wrote itself.
 */
#ifndef LIB_BPF_H
#define LIB_BPF_H

#include <asm/errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "lib/base.h"

/* May that be a filter? As Linux says: jumps go forward and stay inside, every way ends
 * at a return, words of the call are whole and aligned, scratch memory was written on
 * every way that leads to where it is read, no constant divides by zero or shifts by 32
 * or more. written: n of them to work with. 0, -EINVAL. */
must_use int bpf_check(const struct sock_filter *f, size_t n, uint16_t *written);

/* Of a filter that passed: SECCOMP_RET_* and its data. */
uint32_t bpf_run(const struct sock_filter *f, const struct seccomp_data *call);

/* The same, if it is so whatever the arguments are and wherever the call is made. False:
 * it looks at these. */
must_use bool bpf_run_blind(const struct sock_filter *f, int nr, uint32_t arch,
			    uint32_t *ret);

#endif
