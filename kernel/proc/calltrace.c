/* The queue of records behind /proc/mayfly/trace. */
#include <asm/poll.h>

#include "core/panic.h"
#include "core/timer.h"
#include "lib/string.h"
#include "proc/calltrace.h"
#include "proc/proc.h"
#include "proc/procfs.h"

#define QUEUE_SIZE KIB(256) /* a power of two, many times a record */
#define END_SIZE (sizeof(struct calltrace_head) + sizeof(struct calltrace_exited))

struct calltrace {
	struct ref refs;	     /* the file, and each thread */
	const struct process *owner; /* [I] process 1; compared, never followed */

	/* RANK_PIPE: who writes a record. It is not held while the queue is full, so it
	 * comes soon. */
	struct mutex pen;
	/* [pen] it, until it is in the queue */
	uint8_t record[CALLTRACE_RECORD_MAX] __attribute__((aligned(8)));
	struct calltrace_writer writer; /* [pen] */

	struct mutex reader; /* RANK_PIPE: who reads */

	struct spinlock lock; /* RANK_OBJECT */
	/* guarded by lock. Bytes written and read since the beginning; the bytes between
	 * them are in the queue, and only its writer and its reader touch them. */
	uint64_t head, tail;
	struct list ends;  /* threads that are gone, by ->at */
	uint32_t followed; /* threads whose records will come */
	bool begun;	   /* there has been one */
	bool closed;	   /* the file is: nobody reads any more */
	struct waitq room, data;
	uint8_t queue[QUEUE_SIZE]; /* a ring: [head - tail) at tail % QUEUE_SIZE */
};

/* A thread's side. */
struct calltrace_task {
	struct calltrace *trace; /* referenced */
	bool owner;		 /* it opened the file: only its children are followed */
	bool held_back;		 /* until its first execve works out */
	/* [own] held back: room for a record, heap; the size of that in it, 0: none */
	uint8_t *kept;
	size_t kept_size;
	/* [trace->lock] once it is gone: the record that says so, and where it comes */
	struct list link;
	uint64_t at;
	uint8_t end[END_SIZE] __attribute__((aligned(8)));
};

/* One at a time: taken by open, given back by the last close. */
static bool is_open;

static void trace_put(struct calltrace *c)
{
	if (ref_put(&c->refs))
		heap_free(c);
}

static bool closed(const struct calltrace *c)
{
	return __atomic_load_n(&c->closed, __ATOMIC_ACQUIRE);
}

/* ---- writing ---- */

/* For any record. Only the holder of the pen can use it up. */
static bool has_room(struct calltrace *c)
{
	uint64_t flags = spin_lock_irq(&c->lock);
	bool fits = c->closed || QUEUE_SIZE - (c->head - c->tail) >= CALLTRACE_RECORD_MAX;

	spin_unlock_irq(&c->lock, flags);
	return fits;
}

static void queue_fill(struct calltrace *c, const uint8_t *bytes, size_t n)
{
	size_t at = c->head % QUEUE_SIZE, first = MIN(n, QUEUE_SIZE - at);
	uint64_t flags;

	memcpy(c->queue + at, bytes, first);
	memcpy(c->queue, bytes + first, n - first);
	flags = spin_lock_irq(&c->lock);
	c->head += n;
	spin_unlock_irq(&c->lock, flags);
	wake_poll(&c->data, POLLIN | POLLRDNORM);
}

/* The pen, and room for what it writes. False: killed while the queue was full. */
static bool pen_take(struct calltrace *c)
{
	for (;;) {
		if (wait_event_killable(&c->room, has_room(c)))
			return false;
		mutex_lock(&c->pen);
		if (has_room(c))
			return true;
		mutex_unlock(&c->pen);
	}
}

/* The pen is given back. */
static void queue_put(struct calltrace *c, const uint8_t *bytes, size_t n)
{
	if (!closed(c))
		queue_fill(c, bytes, n);
	mutex_unlock(&c->pen);
}

bool calltrace_record(enum calltrace_type type, const void *body,
		      struct calltrace_writer **ret_w)
{
	struct task *t = task_current();
	struct calltrace *c = t->calltrace->trace;

	*ret_w = NULL;
	if (closed(c))
		return true;
	if (!pen_take(c))
		return false;
	c->writer.at = c->record;
	calltrace_begin(&c->writer, type, t->tid, clock_mono(), body);
	*ret_w = &c->writer;
	return true;
}

void calltrace_record_end(struct calltrace_writer *w)
{
	struct calltrace *c = container_of(w, struct calltrace, writer);

	queue_put(c, c->record, calltrace_end(w));
}

/* ---- a child of process 1 ---- */

bool calltrace_held_back(void)
{
	return task_current()->calltrace->held_back;
}

void calltrace_record_keep(struct calltrace_writer *w)
{
	struct calltrace_task *ct = task_current()->calltrace;

	ct->kept_size = calltrace_end(w);
	memcpy(ct->kept, w->at, ct->kept_size);
	mutex_unlock(&ct->trace->pen);
}

