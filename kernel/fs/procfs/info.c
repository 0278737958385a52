/* procfs: Mayfly's own files, for the report. */
#include "core/log.h"
#include "fs/procfs/procfs_internal.h"
#include "lib/clock_scale.h"

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

void procfs_info_fill(void)
{
	proc_made(proc_file("mayfly/timeline", 0444, show_timeline, NULL, NULL));
	proc_made(proc_file("mayfly/leaks", 0400, show_leaks, NULL, NULL));
}
