/* Threads from birth to death: stacks, first steps, last rites. */
#include <asm/errno.h>

#include "core/panic.h"
#include "core/runq.h"
#include "lib/string.h"

static _Atomic uint32_t next_id = 1;
static const struct thread_memory_ops *memory; /* [I] after boot's first steps */

void thread_set_memory_ops(const struct thread_memory_ops *ops)
{
	memory = ops;
}

static noreturn_fn void thread_main(void *arg)
{
	struct thread *t = arg;
	sched_thread_begin();
	t->start(t->start_arg);
	panic("thread %s returned from its function", t->name);
}

int thread_init(struct thread *t, const char *name, void (*fn)(void *), void *arg)
{
	void *stack = memory->stack_alloc();
	if (!stack)
		return -ENOMEM;
	t->kstack = stack;
	t->id = __atomic_fetch_add((uint32_t *)&next_id, 1, __ATOMIC_RELAXED);
	t->state = THREAD_NEW;
	t->affinity = (cpumask_t)(BIT(CPU_MAX) - 1);
	t->start = fn;
	t->start_arg = arg;
	(void)str_copy(t->name, name, sizeof t->name);
	arch_thread_init(&t->arch, thread_kstack_top(t), thread_main, t);
	return 0;
}

void thread_fini(struct thread *t)
{
	insist(!t->on_cpu && !t->on_queue);
	memory->stack_free(t->kstack);
	t->kstack = NULL;
}

int thread_new(const char *name, void (*fn)(void *), void *arg, struct thread **ret)
{
	struct thread *t = memory->zalloc(sizeof *t);
	if (!t)
		return -ENOMEM;
	int err = thread_init(t, name, fn, arg);
	if (err) {
		memory->free(t);
		return err;
	}
	*ret = t;
	return 0;
}

void thread_exit(void (*done)(void *), void *arg)
{
	struct thread *t = thread_current();
	t->on_dead = done;
	t->on_dead_arg = arg;
	__atomic_store_n((uint32_t *)&t->state, THREAD_DEAD, __ATOMIC_SEQ_CST);
	sched_block();
	panic("dead thread %s ran", t->name);
}
