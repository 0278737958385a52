/* The loop that a run is. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/session.h"
#include "host/session_frames.h"

/* A guest that has not said READY by then never will. */
#define BOOT_TIMEOUT_NS (60 * NSEC_PER_SEC)

/* -- signals -- */

static const int ending_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static const int other_signals[] = { SIGWINCH, SIGCONT, SIGUSR1, SIGUSR2 };

/* One that was ignored when we came, as under nohup, stays ignored. */
static bool signal_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(ending_signals); i++)
		if (!signal_ignored(ending_signals[i]))
			sigaddset(&set, ending_signals[i]);
	for (size_t i = 0; i < ARRAY_LEN(other_signals); i++)
		sigaddset(&set, other_signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void winsize_send(struct session *s)
{
	struct wire_msg msg = { .type = WIRE_WINSIZE };

	tty_size(&msg.winsize.rows, &msg.winsize.cols);
	session_send(s, &msg);
}

static void signal_forward(struct session *s, int number)
{
	struct wire_msg msg = { .type = WIRE_SIGNAL, .signal = { number } };

	session_send(s, &msg);
}

static void signals_take(struct session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGWINCH:
			winsize_send(s);
			break;
		case SIGCONT:
			tty_enter(s->plan->tty_mode);
			break;
		case SIGUSR1:
		case SIGUSR2:
			signal_forward(s, info.ssi_signo);
			break;
		default:
			session_cut(s, (struct outcome){ .kind = OUTCOME_INTERRUPTED,
							 .signal = info.ssi_signo });
			break;
		}
	}
}

/* -- stdin -- */

static bool stdin_wanted(struct session *s)
{
	return s->stdin_open && s->times.started && !s->outcome.kind && !s->cut.kind &&
	       s->stdin_credit.credit && channel_room(&s->channel);
}

static void stdin_ended(struct session *s)
{
	struct wire_msg msg = { .type = WIRE_EOF, .eof = { WIRE_STDIN } };

	s->stdin_open = false;
	session_send(s, &msg);
}

static void stdin_take(struct session *s, short events)
{
	struct wire_msg msg = { .type = WIRE_DATA, .data = { .stream = WIRE_STDIN } };
	char *tail;
	ssize_t n;

	/* What was handled since poll may have changed that. */
	if (!stdin_wanted(s))
		return;
	tail = channel_tail(&s->channel, 1);
	n = read(STDIN_FILENO, tail,
		 MIN(s->stdin_credit.credit, (uint32_t)WIRE_PAYLOAD_MAX - 1));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Ctrl-D at a terminal that edits lines ends a read, not the terminal. */
	if (n == 0 && s->plan->job.stdin_kind == WIRE_STDIO_TTY && !(events & POLLHUP)) {
		*tail = 'D' - '@';
		n = 1;
	}
	if (n <= 0) {
		stdin_ended(s);
		return;
	}
	if (s->plan->tty_mode == TTY_RAW && tty_escape_seen(&s->escape, tail, n)) {
		session_cut(s, (struct outcome){ .kind = OUTCOME_ENDED_BY_USER });
		return;
	}
	msg.data.bytes.size = n;
	session_send(s, &msg);
	wire_sender_spend(&s->stdin_credit, n);
	s->stdin_read += n;
}

/* What we read ahead and the job did not: for whoever reads stdin next. A pipe takes
 * nothing back. */
static void stdin_give_back(const struct session *s)
{
	uint64_t rest = s->stdin_read - s->usage.stdin_taken;

	if (s->times.exited && s->plan->job.stdin_kind == WIRE_STDIO_PIPE && rest)
		(void)lseek(STDIN_FILENO, -(off_t)rest, SEEK_CUR);
}

/* -- the loop -- */

/* The places in the poll set. */
enum {
	AT_PORT,
	AT_LOG,
	AT_ERRORS,
	AT_VM,
	AT_SIGNALS,
	AT_STDIN,
	AT_DRAINS,
	AT_COUNT = AT_DRAINS + WIRE_STREAMS
};

