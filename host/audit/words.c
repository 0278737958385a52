/* A record in words. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/audit/words.h"
#include "host/strace/call.h"

/* ---- small things ---- */

void words_hex(struct text *out, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		const char pair[] = { digits[bytes[i] >> 4], digits[bytes[i] & 15] };

		text_put(out, pair, sizeof(pair));
	}
}

void words_boot_id(struct text *out, const uint8_t id[16])
{
	for (size_t i = 0; i < 16; i++)
		text_add(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
			 id[i]);
}

void words_moment(struct text *out, uint64_t wall_ns)
{
	time_t seconds = (time_t)(wall_ns / NSEC_PER_SEC);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		memset(&tm, 0, sizeof(tm));
	text_add(out, "%04d-%02d-%02dT%02d:%02d:%02d.%09" PRIu64 "Z", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (uint64_t)(wall_ns % NSEC_PER_SEC));
}

void words_error(struct text *out, int64_t result)
{
	const char *name =
		result < 0 && result > -4096 ? strerrorname_np((int)-result) : NULL;

	if (name)
		text_add(out, "%s", name);
	else
		text_add(out, "%" PRId64, result);
}

static void add_escaped(struct text *out, const char *bytes)
{
	text_escape(out, bytes, strlen(bytes));
}

/* It is only the end of a path. */
static bool is_cut(const struct audit_record *r)
{
	return r->event != AUDIT_EVENT_FACT && r->event != AUDIT_EVENT_BOOT &&
	       strnlen(r->text, sizeof(r->text)) == sizeof(r->text) - 1 &&
	       r->text[0] != '/';
}

/* The record's text; what is not all of a path begins with "...". */
static void add_text(struct text *out, const struct audit_record *r)
{
	text_add(out, is_cut(r) ? "..." : "");
	text_escape(out, r->text, strnlen(r->text, sizeof(r->text)));
}

/* ---- the call ---- */

/* Why a program ran without what its file would have given it. */
static bool withholds(uint32_t cause)
{
	static const bool causes[AUDIT_CAUSES] = {
		[AUDIT_CAUSE_NO_NEW_PRIVS] = true, [AUDIT_CAUSE_WATCHED] = true,
		[AUDIT_CAUSE_SHARED_FS] = true,	   [AUDIT_CAUSE_NOSUID] = true,
		[AUDIT_CAUSE_SCRIPT] = true,
	};

	return cause < AUDIT_CAUSES && causes[cause];
}

bool is_refusal(const struct audit_record *r)
{
	if (r->result < 0 || r->event == AUDIT_EVENT_REFUSED)
		return true;
	return r->event == AUDIT_EVENT_EXEC && withholds(r->cause);
}

/* The first argument that is a path: the one that a record holds. -1: there is none. */
static int path_argument(const struct audit_record *r)
{
	return call_path_argument(r->syscall);
}

/* What the record's text is. */
static enum text_of { OTHER, PROGRAM, NAMED } text_of(const struct audit_record *r)
{
	switch (r->event) {
	case AUDIT_EVENT_CRED:
	case AUDIT_EVENT_REFUSED:
	case AUDIT_EVENT_TRACE:
	case AUDIT_EVENT_LOGGED:
		return PROGRAM;
	case AUDIT_EVENT_CAPABILITY:
	case AUDIT_EVENT_DENIED:
		return path_argument(r) < 0 ? PROGRAM : NAMED;
	case AUDIT_EVENT_MOUNT:
	case AUDIT_EVENT_ROOT:
		return NAMED;
	default:
		return OTHER;
	}
}

void words_call(struct text *out, const struct audit_record *r)
{
	int i = text_of(r) == NAMED && r->text[0] ? path_argument(r) : -1;
	struct text path = { 0 };

	if (r->syscall == UINT32_MAX)
		return;
	text_add(&path, is_cut(r) ? "..." : "");
	text_put(&path, r->text, strnlen(r->text, sizeof(r->text)));
	text_put(&path, "", 1);
	call_known(out, r->syscall, r->arg, r->result, i, path.at);
	free(path.at);
}

/* ---- the program ---- */

bool words_program(const struct words *w, const struct audit_record *r)
{
	static const uint8_t none[sizeof(r->program)];
	const char *path = names_program(w->names, r->program);

	if (path) {
		add_escaped(w->out, path);
	} else if (r->text[0] && text_of(r) == PROGRAM) {
		add_text(w->out, r);
	} else if (memcmp(r->program, none, sizeof(none)) != 0) {
		text_add(w->out, "program ");
		words_hex(w->out, r->program, 6);
	} else {
		return false;
	}
	return true;
}

char *words_text(const struct audit_record *r)
{
	return must_format("%s%.*s", is_cut(r) ? "..." : "", (int)sizeof(r->text),
			   r->text);
}

char *words_program_path(const struct audit_names *names, const struct audit_record *r)
{
	const char *path = names_program(names, r->program);

	if (path)
		return must_format("%s", path);
	if (!r->text[0] || text_of(r) != PROGRAM)
		return NULL;
	return words_text(r);
}

const char *words_path(const struct audit_record *r)
{
	bool is_path = text_of(r) == NAMED || r->event == AUDIT_EVENT_EXEC;

	return is_path && r->text[0] ? r->text : NULL;
}

