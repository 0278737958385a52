/*
 * Leases that nobody gives back: fcntl(2), /proc/sys/fs/lease-break-time. What leases
 * mean otherwise is in diff/lease.c.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#define KNOB(name) "/proc/sys/fs/" name

static void knob_set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, value, strlen(value)), strlen(value));
	close(fd);
}

static int leased(int flags, int type)
{
	signal(SIGIO, SIG_IGN);
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10);
	close(fd);
	fd = open("f", flags);
	CHECK(fd >= 0);
	CHECK_EQ(fcntl(fd, F_SETLEASE, type), 0);
	return fd;
}

static long ms_since(const struct timespec *then)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - then->tv_sec) * 1000 +
	       (now.tv_nsec - then->tv_nsec) / 1000000;
}

static void is_taken_when_its_time_is_up(void)
{
	tap_needs_mayfly();
	knob_set(KNOB("lease-break-time"), "1\n");
	int fd = leased(O_RDWR, F_WRLCK);
	struct timespec start;
	clock_gettime(CLOCK_MONOTONIC, &start);
	int other = open("f", O_RDONLY);
	CHECK(other >= 0);
	CHECK(ms_since(&start) >= 990);
	/* A reader leaves the holder what a reader may share. */
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_RDLCK);
	clock_gettime(CLOCK_MONOTONIC, &start);
	CHECK(open("f", O_WRONLY) >= 0);
	CHECK(ms_since(&start) >= 990);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == -1 && errno == EAGAIN);
	knob_set(KNOB("lease-break-time"), "45");
}

static void time_passes_for_who_does_not_wait_too(void)
{
	tap_needs_mayfly();
	knob_set(KNOB("lease-break-time"), "1");
	int fd = leased(O_RDWR, F_WRLCK);
	CHECK(open("f", O_WRONLY | O_NONBLOCK) == -1 && errno == EWOULDBLOCK);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	CHECK_EQ(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	usleep(1010000);
	CHECK(open("f", O_WRONLY | O_NONBLOCK) >= 0);
	knob_set(KNOB("lease-break-time"), "45");
}

static void none_are_given_when_switched_off(void)
{
	tap_needs_mayfly();
	int fd = leased(O_RDONLY, F_RDLCK);
	knob_set(KNOB("leases-enable"), "0\n");
	/* Those that are there stay and can be changed. */
	CHECK_EQ(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
	CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == -1 && errno == EINVAL);
	knob_set(KNOB("leases-enable"), "1\n");
	CHECK_EQ(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
}

static void knobs_take_numbers_only(void)
{
	tap_needs_mayfly();
	int fd = open(KNOB("lease-break-time"), O_WRONLY);
	CHECK(write(fd, "soon\n", 5) == -1 && errno == EINVAL);
	CHECK(write(fd, "99999999999\n", 12) == -1 && errno == EINVAL);
	CHECK(!setgid(1234) && !setuid(1234));
	CHECK(open(KNOB("lease-break-time"), O_WRONLY) == -1 && errno == EACCES);
	CHECK(open(KNOB("lease-break-time"), O_RDONLY) >= 0);
}

/* -- a lease and an open at the same time -- */

#define ROUNDS 300

static pthread_barrier_t meet;

/* Opens for writing when the other asks for a lease that excludes it. */
static void *opener(void *arg)
{
	int *opened = arg;

	for (int n = 0; n < ROUNDS; n++) {
		pthread_barrier_wait(&meet);
		*opened = open("f", O_WRONLY | O_NONBLOCK);
		pthread_barrier_wait(&meet);
		pthread_barrier_wait(&meet);
	}
	return NULL;
}

static void never_both_the_lease_and_the_open(void)
{
	int opened, both = 0, neither = 0;
	pthread_t thread;
	int fd = leased(O_RDONLY, F_RDLCK);

	CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
	pthread_barrier_init(&meet, NULL, 2);
	CHECK(!pthread_create(&thread, NULL, opener, &opened));
	for (int n = 0; n < ROUNDS; n++) {
		pthread_barrier_wait(&meet);
		bool got = !fcntl(fd, F_SETLEASE, F_RDLCK);
		pthread_barrier_wait(&meet);
		both += got && opened >= 0;
		neither += !got && opened < 0;
		if (opened >= 0)
			close(opened);
		if (got)
			CHECK_EQ(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
		pthread_barrier_wait(&meet);
	}
	pthread_join(thread, NULL);
	CHECK_EQ(both, 0);
	CHECK(neither < ROUNDS);
}

/* Many who come and go around one lease: everybody gets in at last. */
static void *reader(void *arg)
{
	for (int n = 0; n < 50; n++) {
		int fd = open("f", n & 1 ? O_RDONLY : O_WRONLY);
		if (fd < 0)
			return "could not open";
		close(fd);
	}
	return NULL;
}

static void *holder(void *arg)
{
	int fd = open("f", O_RDONLY);

	for (int n = 0; n < 400; n++) {
		if (!fcntl(fd, F_SETLEASE, n & 1 ? F_RDLCK : F_WRLCK) && (n & 2))
			sched_yield();
		fcntl(fd, F_SETLEASE, F_UNLCK);
	}
	close(fd);
	return NULL;
}

static void everybody_gets_in(void)
{
	pthread_t threads[4];
	void *said;

	close(leased(O_RDONLY, F_RDLCK));
	for (int n = 0; n < 4; n++)
		CHECK(!pthread_create(&threads[n], NULL, n < 2 ? holder : reader, NULL));
	for (int n = 0; n < 4; n++) {
		CHECK(!pthread_join(threads[n], &said));
		CHECK(!said);
	}
}

TEST_MAIN(CASE(is_taken_when_its_time_is_up), CASE(time_passes_for_who_does_not_wait_too),
	  CASE(none_are_given_when_switched_off), CASE(knobs_take_numbers_only),
	  CASE(never_both_the_lease_and_the_open), CASE(everybody_gets_in))
