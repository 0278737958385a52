/*
 * A job's run from QEMU's start to the end of its last byte: one loop around poll.
 *
 * S1  The port is read at all times: what the guest sends either fits a drain's window,
 *     or is written to disk at once, or is small. So the agent's writes end, and nothing
 *     deadlocks.
 * S2  What is sent waits in the channel, which is bounded; stdin is read only when there
 *     is room and credit for it.
 * S3  The VM is gone before the session returns.
 * S4  A run that is cut short is over at once, unless it is traced or audited: then the
 *     job is killed, and what its trace and the audit log still hold is waited for, for a
 *     bounded time.
 */
#ifndef HOST_SESSION_H
#define HOST_SESSION_H

#include "host/channel.h"
#include "host/download.h"
#include "host/drain.h"
#include "host/outcome.h"
#include "host/plan.h"
#include "host/strace/strace.h"
#include "host/textlog.h"
#include "host/upload.h"
#include "host/vm.h"

/* Moments of a run, CLOCK_MONOTONIC of the host; 0: did not come. */
struct session_times {
	uint64_t start, spawn, ready, started, exited, done, end;
	uint64_t guest_ready, guest_started, guest_exited; /* by the guest's clock */
};

struct session {
	const struct plan *plan;
	struct vm *vm;
	struct channel channel;
	struct upload upload;
	struct download download;
	struct drain drains[WIRE_STREAMS];
	struct strace *strace; /* NULL: no trace is wanted */
	int audit;	       /* where the audit log goes; -1: it is not wanted */
	bool audit_ended;      /* all of it came */
	struct outcome outcome;
	/* How it will end once the rest of the trace and the log is here, or time is
	 * up. */
	struct outcome cut;
	uint64_t cut_until; /* CLOCK_MONOTONIC */
	struct session_times times;
	struct wire_exited usage;
	struct textlog kernel_log, qemu_log, topics[WIRE_TOPICS];
	struct wire_sender stdin_credit;
	struct tty_escape escape;
	uint64_t printed;    /* bytes of all streams */
	uint64_t stdin_read; /* bytes of stdin that went to the guest */
	bool uploading, uploaded;
	bool stdin_open; /* there is more to read, and a job to read it */
	int signals;	 /* signalfd */
};

/* Runs the job in a VM that was just started. ->outcome and the rest tell. *s is
 * zeroed. */
void session_run(struct session *s, const struct plan *plan, struct vm *vm,
		 uint64_t start_ns);
void session_fini(struct session *s);

#endif
