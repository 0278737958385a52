/* poll, ppoll, select, pselect6: waiting for files, over fs/poll.h. */
#include <asm/poll.h>
#include <linux/resource.h>

#include "fs/poll.h"
#include "lib/string.h"
#include "proc/signal.h"
#include "sys/io_wait.h"
#include "sys/syscall.h"

#define FDS_INLINE 16

int deadline_from_timespec(uaddr_t ts, uint64_t *ret)
{
	struct __kernel_timespec t;

	*ret = NO_DEADLINE;
	if (!ts.va)
		return 0;
	if (get_user(t, ts))
		return -EFAULT;
	if (t.tv_sec < 0 || t.tv_nsec < 0 || t.tv_nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	*ret = deadline_in(t.tv_sec, t.tv_nsec);
	return 0;
}

void deadline_to_timespec(uaddr_t ts, uint64_t deadline)
{
	uint64_t left = deadline_left(deadline);
	struct __kernel_timespec t = { .tv_sec = left / NSEC_PER_SEC,
				       .tv_nsec = left % NSEC_PER_SEC };

	if (ts.va && deadline != NO_DEADLINE && put_user(ts, t))
		return;
}

/* ---- poll ---- */

/* Asks every file once; the number of those with something to report. */
static int64_t fds_ask(struct poll_set *s, struct pollfd *fds, uint32_t n)
{
	int64_t found = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct file *f;

		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		f = fd_get(fds[i].fd);
		if (f) {
			fds[i].revents = poll_set_ask(s, f, (uint16_t)fds[i].events);
			file_put(f);
		} else {
			fds[i].revents = POLLNVAL;
		}
		if (fds[i].revents) {
			found++;
			poll_set_stop_adding(s);
		}
	}
	return found;
}

static int64_t fds_wait(struct pollfd *fds, uint32_t n, uint64_t deadline)
{
	struct poll_set s;
	int64_t found;
	int err = 0;

	poll_set_init(&s);
	for (;;) {
		found = fds_ask(&s, fds, n);
		poll_set_stop_adding(&s);
		if (found || err == -ETIMEDOUT || !deadline)
			break;
		err = s.err ? s.err : poll_set_sleep(&s, deadline);
		if (err && err != -ETIMEDOUT) {
			found = err;
			break;
		}
	}
	poll_set_fini(&s);
	return found;
}

static int64_t revents_out(uaddr_t ufds, const struct pollfd *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (put_user(uaddr_add(ufds, i * sizeof *fds +
						     offsetof(struct pollfd, revents)),
			     fds[i].revents))
			return -EFAULT;
	return 0;
}

/* Number of descriptors reported, -EFAULT, -EINVAL, -ENOMEM, -ERESTARTSYS. */
static int64_t poll_until(uaddr_t ufds, uint32_t n, uint64_t deadline)
{
	struct pollfd few[FDS_INLINE], *fds = few;
	int64_t found;

	if (n > rlimit_current(RLIMIT_NOFILE))
		return -EINVAL;
	if (n > FDS_INLINE)
		fds = heap_alloc_array(n, sizeof *fds);
	if (!fds)
		return -ENOMEM;
	found = copy_in(fds, ufds, n * sizeof *fds);
	if (!found)
		found = fds_wait(fds, n, deadline);
	if (found >= 0 && revents_out(ufds, fds, n))
		found = -EFAULT;
	if (fds != few)
		heap_free(fds);
	return found;
}

static int64_t poll_restart(struct restart_block *r)
{
	int64_t n = poll_until(UADDR(r->arg[0]), r->arg[1], r->arg[2]);

	if (n != -ERESTARTSYS)
		return n;
	r->fn = poll_restart;
	return -ERESTART_RESTARTBLOCK;
}

int64_t sys_poll(uaddr_t fds, uint32_t nfds, int32_t timeout)
{
	struct restart_block *r = &task_current()->restart;
	uint64_t deadline = deadline_in_ms(timeout);
	int64_t n = poll_until(fds, nfds, deadline);

	if (n != -ERESTARTSYS)
		return n;
	*r = (struct restart_block){ .fn = poll_restart,
				     .arg = { fds.va, nfds, deadline } };
	return -ERESTART_RESTARTBLOCK;
}

/* The end of a call that waited with a mask of its own and a timespec. */
static int64_t masked_wait_end(int64_t result, uaddr_t timeout, uint64_t deadline)
{
	bool interrupted = result == -ERESTARTSYS;

	deadline_to_timespec(timeout, deadline);
	sigmask_end_temporary(interrupted);
	return interrupted ? -ERESTARTNOHAND : result;
}

int64_t sys_ppoll(uaddr_t fds, uint32_t nfds, uaddr_t timeout, uaddr_t sigmask,
		  uint64_t sigsetsize)
{
	uint64_t deadline;
	int err = deadline_from_timespec(timeout, &deadline);

	if (!err)
		err = sigmask_set_temporary(sigmask, sigsetsize);
	if (err)
		return err;
	return masked_wait_end(poll_until(fds, nfds, deadline), timeout, deadline);
}

/* ---- select ---- */

#define SELECT_INLINE 1024 /* descriptors whose sets fit on the stack */
#define WORD_BITS 64u

/* The three sets of select: which events they ask for, and which put a bit into the
 * answer. */
static const uint32_t set_events[3] = {
	POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
	POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
	POLLPRI,
};

struct select_sets {
	uint32_t n;   /* descriptors */
	size_t words; /* of each bitmap */
	uint64_t *asked[3], *found[3];
	uaddr_t user[3];
};

static bool bit_get(const uint64_t *map, uint32_t n)
{
	return map[n / WORD_BITS] >> (n % WORD_BITS) & 1;
}

