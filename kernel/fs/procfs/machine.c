/* procfs: the machine as proc(5) has it: CPUs, interrupts, devices. */
#include "core/sched.h"
#include "core/timer.h"
#include "dev/blk.h"
#include "fs/chrdev.h"
#include "fs/procfs/procfs_internal.h"
#include "lib/string.h"

#define MEM_MAJOR 1

/* ---- CPUs ---- */

static uint32_t last_cache_kib(const struct arch_cpu_info *c)
{
	uint32_t size = 0;

	for (size_t i = 0; i < ARRAY_LEN(c->caches) && c->caches[i].level; i++)
		size = c->caches[i].size / 1024;
	return size;
}

static void print_cpu(struct proc_text *t, const struct arch_cpu_info *c, uint32_t n)
{
	uint32_t all = cpu_count(), apic = cpu_of(n)->apic_id;

	proc_printf(t,
		    "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\n"
		    "model\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n"
		    "cpu MHz\t\t: %u.%03u\ncache size\t: %u KB\n",
		    n, c->vendor, c->family, c->model, c->brand, c->stepping,
		    c->khz / 1000, c->khz % 1000, last_cache_kib(c));
	proc_printf(t,
		    "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\n"
		    "cpu cores\t: %u\napicid\t\t: %u\ninitial apicid\t: %u\n"
		    "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\n"
		    "wp\t\t: yes\nflags\t\t: %s\nbugs\t\t:\n",
		    all, n, all, apic, apic, c->level, c->flags);
	/* Twice the clock: what Linux makes of a known TSC. */
	proc_printf(t,
		    "bogomips\t: %u.%02u\nclflush size\t: %u\ncache_alignment\t: %u\n"
		    "address sizes\t: %u bits physical, %u bits virtual\n"
		    "power management:\n\n",
		    c->khz / 500, c->khz / 5 % 100, c->clflush, c->clflush, c->phys_bits,
		    c->virt_bits);
}

static int show_cpuinfo(struct proc_text *t, void *arg)
{
	for (uint32_t n = 0; n < cpu_count(); n++)
		print_cpu(t, arch_cpu_info(), n);
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

/* ---- interrupts ---- */

static void print_cpu_heads(struct proc_text *t, int indent)
{
	proc_printf(t, "%*s", indent, "");
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		proc_printf(t, "CPU%-8u", cpu);
	proc_printf(t, "\n");
}

static void print_line(struct proc_text *t, uint32_t line)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		sum += irq_count(line, cpu);
	if (!sum)
		return;
	proc_printf(t, "%3u: ", line);
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		proc_printf(t, "%10lu ", (unsigned long)irq_count(line, cpu));
	proc_printf(t, " IO-APIC %3u-fasteoi\n", line);
}

static int show_interrupts(struct proc_text *t, void *arg)
{
	static const struct {
		const char *name, *what;
	} own[IRQ_OWN_N] = {
		[IRQ_OWN_TIMER] = { "LOC", "Local timer interrupts" },
		[IRQ_OWN_RESCHED] = { "RES", "Rescheduling interrupts" },
		[IRQ_OWN_CALL] = { "CAL", "Function call interrupts" },
		[IRQ_OWN_SPURIOUS] = { "SPU", "Spurious interrupts" },
	};

	print_cpu_heads(t, 11);
	for (uint32_t line = 0; line < irq_lines(); line++)
		print_line(t, line);
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		proc_printf(t, "%3s: ", own[i].name);
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			proc_printf(t, "%10lu ", (unsigned long)irq_own_count(i, cpu));
		proc_printf(t, "  %s\n", own[i].what);
	}
	proc_printf(t, "ERR: %10u\nMIS: %10u\n", 0u, 0u);
	return 0;
}

/* There is no work that interrupts put off, but for what a timer's tick does. */
static int show_softirqs(struct proc_text *t, void *arg)
{
	static const char *const names[] = { "HI",	"TIMER",    "NET_TX",  "NET_RX",
					     "BLOCK",	"IRQ_POLL", "TASKLET", "SCHED",
					     "HRTIMER", "RCU" };

	print_cpu_heads(t, 20);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		bool timer = !strcmp(names[i], "TIMER");

		proc_printf(t, "%12s:", names[i]);
		for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
			proc_printf(
				t, " %10lu",
				timer ? (unsigned long)irq_own_count(IRQ_OWN_TIMER, cpu)
				      : 0ul);
		proc_printf(t, "\n");
	}
	return 0;
}

/* ---- devices ---- */

static int show_partitions(struct proc_text *t, void *arg)
{
	struct blk_device *d;

	proc_printf(t, "major minor  #blocks  name\n\n");
	for (size_t i = 0; (d = blk_nth(i)); i++)
		proc_printf(t, "%4u  %7zu %10lu %s\n", BLK_MAJOR, i * BLK_MINORS,
			    (unsigned long)(d->sectors / 2), d->name);
	return 0;
}

