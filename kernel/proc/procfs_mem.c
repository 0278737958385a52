/*
 * /proc/<pid>/cmdline, environ, auxv, mem, pagemap, clear_refs: what is in an address
 * space, by proc(5).
 */
#include <linux/auxvec.h>
#include <linux/fs.h>

#include "lib/string.h"
#include "mm/space.h"
#include "proc/procfs.h"

/* ---- what exec left on the stack ---- */

/* Bytes from *at up to end, as many as fit a part; they end where memory does. */
static int show_range(struct proc_text *o, struct space *s, uint64_t *at, uint64_t end)
{
	char *chunk = heap_alloc(PAGE_SIZE);

	if (!chunk)
		return -ENOMEM;
	while (*at < end && !proc_full(o)) {
		int64_t n = space_access(s, *at, chunk, MIN(end - *at, PAGE_SIZE), false,
					 false);

		if (n <= 0)
			break;
		proc_write(o, chunk, n);
		*at += n;
	}
	heap_free(chunk);
	return proc_full(o) && *at < end ? PROC_MORE : 0;
}

/* From the cursor, an offset into [start, end), on. */
static int show_strings(struct proc_text *o, struct space *s, uint64_t start,
			uint64_t end)
{
	uint64_t at = start + o->cursor;
	int n = show_range(o, s, &at, end);

	o->cursor = at - start;
	return n;
}

/* A program that wrote its title over its arguments has left no NUL at their end: then
 * the title is what comes before the first one, and may reach into the environment. */
static int show_title(struct proc_text *o, struct space *s)
{
	char *nul;
	int n = show_strings(o, s, s->arg_start, s->env_end);

	nul = o->len ? memchr(o->buf, '\0', o->len) : NULL;
	if (!nul)
		return n;
	o->len = nul - o->buf;
	return 0;
}

static int show_arguments(struct proc_text *o, struct space *s)
{
	char last = 0;

	if (s->arg_start >= s->arg_end)
		return 0;
	if (space_access(s, s->arg_end - 1, &last, 1, false, false) == 1 && last)
		return show_title(o, s);
	return show_strings(o, s, s->arg_start, s->arg_end);
}

int procfs_show_cmdline(struct proc_text *o, void *task)
{
	struct space *s = task_space_get(task);
	int n;

	if (!s)
		return 0;
	n = show_arguments(o, s);
	space_put(s);
	return n;
}

int procfs_show_environ(struct proc_text *o, void *task)
{
	struct space *s = task_space_get(task);
	int n;

	if (!s)
		return 0;
	n = show_strings(o, s, s->env_start, s->env_end);
	space_put(s);
	return n;
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

/* The space is the one there was at open: after an exec there is nothing in it, whoever
 * holds the file. */
static int mem_open(struct inode *i, struct file *f)
{
	struct task *t = proc_task_of(i);
	struct space *s;

	/* First the space, then the verdict: an execve in between that gains privileges
	 * makes the verdict no. */
	s = task_space_get(t);
	if (!procfs_may_look(t, f->cred)) {
		if (s)
			space_put(s);
		return -EACCES;
	}
	if (!s)
		return -ESRCH;
	f->priv = s;
	return 0;
}

static bool is_gone(const struct file *f)
{
	const struct space *s = f->priv;

	return !ref_read(&s->users);
}

static void mem_release(struct file *f)
{
	space_put(f->priv);
}

/* Into what is read-only writes only a debugger, for its breakpoints. */
static bool is_tracer_of(struct task *t)
{
	uint64_t flags = spin_lock_irq(&t->process->lock);
	bool yes = t->trace.tracer && t->trace.tracer->process == process_current();

	spin_unlock_irq(&t->process->lock, flags);
	return yes;
}

static int64_t mem_move(struct file *f, struct uio *u, uint64_t *pos, bool write)
{
	bool force = !write || is_tracer_of(proc_task_of(f->inode));
	char *chunk = heap_alloc(PAGE_SIZE);
	int64_t done = 0, n = 0;

	if (!chunk)
		return -ENOMEM;
	while (u->left && !is_gone(f) && sched_may_go_on()) {
		size_t want = MIN(u->left, PAGE_SIZE);

		if (write) {
			n = uio_read(u, chunk, want);
			if (n > 0)
				n = space_access(f->priv, *pos, chunk, n, true, force);
		} else {
			n = space_access(f->priv, *pos, chunk, want, false, force);
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

/* ---- pagemap ---- */

#define WORD sizeof(uint64_t)
#define WORDS (PAGE_SIZE / WORD)

static int64_t pagemap_part(struct space *s, struct uio *u, uint64_t *pos,
			    uint64_t *words)
{
	uint64_t first = *pos / WORD, end = USER_END / PAGE_SIZE;
	size_t n = MIN(u->left / WORD, WORDS);
	int64_t done;

	if (first >= end)
		return 0;
	n = MIN(n, end - first);
	read_lock(&s->lock);
	space_pagemap(s, first * PAGE_SIZE, words, n);
	read_unlock(&s->lock);
	done = uio_write(u, words, n * WORD);
	if (done > 0)
		*pos += done;
	return done;
}

static int64_t pagemap_read(struct file *f, struct uio *u, uint64_t *pos)
{
	int64_t done = 0, n;
	uint64_t *words;

	if (*pos % WORD || u->left % WORD)
		return -EINVAL;
	if (is_gone(f))
		return 0;
	words = heap_alloc(WORDS * WORD);
	if (!words)
		return -ENOMEM;
	do {
		n = pagemap_part(f->priv, u, pos, words);
		done += MAX(n, 0);
	} while (n > 0 && u->left && sched_may_go_on());
	heap_free(words);
	return done ? done : n;
}

const struct file_ops procfs_pagemap_ops = {
	.open = mem_open,
	.release = mem_release,
	.read = pagemap_read,
	.llseek = mem_seek,
};

/* ---- clear_refs ---- */

int procfs_store_clear_refs(char *text, size_t n, void *task)
{
	struct space *s;
	uint64_t what;
	int err = proc_parse_u64(text, &what);

	if (err || what < 1 || what > 5)
		return -EINVAL;
	s = task_space_get(task);
	if (!s)
		return -ESRCH;
	/* 4 is about soft-dirty bits: nobody keeps those. */
	if (what <= 3)
		space_clear_refs(s, REFS_ALL + (what - 1));
	else if (what == 5)
		space_reset_peak(s);
	space_put(s);
	return 0;
}
