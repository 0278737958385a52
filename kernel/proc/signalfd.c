/*
 * signalfd(2): reading takes the reader's own pending signals, whoever made the
 * descriptor.
 *
 * All signalfds share one wait queue: a descriptor in an epoll set can outlive any
 * process, so no process's queue would do. It is woken at signals for processes that have
 * asked a signalfd before, and at nobody else's.
 */
#include "proc/signalfd.h"

#include <asm/poll.h>
#include <linux/signalfd.h>

#include "lib/fmt.h"

struct waitq signal_watchers = WAITQ_INIT(signal_watchers);

struct signalfd {
	_Atomic sigset64_t mask;
};

/* Before the caller looks: a signal queued later finds the mark, by the lock. */
static void start_watching(void)
{
	struct process *p = process_current();
	uint64_t flags = spin_lock_irq(&p->lock);

	p->has_watchers = true;
	spin_unlock_irq(&p->lock, flags);
}

static bool any_pending(const struct signalfd *s)
{
	return signal_pending_set(task_current()) & s->mask;
}

/* Of input and output, fcntl(2), F_SETSIG: for signals whose codes mean nothing of their
 * own. */
static bool is_news(const siginfo_t *i)
{
	return i->si_code >= POLL_IN && i->si_code <= POLL_HUP &&
	       !(SIG_BIT(i->si_signo) & SIGSET_OWN_CODES);
}

/* The form that signalfd(2) documents; which members mean something depends on the
 * code. */
static void form_of(const siginfo_t *i, struct signalfd_siginfo *ret)
{
	*ret = (struct signalfd_siginfo){
		.ssi_signo = i->si_signo,
		.ssi_errno = i->si_errno,
		.ssi_code = i->si_code,
	};

	if (i->si_code == SI_TIMER) {
		ret->ssi_tid = i->si_tid;
		ret->ssi_overrun = i->si_overrun;
		ret->ssi_int = i->si_int;
		ret->ssi_ptr = (uint64_t)(uintptr_t)i->si_ptr;
		return;
	}
	if (is_news(i)) {
		ret->ssi_band = (uint32_t)i->si_band;
		ret->ssi_fd = i->si_fd;
		return;
	}
	if (i->si_signo == SIGCHLD && i->si_code > 0 && i->si_code != SI_KERNEL) {
		ret->ssi_status = i->si_status;
		ret->ssi_utime = i->si_utime;
		ret->ssi_stime = i->si_stime;
	} else if (i->si_code < 0) {
		ret->ssi_int = i->si_int;
		ret->ssi_ptr = (uint64_t)(uintptr_t)i->si_ptr;
	}
	ret->ssi_pid = i->si_pid;
	ret->ssi_uid = i->si_uid;
}

static int64_t signalfd_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct signalfd *s = f->priv;
	int64_t done = 0;
	siginfo_t info;

	if (u->left < sizeof(struct signalfd_siginfo))
		return -EINVAL;
	while (u->left >= sizeof(struct signalfd_siginfo)) {
		struct signalfd_siginfo o;
		int err;

		if (signal_dequeue(s->mask, &info)) {
			form_of(&info, &o);
			if (uio_write(u, &o, sizeof o) != sizeof o)
				return done ? done : -EFAULT;
			done += sizeof o;
			continue;
		}
		if (done)
			break;
		if (file_nonblock(f, u))
			return -EAGAIN;
		start_watching();
		err = wait_event_intr(&signal_watchers, any_pending(s));
		if (err)
			return err;
	}
	return done;
}

static uint32_t signalfd_poll(struct file *f, struct poll_table *pt)
{
	poll_add(pt, f, &signal_watchers);
	/* As on Linux: a kernel thread that asks on somebody's behalf has no signals. */
	if (!thread_current()->task)
		return 0;
	start_watching();
	return any_pending(f->priv) ? POLLIN | POLLRDNORM : 0;
}

static size_t signalfd_show(struct file *f, char *buf, size_t n)
{
	struct signalfd *s = f->priv;

	return fmt_to(buf, n, "sigmask:\t%016lx\n", (unsigned long)s->mask);
}

static void signalfd_release(struct file *f)
{
	heap_free(f->priv);
}

static const struct file_ops signalfd_ops = {
	.release = signalfd_release,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.show_fdinfo = signalfd_show,
	.llseek = noop_llseek,
	.stream = true,
	.nowait_read = true,
};

int signalfd_open(sigset64_t mask, uint32_t flags, struct file **ret)
{
	struct signalfd *s = heap_zalloc(sizeof *s);
	int err;

	if (!s)
		return -ENOMEM;
	s->mask = mask & ~SIGSET_NEVER_BLOCKED;
	err = file_new_anon("[signalfd]", &signalfd_ops, s, O_RDWR | flags, ret);
	if (err)
		heap_free(s);
	return err;
}

int signalfd_set_mask(struct file *f, sigset64_t mask)
{
	struct signalfd *s = f->priv;

	if (f->ops != &signalfd_ops)
		return -EINVAL;
	s->mask = mask & ~SIGSET_NEVER_BLOCKED;
	wake_all(&signal_watchers);
	return 0;
}