void proc_print_blk_stats(struct proc_text *t, const struct blk_device *d)
{
	unsigned long ms[2] = { d->stats[0].busy_ns / NSEC_PER_MSEC,
				d->stats[1].busy_ns / NSEC_PER_MSEC };

	proc_printf(t, "%lu 0 %lu %lu %lu 0 %lu %lu %u %lu %lu 0 0 0 0 0 0\n",
		    (unsigned long)d->stats[0].requests,
		    (unsigned long)d->stats[0].sectors, ms[0],
		    (unsigned long)d->stats[1].requests,
		    (unsigned long)d->stats[1].sectors, ms[1], (unsigned)d->in_flight,
		    ms[0] + ms[1], ms[0] + ms[1]);
}

static int show_diskstats(struct proc_text *t, void *arg)
{
	struct blk_device *d;

	for (size_t i = 0; (d = blk_nth(i)); i++) {
		proc_printf(t, "%4u %7zu %s ", BLK_MAJOR, i * BLK_MINORS, d->name);
		proc_print_blk_stats(t, d);
	}
	return 0;
}

/* The drivers of one major; those of the memory devices go by one name. */
static void print_major(struct proc_text *t, uint32_t major)
{
	const char *name;
	uint32_t m;

	if (major == MEM_MAJOR) {
		proc_printf(t, "%3u mem\n", major);
		return;
	}
	for (size_t i = 0; chrdev_nth(i, &m, &name); i++)
		if (m == major)
			proc_printf(t, "%3u %s\n", m, name);
}

/* In the order of their numbers. */
static int show_devices(struct proc_text *t, void *arg)
{
	const char *name;
	uint32_t m, next;

	proc_printf(t, "Character devices:\n");
	for (uint32_t major = 0;; major = next + 1) {
		next = UINT32_MAX;
		for (size_t i = 0; chrdev_nth(i, &m, &name); i++)
			if (m >= major)
				next = MIN(next, m);
		if (next == UINT32_MAX)
			break;
		print_major(t, next);
	}
	proc_printf(t, "\nBlock devices:\n");
	if (blk_nth(0))
		proc_printf(t, "%3u virtblk\n", BLK_MAJOR);
	return 0;
}

static int show_tty_drivers(struct proc_text *t, void *arg)
{
	static const struct {
		const char *name, *node;
		uint32_t major;
		const char *minors, *type;
	} rows[] = {
		{ "/dev/tty", "/dev/tty", 5, "0", "system:/dev/tty" },
		{ "/dev/console", "/dev/console", 5, "1", "system:console" },
		{ "/dev/ptmx", "/dev/ptmx", 5, "2", "system" },
		{ "serial", "/dev/ttyS", 4, "64", "serial" },
		{ "pty_slave", "/dev/pts", 136, "0-1048575", "pty:slave" },
		{ "pty_master", "/dev/ptm", 128, "0-1048575", "pty:master" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		proc_printf(t, "%-20s %-8s %3u %7s %s\n", rows[i].name, rows[i].node,
			    rows[i].major, rows[i].minors, rows[i].type);
	return 0;
}

/* ---- what is always the same ---- */

static int show_constant(struct proc_text *t, void *arg)
{
	proc_printf(t, "%s", (const char *)arg);
	return 0;
}

static int show_cmdline(struct proc_text *t, void *arg)
{
	const char *line = arch_cmdline();

	while (*line == ' ')
		line++;
	proc_printf(t, "%s\n", line);
	return 0;
}

/* Nobody but its host has a say over this machine. */
static int refuse(char *text, size_t n, void *arg)
{
	return -EPERM;
}

void procfs_machine_fill(void)
{
	static const struct {
		const char *path;
		uint32_t mode;
		proc_show_fn show;
		proc_store_fn store;
		const char *text;
	} files[] = {
		{ "cpuinfo", 0444, show_cpuinfo, NULL, NULL },
		{ "interrupts", 0444, show_interrupts, NULL, NULL },
		{ "softirqs", 0444, show_softirqs, NULL, NULL },
		{ "uptime", 0444, show_uptime, NULL, NULL },
		{ "cmdline", 0444, show_cmdline, NULL, NULL },
		{ "partitions", 0444, show_partitions, NULL, NULL },
		{ "diskstats", 0444, show_diskstats, NULL, NULL },
		{ "devices", 0444, show_devices, NULL, NULL },
		{ "tty/drivers", 0444, show_tty_drivers, NULL, NULL },
		{ "tty/ldiscs", 0444, show_constant, NULL, "n_tty       0\n" },
		{ "consoles", 0444, show_constant, NULL,
		  "ttyS0                -W- (EC  p a)    4:64\n" },
		{ "execdomains", 0444, show_constant, NULL,
		  "0-0\tLinux           \t[kernel]\n" },
		{ "swaps", 0444, show_constant, NULL,
		  "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n" },
		{ "modules", 0444, show_constant, NULL, "" },
		{ "misc", 0444, show_constant, NULL, "" },
		{ "sysrq-trigger", 0200, NULL, refuse, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		proc_made(proc_file(files[i].path, files[i].mode, files[i].show,
				    files[i].store, (void *)files[i].text));
}
