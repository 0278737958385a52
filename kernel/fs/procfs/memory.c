/* procfs: memory as proc(5) has it: meminfo, vmstat, zoneinfo, buddyinfo, slabinfo. There
 * is one node with one zone. */
#include "dev/blk.h"
#include "fs/procfs/procfs_internal.h"
#include "lib/string.h"

#define KIB_PER_PAGE (PAGE_SIZE / 1024)
/* What is told of the address space that Linux calls vmalloc's. */
#define VMALLOC_KIB 34359738367ul

struct memory {
	struct page_stats s;
	uint64_t buffers;     /* pages cached of block devices themselves */
	uint64_t reclaimable; /* of slabs whose objects can go */
};

static void memory_get(struct memory *m)
{
	struct blk_device *d;
	struct slab_info k;

	*m = (struct memory){ 0 };
	page_stats_get(&m->s);
	for (size_t i = 0; (d = blk_nth(i)); i++)
		m->buffers += d->cache.n_pages;
	for (size_t i = 0; slab_info_get(i, &k); i++)
		if (!strcmp(k.name, "dentry") || !strcmp(k.name, "inode"))
			m->reclaimable += k.pages;
	m->buffers = MIN(m->buffers, m->s.cached - MIN(m->s.shmem, m->s.cached));
	m->reclaimable = MIN(m->reclaimable, m->s.slab);
}

/* Cached pages of files on a disk, and of devices. */
static uint64_t file_pages(const struct memory *m)
{
	return m->s.cached - MIN(m->s.shmem, m->s.cached);
}

static uint64_t available(const struct memory *m)
{
	uint64_t free = m->s.free - MIN(page_reserve(), m->s.free);

	return MIN(free + m->s.reclaimable, m->s.total);
}

