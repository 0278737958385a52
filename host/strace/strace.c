/*
 * The trace: which thread's line is open, what each thread is in, and the time.
 *
 * A line that another thread's event cuts short ends in "<unfinished ...>", and its rest
 * stands on a line of its own later, "<... call resumed>".
 */
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "host/strace/call.h"
#include "host/strace/strace.h"

#define RESULT_COLUMN 40
#define THREADS_MAX 65536u /* that are in a call at once */
#define KEPT_MAX MIB(64)   /* records of calls that have not returned, in all */
#define WRITE_AT KIB(64)   /* text that is worth a write */

/* A thread in a call. */
struct thread {
	int32_t tid; /* must stay first: the key of the tree */
	struct call call;
	uint64_t start_ns;
	bool unfinished; /* the line was cut short */
	uint8_t *bytes;	 /* the record of its entry; NULL: too many were kept */
	size_t size;
	struct calltrace_record entry; /* of ->bytes */
};

struct strace {
	int fd;
	bool first_only;
	int32_t first; /* the first thread; 0: not known */
	uint64_t max, written, wall_offset;
	struct text text;
	void *threads;	     /* of struct thread */
	struct thread *open; /* whose call the last line ends in; NULL: it is complete */
	size_t thread_count, kept;
	/* a record that has not wholly come */
	uint8_t part[CALLTRACE_RECORD_MAX];
	size_t part_size;
};

/* ---- threads ---- */

