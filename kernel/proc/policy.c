/* Coming under policies. See policy.h for what always holds. */
#include "proc/policy.h"

#include <asm/errno.h>

#include "core/panic.h"
#include "fs/landlock.h"
#include "lib/string.h"
#include "proc/audit.h"
#include "proc/proc.h"
#include "proc/seccomp.h"

/* ---- in force ---- */

/* What refers to the old layer needs it no more: the new one holds it. */
static void raise_gate(struct gate *g, struct policy_layer *top)
{
	struct policy_layer *old = g->policy;

	g->policy = policy_layer_get(top);
	top->tasks++;
	g->limited |= policy_layer_limited(top);
	policy_layer_asks(top, g->asks);
	policy_layer_put(old);
}

/* ---- limits ---- */

static const struct {
	uint32_t which;
	enum policy_limit_kind kind;
} rlimits[] = {
	{ RLIMIT_NOFILE, POLICY_LIMIT_FILES },
	{ RLIMIT_CPU, POLICY_LIMIT_CPU },
	{ RLIMIT_FSIZE, POLICY_LIMIT_FILE_SIZE },
};

/* As a call of setrlimit(2) by everybody under it. */
static void lower_limits(struct process *p, const struct policy_layer *top)
{
	must_hold(&p->lock);
	for (size_t i = 0; i < ARRAY_LEN(rlimits); i++) {
		struct rlimit64 *l = &p->limits[rlimits[i].which];
		uint64_t max = policy_layers_limit(top, rlimits[i].kind);
		l->rlim_max = MIN(l->rlim_max, max);
		l->rlim_cur = MIN(l->rlim_cur, max);
	}
	cpu_timers_recheck(p);
}

uint64_t policy_rlimit(struct process *p, uint32_t which)
{
	must_hold(&p->lock);
	if (list_empty(&p->tasks))
		return UINT64_MAX;
	const struct task *t = list_first(&p->tasks, struct task, link);
	for (size_t i = 0; i < ARRAY_LEN(rlimits); i++)
		if (rlimits[i].which == which)
			return policy_layers_limit(t->thread.gate.policy,
						   rlimits[i].kind);
	return UINT64_MAX;
}

static bool lets_write_code(const struct policy_layer *top)
{
	return policy_layers_all_flag(top, POLICY_FLAG_EXEC_WRITE);
}

static bool raise_all(struct process *p, struct policy_layer *top,
		      struct audit_draft *draft)
{
	const struct cred *me = thread_current()->cred;

	uint64_t flags = spin_lock_irq(&p->lock);
	bool still = thread_current()->gate.policy == top->below;
	if (still) {
		thread_current()->space->no_wx |= !lets_write_code(top);
		list_for_each(t, &p->tasks, struct task, link)
			raise_gate(&t->thread.gate, top);
		lower_limits(p, top);
		audit_add(draft, me, me, 0);
	}
	spin_unlock_irq(&p->lock, flags);
	return still;
}

static int layer_on(struct policy_blob *b, struct policy_layer *below,
		    struct policy_layer **ret)
{
	if (policy_depth(below) >= POLICY_LAYERS_MAX)
		return -E2BIG;
	*ret = policy_layer_new(b, 0);
	if (!*ret)
		return -ENOMEM;
	policy_layer_put_on(*ret, policy_layer_get(below));
	return 0;
}

int policy_install(struct policy_blob *b)
{
	const struct policy *p = policy_blob_policy(b);
	struct policy_layer *l = NULL;
	struct audit_draft draft;

	int err = audit_begin(&draft, AUDIT_EVENT_POLICY, AUDIT_CAUSE_ASKED);
	if (err)
		return err;
	audit_policy(&draft, p->header->digest, 0);
	audit_text(&draft, &p->text[p->programs[0].name]);
	/* Another thread may have been faster: on top of its layer then. */
	do {
		policy_layer_put(l);
		err = layer_on(b, thread_current()->gate.policy, &l);
	} while (!err && !raise_all(process_current(), l, &draft));
	audit_cancel(&draft);
	if (!err)
		policy_layer_put(l);
	return err;
}

int landlock_install(struct file *ruleset)
{
	const struct cred *me = thread_current()->cred;
	struct gate *g = &thread_current()->gate;
	struct landlock_layer *l, *old = g->landlock;
	struct audit_draft draft;

	int err = audit_begin(&draft, AUDIT_EVENT_POLICY, AUDIT_CAUSE_ASKED);
	if (err)
		return err;
	audit_text(&draft, "Landlock");
	err = landlock_ruleset_layer(ruleset, landlock_get(old), &l);
	if (err) {
		landlock_put(old);
		audit_cancel(&draft);
		return err;
	}
	uint64_t flags = spin_lock_irq(&process_current()->lock);
	g->landlock = l;
	audit_add(&draft, me, me, 0);
	spin_unlock_irq(&process_current()->lock, flags);
	landlock_put(old); /* l has it */
	return 0;
}

