/* /proc/<pid>/maps, smaps, cmdline, environ, auxv, mem: the address space, by proc(5). */
#include <asm/mman.h>
#include <linux/auxvec.h>
#include <linux/fs.h>

#include "lib/string.h"
#include "mm/space.h"
#include "proc/procfs.h"

/* ---- maps ---- */

static const char *own_name(const struct area *a)
{
	if (a->label)
		return a->label;
	if (a->flags & AREA_HEAP)
		return "[heap]";
	return a->flags & AREA_STACK ? "[stack]" : "";
}

/* One line; `path` is room for a name. */
static void print_area(struct proc_text *o, const struct area *a, char *path)
{
	uint64_t dev = 0, ino = 0,
		 offset = a->mapping || a->ops ? a->pgoff * PAGE_SIZE : 0;
	size_t start = o->len, n = 0;
	const char *name = own_name(a);

	if (a->ops && a->ops->id)
		a->ops->id(a->owner, &dev, &ino);
	proc_printf(o, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ",
		    (unsigned long)a->start, (unsigned long)a->end,
		    a->prot & PROT_READ ? 'r' : '-', a->prot & PROT_WRITE ? 'w' : '-',
		    a->prot & PROT_EXEC ? 'x' : '-', a->flags & AREA_SHARED ? 's' : 'p',
		    (unsigned long)offset, DEV_MAJOR((uint32_t)dev),
		    DEV_MINOR((uint32_t)dev), (unsigned long)ino);
	if (!*name && a->ops && a->ops->name) {
		n = MIN(a->ops->name(a->owner, path, PATH_MAX_LEN), (size_t)PATH_MAX_LEN);
		name = path;
	} else {
		n = strlen(name);
	}
	/* Names line up in one column, as programs that cut by column expect. */
	while (n && !o->err && o->len - start < 73)
		proc_printf(o, " ");
	proc_write(o, name, n);
	proc_printf(o, "\n");
}

