/* procfs: what the layers below fs know, in proc(5)'s formats. */
#include "core/log.h"
#include "core/panic.h"
#include "core/sched.h"
#include "core/timer.h"
#include "dev/blk.h"
#include "fs/chrdev.h"
#include "fs/procfs/procfs_internal.h"
#include "lib/clock_scale.h"
#include "lib/string.h"

#define KIB_PER_PAGE (PAGE_SIZE / 1024)
#define IRQ_LINES 24 /* pins of one IOAPIC */

/* ---- memory ---- */

static int show_meminfo(struct proc_text *t, void *arg)
{
	struct page_stats s;

	page_stats_get(&s);
	const struct {
		const char *name;
		uint64_t pages;
	} rows[] = {
		{ "MemTotal:", s.total },
		{ "MemFree:", s.free },
		{ "MemAvailable:", MIN(s.free + s.reclaimable, s.total) },
		{ "Buffers:", 0 },
		{ "Cached:", s.cached },
		{ "SwapCached:", 0 },
		{ "Active:", s.anon },
		{ "Inactive:", s.cached },
		{ "SwapTotal:", 0 },
		{ "SwapFree:", 0 },
		{ "Dirty:", 0 },
		{ "Writeback:", 0 },
		{ "AnonPages:", s.anon },
		{ "Mapped:", 0 },
		{ "Shmem:", s.shmem },
		{ "KReclaimable:", 0 },
		{ "Slab:", s.slab },
		{ "SReclaimable:", 0 },
		{ "SUnreclaim:", s.slab },
		{ "PageTables:", s.page_tables },
		{ "CommitLimit:", s.total },
		{ "Committed_AS:", s.anon + s.shmem },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		proc_printf(t, "%-15s %8lu kB\n", rows[i].name,
			    (unsigned long)(rows[i].pages * KIB_PER_PAGE));
	return 0;
}

static int show_vmstat(struct proc_text *t, void *arg)
{
	struct page_stats s;

	page_stats_get(&s);
	proc_printf(
		t,
		"nr_free_pages %lu\nnr_anon_pages %lu\nnr_file_pages %lu\nnr_shmem %lu\n"
		"nr_page_table_pages %lu\nnr_slab_unreclaimable %lu\nnr_dirty 0\n"
		"nr_writeback 0\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n",
		(unsigned long)s.free, (unsigned long)s.anon, (unsigned long)s.cached,
		(unsigned long)s.shmem, (unsigned long)s.page_tables,
		(unsigned long)s.slab);
	return 0;
}

static int show_slabinfo(struct proc_text *t, void *arg)
{
	struct slab_info s;

	proc_printf(t,
		    "slabinfo - version: 2.1\n"
		    "# name            <active_objs> <num_objs> <objsize> <objperslab> "
		    "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> "
		    ": slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	for (size_t i = 0; slab_info_get(i, &s); i++) {
		size_t per = s.pages ? s.objects / s.pages : 0;

		proc_printf(t,
			    "%-17s %6zu %6zu %6zu %4zu %4d : tunables 0 0 0 "
			    ": slabdata %6zu %6zu 0\n",
			    s.name, s.in_use, s.objects, s.size, per, 1, s.pages,
			    s.pages);
	}
	return 0;
}

/* ---- the machine ---- */

static int show_cpuinfo(struct proc_text *t, void *arg)
{
	const struct arch_cpu_info *c = arch_cpu_info();

	for (uint32_t n = 0; n < cpu_count(); n++)
		proc_printf(t,
			    "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\n"
			    "model\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n"
			    "cpu MHz\t\t: %u.%03u\nphysical id\t: 0\nsiblings\t: %u\n"
			    "core id\t\t: %u\ncpu cores\t: %u\nfpu\t\t: yes\n"
			    "flags\t\t: %s\nclflush size\t: %u\n"
			    "address sizes\t: %u bits physical, %u bits virtual\n\n",
			    n, c->vendor, c->family, c->model, c->brand, c->stepping,
			    c->khz / 1000, c->khz % 1000, cpu_count(), n, cpu_count(),
			    c->flags, c->clflush, c->phys_bits, c->virt_bits);
	return 0;
}

static int show_interrupts(struct proc_text *t, void *arg)
{
	proc_printf(t, "    ");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		proc_printf(t, "       CPU%-2u", cpu);
	proc_printf(t, "\n");
	for (uint32_t line = 0; line < IRQ_LINES; line++) {
		uint64_t sum = 0;

		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			sum += irq_count(line, cpu);
		if (!sum)
			continue;
		proc_printf(t, "%3u:", line);
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			proc_printf(t, " %10lu ", (unsigned long)irq_count(line, cpu));
		proc_printf(t, "  IO-APIC\n");
	}
	return 0;
}

static int show_uptime(struct proc_text *t, void *arg)
{
	uint64_t up = clock_mono() / 10000000, idle = 0;

	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		struct sched_stats s;

		sched_cpu_stats(cpu, &s);
		idle += s.idle_ns / 10000000;
	}
	proc_printf(t, "%lu.%02lu %lu.%02lu\n", (unsigned long)(up / 100),
		    (unsigned long)(up % 100), (unsigned long)(idle / 100),
		    (unsigned long)(idle % 100));
	return 0;
}

