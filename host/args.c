/* Commands and options, each a row of a table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/args.h"
#include "host/audit/options.h"
#include "host/policy/options.h"

enum {
	RUN = 1,
	SHELL = 2,
	DOCTOR = 4,
	VERSION = 8,
	HELP = 16,
	CONVERT = 32,
	SHOW = 64,
	VERIFY = 128,
	TREE = 256,
	EXPORT = 512,
	AUDIT = SHOW | VERIFY | TREE | EXPORT,
	POLICY_COMPILE = 1024,
	POLICY_CHECK = 2048,
	POLICY_EXPLAIN = 4096,
	POLICY_LINT = 8192,
	POLICY_DIFF = 16384,
	POLICY_TEST = 32768,
	POLICY_IMPORT = 65536,
	POLICY_EXPORT = 131072,
	POLICY_COMMANDS = POLICY_COMPILE | POLICY_CHECK | POLICY_EXPLAIN | POLICY_LINT |
			  POLICY_DIFF | POLICY_TEST | POLICY_IMPORT | POLICY_EXPORT,
};

static const struct command {
	const char *name; /* one word, or two */
	unsigned bit;
	int (*run)(const struct options *options);
	size_t arguments; /* of commands that run nothing */
	const char *usage, *what;
} commands[] = {
	{ "run", RUN, command_run, 0, "[OPTION]... [--] PROG [ARG]...",
	  "run a job in a new VM" },
	{ "shell", SHELL, command_run, 0, "[OPTION]... [--] [PROG [ARG]...]",
	  "an interactive shell in a new VM; Enter ~ . ends it" },
	{ "convert", CONVERT, command_convert, 2, "[--verbose] SOURCE IMAGE",
	  "write what '--root SOURCE' would use as an ext4 image" },
	{ "audit show", SHOW, command_audit_show, 1, "[OPTION]... FILE",
	  "what a log of credentials tells, a line a record; '-' is stdin" },
	{ "audit tree", TREE, command_audit_tree, 1, "[--passwd FILE] FILE",
	  "its processes, and who became whom" },
	{ "audit verify", VERIFY, command_audit_verify, 1, "[OPTION]... FILE",
	  "whether the log is whole: 0 sound, 1 not sound" },
	{ "audit export", EXPORT, command_audit_export, 1, "--format FORMAT FILE",
	  "the log as auditd writes it, or as JSON of OCSF" },
#include "host/policy/commands.def"
	{ "doctor", DOCTOR, command_doctor, 0, "", "say what this machine lacks" },
	{ "version", VERSION, command_version, 0, "", "print the version" },
	{ "help", HELP, command_help, 0, "", "print this" },
};

/* -- what each option does with its value: 0 or a negative errno
 * -------------------------- */

static int set_root(struct options *o, const char *value)
{
	o->root = value;
	return *value ? 0 : -EINVAL;
}

static int mapping_add(struct mapping **list, size_t *count, const char *value)
{
	*list = must_grow(*list, (*count + 1) * sizeof(**list));
	if (mapping_parse(value, &(*list)[*count]) < 0)
		return -EINVAL;
	++*count;
	return 0;
}

static int set_file(struct options *o, const char *value)
{
	return mapping_add(&o->files, &o->file_count, value);
}

static int set_out(struct options *o, const char *value)
{
	return mapping_add(&o->outs, &o->out_count, value);
}

/* "K=V", or "K" for the value it has here. */
static int set_env(struct options *o, const char *value)
{
	const char *equals = strchr(value, '='), *here;

	if (!*value || equals == value)
		return -EINVAL;
	here = equals ? NULL : getenv(value);
	if (!equals && !here)
		return -ENOENT;
	o->env = must_grow(o->env, (o->env_count + 1) * sizeof(*o->env));
	o->env[o->env_count++] =
		equals ? must_format("%s", value) : must_format("%s=%s", value, here);
	return 0;
}

static int set_cwd(struct options *o, const char *value)
{
	o->cwd = value;
	return *value == '/' ? 0 : -EINVAL;
}

static int set_user(struct options *o, const char *value)
{
	o->user = value;
	return *value && strlen(value) < 256 ? 0 : -EINVAL;
}

