/* Reading /proc/audit/data. */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "audit_log.h"

int audit_reader(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	int fd = open(AUDIT_DATA, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

bool audit_next(int fd, struct audit_record *r)
{
	long n = read(fd, r, sizeof *r);
	CHECK(n == sizeof *r || (n == -1 && errno == EAGAIN));
	return n > 0;
}

/* A reader behind all that was written so far. */
int audit_reader_at_end(void)
{
	struct audit_record r;
	int fd = audit_reader();
	while (audit_next(fd, &r))
		;
	return fd;
}

/* The only record of that process since then, but for capabilities that it used. */
struct audit_record audit_only(int fd, pid_t pid)
{
	struct audit_record r, found = { 0 };
	int n = 0;
	while (audit_next(fd, &r)) {
		if (r.pid != pid || r.event == AUDIT_EVENT_CAPABILITY)
			continue;
		found = r;
		n++;
	}
	CHECK_EQ(n, 1);
	return found;
}

void audit_none(int fd, pid_t pid)
{
	struct audit_record r;
	while (audit_next(fd, &r))
		CHECK(r.pid != pid);
}

/* Runs fn in a child, already user 1000 if `plain`. */
pid_t audit_in_child(void (*fn)(void), bool plain)
{
	int go[2];
	CHECK(!pipe(go));
	pid_t pid = fork();
	if (!pid) {
		if (plain)
			syscall(SYS_setresuid, 1000, 1000, 1000);
		close(go[1]);
		fn();
		_exit(0);
	}
	close(go[0]);
	close(go[1]);
	CHECK_EQ(tap_wait(pid), 0);
	return pid;
}

/* The same, after what makes it plain was read by fd. */
pid_t audit_in_plain_child(int fd, void (*fn)(void))
{
	struct audit_record r;
	pid_t pid = audit_in_child(fn, true);
	do
		CHECK(audit_next(fd, &r));
	while (r.pid != pid);
	CHECK_EQ(r.after.uid, 1000);
	return pid;
}
