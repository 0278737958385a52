/* What each frame of the host does. A frame that comes at the wrong time ends the
 * agent. */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "agent.h"

static void take_hello(struct agent *a, const struct wire_hello *hello)
{
	struct timespec wall = { hello->wall_ns / NSEC_PER_SEC,
				 hello->wall_ns % NSEC_PER_SEC };
	struct wire_msg ready = { .type = WIRE_READY };

	if (hello->version != WIRE_VERSION)
		agent_fail(a, WIRE_STAGE_VERSION, 0, "");
	a->said_hello = true;
	if (a->machine) {
		int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);

		clock_settime(CLOCK_REALTIME, &wall);
		if (fd >= 0) {
			if (write(fd, hello->seed.at, hello->seed.size) < 0)
				agent_fail(a, WIRE_STAGE_PROTOCOL, errno, "/dev/urandom");
			close(fd);
		}
	}
	ready.ready = (struct wire_ready){ WIRE_VERSION, clock_now_ns() };
	port_send(a, &ready);
}

static void text_keep(char *to, const struct wire_text *text)
{
	memcpy(to, text->at, text->size + 1);
}

/* Zeroed memory that stays for good; ends the agent when there is none. */
static void *memory_get(struct agent *a, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0);

	if (at == MAP_FAILED)
		agent_fail(a, WIRE_STAGE_MEMORY, errno, "");
	return at;
}

/* Where relative paths of files begin, too. */
static void folder_enter(struct agent *a)
{
	const char *cwd = a->job.cwd;
	int error = chdir(cwd) < 0 ? errno : 0;

	if (error == ENOENT && a->machine && !strcmp(cwd, WIRE_JOB_FOLDER))
		error = mkdir(cwd, 0755) < 0 || chdir(cwd) < 0 ? errno : 0;
	if (error)
		agent_fail(a, WIRE_STAGE_CWD, error, cwd);
}

static void take_job(struct agent *a, const struct wire_job *spec)
{
	struct job *job = &a->job;
	size_t pointers = ((size_t)spec->argc + spec->envc + IDENTITY_VARIABLES + 2) *
			  sizeof(char *);

	if (job->known)
		agent_fail(a, WIRE_STAGE_PROTOCOL, EEXIST, "JOB");
	job->known = true;
	job->spec = *spec;
	text_keep(job->cwd, &spec->cwd);
	text_keep(job->program, &spec->program);
	text_keep(job->user, &spec->user);
	job->argv = job->space;
	if (pointers + spec->strings > sizeof(job->space))
		job->argv = memory_get(a, pointers + spec->strings);
	job->envp = job->argv + spec->argc + 1;
	job->strings = (char *)job->argv + pointers;
	if (spec->policy)
		job->policy = memory_get(a, spec->policy);
	folder_enter(a);
}

static void take_strings(struct agent *a, const struct wire_tail *bytes)
{
	struct job *job = &a->job;

	if (!job->known || bytes->size > job->spec.strings - job->strings_size)
		agent_fail(a, WIRE_STAGE_PROTOCOL, EOVERFLOW, "STRINGS");
	memcpy(job->strings + job->strings_size, bytes->at, bytes->size);
	job->strings_size += bytes->size;
}

static void take_policy(struct agent *a, const struct wire_tail *bytes)
{
	struct job *job = &a->job;

	if (!job->known || bytes->size > job->spec.policy - job->policy_size)
		agent_fail(a, WIRE_STAGE_PROTOCOL, EOVERFLOW, "POLICY");
	memcpy(job->policy + job->policy_size, bytes->at, bytes->size);
	job->policy_size += bytes->size;
}

/* Points argv and envp at the strings. False unless there are exactly as many as
 * announced. */
static bool strings_split(struct job *job)
{
	char *at = job->strings, *end = at + job->strings_size;
	size_t count = job->spec.argc + job->spec.envc;

	if (job->strings_size != job->spec.strings || end[-1])
		return false;
	for (size_t i = 0; i < count; i++) {
		if (at == end)
			return false;
		/* The slot after argv's last stays NULL. */
		job->argv[i + (i >= job->spec.argc)] = at;
		at += strlen(at) + 1;
	}
	return at == end;
}

