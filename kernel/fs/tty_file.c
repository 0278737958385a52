/* Terminals as files: ttyS0, /dev/console, /dev/tty, and the slaves of pty pairs. The
 * work is done in dev/; here calls are passed on. */
#include <asm/poll.h>

#include "core/panic.h"
#include "dev/tty.h"
#include "fs/chrdev.h"

static int64_t file_tty_read(struct file *f, struct uio *u, uint64_t *pos)
{
	return tty_read(f->priv, u, f->flags & O_NONBLOCK);
}

static int64_t file_tty_write(struct file *f, struct uio *u, uint64_t *pos)
{
	return tty_write(f->priv, u, f->flags & O_NONBLOCK);
}

static uint32_t file_tty_poll(struct file *f, struct poll_table *pt)
{
	poll_add(pt, f, tty_read_queue(f->priv));
	poll_add_for(pt, f, tty_write_queue(f->priv), POLLOUT | POLLWRNORM);
	return tty_poll(f->priv);
}

static int64_t file_tty_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	return tty_ioctl(f->priv, cmd, arg);
}

static void file_tty_release(struct file *f)
{
	tty_close(f->priv);
}

/* Unless somebody was chosen, who is in the foreground is told. */
static struct async_set *file_tty_async(struct file *f, bool on)
{
	int32_t pgrp;
	struct async_set *s = tty_async(f->priv, &pgrp);

	if (on && pgrp)
		file_owner_claim_for(f, pgrp);
	else if (on)
		file_owner_claim(f);
	return s;
}

static const struct file_ops tty_ops = {
	.release = file_tty_release,
	.read = file_tty_read,
	.write = file_tty_write,
	.poll = file_tty_poll,
	.ioctl = file_tty_ioctl,
	.async = file_tty_async,
	.stream = true,
};

int tty_file_open(struct tty *t, struct file *f)
{
	struct tty_open_how how = { .noctty = f->flags & O_NOCTTY,
				    .may_read = f->mode & FMODE_READ };
	struct tty_handle *h;
	int err = tty_open(t, how, &h);

	if (err) {
		tty_put(t);
		return err;
	}
	f->ops = &tty_ops;
	f->priv = h;
	return 0;
}

static int serial_open(struct inode *i, struct file *f)
{
	struct tty *t;
	int err = tty_serial_get(&t);

	return err ? err : tty_file_open(t, f);
}

/* tty(4): whatever terminal controls the caller. */
static int current_open(struct inode *i, struct file *f)
{
	struct tty *t = tty_job_ops.current_tty();

	return t ? tty_file_open(t, f) : -ENXIO;
}

/* console(4) never becomes the controlling terminal by being opened. */
static int console_open(struct inode *i, struct file *f)
{
	f->flags |= O_NOCTTY;
	return serial_open(i, f);
}

static const struct file_ops serial_file_ops = { .open = serial_open };
static const struct file_ops console_file_ops = { .open = console_open };
static const struct file_ops current_file_ops = { .open = current_open };

void tty_file_init(void)
{
	int err =
		chrdev_register(TTY_MAJOR, TTY_SERIAL_MINOR, 1, "ttyS", &serial_file_ops);

	if (!err)
		err = chrdev_register(TTY_AUX_MAJOR, 0, 1, "/dev/tty", &current_file_ops);
	if (!err)
		err = chrdev_register(TTY_AUX_MAJOR, 1, 1, "/dev/console",
				      &console_file_ops);
	insist(!err);
}
