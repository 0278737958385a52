/*
 * The guest's agent: PID 1 of the VM. It takes one job over the port, runs it, hands back
 * what it prints and leaves, and powers the machine off. lib/abi/wire.def has the
 * conversation.
 *
 * A1  The agent never waits for the job: the job's pipes are used only when poll says so.
 * A2  It may wait for the host: the host reads the port at all times (host/session.c,
 *     S1), so a write to the port ends. What is under way is bounded by the streams'
 *     windows.
 * A3  Bytes of the job reach the port only as the tail of a frame that the agent made.
 * A4  Every file of the agent is numbered 3 or higher, and the job gets none of them.
 * A5  Only as PID 1 does it mount, kill everybody, become somebody, put a policy in
 *     force, set the clock or power off: as any other process it serves the port it was
 *     given and exits, for tests.
 *
 * Under emulation code costs most when it is run for the first time, so the usual path
 * makes few calls: no stdio, no allocation, no malloc before a job needs one.
 */
#ifndef USERLAND_AGENT_AGENT_H
#define USERLAND_AGENT_AGENT_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/audit.h"
#include "lib/wire.h"

/* The port: frames in, frames out. Sending collects frames; port_flush() writes them. */
struct port {
	int fd;
	size_t in_start, in_end;
	size_t out_end;
	uint8_t in[WIRE_FRAME_MAX];
	uint8_t out[WIRE_FRAME_MAX + 4096];
};

/* STDIN on its way to the job; what the job has not read yet waits in `bytes`. */
struct sink {
	int fd;		/* -1: the job gets no more */
	bool ended;	/* the host has no more */
	bool used;	/* something came: writes to `fd` neither block nor kill */
	uint64_t given; /* bytes that went into the pipe */
	int rest;	/* once it has all: where those lie that are not read; -1 */
	struct wire_receiver credit;
	size_t start, end;
	uint8_t bytes[65536];
};

/* STDOUT, STDERR, TTY, TRACE or AUDIT on its way to the host. */
struct source {
	int fd; /* -1: ended */
	struct wire_sender credit;
};

/* What a user's entry in the guest's list adds to the environment. */
#define IDENTITY_VARIABLES 3

/* What START starts. */
struct job {
	bool known;	      /* a JOB frame came */
	struct wire_job spec; /* its texts are copied to the fields below */
	char cwd[WIRE_PATH_MAX + 1];
	char program[WIRE_PATH_MAX + 1];
	char user[256];
	char *strings; /* argv and env; strings_size of spec.strings bytes so far */
	size_t strings_size;
	char **argv, **envp; /* room for IDENTITY_VARIABLES more is at the end */
	uint8_t *policy;     /* compiled; policy_size of spec.policy bytes so far */
	size_t policy_size;
	char *space[512]; /* for a short argv and env, which is nearly every one */
	struct rlimit limits[16];
	uint16_t limits_set; /* bit n: limits[n] is wanted */
	pid_t pid;
	int status;	     /* as wait gives it, once ended */
	struct rusage usage; /* of all processes that ended */
	bool alone;	     /* it left no process behind */
	bool ended;
};

struct agent {
	bool machine; /* PID 1 of a VM (A5) */
	bool said_hello;
	uint8_t report; /* as START has it */
	enum wire_phase phase;
	struct port port;
	struct job job;
	struct sink input;
	struct source output[WIRE_STREAMS]; /* by stream; [WIRE_STDIN] is never open */
	int children;			    /* readable when a child has ended */
	int file;			    /* the FILE being received; -1 without one */
	uint64_t file_mtime_ns;
	char file_path[WIRE_PATH_MAX + 1];
	char *out_paths[WIRE_OUT_MAX];
	unsigned out_count;
};

/* main.c */
noreturn_fn void agent_end(struct agent *a);
/* Tells the host why no job will run, and ends. error: a positive errno. */
noreturn_fn void agent_fail(struct agent *a, enum wire_stage stage, int error,
			    const char *what);
uint64_t clock_now_ns(void);

/* port.c */
void port_send(struct agent *a, const struct wire_msg *msg);
/* Where the tail of a frame may be built, with room for `want` bytes after `head` bytes
 * of header and fields; port_send() of that frame with a tail at NULL then adds it. */
void *port_reserve(struct agent *a, size_t head, size_t want);
void port_flush(struct agent *a);
/* Reads what is there and handles each frame. Ends the agent when the host is gone. */
void port_receive(struct agent *a);

/* setup.c: what a frame of the host does */
void frame_handle(struct agent *a, const struct wire_msg *msg);

/* filein.c */
void file_open(struct agent *a, const struct wire_file *file);
void file_data(struct agent *a, const struct wire_tail *bytes);
void file_end(struct agent *a, unsigned error);

/* fileout.c */
void out_send_all(struct agent *a);
void report_send(struct agent *a);

/* job.c */
void job_start(struct agent *a);
void job_reap(struct agent *a);
/* Kills what the job left running. */
void job_sweep(struct agent *a);

/* stdio.c: the job's ends of its streams */
void number_append(char *to, unsigned number);
struct job_stdio {
	int fd[3];    /* for the job's 0, 1 and 2; -1: closed */
	int terminal; /* one of those that are the terminal; -1: none is */
};
/* 0 or -errno. Opens both ends; the agent's go into a->input and a->output. */
must_use int stdio_open(struct agent *a, struct job_stdio *ret_stdio);
/* Closes the job's ends in the agent. */
void stdio_handed_over(struct job_stdio *stdio);

/* stream.c */
void input_data(struct agent *a, const struct wire_tail *bytes);
void input_end(struct agent *a);
void input_pump(struct agent *a);
/* Bytes that a job that has ended took from its stdin. */
uint64_t input_taken(const struct agent *a);
/* Whether it has something to send, and the credit for it. */
bool output_wants(const struct agent *a, enum wire_stream stream);
void output_pump(struct agent *a, enum wire_stream stream);
void output_close(struct agent *a, enum wire_stream stream);
/* Sends what lies in the pipes of a job that has ended, then their EOFs; AUDIT's comes
 * with audit_finish(). */
void output_drain(struct agent *a);

/* audit.c */
/* From now on the kernel's records are for the host, and none of them is lost but by a
 * full ring. Lets the group `audit` read them too. */
void audit_open(struct agent *a);
/* Sends the rest of the records, with the END as the last. */
void audit_finish(struct agent *a);

/* user.c */
/* The number of a group of the guest's list: 0, or -ENOENT. */
must_use int group_named(const char *name, gid_t *ret_gid);
struct identity {
	uid_t uid;
	gid_t gid;
	gid_t groups[64];
	unsigned group_count;
	/* HOME, USER and LOGNAME of whom the guest knows; "" where it does not. The host
	 * knows whom it named by number. */
	char variables[IDENTITY_VARIABLES][264];
};
/* "name", "uid", "name:group"...; "" leaves the numbers of the JOB. 0 or -errno. */
must_use int identity_find(const struct job *job, struct identity *ret_identity);
/* Whether the agent itself runs as the job does. */
bool identity_is_own(const struct agent *a);
/* Adds the variables that the job's environment has not. `id` must outlive the job's
 * start. */
void identity_variables_add(struct job *job, struct identity *id);

#endif
