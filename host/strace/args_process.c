/* Arguments about processes and time. */
#include <linux/futex.h>
#include <linux/sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>

#include "host/strace/args.h"

/* ---- time ---- */

void text_timespec(struct text *t, const struct timespec *ts)
{
	text_add(t, "{tv_sec=%ld, tv_nsec=%ld}", ts->tv_sec, ts->tv_nsec);
}

/* A struct timeval has the same layout. */
void text_timeval(struct text *t, const struct timespec *tv)
{
	text_add(t, "{tv_sec=%ld, tv_usec=%ld}", tv->tv_sec, tv->tv_nsec);
}

typedef void text_time(struct text *t, const struct timespec *ts);

static void print_time(struct call *c, unsigned i, bool late, text_time *text)
{
	struct timespec ts;

	if (late ? struct_out(c, i, &ts, sizeof(ts)) : struct_in(c, i, &ts, sizeof(ts)))
		text(c->out, &ts);
}

void arg_timespec(struct call *c, unsigned i, const struct names *set)
{
	print_time(c, i, false, text_timespec);
}

void arg_timespec_out(struct call *c, unsigned i, const struct names *set)
{
	print_time(c, i, true, text_timespec);
}

void arg_timeval(struct call *c, unsigned i, const struct names *set)
{
	print_time(c, i, false, text_timeval);
}

void arg_timeval_out(struct call *c, unsigned i, const struct names *set)
{
	print_time(c, i, true, text_timeval);
}

/* What was left of a sleep: told only to those that are interrupted. */
void arg_timespec_rest(struct call *c, unsigned i, const struct names *set)
{
	struct timespec ts;

	if (c->failed && memory_after(c, c->enter.args[i], &ts, sizeof(ts)))
		text_timespec(c->out, &ts);
	else
		text_pointer(c->out, c->enter.args[i]);
}

void arg_timespecs(struct call *c, unsigned i, const struct names *set)
{
	struct timespec ts[2];

	if (!struct_in(c, i, ts, sizeof(ts)))
		return;
	for (int k = 0; k < 2; k++) {
		text_add(c->out, k ? ", " : "[");
		if (ts[k].tv_nsec == (1l << 30) - 1)
			text_add(c->out, "UTIME_NOW");
		else if (ts[k].tv_nsec == (1l << 30) - 2)
			text_add(c->out, "UTIME_OMIT");
		else
			text_timespec(c->out, &ts[k]);
	}
	text_add(c->out, "]");
}

static void print_timer(struct call *c, unsigned i, bool late, text_time *text)
{
	struct timespec ts[2];

	if (!(late ? struct_out(c, i, ts, sizeof(ts)) : struct_in(c, i, ts, sizeof(ts))))
		return;
	text_add(c->out, "{it_interval=");
	text(c->out, &ts[0]);
	text_add(c->out, ", it_value=");
	text(c->out, &ts[1]);
	text_add(c->out, "}");
}

void arg_itimerspec(struct call *c, unsigned i, const struct names *set)
{
	print_timer(c, i, false, text_timespec);
}

void arg_itimerspec_out(struct call *c, unsigned i, const struct names *set)
{
	print_timer(c, i, true, text_timespec);
}

void arg_itimerval(struct call *c, unsigned i, const struct names *set)
{
	print_timer(c, i, false, text_timeval);
}

void arg_itimerval_out(struct call *c, unsigned i, const struct names *set)
{
	print_timer(c, i, true, text_timeval);
}

/* pselect6's last: a pointer to a set and its size. */
void arg_select_mask(struct call *c, unsigned i, const struct names *set)
{
	struct {
		uint64_t set, size;
	} arg;

	if (!struct_in(c, i, &arg, sizeof(arg)))
		return;
	text_add(c->out, "{sigmask=");
	text_pointer(c->out, arg.set);
	text_add(c->out, ", sigsetsize=%lu}", arg.size);
}

