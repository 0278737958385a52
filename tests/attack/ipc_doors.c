/*
 * What a hostile job would try with IPC objects and watches: numbers of objects that are
 * gone, races of removal with use, other users' objects, and filling the memory with what
 * no process owns.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#define PAGE 4096ul
#define RACE_MS 700

static bool time_is_up(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1000 +
		       (now.tv_nsec - start->tv_nsec) / 1000000 >
	       RACE_MS;
}

static void become(uid_t uid)
{
	CHECK(setgroups(0, NULL) == 0 && setgid(uid) == 0 && setuid(uid) == 0);
}

static __attribute__((noreturn)) void wait_forever(int ready)
{
	if (write(ready, "r", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Runs fn(i) in n children until the time is up, or it returns false. */
static void race(int n, bool (*fn)(int i))
{
	struct timespec start;
	int status = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < n; i++) {
		if (fork())
			continue;
		while (!time_is_up(&start))
			if (!fn(i))
				_exit(1);
		_exit(0);
	}
	for (int i = 0; i < n; i++) {
		int s;
		wait(&s);
		status |= s;
	}
	CHECK_EQ(status, 0);
}

/* ---- removal against use ---- */

static _Atomic int *shared_id;

static bool rmid_or_attach(int i)
{
	if (i == 0) {
		int id = shmget(IPC_PRIVATE, 2 * PAGE, IPC_CREAT | 0600);
		if (id < 0)
			return false;
		*shared_id = id;
		sched_yield();
		return shmctl(id, IPC_RMID, NULL) == 0;
	}
	char *a = shmat(*shared_id, NULL, 0);
	if (a == (void *)-1)
		return errno == EINVAL || errno == EIDRM;
	for (size_t k = 0; k < 2 * PAGE; k += PAGE) {
		if (a[k] && a[k] != 'x')
			return false; /* what another one left */
		a[k] = 'x';
	}
	if (i == 2)
		munmap(a + PAGE, PAGE);
	return shmdt(a) == 0;
}

static void rmid_races_attach(void)
{
	struct shm_info info;

	shared_id = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	*shared_id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
	CHECK_EQ(shmctl(*shared_id, IPC_RMID, NULL), 0);
	race(4, rmid_or_attach);
	CHECK(shmctl(0, SHM_INFO, (void *)&info) >= 0);
	CHECK_EQ(info.used_ids, 0);
	CHECK_EQ(info.shm_tot, 0);
	CHECK_EQ(info.shm_rss, 0);
}

static bool rmid_or_semop(int i)
{
	struct sembuf b[2] = { { 0, 1, SEM_UNDO }, { 1, -1, SEM_UNDO | IPC_NOWAIT } };
	struct timespec ms = { 0, 1000000 };

	if (i == 0) {
		int id = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
		if (id < 0)
			return false;
		*shared_id = id;
		sched_yield();
		return semctl(id, 0, IPC_RMID) == 0;
	}
	if (i == 1) { /* comes and goes with something to make good */
		pid_t child = fork();
		if (!child) {
			semop(*shared_id, b, 1);
			_exit(0);
		}
		return waitpid(child, NULL, 0) == child;
	}
	b[0].sem_op = i == 2 ? -1 : 1;
	if (semtimedop(*shared_id, b, i == 2 ? 1 : 2, &ms) == 0)
		return true;
	return errno == EINVAL || errno == EIDRM || errno == EAGAIN || errno == ERANGE;
}

static void rmid_races_semop(void)
{
	struct seminfo info;

	shared_id = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	*shared_id = 0;
	race(4, rmid_or_semop);
	CHECK(semctl(0, 0, SEM_INFO, &info) >= 0);
	CHECK(info.semusz == 0 && info.semaem == 0);
}

static bool rmid_or_message(int i)
{
	struct {
		long type;
		char text[64];
	} m = { .type = 1 };

	if (i == 0) {
		int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
		if (id < 0)
			return false;
		*shared_id = id;
		usleep(200);
		return msgctl(id, IPC_RMID, NULL) == 0;
	}
	memset(m.text, i, sizeof m.text);
	long n = i < 3 ? msgsnd(*shared_id, &m, sizeof m.text, 0)
		       : msgrcv(*shared_id, &m, sizeof m.text, 0, 0);
	for (long k = 1; k < n; k++)
		if (m.text[k] != m.text[0])
			return false;
	return n >= 0 || errno == EINVAL || errno == EIDRM;
}

static void rmid_races_messages(void)
{
	struct msginfo info;

	shared_id = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			 -1, 0);
	*shared_id = 0;
	race(4, rmid_or_message);
	CHECK(msgctl(0, MSG_INFO, (void *)&info) >= 0);
	CHECK(info.msgpool == 0 && info.msgmap == 0 && info.msgtql == 0);
}

