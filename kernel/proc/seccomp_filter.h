/* Filters as objects, and what asks them. Internal to seccomp*.c; seccomp.h says what
 * always holds. */
#ifndef PROC_SECCOMP_FILTER_H
#define PROC_SECCOMP_FILTER_H

#include <asm/unistd.h>

#include "lib/bpf.h"
#include "proc/seccomp.h"

struct notifier; /* seccomp_notify.c: those whom USER_NOTIF asks */

struct seccomp_filter {
	struct ref refs;
	/* of the references those by which calls may still be asked of it: of threads
	 * that live, and of filters for which that is so */
	struct ref users;
	struct seccomp_filter *below; /* [Y1] older; referenced */
	struct notifier *notifier;    /* [Y1] referenced; NULL */
	uint32_t depth;		      /* [Y1] filters there are, with this one */
	uint32_t total;		      /* [Y1] what they cost: SECCOMP_TOTAL_MAX */
	bool log;		      /* [I] SECCOMP_FILTER_FLAG_LOG */
	uint32_t n;		      /* [I] */
	struct sock_filter code[];    /* [I] passed bpf_check */
};

/* SECCOMP_MODE_STRICT, seccomp(2): of the first 64 numbers; none of the others. */
#define SECCOMP_STRICT_PASSES                                                            \
	(BIT(__NR_read) | BIT(__NR_write) | BIT(__NR_exit) | BIT(__NR_rt_sigreturn))

/* seccomp(2), ENOMEM: instructions, and so many more for each filter. */
#define SECCOMP_TOTAL_MAX 32768u
#define SECCOMP_PENALTY 4u

/* Copies a program in and checks it; one reference and one user. -EFAULT, -EINVAL,
 * -EACCES, -ENOMEM. */
must_use int seccomp_filter_from_user(uaddr_t program, struct seccomp_filter **ret);
/* A new one is put on top of that chain, of which it takes over a reference and user. */
void seccomp_filter_put_on(struct seccomp_filter *f, struct seccomp_filter *below);
/* What it costs on top of that. */
uint32_t seccomp_filter_total(const struct seccomp_filter *f,
			      const struct seccomp_filter *below);
/* The numbers that it does not allow whatever the arguments, but for those in `known`. */
void seccomp_filter_asks(const struct seccomp_filter *f, const uint64_t *known,
			 uint64_t ret[POLICY_NUMBERS / 64]);
/* Is `part` (NULL: nothing) all of `top`'s chain from somewhere on? */
must_use bool seccomp_filter_stands_on(const struct seccomp_filter *top,
				       const struct seccomp_filter *part);

void seccomp_filter_get(struct seccomp_filter *f);
void seccomp_filter_put(struct seccomp_filter *f);
/* The same with a user. */
void seccomp_filter_use(struct seccomp_filter *f);
void seccomp_filter_unuse(struct seccomp_filter *f);

/* t's topmost one, referenced; NULL: none. */
must_use struct seccomp_filter *seccomp_filter_of(struct task *t);

/* ---- seccomp_notify.c ---- */

/* With the listener's file. -ENOMEM. */
must_use int notifier_new(bool wait_killable, struct notifier **ret,
			  struct file **ret_file);
void notifier_put(struct notifier *n);
/* Is there nobody who listens any more? */
must_use bool notifier_is_closed(struct notifier *n);
/* No call will be asked about any more. */
void notifier_abandon(struct notifier *n);
/* The running thread's call. True: it is carried out. n NULL: nobody listens. */
must_use bool notifier_ask(struct notifier *n, struct pt_regs *regs,
			   const struct seccomp_data *call);

#endif
