/* The job's life: started, waited for, swept up after. */
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "agent.h"
#include "lib/policy.h"

/* Where the child stopped. It lives in the agent's memory until exec, and writes here. */
struct start_failure {
	enum wire_stage stage;
	int error; /* 0: the job runs */
};

static int stdio_install(const struct job_stdio *stdio)
{
	for (int i = 0; i < 3; i++) {
		if (stdio->fd[i] < 0)
			close(i);
		else if (dup2(stdio->fd[i], i) < 0)
			return errno;
	}
	if (stdio->terminal >= 0 && ioctl(stdio->terminal, TIOCSCTTY, 0) < 0)
		return errno;
	return 0;
}

static int limits_install(const struct job *job)
{
	for (unsigned i = 0; i < ARRAY_LEN(job->limits); i++)
		if ((job->limits_set & BIT(i)) &&
		    prlimit(0, i, &job->limits[i], NULL) < 0)
			return errno;
	return 0;
}

/* Who may not enter the folder is told so here, better than by what the job would say. */
static int folder_check(const struct job *job)
{
	return strcmp(job->cwd, WIRE_JOB_FOLDER) && chdir(job->cwd) < 0 ? errno : 0;
}

static int identity_install(const struct identity *id)
{
	/* The library's own would look for other threads of the agent. */
	if (syscall(SYS_setgroups, id->group_count, id->groups) < 0 ||
	    syscall(SYS_setgid, id->gid) < 0 || syscall(SYS_setuid, id->uid) < 0)
		return errno;
	return 0;
}

/* The kernel checks it, and puts it in force when the job's program is run. */
static int policy_install(const struct agent *a)
{
	const struct job *job = &a->job;

	return a->machine && job->policy &&
			       syscall(POLICY_SYSCALL, POLICY_OP_EXEC, job->policy,
				       job->policy_size) < 0
		       ? errno
		       : 0;
}

/* PATH as the job's environment has it. */
static const char *search_path(char *const *envp)
{
	for (; *envp; envp++)
		if (!strncmp(*envp, "PATH=", 5))
			return *envp + 5;
	return "/bin:/usr/bin:/sbin:/usr/sbin";
}

/* Executes the first of PATH that can be; else the errno that says most: EACCES of a file
 * that is there counts more than ENOENT of those that are not. */
static int exec_search(const char *name, char *const *argv, char *const *envp)
{
	char path[WIRE_PATH_MAX + 1];
	const char *at = search_path(envp);
	size_t name_size = strlen(name) + 1;
	int error = ENOENT;

	for (;;) {
		const char *end = strchrnul(at, ':');
		size_t size = end - at;

		if (size + 1 + name_size <= sizeof(path)) {
			memcpy(path, at, size);
			path[size] = '/';
			/* An empty entry means the current folder. */
			memcpy(path + (size ? size + 1 : 0), name, name_size);
			execve(path, argv, envp);
			if (errno != ENOENT && errno != ENOTDIR)
				error = errno;
			if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
				return error;
		}
		if (!*end)
			return error;
		at = end + 1;
	}
}