/* ---- ends of processes, what they used, what they may use ---- */

void arg_wait_status(struct call *c, unsigned i, const struct names *set)
{
	int status;

	/* Nobody ended: nothing is written. */
	if (!c->failed && !c->result) {
		text_pointer(c->out, c->enter.args[i]);
		return;
	}
	if (!struct_out(c, i, &status, sizeof(status)))
		return;
	if (WIFEXITED(status)) {
		text_add(c->out, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]",
			 WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		text_add(c->out, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
		text_signal(c->out, (uint64_t)WTERMSIG(status));
		text_add(c->out, "%s}]", WCOREDUMP(status) ? " && WCOREDUMP(s)" : "");
	} else if (WIFSTOPPED(status)) {
		text_add(c->out, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		text_signal(c->out, (uint64_t)WSTOPSIG(status));
		text_add(c->out, "}]");
	} else if (WIFCONTINUED(status)) {
		text_add(c->out, "[{WIFCONTINUED(s)}]");
	} else {
		text_add(c->out, "[%#x]", (unsigned)status);
	}
}

void arg_rusage(struct call *c, unsigned i, const struct names *set)
{
	struct timespec times[2];

	if (!struct_out(c, i, times, sizeof(times)))
		return;
	text_add(c->out, "{ru_utime=");
	text_timeval(c->out, &times[0]);
	text_add(c->out, ", ru_stime=");
	text_timeval(c->out, &times[1]);
	text_add(c->out, ", ...}");
}

static void text_limit(struct text *t, uint64_t limit)
{
	if (limit == UINT64_MAX)
		text_add(t, "RLIM64_INFINITY");
	else if (limit > 1024 && limit % 1024 == 0)
		text_add(t, "%lu*1024", limit / 1024);
	else
		text_add(t, "%lu", limit);
}

static void print_limits(struct call *c, const uint64_t limits[2])
{
	text_add(c->out, "{rlim_cur=");
	text_limit(c->out, limits[0]);
	text_add(c->out, ", rlim_max=");
	text_limit(c->out, limits[1]);
	text_add(c->out, "}");
}

void arg_rlimit(struct call *c, unsigned i, const struct names *set)
{
	uint64_t limits[2];

	if (struct_in(c, i, limits, sizeof(limits)))
		print_limits(c, limits);
}

void arg_rlimit_out(struct call *c, unsigned i, const struct names *set)
{
	uint64_t limits[2];

	if (struct_out(c, i, limits, sizeof(limits)))
		print_limits(c, limits);
}

/* ---- the system ---- */

void arg_uname(struct call *c, unsigned i, const struct names *set)
{
	char names[2][sizeof(((struct utsname *)0)->sysname)];

	if (!struct_out(c, i, names, sizeof(names)))
		return;
	for (int k = 0; k < 2; k++) {
		text_add(c->out, k ? ", nodename=" : "{sysname=");
		text_quote(c->out, (const uint8_t *)names[k],
			   strnlen(names[k], sizeof(names[k])), false);
	}
	text_add(c->out, ", ...}");
}

void arg_sysinfo(struct call *c, unsigned i, const struct names *set)
{
	struct sysinfo s;

	if (!struct_out(c, i, &s, offsetof(struct sysinfo, _f)))
		return;
	text_add(c->out, "{uptime=%ld, loads=[%lu, %lu, %lu], totalram=%lu, freeram=%lu",
		 s.uptime, s.loads[0], s.loads[1], s.loads[2], s.totalram, s.freeram);
	text_add(c->out, ", sharedram=%lu, bufferram=%lu, totalswap=%lu, freeswap=%lu",
		 s.sharedram, s.bufferram, s.totalswap, s.freeswap);
	text_add(c->out, ", procs=%u, totalhigh=%lu, freehigh=%lu, mem_unit=%u}", s.procs,
		 s.totalhigh, s.freehigh, s.mem_unit);
}

void arg_times(struct call *c, unsigned i, const struct names *set)
{
	struct tms t;

	if (struct_out(c, i, &t, sizeof(t)))
		text_add(c->out,
			 "{tms_utime=%ld, tms_stime=%ld, tms_cutime=%ld, tms_cstime=%ld}",
			 t.tms_utime, t.tms_stime, t.tms_cutime, t.tms_cstime);
}

static void print_cpus(struct call *c, unsigned i, size_t size, bool late)
{
	uint8_t cpus[CALLTRACE_DATA_MAX];
	const char *between = "";

	size = MIN(size, sizeof(cpus));
	if (!memory_get(c, late, c->enter.args[i], cpus, size)) {
		text_pointer(c->out, c->enter.args[i]);
		return;
	}
	text_add(c->out, "[");
	for (size_t cpu = 0; cpu < size * 8; cpu++) {
		if (!(cpus[cpu / 8] & BIT(cpu % 8)))
			continue;
		text_add(c->out, "%s%zu", between, cpu);
		between = " ";
	}
	text_add(c->out, "]");
}

void arg_cpuset(struct call *c, unsigned i, const struct names *set)
{
	print_cpus(c, i, (uint32_t)c->enter.args[i - 1], false);
}

void arg_cpuset_out(struct call *c, unsigned i, const struct names *set)
{
	if (c->failed)
		text_pointer(c->out, c->enter.args[i]);
	else
		print_cpus(c, i, (size_t)c->result, true);
}

/* ---- prctl ---- */

void arg_prctl(struct call *c, unsigned i, const struct names *set)
{
	uint64_t arg = c->enter.args[i];
	int number;

	switch ((int)c->enter.args[0]) {
	case PR_SET_NAME:
		print_string(c, false, arg);
		break;
	case PR_GET_NAME:
		if (c->failed)
			text_pointer(c->out, arg);
		else
			print_string(c, true, arg);
		break;
	case PR_SET_DUMPABLE:
		text_choice(c->out, &set_dumpable, arg);
		break;
	case PR_SET_PDEATHSIG:
		text_signal(c->out, arg);
		break;
	case PR_GET_PDEATHSIG:
		if (!struct_out(c, i, &number, sizeof(number)))
			break;
		text_add(c->out, "[");
		text_signal(c->out, (uint64_t)number);
		text_add(c->out, "]");
		break;
	case PR_GET_DUMPABLE:
	case PR_GET_KEEPCAPS:
	case PR_GET_SECCOMP:
	case PR_GET_SECUREBITS:
	case PR_GET_TIMERSLACK:
		break;
	case PR_SET_NO_NEW_PRIVS:
	case PR_GET_NO_NEW_PRIVS:
		text_add(c->out, "%lu, %lu, %lu, %lu", arg, c->enter.args[2],
			 c->enter.args[3], c->enter.args[4]);
		break;
	default:
		text_add(c->out, "%#lx", arg);
	}
	c->no_more = true;
}

/* ---- clone ---- */

static void print_clone_flags(struct call *c, uint64_t flags, uint64_t signal)
{
	if (flags || !signal)
		text_flags(c->out, &set_clone, flags);
	if (!signal)
		return;
	text_add(c->out, flags ? "|" : "");
	text_signal(c->out, signal);
}

void arg_clone(struct call *c, unsigned i, const struct names *set)
{
	const uint64_t *a = c->enter.args;
	uint64_t flags = a[0] & ~(uint64_t)CSIGNAL;
	int tid;

	text_add(c->out, "child_stack=");
	text_pointer(c->out, a[1]);
	text_add(c->out, ", flags=");
	print_clone_flags(c, flags, a[0] & CSIGNAL);
	if (flags & (CLONE_PARENT_SETTID | CLONE_PIDFD)) {
		text_add(c->out, ", %s=", flags & CLONE_PIDFD ? "pidfd" : "parent_tid");
		if (struct_out(c, 2, &tid, sizeof(tid)))
			text_add(c->out, "[%d]", tid);
	}
	if (flags & CLONE_SETTLS)
		text_add(c->out, ", tls=%#lx", a[4]);
	if (flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
		text_add(c->out, ", child_tidptr=");
		text_pointer(c->out, a[3]);
	}
	c->no_more = true;
}

void arg_clone3(struct call *c, unsigned i, const struct names *set)
{
	struct clone_args a;
	int tid;

	if (!memory_before(c, c->enter.args[i], &a, CLONE_ARGS_SIZE_VER0)) {
		text_pointer(c->out, c->enter.args[i]);
		return;
	}
	text_add(c->out, "{flags=");
	text_flags(c->out, &set_clone, a.flags);
	if (a.flags & CLONE_PIDFD)
		text_add(c->out, ", pidfd=%#llx", a.pidfd);
	if (a.flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		text_add(c->out, ", child_tid=%#llx", a.child_tid);
	if (a.flags & CLONE_PARENT_SETTID)
		text_add(c->out, ", parent_tid=%#llx", a.parent_tid);
	text_add(c->out, ", exit_signal=");
	text_signal(c->out, a.exit_signal);
	text_add(c->out, ", stack=");
	text_pointer(c->out, a.stack);
	text_add(c->out, ", stack_size=%#llx", a.stack_size);
	if (a.flags & CLONE_SETTLS)
		text_add(c->out, ", tls=%#llx", a.tls);
	text_add(c->out, "}");
	/* The kernel writes it before the child runs; the record does not hold it, the
	 * result does. */
	tid = (int)c->result;
	if (!c->failed && (a.flags & CLONE_PARENT_SETTID))
		text_add(c->out, " => {parent_tid=[%d]}", tid);
}

/* ---- futex ---- */

static void print_futex_timeout(struct call *c)
{
	struct timespec ts;

	text_add(c->out, ", ");
	if (struct_in(c, 3, &ts, sizeof(ts)))
		text_timespec(c->out, &ts);
}

static void print_futex_bits(struct call *c)
{
	uint32_t bits = (uint32_t)c->enter.args[5];

	if (bits == FUTEX_BITSET_MATCH_ANY)
		text_add(c->out, ", FUTEX_BITSET_MATCH_ANY");
	else
		text_add(c->out, ", %#x", bits);
}

static void print_futex_rest(struct call *c, unsigned command)
{
	const uint64_t *a = c->enter.args;

	switch (command) {
	case FUTEX_WAIT:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		print_futex_timeout(c);
		break;
	case FUTEX_WAIT_BITSET:
		print_futex_timeout(c);
		print_futex_bits(c);
		break;
	case FUTEX_WAKE_BITSET:
		print_futex_bits(c);
		break;
	case FUTEX_REQUEUE:
		text_add(c->out, ", %u, %#lx", (uint32_t)a[3], a[4]);
		break;
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
	case FUTEX_WAKE_OP:
		text_add(c->out, ", %u, %#lx, %#x", (uint32_t)a[3], a[4], (uint32_t)a[5]);
		break;
	default:
		break;
	}
}

void arg_futex(struct call *c, unsigned i, const struct names *set)
{
	uint32_t op = (uint32_t)c->enter.args[i];
	unsigned command = op & FUTEX_CMD_MASK;
	const char *name = names_find(&set_futex, command);

	if (name)
		text_add(c->out, "%s%s%s", name,
			 op & FUTEX_PRIVATE_FLAG ? "_PRIVATE" : "",
			 op & FUTEX_CLOCK_REALTIME ? "|FUTEX_CLOCK_REALTIME" : "");
	else
		text_add(c->out, "%#x", op);
	if (command != FUTEX_UNLOCK_PI && command != FUTEX_LOCK_PI)
		text_add(c->out, ", %u", (uint32_t)c->enter.args[2]);
	print_futex_rest(c, command);
	c->no_more = true;
}
