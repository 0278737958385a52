/* What the CPU says it is, in /proc/cpuinfo's words. Made when first asked for. */
#include "arch/x86_64/cpu.h"
#include "lib/string.h"

enum source { L1_EDX, L1_ECX, L7_EBX, L7_ECX, EXT_EDX, EXT_ECX, SOURCES };

/* Linux's names, in Linux's order; only what this kernel lets user mode use or what tells
 * machines apart. */
static const struct {
	uint8_t source, bit;
	char name[19];
} names[] = {
	{ L1_EDX, 0, "fpu" },
	{ L1_EDX, 1, "vme" },
	{ L1_EDX, 2, "de" },
	{ L1_EDX, 3, "pse" },
	{ L1_EDX, 4, "tsc" },
	{ L1_EDX, 5, "msr" },
	{ L1_EDX, 6, "pae" },
	{ L1_EDX, 7, "mce" },
	{ L1_EDX, 8, "cx8" },
	{ L1_EDX, 9, "apic" },
	{ L1_EDX, 12, "mtrr" },
	{ L1_EDX, 13, "pge" },
	{ L1_EDX, 14, "mca" },
	{ L1_EDX, 15, "cmov" },
	{ L1_EDX, 16, "pat" },
	{ L1_EDX, 19, "clflush" },
	{ L1_EDX, 23, "mmx" },
	{ L1_EDX, 24, "fxsr" },
	{ L1_EDX, 25, "sse" },
	{ L1_EDX, 26, "sse2" },
	{ L1_EDX, 28, "ht" },
	{ EXT_EDX, 11, "syscall" },
	{ EXT_EDX, 20, "nx" },
	{ EXT_EDX, 26, "pdpe1gb" },
	{ EXT_EDX, 27, "rdtscp" },
	{ EXT_EDX, 29, "lm" },
	{ L1_ECX, 0, "pni" },
	{ L1_ECX, 1, "pclmulqdq" },
	{ L1_ECX, 9, "ssse3" },
	{ L1_ECX, 12, "fma" },
	{ L1_ECX, 13, "cx16" },
	{ L1_ECX, 19, "sse4_1" },
	{ L1_ECX, 20, "sse4_2" },
	{ L1_ECX, 21, "x2apic" },
	{ L1_ECX, 22, "movbe" },
	{ L1_ECX, 23, "popcnt" },
	{ L1_ECX, 24, "tsc_deadline_timer" },
	{ L1_ECX, 25, "aes" },
	{ L1_ECX, 26, "xsave" },
	{ L1_ECX, 28, "avx" },
	{ L1_ECX, 29, "f16c" },
	{ L1_ECX, 30, "rdrand" },
	{ L1_ECX, 31, "hypervisor" },
	{ EXT_ECX, 0, "lahf_lm" },
	{ EXT_ECX, 2, "svm" },
	{ EXT_ECX, 5, "abm" },
	{ EXT_ECX, 6, "sse4a" },
	{ L7_EBX, 0, "fsgsbase" },
	{ L7_EBX, 3, "bmi1" },
	{ L7_EBX, 5, "avx2" },
	{ L7_EBX, 7, "smep" },
	{ L7_EBX, 8, "bmi2" },
	{ L7_EBX, 9, "erms" },
	{ L7_EBX, 16, "avx512f" },
	{ L7_EBX, 18, "rdseed" },
	{ L7_EBX, 19, "adx" },
	{ L7_EBX, 20, "smap" },
	{ L7_EBX, 23, "clflushopt" },
	{ L7_EBX, 24, "clwb" },
	{ L7_EBX, 29, "sha_ni" },
	{ L7_ECX, 2, "umip" },
};

static struct arch_cpu_info info;
static char flags[ARRAY_LEN(names) * 19];
static uint32_t state; /* [a] 0: not made, 1: being made, 2: made */

static void vendor_read(void)
{
	struct cpuid r = cpuid(0, 0);
	uint32_t words[3] = { r.b, r.d, r.c };

	memcpy(info.vendor, words, 12);
}

static void brand_read(void)
{
	for (uint32_t i = 0; i < 3 && cpuid(0x80000000, 0).a >= 0x80000004; i++) {
		struct cpuid r = cpuid(0x80000002 + i, 0);
		memcpy(info.brand + 16 * i, &r, 16);
	}
}

/* SDM 2A, CPUID leaf 1: the extended fields count only for families 6 and 15. */
static void model_read(void)
{
	struct cpuid r = cpuid(1, 0);
	uint32_t family = r.a >> 8 & 15, model = r.a >> 4 & 15;

	info.family = family == 15 ? family + (r.a >> 20 & 255) : family;
	info.model = family == 6 || family == 15 ? model | (r.a >> 12 & 0xf0) : model;
	info.stepping = r.a & 15;
	info.clflush = (r.b >> 8 & 255) * 8;
}