bool calltrace_release(void)
{
	struct calltrace_task *ct = task_current()->calltrace;
	bool told = pen_take(ct->trace);

	ct->held_back = false;
	if (told)
		queue_put(ct->trace, ct->kept, ct->kept_size);
	heap_free(ct->kept);
	ct->kept = NULL;
	return told;
}

/* ---- threads ---- */

static struct calltrace_task *follow(struct calltrace *c, bool held_back)
{
	struct calltrace_task *ct = heap_zalloc(sizeof *ct);

	if (ct && held_back)
		ct->kept = heap_alloc(CALLTRACE_RECORD_MAX);
	if (!ct || (held_back && !ct->kept)) {
		heap_free(ct);
		return NULL;
	}
	ref_get(&c->refs);
	ct->trace = c;
	ct->held_back = held_back;
	list_init(&ct->link);
	return ct;
}

int calltrace_inherit(struct task *t)
{
	const struct calltrace_task *mine = task_current()->calltrace;
	struct calltrace *c = mine->trace;
	uint64_t flags;

	if (closed(c))
		return 0;
	t->calltrace = follow(c, mine->owner || mine->held_back);
	if (!t->calltrace)
		return -ENOMEM;
	thread_set_work(&t->thread, WORK_RECORD);
	flags = spin_lock_irq(&c->lock);
	c->followed++;
	c->begun = true;
	spin_unlock_irq(&c->lock, flags);
	return 0;
}

static void unfollow(struct calltrace_task *ct)
{
	struct calltrace *c = ct->trace;
	uint64_t flags = spin_lock_irq(&c->lock);
	bool last = !ct->owner && --c->followed == 0;

	spin_unlock_irq(&c->lock, flags);
	if (last)
		wake_poll(&c->data, POLLIN | POLLRDNORM | POLLHUP);
}

static void task_free(struct calltrace_task *ct)
{
	struct calltrace *c = ct->trace;

	heap_free(ct->kept);
	heap_free(ct);
	trace_put(c);
}

void calltrace_drop(struct task *t)
{
	struct calltrace_task *ct = t->calltrace;

	t->calltrace = NULL;
	thread_clear_work(&t->thread, WORK_RECORD);
	unfollow(ct);
	task_free(ct);
}

bool calltrace_cut_short(void)
{
	struct process *p = process_current();
	uint64_t flags;
	int sig;

	if (!(thread_work(thread_current()) & WORK_KILL))
		return false;
	/* One that ends by another signal than SIGKILL tells of that signal: it is what
	 * interrupts the call. */
	flags = spin_lock_irq(&p->lock);
	sig = p->exiting ? p->exit_status & 0x7f : 0;
	spin_unlock_irq(&p->lock, flags);
	return !sig || sig == SIGKILL;
}

void calltrace_signal(const siginfo_t *info)
{
	struct calltrace_writer *w;
	uint8_t body[128];

	_Static_assert(sizeof *info == sizeof body, "siginfo_t as the record has it");
	if (calltrace_held_back())
		return;
	memcpy(body, info, sizeof body);
	if (calltrace_record(CALLTRACE_SIGNAL, body, &w) && w)
		calltrace_record_end(w);
}

/* The thread that takes over the number of t, a leader that ends; 0: none. */
static int32_t successor(struct task *t)
{
	struct process *p = t->process;
	uint64_t flags = spin_lock_irq(&p->lock);
	bool taken = p->exec_task && p->leader == t && !p->exiting;
	int32_t tid = taken ? p->exec_task->tid : 0;

	spin_unlock_irq(&p->lock, flags);
	return tid;
}

void calltrace_exited(int32_t status)
{
	struct task *t = task_current();
	struct calltrace_task *ct = t->calltrace;
	struct calltrace *c = ct->trace;
	struct calltrace_writer w = { .at = ct->end };
	struct calltrace_exited body = { (uint32_t)status, successor(t) };
	uint64_t flags;
	bool told;

	if (ct->owner || ct->held_back) {
		calltrace_drop(t);
		return;
	}
	t->calltrace = NULL;
	thread_clear_work(&t->thread, WORK_RECORD);
	calltrace_begin(&w, CALLTRACE_EXITED, t->tid, clock_mono(), &body);
	insist(calltrace_end(&w) == END_SIZE);
	flags = spin_lock_irq(&c->lock);
	told = !c->closed;
	if (told) {
		ct->at = c->head;
		list_push_back(&c->ends, &ct->link);
	}
	c->followed--;
	spin_unlock_irq(&c->lock, flags);
	if (told)
		wake_poll(&c->data, POLLIN | POLLRDNORM | POLLHUP);
	else
		task_free(ct);
}

/* ---- reading ---- */

/* What comes next: the end of a thread, or up to *ret_n bytes of the queue. */
static struct calltrace_task *next(struct calltrace *c, size_t *ret_n, bool *ret_over)
{
	uint64_t flags = spin_lock_irq(&c->lock);
	struct calltrace_task *end =
		list_empty(&c->ends) ? NULL
				     : list_first(&c->ends, struct calltrace_task, link);

	*ret_n = (end ? end->at : c->head) - c->tail;
	*ret_over = c->begun && !c->followed && !end && !*ret_n;
	spin_unlock_irq(&c->lock, flags);
	return end;
}

