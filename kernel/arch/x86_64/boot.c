/* The boot CPU, from the loader to kernel_main. */
#include "arch/x86_64/cpu.h"
#include "arch/upcall.h"
#include "lib/string.h"
#include "lib/vm_exit.h"

uint64_t arch_start(struct boot_info *info);
noreturn_fn void arch_main(void);

extern char ro_after_init_start[], ro_after_init_end[];

static bool boot_info_valid(const struct boot_info *info)
{
	return info->magic == BOOT_INFO_MAGIC && info->version == BOOT_INFO_VERSION &&
	       info->size == sizeof(*info) && info->map_count <= BOOT_MEM_MAX &&
	       info->cmdline_len < BOOT_CMDLINE_MAX;
}

noreturn_fn static void refuse(const char *why)
{
	arch_serial_write(why, strlen(why));
	arch_vm_exit(VM_EXIT_REFUSED);
}

/* Runs on the boot stack before there is a canary. Returns the top of the stack to go on
 * with, which has a guard page. */
__attribute__((no_stack_protector)) uint64_t arch_start(struct boot_info *info)
{
	struct percpu *c = percpu_self();

	if (!boot_info_valid(info))
		refuse("mayfly: kernel: refused: boot_info: from another loader\n");
	boot_info = info;
	memcpy(&c->pub.canary, info->seed + 48, 8);
	c->pub.canary &= ~0xffull; /* a string function that overruns stops at it */
	memset(info->seed + 48, 0, 16);

	features_read();
	cpu_registers_init();
	features_patch();
	kmap_init();
	c->pub.kstack_top = cpu_stacks_map(c, 0);
	if (!c->pub.kstack_top)
		refuse("mayfly: kernel: refused: boot_info: not enough early memory\n");
	idt_init();
	cpu_tables_load(c);
	kmap_drop_identity();
	features.xsave_size = (uint32_t)fpu_setup();
	lapic_init();
	c->pub.apic_id = lapic_id();
	tsc_init();
	return c->pub.kstack_top;
}

void arch_main(void)
{
	kernel_main();
}

void arch_seal(void)
{
	kmap_seal(ro_after_init_start, ro_after_init_end);
}
