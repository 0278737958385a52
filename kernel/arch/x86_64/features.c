/*
 * What this CPU can do, the control registers that follow from it, and the few
 * instructions of kernel text that depend on it. All CPUs of a VM are alike.
 */
#include "arch/x86_64/cpu.h"

struct features features ro_after_init;

extern char syscall_entry[], syscall_entry_compat[];

/* One place in kernel text: three bytes, a no-op until SMAP's instruction goes in. */
struct smap_site {
	int32_t at; /* relative to this field */
	uint32_t bytes;
};
extern const struct smap_site smap_sites_start[], smap_sites_end[];

static void xsave_read(void)
{
	struct cpuid d = cpuid(0xd, 0);
	struct cpuid sub = cpuid(0xd, 1);

	/* x87, SSE, AVX; AVX-512's three only together (SDM 1, 13.3). */
	features.xcr0 = d.a & 7;
	if ((d.a & 0xe0) == 0xe0 && (d.a & 4))
		features.xcr0 |= 0xe0;
	features.xsaveopt = sub.a & BIT(0);
}

void features_read(void)
{
	struct features *f = &features;
	struct cpuid one = cpuid(1, 0);
	uint32_t max = cpuid(0, 0).a;
	struct cpuid seven = max >= 7 ? cpuid(7, 0) : (struct cpuid){ 0 };

	f->leaf1_edx = one.d;
	f->x2apic = one.c & BIT(21);
	f->tsc_deadline = one.c & BIT(24);
	f->xsave = (one.c & BIT(26)) && max >= 0xd;
	f->rdrand = one.c & BIT(30);
	f->fsgsbase = seven.b & BIT(0);
	f->smep = seven.b & BIT(7);
	f->smap = seven.b & BIT(20);
	f->umip = seven.c & BIT(2);
	f->rdtscp = cpuid(0x80000001, 0).d & BIT(27);
	f->xsave_size = 512;
	if (f->xsave)
		xsave_read();
}

/* Kernel text is mapped read-only: for these few writes CR0.WP is off, on the only CPU
 * that runs, before anything untrusted exists. */
void features_patch(void)
{
	if (!features.smap)
		return;
	uint64_t cr0 = cr0_read();
	cr0_write(cr0 & ~CR0_WP);
	for (const struct smap_site *s = smap_sites_start; s < smap_sites_end; s++) {
		uint8_t *at = (uint8_t *)&s->at + s->at;
		at[0] = (uint8_t)s->bytes;
		at[1] = (uint8_t)(s->bytes >> 8);
		at[2] = (uint8_t)(s->bytes >> 16);
	}
	cr0_write(cr0);
}

void cpu_registers_init(void)
{
	const struct features *f = &features;

	cr0_write(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG);
	cr4_write(CR4_DE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT |
		  (f->umip ? CR4_UMIP : 0) | (f->fsgsbase ? CR4_FSGSBASE : 0) |
		  (f->xsave ? CR4_OSXSAVE : 0) | (f->smep ? CR4_SMEP : 0) |
		  (f->smap ? CR4_SMAP : 0));
	if (f->xsave)
		__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)f->xcr0),
				 "d"((uint32_t)(f->xcr0 >> 32)));

	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	wrmsr(MSR_STAR, (uint64_t)SEL_KERNEL_CS << 32 | (uint64_t)SEL_SYSRET_BASE << 48);
	wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
	wrmsr(MSR_CSTAR, (uint64_t)syscall_entry_compat);
	wrmsr(MSR_SFMASK,
	      EFLAGS_TF | EFLAGS_IF | EFLAGS_DF | EFLAGS_NT | EFLAGS_RF | EFLAGS_AC);
	wrmsr(MSR_KERNEL_GS_BASE, 0);
	if (f->rdtscp) /* the vDSO's getcpu reads it */
		wrmsr(MSR_TSC_AUX, percpu_self()->pub.id);
}

uint32_t arch_hwcap(void)
{
	return features.leaf1_edx;
}

uint32_t arch_hwcap2(void)
{
	return features.fsgsbase ? 2 : 0; /* HWCAP2_FSGSBASE */
}

bool arch_user_cpu_id(void)
{
	return features.rdtscp;
}

size_t arch_hw_random(void *buf, size_t n)
{
	uint8_t *p = buf;
	size_t done = 0;

	while (features.rdrand && done < n) {
		uint64_t v;
		bool ok = false;
		for (int i = 0; i < 10 && !ok; i++)
			__asm__ volatile("rdrand %0" : "=r"(v), "=@ccc"(ok));
		if (!ok)
			break;
		for (int i = 0; i < 8 && done < n; i++, v >>= 8)
			p[done++] = (uint8_t)v;
	}
	return done;
}
