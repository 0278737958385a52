/* System V semaphores: semget, semop, semtimedop, semctl, SEM_UNDO. What a case makes
 * outlives it: on a host, run this under `unshare -i`. */
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#ifndef SEM_STAT_ANY
#define SEM_STAT_ANY 20
#endif

static int set_of(int n)
{
	int id = semget(IPC_PRIVATE, n, IPC_CREAT | 0600);

	CHECK(id >= 0);
	return id;
}

static int op(int id, int num, int value, int flags)
{
	struct sembuf b = { (unsigned short)num, (short)value, (short)flags };

	return semop(id, &b, 1);
}

static int value_of(int id, int num)
{
	return semctl(id, num, GETVAL);
}

/* Until so many wait for the semaphore to grow (or to be zero). */
static void wait_for_waiters(int id, int num, int cmd, int n)
{
	while (semctl(id, num, cmd) != n)
		usleep(1000);
}

static void values(void)
{
	int id = set_of(3);
	unsigned short all[3] = { 4, 5, 6 }, got[3];

	CHECK_EQ(value_of(id, 0), 0);
	CHECK_EQ(semctl(id, 1, SETVAL, 7), 0);
	CHECK_EQ(value_of(id, 1), 7);
	CHECK_EQ(semctl(id, 1, GETPID), getpid());
	CHECK_EQ(semctl(id, 0, GETPID), 0);
	CHECK_EQ(semctl(id, 0, SETALL, all), 0);
	CHECK_EQ(semctl(id, 0, GETALL, got), 0);
	CHECK(!memcmp(all, got, sizeof got));
	CHECK_EQ(semctl(id, 0, GETPID), getpid());
	CHECK_ERR(semctl(id, 3, GETVAL), EINVAL);
	CHECK_ERR(semctl(id, -1, GETVAL), EINVAL);
	CHECK_ERR(semctl(id, 0, SETVAL, 32768), ERANGE);
	CHECK_ERR(semctl(id, 0, SETVAL, -1), ERANGE);
	all[2] = 40000;
	CHECK_ERR(semctl(id, 0, SETALL, all), ERANGE);
	CHECK_EQ(value_of(id, 0), 4);
	CHECK_ERR(semctl(id, 0, GETALL, 8), EFAULT);
	CHECK_ERR(semctl(id, 0, 999), EINVAL);
	CHECK_ERR(semctl(id + 32768 * 9, 0, GETVAL), EINVAL);
}