static void print_usage(struct proc_text *o, struct area *a)
{
	struct area_usage u;

	area_usage_get(a, &u);
	const struct {
		const char *name;
		uint64_t bytes;
	} rows[] = {
		{ "Size", a->end - a->start },
		{ "KernelPageSize", PAGE_SIZE },
		{ "MMUPageSize", PAGE_SIZE },
		{ "Rss", u.resident * PAGE_SIZE },
		{ "Pss", u.pss_bytes },
		{ "Shared_Clean", u.shared_clean * PAGE_SIZE },
		{ "Shared_Dirty", u.shared_dirty * PAGE_SIZE },
		{ "Private_Clean", u.private_clean * PAGE_SIZE },
		{ "Private_Dirty", u.private_dirty * PAGE_SIZE },
		{ "Referenced", u.referenced * PAGE_SIZE },
		{ "Anonymous", u.anonymous * PAGE_SIZE },
		{ "Swap", 0 },
		{ "SwapPss", 0 },
		{ "Locked", a->flags & AREA_LOCKED ? u.pss_bytes : 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		proc_printf(o, "%s:%*s%8lu kB\n", rows[i].name,
			    (int)(16 - strlen(rows[i].name)), "",
			    (unsigned long)(rows[i].bytes / 1024));
	proc_printf(o, "VmFlags:%s%s%s%s\n", a->prot & PROT_READ ? " rd" : "",
		    a->prot & PROT_WRITE ? " wr" : "", a->prot & PROT_EXEC ? " ex" : "",
		    a->flags & AREA_SHARED ? " sh" : "");
}

static int show_areas(struct proc_text *o, struct task *t, bool usage)
{
	struct space *s = task_space_get(t);
	char *path;

	if (!s)
		return 0;
	path = heap_alloc(PATH_MAX_LEN);
	if (!path) {
		space_put(s);
		return -ENOMEM;
	}
	read_lock(&s->lock);
	for (struct area *a = space_find(s, 0); a && !o->err; a = area_next(a)) {
		print_area(o, a, path);
		if (usage)
			print_usage(o, a);
	}
	read_unlock(&s->lock);
	heap_free(path);
	space_put(s);
	return 0;
}

int procfs_show_maps(struct proc_text *o, void *task)
{
	return show_areas(o, task, false);
}

int procfs_show_smaps(struct proc_text *o, void *task)
{
	return show_areas(o, task, true);
}

/* ---- what exec left on the stack ---- */

#define STRINGS_MAX MIB(1)

static int show_range(struct proc_text *o, struct space *s, uint64_t start, uint64_t end)
{
	char *chunk = heap_alloc(PAGE_SIZE);

	if (!chunk)
		return -ENOMEM;
	end = MIN(end, start + STRINGS_MAX);
	while (start < end) {
		int64_t n = space_access(s, start, chunk, MIN(end - start, PAGE_SIZE),
					 false, false);

		if (n <= 0)
			break;
		proc_write(o, chunk, n);
		start += n;
	}
	heap_free(chunk);
	return 0;
}

int procfs_show_cmdline(struct proc_text *o, void *task)
{
	struct space *s = task_space_get(task);
	int err;

	if (!s)
		return 0;
	err = show_range(o, s, s->arg_start, s->arg_end);
	space_put(s);
	return err;
}

int procfs_show_environ(struct proc_text *o, void *task)
{
	struct space *s = task_space_get(task);
	int err;

	if (!s)
		return 0;
	err = show_range(o, s, s->env_start, s->env_end);
	space_put(s);
	return err;
}

int procfs_show_auxv(struct proc_text *o, void *task)
{
	struct space *s = task_space_get(task);
	size_t n = 0;

	if (!s)
		return 0;
	while (n + 2 < ARRAY_LEN(s->auxv) && s->auxv[n] != AT_NULL)
		n += 2;
	proc_write(o, s->auxv, (n + 2) * sizeof s->auxv[0]);
	space_put(s);
	return 0;
}

/* ---- mem ---- */

/* The space is the one there was at open: after an exec it is empty, whoever holds the
 * file. */
static int mem_open(struct inode *i, struct file *f)
{
	struct task *t = proc_task_of(i);
	struct space *s;

	if (!procfs_may_look(t, f->cred))
		return -EACCES;
	s = task_space_get(t);
	if (!s)
		return -ESRCH;
	f->priv = s;
	return 0;
}

static void mem_release(struct file *f)
{
	space_put(f->priv);
}

static int64_t mem_move(struct file *f, struct uio *u, uint64_t *pos, bool write)
{
	char *chunk = heap_alloc(PAGE_SIZE);
	int64_t done = 0, n = 0;

	if (!chunk)
		return -ENOMEM;
	while (u->left && sched_may_go_on()) {
		size_t want = MIN(u->left, PAGE_SIZE);

		if (write) {
			n = uio_read(u, chunk, want);
			if (n > 0)
				n = space_access(f->priv, *pos, chunk, n, true, false);
		} else {
			n = space_access(f->priv, *pos, chunk, want, false, true);
			if (n > 0)
				n = uio_write(u, chunk, n);
		}
		if (n <= 0)
			break;
		done += n;
		*pos += n;
	}
	heap_free(chunk);
	return done ? done : n == -EFAULT ? -EIO : n;
}

static int64_t mem_read(struct file *f, struct uio *u, uint64_t *pos)
{
	return mem_move(f, u, pos, false);
}

static int64_t mem_write(struct file *f, struct uio *u, uint64_t *pos)
{
	return mem_move(f, u, pos, true);
}

static int64_t mem_seek(struct file *f, int64_t off, int whence)
{
	uint64_t to = whence == SEEK_CUR ? f->pos + off : (uint64_t)off;

	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	f->pos = to;
	return to;
}

const struct file_ops procfs_mem_ops = {
	.open = mem_open,
	.release = mem_release,
	.read = mem_read,
	.write = mem_write,
	.llseek = mem_seek,
};
