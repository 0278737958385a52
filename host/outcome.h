/* How a run ended, in one value: its exit status, its line on stderr, its name in the
 * report. */
#ifndef HOST_OUTCOME_H
#define HOST_OUTCOME_H

#include "host/mayfly.h"
#include "lib/wire.h"

enum outcome_kind {
#define OUTCOME(name, text, status) OUTCOME_##name,
#include "host/outcome.def"
};

struct outcome {
	enum outcome_kind kind;
	int status;	/* EXITED: the job's */
	int signal;	/* KILLED, INTERRUPTED */
	bool oom;	/* the kernel ended a process of the job for want of memory */
	unsigned stage; /* NOT_STARTED: enum wire_stage */
	int error;	/* NOT_STARTED, HOST: errno */
	char what[256]; /* what the error is about */
};

/* What QEMU's wait status means when the guest said nothing of an end of its own. */
struct outcome outcome_of_vm(int wait_status);
/* The command's exit status. */
int outcome_status(const struct outcome *outcome);
/* The name in the report. */
const char *outcome_name(const struct outcome *outcome);
/* The line for stderr; heap, NULL if the ending needs none. */
char *outcome_text(const struct outcome *outcome, uint64_t timeout_ns,
		   uint64_t max_output);

#endif
