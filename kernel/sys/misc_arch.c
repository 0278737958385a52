/* arch_prctl, personality, membarrier. */
#include <asm/prctl.h>
#include <linux/membarrier.h>
#include <linux/personality.h>

#include "proc/proc.h"
#include "sys/syscall.h"

int64_t sys_arch_prctl(int32_t op, uint64_t addr)
{
	struct arch_thread *a = &thread_current()->arch;
	switch (op) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (addr >= USER_END)
			return -EPERM;
		(op == ARCH_SET_FS ? arch_set_fs_base : arch_set_gs_base)(a, addr);
		return 0;
	case ARCH_GET_FS:
		return put_user(UADDR(addr), arch_get_fs_base(a));
	case ARCH_GET_GS:
		return put_user(UADDR(addr), arch_get_gs_base(a));
	case ARCH_GET_CPUID:
		return 1;
	case ARCH_SET_CPUID: /* no CPU of ours can make the instruction fault */
		return -ENODEV;
	default:
		return -EINVAL;
	}
}

/* ---- personality ---- */

#define PERSONA_ASK 0xffffffffu
/* Bits that change what somebody else's program could rely on, or make memory executable
 * or address 0 valid, are not among them. */
#define PERSONA_KNOWN (PER_MASK | UNAME26 | ADDR_NO_RANDOMIZE | STICKY_TIMEOUTS)

int64_t sys_personality(uint32_t persona)
{
	struct task *t = task_current();
	uint32_t old = t->persona, domain = persona & PER_MASK;
	if (persona == PERSONA_ASK)
		return old;
	if ((persona & ~(uint32_t)PERSONA_KNOWN) ||
	    (domain != PER_LINUX && domain != (PER_LINUX32 & PER_MASK)))
		return -EINVAL;
	t->persona = persona;
	return old;
}

/* ---- membarrier ---- */

static void barrier_here(void *arg)
{
	(void)arg;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Those that restart sequences (rseq) are not there, as such sequences are not. */
#define MEMBARRIER_SUPPORTED                                                             \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                       \
	 MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |   \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                                     \
	 MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |                                    \
	 MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)

/* Every CPU takes an interrupt and returns from it with IRET, which serialises its
 * instruction stream too: all commands are the same one. */
static int64_t barrier_everywhere(void)
{
	barrier_here(NULL);
	arch_ipi_call((cpumask_t)(BIT(cpu_count()) - 1), barrier_here, NULL);
	return 0;
}

int64_t sys_membarrier(int32_t cmd, uint32_t flags, int32_t cpu)
{
	struct space *s = thread_current()->space;

	(void)cpu;
	if (flags)
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return MEMBARRIER_SUPPORTED;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
		return 0;
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
		s->wants_barriers = true;
		return 0;
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
		s->wants_core_barriers = true;
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		return s->wants_barriers ? barrier_everywhere() : -EPERM;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		return s->wants_core_barriers ? barrier_everywhere() : -EPERM;
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		return barrier_everywhere();
	default:
		return -EINVAL;
	}
}
