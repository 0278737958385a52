/* From options to what is sent. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/plan.h"
#include "lib/policy.h"
#include "policy/policy.h"

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

char *program_place(const char *path)
{
	static const char *const elsewhere[] = { "/dev/", "/proc/", "/sys/", "../" };
	const char *name = strrchr(path, '/');
	bool moved = strstr(path, "/../");

	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
		moved |= starts_with(path, elsewhere[i]);
	return moved ? must_format(".%s", name) : must_format("%s", path);
}

/* Whether PROG is a file of the host that can travel. 0, or the exit status with a
 * line. */
static int program_check(const char *path, bool *ret_travels)
{
	struct stat st;

	*ret_travels = false;
	if (!strchr(path, '/'))
		return 0;
	if (stat(path, &st) < 0) {
		/* A path of the guest. */
		if (errno == ENOENT || errno == ENOTDIR)
			return 0;
		say("cannot look at '%s': %s", path, strerror(errno));
		return MAYFLY_NOT_EXECUTABLE;
	}
	if (S_ISDIR(st.st_mode)) {
		say("'%s' is a folder, not a program", path);
		return MAYFLY_NOT_EXECUTABLE;
	}
	if (!S_ISREG(st.st_mode)) {
		say("'%s' is not a regular file, so not a program", path);
		return MAYFLY_NOT_EXECUTABLE;
	}
	if (access(path, R_OK) < 0) {
		say("cannot read '%s': %s", path, strerror(errno));
		return MAYFLY_NOT_EXECUTABLE;
	}
	if (!(st.st_mode & 0111)) {
		say("'%s' is not executable; 'chmod +x' makes it so", path);
		return MAYFLY_NOT_EXECUTABLE;
	}
	*ret_travels = true;
	return 0;
}

/* -- strings -- */

static void string_add(struct plan *plan, const char *string)
{
	size_t size = strlen(string) + 1;

	plan->strings = must_grow(plan->strings, plan->strings_size + size);
	memcpy(plan->strings + plan->strings_size, string, size);
	plan->strings_size += size;
}

static bool same_variable(const char *a, const char *b)
{
	size_t size = strchrnul(a, '=') - a;

	return !strncmp(a, b, size) && b[size] == '=';
}

/* Whether one of the strings sets the variable. */
static bool is_among(const char *variable, char *const *strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (same_variable(variable, strings[i]))
			return true;
	return false;
}

static void variable_add(struct plan *plan, const char *variable)
{
	string_add(plan, variable);
	plan->job.envc++;
}

/* -- whom the job runs as -- */

/* Who is the same in every guest, whatever its lists of users say. */
static const struct person {
	const char *name, *home;
	uint32_t id; /* user and group */
} job_person = { "job", "/job", JOB_ID }, root_person = { "root", "/root", 0 };

/* NULL: somebody whom the guest knows. */
static const struct person *person_find(const char *user)
{
	if (!*user)
		return &job_person;
	return !strcmp(user, "root") || !strcmp(user, "0") ? &root_person : NULL;
}

/* Nothing of this machine's environment is the job's business but what kind of terminal
 * it talks to; the image's variables override what stands here, --env overrides those,
 * and a later --env an earlier one. Of whom the guest knows, the agent adds what is
 * `person`'s here, below all of those. */
static void environment_add(struct plan *plan, const struct person *person,
			    const struct texts *image)
{
	const struct options *options = plan->options;
	const char *term = getenv("TERM");
	char *variables[] = {
		must_format("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/"
			    "sbin:/bin"),
		person ? must_format("HOME=%s", person->home) : NULL,
		person ? must_format("USER=%s", person->name) : NULL,
		person ? must_format("LOGNAME=%s", person->name) : NULL,
		term && *term ? must_format("TERM=%s", term) : NULL,
	};

	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		if (variables[i] &&
		    !is_among(variables[i], options->env, options->env_count) &&
		    !is_among(variables[i], image->at, image->count))
			variable_add(plan, variables[i]);
		free(variables[i]);
	}
	for (size_t i = 0; i < image->count; i++)
		if (strchr(image->at[i], '=') &&
		    !is_among(image->at[i], options->env, options->env_count) &&
		    !is_among(image->at[i], image->at + i + 1, image->count - i - 1))
			variable_add(plan, image->at[i]);
	for (size_t i = 0; i < options->env_count; i++)
		if (!is_among(options->env[i], options->env + i + 1,
			      options->env_count - i - 1))
			variable_add(plan, options->env[i]);
}

