/*
 * Threads and the scheduler: one run queue per CPU. Real-time threads come first, by
 * priority and then in the order they came; the others by virtual run time weighted by
 * nice level. An idle CPU steals. No tick: the timer is armed for a slice's end only
 * while more than one thread wants the CPU.
 *
 * Always true:
 *  S1  a thread is on exactly one run queue when READY or RUNNING, on none otherwise;
 *  S2  only the run queue's lock holder changes state to and from RUNNING;
 *  S3  kernel code gives the CPU up only in sched_block, sched_yield and on return to
 *      user;
 *  S4  where others wait, real-time threads get at most SCHED_RT_RUNTIME_NS of each
 *      SCHED_RT_PERIOD_NS of a CPU.
 */
#ifndef CORE_SCHED_H
#define CORE_SCHED_H

#include "arch/arch.h"
#include "core/spinlock.h"
#include "lib/list.h"
#include "lib/rbtree.h"

enum thread_state {
	THREAD_NEW,
	THREAD_READY, /* waiting for a CPU */
	THREAD_RUNNING,
	THREAD_SLEEP,	 /* interruptible */
	THREAD_BLOCKED,	 /* uninterruptible */
	THREAD_KILLABLE, /* only WORK_KILL interrupts it */
	THREAD_STOPPED,	 /* by job control or a tracer */
	THREAD_DEAD,
};

/* Work to do before the thread runs user code. Any bit set: upcall_user_return is
 * called. */
enum thread_work {
	WORK_RESCHED = 1,
	/* a signal may be deliverable; interrupts interruptible sleeps */
	WORK_SIGNAL = 2,
	WORK_STOP = 4,	 /* stop, exit or exec of the group: also interrupts sleeps */
	WORK_NOTIFY = 8, /* one-off work of upper layers (task_work) */
	WORK_RESTORE_SIGMASK = 16, /* a *pmask call left a mask to put back */
	WORK_KILL = 32,		   /* fatal: ends even `killable` waits */
	/* Stays set while a tracer wants to see the thread's system calls: no work by
	 * itself, but it takes the long way in and out. */
	WORK_TRACE = 64,
	WORK_RECORD = 128,   /* the same, for /proc/mayfly/trace */
	WORK_DISPATCH = 256, /* the same: the program wants some of its calls itself */
};
#define WORK_LASTING (WORK_TRACE | WORK_RECORD | WORK_DISPATCH)

/* What a thread has caused so far: /proc/<pid>/io, getrusage(2). */
struct thread_counts {
	uint64_t min_flt, maj_flt;	  /* page faults, without and with a read */
	uint64_t rchar, wchar;		  /* bytes that calls moved */
	uint64_t syscr, syscw;		  /* those calls */
	uint64_t read_bytes, write_bytes; /* moved from and to devices on its behalf */
};

static inline void thread_counts_add(struct thread_counts *to,
				     const struct thread_counts *from)
{
	to->min_flt += from->min_flt;
	to->maj_flt += from->maj_flt;
	to->rchar += from->rchar;
	to->wchar += from->wchar;
	to->syscr += from->syscr;
	to->syscw += from->syscw;
	to->read_bytes += from->read_bytes;
	to->write_bytes += from->write_bytes;
}

struct thread {
	/* enum thread_work; must stay first: entry code tests it */
	_Atomic uint32_t work;
	uint32_t id; /* [I] the kernel's own number, for the log */

	/* guarded by its run queue's lock */
	_Atomic uint32_t state; /* enum thread_state; own thread may set it to sleep */
	bool on_queue;
	_Atomic bool on_cpu; /* its stack is in use */
	uint32_t cpu;	     /* run queue it belongs to */
	cpumask_t affinity;
	int8_t nice;	      /* -20..19 */
	uint8_t policy;	      /* SCHED_NORMAL, _BATCH, _IDLE, _FIFO or _RR */
	uint8_t priority;     /* 1..99 with _FIFO and _RR, else 0 */
	uint8_t lent;	      /* what waits for it on a lock has this, or 0 */
	uint8_t rt;	      /* the larger of the two: what counts */
	bool reset_on_fork;   /* children begin as SCHED_NORMAL, nice 0 at best */
	int8_t weight;	      /* nice, or SCHED_WEIGHT_IDLE */
	int64_t rr_left_ns;   /* of an SCHED_RR thread's turn */
	int64_t rt_order;     /* among the waiting of one priority: the lowest is first */
	uint64_t rt_spent_ns; /* real-time run time since it last slept: RLIMIT_RTTIME */
	uint64_t vruntime;    /* weighted ns */
	uint64_t run_start;   /* clock at last accounting */
	struct rb_node run_node;

