/* What the guest's frames do. Each is checked by the decoder; here, that it comes in
 * turn. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/session_frames.h"

/* What a guest may take to kill a job and tell the rest of its trace and the log. */
#define CUT_TIME_NS (5 * NSEC_PER_SEC)

static const char *const stream_names[WIRE_STREAMS] = { "stdin",     "stdout",
							"stderr",    "the terminal",
							"the trace", "the audit log" };

void session_end(struct session *s, struct outcome outcome)
{
	if (!s->outcome.kind)
		s->outcome = outcome;
}

void session_cut(struct session *s, struct outcome outcome)
{
	struct wire_msg msg = { .type = WIRE_SIGNAL, .signal = { SIGKILL } };

	if (!(s->strace || s->audit >= 0) || !s->times.started || s->times.exited ||
	    s->cut.kind || s->vm->ended) {
		session_end(s, outcome);
		return;
	}
	s->cut = outcome;
	s->cut_until = now_ns() + CUT_TIME_NS;
	session_send(s, &msg);
}

void session_end_errno(struct session *s, const char *what, int error)
{
	struct outcome outcome = { .kind = OUTCOME_HOST, .error = -error };

	snprintf(outcome.what, sizeof(outcome.what), "%s", what);
	session_end(s, outcome);
}

static void protocol_broken(struct session *s, const char *what)
{
	struct outcome outcome = { .kind = OUTCOME_PROTOCOL };

	snprintf(outcome.what, sizeof(outcome.what), "%s", what);
	session_end(s, outcome);
}

void session_send(struct session *s, const struct wire_msg *msg)
{
	if (s->uploaded && channel_room(&s->channel) &&
	    channel_send(&s->channel, msg) < 0)
		protocol_broken(s, wire_name(msg->type));
}

/* The terminal's text goes where a terminal is. */
void session_drains_open(struct session *s)
{
	const struct wire_job *job = &s->plan->job;
	int terminal = job->stdout_kind == WIRE_STDIO_TTY   ? STDOUT_FILENO
		       : job->stderr_kind == WIRE_STDIO_TTY ? STDERR_FILENO
							    : STDIN_FILENO;

	for (int i = 0; i < WIRE_STREAMS; i++)
		drain_init(&s->drains[i]);
	if (job->stdout_kind == WIRE_STDIO_PIPE)
		drain_open(&s->drains[WIRE_STDOUT], WIRE_STDOUT, STDOUT_FILENO);
	if (job->stderr_kind == WIRE_STDIO_PIPE && !(job->flags & WIRE_JOB_MERGE))
		drain_open(&s->drains[WIRE_STDERR], WIRE_STDERR, STDERR_FILENO);
	if (job->stdin_kind == WIRE_STDIO_TTY || job->stdout_kind == WIRE_STDIO_TTY ||
	    job->stderr_kind == WIRE_STDIO_TTY)
		drain_open(&s->drains[WIRE_TTY], WIRE_TTY, terminal);
	if (s->strace)
		drain_open_taker(&s->drains[WIRE_TRACE], WIRE_TRACE, strace_fd(s->strace),
				 strace_take, s->strace);
	if (s->audit >= 0)
		drain_open(&s->drains[WIRE_AUDIT], WIRE_AUDIT, s->audit);
}

void session_drained(struct session *s, enum wire_stream stream, int error)
{
	if (error == -EPROTO)
		protocol_broken(s, "more data than it had credit for");
	else if (error == -EOVERFLOW)
		session_end(s, (struct outcome){ .kind = OUTCOME_OUTPUT_LIMIT });
	else if (error == -EBADMSG)
		protocol_broken(s, "not a trace");
	else if (error < 0)
		session_end_errno(s, stream_names[stream], error);
	/* Who asks for a log does not go on without it. */
	else if (stream == WIRE_AUDIT && s->drains[stream].gone)
		session_end_errno(s, stream_names[stream], -EPIPE);
}

void session_credits(struct session *s)
{
	if (!s->uploaded)
		return;
	for (int i = 0; i < WIRE_STREAMS; i++) {
		struct drain *drain = &s->drains[i];
		uint32_t owed = wire_receiver_owed(&drain->credit);
		struct wire_msg msg = { .type = WIRE_CREDIT, .credit = { i, owed } };

		if (drain->fd < 0 || !channel_room(&s->channel))
			continue;
		if (owed) {
			session_send(s, &msg);
			wire_receiver_repaid(&drain->credit, owed);
		}
		if (drain->gone && !drain->told && s->times.started) {
			msg = (struct wire_msg){ .type = WIRE_CLOSED, .closed = { i } };
			session_send(s, &msg);
			drain->told = true;
		}
	}
}

/* -- frames -- */

/* Passes on the job's bytes, up to --max-output, which what is told about it does not
 * count to. */
static void take_data(struct session *s, const struct wire_data *data)
{
	if (data->stream == WIRE_TRACE || data->stream == WIRE_AUDIT) {
		session_drained(s, data->stream,
				drain_take(&s->drains[data->stream], data->bytes.at,
					   data->bytes.size));
		return;
	}
	uint64_t left = s->plan->options->max_output - s->printed;
	size_t size = MIN((uint64_t)data->bytes.size, left);

	s->printed += size;
	session_drained(s, data->stream,
			drain_take(&s->drains[data->stream], data->bytes.at, size));
	if (size < data->bytes.size && !s->cut.kind)
		session_cut(s, (struct outcome){ .kind = OUTCOME_OUTPUT_LIMIT });
}