/* -- standard files -- */

static void stdio_plan(struct plan *plan)
{
	struct wire_job *job = &plan->job;

	job->stdin_kind = stdio_kind(0);
	job->stdout_kind = stdio_kind(1);
	job->stderr_kind = stdio_kind(2);
	plan->tty_mode = tty_mode_wanted(plan->options->shell);
	if (plan->tty_mode == TTY_KEPT)
		job->flags |= WIRE_JOB_COOKED;
	if (job->stdout_kind == WIRE_STDIO_PIPE && stdio_merged())
		job->flags |= WIRE_JOB_MERGE;
	tty_size(&job->rows, &job->cols);
}

/* -- the whole -- */

static void files_plan(struct plan *plan)
{
	const struct options *options = plan->options;
	size_t count = options->file_count;

	plan->files = must_alloc((count + 1) * sizeof(*plan->files));
	if (count)
		memcpy(plan->files, options->files, count * sizeof(*plan->files));
	plan->file_count = count;
	if (plan->program_here) {
		plan->files[count].from = (char *)plan->program_here;
		plan->files[count].to = plan->program;
		plan->file_count++;
	}
}

static int limits_check(const struct plan *plan)
{
	if (plan->strings_size > WIRE_STRINGS_MAX || plan->job.argc > 65536) {
		say("the arguments are too long: %zu bytes of %d", plan->strings_size,
		    WIRE_STRINGS_MAX);
		return MAYFLY_FAILED;
	}
	if (plan->options->out_count > WIRE_OUT_MAX) {
		say("too many --out: %zu of %d", plan->options->out_count, WIRE_OUT_MAX);
		return MAYFLY_FAILED;
	}
	if (strlen(plan->program) > WIRE_PATH_MAX || !*plan->program ||
	    plan->job.cwd.size > WIRE_PATH_MAX) {
		say("'%s': %s", plan->program,
		    strerror(*plan->program ? ENAMETOOLONG : ENOENT));
		return MAYFLY_NOT_FOUND;
	}
	return 0;
}

static void argv_add(char ***at, const struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		*(*at)++ = texts->at[i];
}

/* The argv that runs: the command line's, a shell, or what the image says. NULL at the
 * end; empty if there is none. Heap. */
static char **argv_choose(const struct options *options,
			  const struct image_config *config)
{
	static char *words[] = { "sh", "-l" };
	const struct texts given = { options->argv, options->argc };
	const struct texts shell = { words, ARRAY_LEN(words) };
	char **argv = must_alloc((given.count + shell.count + config->entrypoint.count +
				  config->command.count + 1) *
				 sizeof(*argv));
	char **end = argv;

	if (given.count) {
		argv_add(&end, &given);
	} else if (options->shell) {
		argv_add(&end, &shell);
	} else {
		argv_add(&end, &config->entrypoint);
		argv_add(&end, &config->command);
	}
	return argv;
}

/* The program and its arguments. 0, or the exit status with a line. */
static int program_plan(struct plan *plan, const struct image_config *config)
{
	const struct options *options = plan->options;
	char **argv = argv_choose(options, config);
	bool travels = false;
	/* What the image names is in the image. */
	int status = options->argc && argv[0] ? program_check(argv[0], &travels) : 0;

	if (!argv[0]) {
		say("run: no program; try 'mayfly run -- PROG'");
		status = MAYFLY_FAILED;
	}
	if (status == 0) {
		plan->program =
			travels ? program_place(argv[0]) : must_format("%s", argv[0]);
		plan->program_here = travels ? argv[0] : NULL;
		for (; argv[plan->job.argc]; plan->job.argc++)
			string_add(plan, argv[plan->job.argc]);
	}
	free(argv);
	return status;
}

/* -- the policy -- */

/* A path of the guest as a line of a policy; what the language cannot say (quotes, line
 * ends, dots) is left out. */