static int show_cmdline(struct proc_text *t, void *arg)
{
	proc_printf(t, "%s\n", arch_cmdline());
	return 0;
}

static int show_partitions(struct proc_text *t, void *arg)
{
	struct blk_device *d;

	proc_printf(t, "major minor  #blocks  name\n\n");
	for (size_t i = 0; (d = blk_nth(i)); i++)
		proc_printf(t, "%4u  %7zu %10lu %s\n", 254, i * 16,
			    (unsigned long)(d->sectors / 2), d->name);
	return 0;
}

static int show_devices(struct proc_text *t, void *arg)
{
	const char *name;
	uint32_t major;

	proc_printf(t, "Character devices:\n");
	for (size_t i = 0; chrdev_nth(i, &major, &name); i++)
		proc_printf(t, "%3u %s\n", major, name);
	proc_printf(t, "\nBlock devices:\n");
	if (blk_nth(0))
		proc_printf(t, "254 virtblk\n");
	return 0;
}

/* There is no swap, and programs that look here are to see just that. */
static int show_swaps(struct proc_text *t, void *arg)
{
	proc_printf(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

/* ---- the log ---- */

static int show_kmsg(struct proc_text *t, void *arg)
{
	uint64_t pos = 0;
	char chunk[256];
	size_t n;

	while ((n = log_read(&pos, chunk, sizeof chunk)))
		proc_write(t, chunk, n);
	return 0;
}

/* ---- Mayfly's own, for the report ---- */

/* "name ns", ns of the monotonic clock, in the order of the marks. */
static int show_timeline(struct proc_text *t, void *arg)
{
	struct clock_scale c = clock_scale_get();
	const struct timeline_entry *e;
	size_t n = timeline_get(&e);

	for (size_t i = 0; i < n; i++) {
		bool before = e[i].tsc < c.base_tsc;
		uint64_t ticks = before ? c.base_tsc - e[i].tsc : e[i].tsc - c.base_tsc;
		uint64_t ns = clock_scale_ns(ticks, c.mult);
		int64_t at =
			before ? (int64_t)(c.base_ns - ns) : (int64_t)(c.base_ns + ns);

		proc_printf(t, "%s %ld\n", e[i].name, (long)at);
	}
	return 0;
}

/* What is still held, by kind: the same numbers before and after a run mean no leak. */
static int show_leaks(struct proc_text *t, void *arg)
{
	struct page_stats s;
	struct slab_info k;

	page_stats_get(&s);
	proc_printf(
		t, "pages_free %lu\npages_kernel %lu\npages_anon %lu\npages_tables %lu\n",
		(unsigned long)s.free, (unsigned long)s.kernel, (unsigned long)s.anon,
		(unsigned long)s.page_tables);
	for (size_t i = 0; slab_info_get(i, &k); i++)
		proc_printf(t, "slab_%s %zu\n", k.name, k.in_use);
	return 0;
}

/* ---- sysfs ---- */

static int show_cpu_range(struct proc_text *t, void *arg)
{
	if (cpu_count() > 1)
		proc_printf(t, "0-%u\n", cpu_count() - 1);
	else
		proc_printf(t, "0\n");
	return 0;
}

static int show_number(struct proc_text *t, void *arg)
{
	proc_printf(t, "%lu\n", (unsigned long)(uintptr_t)arg);
	return 0;
}

void procfs_info_init(void)
{
	static const struct {
		const char *path;
		uint32_t mode;
		proc_show_fn show;
	} files[] = {
		{ "meminfo", 0444, show_meminfo },
		{ "vmstat", 0444, show_vmstat },
		{ "slabinfo", 0400, show_slabinfo },
		{ "cpuinfo", 0444, show_cpuinfo },
		{ "interrupts", 0444, show_interrupts },
		{ "uptime", 0444, show_uptime },
		{ "cmdline", 0444, show_cmdline },
		{ "partitions", 0444, show_partitions },
		{ "devices", 0444, show_devices },
		{ "swaps", 0444, show_swaps },
		{ "kmsg", 0400, show_kmsg },
		{ "mayfly/timeline", 0444, show_timeline },
		{ "mayfly/leaks", 0400, show_leaks },
		{ "sysfs:devices/system/cpu/online", 0444, show_cpu_range },
		{ "sysfs:devices/system/cpu/possible", 0444, show_cpu_range },
		{ "sysfs:devices/system/cpu/present", 0444, show_cpu_range },
		{ "sysfs:devices/system/node/online", 0444, show_number },
		{ "sysfs:kernel/mm/transparent_hugepage/hpage_pmd_size", 0444,
		  show_number },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		int err = proc_file(files[i].path, files[i].mode, files[i].show, NULL,
				    NULL);

		insist(!err);
	}
}
