/* /proc/<pid>/maps, smaps, smaps_rollup: what is mapped where, by proc(5). */
#include <asm/mman.h>
#include <linux/fs.h>

#include "lib/string.h"
#include "mm/space.h"
#include "proc/procfs.h"

#define NAME_COLUMN 73

/* ---- maps ---- */

static const char *own_name(const struct area *a)
{
	if (a->label)
		return a->label;
	if (a->flags & AREA_HEAP)
		return "[heap]";
	return a->flags & AREA_STACK ? "[stack]" : "";
}

/* Names line up in one column, as programs that cut by column expect. A newline would
 * begin another line. */
static void print_name(struct proc_text *o, size_t start, const char *name, size_t n)
{
	while (n && !o->err && o->len - start < NAME_COLUMN)
		proc_printf(o, " ");
	for (const char *nl; n && (nl = memchr(name, '\n', n));) {
		proc_write(o, name, nl - name);
		proc_printf(o, "\\012");
		n -= nl + 1 - name;
		name = nl + 1;
	}
	proc_write(o, name, n);
	proc_printf(o, "\n");
}

/* The vDSO's pages are everybody's, but told as private, as Linux does: nobody can write
 * to others through them. */
static bool is_shared(const struct area *a)
{
	return (a->flags & (AREA_SHARED | AREA_SPECIAL)) == AREA_SHARED;
}

/* One line; `path` is room for a name. */
static void print_area(struct proc_text *o, const struct area *a, char *path)
{
	bool of_object = (a->mapping || a->ops) && !(a->flags & AREA_SPECIAL);
	uint64_t dev = 0, ino = 0, offset = of_object ? a->pgoff * PAGE_SIZE : 0;
	size_t start = o->len, n = 0;
	const char *name = own_name(a);

	if (a->ops && a->ops->id)
		a->ops->id(a->owner, &dev, &ino);
	proc_printf(o, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ",
		    (unsigned long)a->start, (unsigned long)a->end,
		    a->prot & PROT_READ ? 'r' : '-', a->prot & PROT_WRITE ? 'w' : '-',
		    a->prot & PROT_EXEC ? 'x' : '-', is_shared(a) ? 's' : 'p',
		    (unsigned long)offset, DEV_MAJOR((uint32_t)dev),
		    DEV_MINOR((uint32_t)dev), (unsigned long)ino);
	if (!*name && a->ops && a->ops->name) {
		n = MIN(a->ops->name(a->owner, path, PATH_MAX_LEN), (size_t)PATH_MAX_LEN);
		name = path;
	} else {
		n = strlen(name);
	}
	print_name(o, start, name, n);
}

/* ---- smaps ---- */

/* Two letters each, in Linux's order. */
static void print_flags(struct proc_text *o, const struct area *a)
{
	uint32_t f = a->flags;
	const struct {
		bool on;
		char name[4];
	} names[] = {
		{ a->prot & PROT_READ, "rd" },
		{ a->prot & PROT_WRITE, "wr" },
		{ a->prot & PROT_EXEC, "ex" },
		{ is_shared(a), "sh" },
		{ f & AREA_MAY_READ, "mr" },
		{ f & AREA_MAY_WRITE, "mw" },
		{ f & AREA_MAY_EXEC, "me" },
		{ is_shared(a), "ms" },
		{ f & AREA_GROWSDOWN, "gd" },
		{ f & AREA_LOCKED, "lo" },
		{ f & AREA_SEQ_READ, "sr" },
		{ f & AREA_RAND_READ, "rr" },
		{ f & AREA_DONTFORK, "dc" },
		{ f & AREA_SPECIAL, "de" },
		{ (a->prot & PROT_WRITE) && !(f & (AREA_SHARED | AREA_NORESERVE)), "ac" },
		{ f & AREA_NORESERVE, "nr" },
		{ f & AREA_WIPEONFORK, "wf" },
		{ f & AREA_DONTDUMP, "dd" },
		{ f & AREA_NOHUGE, "nh" },
	};

	proc_printf(o, "VmFlags: ");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].on)
			proc_printf(o, "%s ", names[i].name);
	proc_printf(o, "\n");
}

static void print_kib(struct proc_text *o, const char *name, uint64_t bytes)
{
	proc_printf(o, "%s:%*s%8lu kB\n", name, (int)(15 - strlen(name)), "",
		    (unsigned long)(bytes / 1024));
}

/* A sum over areas. */
struct usage {
	struct area_usage u;
	uint64_t locked; /* bytes, as pss counts them */
};

