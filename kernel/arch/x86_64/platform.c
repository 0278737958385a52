/* The machine around the CPU: serial port, exit port, what the loader handed over. */
#include "arch/x86_64/cpu.h"
#include "lib/string.h"

#define SERIAL 0x3f8
#define SERIAL_LSR (SERIAL + 5)
#define LSR_EMPTY 0x20
#define SERIAL_TRIES 100000
#define EXIT_PORT 0x501

struct boot_info *boot_info ro_after_init;

void arch_serial_write(const char *s, size_t n)
{
	for (; n; n--, s++) {
		for (int i = 0; i < SERIAL_TRIES && !(in8(SERIAL_LSR) & LSR_EMPTY); i++)
			;
		out8(SERIAL, (uint8_t)*s);
	}
}

void arch_vm_exit(uint32_t code)
{
	out16(EXIT_PORT, (uint16_t)code);
	/* No such device: a fault without an IDT resets the machine, and -no-reboot ends
	 * it. */
	struct {
		uint16_t limit;
		uint64_t base;
	} packed none = { 0, 0 };
	__asm__ volatile("cli; lidt %0; ud2" ::"m"(none));
	__builtin_unreachable();
}

const struct boot_info *arch_boot_info(void)
{
	return boot_info;
}

const char *arch_cmdline(void)
{
	return boot_info->cmdline;
}

/* The last 16 bytes became the canary (boot.c). */
bool arch_seed_take(uint8_t ret[48])
{
	memcpy(ret, boot_info->seed, 48);
	memset(boot_info->seed, 0, sizeof(boot_info->seed));
	return boot_info->seed_is_hardware;
}
