/*
 * The other CPUs: bringing them up, running functions on them, stopping them.
 *
 *  P1  a CPU's number is its turn of arrival; percpus[0 .. cpu_count()-1] are up, and the
 *      count changes once, when the boot CPU opens the gate.
 *  P2  a caller of arch_ipi_call that waits runs the calls made to itself, and so must
 *      every loop that spins with interrupts off: two CPUs calling each other both get
 *      on.
 */
#include "arch/upcall.h"
#include "arch/x86_64/cpu.h"
#include "lib/string.h"

/* In the page after the trampoline's code; offsets are known to trampoline.S. */
struct trampoline_data {
	uint64_t root, entry;
	uint16_t gdt_limit;
	uint32_t gdt_base;
	uint16_t pad;
	uint32_t far32_offset;
	uint16_t far32_selector, pad2;
	uint32_t far64_offset;
	uint16_t far64_selector, pad3;
	uint64_t gdt[4];
} packed;

extern const char trampoline_start[], trampoline_32[], trampoline_64[], trampoline_end[];
extern char secondary_entry[];

uint32_t smp_ticket = 1, smp_expected; /* start.S */
static uint32_t arrived = 1;	       /* [a] */
static uint32_t online = 1;	       /* [a] 1 until the gate opens (P1) */

noreturn_fn void secondary_main(void);

uint32_t cpu_count(void)
{
	return __atomic_load_n(&online, __ATOMIC_ACQUIRE);
}

struct cpu *cpu_of(uint32_t id)
{
	return &percpus[id].pub;
}

/* ---- calls ---- */

void arch_ipi_poll(void)
{
	struct percpu *c = percpu_self();
	cpumask_t me = (cpumask_t)1 << c->pub.id;
	uint64_t f;

	if (!__atomic_load_n(&c->call_from, __ATOMIC_RELAXED))
		return;
	f = irq_save();
	cpumask_t from = __atomic_exchange_n(&c->call_from, 0, __ATOMIC_ACQUIRE);
	for (; from; from &= from - 1) {
		struct cpu_call *call = &percpus[__builtin_ctz(from)].call;
		call->fn(call->arg);
		__atomic_fetch_and(&call->pending, ~me, __ATOMIC_RELEASE);
	}
	irq_restore(f);
}

void arch_ipi_call(cpumask_t mask, void (*fn)(void *), void *arg)
{
	struct percpu *c = percpu_self();
	cpumask_t me = (cpumask_t)1 << c->pub.id;
	struct cpu_call *call = &c->call;

	mask &= ((cpumask_t)1 << cpu_count()) - 1;
	mask &= ~me;
	if (!mask)
		return;
	call->fn = fn;
	call->arg = arg;
	__atomic_store_n(&call->pending, mask, __ATOMIC_RELEASE);
	for (cpumask_t m = mask; m; m &= m - 1) {
		struct percpu *to = &percpus[__builtin_ctz(m)];
		/* Someone else's interrupt is on its way: it serves this call too. */
		if (!__atomic_fetch_or(&to->call_from, me, __ATOMIC_SEQ_CST))
			lapic_ipi(to->pub.apic_id, VECTOR_CALL);
	}
	while (__atomic_load_n(&call->pending, __ATOMIC_ACQUIRE)) {
		arch_ipi_poll();
		cpu_relax();
	}
}

void arch_ipi_resched(uint32_t cpu)
{
	lapic_ipi(percpus[cpu].pub.apic_id, VECTOR_RESCHED);
}

void arch_stop_others(void)
{
	uint32_t n = cpu_count();

	if (n == 1)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (i != cpu_id())
			__atomic_store_n(&percpus[i].stop, true, __ATOMIC_RELEASE);
	lapic_nmi_others();
}

/* ---- start ---- */

/* Sleeps until *what is n: whoever makes it so sends an interrupt afterwards. Spinning
 * would take the host's CPU from the one that is waited for. */
static void wait_until(const uint32_t *what, uint32_t n)
{
	while (__atomic_load_n(what, __ATOMIC_SEQ_CST) != n) {
		cpu_idle();
		irq_disable();
	}
}

/* First C code of a secondary CPU: on its idle stack, %gs set, old-style segments. */
void secondary_main(void)
{
	struct percpu *c = percpu_self();

	cpu_registers_init();
	cpu_tables_load(c);
	lapic_init();
	c->pub.apic_id = lapic_id();
	if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == smp_expected)
		lapic_ipi(percpus[0].pub.apic_id, VECTOR_CALL);
	wait_until(&online, smp_expected);
	cr3_write(cr3_read()); /* the trampoline's page is gone */
	upcall_secondary();
}

/* Whatever runs there must know its number and stack before it arrives. */
static bool secondaries_prepare(uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		struct percpu *c = &percpus[i];
		c->pub.self = &c->pub;
		c->pub.id = i;
		c->pub.canary = percpus[0].pub.canary;
		c->lazy = true;
		c->pub.kstack_top = cpu_stacks_map(c, i);
		if (!c->pub.kstack_top)
			return false;
	}
	return true;
}

static void trampoline_fill(paddr_t at)
{
	struct trampoline_data *d = arch_direct_map(at + PAGE_SIZE);

	memcpy(arch_direct_map(at), trampoline_start, trampoline_end - trampoline_start);
	*d = (struct trampoline_data){
		.root = boot_info->root_table,
		.entry = (uint64_t)secondary_entry,
		.gdt_limit = sizeof(d->gdt) - 1,
		.gdt_base = (uint32_t)(at + PAGE_SIZE +
				       offsetof(struct trampoline_data, gdt)),
		.far32_offset = (uint32_t)(at + (trampoline_32 - trampoline_start)),
		.far32_selector = 8,
		.far64_offset = (uint32_t)(at + (trampoline_64 - trampoline_start)),
		.far64_selector = 24,
		.gdt = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff },
	};
}

void arch_smp_start(void)
{
	uint32_t n = boot_info->cpu_count;
	paddr_t at = boot_info->trampoline;

	if (n < 2 || !at)
		return;
	if (!secondaries_prepare(n) || kmap_map_low(at, true) ||
	    kmap_map_low(at + PAGE_SIZE, false))
		panic_regs(NULL, "no memory for %u CPUs", n);
	trampoline_fill(at);
	smp_expected = n;
	lapic_start_others((uint8_t)(at >> PAGE_SHIFT));
	wait_until(&arrived, n);
	kmap_unmap_low();
	__atomic_store_n(&online, n, __ATOMIC_SEQ_CST);
	for (uint32_t i = 1; i < n; i++)
		lapic_ipi(percpus[i].pub.apic_id, VECTOR_CALL);
}