static void take_start(struct agent *a, const struct wire_start *start)
{
	if (!a->job.known || a->file >= 0 || !strings_split(&a->job) ||
	    a->job.policy_size != a->job.spec.policy)
		agent_fail(a, WIRE_STAGE_PROTOCOL, EINVAL, "START");
	a->report = start->report;
	a->phase = WIRE_RUN;
	job_start(a);
}

static void take_out(struct agent *a, const struct wire_text *path)
{
	char *copy;

	if (a->out_count == WIRE_OUT_MAX)
		agent_fail(a, WIRE_STAGE_PROTOCOL, E2BIG, "OUT");
	copy = memory_get(a, path->size + 1u);
	text_keep(copy, path);
	a->out_paths[a->out_count++] = copy;
}

static void take_limit(struct agent *a, const struct wire_limit *limit)
{
	a->job.limits[limit->resource] = (struct rlimit){ limit->soft, limit->hard };
	a->job.limits_set |= 1u << limit->resource;
}

static void take_credit(struct agent *a, const struct wire_credit *credit)
{
	if (wire_stream_from(credit->stream) != WIRE_GUEST ||
	    wire_sender_grant(&a->output[credit->stream].credit, credit->bytes) < 0)
		agent_fail(a, WIRE_STAGE_PROTOCOL, EOVERFLOW, "CREDIT");
}

static void take_winsize(struct agent *a, const struct wire_winsize *size)
{
	struct winsize ws = { .ws_row = size->rows, .ws_col = size->cols };

	a->job.spec.rows = size->rows;
	a->job.spec.cols = size->cols;
	if (a->output[WIRE_TTY].fd >= 0)
		ioctl(a->output[WIRE_TTY].fd, TIOCSWINSZ, &ws);
}

/* The frames of the running job. */
static void take_running(struct agent *a, const struct wire_msg *msg)
{
	switch (msg->type) {
	case WIRE_DATA:
		if (msg->data.stream != WIRE_STDIN)
			agent_fail(a, WIRE_STAGE_PROTOCOL, EBADF, "DATA");
		input_data(a, &msg->data.bytes);
		break;
	case WIRE_EOF:
		input_end(a);
		break;
	case WIRE_CLOSED:
		if (wire_stream_from(msg->closed.stream) == WIRE_GUEST)
			output_close(a, msg->closed.stream);
		break;
	case WIRE_SIGNAL:
		if (a->job.pid > 0 && !a->job.ended)
			kill(a->job.pid, msg->signal.number);
		break;
	default:
		break;
	}
}

static void take_setup(struct agent *a, const struct wire_msg *msg)
{
	if (msg->type != WIRE_HELLO && !a->said_hello)
		agent_fail(a, WIRE_STAGE_PROTOCOL, EPROTO, wire_name(msg->type));
	switch (msg->type) {
	case WIRE_HELLO:
		take_hello(a, &msg->hello);
		break;
	case WIRE_JOB:
		take_job(a, &msg->job);
		break;
	case WIRE_STRINGS:
		take_strings(a, &msg->strings.bytes);
		break;
	case WIRE_POLICY:
		take_policy(a, &msg->policy.bytes);
		break;
	case WIRE_LIMIT:
		take_limit(a, &msg->limit);
		break;
	case WIRE_FILE:
		file_open(a, &msg->file);
		break;
	case WIRE_FILE_DATA:
		file_data(a, &msg->file_data.bytes);
		break;
	case WIRE_FILE_END:
		file_end(a, msg->file_end.error);
		break;
	case WIRE_OUT:
		take_out(a, &msg->out.path);
		break;
	case WIRE_START:
		take_start(a, &msg->start);
		break;
	default:
		break;
	}
}

void frame_handle(struct agent *a, const struct wire_msg *msg)
{
	if (msg->type == WIRE_POWEROFF)
		agent_end(a);
	/* What the host sent to the job before it knew of its end. */
	if (a->phase == WIRE_AFTER && msg->type != WIRE_CREDIT &&
	    msg->type != WIRE_CLOSED)
		return;
	if (a->phase != WIRE_AFTER && !wire_allowed(msg->type, a->phase))
		agent_fail(a, WIRE_STAGE_PROTOCOL, EPROTO, wire_name(msg->type));

	if (msg->type == WIRE_CREDIT)
		take_credit(a, &msg->credit);
	else if (msg->type == WIRE_WINSIZE)
		take_winsize(a, &msg->winsize);
	else if (a->phase == WIRE_SETUP)
		take_setup(a, msg);
	else
		take_running(a, msg);
}