static bool unlink_or_open(int i)
{
	struct mq_attr a = { .mq_maxmsg = 2, .mq_msgsize = 16 };
	char b[16];

	if (i == 0)
		return mq_unlink("/race") == 0 || errno == ENOENT;
	mqd_t q = mq_open("/race", O_CREAT | O_RDWR | O_NONBLOCK, 0600, &a);
	if (q < 0)
		return false;
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCHLD };
	mq_notify(q, &e);
	mq_send(q, "0123456789abcdef", 16, (unsigned)i);
	long n = mq_receive(q, b, 16, NULL);
	return close(q) == 0 && (n < 0 || !memcmp(b, "0123456789abcdef", 16));
}

static void mq_unlink_races_open(void)
{
	race(4, unlink_or_open);
	mq_unlink("/race");
	CHECK_ERR(mq_open("/race", O_RDONLY), ENOENT);
}

/* ---- numbers ---- */

/* Guessing: of all the numbers an index can have had, one is the object's. */
static void old_numbers_name_nothing(void)
{
	int old[64], now;

	for (int i = 0; i < 64; i++) {
		old[i] = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
		CHECK(old[i] >= 0);
		CHECK_EQ(semctl(old[i], 0, IPC_RMID), 0);
	}
	now = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	for (int i = 0; i < 64; i++) {
		CHECK(old[i] != now);
		CHECK_ERR(semctl(old[i], 0, SETVAL, 1), EINVAL);
	}
	CHECK_EQ(semctl(now, 0, SETVAL, 1), 0); /* the twin */
	for (unsigned k = 1; k < 65536; k++)
		if (semctl((int)((unsigned)now ^ k << 15), 0, GETVAL) >= 0)
			CHECK(!"a wrong number is accepted");
	CHECK_EQ(semctl(now, 0, IPC_RMID), 0);
	static const int odd[] = { -1, -2147483647 - 1, 2147483647, 32768 * 3 + 5 };
	for (unsigned i = 0; i < 4; i++) {
		CHECK_ERR(semctl(odd[i], 0, IPC_RMID), EINVAL);
		CHECK_ERR(shmctl(odd[i], IPC_RMID, NULL), EINVAL);
		CHECK_ERR(msgctl(odd[i], IPC_RMID, NULL), EINVAL);
	}
}

/* ---- other users ---- */

/* A notice that one program asked for is not sent to what its process has become. */
static void no_notice_to_another_program(void)
{
	struct mq_attr a = { .mq_maxmsg = 1, .mq_msgsize = 1 };

	for (int change = 0; change < 2; change++) {
		mqd_t q = mq_open("/notice", O_CREAT | O_RDWR, 0600, &a);
		int ready[2];
		char c;
		CHECK(q >= 0 && pipe(ready) == 0);
		pid_t child = fork();
		if (!child) {
			struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
					      .sigev_signo = SIGUSR1 };
			char text[16];
			CHECK_EQ(mq_notify(q, &e), 0);
			snprintf(text, sizeof text, "%d", ready[1]);
			fcntl(q, F_SETFD, 0);
			if (change)
				execl("/proc/self/exe", "x", "--wait", text, NULL);
			wait_forever(ready[1]);
		}
		CHECK_EQ(read(ready[0], &c, 1), 1);
		CHECK_EQ(mq_send(q, "x", 1, 0), 0);
		usleep(20000);
		int status;
		pid_t dead = waitpid(child, &status, WNOHANG);
		if (change) {
			CHECK_EQ(dead, 0);
			kill(child, SIGKILL);
			tap_wait(child);
		} else { /* the twin */
			CHECK_EQ(dead, child);
			CHECK_EQ(WTERMSIG(status), SIGUSR1);
		}
		close(q);
		mq_unlink("/notice");
	}
}

static void limits_are_roots(void)
{
	static const char *const files[] = {
		"/proc/sys/kernel/shmmax",	  "/proc/sys/kernel/sem",
		"/proc/sys/kernel/msgmax",	  "/proc/sys/fs/mqueue/msg_max",
		"/proc/sys/fs/mqueue/queues_max", "/proc/sys/fs/inotify/max_user_watches",
	};

	tap_needs_root();
	for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++) {
		char before[64] = "", after[64] = "";
		int fd = open(files[i], O_RDWR);
		CHECK(fd >= 0);
		CHECK(read(fd, before, 63) > 0);
		if (tap_on_mayfly())
			CHECK_ERR(pwrite(fd, "-1", 2, 0), EINVAL);
		CHECK_ERR(pwrite(fd, "x", 1, 0), EINVAL);
		CHECK(pwrite(fd, before, strlen(before), 0) > 0); /* the twin */
		CHECK(pread(fd, after, 63, 0) > 0);
		CHECK(!strcmp(before, after));
		close(fd);
	}
	pid_t child = fork();
	if (!child) {
		become(3000);
		for (unsigned i = 0; i < sizeof files / sizeof files[0]; i++)
			CHECK_ERR(open(files[i], O_WRONLY), EACCES);
		CHECK(open(files[0], O_RDONLY) >= 0);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
}

