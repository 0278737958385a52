/* Drafts of audit records: who the running thread is and what it calls. */
#include <asm/errno.h>
#include <linux/limits.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <stdarg.h>

#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/audit.h"
#include "proc/audit_log.h"
#include "proc/policy.h"
#include "proc/proc.h"

/* In thread.notes, beside a bit for each capability that a check passed by: a record
 * tells of the call already. */
#define NOTE_TOLD BIT(63)
/* A policy refused a place: task.refused. */
#define NOTE_POLICY BIT(62)
#define NOTES_OF_CAPS (NOTE_POLICY - 1)
_Static_assert(CAP_LAST_CAP < 62, "capabilities and these share a word");

void upcall_cap_used(const struct cred *c, int cap)
{
	struct thread *t = thread_current();
	if (t->cred == c)
		t->notes |= BIT(cap);
}

static void describe_call(struct audit_record *r, struct task *t)
{
	const struct pt_regs *regs = task_user_regs(t);
	r->syscall = (uint32_t)regs->orig_rax;
	r->arg[0] = regs->rdi;
	r->arg[1] = regs->rsi;
	r->arg[2] = regs->rdx;
	r->arg[3] = regs->r10;
	r->arg[4] = regs->r8;
	r->arg[5] = regs->r9;
}

/* ---- the program ---- */

static void exe_get(void *exe)
{
	file_get(exe);
}

static void text_end(char to[AUDIT_TEXT_SIZE], const char *text)
{
	size_t n = strlen(text);
	/* No byte of before leaves the kernel behind the NUL. */
	memset(to, 0, AUDIT_TEXT_SIZE);
	str_copy(to, n < AUDIT_TEXT_SIZE ? text : text + n - AUDIT_TEXT_SIZE + 1,
		 AUDIT_TEXT_SIZE);
}

/* False: no memory, or a path that is too long. */
static bool learn_program(const struct path *path, struct process_program *ret)
{
	char *buf = heap_alloc(PATH_MAX);
	const char *text = buf ? path_text_global(path, buf, PATH_MAX) : NULL;
	if (text) {
		crypto_generichash_blake2b(ret->digest, sizeof ret->digest,
					   (const uint8_t *)text, strlen(text), NULL, 0);
		text_end(ret->path_end, text);
	}
	heap_free(buf);
	return text;
}

/* Asked for once a program, however many records there are. Only one that runs it can be
 * here, and all of them find the same: no lock is needed to read what is known. */
static void describe_program(struct audit_record *r, struct process *p)
{
	struct process_program *program = &p->program;
	if (!program->known) {
		struct process_program found;
		struct space *s = thread_current()->space;
		struct file *exe = s ? space_exe_get(s, exe_get) : NULL;
		bool learned = exe && learn_program(&exe->path, &found);
		if (exe)
			file_put(exe);
		uint64_t flags = spin_lock_irq(&p->lock);
		if (learned && !program->known) {
			memcpy(program->digest, found.digest, sizeof program->digest);
			memcpy(program->path_end, found.path_end,
			       sizeof program->path_end);
		}
		program->known |= learned;
		spin_unlock_irq(&p->lock, flags);
	}
	if (program->known) {
		memcpy(r->program, program->digest, sizeof r->program);
		memcpy(r->text, program->path_end, sizeof r->text);
	} else {
		memset(r->program, 0, sizeof r->program);
		memset(r->text, 0, sizeof r->text);
	}
}

/* ---- drafts ---- */

static int begin(struct audit_draft *d, enum audit_event event, enum audit_cause cause,
		 enum audit_class class)
{
	struct task *t = task_current();
	struct process *p = t->process;
	struct audit_record *r = &d->record;
	int err = audit_log_place(class, &d->place);
	d->begun = !err;
	if (err)
		return err == -EINTR ? err : 0;
	/* Each field is set, here, by audit_add() or in the ring: zeroing all of it first
	 * would cost as much as all the rest. */
	r->object = 0;
	r->count = 0;
	r->rule_line = 0;
	memset(r->policy, 0, sizeof r->policy);
	r->event = event;
	r->cause = cause;
	r->pid = p->pid;
	r->tid = t->tid;
	r->ppid = process_parent_pid(p);
	r->session = p->session;
	describe_call(r, t);
	describe_program(r, p);
	return 0;
}

int audit_begin(struct audit_draft *d, enum audit_event event, enum audit_cause cause)
{
	return begin(d, event, cause, audit_class_of(event));
}

void audit_text(struct audit_draft *d, const char *text)
{
	if (d->begun)
		text_end(d->record.text, text);
}

static void audit_path(struct audit_draft *d, const struct path *path)
{
	char *buf = d->begun ? heap_alloc(PATH_MAX) : NULL;
	const char *text = buf ? path_text_global(path, buf, PATH_MAX) : NULL;
	if (text)
		text_end(d->record.text, text);
	heap_free(buf);
}

void audit_cancel(struct audit_draft *d)
{
	if (d->begun)
		audit_log_cancel(&d->place);
	d->begun = false;
}

