/* Filters as objects. See seccomp.h for what always holds. */
#include "proc/seccomp_filter.h"

#include <linux/audit.h>

#include "lib/string.h"
#include "mm/usercopy.h"
#include "proc/cred_change.h"

/* ---- references ---- */

void seccomp_filter_get(struct seccomp_filter *f)
{
	ref_get(&f->refs);
}

/* A chain may be thousands long: no recursion. */
void seccomp_filter_put(struct seccomp_filter *f)
{
	while (f && ref_put(&f->refs)) {
		struct seccomp_filter *below = f->below;

		notifier_put(f->notifier);
		heap_free(f);
		f = below;
	}
}

void seccomp_filter_use(struct seccomp_filter *f)
{
	ref_get(&f->refs);
	ref_get(&f->users);
}

void seccomp_filter_unuse(struct seccomp_filter *f)
{
	struct seccomp_filter *top = f;

	for (; f && ref_put(&f->users); f = f->below)
		if (f->notifier)
			notifier_abandon(f->notifier);
	seccomp_filter_put(top);
}

/* ---- from user memory ---- */

/* seccomp(2): a program that gains privilege must not be confined by who has none. */
static bool may_install(void)
{
	return task_no_new_privs(task_current()) ||
	       cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN);
}

static int fill(struct seccomp_filter *f, uaddr_t code)
{
	uint16_t *written = heap_alloc(f->n * sizeof(*written));

	if (!written)
		return -ENOMEM;
	int err = copy_in(f->code, code, f->n * sizeof(f->code[0]));
	if (!err)
		err = bpf_check(f->code, f->n, written);
	heap_free(written);
	return err;
}

int seccomp_filter_from_user(uaddr_t program, struct seccomp_filter **ret)
{
	struct sock_fprog p;

	if (get_user(p, program))
		return -EFAULT;
	if (!p.len || p.len > BPF_MAXINSNS)
		return -EINVAL;
	if (!may_install())
		return -EACCES;
	struct seccomp_filter *f = heap_zalloc(sizeof(*f) + p.len * sizeof(f->code[0]));
	if (!f)
		return -ENOMEM;
	ref_init(&f->refs, 1);
	ref_init(&f->users, 1);
	f->n = p.len;
	int err = fill(f, UADDR((uintptr_t)p.filter));
	if (err)
		heap_free(f);
	else
		*ret = f;
	return err;
}

/* ---- chains ---- */

uint32_t seccomp_filter_total(const struct seccomp_filter *f,
			      const struct seccomp_filter *below)
{
	return f->n + (below ? below->total + SECCOMP_PENALTY : 0);
}

void seccomp_filter_put_on(struct seccomp_filter *f, struct seccomp_filter *below)
{
	f->total = seccomp_filter_total(f, below);
	f->depth = below ? below->depth + 1 : 1;
	f->below = below;
}

bool seccomp_filter_stands_on(const struct seccomp_filter *top,
			      const struct seccomp_filter *part)
{
	while (part && top && top->depth > part->depth)
		top = top->below;
	return !part || top == part;
}

static bool simply_allows(const struct seccomp_filter *f, int number)
{
	uint32_t verdict;

	return bpf_run_blind(f->code, number, AUDIT_ARCH_X86_64, &verdict) &&
	       (verdict & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ALLOW;
}

/* Up to 512 times 4096 instructions: others come in between. */
void seccomp_filter_asks(const struct seccomp_filter *f, const uint64_t *known,
			 uint64_t ret[POLICY_NUMBERS / 64])
{
	memset(ret, 0, POLICY_NUMBERS / 8);
	for (uint32_t i = 0; i < POLICY_NUMBERS; i++) {
		sched_give_way();
		if (!(known[i / 64] & BIT(i % 64)) && !simply_allows(f, (int)i))
			ret[i / 64] |= BIT(i % 64);
	}
}

struct seccomp_filter *seccomp_filter_of(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	struct seccomp_filter *f = t->thread.gate.filter;

	if (f)
		seccomp_filter_get(f);
	spin_unlock_irq(&t->process->lock, flags);
	return f;
}
