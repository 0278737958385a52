/*
 * The boot order, as a table. What comes before the first thread runs on the boot stack
 * and may not sleep; the rest runs in a thread of its own, which then becomes the first
 * process's maker.
 */
#include "arch/upcall.h"
#include "core/cmdline.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/sched.h"
#include "init/init.h"
#include "ipc/ipc.h"
#include "mm/page.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "proc/task.h"

struct step {
	const char *name; /* of its mark on the boot time line */
	void (*run)(void);
};

static void console_level(void)
{
	log_set_console_level((enum log_level)cmdline_u64("loglevel", LOG_WARN));
}

static const struct step before_threads[] = {
	{ "pages", page_init },	     { "heap", slab_init },
	{ "scheduler", sched_init }, { "console", console_level },
	{ "spaces", space_init },    { "cpus", arch_smp_start },
};

static const struct step with_threads[] = {
	{ "files", init_files },
	{ "processes", proc_init },
	{ "ipc", ipc_init },
	{ "devices", init_devices },
	{ "panic test", init_panic_test },
	{ "root", init_root },
	{ "sealed", arch_seal },
};

static void run(const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		steps[i].run();
		timeline_mark(steps[i].name);
	}
}

static void boot_thread(void *arg)
{
	(void)arg;
	thread_current()->cred = &cred_root;
	run(with_threads, ARRAY_LEN(with_threads));
	init_start_agent();
	thread_exit(NULL, NULL);
}

void kernel_main(void)
{
	struct thread *t;
	timeline_mark("kernel");
	run(before_threads, ARRAY_LEN(before_threads));
	if (thread_new("boot", boot_thread, NULL, &t))
		panic("no memory for the first thread");
	sched_start(t);
	irq_enable();
	sched_idle();
}
