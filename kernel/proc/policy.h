/*
 * Policies in force (sec/policy.h has the layers): how processes come under them, and
 * what becomes of what they refuse.
 *
 * Always true:
 *  G1  all threads of a process have the same topmost policy; it changes under
 *      process->lock, for all of them at once;
 *  G2  a number whose bit in thread.gate.asks is clear is allowed by all that is in
 *      force, whatever its arguments; bits are only ever set;
 *  G3  clone copies the gate where the child joins its process, so nothing is installed
 *      in between.
 */
#ifndef PROC_POLICY_H
#define PROC_POLICY_H

#include "proc/task.h"
#include "sec/policy.h"

/* mayfly_policy(2); consumes nothing. 0, -E2BIG, -ENOMEM. */
must_use int policy_install(struct policy_blob *b);
/* From the next program on that the running thread runs. */
void policy_at_exec(struct policy_blob *b);

/* landlock_restrict_self(2) with that ruleset's file. 0, -E2BIG, -ENOMEM, -EINTR. */
must_use int landlock_install(struct file *ruleset);

/* The gate of a new task; the running process's lock is held. 0, -EAGAIN: a policy limits
 * how many there are. */
must_use int gate_inherit(struct task *t);
/* What the gate of a task refers to that is gone, or never was one. */
void gate_drop(struct task *t);

/* The layers that running a program adds, lowest first. */
struct policy_exec_layers {
	struct policy_layer *layer[2 * POLICY_LAYERS_MAX + 1];
	uint32_t n;
};
/* For the program at that place. 0, -E2BIG, -ENOMEM; put() afterwards in any case. */
must_use int policy_exec_prepare(const struct path *program,
				 struct policy_exec_layers *ret);
/* Puts them in force; the only thread, process->lock held. `gains`: the program gets
 * privilege. */
void policy_exec_commit(struct policy_exec_layers *l, bool gains);
void policy_exec_put(struct policy_exec_layers *l);
/* Do all layers that will be in force let a program gain privilege; run what it wrote? */
bool policy_lets_gain(const struct policy_exec_layers *l);
bool policy_lets_write_code(const struct policy_exec_layers *l);

/* What policies let a limit of p be at most; p->lock held. */
uint64_t policy_rlimit(struct process *p, uint32_t which);

/* Is t under all that the tracer is under? Then that learns nothing it may not. t's
 * process->lock held. */
bool policy_may_trace(const struct task *t, const struct task *tracer);

/* What a layer says to a call that the running thread makes. True: it is carried out;
 * else regs->rax is its result, unless the thread ends here. */
must_use bool policy_enforce(struct pt_regs *regs, const struct policy_verdict *v,
			     const struct policy_layer *by);
/* The same for what a call has read from memory: 0, or what it is to return; signals and
 * ends come with the call's. */
must_use int64_t policy_check_fields(const uint64_t fields[POLICY_FIELDS - POLICY_ARGS]);

/* fs_upcalls.confined */
bool policy_confined(const struct policy_layer *by, const struct policy_place *at,
		     uint32_t want);
/* Memory would have been both written and run. */
void policy_refused_code(void);
/* The call in which a place was refused ends. May not return. */
cold void policy_call_end(void);

/* Is that number for gate_check() to decide? */
static inline bool gate_asks(const struct thread *t, uint32_t number)
{
	if (unlikely(number >= POLICY_NUMBERS))
		return t->gate.policy || t->gate.filter || t->gate.strict;
	return t->gate.asks[number / 64] & BIT(number % 64);
}

#endif