/* ---- what each event tells ---- */

static void tell_boot(const struct words *w, const struct audit_record *r)
{
	text_add(w->out, "kernel ");
	add_text(w->out, r);
	text_add(w->out, ", boot ");
	words_boot_id(w->out, r->boot_id);
}

/* What was asked for: all or nothing of it came true. */
static void tell_call(const struct words *w, const struct audit_record *r)
{
	words_change(w, r);
	text_add(w->out, r->result < 0 ? " refused: " : ": ");
	words_call(w->out, r);
}

static void tell_exec(const struct words *w, const struct audit_record *r)
{
	words_change(w, r);
	text_add(w->out, r->result < 0 ? " refused: runs " : ": runs ");
	add_text(w->out, r);
	if (is_refusal(r) && r->result >= 0)
		text_add(w->out, " without what its file would give");
}

/* The call, and what it named where the call cannot show it. */
static void add_named_call(const struct words *w, const struct audit_record *r)
{
	words_call(w->out, r);
	if (text_of(r) != NAMED || path_argument(r) >= 0 || !r->text[0])
		return;
	text_add(w->out, ", at ");
	add_text(w->out, r);
}

static void tell_capability(const struct words *w, const struct audit_record *r)
{
	words_who(w, &r->before);
	text_add(w->out, " by ");
	words_capabilities(w->out, r->capabilities);
	text_add(w->out, ": ");
	add_named_call(w, r);
}

static void tell_refused(const struct words *w, const struct audit_record *r)
{
	words_who(w, &r->before);
	text_add(w->out, " refused: ");
	add_named_call(w, r);
}

static void tell_place(const struct words *w, const struct audit_record *r)
{
	words_who(w, &r->before);
	text_add(w->out, r->result < 0 ? " refused: " : ": ");
	add_named_call(w, r);
}

static void tell_trace(const struct words *w, const struct audit_record *r)
{
	words_who(w, &r->before);
	text_add(w->out, r->result < 0 ? " refused to trace" : " traces");
	text_add(w->out, " process %" PRId32 ": ", r->object);
	words_call(w->out, r);
}

static void tell_policy(const struct words *w, const struct audit_record *r)
{
	static const uint8_t none[sizeof(r->policy)];

	words_change(w, r);
	text_add(w->out, r->result < 0 ? " refused: " : ": ");
	words_call(w->out, r);
	text_add(w->out, ", ");
	/* what comes by seccomp(2) has no digest, and says what it is */
	if (memcmp(r->policy, none, sizeof(none))) {
		text_add(w->out, "policy ");
		words_hex(w->out, r->policy, 6);
		text_add(w->out, r->text[0] ? " " : "");
	}
	add_text(w->out, r);
}

static void tell_dropped(const struct words *w, const struct audit_record *r)
{
	text_add(w->out,
		 "%" PRIu64 " records are lost (%" PRIu64 " vital, %" PRIu64 " ordinary)",
		 r->count, r->arg[AUDIT_VITAL], r->arg[AUDIT_ORDINARY]);
}

static void tell_end(const struct words *w, const struct audit_record *r)
{
	text_add(w->out, "the log ends");
}

/* An event that has no words of its own. */
static void tell_other(const struct words *w, const struct audit_record *r)
{
	if (r->pid) {
		words_change(w, r);
		text_add(w->out, r->result < 0 ? " refused: " : ": ");
	}
	add_text(w->out, r);
	if (r->syscall != UINT32_MAX) {
		text_add(w->out, r->text[0] ? ", " : "");
		words_call(w->out, r);
	}
}

typedef void tell_fn(const struct words *w, const struct audit_record *r);

static tell_fn *teller(uint32_t event)
{
	static tell_fn *const tellers[AUDIT_EVENTS] = {
		[AUDIT_EVENT_BOOT] = tell_boot,
		[AUDIT_EVENT_CRED] = tell_call,
		[AUDIT_EVENT_EXEC] = tell_exec,
		[AUDIT_EVENT_CAPABILITY] = tell_capability,
		[AUDIT_EVENT_REFUSED] = tell_refused,
		[AUDIT_EVENT_MOUNT] = tell_place,
		[AUDIT_EVENT_ROOT] = tell_place,
		[AUDIT_EVENT_TRACE] = tell_trace,
		[AUDIT_EVENT_POLICY] = tell_policy,
		[AUDIT_EVENT_DROPPED] = tell_dropped,
		[AUDIT_EVENT_END] = tell_end,
		[AUDIT_EVENT_DENIED] = tell_refused,
	};

	return event < AUDIT_EVENTS && tellers[event] ? tellers[event] : tell_other;
}

/* That something was asked for is why most things happen. */
static bool is_cause_told(const struct audit_record *r)
{
	return r->cause != AUDIT_CAUSE_NONE &&
	       (r->cause != AUDIT_CAUSE_ASKED || r->result < 0);
}

void words_record(const struct words *w, const struct audit_record *r)
{
	teller(r->event)(w, r);
	if (r->result < 0) {
		text_add(w->out, " = ");
		words_error(w->out, r->result);
	}
	if (is_cause_told(r))
		text_add(w->out, ", %s", audit_cause_text(r->cause));
	if (r->rule_line)
		text_add(w->out, ", line %" PRIu32, r->rule_line);
}
