/* The kernel's audit log on its way to the host. */
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "agent.h"

static const char data_path[] = "/proc/audit/data", stats_path[] = "/proc/audit/stats";

/* A guest without such a group lets root alone read. */
static void group_let_in(void)
{
	gid_t gid;

	if (group_named("audit", &gid) < 0)
		return;
	for (int i = 0; i < 2; i++) {
		const char *path = i ? stats_path : data_path;

		if (chown(path, -1, gid) == 0)
			chmod(path, i ? 0440 : 0640);
	}
}

void audit_open(struct agent *a)
{
	int fd = -1;

	if (!a->machine)
		return;
	bool wanted = a->job.spec.flags & WIRE_JOB_AUDIT;
	/* To look for the group takes longer than all else before the job starts: it is
	 * left out where the log is not asked for, nor a user who could be a member. */
	if (wanted || *a->job.user)
		group_let_in();
	if (!wanted)
		return;
	fd = open(data_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		agent_fail(a, WIRE_STAGE_AUDIT, errno, data_path);
	a->output[WIRE_AUDIT] = (struct source){ fd, wire_sender_init(WIRE_AUDIT) };
}

/* Waits for credit when there is none. */
static void records_send(struct agent *a)
{
	struct pollfd host = { .fd = a->port.fd, .events = POLLIN };

	while (a->output[WIRE_AUDIT].fd >= 0 && !output_wants(a, WIRE_AUDIT)) {
		port_flush(a);
		if (poll(&host, 1, -1) > 0)
			port_receive(a);
	}
	output_pump(a, WIRE_AUDIT);
}

void audit_finish(struct agent *a)
{
	struct source *log = &a->output[WIRE_AUDIT];
	struct pollfd rest;

	/* It takes a place in the ring, which reading makes. */
	while (log->fd >= 0 && write(log->fd, "end", 3) < 0 && errno == EAGAIN)
		records_send(a);
	do {
		records_send(a);
		rest = (struct pollfd){ .fd = log->fd, .events = POLLIN };
	} while (log->fd >= 0 && poll(&rest, 1, 0) > 0);
	output_close(a, WIRE_AUDIT);
}
