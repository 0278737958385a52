/* /proc/sys: what programs look up there, and the few things that can be set. */
#include <linux/capability.h>

#include "core/panic.h"
#include "fs/aio.h"
#include "fs/lease.h"
#include "lib/string.h"
#include "mm/space.h"
#include "proc/boot_id.h"
#include "proc/proc.h"
#include "proc/procfs.h"
#include "proc/uts.h"

/* ---- names ---- */

enum uts_field { UTS_SYSNAME, UTS_NODENAME, UTS_RELEASE, UTS_VERSION, UTS_DOMAINNAME };

static int show_uts(struct proc_text *o, void *arg)
{
	struct new_utsname u;
	const char *const text[] = { u.sysname, u.nodename, u.release, u.version,
				     u.domainname };

	uts_get(&u);
	proc_printf(o, "%s\n", text[(uintptr_t)arg]);
	return 0;
}

static int store_uts(char *text, size_t n, void *arg)
{
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
		return -EPERM;
	if (n && text[n - 1] == '\n')
		n--;
	return (uintptr_t)arg == UTS_NODENAME ? uts_set_nodename(text, n)
					      : uts_set_domainname(text, n);
}

/* ---- random ---- */

static void print_uuid(struct proc_text *o, const uint8_t b[BOOT_ID_SIZE])
{
	for (size_t i = 0; i < BOOT_ID_SIZE; i++)
		proc_printf(o, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			    b[i]);
	proc_printf(o, "\n");
}

static int show_boot_id(struct proc_text *o, void *arg)
{
	print_uuid(o, boot_id_get());
	return 0;
}

static int show_uuid(struct proc_text *o, void *arg)
{
	uint8_t b[BOOT_ID_SIZE];

	uuid_make(b);
	print_uuid(o, b);
	return 0;
}

/* ---- numbers ---- */

static int show_number(struct proc_text *o, void *arg)
{
	proc_printf(o, "%lu\n", (unsigned long)(uintptr_t)arg);
	return 0;
}

static int show_pid_max(struct proc_text *o, void *arg)
{
	proc_printf(o, "%d\n", pid_limit());
	return 0;
}

static int show_threads_max(struct proc_text *o, void *arg)
{
	proc_printf(o, "%u\n", task_limit());
	return 0;
}

/* How many objects of a slab there are; 0: no such slab. */
static size_t objects_in_use(const char *slab)
{
	struct slab_info s;

	for (size_t i = 0; slab_info_get(i, &s); i++)
		if (!strcmp(s.name, slab))
			return s.in_use;
	return 0;
}

static int show_file_nr(struct proc_text *o, void *arg)
{
	proc_printf(o, "%zu\t0\t%lu\n", objects_in_use("file"), (unsigned long)INT64_MAX);
	return 0;
}

/* Inodes, and those of them that nobody uses: these go at once. `arg`: the zeroes that
 * follow. */
static int show_inodes(struct proc_text *o, void *arg)
{
	proc_printf(o, "%zu\t0%s\n", objects_in_use("inode"), (const char *)arg);
	return 0;
}

static int show_min_free(struct proc_text *o, void *arg)
{
	proc_printf(o, "%lu\n", (unsigned long)(page_reserve() * (PAGE_SIZE / 1024)));
	return 0;
}

/* Whatever can be read again goes, whichever kind was asked for. */
static int store_drop_caches(char *text, size_t n, void *arg)
{
	uint64_t v;
	int err = proc_parse_u64(text, &v);

	if (err || v < 1 || v > 4)
		return -EINVAL;
	(void)page_reclaim(page_map.n, RECLAIM_ASKED);
	return 0;
}

/* `arg`: an _Atomic uint32_t of the kernel's. */
static int show_knob(struct proc_text *o, void *arg)
{
	proc_printf(o, "%u\n", *(const _Atomic uint32_t *)arg);
	return 0;
}

static int store_knob(char *text, size_t n, void *arg)
{
	uint64_t v;
	int err = proc_parse_u64(text, &v);

	if (err || v > INT32_MAX)
		return -EINVAL;
	*(_Atomic uint32_t *)arg = (uint32_t)v;
	return 0;
}

static int show_aio_nr(struct proc_text *o, void *arg)
{
	proc_printf(o, "%lu\n", (unsigned long)aio_nr());
	return 0;
}

static int show_text(struct proc_text *o, void *arg)
{
	proc_printf(o, "%s\n", (const char *)arg);
	return 0;
}

/* ---- the tables ---- */

struct sysctl {
	const char *path;
	uint32_t mode;
	proc_show_fn show;
	proc_store_fn store;
	void *arg;
};

static const struct sysctl made[] = {
#define NAME(path, mode, store, field)                                                   \
	{                                                                                \
		"sys/kernel/" path, mode, show_uts, store, (void *)(uintptr_t)(field)    \
	}
	NAME("ostype", 0444, NULL, UTS_SYSNAME),
	NAME("osrelease", 0444, NULL, UTS_RELEASE),
	NAME("version", 0444, NULL, UTS_VERSION),
	NAME("hostname", 0644, store_uts, UTS_NODENAME),
	NAME("domainname", 0644, store_uts, UTS_DOMAINNAME),
#undef NAME
	{ "sys/kernel/pid_max", 0444, show_pid_max, NULL, NULL },
	{ "sys/kernel/threads-max", 0444, show_threads_max, NULL, NULL },
	{ "sys/kernel/random/boot_id", 0444, show_boot_id, NULL, NULL },
	{ "sys/kernel/random/uuid", 0444, show_uuid, NULL, NULL },
	{ "sys/kernel/random/entropy_avail", 0444, show_number, NULL, (void *)256 },
	{ "sys/fs/aio-max-nr", 0644, show_knob, store_knob, (void *)&aio_max_nr },
	{ "sys/fs/aio-nr", 0444, show_aio_nr, NULL, NULL },
	{ "sys/fs/file-nr", 0444, show_file_nr, NULL, NULL },
	{ "sys/fs/inode-nr", 0444, show_inodes, NULL, "" },
	{ "sys/fs/inode-state", 0444, show_inodes, NULL, "\t0\t0\t0\t0\t0" },
	{ "sys/fs/lease-break-time", 0644, show_knob, store_knob,
	  (void *)&lease_break_seconds },
	{ "sys/fs/leases-enable", 0644, show_knob, store_knob, (void *)&leases_enabled },
	{ "sys/vm/min_free_kbytes", 0444, show_min_free, NULL, NULL },
	{ "sys/vm/drop_caches", 0200, NULL, store_drop_caches, NULL },
};

static const struct sysctl fixed[] = {
#define TEXT(path, text) { "sys/" path, 0444, show_text, NULL, text },
#define NUMBER(path, n) { "sys/" path, 0444, show_number, NULL, (void *)(uintptr_t)(n) },
#include "proc/sysctl.def"
#undef TEXT
#undef NUMBER
};

static void register_all(const struct sysctl *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		proc_made(proc_file(files[i].path, files[i].mode, files[i].show,
				    files[i].store, files[i].arg));
}

static void fill(void)
{
	register_all(made, ARRAY_LEN(made));
	register_all(fixed, ARRAY_LEN(fixed));
}

void procfs_sysctl_fill(void)
{
	static struct proc_filler filler = { .fill = fill };

	proc_made(proc_fill_later("sys", &filler));
}
