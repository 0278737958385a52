/* /proc/mayfly/refused: calls that were made and have no handler, for the report. */
#include "core/panic.h"
#include "fs/procfs/procfs.h"
#include "sys/dispatch.h"
#include "sys/io_procfs.h"

static int show_refused(struct proc_text *t, void *arg)
{
	uint64_t count;
	const char *name;

	for (uint32_t i = 0; syscall_refused_get(i, &name, &count); i++)
		if (count)
			proc_printf(t, "%s %lu\n", name, (unsigned long)count);
	return 0;
}

static void fill(void)
{
	proc_made(proc_file("mayfly/refused", 0444, show_refused, NULL, NULL));
}

void io_procfs_init(void)
{
	static struct proc_filler filler = { .fill = fill };

	insist(!proc_fill_later("", &filler));
}
