/* sysfs: processors, their caches, and the one memory node. */
#include "core/sched.h"
#include "fs/procfs/sysfs.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define CPU "devices/system/cpu"
#define NODE "devices/system/node"

/* ---- sets of CPUs ---- */

static cpumask_t all_cpus(void)
{
	return (cpumask_t)(BIT(cpu_count()) - 1);
}

/* As many digits as there are CPUs for. */
void proc_print_mask(struct proc_text *t, cpumask_t mask)
{
	proc_printf(t, "%0*x", (int)(cpu_count() + 3) / 4, mask);
}

void proc_print_cpu_list(struct proc_text *t, cpumask_t mask)
{
	const char *comma = "";

	for (uint32_t n = 0; n < CPU_MAX; n++) {
		uint32_t first = n;

		if (!(mask & BIT(n)))
			continue;
		while (n + 1 < CPU_MAX && (mask & BIT(n + 1)))
			n++;
		proc_printf(t, first == n ? "%s%u" : "%s%u-%u", comma, first, n);
		comma = ",";
	}
}

/* `arg`: the mask; 0: all. */
static int show_mask(struct proc_text *t, void *arg)
{
	cpumask_t mask = (cpumask_t)(uintptr_t)arg;

	proc_print_mask(t, mask ? mask : all_cpus());
	proc_printf(t, "\n");
	return 0;
}

static int show_list(struct proc_text *t, void *arg)
{
	cpumask_t mask = (cpumask_t)(uintptr_t)arg;

	proc_print_cpu_list(t, mask ? mask : all_cpus());
	proc_printf(t, "\n");
	return 0;
}

/* ---- processors ---- */

