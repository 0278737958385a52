/*
 * Files that ask for signals, and leases, while they are closed, written and handed on by
 * other threads: nobody is told through a file that is gone.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tap.h"

#define ROUNDS 400

static int ends[2];
static volatile sig_atomic_t heard;
static _Atomic bool over;

static void on_news(int sig)
{
	heard++;
}

static void listen_to(int fd)
{
	fcntl(fd, F_SETOWN, getpid());
	fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK);
}

/* Opens the reading end anew, asks, and closes it in the middle of the writes. */
static void *comes_and_goes(void *path)
{
	for (int n = 0; n < ROUNDS; n++) {
		int fd = open(path, O_RDONLY | O_NONBLOCK);
		if (fd < 0)
			return "cannot open";
		listen_to(fd);
		if (n % 3 == 0)
			fcntl(fd, F_SETFL, O_NONBLOCK);
		if (n % 5 == 0)
			fcntl(fd, F_SETOWN, n % 2 ? -getpgrp() : 0);
		char buf[16];
		if (read(fd, buf, sizeof buf) < 0 && errno != EAGAIN)
			return "cannot read";
		close(fd);
	}
	return NULL;
}

static void *writes(void *arg)
{
	while (!over)
		if (write(ends[1], "x", 1) < 0 && errno != EAGAIN)
			return "cannot write";
	return NULL;
}

static void files_go_while_they_are_told(void)
{
	pthread_t threads[3], writer;
	void *said;

	signal(SIGIO, on_news);
	CHECK(!pipe2(ends, O_NONBLOCK));
	char path[] = "/proc/self/fd/3";
	CHECK_EQ(ends[0], 3);
	listen_to(ends[0]);
	CHECK(!pthread_create(&writer, NULL, writes, NULL));
	for (int n = 0; n < 3; n++)
		CHECK(!pthread_create(&threads[n], NULL, comes_and_goes, path));
	for (int n = 0; n < 3; n++) {
		CHECK(!pthread_join(threads[n], &said));
		CHECK(!said);
	}
	over = true;
	CHECK(!pthread_join(writer, &said));
	CHECK(!said);
	CHECK(heard > 0);
}

/* Sockets and inotify files, whose ends die at once. */
static void *dies_at_once(void *arg)
{
	for (int n = 0; n < ROUNDS; n++) {
		int s[2], watch = inotify_init1(IN_NONBLOCK);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) || watch < 0)
			return "cannot make them";
		inotify_add_watch(watch, ".", IN_CREATE | IN_DELETE);
		listen_to(s[0]);
		listen_to(watch);
		close(n & 1 ? s[0] : s[1]);
		if (!(n & 1) || write(s[1], "x", 1) < 0)
			close(open("made", O_CREAT | O_WRONLY, 0600));
		close(n & 1 ? s[1] : s[0]);
		unlink("made");
		close(watch);
	}
	return NULL;
}

static void other_ends_die(void)
{
	pthread_t threads[3];
	void *said;

	tap_tmpdir();
	signal(SIGIO, on_news);
	signal(SIGPIPE, SIG_IGN);
	for (int n = 0; n < 3; n++)
		CHECK(!pthread_create(&threads[n], NULL, dies_at_once, NULL));
	for (int n = 0; n < 3; n++) {
		CHECK(!pthread_join(threads[n], &said));
		CHECK(!said);
	}
	CHECK(heard > 0);
}

/* The owner ends while signals are sent to it, and its number goes to others. */
static void owners_die(void)
{
	signal(SIGIO, SIG_IGN);
	CHECK(!pipe2(ends, O_NONBLOCK));
	for (int n = 0; n < 60; n++) {
		pid_t pid = fork();
		if (!pid)
			_exit(0);
		CHECK(!fcntl(ends[0], F_SETOWN, pid));
		CHECK(!fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK));
		CHECK(write(ends[1], "x", 1) == 1);
		CHECK_EQ(tap_wait(pid), 0);
		CHECK(write(ends[1], "x", 1) == 1);
		CHECK_EQ(fcntl(ends[0], F_GETOWN), 0);
	}
}

/* Many leases of many opens, broken by everybody at once. */
static void *breaks(void *arg)
{
	for (int n = 0; n < ROUNDS; n++) {
		int fd = open("f", n % 7 ? O_RDONLY : O_RDWR | O_NONBLOCK);
		if (fd < 0 && errno != EWOULDBLOCK)
			return "cannot open";
		if (fd >= 0 && !fcntl(fd, F_SETLEASE, F_RDLCK) && n % 2)
			fcntl(fd, F_SETLEASE, F_UNLCK);
		close(fd);
	}
	return NULL;
}

static void leases_of_files_that_go(void)
{
	pthread_t threads[4];
	void *said;

	tap_tmpdir();
	signal(SIGIO, on_news);
	close(open("f", O_CREAT | O_WRONLY, 0600));
	for (int n = 0; n < 4; n++)
		CHECK(!pthread_create(&threads[n], NULL, breaks, NULL));
	for (int n = 0; n < 4; n++) {
		CHECK(!pthread_join(threads[n], &said));
		CHECK(!said);
	}
	int fd = open("f", O_RDONLY);
	CHECK_EQ(fcntl(fd, F_GETLEASE), F_UNLCK);
	CHECK_EQ(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
}

TEST_MAIN(CASE(files_go_while_they_are_told), CASE(other_ends_die), CASE(owners_die),
	  CASE(leases_of_files_that_go))