static void describe_cred(struct audit_cred *to, uint8_t groups[16], const struct cred *c)
{
	to->uid = c->uid;
	to->euid = c->euid;
	to->suid = c->suid;
	to->fsuid = c->fsuid;
	to->gid = c->gid;
	to->egid = c->egid;
	to->sgid = c->sgid;
	to->fsgid = c->fsgid;
	to->inheritable = c->cap_inheritable;
	to->permitted = c->cap_permitted;
	to->effective = c->cap_effective;
	to->bounding = c->cap_bounding;
	to->ambient = c->cap_ambient;
	to->securebits = c->securebits;
	to->no_new_privs = c->no_new_privs;
	memcpy(groups, c->groups->digest, sizeof c->groups->digest);
}

void audit_add(struct audit_draft *d, const struct cred *before, const struct cred *after,
	       int64_t result)
{
	struct audit_record *r = &d->record;
	struct thread *t = thread_current();
	if (!d->begun)
		return;
	r->capabilities = t->notes & NOTES_OF_CAPS;
	t->notes = (t->notes & NOTE_POLICY) | NOTE_TOLD;
	describe_cred(&r->before, r->groups_before, before);
	describe_cred(&r->after, r->groups_after, after);
	r->result = result;
	audit_log_add(r, &d->place);
	d->begun = false;
}

int audit_change_begin(struct audit_draft *d, enum audit_event event,
		       const struct path *at)
{
	int err = audit_begin(d, event, AUDIT_CAUSE_ASKED);
	if (err)
		return err;
	audit_path(d, at);
	task_current()->audit_expected = d;
	return 0;
}

int audit_change_end(struct audit_draft *d, int err)
{
	task_current()->audit_expected = NULL;
	audit_cancel(d);
	return err;
}

void audit_change(void)
{
	const struct thread *t = thread_current();
	if (t->task && t->task->audit_expected)
		audit_add(t->task->audit_expected, t->cred, t->cred, 0);
}

/* ---- what was refused, and what a capability let pass ---- */

int audit_refused(enum audit_event event, enum audit_cause cause,
		  const struct cred *wanted, int err)
{
	const struct cred *me = thread_current()->cred;
	struct audit_draft d;
	if (!begin(&d, event, cause, AUDIT_ORDINARY))
		audit_add(&d, me, wanted ? wanted : me, err);
	return err;
}

void audit_policy(struct audit_draft *d, const uint8_t *digest, uint32_t line)
{
	if (!d->begun)
		return;
	memcpy(d->record.policy, digest, sizeof d->record.policy);
	d->record.rule_line = line;
}

bool audit_note_policy(const uint8_t *digest, uint32_t line, const char *place)
{
	struct task *t = task_current();
	if (t->thread.notes & NOTE_POLICY)
		return false;
	t->thread.notes |= NOTE_POLICY;
	memcpy(t->refused.policy, digest, sizeof t->refused.policy);
	t->refused.line = line;
	text_end(t->refused.place, place ? place : "");
	return true;
}

/* A place that the call was refused decided, whatever the call made of it. */
static void tell_refused(int64_t result)
{
	const struct cred *me = thread_current()->cred;
	const struct audit_policy *by = &task_current()->refused;
	struct audit_draft d;
	if (begin(&d, AUDIT_EVENT_REFUSED, AUDIT_CAUSE_BY_POLICY, AUDIT_ORDINARY))
		return;
	audit_policy(&d, by->policy, by->line);
	audit_text(&d, by->place);
	audit_add(&d, me, me, result);
}

static void tell_call(int64_t result, const char *named, int32_t object)
{
	const struct cred *me = thread_current()->cred;
	bool denied = audit_is_denial(result);
	struct audit_draft d;
	if (begin(&d, denied ? AUDIT_EVENT_DENIED : AUDIT_EVENT_CAPABILITY,
		  denied ? AUDIT_CAUSE_PERMISSIONS : AUDIT_CAUSE_ASKED, AUDIT_ORDINARY))
		return;
	if (named)
		audit_text(&d, named);
	audit_object(&d, object);
	audit_add(&d, me, me, result);
}

void audit_call_end(int64_t result, const char *named, int32_t object)
{
	struct thread *t = thread_current();
	if (t->notes & NOTE_POLICY) {
		tell_refused(result);
		policy_call_end();
	} else if (!(t->notes & NOTE_TOLD) &&
		   (audit_is_denial(result) || (t->notes && result >= 0)))
		tell_call(result, named, object);
	t->notes = 0;
}

void audit_fact(const char *fmt, ...)
{
	struct audit_record r = { .event = AUDIT_EVENT_FACT, .syscall = UINT32_MAX };
	va_list args;
	va_start(args, fmt);
	(void)fmt_va(r.text, sizeof r.text, fmt, args);
	va_end(args);
	struct audit_place place;
	if (!audit_log_place(AUDIT_VITAL, &place))
		audit_log_add(&r, &place);
}
