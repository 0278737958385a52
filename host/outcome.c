/* How a run ended. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "host/outcome.h"

/* QEMU's exit status for each value of the guest's exit port. */
static enum outcome_kind kind_of_exit(int status)
{
	enum {
		EXIT_KIND_POWEROFF = OUTCOME_AGENT,
		EXIT_KIND_PANIC = OUTCOME_PANIC,
		EXIT_KIND_REFUSED = OUTCOME_REFUSED,
		EXIT_KIND_AGENT = OUTCOME_AGENT,
		EXIT_KIND_NOMEM = OUTCOME_NOMEM,
		EXIT_KIND_ROOT = OUTCOME_ROOT
	};
	static const struct {
		int status;
		enum outcome_kind kind;
	} rows[] = {
#define EXIT_CODE(name, value, meaning)                                                  \
	{ ((value) << 1) | 1, (enum outcome_kind)EXIT_KIND_##name },
#include "lib/abi/exit.def"
#undef EXIT_CODE
		{ 0, OUTCOME_TRIPLE_FAULT },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].status == status)
			return rows[i].kind;
	return OUTCOME_QEMU;
}

struct outcome outcome_of_vm(int wait_status)
{
	struct outcome outcome = { .kind = OUTCOME_QEMU };

	if (WIFEXITED(wait_status))
		outcome.kind = kind_of_exit(WEXITSTATUS(wait_status));
	snprintf(outcome.what, sizeof(outcome.what), "%s %d",
		 WIFEXITED(wait_status) ? "exit status" : "killed by signal",
		 WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
					: WTERMSIG(wait_status));
	return outcome;
}

static const struct {
	const char *name;
	int status;
} kinds[] = {
#define OUTCOME(name, text, status) { text, status },
#include "host/outcome.def"
};

const char *outcome_name(const struct outcome *outcome)
{
	return kinds[outcome->kind].name;
}

/* As env: what is not there is not found, what is there and will not run is not
 * executable. */
static int status_of_stage(const struct outcome *outcome)
{
	bool missing = outcome->error == ENOENT || outcome->error == ENOTDIR;

	switch (outcome->stage) {
	case WIRE_STAGE_LOOKUP:
		return MAYFLY_NOT_FOUND;
	case WIRE_STAGE_EXEC:
		return missing ? MAYFLY_NOT_FOUND : MAYFLY_NOT_EXECUTABLE;
	default:
		return MAYFLY_FAILED;
	}
}

int outcome_status(const struct outcome *outcome)
{
	int status = kinds[outcome->kind].status;

	if (status == -1)
		return outcome->status;
	if (status == -2)
		return 128 + outcome->signal;
	return status == -3 ? status_of_stage(outcome) : status;
}

static char *stage_text(const struct outcome *outcome)
{
	const char *error = outcome->error ? strerror(outcome->error) : NULL;

	if (outcome->stage == WIRE_STAGE_LOOKUP)
		return must_format("'%s' is %s", outcome->what,
				   wire_stage_text(outcome->stage));
	if (outcome->stage == WIRE_STAGE_USER && outcome->error == ENOENT)
		error = NULL;
	if (outcome->stage == WIRE_STAGE_CWD && outcome->error == EACCES)
		error = "its user may not enter it; --cwd or --user takes another";
	return must_format("%s%s%s%s%s%s", wire_stage_text(outcome->stage),
			   *outcome->what ? " '" : "", outcome->what,
			   *outcome->what ? "'" : "", error ? ": " : "",
			   error ? error : "");
}

char *outcome_text(const struct outcome *outcome, uint64_t timeout_ns,
		   uint64_t max_output)
{
	switch (outcome->kind) {
	case OUTCOME_EXITED:
	case OUTCOME_KILLED:
		if (!outcome->oom)
			return NULL;
		return must_format("the job ran out of memory; --mem gives more");
	case OUTCOME_INTERRUPTED:
		return NULL;
	case OUTCOME_NOT_STARTED:
		return stage_text(outcome);
	case OUTCOME_TIMED_OUT:
		return must_format("timed out after %g s; --timeout gives more",
				   (double)timeout_ns / NSEC_PER_SEC);
	case OUTCOME_OUTPUT_LIMIT:
		return must_format("more output than %llu bytes; --max-output gives more",
				   (unsigned long long)max_output);
	case OUTCOME_ENDED_BY_USER:
		return must_format("ended by Enter ~ .");
	case OUTCOME_PANIC:
		return must_format("the guest's kernel panicked");
	case OUTCOME_REFUSED:
		return must_format("the loader refused to boot");
	case OUTCOME_AGENT:
		return must_format("the guest was gone before the job had ended: it was "
				   "powered off, or its agent died");
	case OUTCOME_NOMEM:
		return must_format("not enough memory to boot; --mem gives more");
	case OUTCOME_ROOT:
		return must_format("the root image is unusable");
	case OUTCOME_TRIPLE_FAULT:
		return must_format("the guest's processor reset (triple fault)");
	case OUTCOME_NO_BOOT:
		return must_format("the guest did not come up in time");
	case OUTCOME_QEMU:
		return must_format("QEMU failed (%s)", outcome->what);
	case OUTCOME_PROTOCOL:
		return must_format("the guest's agent broke the protocol: %s",
				   outcome->what);
	case OUTCOME_HOST:
		return must_format("%s: %s", outcome->what, strerror(outcome->error));
	default:
		return must_format("nothing happened");
	}
}
