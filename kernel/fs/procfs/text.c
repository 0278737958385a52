/* procfs: growing text buffers, and files whose content is such a text. */
#include "fs/procfs/procfs_internal.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define PART_MAX MIB(4) /* what heap_alloc has */
#define STORE_MAX PAGE_SIZE

/* Room for n more bytes. False: none, and the error sticks. */
static bool text_reserve(struct proc_text *t, size_t n)
{
	size_t cap = t->cap ? t->cap : 512;
	char *buf;

	if (t->err)
		return false;
	if (t->cap - t->len >= n)
		return true;
	while (cap - t->len < n)
		cap *= 2;
	buf = cap <= PART_MAX ? heap_alloc(cap) : NULL;
	if (!buf) {
		t->err = -ENOMEM;
		return false;
	}
	if (t->len)
		memcpy(buf, t->buf, t->len);
	heap_free(t->buf);
	t->buf = buf;
	t->cap = cap;
	return true;
}

void proc_printf(struct proc_text *t, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	if (!text_reserve(t, 128))
		return;
	va_start(ap, fmt);
	n = fmt_va(t->buf + t->len, t->cap - t->len, fmt, ap);
	va_end(ap);
	if (n >= t->cap - t->len) {
		if (!text_reserve(t, n + 1))
			return;
		va_start(ap, fmt);
		n = fmt_va(t->buf + t->len, t->cap - t->len, fmt, ap);
		va_end(ap);
	}
	t->len += n;
}

void proc_write(struct proc_text *t, const void *s, size_t n)
{
	if (!text_reserve(t, n))
		return;
	memcpy(t->buf + t->len, s, n);
	t->len += n;
}

int proc_parse_u64(const char *text, uint64_t *ret)
{
	const char *end;
	uint64_t v;

	if (fmt_parse_u64(text, 10, &v, &end))
		return -EINVAL;
	while (*end == ' ' || *end == '\t' || *end == '\n')
		end++;
	if (*end)
		return -EINVAL;
	*ret = v;
	return 0;
}

int proc_parse_i64(const char *text, int64_t *ret)
{
	bool minus = *text == '-';
	uint64_t v;

	if (proc_parse_u64(text + minus, &v) || v > INT64_MAX)
		return -EINVAL;
	*ret = minus ? -(int64_t)v : (int64_t)v;
	return 0;
}

void proc_text_free(struct proc_text *t)
{
	heap_free(t->buf);
	*t = (struct proc_text){ 0 };
}

/* ---- open files ---- */

int proc_open_text(struct file *f)
{
	struct proc_open *o = heap_zalloc(sizeof *o);

	if (!o)
		return -ENOMEM;
	mutex_init(&o->lock, RANK_FILE_POS);
	f->priv = o;
	return 0;
}

void proc_release_text(struct file *f)
{
	struct proc_open *o = f->priv;

	proc_text_free(&o->text);
	heap_free(o);
}

/* The next part of the text, in the place of the one before; the first part if `anew`. */
static int part_make(struct file *f, struct proc_open *o, bool anew,
		     int (*make)(struct file *f, struct proc_text *t))
{
	struct proc_text *t = &o->text;
	int n;

	o->start = anew ? 0 : o->start + t->len;
	t->cursor = anew ? 0 : t->cursor;
	t->len = 0;
	t->err = 0;
	o->made = false;
	n = make(f, t);
	if (n >= 0 && t->err)
		n = t->err;
	o->made = n >= 0;
	o->more = n == PROC_MORE;
	return MIN(n, 0);
}

/* Brings the part that holds byte `pos` about. 0, also past the end, or -errno. */
static int part_find(struct file *f, struct proc_open *o, uint64_t pos,
		     int (*make)(struct file *f, struct proc_text *t))
{
	int err = 0;

	/* Made anew whenever somebody reads from the beginning: all reads of one pass
	 * see one text. */
	if (!o->made || !pos || pos < o->start)
		err = part_make(f, o, true, make);
	while (!err && o->more && pos >= o->start + o->text.len)
		err = sched_may_go_on() ? part_make(f, o, false, make) : -ERESTARTSYS;
	return err;
}

int64_t proc_read_text(struct file *f, struct uio *u, uint64_t *pos,
		       int (*make)(struct file *f, struct proc_text *t))
{
	struct proc_open *o = f->priv;
	int64_t done = 0, n;

	mutex_lock(&o->lock);
	do {
		n = part_find(f, o, *pos, make);
		if (!n && u->left && *pos - o->start < o->text.len)
			n = uio_write(u, o->text.buf + (*pos - o->start),
				      MIN(u->left, o->text.len - (*pos - o->start)));
		if (n > 0) {
			*pos += n;
			done += n;
		}
	} while (n > 0 && u->left && o->more && sched_may_go_on());
	mutex_unlock(&o->lock);
	return done ? done : n;
}

int64_t proc_write_text(struct file *f, struct uio *u, uint64_t *pos,
			int (*take)(struct file *f, char *text, size_t n))
{
	size_t n = u->left;
	char *text;
	int64_t err;

	if (!take)
		return -EIO;
	if (n >= STORE_MAX)
		return -EINVAL;
	text = heap_alloc(n + 1);
	if (!text)
		return -ENOMEM;
	err = -EFAULT;
	if (uio_read(u, text, n) == (int64_t)n) {
		text[n] = '\0';
		err = take(f, text, n);
	}
	heap_free(text);
	if (err)
		return err;
	*pos += n;
	return n;
}