static int compare(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

static struct thread *thread_find(struct strace *s, int32_t tid)
{
	void *node = tfind(&tid, &s->threads, compare);

	return node ? *(struct thread **)node : NULL;
}

static void thread_keep(struct strace *s, struct thread *t, const void *bytes)
{
	size_t size = t->entry.head.size;

	t->call.before = NULL;
	if (s->kept + size > KEPT_MAX)
		return;
	t->bytes = must_alloc(size);
	memcpy(t->bytes, bytes, size);
	t->size = size;
	s->kept += size;
	if (calltrace_decode(t->bytes, size, &t->entry) > 0)
		t->call.before = &t->entry;
}

static void thread_forget(struct strace *s, struct thread *t)
{
	tdelete(t, &s->threads, compare);
	s->thread_count--;
	s->kept -= t->size;
	if (s->open == t)
		s->open = NULL;
	free(t->bytes);
	free(t);
}

/* ---- lines ---- */

/* Ends the line of another thread's call, or of this one's. */
static void line_cut(struct strace *s)
{
	if (!s->open)
		return;
	text_add(&s->text, " <unfinished ...>");
	text_end_line(&s->text);
	s->open->unfinished = true;
	s->open = NULL;
}

static void line_begin(struct strace *s, const struct calltrace_head *head)
{
	uint64_t wall = head->ns + s->wall_offset;
	time_t seconds = (time_t)(wall / NSEC_PER_SEC);
	struct tm tm;

	line_cut(s);
	if (!s->first_only)
		text_add(&s->text, "%-5d ", head->tid);
	if (!localtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	text_add(&s->text, "%02d:%02d:%02d.%06lu ", tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (unsigned long)(wall % NSEC_PER_SEC / 1000));
}

/* ") ", and blanks up to where results stand. */
static void line_result(struct strace *s)
{
	text_add(&s->text, ") ");
	while (s->text.size - s->text.line < RESULT_COLUMN)
		text_put(&s->text, " ", 1);
	text_add(&s->text, "= ");
}

/* ---- records ---- */

/* The line that the thread's call is on again. */
static void resume(struct strace *s, struct thread *t, const struct calltrace_head *head)
{
	char space[32];

	if (s->open == t)
		return;
	line_begin(s, head);
	text_add(&s->text, "<... %s resumed>", call_name(t->call.enter.nr, space));
	s->open = t;
}

/* The thread is gone, in the middle of a call perhaps. */
static void never_returned(struct strace *s, struct thread *t,
			   const struct calltrace_head *head)
{
	resume(s, t, head);
	if (!call_complete(&t->call))
		text_add(&s->text, " <unfinished ...>");
	line_result(s);
	text_add(&s->text, "?");
	text_end_line(&s->text);
	thread_forget(s, t);
}

static int take_enter(struct strace *s, const struct calltrace_record *r,
		      const void *bytes)
{
	struct thread *t = thread_find(s, r->head.tid);
	char space[32];

	if (s->thread_count == THREADS_MAX)
		return -EBADMSG;
	if (t) /* killed in an execve that was to take this number over */
		never_returned(s, t, &r->head);
	line_begin(s, &r->head);
	t = must_alloc(sizeof(*t));
	*t = (struct thread){ .tid = r->head.tid,
			      .start_ns = r->head.ns,
			      .entry = *r,
			      .call = { .out = &s->text, .enter = r->enter } };
	thread_keep(s, t, bytes);
	s->thread_count++;
	if (!tsearch(t, &s->threads, compare))
		abort();
	text_add(&s->text, "%s(", call_name(r->enter.nr, space));
	call_args(&t->call);
	s->open = t;
	return 0;
}

static void time_spent(struct strace *s, uint64_t from, uint64_t to)
{
	uint64_t us = (to - from) / 1000;

	text_add(&s->text, " <%lu.%06lu>", us / 1000000, us % 1000000);
}

/* An exit whose entry another thread made: that one became this by execve. */
static void exit_alone(struct strace *s, const struct calltrace_record *r)
{
	struct call call = { .out = &s->text,
			     .enter = { .nr = r->exit.nr },
			     .result = (int64_t)r->exit.result };
	char space[32];

	line_begin(s, &r->head);
	call.failed = call.result < 0 && call.result >= -4095;
	text_add(&s->text, "<... %s resumed>", call_name(r->exit.nr, space));
	line_result(s);
	call_result(&call);
	text_end_line(&s->text);
}

static int take_exit(struct strace *s, const struct calltrace_record *r)
{
	struct thread *t = thread_find(s, r->head.tid);

	if (!t) {
		exit_alone(s, r);
		return 0;
	}
	if (t->call.enter.nr != r->exit.nr)
		return -EBADMSG;
	resume(s, t, &r->head);
	t->call.after = r;
	t->call.result = (int64_t)r->exit.result;
	t->call.failed = t->call.result < 0 && t->call.result >= -4095;
	call_args(&t->call);
	line_result(s);
	call_result(&t->call);
	time_spent(s, t->start_ns, r->head.ns);
	text_end_line(&s->text);
	thread_forget(s, t);
	return 0;
}

/* A leader whose number another thread, in execve, goes on under. */
static void superseded(struct strace *s, const struct calltrace_record *r)
{
	struct thread *t = thread_find(s, r->exited.successor);

	line_begin(s, &r->head);
	text_add(&s->text, "+++ superseded by execve in pid %d +++", r->exited.successor);
	text_end_line(&s->text);
	if (!t)
		return;
	tdelete(t, &s->threads, compare);
	t->tid = r->head.tid;
	if (!tsearch(t, &s->threads, compare))
		abort();
}

static void take_exited(struct strace *s, const struct calltrace_record *r)
{
	struct thread *t = thread_find(s, r->head.tid);
	int status = (int)r->exited.status;

	if (t)
		never_returned(s, t, &r->head);
	if (r->exited.successor) {
		superseded(s, r);
		return;
	}
	line_begin(s, &r->head);
	if (WIFSIGNALED(status)) {
		text_add(&s->text, "+++ killed by ");
		text_signal(&s->text, (uint64_t)WTERMSIG(status));
		text_add(&s->text, "%s +++", WCOREDUMP(status) ? " (core dumped)" : "");
	} else {
		text_add(&s->text, "+++ exited with %d +++", WEXITSTATUS(status));
	}
	text_end_line(&s->text);
}

static void take_signal(struct strace *s, const struct calltrace_record *r)
{
	int signal;

	memcpy(&signal, r->siginfo, sizeof(signal));
	line_begin(s, &r->head);
	text_add(&s->text, "--- ");
	text_signal(&s->text, (uint64_t)signal);
	text_add(&s->text, " ");
	text_siginfo(&s->text, r->siginfo);
	text_add(&s->text, " ---");
	text_end_line(&s->text);
}

static int record_take(struct strace *s, const struct calltrace_record *r,
		       const void *bytes)
{
	if (r->head.type == CALLTRACE_BEGIN) {
		s->wall_offset = r->wall_offset;
		return 0;
	}
	if (!s->first)
		s->first = r->head.tid;
	if (s->first_only && r->head.tid != s->first)
		return 0;
	switch (r->head.type) {
	case CALLTRACE_ENTER:
		return take_enter(s, r, bytes);
	case CALLTRACE_EXIT:
		return take_exit(s, r);
	case CALLTRACE_SIGNAL:
		take_signal(s, r);
		return 0;
	default:
		take_exited(s, r);
		return 0;
	}
}

/* ---- the stream ---- */

/* Writes the lines that are complete. */
static int text_write(struct strace *s)
{
	struct text *t = &s->text;
	int error;

	if (!t->line)
		return 0;
	if (t->line > s->max - s->written)
		return -EOVERFLOW;
	error = write_all(s->fd, t->at, t->line);
	s->written += t->line;
	memmove(t->at, t->at + t->line, t->size - t->line);
	t->size -= t->line;
	t->line = 0;
	return error;
}

/* Records that lie wholly in `size` bytes. The bytes taken, or -EBADMSG, ... */
static ssize_t records_take(struct strace *s, const uint8_t *bytes, size_t size)
{
	size_t done = 0;

	for (;;) {
		struct calltrace_record r;
		int n = calltrace_decode(bytes + done, size - done, &r), error;

		if (n < 0)
			return -EBADMSG;
		if (n == 0)
			return (ssize_t)done;
		error = record_take(s, &r, bytes + done);
		if (error == 0 && s->text.line >= WRITE_AT)
			error = text_write(s);
		if (error < 0)
			return error;
		done += (size_t)n;
	}
}

int strace_take(void *strace, const void *bytes, size_t size)
{
	struct strace *s = strace;
	const uint8_t *at = bytes;
	ssize_t taken;

	while (s->part_size && size) {
		size_t more = MIN(size, sizeof(s->part) - s->part_size);

		memcpy(s->part + s->part_size, at, more);
		taken = records_take(s, s->part, s->part_size + more);
		if (taken < 0)
			return (int)taken;
		if (!taken) {
			/* All of it, since a record fits. */
			s->part_size += more;
			return 0;
		}
		/* What follows the record that was in parts is still where it came. */
		at += (size_t)taken - s->part_size;
		size -= (size_t)taken - s->part_size;
		s->part_size = 0;
	}
	taken = records_take(s, at, size);
	if (taken < 0)
		return (int)taken;
	s->part_size = size - (size_t)taken;
	memcpy(s->part, at + taken, s->part_size);
	return 0;
}

int strace_end(struct strace *s)
{
	line_cut(s);
	return text_write(s);
}

struct strace *strace_new(int fd, bool first_only, uint64_t max)
{
	struct strace *s = must_alloc(sizeof(*s));

	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->first_only = first_only;
	s->max = max;
	return s;
}

int strace_fd(const struct strace *s)
{
	return s->fd;
}

void strace_free(struct strace *s)
{
	if (!s)
		return;
	while (s->threads)
		thread_forget(s, *(struct thread **)s->threads);
	free(s->text.at);
	free(s);
}
