/*
 * timerfd_create(2): a timer whose expirations are counted and read.
 *
 * Always true:
 *  R1  `next` is when the timer fires next, in ns of clock_now(); 0: disarmed;
 *  R2  the kernel timer runs only for the first expiration after a read or a setting:
 *      later ones of an interval are counted from the clock when somebody looks, so an
 *      unread timer with a tiny interval costs nothing;
 *  R3  a wall clock step moves every armed CLOCK_REALTIME timer's kernel timer, and
 *      cancels those set with TFD_TIMER_CANCEL_ON_SET.
 */
#include "fs/timerfd.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <linux/timerfd.h>

#include "core/timer.h"
#include "lib/fmt.h"

#define NS_MAX ((uint64_t)INT64_MAX)

struct timerfd {
	struct spinlock lock; /* RANK_OBJECT, interrupts off */
	struct timer timer;
	struct waitq wait;
	struct list link; /* [wall_lock] on wall_timers */
	int clock;	  /* [I] */
	/* guarded by lock */
	uint64_t next, interval;  /* ns */
	_Atomic uint64_t expired; /* not yet read */
	bool absolute, cancel_on_set;
	_Atomic bool cancelled;
	uint32_t set_flags; /* for fdinfo */
};

static const struct file_ops timerfd_ops;
static struct mutex wall_lock = MUTEX_INIT(wall_lock, RANK_PIPE);
static struct list wall_timers = LIST_INIT(wall_timers); /* [wall_lock] */

static bool is_wall(const struct timerfd *t)
{
	return t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM;
}

static uint64_t clock_now(const struct timerfd *t)
{
	/* A relative time does not care for steps of the wall clock. */
	return is_wall(t) && t->absolute ? clock_real() : clock_mono();
}

/* The kernel timer, for the next expiration. Lock held. */
static void arm(struct timerfd *t)
{
	uint64_t now = clock_now(t), wait = t->next > now ? t->next - now : 0;

	timer_set(&t->timer, clock_mono() + MIN(wait, NS_MAX));
}

/* Counts what has expired by now. Lock held. */
static void catch_up(struct timerfd *t)
{
	uint64_t now = clock_now(t), n;

	if (!t->next || t->next > now)
		return;
	if (!t->interval) {
		t->expired++;
		t->next = 0;
		return;
	}
	n = (now - t->next) / t->interval + 1;
	t->expired += n;
	t->next += n * t->interval;
}

/* Interrupts off. */
static void timerfd_fired(struct timer *timer)
{
	struct timerfd *t = container_of(timer, struct timerfd, timer);
	bool ready;

	spin_lock(&t->lock);
	catch_up(t);
	ready = t->expired;
	if (!ready && t->next)
		arm(t); /* the wall clock went back, or it came early */
	spin_unlock(&t->lock);
	if (ready)
		wake_poll(&t->wait, POLLIN | POLLRDNORM);
}

/* ---- file operations ---- */

/* Takes the count. 1: got it; 0: nothing yet; -ECANCELED. */
static int timerfd_take(struct timerfd *t, uint64_t *ret)
{
	uint64_t flags = spin_lock_irq(&t->lock);
	int got = 0;

	catch_up(t);
	if (t->cancelled) {
		t->cancelled = false;
		t->expired = 0;
		got = -ECANCELED;
	} else if (t->expired) {
		*ret = t->expired;
		t->expired = 0;
		got = 1;
		if (t->next)
			arm(t);
	}
	spin_unlock_irq(&t->lock, flags);
	return got;
}

static int64_t timerfd_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct timerfd *t = f->priv;
	uint64_t n = 0;
	int err, got;

	if (u->left < sizeof n)
		return -EINVAL;
	while (!(got = timerfd_take(t, &n))) {
		if (file_nonblock(f, u))
			return -EAGAIN;
		err = wait_event_intr(&t->wait, t->expired || t->cancelled);
		if (err)
			return err;
	}
	if (got < 0)
		return got;
	return uio_write(u, &n, sizeof n) == sizeof n ? (int64_t)sizeof n : -EFAULT;
}

static uint32_t timerfd_poll(struct file *f, struct poll_table *pt)
{
	struct timerfd *t = f->priv;

	poll_add(pt, f, &t->wait);
	return t->expired || t->cancelled ? POLLIN | POLLRDNORM : 0;
}

static int64_t timerfd_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	struct timerfd *t = f->priv;
	uint64_t ticks, flags;

	if (cmd != TFD_IOC_SET_TICKS)
		return -ENOTTY;
	if (get_user(ticks, arg))
		return -EFAULT;
	if (!ticks)
		return -EINVAL;
	flags = spin_lock_irq(&t->lock);
	t->expired = ticks;
	spin_unlock_irq(&t->lock, flags);
	wake_poll(&t->wait, POLLIN | POLLRDNORM);
	return 0;
}

static uint64_t remaining(const struct timerfd *t)
{
	uint64_t now = clock_now(t);

	/* An armed timer never shows zero, which would mean disarmed. */
	return !t->next ? 0 : t->next > now ? t->next - now : 1;
}