/* In the child: nothing here may change what the agent relies on but *failure. */
static void job_become(const struct agent *a, const struct job_stdio *stdio,
		       const struct identity *id, volatile struct start_failure *failure)
{
	const struct job *job = &a->job;
	sigset_t none;

	setsid();
	failure->stage = WIRE_STAGE_STDIO;
	failure->error = stdio_install(stdio);
	if (failure->error)
		return;
	close(a->port.fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	failure->stage = WIRE_STAGE_LIMIT;
	failure->error = limits_install(job);
	if (failure->error)
		return;
	failure->stage = WIRE_STAGE_CREDENTIALS;
	failure->error = id ? identity_install(id) : 0;
	if (failure->error)
		return;
	failure->stage = WIRE_STAGE_POLICY;
	failure->error = policy_install(a);
	if (failure->error)
		return;
	failure->stage = WIRE_STAGE_CWD;
	failure->error = id ? folder_check(job) : 0;
	if (failure->error)
		return;

	if (strchr(job->program, '/')) {
		failure->stage = WIRE_STAGE_EXEC;
		execve(job->program, job->argv, job->envp);
		failure->error = errno;
	} else {
		failure->error = exec_search(job->program, job->argv, job->envp);
		failure->stage =
			failure->error == ENOENT ? WIRE_STAGE_LOOKUP : WIRE_STAGE_EXEC;
	}
}

/* vfork: the agent has few pages, but to copy them is still dearer than to wait for
 * exec. */
static pid_t job_fork(const struct agent *a, const struct job_stdio *stdio,
		      const struct identity *id, volatile struct start_failure *failure)
{
	pid_t pid = vfork();

	if (pid == 0) {
		job_become(a, stdio, id, failure);
		_exit(127);
	}
	if (pid < 0) {
		failure->stage = WIRE_STAGE_FORK;
		failure->error = errno;
	}
	return pid;
}

/* From now on the kernel tells of what we start. */
static void trace_open(struct agent *a)
{
	static const char path[] = "/proc/mayfly/trace";
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		agent_fail(a, WIRE_STAGE_TRACE, errno, path);
	a->output[WIRE_TRACE] = (struct source){ fd, wire_sender_init(WIRE_TRACE) };
}

/* What the job opens again by name is its own: its folder, /dev/stdout, its terminal. */
static int belongings_give(const struct job *job, const struct job_stdio *stdio,
			   const struct identity *id)
{
	struct stat st;

	for (int i = 0; i < 3; i++)
		if (stdio->fd[i] >= 0 && fchown(stdio->fd[i], id->uid, id->gid) < 0)
			return -errno;
	if (strcmp(job->cwd, WIRE_JOB_FOLDER))
		return 0;
	if (stat(".", &st) < 0)
		return -errno;
	if (st.st_uid != id->uid && chown(".", id->uid, id->gid) < 0)
		return -errno;
	return 0;
}

void job_start(struct agent *a)
{
	volatile struct start_failure failure = { 0 };
	struct job *job = &a->job;
	struct wire_msg msg = { .type = WIRE_STARTED };
	struct identity id;
	struct job_stdio stdio;
	bool own = identity_is_own(a);
	int error = identity_find(job, &id);

	if (error < 0)
		agent_fail(a, WIRE_STAGE_USER, -error, job->user);
	identity_variables_add(job, &id);
	audit_open(a);
	error = stdio_open(a, &stdio);
	if (error < 0)
		agent_fail(a, WIRE_STAGE_STDIO, -error, "");
	error = own ? 0 : belongings_give(job, &stdio, &id);
	if (error < 0)
		agent_fail(a, WIRE_STAGE_CREDENTIALS, -error, job->user);
	if (job->spec.flags & WIRE_JOB_TRACE)
		trace_open(a);
	job->pid = job_fork(a, &stdio, own ? NULL : &id, &failure);
	if (failure.error)
		agent_fail(a, failure.stage, failure.error,
			   failure.stage == WIRE_STAGE_CWD ? job->cwd : job->program);
	stdio_handed_over(&stdio);
	msg.started.clock_ns = clock_now_ns();
	port_send(a, &msg);
}

/* Adds what a process that ended has used. */
static void usage_add(struct job *job, const struct rusage *more)
{
	struct rusage *all = &job->usage;

	timeradd(&all->ru_utime, &more->ru_utime, &all->ru_utime);
	timeradd(&all->ru_stime, &more->ru_stime, &all->ru_stime);
	all->ru_maxrss = MAX(all->ru_maxrss, more->ru_maxrss);
}

/* Takes a process that has ended: its pid, 0 if none has, -1 if there is none at all. */
static pid_t reap_one(struct job *job, int flags)
{
	struct rusage usage;
	int status;
	pid_t pid = wait4(-1, &status, flags, &usage);

	if (pid > 0)
		usage_add(job, &usage);
	if (pid > 0 && pid == job->pid) {
		job->status = status;
		job->ended = true;
	}
	return pid;
}

void job_reap(struct agent *a)
{
	pid_t pid;

	do
		pid = reap_one(&a->job, WNOHANG);
	while (pid > 0);
	a->job.alone = pid < 0;
}

void job_sweep(struct agent *a)
{
	if (!a->machine) {
		kill(-a->job.pid, SIGKILL);
		return;
	}
	/* Orphans are children of PID 1: without a child there is no other process. */
	if (a->job.alone)
		return;
	/* PID 1 is spared. Whoever forked while this went on is met in the next round. */
	while (kill(-1, SIGKILL) == 0) {
		if (reap_one(&a->job, 0) < 0 && errno == ECHILD)
			break;
		while (reap_one(&a->job, WNOHANG) > 0)
			;
	}
}
