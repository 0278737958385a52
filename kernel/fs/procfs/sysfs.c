/*
 * sysfs: what programs look for below /sys. It is a tree of registered files like
 * /proc's, filled when somebody first looks.
 *
 * What Mayfly does not have is not there (power, cpufreq, firmware tables), or is an
 * empty folder where programs expect a mount point or a list: fs/cgroup, module,
 * class/net.
 */
#include "fs/procfs/sysfs.h"

#include "core/panic.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define SYSFS_PATH_MAX 160

/* "sysfs:" and the path, in memory that stays; NULL: none. */
static char *path_of(const char *fmt, va_list ap)
{
	char text[SYSFS_PATH_MAX] = "sysfs:";
	size_t n = strlen(text);

	n += fmt_va(text + n, sizeof text - n, fmt, ap);
	insist(n < sizeof text);
	return heap_strdup(text, n);
}

static void registered(char *path, int err)
{
	insist(!err || err == -ENOMEM);
	if (err)
		heap_free(path);
}

static int show_text(struct proc_text *t, void *arg)
{
	proc_printf(t, "%s\n", (const char *)arg);
	return 0;
}

static int show_number(struct proc_text *t, void *arg)
{
	proc_printf(t, "%lu\n", (unsigned long)(uintptr_t)arg);
	return 0;
}

static void file_add(char *path, proc_show_fn show, const void *arg)
{
	if (path)
		registered(path, proc_file(path, 0444, show, NULL, (void *)arg));
}

void sysfs_file(proc_show_fn show, const void *arg, const char *path, ...)
{
	va_list ap;

	va_start(ap, path);
	file_add(path_of(path, ap), show, arg);
	va_end(ap);
}

void sysfs_text(const char *text, const char *path, ...)
{
	va_list ap;

	va_start(ap, path);
	file_add(path_of(path, ap), show_text, text);
	va_end(ap);
}

void sysfs_number(uint64_t n, const char *path, ...)
{
	va_list ap;

	va_start(ap, path);
	file_add(path_of(path, ap), show_number, (void *)(uintptr_t)n);
	va_end(ap);
}

void sysfs_link(const char *target, const char *path, ...)
{
	va_list ap;
	char *text;

	va_start(ap, path);
	text = path_of(path, ap);
	va_end(ap);
	if (text)
		registered(text, target ? proc_symlink(text, target) : -ENOMEM);
}

void sysfs_folder(const char *path)
{
	int err = proc_folder(path);

	insist(!err || err == -ENOMEM);
}

/* ---- what is no device ---- */

static void fill_kernel(void)
{
	static const struct {
		const char *path, *text;
	} texts[] = {
		{ "kernel/fscaps", "1" },
		{ "kernel/kexec_crash_loaded", "0" },
		{ "kernel/kexec_loaded", "0" },
		{ "kernel/profiling", "0" },
		{ "kernel/uevent_seqnum", "0" },
		{ "kernel/mm/transparent_hugepage/enabled", "always madvise [never]" },
		{ "kernel/mm/transparent_hugepage/defrag",
		  "always defer defer+madvise madvise [never]" },
		{ "kernel/mm/transparent_hugepage/shmem_enabled",
		  "always within_size advise [never] deny force" },
		{ "kernel/mm/transparent_hugepage/use_zero_page", "0" },
		{ "kernel/mm/transparent_hugepage/hpage_pmd_size", "2097152" },
		{ "devices/system/clocksource/clocksource0/available_clocksource",
		  "tsc " },
		{ "devices/system/clocksource/clocksource0/current_clocksource", "tsc" },
	};
	static const char *const pages[] = {
		"nr_hugepages",	  "nr_hugepages_mempolicy", "nr_overcommit_hugepages",
		"free_hugepages", "resv_hugepages",	    "surplus_hugepages"
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		sysfs_text(texts[i].text, "%s", texts[i].path);
	for (size_t i = 0; i < ARRAY_LEN(pages); i++)
		sysfs_number(0, "kernel/mm/hugepages/hugepages-2048kB/%s", pages[i]);
}

static void fill(void)
{
	static const char *const folders[] = {
		"sysfs:block",		"sysfs:bus",
		"sysfs:class/net",	"sysfs:dev/block",
		"sysfs:dev/char",	"sysfs:firmware",
		"sysfs:fs/cgroup",	"sysfs:kernel/config",
		"sysfs:kernel/debug",	"sysfs:kernel/security",
		"sysfs:kernel/tracing", "sysfs:module",
	};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		sysfs_folder(folders[i]);
	fill_kernel();
	sysfs_fill_cpus();
	sysfs_fill_devices();
}

void sysfs_init(void)
{
	static struct proc_filler filler = { .fill = fill };

	insist(!proc_fill_later("sysfs:", &filler));
}
