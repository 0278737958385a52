/* /proc/audit/data: the records, for as many readers as there are, each with its own
 * place. /proc/audit/stats: their numbers. */
#include <asm/poll.h>

#include "lib/string.h"
#include "mm/slab.h"
#include "proc/audit.h"
#include "proc/audit_log.h"
#include "proc/proc.h"
#include "proc/procfs.h"

static int data_open(struct inode *i, struct file *f)
{
	struct audit_reader *r = heap_zalloc(sizeof *r);
	if (!r)
		return -ENOMEM;
	audit_log_open(r, process_current() == init_process);
	f->priv = r;
	return 0;
}

static void data_release(struct file *f)
{
	audit_log_close(f->priv);
	heap_free(f->priv);
}

/* One record into the user's memory: its size, or as audit_log_read. */
static int64_t read_one(struct audit_reader *r, struct uio *u)
{
	struct audit_record record;
	uint64_t at = r->at;
	int got = audit_log_read(r, &record);
	if (got <= 0)
		return got;
	int64_t n = uio_write(u, &record, sizeof record);
	if (n == sizeof record)
		return n;
	r->at = at;
	return -EFAULT;
}

static int64_t read_some(struct audit_reader *r, struct uio *u)
{
	int64_t sum = 0, n = 0;
	audit_log_keep(r);
	audit_log_seal();
	while (u->left >= AUDIT_RECORD_SIZE && (n = read_one(r, u)) > 0)
		sum += n;
	return sum ? sum : n;
}

static int64_t data_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct audit_reader *r = f->priv;
	if (u->left < AUDIT_RECORD_SIZE)
		return u->left ? -EINVAL : 0;
	for (;;) {
		mutex_lock(&r->lock);
		int64_t n = read_some(r, u);
		mutex_unlock(&r->lock);
		if (n)
			return n;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		int err = wait_event_intr(audit_log_news(r), audit_log_is_behind(r));
		if (err)
			return err;
	}
}

/* The keeper's last word: "end". */
static int64_t data_write(struct file *f, struct uio *u, uint64_t *pos)
{
	const struct audit_reader *r = f->priv;
	char word[4] = "";
	uint64_t n = u->left;
	if (!r->keeps)
		return -EPERM;
	if (n >= sizeof word)
		return -EINVAL;
	if (uio_read(u, word, n) != (int64_t)n)
		return -EFAULT;
	if (strcmp(word, "end") != 0)
		return -EINVAL;
	int err = audit_log_end();
	return err ? err : (int64_t)n;
}

static uint32_t data_poll(struct file *f, struct poll_table *pt)
{
	struct audit_reader *r = f->priv;
	audit_log_keep(r);
	poll_add(pt, f, audit_log_news(r));
	return audit_log_has_news(r) ? POLLIN | POLLRDNORM : 0;
}

static const struct file_ops data_ops = {
	.open = data_open,
	.release = data_release,
	.read = data_read,
	.write = data_write,
	.poll = data_poll,
	.stream = true,
};

static int show_stats(struct proc_text *o, void *arg)
{
	struct audit_log_numbers n;
	audit_log_numbers(&n);
	proc_printf(o,
		    "mode %s\nrecords %lu\nplaces %u\ndropped_vital %lu\n"
		    "dropped_ordinary %lu\n",
		    n.mode, (unsigned long)n.records, n.places,
		    (unsigned long)n.dropped[AUDIT_VITAL],
		    (unsigned long)n.dropped[AUDIT_ORDINARY]);
	return 0;
}

void audit_fill(void)
{
	proc_made(proc_file_ops("audit/data", 0600, &data_ops, NULL));
	proc_made(proc_file("audit/stats", 0400, show_stats, NULL, NULL));
}
