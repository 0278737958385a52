/* Signal sets and queues as the kernel keeps them: one bit per signal, 1..64. */
#ifndef PROC_SIGSET_H
#define PROC_SIGSET_H

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/list.h"

typedef uint64_t sigset64_t;
#define SIG_BIT(sig) (1ull << ((sig)-1))

struct account;

/* A queued signal's details. */
struct sigqueue {
	struct list link;
	siginfo_t info;
	struct account *account; /* whose RLIMIT_SIGPENDING it counts against */
	void *owner;		 /* POSIX timer that owns this entry, or NULL */
};

struct sigpending {
	sigset64_t set;
	sigset64_t bare;   /* of these: kernel-made, without an entry in the queue */
	struct list queue; /* struct sigqueue, oldest first */
};

#endif
