/* The gate: what is in force is asked. See gate.h. */
#include "sys/gate.h"

#include <asm/errno.h>

#include "proc/findings.h"
#include "proc/policy.h"
#include "proc/seccomp.h"
#include "sys/dispatch.h"

/* What the kernel does not have is absent, not refused: libraries fall back on one and
 * not on the other. A rule that names it is carried out all the same. */
static bool policy_check(struct pt_regs *regs)
{
	const struct policy_layer *top = thread_current()->gate.policy, *by;
	uint32_t number = (uint32_t)regs->orig_rax;
	const uint64_t args[] = { regs->rdi, regs->rsi, regs->rdx,
				  regs->r10, regs->r8,	regs->r9 };
	struct policy_verdict v;

	if (!top || (!syscall_exists(number) && !policy_layers_name(top, number)))
		return true;
	policy_layers_decide(top, number, args, NULL, &v, &by);
	return policy_enforce(regs, &v, by);
}

bool gate_check(struct pt_regs *regs)
{
	bool moved;

	if (!policy_check(regs) || !seccomp_check(regs, &moved))
		return false;
	/* What a tracer made of the call, policies have not seen. */
	return !moved || policy_check(regs);
}

int64_t sys_mayfly_policy(uint32_t op, uaddr_t form, uint64_t size)
{
	struct policy_blob *b;

	if (op == POLICY_OP_VERSION)
		return POLICY_VERSION;
	if (op == POLICY_OP_FINDINGS)
		return finding_count();
	if (op != POLICY_OP_NOW && op != POLICY_OP_EXEC)
		return -EINVAL;
	int64_t err = policy_blob_from_user(form, size, &b);
	if (err)
		return err;
	if (op == POLICY_OP_NOW)
		err = policy_install(b);
	else
		policy_at_exec(b);
	policy_blob_put(b);
	return err;
}