void policy_at_exec(struct policy_blob *b)
{
	struct task *t = task_current();

	policy_blob_put(t->policy_at_exec);
	t->policy_at_exec = policy_blob_get(b);
}

/* ---- clone and exit ---- */

int gate_inherit(struct task *t)
{
	must_hold(&process_current()->lock);
	if (!policy_layers_charge(thread_current()->gate.policy))
		return -EAGAIN;
	t->thread.gate = thread_current()->gate;
	(void)policy_layer_get(t->thread.gate.policy);
	(void)landlock_get(t->thread.gate.landlock);
	seccomp_inherit(t);
	return 0;
}

void gate_drop(struct task *t)
{
	policy_layers_uncharge(t->thread.gate.policy);
	policy_layer_put(t->thread.gate.policy);
	landlock_put(t->thread.gate.landlock);
	policy_blob_put(t->policy_at_exec);
}

/* ---- exec ---- */

static bool has_layer(const struct policy_exec_layers *l, const struct policy_blob *b,
		      uint32_t program)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (l->layer[i]->blob == b && l->layer[i]->program == program)
			return true;
	return policy_layers_hold(thread_current()->gate.policy, b, program);
}

static int add_layer(struct policy_exec_layers *l, struct policy_blob *b,
		     uint32_t program)
{
	if (has_layer(l, b, program))
		return 0;
	if (policy_depth(thread_current()->gate.policy) + l->n >= POLICY_LAYERS_MAX)
		return -E2BIG;
	l->layer[l->n] = policy_layer_new(b, program);
	return l->layer[l->n] ? (l->n++, 0) : -ENOMEM;
}

/* The one that this layer has for the program. */
static int add_for(struct policy_exec_layers *l, const struct policy_layer *by,
		   const struct policy_place *at)
{
	const struct policy *p = policy_blob_policy(by->blob);
	int32_t program = policy_exec_find(p, by->program, at);

	return program < 0 ? 0 : add_layer(l, by->blob, (uint32_t)program);
}

/* What is added may have something to say to the program itself. */
static int add_all(struct policy_exec_layers *l, const struct policy_place *at)
{
	struct policy_blob *pending = task_current()->policy_at_exec;
	int err = pending ? add_layer(l, pending, 0) : 0;

	for (const struct policy_layer *by = thread_current()->gate.policy; by && !err;
	     by = by->below)
		err = add_for(l, by, at);
	for (uint32_t i = 0; i < l->n && !err; i++)
		err = add_for(l, l->layer[i], at);
	return err;
}

int policy_exec_prepare(const struct path *program, struct policy_exec_layers *ret)
{
	struct policy_place at = { .self = process_current()->pid };

	ret->n = 0;
	if (likely(!thread_current()->gate.policy && !task_current()->policy_at_exec))
		return 0;
	char *buf = heap_alloc(PATH_MAX_LEN);
	if (!buf)
		return -ENOMEM;
	int err = path_place(program, NULL, buf, PATH_MAX_LEN, &at.path);
	/* What has no place is nobody's program, but comes under what is pending. */
	if (err)
		at.path = "/";
	at.len = strlen(at.path);
	err = err == -ENAMETOOLONG ? err : add_all(ret, &at);
	heap_free(buf);
	return err;
}

void policy_exec_commit(struct policy_exec_layers *l, bool gains)
{
	struct task *t = task_current();
	struct gate *g = &t->thread.gate;

	must_hold(&t->process->lock);
	for (uint32_t i = 0; i < l->n; i++) {
		policy_layer_put_on(l->layer[i], policy_layer_get(g->policy));
		raise_gate(g, l->layer[i]);
	}
	if (l->n)
		lower_limits(t->process, g->policy);
	g->errors_kill |= gains && g->policy;
	policy_blob_put(t->policy_at_exec); /* a layer has it */
	t->policy_at_exec = NULL;
}

void policy_exec_put(struct policy_exec_layers *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		policy_layer_put(l->layer[i]);
	l->n = 0;
}

bool policy_lets_write_code(const struct policy_exec_layers *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!lets_write_code(l->layer[i]))
			return false;
	return lets_write_code(thread_current()->gate.policy);
}

bool policy_lets_gain(const struct policy_exec_layers *l)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (!policy_layers_all_flag(l->layer[i], POLICY_FLAG_GAIN_KILL))
			return false;
	return policy_layers_all_flag(thread_current()->gate.policy,
				      POLICY_FLAG_GAIN_KILL);
}

/* ---- others ---- */

bool policy_may_trace(const struct task *t, const struct task *tracer)
{
	const struct gate *in = &t->thread.gate, *out = &tracer->thread.gate;

	return policy_layers_within(in->policy, out->policy) &&
	       landlock_within(in->landlock, out->landlock);
}