static void take_failed(struct session *s, const struct wire_failed *failed)
{
	struct outcome outcome = { .kind = OUTCOME_NOT_STARTED,
				   .stage = failed->stage,
				   .error = failed->error };

	snprintf(outcome.what, sizeof(outcome.what), "%s", failed->what.at);
	session_end(s, outcome);
}

static void take_ready(struct session *s, const struct wire_ready *ready)
{
	if (ready->version != WIRE_VERSION) {
		session_end(s, (struct outcome){ .kind = OUTCOME_NOT_STARTED,
						 .stage = WIRE_STAGE_VERSION });
		return;
	}
	s->times.ready = now_ns();
	s->times.guest_ready = ready->clock_ns;
}

static void take_done(struct session *s)
{
	struct outcome outcome = { .kind = OUTCOME_EXITED, .status = s->usage.status };

	if (!s->times.exited || (s->audit >= 0 && !s->audit_ended)) {
		protocol_broken(s, "DONE before all was told");
		return;
	}
	s->times.done = now_ns();
	if (s->usage.signal) {
		outcome.kind = OUTCOME_KILLED;
		outcome.signal = s->usage.signal;
	}
	session_end(s, outcome);
}

static void download_result(struct session *s, enum wire_type type, int error)
{
	if (error == -EFBIG)
		session_end(s, (struct outcome){ .kind = OUTCOME_OUTPUT_LIMIT });
	else if (error < 0)
		protocol_broken(s, wire_name(type));
}

/* The trace's comes when its last thread is gone, the log's after the job's end. */
static void take_eof(struct session *s, enum wire_stream stream)
{
	enum wire_stream last = s->audit >= 0 ? WIRE_AUDIT : WIRE_TRACE;

	s->audit_ended |= stream == WIRE_AUDIT;
	if (s->cut.kind && stream == last)
		session_end(s, s->cut);
}

/* Of the streams the audit log alone goes on. */
static void take_late(struct session *s, const struct wire_msg *msg)
{
	if (msg->type == WIRE_DATA && msg->data.stream == WIRE_AUDIT)
		take_data(s, &msg->data);
	else if (msg->type == WIRE_EOF && msg->eof.stream == WIRE_AUDIT)
		take_eof(s, WIRE_AUDIT);
	else
		protocol_broken(s, wire_name(msg->type));
}

/* Frames of the time after the job. */
static void take_after(struct session *s, const struct wire_msg *msg)
{
	switch (msg->type) {
	case WIRE_DATA:
	case WIRE_EOF:
	case WIRE_CREDIT:
	case WIRE_CLOSED:
		take_late(s, msg);
		break;
	case WIRE_FILE:
		download_result(s, msg->type, download_file(&s->download, &msg->file));
		break;
	case WIRE_FILE_DATA:
		download_result(s, msg->type,
				download_data(&s->download, &msg->file_data.bytes));
		break;
	case WIRE_FILE_END:
		download_result(s, msg->type,
				download_file_end(&s->download, msg->file_end.error));
		break;
	case WIRE_OUT_DONE:
		download_result(s, msg->type,
				download_done(&s->download, &msg->out_done));
		break;
	case WIRE_REPORT:
		textlog_add(&s->topics[msg->report.topic], msg->report.bytes.at,
			    msg->report.bytes.size);
		break;
	default:
		take_done(s);
	}
}

/* Frames of the running job. */
static void take_running(struct session *s, const struct wire_msg *msg)
{
	switch (msg->type) {
	case WIRE_STARTED:
		s->times.started = now_ns();
		s->times.guest_started = msg->started.clock_ns;
		break;
	case WIRE_DATA:
		take_data(s, &msg->data);
		break;
	case WIRE_CREDIT:
		if (msg->credit.stream != WIRE_STDIN ||
		    wire_sender_grant(&s->stdin_credit, msg->credit.bytes) < 0)
			protocol_broken(s, "CREDIT");
		break;
	case WIRE_CLOSED:
		s->stdin_open = false;
		break;
	case WIRE_EOF:
		take_eof(s, msg->eof.stream);
		break;
	case WIRE_EXITED:
		s->times.exited = now_ns();
		s->times.guest_exited = msg->exited.clock_ns;
		if (msg->exited.stdin_taken > s->stdin_read)
			protocol_broken(s, "it read more than there was");
		s->usage = msg->exited;
		s->stdin_open = false;
		if (s->cut.kind && s->audit < 0)
			session_end(s, s->cut);
		break;
	default:
		break;
	}
}

static void frame_take(struct session *s, const struct wire_msg *msg)
{
	bool before = !s->times.ready, after = s->times.exited;

	if (msg->type == WIRE_FAILED)
		take_failed(s, &msg->failed);
	else if (before && msg->type == WIRE_READY)
		take_ready(s, &msg->ready);
	else if (before || msg->type == WIRE_READY ||
		 (after && !wire_allowed(msg->type, WIRE_AFTER)))
		protocol_broken(s, wire_name(msg->type));
	else if (after)
		take_after(s, msg);
	else if (msg->type == WIRE_EXITED || wire_allowed(msg->type, WIRE_RUN))
		take_running(s, msg);
	else
		protocol_broken(s, wire_name(msg->type));
}

void session_frames(struct session *s)
{
	while (!s->outcome.kind) {
		struct wire_msg msg;
		int result = channel_next(&s->channel, &msg);

		if (result == 0)
			return;
		if (result < 0)
			protocol_broken(s, "not a frame");
		else
			frame_take(s, &msg);
	}
}
