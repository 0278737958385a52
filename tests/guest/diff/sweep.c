/* The sweep's engine: see sweep.h. */
#include "sweep.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIXED 60 /* calls with several values at once */
#define MIXED_ALONE 24
#define VALUES_MAX 80 /* of an argument */
#define NOBODY_STEP 3 /* an ordinary user makes every third call */
#define LOOK_MS 20    /* how often the parent looks whether a call waits */

/* -- what sweep.def says ------------------------------------------------------------ */

static const struct rule {
	const char *call;
	unsigned flags;
	const char *left_out;
} rules[] = {
#define SWEEP_LEFT_OUT(name, reason) { #name, 0, reason },
#define SWEEP_RULE(name, flags) { #name, flags, NULL },
#define SWEEP_ARG(name, arg, domain, value)
#define SWEEP_EXCEPT(name, arg, value, reason)
#include "sweep.def"
#undef SWEEP_LEFT_OUT
#undef SWEEP_RULE
#undef SWEEP_ARG
#undef SWEEP_EXCEPT
};

static const struct arg_rule {
	const char *call;
	int arg;
	const char *domain, *value;
} arg_rules[] = {
#define SWEEP_LEFT_OUT(name, reason)
#define SWEEP_RULE(name, flags)
#define SWEEP_ARG(name, arg, domain, value) { #name, arg, #domain, value },
#define SWEEP_EXCEPT(name, arg, value, reason)
#include "sweep.def"
#undef SWEEP_LEFT_OUT
#undef SWEEP_RULE
#undef SWEEP_ARG
#undef SWEEP_EXCEPT
};

static const struct exception {
	const char *call;
	int arg;
	const char *value;
} exceptions[] = {
#define SWEEP_LEFT_OUT(name, reason)
#define SWEEP_RULE(name, flags)
#define SWEEP_ARG(name, arg, domain, value)
#define SWEEP_EXCEPT(name, arg, value, reason) { #name, arg, value },
#include "sweep.def"
};

/* What is swept: its arguments' values, and which of each works. */
static struct plan {
	const struct sweep_call *call;
	unsigned flags;
	const char *left_out;
	bool excepted[SWEEP_ARGS][VALUES_MAX];
	const struct sweep_domain *domains[SWEEP_ARGS];
	int works[SWEEP_ARGS];
	int args, single, total, step;
	bool with_names, with_child, as_nobody;
} plan;

static int find_value(const struct sweep_domain *d, const char *label)
{
	for (int i = 0; label && i < d->n; i++)
		if (!strcmp(d->values[i].label, label))
			return i;
	NEED(!label);
	return 0;
}

static void plan_argument(int arg)
{
	const char *kind = plan.call->kinds[arg], *value = NULL;
	for (size_t i = 0; i < sizeof arg_rules / sizeof *arg_rules; i++) {
		const struct arg_rule *r = &arg_rules[i];
		if (strcmp(r->call, plan.call->name) || r->arg != arg)
			continue;
		kind = r->domain;
		value = r->value;
	}
	const struct sweep_domain *d = sweep_domain(kind);
	NEED(d);
	NEED(d->n <= VALUES_MAX);
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
		if (!strcmp(exceptions[i].call, plan.call->name) &&
		    exceptions[i].arg == arg)
			plan.excepted[arg][find_value(d, exceptions[i].value)] = true;
	plan.domains[arg] = d;
	plan.works[arg] = find_value(d, value);
	plan.single += d->n;
	plan.with_names |=
		!strcmp(kind, "path") || !strcmp(kind, "str") || !strcmp(kind, "addr_in");
	plan.with_child |= !strcmp(kind, "pid");
}

static void plan_call(const struct sweep_call *c)
{
	plan.call = c;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (!strcmp(rules[i].call, c->name)) {
			plan.flags |= rules[i].flags;
			plan.left_out = rules[i].left_out;
		}
	while (plan.args < SWEEP_ARGS && c->kinds[plan.args])
		plan_argument(plan.args++);
	int mixed = plan.flags & SWEEP_ALONE ? MIXED_ALONE : MIXED;
	if (plan.args < 2 || (plan.flags & SWEEP_SINGLE))
		mixed = 0;
	plan.total = plan.args ? plan.single + mixed : 1;
}

/* -- which values ------------------------------------------------------------------- */

static unsigned mix(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*state >> 33);
}

/* Each value of each argument, then some of two and more arguments. */
static void choose(int number, int *ret_values)
{
	memcpy(ret_values, plan.works, sizeof plan.works);
	for (int arg = 0, first = 0; arg < plan.args; arg++) {
		if (number < first + plan.domains[arg]->n && number >= first)
			ret_values[arg] = number - first;
		first += plan.domains[arg]->n;
	}
	if (number < plan.single)
		return;
	uint64_t state = (uint64_t)number * 2654435761u + (uint64_t)plan.call->nr;
	mix(&state);
	int want = mix(&state) % 3 ? 2 : plan.args;
	for (int i = 0; i < want; i++) {
		int arg = (int)(mix(&state) % (unsigned)plan.args);
		ret_values[arg] = (int)(mix(&state) % (unsigned)plan.domains[arg]->n);
	}
}

static void name_call(const int *values, char *ret_text, size_t n)
{
	size_t at = (size_t)snprintf(ret_text, n, "%s%s(",
				     plan.as_nobody ? "nobody: " : "", plan.call->name);
	for (int arg = 0; arg < plan.args; arg++)
		at += (size_t)snprintf(ret_text + at, n - at, "%s%s", arg ? ", " : "",
				       plan.domains[arg]->values[values[arg]].label);
	snprintf(ret_text + at, n - at, ")");
}