static void bit_set(uint64_t *map, uint32_t n)
{
	map[n / WORD_BITS] |= BIT(n % WORD_BITS);
}

static int sets_in(struct select_sets *s, uint64_t *space)
{
	size_t bytes = s->words * sizeof *space;

	memset(space, 0, 6 * bytes);
	for (int k = 0; k < 3; k++) {
		s->asked[k] = space + k * s->words;
		s->found[k] = space + (k + 3) * s->words;
		if (s->user[k].va && copy_in(s->asked[k], s->user[k], bytes))
			return -EFAULT;
	}
	return 0;
}

static int sets_out(const struct select_sets *s)
{
	for (int k = 0; k < 3; k++)
		if (s->user[k].va &&
		    copy_out(s->user[k], s->found[k], s->words * sizeof *s->found[k]))
			return -EFAULT;
	return 0;
}

/* One descriptor: bits found, -EBADF. */
static int64_t select_ask_one(struct poll_set *p, struct select_sets *s, uint32_t fd)
{
	uint32_t wanted = 0, events;
	int64_t bits = 0;
	struct file *f;

	for (int k = 0; k < 3; k++)
		if (bit_get(s->asked[k], fd))
			wanted |= set_events[k];
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	events = poll_set_ask(p, f, wanted);
	file_put(f);
	for (int k = 0; k < 3; k++) {
		if (!bit_get(s->asked[k], fd) || !(events & set_events[k]))
			continue;
		bit_set(s->found[k], fd);
		bits++;
	}
	if (bits)
		poll_set_stop_adding(p);
	return bits;
}

static int64_t select_ask(struct poll_set *p, struct select_sets *s)
{
	int64_t found = 0;

	for (size_t w = 0; w < s->words; w++) {
		uint64_t any = s->asked[0][w] | s->asked[1][w] | s->asked[2][w];

		for (; any; any &= any - 1) {
			uint32_t fd = w * WORD_BITS + __builtin_ctzll(any);
			int64_t bits;

			if (fd >= s->n)
				break;
			bits = select_ask_one(p, s, fd);
			if (bits < 0)
				return bits;
			found += bits;
		}
	}
	return found;
}

static int64_t select_wait(struct select_sets *s, uint64_t deadline)
{
	struct poll_set p;
	int64_t found;
	int err = 0;

	poll_set_init(&p);
	for (;;) {
		found = select_ask(&p, s);
		poll_set_stop_adding(&p);
		if (found || err == -ETIMEDOUT || !deadline)
			break;
		err = p.err ? p.err : poll_set_sleep(&p, deadline);
		if (err && err != -ETIMEDOUT) {
			found = err;
			break;
		}
	}
	poll_set_fini(&p);
	return found;
}

static int64_t select_until(int32_t n, const uaddr_t user[3], uint64_t deadline)
{
	uint64_t few[6 * SELECT_INLINE / WORD_BITS], *space = few;
	struct select_sets s = { .user = { user[0], user[1], user[2] } };
	int64_t found;

	if (n < 0)
		return -EINVAL;
	/* Sets may be as short as the table of descriptors: nothing is behind it. */
	s.n = MIN((uint32_t)n, fd_table_size());
	s.words = (s.n + WORD_BITS - 1) / WORD_BITS;
	if (s.n > SELECT_INLINE)
		space = heap_alloc_array(6 * s.words, sizeof *space);
	if (!space)
		return -ENOMEM;
	found = sets_in(&s, space);
	if (!found)
		found = select_wait(&s, deadline);
	if (found >= 0 && sets_out(&s))
		found = -EFAULT;
	if (space != few)
		heap_free(space);
	return found;
}

/* The time left goes back into the timeval, as on Linux. */
int64_t sys_select(int32_t n, uaddr_t in, uaddr_t out, uaddr_t ex, uaddr_t timeout)
{
	uint64_t deadline = NO_DEADLINE, left;
	struct __kernel_old_timeval tv;
	int64_t found;

	if (timeout.va) {
		if (get_user(tv, timeout))
			return -EFAULT;
		if (tv.tv_sec < 0 || tv.tv_usec < 0)
			return -EINVAL;
		deadline = deadline_in(tv.tv_sec + tv.tv_usec / 1000000,
				       tv.tv_usec % 1000000 * NSEC_PER_USEC);
	}
	found = select_until(n, (uaddr_t[]){ in, out, ex }, deadline);
	if (deadline != NO_DEADLINE) {
		left = deadline_left(deadline);
		tv.tv_sec = left / NSEC_PER_SEC;
		tv.tv_usec = left % NSEC_PER_SEC / NSEC_PER_USEC;
		if (put_user(timeout, tv))
			return found; /* read-only timeouts are not an error on Linux */
	}
	return found == -ERESTARTSYS ? -ERESTARTNOHAND : found;
}

/* The sixth argument points at { const sigset_t *set; size_t size } (pselect(2)). */
int64_t sys_pselect6(int32_t n, uaddr_t in, uaddr_t out, uaddr_t ex, uaddr_t timeout,
		     uaddr_t sigmask)
{
	struct {
		uint64_t set, size;
	} arg = { 0, 0 };
	uint64_t deadline;
	int err = sigmask.va ? get_user(arg, sigmask) : 0;

	if (!err)
		err = deadline_from_timespec(timeout, &deadline);
	if (!err)
		err = sigmask_set_temporary(UADDR(arg.set), arg.size);
	if (err)
		return err;
	return masked_wait_end(select_until(n, (uaddr_t[]){ in, out, ex }, deadline),
			       timeout, deadline);
}
