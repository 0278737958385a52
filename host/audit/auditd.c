/*
 * auditd's text: a record of ours is an event of one line or more, with its number and
 * time. The types are those of the message dictionary of linux-audit; what a record does
 * not hold is unset (4294967295), (none) or (null), as auditd has it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/audit/export.h"
#include "host/audit/words.h"

#define UNSET UINT32_MAX	/* auid, ses */
#define ARCH_X86_64 0xc000003eu /* AUDIT_ARCH_X86_64 */
#define CODE_ERRNO 0x00050000u	/* SECCOMP_RET_ERRNO */
#define CODE_KILL 0x80000000u	/* SECCOMP_RET_KILL_PROCESS */
#define COMM_MAX 15
#define SIGNAL_OF_KILL 31 /* SIGSYS */

struct event {
	struct text *out;
	const struct audit_record *r;
	uint64_t wall_ns;
	const struct audit_cred *now; /* when the call returned */
	char *program;		      /* its path then; NULL: not known */
};

/* ---- values ---- */

/* In quotes, or in hexadecimal if a reader could take it for more. */
static void add_untrusted(struct text *out, const char *bytes, size_t size)
{
	bool plain = true;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] <= ' ' || bytes[i] > '~' || bytes[i] == '"')
			plain = false;
	if (plain) {
		text_put(out, "\"", 1);
		text_put(out, bytes, size);
		text_put(out, "\"", 1);
		return;
	}
	for (size_t i = 0; i < size; i++)
		text_add(out, "%02X", (uint8_t)bytes[i]);
}

static void add_program(const struct event *e)
{
	const char *name = e->program ? strrchr(e->program, '/') : NULL;

	text_add(e->out, " comm=");
	name = name ? name + 1 : "?";
	add_untrusted(e->out, name, strnlen(name, COMM_MAX));
	text_add(e->out, " exe=");
	if (e->program)
		add_untrusted(e->out, e->program, strlen(e->program));
	else
		text_add(e->out, "(null)");
}

static void line_begin(const struct event *e, const char *type)
{
	text_add(e->out,
		 "type=%s msg=audit(%" PRIu64 ".%03" PRIu64 ":%" PRIu64 "):", type,
		 (uint64_t)(e->wall_ns / NSEC_PER_SEC),
		 (uint64_t)(e->wall_ns % NSEC_PER_SEC / NSEC_PER_MSEC), e->r->sequence);
}

/* ---- lines ---- */

static void line_syscall(const struct event *e)
{
	const struct audit_record *r = e->r;
	const struct audit_cred *c = e->now;

	line_begin(e, "SYSCALL");
	text_add(e->out, " arch=%x syscall=%" PRIu32 " success=%s exit=%" PRId64,
		 ARCH_X86_64, r->syscall, r->result < 0 ? "no" : "yes", r->result);
	for (int i = 0; i < 4; i++)
		text_add(e->out, " a%d=%" PRIx64, i, r->arg[i]);
	text_add(e->out, " items=%d ppid=%" PRId32 " pid=%" PRId32 " auid=%" PRIu32,
		 words_path(r) ? 1 : 0, r->ppid, r->pid, UNSET);
	text_add(e->out, " uid=%" PRIu32 " gid=%" PRIu32 " euid=%" PRIu32, c->uid, c->gid,
		 c->euid);
	text_add(e->out, " suid=%" PRIu32 " fsuid=%" PRIu32 " egid=%" PRIu32, c->suid,
		 c->fsuid, c->egid);
	text_add(e->out, " sgid=%" PRIu32 " fsgid=%" PRIu32 " tty=(none) ses=%" PRId32,
		 c->sgid, c->fsgid, r->session);
	add_program(e);
	text_add(e->out, " key=\"%s\"\n", audit_event_name(r->event));
}

static void line_path(const struct event *e)
{
	const char *path = words_path(e->r);

	if (!path)
		return;
	line_begin(e, "PATH");
	text_add(e->out, " item=0 name=");
	add_untrusted(e->out, path, strnlen(path, sizeof(e->r->text)));
	text_add(e->out, " nametype=%s\n",
		 e->r->event == AUDIT_EVENT_EXEC ? "NORMAL" : "UNKNOWN");
}

static void line_exec(const struct event *e)
{
	const struct audit_cred *a = &e->r->before, *b = e->now;

	if (a->permitted == b->permitted && a->effective == b->effective)
		return;
	line_begin(e, "BPRM_FCAPS");
	text_add(e->out,
		 " old_pp=%016" PRIx64 " old_pi=%016" PRIx64 " old_pe=%016" PRIx64
		 " old_pa=%016" PRIx64,
		 a->permitted, a->inheritable, a->effective, a->ambient);
	text_add(e->out,
		 " pp=%016" PRIx64 " pi=%016" PRIx64 " pe=%016" PRIx64 " pa=%016" PRIx64
		 "\n",
		 b->permitted, b->inheritable, b->effective, b->ambient);
}

