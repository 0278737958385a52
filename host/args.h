/* The command line: one table of options (args.c) feeds the parser and `mayfly help`. */
#ifndef HOST_ARGS_H
#define HOST_ARGS_H

#include "host/mayfly.h"

/* --file HOST[:GUEST] and --out GUEST[:HOST]: where from, where to. */
struct mapping {
	char *from;
	char *to; /* never NULL: what was left out is filled in */
};

/* A moment: of the wall clock, or counted from the boot. */
struct since {
	bool is_wall;
	uint64_t ns;
};

/* Of `mayfly audit ...`. */
struct audit_options {
	bool json, failed, has_head;
	const char *user, *event, *passwd, *format; /* NULL: not given */
	struct since since;
	uint8_t head[32];
};

struct policy_define;

/* Of `mayfly policy ...`. */
struct policy_options {
	bool json;
	const char *output;				      /* NULL: stdout */
	const char *syscall, *args, *path, *access, *program; /* NULL: not given */
	struct policy_define *defines;
	size_t define_count;
	bool bpf;
	const char *format;
	uint64_t caps;
	unsigned kernel_major, kernel_minor;
};

struct command;

struct options {
	const struct command *command;
	bool shell;
	const char *root;
	struct mapping *files, *outs;
	size_t file_count, out_count;
	char **env; /* "K=V" */
	size_t env_count;
	const char *cwd, *user; /* NULL: as the image or the agent has it */
	unsigned cpus;
	uint64_t mem_bytes;
	uint64_t timeout_ns; /* 0: none */
	uint64_t max_output; /* bytes */
	const char *report, *timeline, *trace, *audit_file;
	bool audit_stop;	 /* the job waits rather than lose a record */
	const char *policy_name; /* a file or a profile; NULL: as the command has it */
	bool quiet;		 /* nothing about what the policy refused */
	bool trace_first;	 /* of its first process alone */
	bool verbose;
	struct audit_options audit;
	struct policy_options policy;
	/* PROG and its arguments, NULL at the end; empty without one. Of a command that
	 * runs nothing: what is no option. */
	char **argv;
	size_t argc;
};

/* Parses main's arguments. 0 or MAYFLY_FAILED, having said why. */
must_use int args_parse(int argc, char **argv, struct options *ret_options);
/* The command's function; args_parse() set a command that exists. */
int args_dispatch(const struct options *options);
/* What `mayfly help` prints. */
void args_help(void);

/* "128M", "1G", "4096": bytes. K, M, G, T count by 1024. 0 or -EINVAL, -ERANGE. */
must_use int size_parse(const char *text, uint64_t *ret_bytes);
/* "30s", "500ms", "5m", "1h", "30" (seconds), "0.5": 0 or -EINVAL, -ERANGE. */
must_use int duration_parse(const char *text, uint64_t *ret_ns);
/* "a:b" at its last colon; without one `to` is the last name of `from`. 0 or -EINVAL. */
must_use int mapping_parse(const char *text, struct mapping *ret_mapping);

#endif
