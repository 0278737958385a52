/* What becomes of what policies refuse: of the call, in the report, in the audit log. */
#include <asm/errno.h>
#include <asm/siginfo.h>
#include <linux/audit.h>

#include "core/panic.h"
#include "lib/string.h"
#include "proc/audit.h"
#include "proc/findings.h"
#include "proc/policy.h"
#include "proc/proc.h"

static void note(const struct policy_layer *by, uint32_t action, uint32_t line,
		 uint32_t access, const struct policy_place *at)
{
	finding_add(&(struct finding){
		.by = by, .action = action, .line = line, .access = access, .at = at });
}

/* What becomes of it is for the end of the call, when nothing is held. The first
 * counts. */
static void refuse_at_end(const struct policy_layer *by, const struct policy_verdict *v,
			  const struct policy_place *at)
{
	struct task *t = task_current();

	if (audit_note_policy(policy_blob_policy(by->blob)->header->digest, v->line,
			      at ? at->path : NULL))
		t->refused.action = v->action;
}

/* ---- places ---- */

/* By a rule, or for want of one: the line of the one that denies. */
static uint32_t line_of(const struct policy_layer *by, const struct policy_place *at,
			uint32_t want)
{
	const struct policy *p = policy_blob_policy(by->blob);

	return at ? policy_path_line(p, by->program, at, want) : 0;
}

bool policy_confined(const struct policy_layer *by, const struct policy_place *at,
		     uint32_t want)
{
	bool learns = policy_layer_learns(by);
	const struct policy_verdict v = {
		learns ? POLICY_ACTION_OF(POLICY_ASK, 0)
		       : POLICY_ACTION_OF(POLICY_ERRNO, EACCES),
		line_of(by, at, want),
	};

	note(by, v.action, v.line, want, at);
	if (!learns)
		refuse_at_end(by, &v, at);
	return learns;
}

void policy_refused_code(void)
{
	const struct policy_layer *top = thread_current()->gate.policy;
	const struct policy_verdict v = { POLICY_ACTION_OF(POLICY_ERRNO, EACCES), 0 };

	for (const struct policy_layer *l = top; l; l = l->below) {
		if (policy_layer_has_flag(l, POLICY_FLAG_EXEC_WRITE))
			continue;
		note(l, v.action, 0, POLICY_CODE, NULL);
		refuse_at_end(l, &v, NULL);
		break;
	}
}

/* A program that gained privilege does not get to ignore errors that it never meets
 * elsewhere. */
static enum policy_action kind_of(uint32_t action)
{
	enum policy_action kind = POLICY_ACTION_KIND(action);

	return kind >= POLICY_ERRNO && thread_current()->gate.errors_kill ? POLICY_KILL
									  : kind;
}

/* ---- calls ---- */

/* 0; -EINTR: it dies before there was a place for the record. */
static int tell(const struct policy_layer *by, const struct policy_verdict *v,
		enum audit_event event, int64_t result)
{
	const struct cred *me = thread_current()->cred;
	struct audit_draft d;

	note(by, v->action, v->line, 0, NULL);
	int err = audit_begin(&d, event, AUDIT_CAUSE_BY_POLICY);
	if (err)
		return err;
	audit_policy(&d, policy_blob_policy(by->blob)->header->digest, v->line);
	audit_add(&d, me, me, result);
	return 0;
}

static void raise_sigsys(const struct pt_regs *regs)
{
	const siginfo_t info = {
		.si_signo = SIGSYS,
		.si_code = SYS_SECCOMP,
		.si_call_addr = (void *)regs->rip,
		.si_syscall = (int)regs->orig_rax,
		.si_arch = AUDIT_ARCH_X86_64,
	};

	signal_force(SIGSYS, &info);
}

bool policy_enforce(struct pt_regs *regs, const struct policy_verdict *v,
		    const struct policy_layer *by)
{
	switch (kind_of(v->action)) {
	case POLICY_ALLOW:
		return true;
	case POLICY_LOG:
		/* What is to be logged is not carried out unlogged. */
		if (!tell(by, v, AUDIT_EVENT_LOGGED, 0))
			return true;
		regs->rax = (uint64_t)-EINTR;
		return false;
	case POLICY_ASK:
		note(by, v->action, v->line, 0, NULL);
		return true;
	case POLICY_ERRNO:
		regs->rax = (uint64_t) - (int64_t)POLICY_ACTION_ERROR(v->action);
		(void)tell(by, v, AUDIT_EVENT_REFUSED, (int64_t)regs->rax);
		return false;
	case POLICY_TRAP:
		(void)tell(by, v, AUDIT_EVENT_REFUSED, 0);
		regs->rax = regs->orig_rax;
		raise_sigsys(regs);
		return false;
	case POLICY_KILL_THREAD:
		(void)tell(by, v, AUDIT_EVENT_REFUSED, 0);
		task_exit(SIGSYS);
	case POLICY_KILL:
	case POLICY_ACTIONS:
		break;
	}
	(void)tell(by, v, AUDIT_EVENT_REFUSED, 0);
	process_exit_group(SIGSYS);
}

int64_t policy_check_fields(const uint64_t fields[POLICY_FIELDS - POLICY_ARGS])
{
	const struct policy_layer *top = thread_current()->gate.policy, *by;
	struct pt_regs *regs = task_user_regs(task_current());
	const uint64_t args[] = { regs->rdi, regs->rsi, regs->rdx,
				  regs->r10, regs->r8,	regs->r9 };
	uint32_t number = (uint32_t)regs->orig_rax;
	struct policy_verdict v;

	if (likely(!top || !gate_asks(thread_current(), number)))
		return 0;
	policy_layers_decide(top, number, args, fields, &v, &by);
	enum policy_action kind = POLICY_ACTION_KIND(v.action);
	if (kind < POLICY_ERRNO)
		return policy_enforce(regs, &v, by) ? 0 : -EPERM;
	note(by, v.action, v.line, 0, NULL);
	refuse_at_end(by, &v, NULL);
	return kind == POLICY_ERRNO ? -(int64_t)POLICY_ACTION_ERROR(v.action) : -EPERM;
}

void policy_call_end(void)
{
	struct pt_regs *regs = task_user_regs(task_current());

	switch (kind_of(task_current()->refused.action)) {
	case POLICY_TRAP:
		raise_sigsys(regs);
		break;
	case POLICY_KILL_THREAD:
		task_exit(SIGSYS);
	case POLICY_KILL:
		process_exit_group(SIGSYS);
	default:
		break;
	}
}
