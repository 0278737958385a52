/*
 * Interrupts: device lines through the IOAPICs (Intel 82093AA), the timer, and IPIs.
 * All lines go to CPU 0, level-triggered: a device keeps its line up until its handler
 * has served it, so none is lost.
 */
#include <asm/errno.h>

#include "arch/upcall.h"
#include "arch/x86_64/cpu.h"

#define IOAPIC_BASE 0xfec00000ull
#define IOAPIC_STEP 0x10000ull /* to the second one, as QEMU's microvm has it */
#define IOAPIC_PINS 24
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define REG_VERSION 0x01
#define REG_PIN 0x10
#define PIN_LEVEL BIT(15)

struct line {
	irq_handler_fn fn; /* [a] NULL: nobody's */
	void *arg;
	uint64_t count[CPU_MAX]; /* own CPU writes */
};

static struct line lines[LINES];
static uint64_t own_counts[CPU_MAX][IRQ_OWN_N]; /* own CPU writes */

static volatile uint32_t *ioapic_register(uint32_t line, uint32_t offset)
{
	uint64_t base = IOAPIC_BASE + line / IOAPIC_PINS * IOAPIC_STEP;

	return (volatile uint32_t *)((uint64_t)arch_direct_map(base) + offset);
}

static void ioapic_write(uint32_t line, uint32_t reg, uint32_t v)
{
	*ioapic_register(line, IOAPIC_SELECT) = reg;
	*ioapic_register(line, IOAPIC_WINDOW) = v;
}

static uint32_t ioapic_read(uint32_t line, uint32_t reg)
{
	*ioapic_register(line, IOAPIC_SELECT) = reg;
	return *ioapic_register(line, IOAPIC_WINDOW);
}

/* The highest pin's number is in bits 16-23 of the version; no IOAPIC reads as all
 * ones. */
static bool line_exists(uint32_t line)
{
	uint32_t version = line < LINES ? ioapic_read(line, REG_VERSION) : UINT32_MAX;

	return version != UINT32_MAX && line % IOAPIC_PINS <= (version >> 16 & 0xff);
}

int irq_request(uint32_t line, irq_handler_fn fn, void *arg)
{
	uint64_t f = irq_save();
	irq_handler_fn none = NULL;
	int err = 0;

	if (!line_exists(line)) {
		err = -ENXIO;
	} else if (!__atomic_compare_exchange_n(&lines[line].fn, &none, fn, false,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
		err = -EBUSY;
	} else {
		uint32_t pin = REG_PIN + 2 * (line % IOAPIC_PINS);
		lines[line].arg = arg;
		ioapic_write(line, pin + 1, percpus[0].pub.apic_id << 24);
		ioapic_write(line, pin, PIN_LEVEL | (VECTOR_LINES + line));
	}
	irq_restore(f);
	return err;
}

uint64_t irq_count(uint32_t line, uint32_t cpu)
{
	return line < LINES && cpu < CPU_MAX
		       ? __atomic_load_n(&lines[line].count[cpu], __ATOMIC_RELAXED)
		       : 0;
}

uint32_t irq_lines(void)
{
	return LINES;
}

uint64_t irq_own_count(enum irq_own kind, uint32_t cpu)
{
	return __atomic_load_n(&own_counts[cpu][kind], __ATOMIC_RELAXED);
}

static void line_dispatch(struct line *l)
{
	l->count[cpu_id()]++;
	if (l->fn)
		l->fn(l->arg);
}

/* Interrupts off, and nothing here switches threads: that is for the way out to user mode
 * and the idle loop. */
void irq_dispatch(struct pt_regs *regs, uint64_t vector)
{
	struct cpu *c = cpu_self();
	bool user = regs->cs & 3;
	uint64_t *own = own_counts[c->id];

	c->irq_depth++;
	if (vector == VECTOR_TIMER) {
		own[IRQ_OWN_TIMER]++;
		lapic_eoi();
		upcall_timer(user);
	} else if (vector == VECTOR_CALL) {
		own[IRQ_OWN_CALL]++;
		lapic_eoi();
		arch_ipi_poll();
	} else if (vector == VECTOR_RESCHED) {
		own[IRQ_OWN_RESCHED]++;
		lapic_eoi();
		upcall_resched();
	} else if (vector < VECTOR_LINES + LINES) {
		line_dispatch(&lines[vector - VECTOR_LINES]);
		lapic_eoi();
	} else { /* no end-of-interrupt */
		own[IRQ_OWN_SPURIOUS]++;
	}
	c->irq_depth--;
}