static void upload_more(struct session *s)
{
	while (s->uploading && channel_room(&s->channel)) {
		int result = upload_next(&s->upload, &s->channel);

		if (result > 0)
			continue;
		s->uploading = false;
		if (result == 0) {
			s->uploaded = true;
		} else {
			char *what = must_format("cannot send '%s'", s->upload.failed);

			session_end_errno(s, what, result);
			free(what);
		}
	}
}

/* Queues what is to be sent and sends what can be. What then is left waits for the
 * socket, so poll will wake us for it: nothing is left behind without that. */
static void send_more(struct session *s)
{
	do {
		channel_flush(&s->channel);
		upload_more(s);
		session_credits(s);
		channel_flush(&s->channel);
	} while (s->uploading && !channel_waiting(&s->channel));
}

static void polls_fill(struct session *s, struct pollfd polls[AT_COUNT])
{
	const struct vm *vm = s->vm;
	bool ended = s->channel.ended;

	polls[AT_PORT] = (struct pollfd){ ended ? -1 : vm->port, POLLIN, 0 };
	if (channel_waiting(&s->channel))
		polls[AT_PORT].events |= POLLOUT;
	polls[AT_LOG] = (struct pollfd){ vm->log, POLLIN, 0 };
	polls[AT_ERRORS] = (struct pollfd){ vm->errors, POLLIN, 0 };
	polls[AT_VM] = (struct pollfd){ vm->pidfd, POLLIN, 0 };
	polls[AT_SIGNALS] = (struct pollfd){ s->signals, POLLIN, 0 };
	polls[AT_STDIN] =
		(struct pollfd){ stdin_wanted(s) ? STDIN_FILENO : -1, POLLIN, 0 };
	for (int i = 0; i < WIRE_STREAMS; i++) {
		const struct drain *drain = &s->drains[i];

		/* Without data to write, poll still tells of a reader that goes away. */
		polls[AT_DRAINS + i] =
			(struct pollfd){ drain->gone ? -1 : drain->fd, 0, 0 };
		if (drain_waiting(drain))
			polls[AT_DRAINS + i].events = POLLOUT;
	}
}

/* Milliseconds until the next deadline; ends the run when it has passed. -1: none. */
static int deadline_wait(struct session *s)
{
	uint64_t now = now_ns(), timeout = s->plan->options->timeout_ns, at = 0;
	struct outcome late = { .kind = OUTCOME_TIMED_OUT };

	if (timeout)
		at = s->times.start + timeout;
	if (!s->times.ready && (!at || s->times.spawn + BOOT_TIMEOUT_NS < at)) {
		at = s->times.spawn + BOOT_TIMEOUT_NS;
		late.kind = OUTCOME_NO_BOOT;
	}
	if (s->cut.kind) {
		at = s->cut_until;
		late = s->cut;
	}
	if (!at)
		return -1;
	if (now >= at) {
		session_cut(s, late);
		return 0;
	}
	return MIN((at - now) / NSEC_PER_MSEC + 1, (uint64_t)INT32_MAX);
}

static void drains_pump(struct session *s, const struct pollfd polls[AT_COUNT])
{
	for (int i = 0; i < WIRE_STREAMS; i++) {
		const struct pollfd *at = &polls[AT_DRAINS + i];

		if (at->fd < 0 || !at->revents)
			continue;
		if ((at->revents & (POLLERR | POLLHUP | POLLNVAL)) &&
		    !drain_waiting(&s->drains[i]))
			s->drains[i].gone = true;
		session_drained(s, i, drain_pump(&s->drains[i]));
	}
}

/* The VM ended by itself. Its last words are in the socket. */
static void vm_ended(struct session *s)
{
	vm_end(s->vm);
	while (!s->channel.ended && !s->outcome.kind) {
		channel_receive(&s->channel);
		session_frames(s);
	}
	textlog_read(&s->qemu_log, s->vm->errors, -1);
	if (!s->outcome.kind)
		session_end(s, s->cut.kind ? s->cut : outcome_of_vm(s->vm->status));
}

