/* From options to what is sent. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/plan.h"

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

/* Nothing of this machine's environment is the job's business but what kind of terminal
 * it talks to; --env overrides what stands here, and a later --env an earlier one. */
static void environment_add(struct plan *plan)
{
	const struct options *options = plan->options;
	const char *term = getenv("TERM");
	bool root = !options->user || !strcmp(options->user, "root") ||
		    !strcmp(options->user, "0");
	char *variables[] = {
		must_format("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/"
			    "sbin:/bin"),
		must_format("HOME=%s", root ? "/root" : "/job"),
		term && *term ? must_format("TERM=%s", term) : NULL,
	};

	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		bool given = !variables[i];

		for (size_t k = 0; k < options->env_count && !given; k++)
			given = same_variable(variables[i], options->env[k]);
		if (!given) {
			string_add(plan, variables[i]);
			plan->job.envc++;
		}
		free(variables[i]);
	}
	for (size_t i = 0; i < options->env_count; i++) {
		bool again = false;

		for (size_t k = i + 1; k < options->env_count && !again; k++)
			again = same_variable(options->env[i], options->env[k]);
		if (!again) {
			string_add(plan, options->env[i]);
			plan->job.envc++;
		}
	}
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
	    strlen(plan->options->cwd) > WIRE_PATH_MAX) {
		say("'%s': %s", plan->program,
		    strerror(*plan->program ? ENAMETOOLONG : ENOENT));
		return MAYFLY_NOT_FOUND;
	}
	return 0;
}

int plan_make(const struct options *options, struct plan *ret_plan)
{
	static char *shell_argv[] = { "sh", "-l", NULL };
	struct plan plan = { .options = options };
	char **argv = options->argc ? options->argv : shell_argv;
	bool travels;
	int status = program_check(argv[0], &travels);

	if (status)
		return status;
	plan.program = travels ? program_place(argv[0]) : must_format("%s", argv[0]);
	plan.program_here = travels ? argv[0] : NULL;
	for (; argv[plan.job.argc]; plan.job.argc++)
		string_add(&plan, argv[plan.job.argc]);
	environment_add(&plan);
	files_plan(&plan);
	stdio_plan(&plan);
	status = limits_check(&plan);
	if (status)
		return status;
	plan.job.strings = plan.strings_size;
	plan.job.user = wire_text_of(options->user ? options->user : "");
	plan.job.cwd = wire_text_of(options->cwd);
	plan.job.program = wire_text_of(plan.program);
	*ret_plan = plan;
	return 0;
}