	/* run time, ns; written by the running CPU. What a tick finds in user mode is the
	 * user's; the rest of a run belongs to the kernel if it ended by blocking. */
	uint64_t user_ns, sys_ns;
	uint64_t tick_ns; /* run since its last tick */
	uint64_t switches_voluntary, switches_forced;
	struct thread_counts
		counts; /* own thread writes; others' torn reads do no harm */

	struct arch_thread arch;
	void *kstack;	       /* [I] lowest address */
	void (*start)(void *); /* [I] its function */
	void *start_arg;
	void (*on_dead)(void *); /* own thread sets before it dies */
	void *on_dead_arg;
	char name[16]; /* comm; own thread writes */

	/* What upper layers hang on a thread. Own thread writes; core only passes them
	 * on. space's page tables are switched by core through pt. */
	struct arch_pt *pt;  /* NULL: kernel thread, keeps whatever is loaded */
	struct space *space; /* mm */
	uint64_t notes;	     /* of its call, for the audit log: proc/audit.h */
	/* fs: the last two paths that it named */
	struct thread_named {
		uint64_t from; /* where in its memory */
		char text[128];
	} named[2];
	uint32_t named_next;
	/* sec: [own] effective subjective credentials, immutable object */
	struct cred *cred;
	/* sec, proc: what of the kernel it may use; process->lock to change, by its own
	 * thread or one of its process. proc/policy.h says what always holds. */
	struct gate {
		uint64_t asks[8]; /* a bit per system call that is not simply allowed */
		/* Landlock's, the thread's own: the same */
		struct landlock_layer *landlock;
		struct policy_layer *policy; /* topmost; referenced; NULL: none */
		/* seccomp(2), proc/seccomp.h: the newest; referenced; NULL: none */
		struct seccomp_filter *filter;
		bool strict; /* SECCOMP_MODE_STRICT */
		/* it gained privilege under them: POLICY_FLAG_GAIN_KILL */
		/* POLICY_READ ...: what the policies do not allow everywhere */
		uint32_t limited;
		bool errors_kill;
	} gate;
	struct files *files; /* fs: descriptor table */
	struct fs_ctx *fs;   /* fs: root, cwd, umask */
	struct task *task;   /* proc; NULL: kernel thread */
};

void sched_init(void); /* boot CPU's run queue and idle thread (the caller) */
void sched_secondary_init(void);

/* Where threads' memory comes from: mm, set before the first thread. */
struct thread_memory_ops {
	void *(*stack_alloc)(void); /* KSTACK_SIZE, guarded; lowest address or NULL */
	void (*stack_free)(void *stack);
	void *(*zalloc)(size_t n);
	void (*free)(void *p);
};
void thread_set_memory_ops(const struct thread_memory_ops *ops);

/* New thread, state THREAD_NEW, with a kernel stack; fn(arg) runs on the first switch.
 * 0 or -ENOMEM. */
must_use int thread_new(const char *name, void (*fn)(void *), void *arg,
			struct thread **ret);
/* Embedded form: t is zeroed memory of the caller; the stack is allocated. */
must_use int thread_init(struct thread *t, const char *name, void (*fn)(void *),
			 void *arg);
/* frees the stack; t has never run or is DEAD, off CPU */
void thread_fini(struct thread *t);
/* Ends the calling thread. `done(arg)` runs on another stack once this one is free. */
noreturn_fn void thread_exit(void (*done)(void *), void *arg);
/* The idle loop of this CPU: never returns. */
noreturn_fn void sched_idle(void);
static inline void *thread_kstack_top(struct thread *t)
{
	return (char *)t->kstack + KSTACK_SIZE;
}