static void sizes_read(void)
{
	struct cpuid r = { 0 };

	if (cpuid(0x80000000, 0).a >= 0x80000008)
		r = cpuid(0x80000008, 0);
	info.phys_bits = r.a & 255 ? r.a & 255 : 36;
	info.virt_bits = r.a >> 8 & 255 ? r.a >> 8 & 255 : 48;
	info.khz = tsc_khz();
	info.level = cpuid(0, 0).a;
}

/* The ways that APM 3, 80000006h, codes in four bits; 0: no cache, or not told here. */
static uint32_t ways_coded(uint32_t code, uint32_t lines)
{
	static const uint8_t ways[16] = { 0,  1, 2,  3,	 4,  6,	 8,   0,
					  16, 0, 32, 48, 64, 96, 128, 0 };

	return code == 15 ? lines : ways[code];
}

static void cache_add(size_t *n, uint32_t level, const char *type, uint32_t size,
		      uint32_t line, uint32_t ways)
{
	if (!size || !line || !ways || *n == ARRAY_LEN(info.caches))
		return;
	info.caches[(*n)++] = (struct arch_cache){
		.level = level,
		.size = size,
		.line = line,
		.ways = ways,
		.sets = size / line / ways,
		.type = type,
	};
}

/* AMD APM 3, 80000005h and 80000006h: processors without the leaf that tells all. */
static void caches_read_old(void)
{
	uint32_t max = cpuid(0x80000000, 0).a;
	struct cpuid one = max >= 0x80000005 ? cpuid(0x80000005, 0) : (struct cpuid){ 0 };
	struct cpuid two = max >= 0x80000006 ? cpuid(0x80000006, 0) : (struct cpuid){ 0 };
	const struct {
		uint32_t reg;
		const char *type;
	} first[] = { { one.c, "Data" }, { one.d, "Instruction" } };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(first); i++) {
		uint32_t r = first[i].reg, size = KIB(r >> 24), line = r & 255;
		uint32_t ways = r >> 16 & 255;

		if (line)
			cache_add(&n, 1, first[i].type, size, line,
				  ways == 255 ? size / line : ways);
	}
	uint32_t size[2] = { KIB(two.c >> 16), KIB(two.d >> 18) * 512 };
	uint32_t regs[2] = { two.c, two.d };
	for (uint32_t i = 0; i < 2; i++) {
		uint32_t line = regs[i] & 255;

		if (line)
			cache_add(&n, i + 2, "Unified", size[i], line,
				  ways_coded(regs[i] >> 12 & 15, size[i] / line));
	}
}

/* SDM 2A, CPUID leaf 4; AMD APM 3, 8000001Dh: the same form. */
static void caches_read(void)
{
	static const char *const types[] = { NULL, "Data", "Instruction", "Unified" };
	bool intel = info.level >= 4 && cpuid(4, 0).a & 31;
	uint32_t leaf = intel ? 4 : 0x8000001d;
	size_t n = 0;

	if (!intel && (cpuid(0x80000000, 0).a < leaf || !(cpuid(leaf, 0).a & 31))) {
		caches_read_old();
		return;
	}
	for (uint32_t i = 0; n < ARRAY_LEN(info.caches); i++) {
		struct cpuid r = cpuid(leaf, i);
		uint32_t type = r.a & 31;

		if (!type || type >= ARRAY_LEN(types))
			return;
		struct arch_cache c = {
			.level = r.a >> 5 & 7,
			.line = (r.b & 4095) + 1,
			.ways = (r.b >> 22) + 1,
			.sets = r.c + 1,
			.type = types[type],
		};
		c.size = c.line * c.ways * c.sets * ((r.b >> 12 & 1023) + 1);
		info.caches[n++] = c;
	}
}

static void flags_write(void)
{
	struct cpuid one = cpuid(1, 0), ext = cpuid(0x80000001, 0);
	struct cpuid seven = cpuid(0, 0).a >= 7 ? cpuid(7, 0) : (struct cpuid){ 0 };
	uint32_t words[SOURCES] = { one.d, one.c, seven.b, seven.c, ext.d, ext.c };
	char *at = flags;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!(words[names[i].source] >> names[i].bit & 1))
			continue;
		if (at != flags)
			*at++ = ' ';
		at += str_copy(at, names[i].name, sizeof(names[i].name));
	}
	info.flags = flags;
}

const struct arch_cpu_info *arch_cpu_info(void)
{
	uint32_t none = 0;

	if (__atomic_compare_exchange_n(&state, &none, 1, false, __ATOMIC_ACQUIRE,
					__ATOMIC_ACQUIRE)) {
		vendor_read();
		brand_read();
		model_read();
		sizes_read();
		caches_read();
		flags_write();
		__atomic_store_n(&state, 2, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != 2)
		cpu_relax();
	return &info;
}