/* Every processor is a core of its own, in one package. */
static void fill_topology(uint32_t n)
{
	static const char *const alone[] = { "core_cpus", "thread_siblings" };
	static const char *const together[] = { "core_siblings", "package_cpus",
						"die_cpus" };
	const void *own = (void *)(uintptr_t)BIT(n);

	sysfs_number(n, CPU "/cpu%u/topology/core_id", n);
	sysfs_number(0, CPU "/cpu%u/topology/die_id", n);
	sysfs_number(0, CPU "/cpu%u/topology/physical_package_id", n);
	for (size_t i = 0; i < ARRAY_LEN(alone); i++) {
		sysfs_file(show_mask, own, CPU "/cpu%u/topology/%s", n, alone[i]);
		sysfs_file(show_list, own, CPU "/cpu%u/topology/%s_list", n, alone[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(together); i++) {
		sysfs_file(show_mask, NULL, CPU "/cpu%u/topology/%s", n, together[i]);
		sysfs_file(show_list, NULL, CPU "/cpu%u/topology/%s_list", n,
			   together[i]);
	}
}

static int show_cache_size(struct proc_text *t, void *arg)
{
	proc_printf(t, "%uK\n", ((const struct arch_cache *)arg)->size / 1024);
	return 0;
}

/* The third level is the package's, those below a core's. */
static void fill_cache(uint32_t n, uint32_t i, const struct arch_cache *c)
{
	const void *sharers = c->level > 2 ? NULL : (void *)(uintptr_t)BIT(n);
	const struct {
		const char *name;
		uint32_t n;
	} numbers[] = {
		{ "coherency_line_size", c->line },
		{ "id", c->level > 2 ? 0 : n },
		{ "level", c->level },
		{ "number_of_sets", c->sets },
		{ "physical_line_partition", 1 },
		{ "ways_of_associativity", c->ways },
	};

	for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
		sysfs_number(numbers[k].n, CPU "/cpu%u/cache/index%u/%s", n, i,
			     numbers[k].name);
	sysfs_text(c->type, CPU "/cpu%u/cache/index%u/type", n, i);
	sysfs_file(show_cache_size, c, CPU "/cpu%u/cache/index%u/size", n, i);
	sysfs_file(show_mask, sharers, CPU "/cpu%u/cache/index%u/shared_cpu_map", n, i);
	sysfs_file(show_list, sharers, CPU "/cpu%u/cache/index%u/shared_cpu_list", n, i);
}

static void fill_cpu(uint32_t n)
{
	const struct arch_cpu_info *c = arch_cpu_info();

	if (n)
		sysfs_number(1, CPU "/cpu%u/online", n);
	sysfs_text("DRIVER=processor", CPU "/cpu%u/uevent", n);
	sysfs_link("../../../../bus/cpu", CPU "/cpu%u/subsystem", n);
	sysfs_link("../../node/node0", CPU "/cpu%u/node0", n);
	fill_topology(n);
	for (uint32_t i = 0; i < ARRAY_LEN(c->caches) && c->caches[i].level; i++)
		fill_cache(n, i, &c->caches[i]);
}

static void fill_processors(void)
{
	static const char *const holes[] = { "gather_data_sampling",
					     "itlb_multihit",
					     "l1tf",
					     "mds",
					     "meltdown",
					     "mmio_stale_data",
					     "reg_file_data_sampling",
					     "retbleed",
					     "spec_rstack_overflow",
					     "spec_store_bypass",
					     "spectre_v1",
					     "spectre_v2",
					     "srbds",
					     "tsx_async_abort" };

	sysfs_file(show_list, NULL, CPU "/online");
	sysfs_file(show_list, NULL, CPU "/possible");
	sysfs_file(show_list, NULL, CPU "/present");
	sysfs_text("", CPU "/offline");
	sysfs_text("", CPU "/isolated");
	sysfs_number(CPU_MAX - 1, CPU "/kernel_max");
	sysfs_number(0, CPU "/smt/active");
	sysfs_text("notsupported", CPU "/smt/control");
	sysfs_folder("sysfs:bus/cpu");
	for (uint32_t n = 0; n < cpu_count(); n++)
		fill_cpu(n);
	/* The kernel cannot know: the processor may be an emulator's. */
	for (size_t i = 0; i < ARRAY_LEN(holes); i++)
		sysfs_text("Unknown: Dependent on hypervisor status",
			   CPU "/vulnerabilities/%s", holes[i]);
}

/* ---- the node ---- */

static int show_node_meminfo(struct proc_text *t, void *arg)
{
	struct page_stats s;

	page_stats_get(&s);
	const struct {
		const char *name;
		uint64_t pages;
	} rows[] = {
		{ "MemTotal:", s.total },
		{ "MemFree:", s.free },
		{ "MemUsed:", s.total - s.free },
		{ "FilePages:", s.cached },
		{ "Mapped:", s.mapped },
		{ "AnonPages:", s.anon },
		{ "Shmem:", s.shmem },
		{ "KernelStack:", s.kstacks },
		{ "PageTables:", s.page_tables },
		{ "Slab:", s.slab },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		proc_printf(t, "Node 0 %-15s %8lu kB\n", rows[i].name,
			    (unsigned long)(rows[i].pages * (PAGE_SIZE / 1024)));
	return 0;
}

static void fill_node(void)
{
	static const char *const of_all[] = { "has_cpu", "has_memory",
					      "has_normal_memory", "online", "possible" };

	for (size_t i = 0; i < ARRAY_LEN(of_all); i++)
		sysfs_number(0, NODE "/%s", of_all[i]);
	sysfs_file(show_mask, NULL, NODE "/node0/cpumap");
	sysfs_file(show_list, NULL, NODE "/node0/cpulist");
	sysfs_number(10, NODE "/node0/distance");
	sysfs_file(show_node_meminfo, NULL, NODE "/node0/meminfo");
	for (uint32_t n = 0; n < cpu_count(); n++) {
		char target[32];
		size_t len = fmt_to(target, sizeof target, "../../cpu/cpu%u", n);

		sysfs_link(heap_strdup(target, len), NODE "/node0/cpu%u", n);
	}
}

void sysfs_fill_cpus(void)
{
	fill_processors();
	fill_node();
}