static size_t timerfd_show(struct file *f, char *buf, size_t n)
{
	struct timerfd *t = f->priv;
	uint64_t flags = spin_lock_irq(&t->lock), left, interval, ticks;

	catch_up(t);
	ticks = t->expired;
	left = remaining(t);
	interval = t->interval;
	spin_unlock_irq(&t->lock, flags);
	return fmt_to(
		buf, n,
		"clockid: %d\nticks: %lu\nsettime flags: 0%o\nit_value: (%lu, %lu)\n"
		"it_interval: (%lu, %lu)\n",
		t->clock, (unsigned long)ticks, t->set_flags,
		(unsigned long)(left / NSEC_PER_SEC),
		(unsigned long)(left % NSEC_PER_SEC),
		(unsigned long)(interval / NSEC_PER_SEC),
		(unsigned long)(interval % NSEC_PER_SEC));
}

static void timerfd_release(struct file *f)
{
	struct timerfd *t = f->priv;

	mutex_lock(&wall_lock);
	list_del(&t->link);
	mutex_unlock(&wall_lock);
	/* The callback arms it again only for a timer that is still set. */
	uint64_t flags = spin_lock_irq(&t->lock);
	t->next = 0;
	spin_unlock_irq(&t->lock, flags);
	timer_cancel(&t->timer);
	heap_free(t);
}

static const struct file_ops timerfd_ops = {
	.release = timerfd_release,
	.read = timerfd_read,
	.poll = timerfd_poll,
	.ioctl = timerfd_ioctl,
	.show_fdinfo = timerfd_show,
	.llseek = noop_llseek,
	.stream = true,
	.nowait_read = true,
};

/* ---- the wall clock was set ---- */

static void wall_clock_set(void)
{
	mutex_lock(&wall_lock);
	list_for_each(t, &wall_timers, struct timerfd, link)
	{
		uint64_t flags = spin_lock_irq(&t->lock);

		if (t->next && t->absolute && t->cancel_on_set)
			t->cancelled = true;
		if (t->next)
			arm(t);
		spin_unlock_irq(&t->lock, flags);
		if (t->cancelled)
			wake_poll(&t->wait, POLLIN | POLLRDNORM);
	}
	mutex_unlock(&wall_lock);
}

void timerfd_init(void)
{
	clock_real_notify(wall_clock_set);
}

/* ---- making and setting ---- */

int timerfd_open(int clock, uint32_t flags, struct file **ret)
{
	struct timerfd *t;
	int err;

	if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC &&
	    clock != CLOCK_BOOTTIME && clock != CLOCK_REALTIME_ALARM &&
	    clock != CLOCK_BOOTTIME_ALARM)
		return -EINVAL;
	t = heap_zalloc(sizeof *t);
	if (!t)
		return -ENOMEM;
	spin_init(&t->lock, RANK_OBJECT);
	timer_init(&t->timer, timerfd_fired);
	waitq_init(&t->wait);
	list_init(&t->link);
	t->clock = clock;
	err = file_new_anon("[timerfd]", &timerfd_ops, t, O_RDWR | flags, ret);
	if (err) {
		heap_free(t);
		return err;
	}
	if (is_wall(t)) {
		mutex_lock(&wall_lock);
		list_push_back(&wall_timers, &t->link);
		mutex_unlock(&wall_lock);
	}
	return 0;
}

static bool spec_ok(const struct __kernel_timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 && ts->tv_nsec < (int64_t)NSEC_PER_SEC;
}

static uint64_t spec_ns(const struct __kernel_timespec *ts)
{
	if ((uint64_t)ts->tv_sec >= NS_MAX / NSEC_PER_SEC)
		return NS_MAX;
	return ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
}

static struct __kernel_timespec ns_spec(uint64_t ns)
{
	return (struct __kernel_timespec){ .tv_sec = ns / NSEC_PER_SEC,
					   .tv_nsec = ns % NSEC_PER_SEC };
}

/* Lock held. */
static struct __kernel_itimerspec current_setting(struct timerfd *t)
{
	catch_up(t);
	return (struct __kernel_itimerspec){ .it_interval = ns_spec(t->interval),
					     .it_value = ns_spec(remaining(t)) };
}

bool timerfd_setting_ok(uint32_t how, const struct __kernel_itimerspec *v)
{
	return !(how & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) &&
	       spec_ok(&v->it_value) && spec_ok(&v->it_interval);
}

int timerfd_set(struct file *f, uint32_t how, const struct __kernel_itimerspec *v,
		struct __kernel_itimerspec *ret_old)
{
	struct timerfd *t = f->priv;
	uint64_t value, flags;

	if (f->ops != &timerfd_ops || !timerfd_setting_ok(how, v))
		return -EINVAL;
	value = spec_ns(&v->it_value);
	flags = spin_lock_irq(&t->lock);
	if (ret_old)
		*ret_old = current_setting(t);
	t->absolute = how & TFD_TIMER_ABSTIME;
	t->cancel_on_set = t->absolute && is_wall(t) && (how & TFD_TIMER_CANCEL_ON_SET);
	t->cancelled = false;
	t->expired = 0;
	t->set_flags = how;
	t->interval = spec_ns(&v->it_interval);
	t->next = 0;
	if (value) {
		t->next = t->absolute ? value : MIN(clock_now(t) + value, NS_MAX);
		arm(t);
	}
	/* Disarmed: should the kernel timer still run, it finds nothing to count. */
	spin_unlock_irq(&t->lock, flags);
	return 0;
}

int timerfd_get(struct file *f, struct __kernel_itimerspec *ret)
{
	struct timerfd *t = f->priv;
	uint64_t flags;

	if (f->ops != &timerfd_ops)
		return -EINVAL;
	flags = spin_lock_irq(&t->lock);
	*ret = current_setting(t);
	spin_unlock_irq(&t->lock, flags);
	return 0;
}