static int set_cpus(struct options *o, const char *value)
{
	char *end;
	unsigned long cpus = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end)
		return -EINVAL;
	if (cpus < 1 || cpus > 16)
		return -ERANGE;
	o->cpus = cpus;
	return 0;
}

static int set_mem(struct options *o, const char *value)
{
	uint64_t bytes;
	int error = size_parse(value, &bytes);

	if (error < 0)
		return error;
	if (bytes < MIB(8) || bytes > GIB(1024) || !IS_ALIGNED(bytes, MIB(1)))
		return -ERANGE;
	o->mem_bytes = bytes;
	return 0;
}

static int set_timeout(struct options *o, const char *value)
{
	return duration_parse(value, &o->timeout_ns);
}

static int set_max_output(struct options *o, const char *value)
{
	return size_parse(value, &o->max_output);
}

static int set_report(struct options *o, const char *value)
{
	o->report = value;
	return *value ? 0 : -EINVAL;
}

static int set_timeline(struct options *o, const char *value)
{
	o->timeline = value;
	return *value ? 0 : -EINVAL;
}

static int set_trace(struct options *o, const char *value)
{
	o->trace = value;
	return *value ? 0 : -EINVAL;
}

static int set_trace_pids(struct options *o, const char *value)
{
	o->trace_first = !strcmp(value, "first");
	return o->trace_first || !strcmp(value, "all") ? 0 : -EINVAL;
}

static int set_audit(struct options *o, const char *value)
{
	o->audit_file = value;
	return *value ? 0 : -EINVAL;
}

static int set_audit_full(struct options *o, const char *value)
{
	o->audit_stop = !strcmp(value, "stop");
	return o->audit_stop || !strcmp(value, "drop") ? 0 : -EINVAL;
}

static int set_policy(struct options *o, const char *value)
{
	o->policy_name = value;
	return *value ? 0 : -EINVAL;
}

static int set_quiet(struct options *o, const char *value)
{
	o->quiet = true;
	return 0;
}

static int set_verbose(struct options *o, const char *value)
{
	o->verbose = true;
	return 0;
}

static const struct option {
	const char *name, *value; /* value: NULL takes none */
	unsigned commands;
	int (*set)(struct options *options, const char *value);
	const char *what;
} options_table[] = {
	{ "--root", "NAME|DIR|TAR|IMG", RUN | SHELL, set_root,
	  "root file system or image of a container (base)" },
	{ "--file", "HOST[:GUEST]", RUN | SHELL, set_file,
	  "send a file or folder along" },
	{ "--out", "GUEST[:HOST]", RUN | SHELL, set_out, "bring a file or folder back" },
	{ "--env", "K=V|K", RUN | SHELL, set_env, "set a variable of the job" },
	{ "--cwd", "DIR", RUN | SHELL, set_cwd, "the job's folder (/job)" },
	{ "--user", "USER[:GROUP]", RUN | SHELL, set_user,
	  "whom the job runs as (job, 1000)" },
	{ "--policy", "FILE|NAME", RUN | SHELL, set_policy,
	  "what the job may do: 'mayfly policy' has more (job; shell: shell)" },
	{ "--cpus", "N", RUN | SHELL, set_cpus, "processors, 1 to 16 (1)" },
	{ "--mem", "SIZE", RUN | SHELL, set_mem,
	  "memory, 8M or more, in whole megabytes (128M)" },
	{ "--timeout", "TIME", RUN | SHELL, set_timeout,
	  "end the VM after 30s, 5m, 1h; 0: never (10m; shell: never)" },
	{ "--max-output", "SIZE", RUN | SHELL, set_max_output,
	  "most that the job may print, and most that --out may bring (64M; shell: 1T)" },
	{ "--report", "FILE", RUN | SHELL, set_report, "write what happened, as JSON" },
	{ "--timeline", "FILE.svg", RUN | SHELL, set_timeline,
	  "draw where the time went" },
	{ "--trace", "FILE", RUN | SHELL, set_trace,
	  "write the job's system calls, as strace does" },
	{ "--trace-pids", "all|first", RUN | SHELL, set_trace_pids,
	  "whose: all processes', or the first thread's (all)" },
	{ "--audit", "FILE", RUN | SHELL, set_audit,
	  "write the audit log; 'mayfly audit' reads it" },
	{ "--audit-full", "drop|stop", RUN | SHELL, set_audit_full,
	  "faster than it can be written: count what is lost, or halt the job (drop)" },
	{ "--quiet", NULL, RUN | SHELL, set_quiet, "do not say what the policy refused" },
	{ "--verbose", NULL, RUN | SHELL | CONVERT, set_verbose,
	  "show the kernel's log and what is done" },
	{ "--json", NULL, SHOW | VERIFY, audit_set_json, "as JSON, an object a line" },
	{ "--user", "USER", SHOW, audit_set_user,
	  "only what this user did or became: a number, root, a name of --passwd" },
	{ "--event", "EVENT", SHOW, audit_set_event,
	  "only such records: exec, credentials..." },
	{ "--since", "TIME", SHOW, audit_set_since,
	  "only from then on: 1.5s after the boot, or 2026-01-31T12:00:00Z" },
	{ "--failed", NULL, SHOW, audit_set_failed, "only what was refused" },
	{ "--passwd", "FILE", SHOW | TREE | EXPORT, audit_set_passwd,
	  "names of users, as in /etc/passwd" },
	{ "--format", "FORMAT", EXPORT, audit_set_format, "auditd or ocsf-json" },
	{ "--head", "DIGEST", VERIFY, audit_set_head,
	  "the last record's digest, known from elsewhere" },
#include "host/policy/options.def"
};

