/* What the audit log tells of filters: that they come, what they kill and log. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "common/audit_log.h"
#include "common/filter.h"

#define ASKED 500
#define LOG SECCOMP_FILTER_FLAG_LOG

static void installs(void)
{
	filter_call(0, ASKED, SECCOMP_RET_ERRNO);
}

static void goes_strict(void)
{
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	syscall(SYS_exit, 0);
}

static void installs_a_bad_one(void)
{
	FILTER(0, LOAD(nr));
}

static void that_filters_come_is_told(void)
{
	int fd = audit_reader_at_end();
	struct audit_record r = audit_only(fd, audit_in_child(installs, false));

	CHECK_EQ(r.event, AUDIT_EVENT_POLICY);
	CHECK_EQ(r.cause, AUDIT_CAUSE_ASKED);
	CHECK_EQ(r.syscall, SYS_seccomp);
	CHECK(!strcmp(r.text, "seccomp filter of 4 instructions"));
	r = audit_only(fd, audit_in_child(goes_strict, false));
	CHECK_EQ(r.event, AUDIT_EVENT_POLICY);
	CHECK(!strcmp(r.text, "seccomp strict mode"));
	audit_none(fd, audit_in_child(installs_a_bad_one, false));
}

/* A child that makes the call, and may not live to say how it was. */
static pid_t caller(void)
{
	pid_t pid = fork();

	if (!pid) {
		syscall(ASKED, 11);
		_exit(0);
	}
	(void)tap_wait(pid);
	return pid;
}

/* The record of a call that such a filter answers. */
static struct audit_record record_of(uint32_t flags, uint32_t action)
{
	CHECK_EQ(filter_call(flags, ASKED, action), 0);
	int fd = audit_reader_at_end();
	struct audit_record r = audit_only(fd, caller());
	CHECK_EQ(r.cause, AUDIT_CAUSE_FILTER);
	CHECK_EQ(r.syscall, ASKED);
	CHECK_EQ(r.arg[0], 11);
	return r;
}

static void no_record_of(uint32_t flags, uint32_t action)
{
	CHECK_EQ(filter_call(flags, ASKED, action), 0);
	int fd = audit_reader_at_end();
	audit_none(fd, caller());
}

static void a_kill_is_told(void)
{
	struct audit_record r = record_of(0, SECCOMP_RET_KILL_PROCESS);

	CHECK_EQ(r.event, AUDIT_EVENT_REFUSED);
	CHECK_EQ(r.result, 0); /* there is none */
}

static void a_thread_s_too(void)
{
	CHECK_EQ(record_of(0, SECCOMP_RET_KILL_THREAD).event, AUDIT_EVENT_REFUSED);
}

static void a_logged_call_is_told(void)
{
	CHECK_EQ(record_of(0, SECCOMP_RET_LOG).event, AUDIT_EVENT_LOGGED);
}

static void errors_are_told_when_wanted(void)
{
	no_record_of(0, SECCOMP_RET_ERRNO | 9);
	struct audit_record r = record_of(LOG, SECCOMP_RET_ERRNO | 10);
	CHECK_EQ(r.event, AUDIT_EVENT_REFUSED);
	CHECK_EQ(r.result, -10);
}

static void questions_are_told_when_wanted(void)
{
	no_record_of(0, SECCOMP_RET_TRACE);
	CHECK_EQ(record_of(LOG, SECCOMP_RET_TRACE).event, AUDIT_EVENT_LOGGED);
	CHECK_EQ(record_of(LOG, SECCOMP_RET_USER_NOTIF).event, AUDIT_EVENT_LOGGED);
	CHECK_EQ(record_of(LOG, SECCOMP_RET_TRAP).event, AUDIT_EVENT_REFUSED);
}

TEST_MAIN(CASE(that_filters_come_is_told), CASE(a_kill_is_told), CASE(a_thread_s_too),
	  CASE(a_logged_call_is_told), CASE(errors_are_told_when_wanted),
	  CASE(questions_are_told_when_wanted))