static void print_huge_pages(struct proc_text *t)
{
	proc_printf(t, "HugePages_Total:       0\nHugePages_Free:        0\n"
		       "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
		       "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
}

/* Numbers end in one column: a long name takes of their room. */
static int show_meminfo(struct proc_text *t, void *arg)
{
	struct memory m;

	memory_get(&m);
	const struct {
		const char *name;
		uint64_t kib;
	} rows[] = {
#define PAGES(n) ((n)*KIB_PER_PAGE)
		{ "MemTotal:", PAGES(m.s.total) },
		{ "MemFree:", PAGES(m.s.free) },
		{ "MemAvailable:", PAGES(available(&m)) },
		{ "Buffers:", PAGES(m.buffers) },
		{ "Cached:", PAGES(m.s.cached - m.buffers) },
		{ "SwapCached:", 0 },
		{ "Active:", PAGES(m.s.anon) },
		{ "Inactive:", PAGES(m.s.cached) },
		{ "Active(anon):", PAGES(m.s.anon) },
		{ "Inactive(anon):", PAGES(m.s.shmem) },
		{ "Active(file):", 0 },
		{ "Inactive(file):", PAGES(file_pages(&m)) },
		{ "Unevictable:", 0 },
		{ "Mlocked:", 0 },
		{ "SwapTotal:", 0 },
		{ "SwapFree:", 0 },
		{ "Dirty:", 0 },
		{ "Writeback:", 0 },
		{ "AnonPages:", PAGES(m.s.anon) },
		{ "Mapped:", PAGES(m.s.mapped) },
		{ "Shmem:", PAGES(m.s.shmem) },
		{ "KReclaimable:", PAGES(m.reclaimable) },
		{ "Slab:", PAGES(m.s.slab) },
		{ "SReclaimable:", PAGES(m.reclaimable) },
		{ "SUnreclaim:", PAGES(m.s.slab - m.reclaimable) },
		{ "KernelStack:", PAGES(m.s.kstacks) },
		{ "PageTables:", PAGES(m.s.page_tables) },
		{ "NFS_Unstable:", 0 },
		{ "Bounce:", 0 },
		{ "WritebackTmp:", 0 },
		{ "CommitLimit:", PAGES(m.s.total) },
		{ "Committed_AS:", PAGES(m.s.anon + m.s.shmem) },
		{ "VmallocTotal:", VMALLOC_KIB },
		{ "VmallocUsed:", PAGES(m.s.kstacks) },
		{ "VmallocChunk:", 0 },
		{ "Percpu:", 0 },
		{ "HardwareCorrupted:", 0 },
		{ "AnonHugePages:", 0 },
		{ "ShmemHugePages:", 0 },
		{ "ShmemPmdMapped:", 0 },
		{ "FileHugePages:", 0 },
		{ "FilePmdMapped:", 0 },
#undef PAGES
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		proc_printf(t, "%-15s %*lu kB\n", rows[i].name,
			    (int)(8 - MAX(strlen(rows[i].name), 15ul) + 15),
			    (unsigned long)rows[i].kib);
	print_huge_pages(t);
	proc_printf(t, "DirectMap4k:    %8lu kB\n",
		    (unsigned long)(m.s.total * KIB_PER_PAGE));
	return 0;
}

static void print_counts(struct proc_text *t, const char *indent, const struct memory *m)
{
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
		{ "nr_free_pages", m->s.free },
		{ "nr_zone_inactive_anon", m->s.shmem },
		{ "nr_zone_active_anon", m->s.anon },
		{ "nr_zone_inactive_file", file_pages(m) },
		{ "nr_zone_active_file", 0 },
		{ "nr_zone_unevictable", 0 },
		{ "nr_zone_write_pending", 0 },
		{ "nr_mlock", 0 },
		{ "nr_bounce", 0 },
		{ "nr_inactive_anon", m->s.shmem },
		{ "nr_active_anon", m->s.anon },
		{ "nr_inactive_file", file_pages(m) },
		{ "nr_active_file", 0 },
		{ "nr_unevictable", 0 },
		{ "nr_slab_reclaimable", m->reclaimable },
		{ "nr_slab_unreclaimable", m->s.slab - m->reclaimable },
		{ "nr_anon_pages", m->s.anon },
		{ "nr_mapped", m->s.mapped },
		{ "nr_file_pages", m->s.cached },
		{ "nr_dirty", 0 },
		{ "nr_writeback", 0 },
		{ "nr_shmem", m->s.shmem },
		{ "nr_shmem_hugepages", 0 },
		{ "nr_anon_transparent_hugepages", 0 },
		{ "nr_kernel_stack", m->s.kstacks * KIB_PER_PAGE },
		{ "nr_page_table_pages", m->s.page_tables },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		proc_printf(t, *indent ? "%s%-12s %lu\n" : "%s%s %lu\n", indent,
			    rows[i].name, (unsigned long)rows[i].n);
}

static int show_vmstat(struct proc_text *t, void *arg)
{
	struct blk_device *d;
	uint64_t in = 0, out = 0;
	struct memory m;

	memory_get(&m);
	for (size_t i = 0; (d = blk_nth(i)); i++) {
		in += d->stats[0].sectors / 2;
		out += d->stats[1].sectors / 2;
	}
	print_counts(t, "", &m);
	proc_printf(t,
		    "pgpgin %lu\npgpgout %lu\npswpin 0\npswpout 0\npgfault %lu\n"
		    "pgmajfault %lu\n",
		    (unsigned long)in, (unsigned long)out, (unsigned long)m.s.min_flt,
		    (unsigned long)m.s.maj_flt);
	return 0;
}

static int show_zoneinfo(struct proc_text *t, void *arg)
{
	unsigned long low = page_reserve(), total;
	struct memory m;

	memory_get(&m);
	total = m.s.total;
	proc_printf(t, "Node 0, zone   Normal\n  per-node stats\n");
	print_counts(t, "      ", &m);
	proc_printf(t,
		    "  pages free     %lu\n        boost    0\n        min      %lu\n"
		    "        low      %lu\n        high     %lu\n        spanned  %lu\n"
		    "        present  %lu\n        managed  %lu\n        cma      0\n"
		    "        protection: (0)\n",
		    (unsigned long)m.s.free, low / 2, low, low, total, total, total);
	return 0;
}

static int show_buddyinfo(struct proc_text *t, void *arg)
{
	uint64_t n[PAGE_ORDER_MAX + 1];

	page_blocks_get(n);
	proc_printf(t, "Node 0, zone   Normal ");
	for (size_t i = 0; i < ARRAY_LEN(n); i++)
		proc_printf(t, "%6lu ", (unsigned long)n[i]);
	proc_printf(t, "\n");
	return 0;
}

static int show_slabinfo(struct proc_text *t, void *arg)
{
	struct slab_info s;

	proc_printf(t, "slabinfo - version: 2.1\n"
		       "# name            <active_objs> <num_objs> <objsize> "
		       "<objperslab> <pagesperslab> : tunables <limit> <batchcount> "
		       "<sharedfactor> : slabdata <active_slabs> <num_slabs> "
		       "<sharedavail>\n");
	for (size_t i = 0; slab_info_get(i, &s); i++)
		proc_printf(t,
			    "%-17s %6zu %6zu %6zu %4zu %4zu : tunables %4u %4u %4u "
			    ": slabdata %6zu %6zu %6u\n",
			    s.name, s.in_use, s.objects, s.size, s.per_slab,
			    s.pages_per_slab, 0u, 0u, 0u, s.slabs, s.slabs, 0u);
	return 0;
}

void procfs_memory_fill(void)
{
	static const struct {
		const char *path;
		uint32_t mode;
		proc_show_fn show;
	} files[] = {
		{ "meminfo", 0444, show_meminfo },
		{ "vmstat", 0444, show_vmstat },
		{ "zoneinfo", 0444, show_zoneinfo },
		{ "buddyinfo", 0444, show_buddyinfo },
		{ "slabinfo", 0400, show_slabinfo },
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		proc_made(proc_file(files[i].path, files[i].mode, files[i].show, NULL,
				    NULL));
}