/* A command's name is all of `name`, or up to its blank that and the rest `second`. */
static bool is_called(const struct command *command, const char *name, const char *second)
{
	size_t size = strlen(name);

	if (strncmp(command->name, name, size))
		return false;
	return !command->name[size] || (command->name[size] == ' ' && second &&
					!strcmp(command->name + size + 1, second));
}

static const struct command *command_find(const char *name, const char *second)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (is_called(&commands[i], name, second))
			return &commands[i];
	return NULL;
}

static const struct option *option_find(const char *name, size_t size, unsigned command)
{
	for (size_t i = 0; i < ARRAY_LEN(options_table); i++) {
		const struct option *option = &options_table[i];

		if ((option->commands & command) && strlen(option->name) == size &&
		    !memcmp(option->name, name, size))
			return option;
	}
	return NULL;
}

/* Takes the option argv[at] and its value. The next argument's index, or -1 having said
 * why. */
static int option_take(const struct command *command, int argc, char **argv, int at,
		       struct options *options)
{
	const char *equals = strchr(argv[at], '='), *value = NULL;
	size_t size = equals ? (size_t)(equals - argv[at]) : strlen(argv[at]);
	const struct option *option = option_find(argv[at], size, command->bit);
	int error;

	if (!option || (equals && !option->value)) {
		say("%s: no such option: '%s'; see 'mayfly help'", command->name,
		    argv[at]);
		return -1;
	}
	if (option->value)
		value = equals ? equals + 1 : argv[++at];
	if (option->value && !value) {
		say("%s: %s wants a value: %s", command->name, option->name,
		    option->value);
		return -1;
	}
	error = option->set(options, value);
	if (error < 0) {
		say("%s: %s: '%s' is %s; %s %s: %s", command->name, option->name, value,
		    error == -ERANGE   ? "out of range"
		    : error == -ENOENT ? "not set here"
				       : "not understood",
		    option->name, option->value, option->what);
		return -1;
	}
	return at + 1;
}

static void options_default(struct options *o, const struct command *command)
{
	bool shell = command->bit == SHELL;

	*o = (struct options){
		.command = command,
		.shell = shell,
		.root = "base",
		.cpus = 1,
		.mem_bytes = MIB(128),
		.timeout_ns = shell ? 0 : 600 * NSEC_PER_SEC,
		.max_output = shell ? GIB(1024) : MIB(64),
	};
}

/* -h, --help, --version and --verbose's kin that people type without a command. */
static const char *command_name(const char *word)
{
	if (!strcmp(word, "-h") || !strcmp(word, "--help"))
		return "help";
	if (!strcmp(word, "-V") || !strcmp(word, "--version"))
		return "version";
	return word;
}

