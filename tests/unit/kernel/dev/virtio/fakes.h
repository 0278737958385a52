/*
 * What virtio drivers stand on, for their tests: memory that is counted and can fail,
 * locks that are none, and interrupts that cannot be switched off. Included by one file
 * each.
 */
#ifndef TESTS_UNIT_KERNEL_DEV_VIRTIO_FAKES_H
#define TESTS_UNIT_KERNEL_DEV_VIRTIO_FAKES_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#include "core/log.h"
#include "core/panic.h"
#include "core/wait.h"
#include "dev/virtio/virtio.h"
#include "mm/page.h"
#include "mm/slab.h"

/* Objects in use; the fail_in-th allocation from now on fails, once. */
static long n_allocated, fail_in;
static int n_logged;

static void *take(size_t align, size_t n)
{
	void *p;
	if (fail_in && --fail_in == 0)
		return NULL;
	n_allocated++;
	p = aligned_alloc(align, ALIGN_UP(n, align));
	memset(p, 0, n);
	return p;
}

static void give(void *p)
{
	n_allocated -= p != NULL;
	free(p);
}

void *heap_zalloc(size_t n)
{
	return take(16, n);
}

void heap_free(void *p)
{
	give(p);
}

void *page_mem_alloc(uint32_t flags)
{
	return take(PAGE_SIZE, PAGE_SIZE);
}

void page_mem_free(void *p)
{
	give(p);
}

paddr_t arch_direct_pa(const void *va)
{
	return (paddr_t)va;
}

void panic(const char *fmt, ...)
{
	abort();
}

void log_at(enum log_level level, const char *fmt, ...)
{
	n_logged++;
}

void spin_lock_slow(struct spinlock *l)
{
	abort();
}

void lock_debug_acquire(struct spinlock *l)
{
}

void lock_debug_release(struct spinlock *l)
{
}

void waitq_init(struct waitq *q)
{
	list_init(&q->waiters);
}

void wake_key(struct waitq *q, uint32_t n, uint32_t key)
{
}

struct page_map page_map;

/* cli and sti are one byte each, and nothing to a test. */
static void step_over(int sig, siginfo_t *info, void *context)
{
	greg_t *rip = &((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	uint8_t op = *(const uint8_t *)*rip;

	if (op != 0xfa && op != 0xfb)
		abort();
	++*rip;
}

/* In each test: cmocka takes the signal for itself before. */
static inline void interrupts_fake(void)
{
	struct sigaction act = { .sa_sigaction = step_over, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &act, NULL);
}

#endif