static void getting(void)
{
	key_t key = 0x4d790000 + getpid();
	int id = semget(key, 2, IPC_CREAT | IPC_EXCL | 0600);

	CHECK(id >= 0);
	CHECK_EQ(semget(key, 0, 0), id);
	CHECK_EQ(semget(key, 2, IPC_CREAT), id);
	CHECK_ERR(semget(key, 3, 0), EINVAL);
	CHECK_ERR(semget(key, 2, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_ERR(semget(key + 1000000, 2, 0), ENOENT);
	CHECK_ERR(semget(IPC_PRIVATE, 0, IPC_CREAT), EINVAL);
	CHECK_ERR(semget(IPC_PRIVATE, -1, IPC_CREAT), EINVAL);
	CHECK_ERR(semget(IPC_PRIVATE, 32001, IPC_CREAT), EINVAL);
	CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
	CHECK_ERR(semget(key, 0, 0), ENOENT);
	CHECK_ERR(semctl(id, 0, IPC_RMID), EINVAL);
	id = semget(IPC_PRIVATE, 32000, IPC_CREAT | 0600);
	CHECK(id >= 0);
	CHECK_EQ(op(id, 31999, 1, SEM_UNDO), 0);
	CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
}

static void operations_are_atomic(void)
{
	int id = set_of(3);
	struct sembuf all[] = { { 0, 2, 0 }, { 1, -1, IPC_NOWAIT }, { 2, 3, 0 } };
	struct sembuf zero[] = { { 0, 0, IPC_NOWAIT }, { 0, 1, 0 } };
	struct sembuf big[] = { { 0, 5, 0 }, { 1, 32767, 0 }, { 1, 1, 0 } };

	CHECK_ERR(semop(id, all, 3), EAGAIN);
	CHECK(value_of(id, 0) == 0 && value_of(id, 1) == 0 && value_of(id, 2) == 0);
	CHECK_EQ(op(id, 1, 1, 0), 0);
	CHECK_EQ(semop(id, all, 3), 0);
	CHECK(value_of(id, 0) == 2 && value_of(id, 1) == 0 && value_of(id, 2) == 3);
	CHECK_ERR(semop(id, zero, 2), EAGAIN);
	CHECK_EQ(semctl(id, 0, SETVAL, 0), 0);
	CHECK_EQ(semop(id, zero, 2), 0);
	CHECK_EQ(value_of(id, 0), 1);
	CHECK_ERR(semop(id, big, 3), ERANGE);
	CHECK(value_of(id, 0) == 1 && value_of(id, 1) == 0);
}

static void what_semop_refuses(void)
{
	int id = set_of(1);
	static struct sembuf many[501];

	CHECK_ERR(op(id, 1, 1, 0), EFBIG);
	CHECK_ERR(semop(id, many, 0), EINVAL);
	CHECK_ERR(semop(id, many, 501), E2BIG);
	CHECK_EQ(semop(id, many, 500), 0);
	CHECK_ERR(semop(id, (void *)8, 1), EFAULT);
	CHECK_ERR(semop(-1, many, 1), EINVAL);
	CHECK_ERR(semop(id + 32768 * 9, many, 1), EINVAL);
}

static pid_t waiter(int id, int num, int value)
{
	pid_t child = fork();

	if (!child)
		_exit(op(id, num, value, 0) ? errno : 0);
	return child;
}

static void sleepers_are_counted_and_woken(void)
{
	int id = set_of(2);
	pid_t a = waiter(id, 0, -2), b = waiter(id, 0, -1);

	wait_for_waiters(id, 0, GETNCNT, 2);
	CHECK_EQ(semctl(id, 0, GETZCNT), 0);
	CHECK_EQ(semctl(id, 1, GETNCNT), 0);
	CHECK_EQ(op(id, 0, 1, 0), 0); /* enough for b alone */
	CHECK_EQ(tap_wait(b), 0);
	CHECK_EQ(semctl(id, 0, GETNCNT), 1);
	CHECK_EQ(semctl(id, 0, GETPID), b);
	pid_t z = waiter(id, 1, 0);
	CHECK_EQ(tap_wait(z), 0);
	CHECK_EQ(semctl(id, 1, SETVAL, 1), 0);
	z = waiter(id, 1, 0);
	wait_for_waiters(id, 1, GETZCNT, 1);
	CHECK_EQ(op(id, 1, -1, 0), 0);
	CHECK_EQ(tap_wait(z), 0);
	CHECK_EQ(semctl(id, 0, SETVAL, 2), 0);
	CHECK_EQ(tap_wait(a), 0);
	CHECK_EQ(value_of(id, 0), 0);
}

static void one_wake_leads_to_the_next(void)
{
	int id = set_of(2);
	struct sembuf pass[] = { { 0, -1, 0 }, { 1, 1, 0 } };

	pid_t last = waiter(id, 1, -1);
	wait_for_waiters(id, 1, GETNCNT, 1);
	pid_t first = fork();
	if (!first)
		_exit(semop(id, pass, 2) ? errno : 0);
	wait_for_waiters(id, 0, GETNCNT, 1);
	CHECK_EQ(op(id, 0, 1, 0), 0);
	CHECK_EQ(tap_wait(first), 0);
	CHECK_EQ(tap_wait(last), 0);
}

static void removal_ends_waiting(void)
{
	int id = set_of(1);
	pid_t a = waiter(id, 0, -1);

	wait_for_waiters(id, 0, GETNCNT, 1);
	CHECK_EQ(semctl(id, 0, IPC_RMID), 0);
	CHECK_EQ(WEXITSTATUS(tap_wait(a)), EIDRM);
}

static void on_signal(int sig)
{
}

static void a_signal_ends_waiting(void)
{
	int id = set_of(1);

	pid_t child = fork();
	if (!child) {
		struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
		sigaction(SIGUSR1, &sa, NULL);
		_exit(op(id, 0, -1, 0) ? errno : 0);
	}
	wait_for_waiters(id, 0, GETNCNT, 1);
	kill(child, SIGUSR1);
	CHECK_EQ(WEXITSTATUS(tap_wait(child)), EINTR);
	CHECK_EQ(semctl(id, 0, GETNCNT), 0);
	CHECK_EQ(op(id, 0, 1, 0), 0);
	CHECK_EQ(value_of(id, 0), 1); /* nothing was taken for it */
}

static void waiting_has_an_end(void)
{
	int id = set_of(1);
	struct sembuf take = { 0, -1, 0 };
	struct timespec t0, t1, short_time = { 0, 50000000 }, bad = { 0, 1000000000 };

	clock_gettime(CLOCK_MONOTONIC, &t0);
	CHECK_ERR(semtimedop(id, &take, 1, &short_time), EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	CHECK((t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000 >= 49);
	CHECK_ERR(semtimedop(id, &take, 1, &bad), EINVAL);
	CHECK_ERR(semtimedop(id, &take, 1, (void *)8), EFAULT);
	CHECK_EQ(op(id, 0, 1, 0), 0);
	CHECK_EQ(semtimedop(id, &take, 1, &short_time), 0);
	CHECK_EQ(semctl(id, 0, GETNCNT), 0);
}

static void undone_at_exit(void)
{
	int id = set_of(2);

	CHECK_EQ(semctl(id, 0, SETVAL, 5), 0);
	pid_t child = fork();
	if (!child) {
		op(id, 0, -3, SEM_UNDO);
		op(id, 0, -1, 0);
		op(id, 1, 4, SEM_UNDO);
		_exit(value_of(id, 0) * 16 + value_of(id, 1));
	}
	CHECK_EQ(WEXITSTATUS(tap_wait(child)), 1 * 16 + 4);
	CHECK_EQ(value_of(id, 0), 4);
	CHECK_EQ(value_of(id, 1), 0);
	CHECK_EQ(semctl(id, 0, GETPID), child);
	/* Whoever is killed, too, and who waits is woken. */
	child = fork();
	if (!child) {
		op(id, 0, -4, SEM_UNDO);
		op(id, 1, 1, 0);
		pause();
	}
	CHECK_EQ(op(id, 1, -1, 0), 0);
	pid_t late = waiter(id, 0, -4);
	wait_for_waiters(id, 0, GETNCNT, 1);
	kill(child, SIGKILL);
	CHECK_EQ(tap_wait(late), 0);
	CHECK_EQ(WTERMSIG(tap_wait(child)), SIGKILL);
}

static void undo_is_forgotten_when_set(void)
{
	int id = set_of(1);

	pid_t child = fork();
	if (!child) {
		op(id, 0, 3, SEM_UNDO);
		semctl(id, 0, SETVAL, 9);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
	CHECK_EQ(value_of(id, 0), 9);
	child = fork();
	if (!child) { /* never below zero */
		op(id, 0, 3, SEM_UNDO);
		op(id, 0, -11, 0);
		_exit(value_of(id, 0));
	}
	CHECK_EQ(WEXITSTATUS(tap_wait(child)), 1);
	CHECK_EQ(value_of(id, 0), 0);
	child = fork();
	if (!child) { /* and not after the set is gone */
		op(id, 0, 3, SEM_UNDO);
		semctl(id, 0, IPC_RMID);
		int other = set_of(1);
		_exit(value_of(other, 0));
	}
	CHECK_EQ(tap_wait(child), 0);
}

static void undo_has_a_range(void)
{
	int id = set_of(1);

	CHECK_EQ(op(id, 0, 32767, SEM_UNDO), 0);
	CHECK_EQ(op(id, 0, -32767, 0), 0);
	CHECK_EQ(op(id, 0, 1, SEM_UNDO), 0); /* -32768 still fits */
	CHECK_ERR(op(id, 0, 1, SEM_UNDO), ERANGE);
	CHECK_EQ(value_of(id, 0), 1);
	CHECK_EQ(op(id, 0, 1, 0), 0); /* the twin */
}

static void undo_survives_exec_not_fork(void)
{
	int id = set_of(1);

	pid_t child = fork();
	if (!child) {
		char n[16];
		op(id, 0, 2, SEM_UNDO);
		if (!fork())
			_exit(0);
		wait(NULL);
		if (value_of(id, 0) != 2)
			_exit(7);
		snprintf(n, sizeof n, "%d", id);
		execl("/proc/self/exe", "x", "--value", n, NULL);
		_exit(8);
	}
	CHECK_EQ(WEXITSTATUS(tap_wait(child)), 2);
	CHECK_EQ(value_of(id, 0), 0);
}

static int thread_id;

static void *thread_adds(void *arg)
{
	op(thread_id, 0, 5, SEM_UNDO);
	return NULL;
}

static void threads_share_their_undo(void)
{
	int id = thread_id = set_of(1);

	pid_t child = fork();
	if (!child) {
		pthread_t t;
		pthread_create(&t, NULL, thread_adds, NULL);
		pthread_join(t, NULL);
		int v = value_of(id, 0); /* the thread is gone, the process is not */
		op(id, 0, -2, SEM_UNDO);
		_exit(v);
	}
	CHECK_EQ(WEXITSTATUS(tap_wait(child)), 5);
	CHECK_EQ(value_of(id, 0), 0);
}

/* unshare(2): who leaves a shared list as the last makes good what is on it. */
static void unshare_undoes(void)
{
	int id = set_of(1);

	CHECK_EQ(op(id, 0, 3, SEM_UNDO), 0);
	CHECK_EQ(unshare(CLONE_FILES), 0);
	CHECK_EQ(value_of(id, 0), 3);
	CHECK_EQ(unshare(CLONE_SYSVSEM), 0);
	CHECK_EQ(value_of(id, 0), 0);
	CHECK_EQ(op(id, 0, 2, SEM_UNDO), 0);
	CHECK_EQ(value_of(id, 0), 2);
}

static void permissions(void)
{
	tap_needs_root();
	int id = set_of(1);
	struct semid_ds ds;

	CHECK_EQ(semctl(id, 0, IPC_STAT, &ds), 0);
	CHECK(ds.sem_nsems == 1 && ds.sem_perm.mode == 0600 && ds.sem_otime == 0);
	ds.sem_perm.mode = 0604;
	CHECK_EQ(semctl(id, 0, IPC_SET, &ds), 0);
	pid_t child = fork();
	if (!child) {
		CHECK(setgroups(0, NULL) == 0 && setgid(2000) == 0 && setuid(2000) == 0);
		CHECK_EQ(op(id, 0, 0, 0), 0); /* looking is reading */
		CHECK_EQ(value_of(id, 0), 0);
		CHECK_ERR(op(id, 0, 1, 0), EACCES);
		CHECK_ERR(semctl(id, 0, SETVAL, 1), EACCES);
		CHECK_ERR(semctl(id, 0, IPC_SET, &ds), EPERM);
		CHECK_ERR(semctl(id, 0, IPC_RMID), EPERM);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
	CHECK_EQ(op(id, 0, 1, 0), 0);
	CHECK_EQ(semctl(id, 0, IPC_STAT, &ds), 0);
	CHECK(ds.sem_otime > 0);
}

static void information(void)
{
	int id = set_of(4);
	struct seminfo info;
	struct semid_ds ds;
	char line[256];
	int a, b, c, d, n = 0;

	CHECK(semctl(0, 0, IPC_INFO, &info) >= 0);
	CHECK(info.semmni == 32000 && info.semmsl == 32000 && info.semopm == 500 &&
	      info.semvmx == 32767 && info.semaem == 32767);
	CHECK(semctl(0, 0, SEM_INFO, &info) >= 0);
	CHECK(info.semusz >= 1 && info.semaem >= 4);
	CHECK_EQ(semctl(id & 32767, 0, SEM_STAT, &ds), id);
	CHECK_EQ(semctl(id & 32767, 0, SEM_STAT_ANY, &ds), id);
	CHECK_EQ(ds.sem_nsems, 4);
	FILE *f = fopen("/proc/sysvipc/sem", "r");
	CHECK(fgets(line, sizeof line, f));
	CHECK(!strcmp(line, "       key      semid perms      nsems   uid   gid  cuid  "
			    "cgid      otime      ctime\n"));
	while (fgets(line, sizeof line, f)) {
		CHECK_EQ(sscanf(line, "%d %d %o %d", &a, &b, &c, &d), 4);
		if (b == id && c == 0600 && d == 4)
			n++;
	}
	fclose(f);
	CHECK_EQ(n, 1);
}

#define ROUNDS 2000

static void excludes_under_load(void)
{
	int id = set_of(1), status = 0;

	CHECK_EQ(semctl(id, 0, SETVAL, 1), 0);
	int pipes[2];
	CHECK(pipe(pipes) == 0 && write(pipes[1], "\0\0\0\0", 4) == 4);
	for (int i = 0; i < 4; i++) {
		if (fork())
			continue;
		for (int k = 0; k < ROUNDS; k++) {
			int n;
			if (op(id, 0, -1, SEM_UNDO) || read(pipes[0], &n, 4) != 4)
				_exit(1);
			n++;
			if (write(pipes[1], &n, 4) != 4 || op(id, 0, 1, SEM_UNDO))
				_exit(2);
		}
		_exit(0);
	}
	for (int i = 0; i < 4; i++) {
		int s;
		wait(&s);
		status |= s;
	}
	CHECK_EQ(status, 0);
	int n;
	CHECK_EQ(read(pipes[0], &n, 4), 4);
	CHECK_EQ(n, 4 * ROUNDS);
	CHECK_EQ(value_of(id, 0), 1);
}

static const struct tap_case cases[] = {
	CASE(values),
	CASE(getting),
	CASE(operations_are_atomic),
	CASE(what_semop_refuses),
	CASE(sleepers_are_counted_and_woken),
	CASE(one_wake_leads_to_the_next),
	CASE(removal_ends_waiting),
	CASE(a_signal_ends_waiting),
	CASE(waiting_has_an_end),
	CASE(undone_at_exit),
	CASE(undo_is_forgotten_when_set),
	CASE(undo_has_a_range),
	CASE(undo_survives_exec_not_fork),
	CASE(threads_share_their_undo),
	CASE(unshare_undoes),
	CASE(permissions),
	CASE(information),
	CASE(excludes_under_load),
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--value"))
		return value_of(atoi(argv[2]), 0);
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}