static void path_allow(FILE *text, const struct plan *plan, const char *path)
{
	const char *folder = plan->job.cwd.at;

	if (path[strcspn(path, "\"\\\n$*")] || strstr(path, ".."))
		return;
	if (*path == '/')
		fprintf(text, "write \"%s\"\n", path);
	else
		fprintf(text, "write \"%s/%s\"\n", strcmp(folder, "/") ? folder : "",
			path);
}

/* What the command has for a job of which nobody says more: the job's folder is where
 * --cwd puts it, and what --file sends and --out brings may be written as well. */
static char *policy_usual(const struct plan *plan, size_t *ret_size)
{
	const struct options *o = plan->options;
	const char *name = o->shell ? "shell" : "job", *folder = plan->job.cwd.at;
	char *bytes;
	FILE *text = open_memstream(&bytes, ret_size);

	if (!text)
		exit(MAYFLY_FAILED);
	fprintf(text, "policy \"%s\"\ninclude %s\n", name, name);
	if (strcmp(folder, "/"))
		path_allow(text, plan, folder);
	for (size_t i = 0; i < o->file_count; i++)
		path_allow(text, plan, o->files[i].to);
	for (size_t i = 0; i < o->out_count; i++)
		path_allow(text, plan, o->outs[i].from);
	if (fclose(text))
		exit(MAYFLY_FAILED);
	return bytes;
}

/* What it limits for all of the VM. */
static int vm_limits_take(struct plan *plan)
{
	struct policy p;
	const char *why;

	if (policy_parse(plan->policy, plan->job.policy, &p, &why))
		return MAYFLY_FAILED;
	uint64_t memory = policy_limit_of(&p, 0, POLICY_LIMIT_MEMORY);
	uint64_t output = policy_limit_of(&p, 0, POLICY_LIMIT_OUTPUT);
	plan->own.mem_bytes = MIN(plan->own.mem_bytes, ALIGN_DOWN(memory, MIB(1)));
	plan->own.max_output = MIN(plan->own.max_output, output);
	if (memory >= MIB(8))
		return 0;
	say("--policy: a VM of less than 8M of memory does not start");
	return MAYFLY_FAILED;
}

static int policy_plan(struct plan *plan)
{
	const char *what = plan->options->policy_name;
	char *text, *messages;
	size_t size, text_size;
	int error;

	if (what) {
		error = policy_compile_file(what, NULL, 0, &plan->policy, &size,
					    &messages);
	} else {
		text = policy_usual(plan, &text_size);
		error = policy_compile_text("the usual policy", text, text_size, NULL, 0,
					    &plan->policy, &size, &messages);
		free(text);
	}
	if (!error) {
		plan->job.policy = (uint32_t)size;
		return vm_limits_take(plan);
	}
	say("%s cannot be used:", what ? what : "the usual policy");
	if (messages)
		fputs(messages, stderr);
	free(messages);
	return MAYFLY_FAILED;
}

/* The first that says something. */
static struct wire_text text_choose(const char *given, const char *image,
				    const char *usual)
{
	return wire_text_of(given ? given : image ? image : usual);
}

int plan_make(const struct options *options, const struct image_config *config,
	      struct plan *ret_plan)
{
	struct plan plan = { .options = options, .own = *options };
	int status = program_plan(&plan, config);
	const struct person *person;

	if (status)
		return status;
	plan.job.user = text_choose(options->user, config->user, "");
	person = person_find(plan.job.user.at);
	if (person) {
		plan.job.user = wire_text_of("");
		plan.job.uid = plan.job.gid = person->id;
	}
	plan.job.cwd = text_choose(options->cwd, config->folder, WIRE_JOB_FOLDER);
	plan.job.program = wire_text_of(plan.program);
	environment_add(&plan, person, &config->env);
	files_plan(&plan);
	stdio_plan(&plan);
	if (options->trace)
		plan.job.flags |= WIRE_JOB_TRACE;
	if (options->audit_file)
		plan.job.flags |= WIRE_JOB_AUDIT;
	status = limits_check(&plan);
	if (!status)
		status = policy_plan(&plan);
	if (status)
		return status;
	plan.job.strings = plan.strings_size;
	*ret_plan = plan;
	ret_plan->options = &ret_plan->own;
	return 0;
}
