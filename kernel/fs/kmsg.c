/*
 * The kernel log as files. /proc/kmsg gives every line once, to whoever comes first, and
 * shares that with syslog(2); each open /dev/kmsg has a place of its own in the log and
 * gives records (Linux: Documentation/ABI/testing/dev-kmsg).
 *
 * Reading takes CAP_SYSLOG: the log names addresses' neighbours, and what others did.
 */
#include <asm/poll.h>
#include <linux/capability.h>
#include <linux/fs.h>

#include "core/log.h"
#include "core/panic.h"
#include "fs/devfs/devfs.h"
#include "fs/kmsg.h"
#include "fs/procfs/procfs.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define LINE_MAX 512
#define MEM_MAJOR 1
#define KMSG_MINOR 11
#define LEVEL_DEFAULT LOG_WARN

static struct spinlock take_lock = SPINLOCK_INIT(RANK_OBJECT);
static uint64_t taken_to; /* [take_lock] position in the log */

static int may_read(struct inode *i, struct file *f)
{
	if ((f->mode & FMODE_READ) && !cred_has_cap(f->cred, CAP_SYSLOG))
		return -EPERM;
	return 0;
}

/* ---- every line once ---- */

static size_t take_line(char *line, size_t room)
{
	uint64_t seq;
	size_t n;

	spin_lock(&take_lock);
	n = log_read_line(&taken_to, line, room, &seq);
	spin_unlock(&take_lock);
	return n;
}

int64_t kmsg_take(struct uio *u, bool nonblock)
{
	char line[LINE_MAX];
	size_t room = MIN(u->left, sizeof line), n;

	if (!room)
		return 0;
	n = take_line(line, room);
	if (!n && nonblock)
		return -EAGAIN;
	if (!n) {
		int err = wait_event_intr(&log_wait, (n = take_line(line, room)));
		if (err)
			return err;
	}
	return uio_write(u, line, n);
}

size_t kmsg_untaken(void)
{
	uint64_t end = log_end(), at;

	spin_lock(&take_lock);
	at = taken_to;
	spin_unlock(&take_lock);
	return MIN(end - MIN(at, end), log_size());
}

static int64_t proc_kmsg_read(struct file *f, struct uio *u, uint64_t *pos)
{
	return kmsg_take(u, f->flags & O_NONBLOCK);
}

static uint32_t proc_kmsg_poll(struct file *f, struct poll_table *pt)
{
	poll_add(pt, f, &log_wait);
	return kmsg_untaken() ? POLLIN | POLLRDNORM : 0;
}

static const struct file_ops proc_kmsg_ops = {
	.open = may_read,
	.read = proc_kmsg_read,
	.poll = proc_kmsg_poll,
	.stream = true,
};

/* ---- records ---- */

struct reader {
	struct mutex lock; /* RANK_FILE_POS */
	uint64_t pos;	   /* [lock] in the log */
};

static int dev_open(struct inode *i, struct file *f)
{
	int err = may_read(i, f);
	struct reader *r;

	if (err)
		return err;
	r = heap_zalloc(sizeof *r);
	if (!r)
		return -ENOMEM;
	mutex_init(&r->lock, RANK_FILE_POS);
	f->priv = r;
	return 0;
}

static void dev_release(struct file *f)
{
	heap_free(f->priv);
}

/* "<6>[   12.345678] text" as "6,42,12345678,-;text". Its length. */
static size_t record_of(const char *line, uint64_t seq, char *buf, size_t n)
{
	uint64_t level = 0, s = 0, us = 0;
	const char *at = line + 1;

	if (fmt_parse_u64(at, 10, &level, &at) || strncmp(at, ">[", 2))
		return 0;
	for (at += 2; *at == ' '; at++)
		;
	if (fmt_parse_u64(at, 10, &s, &at) || *at++ != '.' ||
	    fmt_parse_u64(at, 10, &us, &at) || strncmp(at, "] ", 2))
		return 0;
	return MIN(fmt_to(buf, n, "%llu,%llu,%llu,-;%s", (unsigned long long)level,
			  (unsigned long long)seq, (unsigned long long)(s * 1000000 + us),
			  at + 2),
		   n - 1);
}

/* The next record; 0: none yet. */
static size_t record_next(struct reader *r, char *buf, size_t n)
{
	char line[LINE_MAX];
	uint64_t seq;
	size_t len;

	mutex_lock(&r->lock);
	len = log_read_line(&r->pos, line, sizeof line - 1, &seq);
	mutex_unlock(&r->lock);
	line[len] = '\0';
	return len ? record_of(line, seq, buf, n) : 0;
}

static bool has_more(struct reader *r)
{
	uint64_t end = log_end();
	bool more;

	mutex_lock(&r->lock);
	more = r->pos < end;
	mutex_unlock(&r->lock);
	return more;
}

static int64_t dev_read(struct file *f, struct uio *u, uint64_t *pos)
{
	char record[LINE_MAX + 64];
	struct reader *r = f->priv;
	size_t n;

	while (!(n = record_next(r, record, sizeof record))) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		/* The condition takes no mutex: a wrong guess goes round once more. */
		int err = wait_event_intr(&log_wait, r->pos < log_end());
		if (err)
			return err;
	}
	return n <= u->left ? uio_write(u, record, n) : -EINVAL;
}

/* A line for the log, perhaps with "<level>" before it. */
static int64_t dev_write(struct file *f, struct uio *u, uint64_t *pos)
{
	char line[LINE_MAX];
	size_t all = u->left, n = MIN(all, sizeof line - 1);
	uint64_t level = LEVEL_DEFAULT;
	const char *text = line, *after;

	if (uio_read(u, line, n) != (int64_t)n)
		return -EFAULT;
	line[n] = '\0';
	if (line[0] == '<' && !fmt_parse_u64(line + 1, 10, &level, &after) &&
	    *after == '>')
		text = after + 1;
	n = strlen(text);
	if (n && text[n - 1] == '\n')
		n--;
	log_user(level & 7, text, n);
	return (int64_t)all;
}

/* SEEK_SET: the oldest line; SEEK_END: after the newest. */
static int64_t dev_seek(struct file *f, int64_t off, int whence)
{
	struct reader *r = f->priv;

	if (off)
		return -ESPIPE;
	if (whence != SEEK_SET && whence != SEEK_END && whence != SEEK_DATA)
		return -EINVAL;
	mutex_lock(&r->lock);
	r->pos = whence == SEEK_END ? log_end() : 0;
	mutex_unlock(&r->lock);
	return 0;
}

static uint32_t dev_poll(struct file *f, struct poll_table *pt)
{
	poll_add(pt, f, &log_wait);
	return (has_more(f->priv) ? POLLIN | POLLRDNORM : 0) | POLLOUT | POLLWRNORM;
}

static const struct file_ops dev_kmsg_ops = {
	.open = dev_open,
	.release = dev_release,
	.read = dev_read,
	.write = dev_write,
	.llseek = dev_seek,
	.poll = dev_poll,
};

static void fill(void)
{
	proc_made(proc_file_ops("kmsg", 0400, &proc_kmsg_ops, NULL));
}

void kmsg_init(void)
{
	static struct proc_filler filler = { .fill = fill };

	insist(!proc_fill_later("", &filler));
	insist(!chrdev_register(MEM_MAJOR, KMSG_MINOR, 1, "kmsg", &dev_kmsg_ops));
	insist(!devfs_add("kmsg", S_IFCHR | 0644, DEV_ID(MEM_MAJOR, KMSG_MINOR)));
}
