/*
 * The local APIC: interrupts between CPUs, end of interrupt, the timer (SDM 3A, chapter
 * 11). x2APIC mode, by MSRs, where the CPU has it; else registers through the direct map.
 */
#include "arch/x86_64/cpu.h"

#define LAPIC_BASE 0xfee00000ull
#define BASE_X2APIC BIT(10)
#define BASE_ENABLE BIT(11)

enum lapic_register {
	LAPIC_ID = 0x20,
	LAPIC_TPR = 0x80,
	LAPIC_EOI = 0xb0,
	LAPIC_SPURIOUS = 0xf0,
	LAPIC_ICR = 0x300,
	LAPIC_ICR_HIGH = 0x310,
	LAPIC_TIMER = 0x320,
	LAPIC_LINT0 = 0x350,
	LAPIC_LINT1 = 0x360,
	LAPIC_ERROR = 0x370,
	LAPIC_COUNT_START = 0x380,
	LAPIC_COUNT = 0x390,
	LAPIC_DIVIDE = 0x3e0,
};

#define SPURIOUS_ENABLE 0x100
#define LVT_MASKED 0x10000
#define TIMER_DEADLINE 0x40000
#define DIVIDE_16 3
#define ICR_NMI 0x400
#define ICR_INIT 0x500
#define ICR_STARTUP 0x600
#define ICR_ASSERT 0x4000
#define ICR_OTHERS 0xc0000

static uint64_t lapic_at ro_after_init; /* virtual; 0: x2APIC */

static uint32_t lapic_read(uint32_t reg)
{
	if (!lapic_at)
		return (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
	return *(volatile uint32_t *)(lapic_at + reg);
}

static void lapic_write(uint32_t reg, uint32_t v)
{
	if (!lapic_at)
		wrmsr(MSR_X2APIC + reg / 16, v);
	else
		*(volatile uint32_t *)(lapic_at + reg) = v;
}

static void icr_write(uint32_t apic_id, uint32_t low)
{
	if (!lapic_at) {
		wrmsr(MSR_X2APIC + LAPIC_ICR / 16, (uint64_t)apic_id << 32 | low);
		return;
	}
	/* Two registers: an interrupt handler's IPI must not come between. */
	uint64_t f = irq_save();
	lapic_write(LAPIC_ICR_HIGH, apic_id << 24);
	lapic_write(LAPIC_ICR, low);
	irq_restore(f);
}

void lapic_init(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | BASE_ENABLE;

	if (features.x2apic)
		base |= BASE_X2APIC;
	else if (!lapic_at) /* the boot CPU's turn; later it is read-only */
		lapic_at = (uint64_t)arch_direct_map(LAPIC_BASE);
	wrmsr(MSR_APIC_BASE, base);

	lapic_write(LAPIC_TPR, 0);
	lapic_write(LAPIC_LINT0, LVT_MASKED);
	lapic_write(LAPIC_LINT1, LVT_MASKED);
	lapic_write(LAPIC_ERROR, LVT_MASKED);
	lapic_write(LAPIC_DIVIDE, DIVIDE_16);
	lapic_write(LAPIC_TIMER,
		    (features.tsc_deadline ? TIMER_DEADLINE : 0) | VECTOR_TIMER);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
}

uint32_t lapic_id(void)
{
	uint32_t id = lapic_read(LAPIC_ID);

	return lapic_at ? id >> 24 : id;
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

void lapic_ipi(uint32_t apic_id, uint8_t vector)
{
	icr_write(apic_id, ICR_ASSERT | vector);
}

void lapic_nmi_others(void)
{
	icr_write(0, ICR_OTHERS | ICR_ASSERT | ICR_NMI);
}

/* SDM 3A, 8.4.4: a second SIPI is for CPUs that missed the first; one that runs ignores
 * it. Its delays are for boards of the nineties; a virtual CPU takes INIT at once. */
void lapic_start_others(uint8_t page)
{
	icr_write(0, ICR_OTHERS | ICR_ASSERT | ICR_INIT);
	icr_write(0, ICR_OTHERS | ICR_ASSERT | ICR_STARTUP | page);
	tsc_wait(10 * NSEC_PER_USEC);
	icr_write(0, ICR_OTHERS | ICR_ASSERT | ICR_STARTUP | page);
}

uint32_t lapic_timer_count(void)
{
	return lapic_read(LAPIC_COUNT);
}

/* One register write and no more: each costs most of a microsecond when emulated. */
void lapic_timer_arm(uint32_t count)
{
	lapic_write(LAPIC_COUNT_START, count);
}

void lapic_timer_deadline(uint64_t tsc)
{
	wrmsr(MSR_TSC_DEADLINE, tsc);
}