/* -- a call ------------------------------------------------------------------------- */

static void say_result(const char *text, long result, int err, int written)
{
	char more[40] = "";
	if (written && !(plan.flags & SWEEP_QUIET))
		snprintf(more, sizeof more, ", %d bytes written", written);
	if (result == -1 && err)
		say("%s: %s", text, err_name(err));
	else if (plan.flags & SWEEP_NO_VALUE)
		say("%s: ok%s", text, more);
	else
		say("%s = %ld%s", text, result, more);
}

static void take_back(long result)
{
	if (result < 0)
		return;
	if (plan.flags & SWEEP_FD)
		close((int)result);
	if (!(plan.flags & SWEEP_SYSV))
		return;
	if (plan.call->nr == SYS_shmget)
		shmctl((int)result, IPC_RMID, NULL);
	else if (plan.call->nr == SYS_semget)
		semctl((int)result, 0, IPC_RMID);
	else
		msgctl((int)result, IPC_RMID, NULL);
}

static void as_ordinary(bool ordinary)
{
	if (!plan.as_nobody || !plan.with_names)
		return;
	NEED(!setresuid(-1u, ordinary ? 1234 : 0, -1u));
}

static bool is_excepted(const int *values)
{
	for (int arg = 0; arg < plan.args; arg++)
		if (plan.excepted[arg][values[arg]])
			return true;
	return false;
}

static void do_call(int number)
{
	int values[SWEEP_ARGS];
	uint64_t a[SWEEP_ARGS] = { 0 };
	char text[600];
	choose(number, values);
	if (is_excepted(values))
		return;
	name_call(values, text, sizeof text);
	for (int arg = 0; arg < plan.args; arg++)
		a[arg] = plan.domains[arg]->values[values[arg]].value;
	sweep_repair(plan.with_names);
	as_ordinary(true);
	errno = 0;
	long result = syscall(plan.call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	int err = errno;
	as_ordinary(false);
	say_result(text, result, err, sweep_written());
	take_back(result);
}

/* -- processes ---------------------------------------------------------------------- */

/* The call that is next, and how many were ended by force; shared with the children. */
static volatile struct progress {
	int next;
} * progress;

static void be_caller(void)
{
	signal(SIGALRM, SIG_DFL);
	sweep_prepare_process(plan.with_child);
	if (plan.flags & SWEEP_OWN_FDS)
		sweep_open_fds();
	if (plan.as_nobody && !plan.with_names)
		become_nobody();
	do {
		do_call(progress->next);
		progress->next += plan.step;
	} while (progress->next < plan.total && !(plan.flags & SWEEP_ALONE));
	_exit(0);
}

static char state_of(pid_t pid)
{
	char path[32], text[64] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return '?';
	(void)!read(fd, text, sizeof text - 1);
	close(fd);
	char *end = strrchr(text, ')');
	return end && end[1] ? end[2] : '?';
}

/* Whether the child sleeps in the same call as the last time. */
static bool waits(pid_t pid)
{
	static int seen = -1;
	static pid_t seen_pid;
	char state = state_of(pid);
	bool again = seen == progress->next && seen_pid == pid;
	seen = state == 'S' || state == 'T' || state == 't' ? progress->next : -1;
	seen_pid = pid;
	return seen >= 0 && again;
}

static void say_end(const char *what, int status)
{
	int values[SWEEP_ARGS];
	char text[600];
	choose(progress->next, values);
	name_call(values, text, sizeof text);
	if (what)
		say("%s: %s", text, what);
	else
		say_status(text, status);
	progress->next += plan.step;
}

static void on_look(int sig)
{
}

/* One process that calls, until it ends or waits. */
static void run_caller(void)
{
	int status, before = progress->next;
	pid_t pid = fork();
	NEED(pid >= 0);
	if (!pid)
		be_caller();
	bool waited = false;
	while (waitpid(pid, &status, WUNTRACED) != pid)
		if (!waited && waits(pid)) {
			waited = true;
			kill(pid, SIGKILL);
		}
	if (WIFSTOPPED(status)) {
		say_end("stops", 0);
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
	} else if (waited) {
		say_end("waits", 0);
	} else if (progress->next < plan.total &&
		   (progress->next == before || !(plan.flags & SWEEP_ALONE))) {
		say_end(NULL, status);
	}
	kill(-pid, SIGKILL); /* its child, and with it what that holds */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static void run_all(bool as_nobody)
{
	plan.as_nobody = as_nobody;
	plan.step = as_nobody && !(plan.flags & SWEEP_ONLY_NOBODY) ? NOBODY_STEP : 1;
	progress->next = 0;
	while (progress->next < plan.total)
		run_caller();
}

void sweep(const struct sweep_call *c)
{
	const struct itimerval often = { { 0, LOOK_MS * 1000 }, { 0, LOOK_MS * 1000 } };
	progress = (void *)shared_words();
	NEED(!prctl(PR_SET_CHILD_SUBREAPER, 1ul, 0ul, 0ul, 0ul));
	sweep_prepare();
	plan_call(c);
	if (plan.left_out) {
		say("left out: %s", plan.left_out);
		return;
	}
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_look }, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	if (!(plan.flags & SWEEP_ONLY_NOBODY))
		run_all(false);
	if (!(plan.flags & SWEEP_ONLY_ROOT))
		run_all(true);
}