/* Until the job is over, however that comes. */
static void session_loop(struct session *s)
{
	int echo = s->plan->options->verbose ? STDERR_FILENO : -1;

	while (!s->outcome.kind) {
		struct pollfd polls[AT_COUNT];
		int wait;

		send_more(s);
		polls_fill(s, polls);
		wait = deadline_wait(s);
		if (s->outcome.kind || poll(polls, AT_COUNT, wait) < 0)
			continue;
		if (polls[AT_SIGNALS].revents)
			signals_take(s);
		if (polls[AT_LOG].revents)
			textlog_read(&s->kernel_log, s->vm->log, echo);
		if (polls[AT_ERRORS].revents)
			textlog_read(&s->qemu_log, s->vm->errors, echo);
		drains_pump(s, polls);
		if (polls[AT_PORT].revents & ~POLLOUT) {
			channel_receive(&s->channel);
			session_frames(s);
		}
		if (polls[AT_STDIN].revents)
			stdin_take(s, polls[AT_STDIN].revents);
		if (polls[AT_VM].revents && !s->outcome.kind)
			vm_ended(s);
	}
}

/* One round of session_flush(): false when there is nothing left to do. */
static bool flush_once(struct session *s, bool patient)
{
	struct pollfd polls[1 + WIRE_STREAMS] = { { s->signals, POLLIN, 0 } };
	bool waiting = false;

	for (int i = 0; i < WIRE_STREAMS; i++) {
		bool wanted = drain_waiting(&s->drains[i]);

		polls[1 + i] =
			(struct pollfd){ wanted ? s->drains[i].fd : -1, POLLOUT, 0 };
		waiting |= wanted;
	}
	if (!waiting || poll(polls, ARRAY_LEN(polls), patient ? -1 : 0) <= 0)
		return false;
	if (polls[0].revents) {
		struct outcome before = s->outcome;

		s->outcome.kind = OUTCOME_NONE;
		signals_take(s);
		if (s->outcome.kind)
			return false;
		/* A resized window ends nothing. */
		s->outcome = before;
	}
	for (int i = 0; i < WIRE_STREAMS; i++) {
		int error = polls[1 + i].revents ? drain_pump(&s->drains[i]) : 0;

		if (error < 0) {
			s->outcome.kind = OUTCOME_NONE;
			session_drained(s, i, error);
			return false;
		}
	}
	return true;
}

/* What the job printed before its end reaches a slow reader too. A run that was cut short
 * does not wait for one. */
static void session_flush(struct session *s)
{
	bool patient = s->outcome.kind == OUTCOME_EXITED ||
		       s->outcome.kind == OUTCOME_KILLED ||
		       s->outcome.kind == OUTCOME_OUTPUT_LIMIT;

	while (flush_once(s, patient))
		;
}

static void session_init(struct session *s, const struct plan *plan, struct vm *vm,
			 uint64_t start_ns)
{
	const struct options *options = plan->options;

	s->plan = plan;
	s->vm = vm;
	channel_init(&s->channel, vm->port);
	upload_init(&s->upload, plan);
	download_init(&s->download, options->outs, options->out_count,
		      options->max_output);
	session_drains_open(s);
	s->stdin_credit = wire_sender_init(WIRE_STDIN);
	s->stdin_open = plan->job.stdin_kind != WIRE_STDIO_CLOSED;
	s->times.start = start_ns;
	s->times.spawn = now_ns();
	s->uploading = true;
	s->signals = signals_open();
}

void session_run(struct session *s, const struct plan *plan, struct vm *vm,
		 uint64_t start_ns)
{
	session_init(s, plan, vm, start_ns);
	tty_enter(plan->tty_mode);
	session_loop(s);
	vm_end(vm);
	s->times.end = now_ns();
	textlog_read(&s->kernel_log, vm->log,
		     plan->options->verbose ? STDERR_FILENO : -1);
	/* The kernel's own line (kernel/proc/oom.c): it may have ended any process of the
	 * job, and the job have gone on. */
	s->outcome.oom = s->kernel_log.text &&
			 strstr(s->kernel_log.text, "out of memory: killed process");
	session_flush(s);
	stdin_give_back(s);
	tty_leave();
	close(s->signals);
}

void session_fini(struct session *s)
{
	upload_fini(&s->upload);
	download_fini(&s->download);
	for (int i = 0; i < WIRE_STREAMS; i++)
		drain_close(&s->drains[i]);
	for (int i = 0; i < WIRE_TOPICS; i++)
		textlog_fini(&s->topics[i]);
	textlog_fini(&s->kernel_log);
	textlog_fini(&s->qemu_log);
}