/* ---- memory ---- */

/* What outlives processes is bounded: the job goes on. */
static void messages_do_not_eat_the_memory(void)
{
	static struct {
		long type;
		char text[8192];
	} m = { .type = 1 };
	int n = 0, first = -1;

	tap_needs_mayfly();
	for (; n < 32000; n++) {
		int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
		if (id < 0 || msgsnd(id, &m, sizeof m.text, IPC_NOWAIT) ||
		    msgsnd(id, &m, sizeof m.text, IPC_NOWAIT))
			break;
		first = first < 0 ? id : first;
	}
	CHECK_EQ(errno, ENOMEM);
	CHECK(n > 100);
	char *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 16 << 20); /* there is memory for programs */
	CHECK_EQ(msgctl(first, IPC_RMID, NULL), 0);
	CHECK(msgget(IPC_PRIVATE, IPC_CREAT | 0600) >= 0); /* the twin */
	struct msginfo info;
	int top = msgctl(0, MSG_INFO, (void *)&info);
	struct msqid_ds ds;
	for (int i = 0; i <= top; i++) {
		int id = msgctl(i, 11 /* MSG_STAT */, &ds);
		if (id >= 0)
			CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
	}
}

static void semaphores_do_not_eat_the_memory(void)
{
	int id[200], n = 0;

	tap_needs_mayfly();
	for (; n < 200; n++) {
		struct sembuf b = { 0, 1, SEM_UNDO };
		id[n] = semget(IPC_PRIVATE, 32000, IPC_CREAT | 0600);
		if (id[n] < 0)
			break;
		if (semop(id[n], &b, 1)) {
			CHECK_EQ(errno, ENOMEM);
			semctl(id[n], 0, IPC_RMID);
			errno = ENOMEM;
			break;
		}
	}
	CHECK_EQ(errno, ENOMEM);
	CHECK(n > 10);
	for (int i = 0; i < n; i++)
		CHECK_EQ(semctl(id[i], 0, IPC_RMID), 0);
	CHECK((id[0] = semget(IPC_PRIVATE, 32000, IPC_CREAT | 0600)) >= 0); /* the twin */
	CHECK_EQ(semctl(id[0], 0, IPC_RMID), 0);
}

static void segments_do_not_eat_the_memory(void)
{
	tap_needs_mayfly();
	CHECK_ERR(shmget(IPC_PRIVATE, 1ul << 40, IPC_CREAT | 0600), ENOMEM);
	int id =
		shmget(IPC_PRIVATE, 1ul << 40, IPC_CREAT | 0600 | 010000 /* NORESERVE */);
	CHECK(id >= 0);
	pid_t child = fork();
	if (!child) {
		volatile char *a = shmat(id, NULL, 0);
		if (a == (void *)-1)
			_exit(0);
		for (size_t i = 0;; i += PAGE)
			a[i] = 1;
	}
	CHECK_EQ(WTERMSIG(tap_wait(child)), SIGBUS);
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
	char *p = mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(p, 1, 16 << 20); /* it all came back */
	CHECK_EQ(p[1000], 1);
}

/* ---- watches ---- */

static void *opens(void *arg)
{
	for (int i = 0; i < 2000; i++)
		close(open("f", O_CREAT | O_RDWR, 0600));
	return NULL;
}

/* An instance that goes while events for it are made. */
static void instance_dies_under_events(void)
{
	pthread_t t[3];

	tap_tmpdir();
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, opens, NULL), 0);
	for (int i = 0; i < 500; i++) {
		int fd = inotify_init1(0);
		CHECK(fd >= 0 && inotify_add_watch(fd, ".", IN_ALL_EVENTS) == 1);
		inotify_add_watch(fd, "f", IN_ALL_EVENTS);
		close(fd);
	}
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
}

static const struct tap_case cases[] = {
	CASE(rmid_races_attach),
	CASE(rmid_races_semop),
	CASE(rmid_races_messages),
	CASE(mq_unlink_races_open),
	CASE(old_numbers_name_nothing),
	CASE(no_notice_to_another_program),
	CASE(limits_are_roots),
	CASE(messages_do_not_eat_the_memory),
	CASE(semaphores_do_not_eat_the_memory),
	CASE(segments_do_not_eat_the_memory),
	CASE(instance_dies_under_events),
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--wait"))
		wait_forever(atoi(argv[2]));
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}
