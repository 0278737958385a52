/*
 * Filters of seccomp(2) against time: threads that install, run programs, start others
 * and listen at once; listeners that are gone. Each has the honest use beside it.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "common/filter.h"
#include "common/gain.h"

#define ASKED 500
#define TSYNC SECCOMP_FILTER_FLAG_TSYNC
#define LISTEN SECCOMP_FILTER_FLAG_NEW_LISTENER

/* ---- a program that gains privilege, under a filter of who has none ---- */

#define SAYS "--confined" /* 1: it is under a filter; 2: it is root */

static int own_words(int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], SAYS))
		return -1;
	return (prctl(PR_GET_SECCOMP) == 2) | (geteuid() == 0) << 1;
}

static void *confines_all(void *delay)
{
	usleep((unsigned)(long)delay);
	no_new_privs();
	filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 9);
	pause();
	return NULL;
}

static int runs_victim_while(void *(*meanwhile)(void *), long delay, long other)
{
	pid_t pid = fork();

	if (!pid) {
		pthread_t t;
		if (meanwhile)
			pthread_create(&t, NULL, meanwhile, (void *)delay);
		usleep((unsigned)other);
		execl(victim, "victim", SAYS, NULL);
		_exit(99);
	}
	return gain_wait(pid);
}

static void exec_races_a_filter_for_all(void)
{
	CHECK_EQ(runs_victim_while(NULL, 0, 0), 2);
	for (long i = 0; i < 40; i++) {
		int says = runs_victim_while(confines_all, 1000 + i * 50, 2000);
		CHECK(says == 0 || says == 1 || says == 2);
	}
}

static void confined_root_by_synchronising_an_exec(void)
{
	tap_needs_root();
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(exec_races_a_filter_for_all);
}

/* What came from another thread holds for the next program too. */
static void *runs_later(void *arg)
{
	*(int *)arg = gain_run(victim, SAYS);
	return NULL;
}

static void *runs_when_told(void *arg)
{
	atomic_int *told = arg;

	while (!*told)
		usleep(500);
	int says = -1;
	runs_later(&says);
	return (void *)(long)says;
}

static void a_synchronised_thread_execs(void)
{
	static atomic_int told;
	pthread_t t;
	void *says;

	CHECK_EQ(pthread_create(&t, NULL, runs_when_told, &told), 0);
	no_new_privs();
	CHECK_EQ(filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 9), 0);
	told = 1;
	CHECK_EQ(pthread_join(t, &says), 0);
	CHECK_EQ((long)says, 1);
}

static void confined_root_by_a_synchronised_thread(void)
{
	tap_needs_root();
	gain_dir();
	gain_copy("victim", 0, 04755);
	CHECK_EQ(gain_run(victim, SAYS), 2);
	gain_as_plain(a_synchronised_thread_execs);
}

/* ---- listening to oneself ---- */

