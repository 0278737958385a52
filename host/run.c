/* `mayfly run` and `mayfly shell`: from options to exit status. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/install.h"
#include "host/kvm.h"
#include "host/outfile.h"
#include "host/plan.h"
#include "host/refusals.h"
#include "host/report.h"
#include "host/root.h"
#include "host/session.h"
#include "host/tell.h"
#include "host/timeline.h"

/* Files that the run writes about itself; opened first, so that a bad place is told
 * before the job has run. */
struct papers {
	struct outfile report, timeline, trace;
	int audit; /* -1: none; it grows while the job runs */
};

static int paper_open(const char *option, const char *path, struct outfile *ret_file)
{
	int error;

	*ret_file = (struct outfile){ .fd = -1, .folder = -1 };
	if (!path)
		return 0;
	error = outfile_open(AT_FDCWD, path, 0666 & ~umask_now(), ret_file);
	if (error == 0)
		return 0;
	say("%s: cannot write '%s': %s", option, path, strerror(-error));
	return MAYFLY_FAILED;
}

/* What an older run left there is gone only when there is something new. */
static int audit_open(const struct options *options, int *ret_fd)
{
	const char *path = options->audit_file;

	*ret_fd = -1;
	if (!path && options->audit_stop) {
		say("--audit-full stop: there is no log to wait for without --audit "
		    "FILE");
		return MAYFLY_FAILED;
	}
	if (!path)
		return 0;
	*ret_fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
	if (*ret_fd >= 0)
		return 0;
	say("--audit: cannot write '%s': %s", path, strerror(errno));
	return MAYFLY_FAILED;
}

/* error: of the writing. 0, or the exit status. */
static int paper_commit(const char *option, const char *path, struct outfile *file,
			int error)
{
	if (error == 0)
		error = outfile_commit(file);
	else
		outfile_drop(file);
	if (error == 0)
		return 0;
	say("%s: cannot write '%s': %s", option, path, strerror(-error));
	return MAYFLY_FAILED;
}

/* Writes and frees the text. 0, or the exit status. */
static int paper_write(const char *option, const char *path, struct outfile *file,
		       char *text)
{
	int error = write_all(file->fd, text, strlen(text));

	free(text);
	return paper_commit(option, path, file, error);
}

static int papers_write(const struct options *options, struct papers *papers,
			const struct session *s, bool kvm, int status)
{
	struct mark *marks;
	size_t count;
	int failed = 0;

	if (options->report)
		failed |= paper_write("--report", options->report, &papers->report,
				      report_text(s, kvm, status));
	if (options->timeline) {
		marks = timeline_marks(s, &count);
		failed |= paper_write("--timeline", options->timeline, &papers->timeline,
				      timeline_svg(marks, count, s->plan->program));
		free(marks);
	}
	if (s->strace)
		failed |= paper_commit("--trace", options->trace, &papers->trace,
				       strace_end(s->strace));
	return failed;
}

/* -- doing -- */

/* $MAYFLY_ACCEL, "kvm" or "tcg", decides without asking. */
static bool accelerator_choose(const struct install *install,
			       const struct options *options)
{
	const char *named = getenv("MAYFLY_ACCEL");
	bool probed;
	enum kvm_answer answer;

	if (named && *named)
		return !strcmp(named, "kvm");
	answer = kvm_ask(install, false, &probed);
	if (probed && answer == KVM_BROKEN)
		say("/dev/kvm cannot run a guest; emulating (TCG) from now on");
	else if (options->verbose)
		say("%s", answer == KVM_WORKS ? "using KVM" : "emulating (TCG)");
	return answer == KVM_WORKS;
}

/* Everything the VM is made of. 0, or the exit status with a line. */
static int machine_find(const struct options *options, struct install *install,
			struct root *root)
{
	int error = install_find(install);

	if (error < 0) {
		say("'%s' is not there; 'make' builds it, 'make install' installs it",
		    install->loader);
		return MAYFLY_FAILED;
	}
	if (!install->qemu) {
		say("no qemu-system-x86_64 in PATH: install the package qemu-system-x86");
		return MAYFLY_FAILED;
	}
	return root_open(install, options->root, options->verbose, root);
}

/* The job ran: its status, unless what it should have brought is missing. */
static int run_finish(struct session *s, struct papers *papers, bool kvm)
{
	int status = outcome_status(&s->outcome);

	outcome_tell(s);
	refusals_tell(s);
	if (status == 0 && s->download.failures)
		status = MAYFLY_FAILED;
	if (papers_write(s->plan->options, papers, s, kvm, status) && status == 0)
		status = MAYFLY_FAILED;
	return status;
}

/* A run that a signal ended ends the command by the same signal, so that a shell's loop
 * around it stops too. */
static void signal_again(const struct session *s)
{
	sigset_t set;

	if (s->outcome.kind != OUTCOME_INTERRUPTED)
		return;
	sigemptyset(&set);
	sigaddset(&set, s->outcome.signal);
	signal(s->outcome.signal, SIG_DFL);
	raise(s->outcome.signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int machine_run(const struct plan *plan, const struct install *install,
		       const struct root *root, struct papers *papers, uint64_t start_ns)
{
	const struct options *options = plan->options;
	struct vm_config config = { .qemu = install->qemu,
				    .loader = install->loader,
				    .bundle = install->bundle,
				    .root = root->fd,
				    .init = root->init,
				    .cpus = options->cpus,
				    .mem_mib = options->mem_bytes / MIB(1),
				    .kvm = accelerator_choose(install, options),
				    .audit_stop = options->audit_stop,
				    .verbose = options->verbose };
	struct session *s = must_alloc(sizeof(*s));
	struct vm vm;
	int error = vm_start(&config, &vm), status;

	if (error < 0) {
		say("cannot start '%s': %s", install->qemu, strerror(-error));
		free(s);
		return MAYFLY_FAILED;
	}
	if (options->trace)
		s->strace = strace_new(papers->trace.fd, options->trace_first,
				       options->max_output);
	s->audit = papers->audit;
	if (s->audit >= 0 && ftruncate(s->audit, 0) < 0 && errno != EINVAL)
		say("--audit: cannot empty '%s': %s", options->audit_file,
		    strerror(errno));
	session_run(s, plan, &vm, start_ns);
	vm_close(&vm);
	status = run_finish(s, papers, config.kvm);
	signal_again(s);
	session_fini(s);
	strace_free(s->strace);
	free(s);
	return status;
}

int command_run(const struct options *options)
{
	uint64_t start_ns = now_ns();
	struct papers papers;
	struct install install;
	struct root root;
	struct plan plan;
	int status;

	if (paper_open("--report", options->report, &papers.report) ||
	    paper_open("--timeline", options->timeline, &papers.timeline) ||
	    paper_open("--trace", options->trace, &papers.trace) ||
	    audit_open(options, &papers.audit) ||
	    download_check(options->outs, options->out_count))
		return MAYFLY_FAILED;
	status = machine_find(options, &install, &root);
	if (status == 0)
		status = plan_make(options, &root.config, &plan);
	if (status)
		return status;
	return machine_run(&plan, &install, &root, &papers, start_ns);
}
