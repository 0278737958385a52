/* What the process layer shows in /proc itself: loads, counts, versions; proc(5). */
#include "core/panic.h"
#include "lib/boot_info.h"
#include "lib/fmt.h"
#include "mm/page.h"
#include "proc/proc.h"
#include "proc/procfs.h"
#include "proc/uts.h"

#define IRQ_LINES 24 /* pins of one IOAPIC */

static int show_loadavg(struct proc_text *o, void *arg)
{
	struct task_counts n;
	uint32_t load[3];

	sched_loadavg(load);
	task_counts_get(&n);
	for (int i = 0; i < 3; i++) {
		/* 11 fraction bits, shown with two decimals, rounded. */
		uint32_t hundredths = (load[i] * 100 + 1024) >> 11;

		proc_printf(o, "%u.%02u ", hundredths / 100, hundredths % 100);
	}
	proc_printf(o, "%u/%u %d\n", sched_running(), n.tasks, n.last_pid);
	return 0;
}

static void print_cpu(struct proc_text *o, const char *name, const struct sched_stats *s)
{
	proc_printf(o, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", name,
		    (unsigned long)ns_to_ticks(s->user_ns),
		    (unsigned long)ns_to_ticks(s->sys_ns),
		    (unsigned long)ns_to_ticks(s->idle_ns));
}

static int show_stat(struct proc_text *o, void *arg)
{
	struct sched_stats sum = { 0 }, one[CPU_MAX];
	struct task_counts n;
	char name[8];

	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		sched_cpu_stats(cpu, &one[cpu]);
		sum.user_ns += one[cpu].user_ns;
		sum.sys_ns += one[cpu].sys_ns;
		sum.idle_ns += one[cpu].idle_ns;
		for (uint32_t line = 0; line < IRQ_LINES; line++)
			sum.irq_count += irq_count(line, cpu);
		sum.switches += one[cpu].switches;
	}
	print_cpu(o, "cpu ", &sum);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		fmt_to(name, sizeof name, "cpu%u", cpu);
		print_cpu(o, name, &one[cpu]);
	}
	task_counts_get(&n);
	proc_printf(o,
		    "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %u\n"
		    "procs_blocked 0\nsoftirq 0\n",
		    (unsigned long)sum.irq_count, (unsigned long)sum.switches,
		    (unsigned long)(clock_real_offset() / NSEC_PER_SEC),
		    (unsigned long)n.forks, sched_running());
	return 0;
}

static int show_version(struct proc_text *o, void *arg)
{
	struct new_utsname u;

	uts_get(&u);
	proc_printf(o, "%s version %s (mayfly) %s\n", u.sysname, u.release, u.version);
	return 0;
}

static int64_t link_self(char *buf, size_t n)
{
	return MIN(fmt_to(buf, n, "%d", process_current()->pid), n);
}

static int64_t link_thread_self(char *buf, size_t n)
{
	return MIN(
		fmt_to(buf, n, "%d/task/%d", process_current()->pid, task_current()->tid),
		n);
}

/* For the report. Peak: of what the job and the page cache could not do without at
 * once. */
static int show_memory(struct proc_text *o, void *arg)
{
	struct page_stats s;

	page_stats_get(&s);
	proc_printf(o, "peak_bytes %lu\noom_kills %lu\n",
		    (unsigned long)(s.peak * PAGE_SIZE), (unsigned long)oom_kill_count());
	return 0;
}

/* For the report: "name value", about what was booted and on what. */
static int show_boot(struct proc_text *o, void *arg)
{
	struct new_utsname u;

	uts_get(&u);
	proc_printf(o, "release %s\ncpu %s\nentropy %s\n", u.release,
		    arch_cpu_info()->brand,
		    arch_boot_info()->seed_is_hardware ? "hardware" : "jitter");
	return 0;
}

void procfs_global_fill(void)
{
	static const struct {
		const char *path;
		proc_show_fn show;
	} files[] = {
		{ "loadavg", show_loadavg },  { "stat", show_stat },
		{ "version", show_version },  { "mayfly/memory", show_memory },
		{ "mayfly/boot", show_boot },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		proc_made(proc_file(files[i].path, 0444, files[i].show, NULL, NULL));
	proc_made(proc_symlink_made("self", link_self));
	proc_made(proc_symlink_made("thread-self", link_thread_self));
}