static void usage_add_area(struct usage *sum, struct area *a)
{
	struct area_usage u;

	area_usage_get(a, &u);
	sum->u.resident += u.resident;
	sum->u.shared_clean += u.shared_clean;
	sum->u.shared_dirty += u.shared_dirty;
	sum->u.private_clean += u.private_clean;
	sum->u.private_dirty += u.private_dirty;
	sum->u.referenced += u.referenced;
	sum->u.anonymous += u.anonymous;
	sum->u.pss_bytes += u.pss_bytes;
	sum->u.pss_dirty += u.pss_dirty;
	sum->u.pss_anon += u.pss_anon;
	sum->u.pss_file += u.pss_file;
	sum->u.pss_shmem += u.pss_shmem;
	sum->locked += a->flags & AREA_LOCKED ? u.pss_bytes : 0;
}

static void print_usage(struct proc_text *o, const struct usage *s, bool by_kind)
{
	static const char *const none[] = { "LazyFree",	      "AnonHugePages",
					    "ShmemPmdMapped", "FilePmdMapped",
					    "Shared_Hugetlb", "Private_Hugetlb",
					    "Swap",	      "SwapPss" };

	print_kib(o, "Rss", s->u.resident * PAGE_SIZE);
	print_kib(o, "Pss", s->u.pss_bytes);
	print_kib(o, "Pss_Dirty", s->u.pss_dirty);
	if (by_kind) {
		print_kib(o, "Pss_Anon", s->u.pss_anon);
		print_kib(o, "Pss_File", s->u.pss_file);
		print_kib(o, "Pss_Shmem", s->u.pss_shmem);
	}
	print_kib(o, "Shared_Clean", s->u.shared_clean * PAGE_SIZE);
	print_kib(o, "Shared_Dirty", s->u.shared_dirty * PAGE_SIZE);
	print_kib(o, "Private_Clean", s->u.private_clean * PAGE_SIZE);
	print_kib(o, "Private_Dirty", s->u.private_dirty * PAGE_SIZE);
	print_kib(o, "Referenced", s->u.referenced * PAGE_SIZE);
	print_kib(o, "Anonymous", s->u.anonymous * PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		print_kib(o, none[i], 0);
	print_kib(o, "Locked", s->locked);
}

static void print_smap(struct proc_text *o, struct area *a)
{
	struct usage s = { 0 };

	usage_add_area(&s, a);
	print_kib(o, "Size", a->end - a->start);
	print_kib(o, "KernelPageSize", PAGE_SIZE);
	print_kib(o, "MMUPageSize", PAGE_SIZE);
	print_usage(o, &s, false);
	proc_printf(o, "THPeligible:    0\n");
	print_flags(o, a);
}

/* ---- the files ---- */

/* The cursor is the address to go on from. */
static int show_areas(struct proc_text *o, struct space *s, bool usage, char *path)
{
	for (struct area *a = space_find(s, o->cursor); a; a = area_next(a)) {
		if (proc_full(o))
			return PROC_MORE;
		print_area(o, a, path);
		if (usage)
			print_smap(o, a);
		o->cursor = a->end;
	}
	return 0;
}

static int show_space(struct proc_text *o, struct task *t, bool usage)
{
	struct space *s = task_space_get(t);
	char *path;
	int n;

	if (!s)
		return 0;
	path = heap_alloc(PATH_MAX_LEN);
	if (!path) {
		space_put(s);
		return -ENOMEM;
	}
	read_lock(&s->lock);
	n = show_areas(o, s, usage, path);
	read_unlock(&s->lock);
	heap_free(path);
	space_put(s);
	return n;
}

int procfs_show_maps(struct proc_text *o, void *task)
{
	return show_space(o, task, false);
}

int procfs_show_smaps(struct proc_text *o, void *task)
{
	return show_space(o, task, true);
}

int procfs_show_rollup(struct proc_text *o, void *task)
{
	struct space *s = task_space_get(task);
	uint64_t first = 0, last = 0;
	struct usage sum = { 0 };
	static const char rollup[] = "[rollup]";

	if (!s)
		return -ESRCH;
	read_lock(&s->lock);
	for (struct area *a = space_find(s, 0); a; a = area_next(a)) {
		first = last ? first : a->start;
		last = a->end;
		usage_add_area(&sum, a);
		sched_give_way();
	}
	read_unlock(&s->lock);
	space_put(s);
	proc_printf(o, "%08lx-%08lx ---p 00000000 00:00 0 ", (unsigned long)first,
		    (unsigned long)last);
	print_name(o, 0, rollup, strlen(rollup));
	print_usage(o, &sum, true);
	return 0;
}
