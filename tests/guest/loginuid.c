/* /proc/PID/loginuid and sessionid: who logged in, which stays what it is. */
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/slurp.h"
#include "common/tap.h"

#define OWN "/proc/thread-self/loginuid"
#define NONE "4294967295"

static unsigned long login_uid(void)
{
	return strtoul(slurp(OWN), NULL, 10);
}

static unsigned long login_session(void)
{
	return strtoul(slurp("/proc/thread-self/sessionid"), NULL, 10);
}

static void begin(void)
{
	tap_needs_root();
	CHECK_EQ(spit(OWN, NONE), 0);
	CHECK(!strcmp(slurp(OWN), NONE));
	CHECK(!strcmp(slurp("/proc/thread-self/sessionid"), NONE));
}

static void each_login_is_a_session(void)
{
	begin();
	CHECK_EQ(spit(OWN, "2000"), 0);
	unsigned long first = login_session();
	CHECK_EQ(login_uid(), 2000);
	CHECK_EQ(spit(OWN, "2000\n"), 0);
	CHECK(login_session() > first);
	CHECK_EQ(spit(OWN, NONE), 0);
	CHECK_EQ(login_session(), 0xffffffff);
}

static void what_is_no_user_is_refused(void)
{
	begin();
	CHECK_EQ(spit(OWN, "x"), EINVAL);
	CHECK_EQ(spit(OWN, "-1"), EINVAL);
	CHECK_EQ(spit(OWN, "4294967296"), ERANGE);
	CHECK_EQ(login_uid(), 0xffffffff);
	CHECK_EQ(spit(OWN, "4294967294"), 0);
	CHECK_EQ(login_uid(), 0xfffffffe);
}

static void children_have_it(void)
{
	begin();
	CHECK_EQ(spit(OWN, "2000"), 0);
	unsigned long session = login_session();
	pid_t pid = fork();
	if (!pid) {
		CHECK_EQ(login_uid(), 2000);
		CHECK_EQ(login_session(), session);
		CHECK_EQ(spit(OWN, "2001"), 0);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(login_uid(), 2000);
}

static void only_oneself_is_told(void)
{
	char path[64];
	begin();
	sprintf(path, "/proc/%d/loginuid", getpid());
	pid_t pid = fork();
	if (!pid) {
		CHECK_EQ(spit(path, "2000"), EPERM);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(spit(path, "2000"), 0);
}

static void *of_a_thread(void *unused)
{
	CHECK_EQ(spit("/proc/self/loginuid", "2001"), EPERM);
	CHECK_EQ(spit(OWN, "2001"), 0);
	CHECK_EQ(login_uid(), 2001);
	return NULL;
}

static void threads_have_their_own(void)
{
	pthread_t t;
	begin();
	CHECK_EQ(pthread_create(&t, NULL, of_a_thread, NULL), 0);
	pthread_join(t, NULL);
	CHECK_EQ(login_uid(), 0xffffffff);
}

/* A plain user's own file, which says once who that is. */
static void nobody_changes_it_without_privilege(void)
{
	begin();
	CHECK(!setresuid(1000, 1000, 1000) && !prctl(PR_SET_DUMPABLE, 1));
	CHECK_EQ(spit(OWN, "1000"), 0);
	CHECK_EQ(spit(OWN, "1001"), EPERM);
	CHECK_EQ(spit(OWN, NONE), EPERM);
	CHECK_EQ(login_uid(), 1000);
}

static void it_takes_one_capability(void)
{
	begin();
	CHECK_EQ(spit(OWN, "1000"), 0);
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2] = { { 0 } };
	CHECK_EQ(syscall(SYS_capget, &h, d), 0);
	d[0].effective &= ~(1u << (CAP_AUDIT_CONTROL % 32));
	CHECK_EQ(syscall(SYS_capset, &h, d), 0);
	CHECK_EQ(spit(OWN, "1001"), EPERM);
	d[0].effective |= 1u << (CAP_AUDIT_CONTROL % 32);
	CHECK_EQ(syscall(SYS_capset, &h, d), 0);
	CHECK_EQ(spit(OWN, "1001"), 0);
}

TEST_MAIN(CASE(each_login_is_a_session), CASE(what_is_no_user_is_refused),
	  CASE(children_have_it), CASE(only_oneself_is_told),
	  CASE(threads_have_their_own), CASE(nobody_changes_it_without_privilege),
	  CASE(it_takes_one_capability))