/* The commands that begin with the word; "" if there is none. Heap. */
static char *commands_after(const char *word)
{
	size_t size = strlen(word);
	char *list = must_format("%s", "");

	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const char *name = commands[i].name;
		char *before = list;

		if (strncmp(name, word, size) || name[size] != ' ')
			continue;
		list = must_format("%s%s%s", before, *before ? ", " : "", name);
		free(before);
	}
	return list;
}

static void command_missing(int argc, char **argv)
{
	char *longer = argc > 1 ? commands_after(argv[1]) : NULL;

	if (!longer)
		say("no command; try 'mayfly run -- PROG', or 'mayfly help'");
	else if (*longer)
		say("no such command: '%s%s%s'; there are: %s", argv[1],
		    argc > 2 ? " " : "", argc > 2 ? argv[2] : "", longer);
	else
		say("no such command: '%s'; see 'mayfly help'", argv[1]);
	free(longer);
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* Options and what is none, up to "--" or, for a command that runs something, its
 * program: the words that are left are moved to argv[first] and on, and *ret_count are
 * there. 0; 1: it was --help; -1, having said why. */
static int words_take(const struct command *command, int argc, char **argv, int first,
		      struct options *options, size_t *ret_count)
{
	bool runs = command->bit & (RUN | SHELL);
	int at = first, kept = first;

	while (at < argc && strcmp(argv[at], "--")) {
		if (!is_option(argv[at])) {
			if (runs)
				break;
			argv[kept++] = argv[at++];
			continue;
		}
		if (!strcmp(argv[at], "--help"))
			return 1;
		at = option_take(command, argc, argv, at, options);
		if (at < 0)
			return -1;
	}
	if (at < argc && !strcmp(argv[at], "--"))
		at++;
	while (at < argc)
		argv[kept++] = argv[at++];
	argv[kept] = NULL;
	*ret_count = (size_t)(kept - first);
	return 0;
}

int args_parse(int argc, char **argv, struct options *ret_options)
{
	const char *name = argc > 1 ? command_name(argv[1]) : NULL;
	const struct command *command =
		name ? command_find(name, argc > 2 ? argv[2] : NULL) : NULL;
	int first, taken;

	if (!command) {
		command_missing(argc, argv);
		return MAYFLY_FAILED;
	}
	first = strchr(command->name, ' ') ? 3 : 2;
	options_default(ret_options, command);
	taken = words_take(command, argc, argv, first, ret_options, &ret_options->argc);
	if (taken < 0)
		return MAYFLY_FAILED;
	if (taken > 0) {
		options_default(ret_options, command_find("help", NULL));
		return 0;
	}
	ret_options->argv = argv + first;
	if (!(command->bit & (RUN | SHELL)) && ret_options->argc != command->arguments) {
		say("%s: takes %s", command->name,
		    command->arguments ? command->usage : "no arguments");
		return MAYFLY_FAILED;
	}
	return 0;
}

int args_dispatch(const struct options *options)
{
	return options->command->run(options);
}

static void options_help(const char *of, unsigned of_commands)
{
	printf("\nOptions of %s:\n", of);
	for (size_t i = 0; i < ARRAY_LEN(options_table); i++) {
		const struct option *option = &options_table[i];
		char left[64];

		if (!(option->commands & of_commands))
			continue;
		snprintf(left, sizeof(left), "%s %s", option->name,
			 option->value ? option->value : "");
		printf("  %-26s %s\n", left, option->what);
	}
}

void args_help(void)
{
	printf("Mayfly runs an untrusted job in a VM that is gone a moment later.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		printf("  mayfly %s%s%s\n      %s\n", commands[i].name,
		       *commands[i].usage ? " " : "", commands[i].usage,
		       commands[i].what);
	options_help("run and shell", RUN | SHELL);
	options_help("audit", AUDIT);
	options_help("policy", POLICY_COMMANDS);
	printf("\nA PROG with a slash that exists here travels with the job; a bare name "
	       "is looked "
	       "up\nin the guest. Exit status: the job's; 128+n if signal n killed it; "
	       "%d timed "
	       "out,\n%d Mayfly failed, %d not executable, %d not found, %d too much "
	       "output.\n"
	       "The manual is mayfly(1).\n",
	       MAYFLY_TIMED_OUT, MAYFLY_FAILED, MAYFLY_NOT_EXECUTABLE, MAYFLY_NOT_FOUND,
	       MAYFLY_OUTPUT_LIMIT);
}
