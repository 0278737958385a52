/* procfs: growing text buffers, and files whose content is such a text. */
#include "fs/procfs/procfs_internal.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define TEXT_MAX MIB(4)
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
	buf = cap <= TEXT_MAX ? heap_alloc(cap) : NULL;
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

/* Made anew whenever somebody reads from the beginning: all reads of one pass see one
 * text. */
static int text_make(struct file *f, struct proc_open *o,
		     int (*make)(struct file *f, struct proc_text *t))
{
	int err;

	o->text.len = 0;
	o->text.err = 0;
	o->made = false;
	err = make(f, &o->text);
	if (!err)
		err = o->text.err;
	o->made = !err;
	return err;
}

int64_t proc_read_text(struct file *f, struct uio *u, uint64_t *pos,
		       int (*make)(struct file *f, struct proc_text *t))
{
	struct proc_open *o = f->priv;
	int64_t n = 0;

	mutex_lock(&o->lock);
	if (!o->made || !*pos)
		n = text_make(f, o, make);
	if (!n && *pos < o->text.len && u->left)
		n = uio_write(u, o->text.buf + *pos, MIN(u->left, o->text.len - *pos));
	mutex_unlock(&o->lock);
	if (n > 0)
		*pos += n;
	return n;
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