static bool readable(struct calltrace *c)
{
	size_t n;
	bool over;
	const struct calltrace_task *end = next(c, &n, &over);

	return end || n || over;
}

/* One piece of the stream. Bytes; 0: nothing there; -EFAULT, -EINVAL (a buffer that a
 * record of a thread's end does not fit in). */
static int64_t read_piece(struct calltrace *c, struct uio *u)
{
	size_t n, at = c->tail % QUEUE_SIZE;
	bool over;
	struct calltrace_task *end = next(c, &n, &over);
	uint64_t flags;
	int64_t done;

	if (!n && !end)
		return 0;
	if (!n && u->left < END_SIZE)
		return -EINVAL;
	done = n ? uio_write(u, c->queue + at, MIN(MIN(n, QUEUE_SIZE - at), u->left))
		 : uio_write(u, end->end, END_SIZE);
	if (done <= 0 || (!n && done < (int64_t)END_SIZE))
		return -EFAULT;
	flags = spin_lock_irq(&c->lock);
	if (n)
		c->tail += (uint64_t)done;
	else
		list_del(&end->link);
	spin_unlock_irq(&c->lock, flags);
	if (n)
		wake_all(&c->room);
	else
		task_free(end);
	return done;
}

/* The reader's lock is held. */
static int64_t read_some(struct calltrace *c, struct uio *u)
{
	int64_t sum = 0, n = 0;

	while (u->left && (n = read_piece(c, u)) > 0)
		sum += n;
	return sum ? sum : n;
}

static bool is_over(struct calltrace *c)
{
	size_t n;
	bool over;

	(void)next(c, &n, &over);
	return over;
}

static int64_t calltrace_read(struct file *f, struct uio *u, uint64_t *pos)
{
	struct calltrace *c = f->priv;
	int64_t n;
	int err;

	if (process_current() != c->owner) /* L2 */
		return -EPERM;
	if (!u->left)
		return 0;
	for (;;) {
		mutex_lock(&c->reader);
		n = read_some(c, u);
		mutex_unlock(&c->reader);
		if (n || is_over(c))
			return n;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		err = wait_event_intr(&c->data, readable(c));
		if (err)
			return err;
	}
}

static uint32_t calltrace_poll(struct file *f, struct poll_table *pt)
{
	struct calltrace *c = f->priv;

	poll_add(pt, f, &c->data);
	if (is_over(c))
		return POLLHUP;
	return readable(c) ? POLLIN | POLLRDNORM : 0;
}

/* ---- the file ---- */

static int calltrace_open(struct inode *i, struct file *f)
{
	struct task *me = task_current();
	uint64_t offset = clock_real_offset();
	bool expected = false;
	struct calltrace *c;

	if (me->process != init_process || !cred_has_cap(me->thread.cred, CAP_SYS_ADMIN))
		return -EPERM;
	if (!__atomic_compare_exchange_n(&is_open, &expected, true, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return -EBUSY;
	/* Its threads may outlive a file that was closed. */
	if (me->calltrace)
		calltrace_drop(me);
	c = heap_zalloc(sizeof *c);
	if (!c)
		goto no_memory;
	ref_init(&c->refs, 1);
	c->owner = me->process;
	mutex_init(&c->pen, RANK_PIPE);
	mutex_init(&c->reader, RANK_PIPE);
	spin_init(&c->lock, RANK_OBJECT);
	list_init(&c->ends);
	waitq_init(&c->room);
	waitq_init(&c->data);
	c->writer.at = c->record;
	me->calltrace = follow(c, false);
	if (!me->calltrace)
		goto no_memory;
	me->calltrace->owner = true;
	calltrace_begin(&c->writer, CALLTRACE_BEGIN, me->tid, clock_mono(), &offset);
	queue_fill(c, c->record, calltrace_end(&c->writer));
	f->priv = c;
	return 0;
no_memory:
	heap_free(c);
	__atomic_store_n(&is_open, false, __ATOMIC_RELEASE);
	return -ENOMEM;
}

static void calltrace_close(struct file *f)
{
	struct calltrace *c = f->priv;
	struct list ends = LIST_INIT(ends);
	uint64_t flags = spin_lock_irq(&c->lock);

	__atomic_store_n(&c->closed, true, __ATOMIC_RELEASE);
	list_for_each_safe(ct, &c->ends, struct calltrace_task, link)
	{
		list_del(&ct->link);
		list_push_back(&ends, &ct->link);
	}
	spin_unlock_irq(&c->lock, flags);
	wake_all(&c->room);
	list_for_each_safe(ct, &ends, struct calltrace_task, link)
	{
		list_del(&ct->link);
		task_free(ct);
	}
	trace_put(c);
	__atomic_store_n(&is_open, false, __ATOMIC_RELEASE);
}

static const struct file_ops calltrace_ops = {
	.open = calltrace_open,
	.release = calltrace_close,
	.read = calltrace_read,
	.poll = calltrace_poll,
	.stream = true,
};

void calltrace_fill(void)
{
	proc_made(proc_file_ops("mayfly/trace", 0400, &calltrace_ops, NULL));
}