void sched_start(struct thread *t); /* NEW -> READY */
/* SLEEP or BLOCKED -> READY; false: was not asleep */
bool sched_wake(struct thread *t);
/* Wakes only if the state is in the mask (BIT(THREAD_SLEEP) …). */
bool sched_wake_state(struct thread *t, uint32_t state_mask);
void sched_block(void); /* gives the CPU up; the caller has set its state */
/* Waits for a thread that has set a sleeping state to be off its CPU: a few instructions'
 * time, so it spins as a lock would. From then on its registers are all in memory. */
void sched_wait_off_cpu(const struct thread *t);
void sched_yield(void); /* stays ready, lets others go first */
/* Sets work bits; wakes the thread from a sleep that the bits interrupt (WORK_SIGNAL,
 * WORK_STOP: SLEEP; WORK_KILL: KILLABLE too); when it runs on another CPU, makes it
 * notice. */
void thread_set_work(struct thread *t, uint32_t bits);
static inline void thread_clear_work(struct thread *t, uint32_t bits)
{
	__atomic_fetch_and((uint32_t *)&t->work, ~bits, __ATOMIC_ACQ_REL);
}
static inline uint32_t thread_work(const struct thread *t)
{
	return __atomic_load_n((const uint32_t *)&t->work, __ATOMIC_ACQUIRE);
}
static inline bool thread_interrupted(void)
{
	return thread_work(thread_current()) & (WORK_SIGNAL | WORK_STOP | WORK_KILL);
}

void sched_set_nice(struct thread *t, int nice);
/* sched(7): what a thread is to be scheduled as. */
struct sched_class {
	uint32_t policy;   /* SCHED_NORMAL, _BATCH, _IDLE, _FIFO or _RR */
	uint32_t priority; /* 1..99 with _FIFO and _RR, else 0 */
	bool reset_on_fork;
};
void sched_set_class(struct thread *t, const struct sched_class *c);
void sched_get_class(struct thread *t, struct sched_class *ret);
/* A child's, which has not started, of its parent's: class, nice level, affinity. */
void sched_inherit(struct thread *child, struct thread *parent);
/* Priority inheritance: t counts as a thread of this priority (1..99) for the time being;
 * 0: no more. */
void sched_lend(struct thread *t, uint32_t priority);
#define SCHED_RR_NS (100 * NSEC_PER_MSEC) /* an SCHED_RR thread's turn */
#define SCHED_RT_PERIOD_NS NSEC_PER_SEC
#define SCHED_RT_RUNTIME_NS (950 * NSEC_PER_MSEC)
/* -EINVAL: no CPU left */
must_use int sched_set_affinity(struct thread *t, cpumask_t mask);
/* On the way to user mode with WORK_RESCHED set: lets a better thread run. */
void sched_preempt(void);
/* Between two pieces of long work, where a thread may sleep: the kernel is not preempted,
 * so it must give way by itself. */
static inline void sched_give_way(void)
{
	if (unlikely(thread_work(thread_current()) & WORK_RESCHED))
		sched_preempt();
}
/* The same, for work that a signal may cut short: false when one has come. */
static inline must_use bool sched_may_go_on(void)
{
	sched_give_way();
	return !thread_interrupted();
}
/* Called by the tick, at most every SCHED_TICK_NS of a thread's run time, in interrupt
 * context: CPU-time limits and timers. Set once by proc. */
#define SCHED_TICK_NS (10 * NSEC_PER_MSEC)
void sched_set_tick_hook(void (*fn)(struct thread *t, bool user));

/* /proc/stat, /proc/loadavg */
struct sched_stats {
	uint64_t user_ns, sys_ns, idle_ns, irq_count, switches;
};
void sched_cpu_stats(uint32_t cpu, struct sched_stats *ret);
uint32_t sched_running(void);		    /* threads ready or running, without idle */
void sched_loadavg(uint32_t ret[3]);	    /* fixed point, 11 fraction bits */
uint64_t sched_thread_ns(struct thread *t); /* CPU time up to now */

#endif