/* What was asked for, also where it was refused. */
static void line_capset(const struct event *e)
{
	const struct audit_cred *c = &e->r->after;

	if (e->r->syscall != SYS_capset)
		return;
	line_begin(e, "CAPSET");
	text_add(e->out,
		 " pid=%" PRId32 " cap_pi=%016" PRIx64 " cap_pp=%016" PRIx64
		 " cap_pe=%016" PRIx64 " cap_pa=%016" PRIx64 "\n",
		 e->r->pid, c->inheritable, c->permitted, c->effective, c->ambient);
}

static void line_traced(const struct event *e)
{
	line_begin(e, "OBJ_PID");
	text_add(e->out,
		 " opid=%" PRId32 " oauid=%" PRIu32 " ouid=%" PRIu32 " oses=%" PRIu32
		 " ocomm=\"?\"\n",
		 e->r->object, UNSET, UNSET, UNSET);
}

static void line_policy(const struct event *e)
{
	line_begin(e, "MAC_POLICY_LOAD");
	text_add(e->out,
		 " policy loaded auid=%" PRIu32 " ses=%" PRId32 " lsm=mayfly res=%d\n",
		 UNSET, e->r->session, e->r->result >= 0);
}

static void line_refused(const struct event *e)
{
	const struct audit_record *r = e->r;
	bool killed = r->result >= 0;

	line_begin(e, "SECCOMP");
	text_add(e->out,
		 " auid=%" PRIu32 " uid=%" PRIu32 " gid=%" PRIu32 " ses=%" PRId32
		 " pid=%" PRId32,
		 UNSET, e->now->uid, e->now->gid, r->session, r->pid);
	add_program(e);
	text_add(e->out,
		 " sig=%d arch=%x syscall=%" PRIu32 " compat=0 ip=0x0 code=0x%x\n",
		 killed ? SIGNAL_OF_KILL : 0, ARCH_X86_64, r->syscall,
		 killed ? CODE_KILL : CODE_ERRNO);
}

static void line_system(const struct event *e, const char *type)
{
	line_begin(e, type);
	text_add(e->out,
		 " pid=0 uid=0 auid=%" PRIu32 " ses=%" PRIu32
		 " msg='comm=\"kernel\" exe=\"?\" hostname=? addr=? terminal=? "
		 "res=success'\n",
		 UNSET, UNSET);
}

static void line_other(const struct event *e)
{
	const struct audit_record *r = e->r;

	line_begin(e, "KERNEL_OTHER");
	text_add(e->out, " op=%s", audit_event_name(r->event));
	if (r->event == AUDIT_EVENT_DROPPED)
		text_add(e->out, " lost=%" PRIu64 " vital=%" PRIu64 " ordinary=%" PRIu64,
			 r->count, r->arg[AUDIT_VITAL], r->arg[AUDIT_ORDINARY]);
	if (r->text[0]) {
		text_add(e->out, " data=");
		add_untrusted(e->out, r->text, strnlen(r->text, sizeof(r->text)));
	}
	text_add(e->out, " res=%d\n", r->result >= 0);
}

/* ---- events ---- */

/* A call's own lines, behind that of the call. */
static void call_lines(const struct event *e)
{
	switch (e->r->event) {
	case AUDIT_EVENT_CRED:
		line_capset(e);
		break;
	case AUDIT_EVENT_EXEC:
		line_exec(e);
		break;
	case AUDIT_EVENT_TRACE:
		line_traced(e);
		break;
	case AUDIT_EVENT_POLICY:
		line_policy(e);
		break;
	default:
		break;
	}
	line_path(e);
}

static void event_lines(const struct event *e)
{
	switch (e->r->event) {
	case AUDIT_EVENT_BOOT:
		line_system(e, "SYSTEM_BOOT");
		break;
	case AUDIT_EVENT_END:
		line_system(e, "SYSTEM_SHUTDOWN");
		break;
	case AUDIT_EVENT_REFUSED:
		line_refused(e);
		break;
	default:
		if (e->r->syscall == UINT32_MAX) {
			line_other(e);
			break;
		}
		line_syscall(e);
		call_lines(e);
	}
}

void export_auditd(struct text *out, const struct audit_record *r, uint64_t wall_ns,
		   const struct audit_names *names)
{
	bool becomes = r->event == AUDIT_EVENT_EXEC && r->result >= 0;
	struct event e = {
		.out = out,
		.r = r,
		.wall_ns = wall_ns,
		.now = r->result < 0 ? &r->before : &r->after,
		.program = becomes ? words_text(r) : words_program_path(names, r),
	};

	event_lines(&e);
	free(e.program);
}