static void *lets_all_pass(void *listener)
{
	for (;;) {
		struct seccomp_notif n = { 0 };
		if (ioctl((int)(long)listener, SECCOMP_IOCTL_NOTIF_RECV, &n))
			return NULL;
		struct seccomp_notif_resp r = {
			.id = n.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE
		};
		ioctl((int)(long)listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
	}
}

/* Installs a listener that lets everything pass, and makes the call. */
static int lets_itself_pass(void)
{
	pthread_t t;
	int l = filter_call(LISTEN, SYS_getpgid, SECCOMP_RET_USER_NOTIF);

	if (l < 0)
		return 99;
	pthread_create(&t, NULL, lets_all_pass, (void *)(long)l);
	errno = 0;
	return syscall(SYS_getpgid, 0) > 0 ? 0 : errno;
}

static int after(uint32_t action, bool listens)
{
	pid_t pid = fork();

	if (!pid) {
		no_new_privs();
		int l = filter_call(listens ? LISTEN : 0, SYS_getpgid, action);
		if (l < 0)
			_exit(98);
		if (listens)
			close(l); /* the supervisor has died */
		_exit(lets_itself_pass());
	}
	return gain_wait(pid);
}

static void a_listener_of_its_own_when_the_supervisor_is_gone(void)
{
	CHECK_EQ(after(SECCOMP_RET_ALLOW, false), 0);
	CHECK_EQ(after(SECCOMP_RET_ERRNO | 9, false), 9);
	if (!tap_on_mayfly()) /* Linux lets it */
		return;
	CHECK_EQ(after(SECCOMP_RET_USER_NOTIF, true), ENOSYS);
	CHECK_EQ(after(SECCOMP_RET_USER_NOTIF, false), ENOSYS);
	CHECK_EQ(after(SECCOMP_RET_TRACE, false), ENOSYS);
}

/* ---- many who wait ---- */

static void *waits(void *arg)
{
	return (void *)(long)(syscall(ASKED) == -1 ? errno : 0);
}

static void the_listener_goes_while_many_wait(void)
{
	for (int round = 0; round < 10; round++) {
		pid_t pid = fork();
		if (!pid) {
			pthread_t t[12];
			void *error;
			no_new_privs();
			int l = filter_call(LISTEN, ASKED, SECCOMP_RET_USER_NOTIF);
			for (int i = 0; i < 12; i++)
				pthread_create(&t[i], NULL, waits, NULL);
			struct seccomp_notif n = { 0 };
			ioctl(l, SECCOMP_IOCTL_NOTIF_RECV, &n);
			usleep((unsigned)round * 300);
			close(l);
			for (int i = 0; i < 12; i++) {
				pthread_join(t[i], &error);
				if ((long)error != ENOSYS)
					_exit(1);
			}
			_exit(0);
		}
		CHECK_EQ(gain_wait(pid), 0);
	}
}

/* ---- descriptors for who dies meanwhile ---- */

static atomic_bool over;
static _Atomic uint64_t asks; /* the number of the latest who asks */

static void *gives(void *arg)
{
	int l = (int)(long)arg, file = open("/dev/null", O_RDONLY);

	while (!over) {
		struct seccomp_notif_addfd a = { .id = asks, .srcfd = (uint32_t)file };
		ioctl(l, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
	}
	return NULL;
}

static void *fetches(void *arg)
{
	int l = (int)(long)arg;

	while (!over) {
		struct pollfd p = { l, POLLIN, 0 };
		struct seccomp_notif n = { 0 };
		if (poll(&p, 1, 10) == 1 && !ioctl(l, SECCOMP_IOCTL_NOTIF_RECV, &n))
			asks = n.id;
	}
	return NULL;
}

static void who_is_given_descriptors_dies(void)
{
	pthread_t t[3];

	no_new_privs();
	int l = filter_call(LISTEN, ASKED, SECCOMP_RET_USER_NOTIF);
	CHECK(l >= 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(
			pthread_create(&t[i], NULL, i ? gives : fetches, (void *)(long)l),
			0);
	for (unsigned i = 0; i < 30; i++) {
		pid_t pid = fork();
		if (!pid) {
			syscall(ASKED);
			_exit(0);
		}
		usleep(i * 200);
		CHECK_EQ(kill(pid, SIGKILL), 0);
		CHECK_EQ(gain_wait(pid), 128 + SIGKILL);
	}
	over = true;
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}

/* ---- all at once ---- */

static void *installs(void *arg)
{
	for (int i = 0; i < 40; i++)
		filter_call(i & 1 ? TSYNC : 0, ASKED, SECCOMP_RET_ERRNO | 9);
	return NULL;
}

static void *nothing(void *arg)
{
	return NULL;
}

static void *starts_threads(void *arg)
{
	pthread_t t;

	for (int i = 0; i < 40; i++)
		if (!pthread_create(&t, NULL, nothing, NULL))
			pthread_join(t, NULL);
	return NULL;
}

static void *looks_at_all(void *arg)
{
	while (!over)
		status_field("self", "Seccomp_filters");
	return NULL;
}

static void threads_install_start_and_end_at_once(void)
{
	static void *(*const jobs[])(void *) = { installs, starts_threads, installs,
						 starts_threads };
	pthread_t t[4], looker;

	no_new_privs();
	CHECK_EQ(filter_call(0, ASKED, SECCOMP_RET_ERRNO | 8), 0);
	CHECK_EQ(pthread_create(&looker, NULL, looks_at_all, NULL), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, jobs[i], NULL), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	over = true;
	CHECK_EQ(pthread_join(looker, NULL), 0);
	CHECK_EQ(syscall(ASKED), -1);
	CHECK(errno == 8 || errno == 9); /* its own, or another's that came for all */
	CHECK(status_field("self", "Seccomp_filters") >= 1);
}

/* ---- memory ---- */

static void a_chain_as_long_as_can_be_ends(void)
{
	for (int round = 0; round < 3; round++) {
		pid_t pid = fork();
		if (!pid) {
			int n = 0;
			no_new_privs();
			while (!FILTER(0, ALLOW))
				n++;
			_exit(errno == ENOMEM && n > 100 && syscall(SYS_getppid) > 0 ? 0
										     : 1);
		}
		CHECK_EQ(gain_wait(pid), 0);
	}
}

GAIN_MAIN(own_words, CASE(confined_root_by_synchronising_an_exec),
	  CASE(confined_root_by_a_synchronised_thread),
	  CASE(a_listener_of_its_own_when_the_supervisor_is_gone),
	  CASE(the_listener_goes_while_many_wait), CASE(who_is_given_descriptors_dies),
	  CASE(threads_install_start_and_end_at_once),
	  CASE(a_chain_as_long_as_can_be_ends))
