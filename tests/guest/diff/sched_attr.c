/* sched_setattr(2): what it refuses, in which order; SCHED_DEADLINE. */
#include "diff.h"

#define sched_param linux_sched_param
#include <linux/sched/types.h>
#undef sched_param
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MS 1000000ull

static struct sched_attr attr_of(uint32_t policy)
{
	return (struct sched_attr){ .size = sizeof(struct sched_attr),
				    .sched_policy = policy };
}

static struct sched_attr deadline_of(uint64_t runtime, uint64_t deadline, uint64_t period)
{
	struct sched_attr a = attr_of(SCHED_DEADLINE);

	a.sched_runtime = runtime;
	a.sched_deadline = deadline;
	a.sched_period = period;
	return a;
}

static void say_set(const char *what, struct sched_attr a)
{
	long r = syscall(SYS_sched_setattr, 0, &a, 0);

	say("%s: %s", what, r ? err_name(errno) : "done");
}

static void say_deadline(const char *what, uint64_t runtime, uint64_t deadline,
			 uint64_t period)
{
	say_set(what, deadline_of(runtime, deadline, period));
}

DIFF_CASE(sched_deadline_makes_no_sense)
{
	say_deadline("nothing", 0, 0, 0);
	say_deadline("no runtime", 0, 10 * MS, 10 * MS);
	say_deadline("runtime of 1023 ns", 1023, 10 * MS, 10 * MS);
	say_deadline("no deadline", 5 * MS, 0, 10 * MS);
	say_deadline("runtime after the deadline", 11 * MS, 10 * MS, 20 * MS);
	say_deadline("deadline after the period", MS, 10 * MS, 9 * MS);
	say_deadline("period of 99 us", 2000, 99000, 99000);
	say_deadline("that of the deadline", 2000, 99000, 0);
	say_deadline("period of 5 s", MS, 10 * MS, 5000 * MS);
	say_deadline("deadline of 5 s", MS, 5000 * MS, 0);
	say_deadline("63 bits", MS, 1ull << 63, 0);
	say_deadline("63 bits of period", MS, 10 * MS, 1ull << 63);
	struct sched_attr a = deadline_of(MS, 10 * MS, 10 * MS);
	a.sched_priority = 1;
	say_set("with a priority", a);
	a.sched_priority = 0;
	a.sched_flags = 1ull << 40;
	say_set("with unknown flags", a);
	a.sched_flags = 0x10000000;
	say_set("with the governor's flag", a);
	struct sched_param p = { 0 };
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_DEADLINE, &p));
	p.sched_priority = 1;
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_DEADLINE, &p));
	TRY(syscall(SYS_sched_setscheduler, 0, SCHED_DEADLINE | SCHED_RESET_ON_FORK, &p));
	SHOW(syscall(SYS_sched_getscheduler, 0));
	SHOW(sched_get_priority_max(SCHED_DEADLINE));
	SHOW(sched_get_priority_min(SCHED_DEADLINE));
}

static void deadline_as_nobody(void)
{
	say_deadline("what makes sense", MS, 10 * MS, 10 * MS);
	say_deadline("what makes none", MS, 10 * MS, 9 * MS);
	say_deadline("too much", 10 * MS, 10 * MS, 10 * MS);
}

DIFF_CASE(sched_deadline_takes_a_right)
{
	as_nobody(deadline_as_nobody);
}

/* Not bound to some of the CPUs, so with more than one only. */
DIFF_CASE(sched_deadline_wants_every_cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	NEED(sched_setaffinity(0, sizeof set, &set) == 0);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		say_deadline("bound", MS, 10 * MS, 10 * MS);
	else
		say("bound: EPERM");
}

DIFF_CASE(sched_deadline_is_admitted)
{
	say_deadline("a tenth", MS, 10 * MS, 10 * MS);
	SHOW(syscall(SYS_sched_getscheduler, 0));
}

DIFF_CASE(sched_attr_sizes)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct sched_attr *a = (struct sched_attr *)page;
	static const uint32_t sizes[] = { 0,  1,  47, 48,   49,	  55,
					  56, 57, 64, 4096, 4097, UINT32_MAX };

	NEED(page != MAP_FAILED);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		memset(page, 0, 8192);
		a->size = sizes[i];
		long r = syscall(SYS_sched_setattr, 0, a, 0);
		say("size %u: %s, then %u", sizes[i], r ? err_name(errno) : "done",
		    a->size);
	}
	memset(page, 0, 8192);
	a->size = 64;
	page[60] = 1;
	TRY(syscall(SYS_sched_setattr, 0, a, 0));
	SHOW(a->size);
	a->size = 48;
	page[50] = 1;
	TRY(syscall(SYS_sched_setattr, 0, a, 0));
	NEED(munmap(page + 4096, 4096) == 0);
	a = (struct sched_attr *)(page + 4096 - 48);
	*(uint32_t *)a = 48;
	TRY(syscall(SYS_sched_setattr, 0, a, 0));
	*(uint32_t *)a = 56;
	TRY(syscall(SYS_sched_setattr, 0, a, 0));
	TRY(syscall(SYS_sched_setattr, 0, page + 4094, 0));
	TRY(syscall(SYS_sched_setattr, 0, NULL, 0));
	TRY(syscall(SYS_sched_setattr, -1, a, 0));
	TRY(syscall(SYS_sched_setattr, 0, a, 1));
	TRY(syscall(SYS_sched_setattr, -1, NULL, 1));
}

DIFF_CASE(sched_attr_order)
{
	struct sched_attr a = attr_of(SCHED_OTHER);

	a.sched_policy = (uint32_t)-1;
	say_set("a negative policy", a);
	TRY(syscall(SYS_sched_setattr, 0x3fffffff, &a, 0));
	a.sched_policy = 77;
	say_set("no policy", a);
	TRY(syscall(SYS_sched_setattr, 0x3fffffff, &a, 0));
	a.size = 1;
	TRY(syscall(SYS_sched_setattr, 0x3fffffff, &a, 0));
	a = attr_of(SCHED_OTHER);
	a.sched_priority = 1;
	say_set("a priority that it has not", a);
	a.sched_flags = SCHED_FLAG_KEEP_PARAMS;
	say_set("that is kept", a);
	a = attr_of(SCHED_FIFO);
	say_set("none that it has", a);
	a.sched_priority = 100;
	say_set("one too many", a);
	a.sched_policy = 77;
	a.sched_flags = SCHED_FLAG_KEEP_POLICY;
	a.sched_priority = 0;
	say_set("no policy, that is kept", a);
	a = attr_of(SCHED_OTHER);
	a.sched_flags = SCHED_FLAG_RECLAIM | SCHED_FLAG_DL_OVERRUN;
	say_set("a deadline's flags", a);
	a = attr_of(77);
	a.sched_flags = SCHED_FLAG_UTIL_CLAMP_MIN;
	say_set("a clamp of no policy", a);
	a = attr_of(SCHED_OTHER);
	a.sched_flags = SCHED_FLAG_UTIL_CLAMP_MIN;
	a.size = SCHED_ATTR_SIZE_VER0;
	say_set("a clamp without its field", a);
	a.sched_nice = 100;
	a.size = sizeof a;
	a.sched_flags = 0;
	say_set("nicer than nice", a);
	a = deadline_of(MS, 10 * MS, 10 * MS);
	a.sched_flags = SCHED_FLAG_KEEP_POLICY;
	say_set("a deadline's numbers for another policy", a);
	TRY(nice(0));
}
