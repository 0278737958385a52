/* SECCOMP_FILTER_FLAG_TSYNC: a filter for all threads at once. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/filter.h"
#include "common/tap.h"

#define TSYNC SECCOMP_FILTER_FLAG_TSYNC
#define ESRCH_TOO SECCOMP_FILTER_FLAG_TSYNC_ESRCH
#define ASKED 500

/* A thread that does as it is told, step by step. */
struct worker {
	pthread_t thread;
	pid_t tid;
	long (*job)(void);
	long result;
	int error;
	pthread_barrier_t start, end;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	w->tid = (pid_t)syscall(SYS_gettid);
	for (;;) {
		pthread_barrier_wait(&w->start);
		if (!w->job)
			return NULL;
		errno = 0;
		w->result = w->job();
		w->error = errno;
		pthread_barrier_wait(&w->end);
	}
}

static long nothing(void)
{
	return 0;
}

static long let(struct worker *w, long (*job)(void))
{
	w->job = job;
	pthread_barrier_wait(&w->start);
	if (!job)
		pthread_join(w->thread, NULL);
	else
		pthread_barrier_wait(&w->end);
	return w->result;
}

static void employ(struct worker *w)
{
	pthread_barrier_init(&w->start, NULL, 2);
	pthread_barrier_init(&w->end, NULL, 2);
	CHECK_EQ(pthread_create(&w->thread, NULL, work, w), 0);
	let(w, nothing);
}

static long call(void)
{
	return syscall(ASKED);
}

static long mode(void)
{
	return prctl(PR_GET_SECCOMP);
}

static long nnp(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static long own_filter(void)
{
	no_new_privs();
	return filter_call(0, ASKED, SECCOMP_RET_ERRNO | 8);
}

static void a_filter_is_one_threads(void)
{
	struct worker w;

	employ(&w);
	no_new_privs();
	CHECK_EQ(filter_call(0, ASKED, SECCOMP_RET_ERRNO | 9), 0);
	CHECK_ERR(call(), 9);
	CHECK_EQ(let(&w, call), -1);
	CHECK_EQ(w.error, ENOSYS);
	CHECK_EQ(let(&w, mode), 0);
	CHECK_EQ(let(&w, nnp), 0);
}

static void or_all_threads(void)
{
	struct worker w[3];

	for (int i = 0; i < 3; i++)
		employ(&w[i]);
	no_new_privs();
	CHECK_EQ(filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 9), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(let(&w[i], call), -1);
		CHECK_EQ(w[i].error, 9);
		CHECK_EQ(let(&w[i], mode), 2);
		CHECK_EQ(let(&w[i], nnp), 1);
	}
	/* once more, on top */
	CHECK_EQ(filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 10), 0);
	CHECK_EQ(let(&w[1], call), -1);
	CHECK_EQ(w[1].error, 10);
	/* and what they start */
	pid_t pid = fork();
	if (!pid)
		_exit(call() == -1 && nnp() == 1 ? errno : 1);
	CHECK_EQ(tap_wait(pid), 10 << 8);
}

static long own_filter_of_all(void)
{
	return filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 11);
}

/* The caller's older filters come with it. */
static void the_whole_chain_is_given(void)
{
	struct worker w;

	employ(&w);
	no_new_privs();
	CHECK_EQ(filter_call(0, SYS_getpgrp, SECCOMP_RET_ERRNO | 12), 0);
	CHECK_EQ(filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 9), 0);
	CHECK_EQ(let(&w, call), -1);
	CHECK_EQ(w.error, 9);
	CHECK_ERR(syscall(SYS_getpgrp), 12);
	/* now w can do the same to this thread */
	CHECK_EQ(let(&w, own_filter_of_all), 0);
	CHECK_ERR(call(), 11);
}

