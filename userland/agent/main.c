/* The agent's start, its loop and its end. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>

#include "agent.h"

uint64_t clock_now_ns(void)
{
	struct timespec now;

	/* Three readings a run are not worth the library's search of the vDSO. */
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

void agent_end(struct agent *a)
{
	port_flush(a);
	/* What the host has not taken ends with the machine. */
	fsync(a->port.fd);
	if (a->machine)
		reboot(RB_POWER_OFF);
	_exit(0);
}

void agent_fail(struct agent *a, enum wire_stage stage, int error, const char *what)
{
	struct wire_msg msg = { .type = WIRE_FAILED };

	msg.failed = (struct wire_failed){ stage, error, wire_text_of(what) };
	/* What makes no sense of ours would make none of its answers either. */
	if (stage != WIRE_STAGE_PROTOCOL)
		audit_finish(a);
	port_send(a, &msg);
	agent_end(a);
}

/* The ends of children are read, not caught: a handler would be the only one, and waking
 * up by it costs more than all the rest of noticing an end. */
static void children_init(struct agent *a)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	a->children = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	if (a->children < 0)
		agent_end(a);
}

/* What a program expects of a Linux system and the root image cannot hold. A root image
 * may lack the folder, or the kernel have mounted it: a job that needs it will say so
 * better than we can. */
static void devices_mount(void)
{
	mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL);
}

static void mounts_init(void)
{
	static const struct {
		const char *type, *at;
		unsigned long flags;
	} mounts[] = {
		{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC },
		{ "mqueue", "/dev/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY },
	};

	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		mount(mounts[i].type, mounts[i].at, mounts[i].type, mounts[i].flags,
		      NULL);
}

static int port_device_open(void)
{
	static const char *const names[] = { "/dev/mayfly-agent", "/dev/vport0p1" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		int fd = open(names[i], O_RDWR);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* The port as fd 3 or higher, with 0 to 2 taken (A4). number: the digit of an open one,
 * for tests. Ends the process when there is none. */
static void port_init(struct agent *a, const char *number)
{
	int fd = number ? number[0] - '0' : port_device_open();

	if (fd < 0)
		agent_end(a);
	/* The copies stay where the job's own will be put. */
	while (fd < 3) {
		int next = dup(fd);

		if (next < 0)
			agent_end(a);
		fd = next;
	}
	a->port.fd = fd;
}

/* Sends the end of a job, what it left and what the kernel says about it. */
static void job_finish(struct agent *a)
{
	struct wire_msg msg = { .type = WIRE_EXITED };
	const struct rusage *usage = &a->job.usage;
	int status = a->job.status;

	msg.exited.clock_ns = clock_now_ns();
	a->phase = WIRE_AFTER;
	job_sweep(a);
	output_drain(a);

	if (WIFSIGNALED(status))
		msg.exited.signal = WTERMSIG(status);
	else
		msg.exited.status = WEXITSTATUS(status);
	msg.exited.user_us =
		usage->ru_utime.tv_sec * 1000000ull + usage->ru_utime.tv_usec;
	msg.exited.system_us =
		usage->ru_stime.tv_sec * 1000000ull + usage->ru_stime.tv_usec;
	msg.exited.max_rss_bytes = usage->ru_maxrss * 1024ull;
	msg.exited.stdin_taken = input_taken(a);
	port_send(a, &msg);
	audit_finish(a);
	out_send_all(a);
	if (a->report)
		report_send(a);
	msg.type = WIRE_DONE;
	port_send(a, &msg);
	agent_end(a);
}

/* One signal stands for any number of children. */
static void children_reap(struct agent *a)
{
	struct signalfd_siginfo info;

	if (read(a->children, &info, sizeof(info)) < 0)
		return;
	job_reap(a);
	if (a->job.ended)
		job_finish(a);
}

/* Waits until something can be done, and does it. */
static void serve_once(struct agent *a)
{
	enum { PORT, CHILDREN, INPUT, OUTPUT };
	struct pollfd polls[OUTPUT + WIRE_STREAMS];

	polls[PORT] = (struct pollfd){ .fd = a->port.fd, .events = POLLIN };
	polls[CHILDREN] = (struct pollfd){ .fd = a->children, .events = POLLIN };
	polls[INPUT] = (struct pollfd){ .fd = a->input.fd };
	if (a->input.start < a->input.end)
		polls[INPUT].events = POLLOUT;
	for (int i = 0; i < WIRE_STREAMS; i++) {
		polls[OUTPUT + i] =
			(struct pollfd){ .fd = output_wants(a, i) ? a->output[i].fd : -1,
					 .events = POLLIN };
	}
	port_flush(a);
	if (poll(polls, ARRAY_LEN(polls), -1) < 0)
		return;
	if (polls[CHILDREN].revents)
		children_reap(a);
	if (polls[INPUT].revents)
		input_pump(a);
	for (int i = 0; i < WIRE_STREAMS; i++)
		if (polls[OUTPUT + i].revents)
			output_pump(a, i);
	if (polls[PORT].revents)
		port_receive(a);
}

static void agent_init(struct agent *a)
{
	a->phase = WIRE_SETUP;
	a->file = a->input.fd = a->input.rest = -1;
	for (int i = 0; i < WIRE_STREAMS; i++)
		a->output[i].fd = -1;
}

int main(int argc, char **argv)
{
	/* Large and mostly unused: as zeroed memory it costs only what is touched. */
	static struct agent agent;
	struct agent *a = &agent;

	agent_init(a);
	a->machine = getpid() == 1;
	if (!a->machine && argc != 2)
		return 2;
	if (a->machine)
		devices_mount();
	/* The host hears of the open port and writes while we mount the rest. */
	port_init(a, a->machine ? NULL : argv[1]);
	children_init(a);
	if (a->machine)
		mounts_init();
	for (;;)
		serve_once(a);
}
