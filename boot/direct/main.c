/*
 * The PVH loader: QEMU's -kernel. Takes the bundle from -initrd, has it verified, places
 * the kernel and jumps. Runs once, on one CPU, interrupts off, memory below 4 GiB one to
 * one.
 */
#include "boot/common/memmap.h"
#include "boot/common/place.h"
#include "boot/common/random.h"
#include "boot/common/verify.h"
#include "boot/direct/pvh.h"
#include "lib/string.h"
#include "lib/vm_exit.h"

#define SERIAL_PORT 0x3f8
#define EXIT_PORT 0x501
#define FW_CFG_SELECT 0x510 /* QEMU docs/specs/fw_cfg.rst */
#define FW_CFG_DATA 0x511
#define FW_CFG_NB_CPUS 5
#define LAPIC 0xfee00000ull
#define LAPIC_TIMER_COUNT 0x380
#define LAPIC_TIMER_DIVIDE 0x3e0
#define LAPIC_DIVIDE_16 3
#define CPU_MAX 16

noreturn_fn void loader_main(const struct pvh_start_info *start, uint64_t tsc);
noreturn_fn void loader_jump(uint64_t root, uint64_t entry, uint64_t info);

extern char loader_start[], loader_end[], identity_pdpt[];

/* Handed over where it is: these pages become BOOT_MEM_TABLES. */
static struct boot_info info aligned_to(4096);

static inline void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "d"(port));
}

static inline void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "d"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "d"(port));
	return v;
}

static inline uint64_t tsc_now(void)
{
	uint32_t lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static void print(const char *s)
{
	while (*s)
		out8(SERIAL_PORT, *s++);
}

noreturn_fn static void refuse(const char *part, const char *reason)
{
	print("mayfly: loader: refused: ");
	print(part);
	print(": ");
	print(reason);
	print("\n");
	out16(EXIT_PORT, VM_EXIT_REFUSED);
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* The first sample of the clock's calibration: the later the second, the better. */
static void lapic_timer_start(void)
{
	*(volatile uint32_t *)(LAPIC + LAPIC_TIMER_DIVIDE) = LAPIC_DIVIDE_16;
	*(volatile uint32_t *)(LAPIC + LAPIC_TIMER_COUNT) = UINT32_MAX;
	info.tsc_lapic = tsc_now();
}

static uint32_t cpu_count_read(void)
{
	out16(FW_CFG_SELECT, FW_CFG_NB_CPUS);
	uint32_t n = in8(FW_CFG_DATA);
	n |= (uint32_t)in8(FW_CFG_DATA) << 8;
	return MAX(1u, MIN(n, (uint32_t)CPU_MAX));
}

static void map_read(const struct pvh_start_info *start)
{
	const struct pvh_mem *m = (const void *)start->mem_map;

	if (start->version < 1 || !m || !start->mem_entries)
		refuse("machine", "no memory map");
	/* RAM first, so that what is reserved wins where they overlap. */
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < start->mem_entries; i++) {
			bool ram = m[i].type == PVH_MEM_RAM;
			uint64_t end;
			if (ram != (pass == 0) ||
			    __builtin_add_overflow(m[i].start, m[i].size, &end))
				continue;
			if (!memmap_set(&info, m[i].start, end,
					ram ? BOOT_MEM_FREE : BOOT_MEM_RESERVED))
				refuse("machine", "memory map too long");
		}
}

static void claim(const void *start, const void *end, uint32_t type)
{
	if (!memmap_set(&info, (uintptr_t)start, (uintptr_t)end, type))
		refuse("machine", "memory map too long");
}

static void cmdline_read(const char *s)
{
	size_t n = s ? strnlen(s, BOOT_CMDLINE_MAX) : 0;

	if (n == BOOT_CMDLINE_MAX)
		refuse("cmdline", "too long");
	memcpy(info.cmdline, s, n);
	info.cmdline_len = n;
}

static void seed_fill(void)
{
	info.seed_is_hardware = random_is_hardware();
	for (size_t i = 0; i < sizeof(info.seed); i += 8) {
		uint64_t r = random_u64();
		memcpy(info.seed + i, &r, 8);
	}
}

void loader_main(const struct pvh_start_info *start, uint64_t tsc)
{
	struct verified v;
	struct refusal why;
	uint64_t entry;

	info.magic = BOOT_INFO_MAGIC;
	info.version = BOOT_INFO_VERSION;
	info.size = sizeof(info);
	info.tsc_entry = tsc;
	lapic_timer_start();

	if (start->magic != PVH_MAGIC)
		refuse("machine", "not started by the PVH protocol");
	const struct pvh_module *module = (const void *)start->module_list;
	if (!start->modules || !module)
		refuse("bundle", "missing (QEMU's -initrd)");
	const uint8_t *file = (const void *)module->start;
	/* QEMU puts it as high as it goes, and on top of us when that is too low. */
	if (file < (const uint8_t *)loader_end &&
	    file + module->size > (const uint8_t *)loader_start)
		refuse("machine", "not enough memory for the bundle");

	map_read(start);
	claim(NULL, (void *)1, BOOT_MEM_RESERVED); /* an address of 0 means "none" */
	claim(loader_start, loader_end, MEM_LOADER);
	claim(&info, &info + 1, BOOT_MEM_TABLES);
	claim(file, file + module->size, MEM_LOADER);
	cmdline_read((const char *)start->cmdline);
	info.rsdp = start->rsdp;
	info.cpu_count = cpu_count_read();
	seed_fill();

	if (verify_bundle(file, module->size, &v, &why))
		refuse(why.part, why.reason);
	if (!cmdline_prepend(&info, &v.bundle.part[BUNDLE_CMDLINE]))
		refuse("cmdline", "too long");
	if (place_kernel(&info, &v, (uintptr_t)identity_pdpt, &entry))
		refuse("machine", "not enough memory for the kernel");
	info.tsc_done = tsc_now();
	loader_jump(info.root_table, entry, info.direct_base + (uintptr_t)&info);
}