static void a_thread_with_its_own_stays_and_is_named(void)
{
	struct worker a, b;

	employ(&a);
	employ(&b);
	CHECK_EQ(let(&b, own_filter), 0);
	no_new_privs();
	CHECK_EQ(filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 9), b.tid);
	CHECK_ERR(filter_call(TSYNC | ESRCH_TOO, ASKED, SECCOMP_RET_ERRNO | 9), ESRCH);
	/* nothing was installed */
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	CHECK_ERR(call(), ENOSYS);
	CHECK_EQ(let(&a, mode), 0);
	CHECK_EQ(let(&b, call), -1);
	CHECK_EQ(b.error, 8);
	/* without it, it can be done */
	let(&b, NULL);
	while (!syscall(SYS_tgkill, getpid(), b.tid, 0))
		usleep(1000);
	CHECK_EQ(filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 9), 0);
	CHECK_EQ(let(&a, call), -1);
	CHECK_EQ(a.error, 9);
}

static void with_a_listener(void)
{
	struct worker w;

	employ(&w);
	no_new_privs();
	int l = filter_call(TSYNC | ESRCH_TOO | SECCOMP_FILTER_FLAG_NEW_LISTENER, ASKED,
			    SECCOMP_RET_USER_NOTIF);
	CHECK(l >= 0);
	close(l);
	CHECK_EQ(let(&w, call), -1);
	CHECK_EQ(w.error, ENOSYS);
	CHECK_EQ(let(&w, mode), 2);
}

/* Without no_new_privs, by privilege, the others do not get it either. */
static void privilege_is_not_no_new_privs(void)
{
	struct worker w;

	tap_needs_root();
	employ(&w);
	CHECK_EQ(filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 9), 0);
	CHECK_EQ(let(&w, mode), 2);
	CHECK_EQ(let(&w, nnp), 0);
}

/* ---- races ---- */

static atomic_bool over;

static void *start_and_end(void *arg)
{
	return NULL;
}

static void *clones(void *arg)
{
	pthread_t t;

	while (!over)
		if (!pthread_create(&t, NULL, start_and_end, NULL))
			pthread_join(t, NULL);
	return NULL;
}

static void *checks_at_birth(void *arg)
{
	/* Whoever is born after the installation is under it. */
	bool installed = *(atomic_bool *)arg;

	return (void *)(long)(installed && call() != -1);
}

static void threads_born_meanwhile_are_under_it(void)
{
	for (int round = 0; round < 8; round++) {
		static atomic_bool installed;
		pthread_t cloner[2], t;
		void *wrong;

		pid_t pid = fork();
		if (pid) {
			CHECK_EQ(tap_wait(pid), 0);
			continue;
		}
		over = false;
		for (int i = 0; i < 2; i++)
			pthread_create(&cloner[i], NULL, clones, NULL);
		no_new_privs();
		usleep(2000);
		if (filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO | 9))
			_exit(1);
		installed = true;
		for (int i = 0; i < 20; i++) {
			pthread_create(&t, NULL, checks_at_birth, &installed);
			pthread_join(t, &wrong);
			if (wrong)
				_exit(2);
		}
		/* all that are there */
		over = true;
		for (int i = 0; i < 2; i++)
			pthread_join(cloner[i], NULL);
		_exit(0);
	}
}

static void *calls_forever(void *arg)
{
	while (!over)
		if (syscall(SYS_getppid) < 0)
			return (void *)1L;
	return NULL;
}

static void threads_that_call_meanwhile(void)
{
	pthread_t t[3];
	void *stopped;

	over = false;
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, calls_forever, NULL);
	no_new_privs();
	for (int i = 0; i < 30; i++)
		CHECK_EQ(filter_call(TSYNC, ASKED, SECCOMP_RET_ERRNO), 0);
	CHECK_EQ(filter_call(TSYNC, SYS_getppid, SECCOMP_RET_ERRNO | 5), 0);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &stopped);
		CHECK(stopped);
	}
}

TEST_MAIN(CASE(a_filter_is_one_threads), CASE(or_all_threads),
	  CASE(the_whole_chain_is_given), CASE(a_thread_with_its_own_stays_and_is_named),
	  CASE(with_a_listener), CASE(privilege_is_not_no_new_privs),
	  CASE(threads_born_meanwhile_are_under_it), CASE(threads_that_call_meanwhile))
