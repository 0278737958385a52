/* A log of audit records, read and checked. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "host/audit/audit.h"
#include "host/audit/log.h"

#define LONG_AGO_NS (1000000000 * NSEC_PER_SEC) /* 2001: no clock that was set */

/* ---- what is known of a log so far ---- */

const char *fault_name(enum audit_fault fault)
{
	static const char *const names[AUDIT_FAULTS] = {
		[AUDIT_SOUND] = "sound",
		[AUDIT_CHANGED] = "changed",
		[AUDIT_MALFORMED] = "malformed",
		[AUDIT_FOREIGN] = "foreign",
		[AUDIT_REPEATED] = "repeated",
		[AUDIT_MISSING] = "missing",
		[AUDIT_UNCHAINED] = "unchained",
		[AUDIT_AFTER_END] = "after_end",
		[AUDIT_CUT] = "cut",
	};

	return names[fault] ? names[fault] : "other";
}

bool tally_may_begin(const struct audit_record *first)
{
	struct audit_check nothing = { 0 };
	enum audit_fault fault = audit_check_next(&nothing, first);

	return (fault != AUDIT_CHANGED && fault != AUDIT_MALFORMED) ||
	       first->event == AUDIT_EVENT_BOOT ||
	       (!first->sequence && first->syscall == UINT32_MAX);
}

static void fault_add(struct tally *t, enum audit_fault fault, uint64_t at)
{
	if (t->fault || !fault)
		return;
	t->fault = fault;
	t->fault_at = at;
}

void tally_take(struct tally *t, const struct audit_record *r)
{
	enum audit_fault fault = t->fault ? AUDIT_SOUND : audit_check_next(&t->check, r);

	fault_add(t, fault, t->count);
	t->count++;
	if (t->fault || r->event != AUDIT_EVENT_DROPPED)
		return;
	for (int class = 0; class < AUDIT_CLASSES; class ++)
		t->dropped[class] += r->arg[class];
}

void tally_end(struct tally *t, size_t part)
{
	t->part = part;
	fault_add(t, part ? AUDIT_CUT : audit_check_end(&t->check), t->count);
}

/* ---- files ---- */

int audit_log_open(struct audit_log *log, const char *path)
{
	bool is_stdin = !strcmp(path, "-");

	*log = (struct audit_log){ .name = is_stdin ? "stdin" : path };
	log->file = is_stdin ? stdin : fopen(path, "rbe");
	if (log->file)
		return 0;
	say("cannot open '%s': %s", path, strerror(errno));
	return MAYFLY_FAILED;
}

static bool is_clock_set(const struct audit_record *r)
{
	return r->wall_ns > LONG_AGO_NS && r->wall_ns < INT64_MAX &&
	       r->mono_ns < r->wall_ns;
}

void audit_log_scan(struct audit_log *log, struct audit_names *names)
{
	off_t start = ftello(log->file);
	struct audit_record r;

	if (start < 0 || fseeko(log->file, start, SEEK_SET) < 0)
		return;
	while (fread(&r, sizeof(r), 1, log->file)) {
		names_learn(names, &r);
		if (!log->boot_ns && is_clock_set(&r))
			log->boot_ns = r.wall_ns - r.mono_ns;
	}
	/* Where it was; what went wrong is seen again then. */
	clearerr(log->file);
	if (fseeko(log->file, start, SEEK_SET) < 0)
		rewind(log->file);
}

uint64_t audit_log_moment(const struct audit_log *log, const struct audit_record *r)
{
	return is_clock_set(r) || !log->boot_ns ? r->wall_ns : log->boot_ns + r->mono_ns;
}

static int cannot_read(const struct audit_log *log)
{
	say("cannot read '%s': %s", log->name, strerror(errno));
	return -1;
}

int audit_log_next(struct audit_log *log, struct audit_record *ret)
{
	struct tally *t = &log->tally;
	size_t n = fread(ret, 1, sizeof(*ret), log->file);

	if (n < sizeof(*ret) && ferror(log->file))
		return cannot_read(log);
	if (!t->count && (n < sizeof(*ret) || !tally_may_begin(ret))) {
		say("'%s' is not an audit log: it does not begin with a boot's record",
		    log->name);
		return -1;
	}
	if (n < sizeof(*ret)) {
		tally_end(t, n);
		return 0;
	}
	tally_take(t, ret);
	return 1;
}

int audit_log_judge(const struct audit_log *log)
{
	const struct tally *t = &log->tally;

	if (!t->fault)
		return 0;
	if (t->fault == AUDIT_CUT && !t->part) {
		say("'%s' has no end: the VM still runs, or died, or the end was removed",
		    log->name);
		return 0;
	}
	say("'%s' proves nothing from record %" PRIu64 " on; see 'mayfly audit verify'",
	    log->name, t->fault_at);
	return AUDIT_NOT_SOUND;
}

void audit_log_close(struct audit_log *log)
{
	if (log->file != stdin)
		fclose(log->file);
}
