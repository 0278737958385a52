/* System V shared memory, semaphores, messages; POSIX message queues; inotify. */
#include "diff.h"

#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEY 0x4d415946

/* -- shared memory ------------------------------------------------------------------- */

DIFF_CASE(shm_get_corners)
{
	int id = shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0600);
	SHOW(id >= 0);
	TRY(shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0600));
	SHOW(shmget(KEY, 0, 0) == id);
	SHOW(shmget(KEY, 100, 0600) == id);
	TRY(shmget(KEY, 8192, 0));
	TRY(shmget(KEY + 1, 100, 0600));
	TRY(shmget(IPC_PRIVATE, 0, 0600));
	TRY(shmget(KEY + 1, (size_t)-1, IPC_CREAT | 0600));
	TRY(shmctl(id, IPC_RMID, NULL));
	TRY(shmctl(id, IPC_RMID, NULL));
	TRY(shmget(KEY, 0, 0));
	TRY(shmctl(12345, IPC_STAT, NULL));
	TRY(shmctl(-1, IPC_RMID, NULL));
}

DIFF_CASE(shm_attach)
{
	struct shmid_ds ds;
	int id = shmget(IPC_PRIVATE, 5000, 0640);
	char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);
	SHOW(a != (void *)-1 && b != (void *)-1 && a != b);
	a[4999] = 'x';
	SHOW(b[4999]);
	SHOW(a[5000]);
	NEED(!shmctl(id, IPC_STAT, &ds));
	say("size %zu attached %ld mode 0%o cpid mine %d lpid mine %d", ds.shm_segsz,
	    (long)ds.shm_nattch, ds.shm_perm.mode, ds.shm_cpid == getpid(),
	    ds.shm_lpid == getpid());
	TRY(shmat(id, (void *)1, 0) == (void *)-1 ? -1 : 0);
	/* In a place of its own: what lies behind `a` may be the harness's. */
	char *room = mmap(NULL, 0x4000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(room != MAP_FAILED);
	SHOW(shmat(id, room + 0x1001, SHM_RND | SHM_REMAP) == room + 0x1000);
	TRY(shmdt(a + 1));
	TRY(shmctl(id, IPC_RMID, NULL));
	NEED(!shmctl(id, IPC_STAT, &ds));
	say("removed: mode 0%o key %d", ds.shm_perm.mode, (int)ds.shm_perm.__key);
	a = shmat(id, NULL, 0);
	SHOW(a != (void *)-1);
	pid_t pid = fork();
	if (!pid) {
		a[0] = 'c';
		_exit(shmdt(a));
	}
	say_status("child", reap(pid));
	SHOW(a[0]);
}

DIFF_CASE(shm_permissions)
{
	struct shmid_ds ds;
	int id = shmget(KEY, 4096, IPC_CREAT | 0600);
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		TRY(shmget(KEY, 4096, 0400));
		TRY(shmat(id, NULL, 0) == (void *)-1 ? -1 : 0);
		TRY(shmctl(id, IPC_STAT, &ds));
		TRY(shmctl(id, IPC_RMID, NULL));
		_exit(0);
	}
	reap(pid);
	NEED(!shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.mode = 0644;
	TRY(shmctl(id, IPC_SET, &ds));
	pid = fork();
	if (!pid) {
		become_nobody();
		TRY(shmat(id, NULL, 0) == (void *)-1 ? -1 : 0);
		TRY(shmat(id, NULL, SHM_RDONLY) == (void *)-1 ? -1 : 0);
		_exit(0);
	}
	reap(pid);
	shmctl(id, IPC_RMID, NULL);
}

/* -- semaphores ---------------------------------------------------------------------- */

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

static long op(int id, int num, int by, int flags)
{
	struct sembuf b = { (unsigned short)num, (short)by, (short)flags };
	return semop(id, &b, 1);
}

DIFF_CASE(sem_values)
{
	unsigned short all[3] = { 1, 2, 3 }, got[3];
	struct semid_ds ds;
	int id = semget(IPC_PRIVATE, 3, 0600);
	TRY(semctl(id, 0, SETALL, (union semun){ .array = all }));
	TRY(semctl(id, 1, GETVAL));
	TRY(semctl(id, 1, SETVAL, (union semun){ .val = 7 }));
	TRY(semctl(id, 0, GETALL, (union semun){ .array = got }));
	say("%d %d %d", got[0], got[1], got[2]);
	TRY(semctl(id, 3, GETVAL));
	TRY(semctl(id, 0, SETVAL, (union semun){ .val = 32768 }));
	TRY(semctl(id, 0, SETVAL, (union semun){ .val = -1 }));
	TRY(semctl(id, 0, IPC_STAT, (union semun){ .buf = &ds }));
	say("nsems %d otime %ld", (int)ds.sem_nsems, (long)ds.sem_otime);
	SHOW(semctl(id, 1, GETPID) == getpid());
	TRY(semctl(id, 0, GETNCNT));
	TRY(semctl(id, 0, GETZCNT));
	TRY(semctl(id, 0, 99));
	TRY(semctl(id, 0, IPC_RMID));
	TRY(semctl(id, 0, GETVAL));
	TRY(semget(IPC_PRIVATE, 0, 0600));
	TRY(semget(IPC_PRIVATE, -1, 0600));
	TRY(semget(KEY, 1, 0600));
}

DIFF_CASE(sem_operations)
{
	int id = semget(IPC_PRIVATE, 2, 0600);
	TRY(op(id, 0, 2, 0));
	TRY(op(id, 0, -1, 0));
	TRY(op(id, 0, -2, IPC_NOWAIT));
	TRY(op(id, 0, 0, IPC_NOWAIT));
	TRY(op(id, 1, 0, 0));
	TRY(op(id, 2, 1, 0));
	TRY(op(id, 0, 32767, 0));
	struct sembuf two[] = { { 0, -1, 0 }, { 1, -1, IPC_NOWAIT } };
	TRY(semop(id, two, 2));
	TRY(semctl(id, 0, GETVAL));
	TRY(semop(id, two, 0));
	TRY(semop(id, (void *)8, 1));
	struct timespec t = { 0, 20000000 };
	two[0].sem_op = -5;
	TRY(semtimedop(id, two, 1, &t));
	catch (SIGALRM, SA_RESTART);
	ualarm(20000, 20000);
	TRY(semop(id, two, 1));
	ualarm(0, 0);
	semctl(id, 0, IPC_RMID);
	TRY(op(id, 0, 1, 0));
}

static int sem_id;

static int sem_waiter(void)
{
	return op(sem_id, 0, -1, 0) ? errno : 200;
}

static int undoer(void)
{
	return (int)op(sem_id, 0, 5, SEM_UNDO);
}

DIFF_CASE(sem_blocking_and_undo)
{
	sem_id = semget(IPC_PRIVATE, 1, 0600);
	pid_t pid = child_of(sem_waiter);
	wait_asleep(pid);
	TRY(semctl(sem_id, 0, GETNCNT));
	TRY(op(sem_id, 0, 1, 0));
	say_status("waiter", reap(pid));
	say_status("undoer", reap(child_of(undoer)));
	TRY(semctl(sem_id, 0, GETVAL));
	pid = child_of(sem_waiter);
	wait_asleep(pid);
	TRY(semctl(sem_id, 0, IPC_RMID));
	SHOW(WEXITSTATUS(reap(pid)) == EIDRM);
}

/* -- messages ------------------------------------------------------------------------ */

struct message {
	long type;
	char text[32];
};

static long post(int id, long type, const char *text, int flags)
{
	struct message m = { .type = type };
	strcpy(m.text, text);
	return msgsnd(id, &m, strlen(text), flags);
}

static void get(int id, long type, size_t room, int flags)
{
	struct message m = { 0 };
	long n = msgrcv(id, &m, room, type, flags);
	if (n < 0)
		say("type %ld: %s", type, err_name(errno));
	else
		say("type %ld: %ld of %ld bytes: %s", type, m.type, n, m.text);
}

DIFF_CASE(msg_queue_types)
{
	int id = msgget(IPC_PRIVATE, 0600);
	TRY(post(id, 3, "three", 0));
	TRY(post(id, 1, "one", 0));
	TRY(post(id, 2, "two", 0));
	TRY(post(id, 1, "uno", 0));
	get(id, 2, 32, 0);
	get(id, -2, 32, 0);
	get(id, 9, 32, IPC_NOWAIT);
	get(id, 0, 3, 0);
	get(id, 0, 3, MSG_NOERROR);
	get(id, 1, 32, MSG_EXCEPT | IPC_NOWAIT);
	get(id, 0, 32, IPC_NOWAIT);
	get(id, 0, 32, IPC_NOWAIT);
	TRY(post(id, 0, "x", 0));
	TRY(post(id, -1, "x", 0));
	TRY(msgsnd(id, (void *)8, 1, 0));
	TRY(msgsnd(id, "", (size_t)-1, 0));
	struct msqid_ds ds;
	TRY(msgctl(id, IPC_STAT, &ds));
	say("qnum %ld qbytes %ld", (long)ds.msg_qnum, (long)ds.msg_qbytes);
	TRY(msgctl(id, IPC_RMID, NULL));
	TRY(post(id, 1, "x", 0));
}

DIFF_CASE(msg_queue_full)
{
	struct msqid_ds ds;
	int id = msgget(IPC_PRIVATE, 0600), n = 0;
	NEED(!msgctl(id, IPC_STAT, &ds));
	ds.msg_qbytes = 100;
	TRY(msgctl(id, IPC_SET, &ds));
	while (n < 1000 && !post(id, 1, "0123456789", IPC_NOWAIT))
		n++;
	say("%d, then %s", n, err_name(errno));
	catch (SIGALRM, SA_RESTART);
	ualarm(20000, 20000);
	TRY(post(id, 1, "0123456789", 0));
	ualarm(0, 0);
	msgctl(id, IPC_RMID, NULL);
	TRY(msgget(KEY, 0));
}

/* -- POSIX queues -------------------------------------------------------------------- */

static long mq(const char *name, int flags, struct mq_attr *a)
{
	return syscall(SYS_mq_open, name, flags, 0600, a);
}

DIFF_CASE(mq_open_corners)
{
	struct mq_attr a = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	TRY(mq("none", O_RDWR, NULL));
	long q = mq("q", O_RDWR | O_CREAT | O_EXCL, &a);
	MAY(q);
	SHOW(fcntl((int)q, F_GETFD));
	TRY(mq("q", O_RDWR | O_CREAT | O_EXCL, &a));
	MAY(mq("q", O_RDONLY, NULL));
	TRY(mq("a/b", O_RDWR | O_CREAT, &a));
	TRY(mq("", O_RDWR | O_CREAT, &a));
	a.mq_maxmsg = 0;
	TRY(mq("r", O_RDWR | O_CREAT, &a));
	a.mq_maxmsg = -1;
	TRY(mq("r", O_RDWR | O_CREAT, &a));
	TRY(syscall(SYS_mq_getsetattr, q, NULL, &a));
	say("flags %ld maxmsg %ld msgsize %ld curmsgs %ld", a.mq_flags, a.mq_maxmsg,
	    a.mq_msgsize, a.mq_curmsgs);
	TRY(syscall(SYS_mq_getsetattr, 0, NULL, &a));
	TRY(syscall(SYS_mq_unlink, "q"));
	TRY(syscall(SYS_mq_unlink, "q"));
}

DIFF_CASE(mq_send_and_receive)
{
	char b[8];
	unsigned prio = 0;
	struct timespec past = { 1, 0 };
	struct mq_attr a = { .mq_maxmsg = 3, .mq_msgsize = 8 };
	int q = (int)mq("q", O_RDWR | O_CREAT | O_NONBLOCK, &a);
	TRY(syscall(SYS_mq_timedreceive, q, b, 8, &prio, NULL));
	TRY(syscall(SYS_mq_timedsend, q, "low", 3, 1, NULL));
	TRY(syscall(SYS_mq_timedsend, q, "high", 4, 9, NULL));
	TRY(syscall(SYS_mq_timedsend, q, "low2", 4, 1, NULL));
	TRY(syscall(SYS_mq_timedsend, q, "full", 4, 1, NULL));
	TRY(syscall(SYS_mq_timedsend, q, "too long!", 9, 1, NULL));
	TRY(syscall(SYS_mq_timedsend, q, "x", 1, 32768, NULL));
	TRY(syscall(SYS_mq_timedreceive, q, b, 7, &prio, NULL));
	for (int i = 0; i < 3; i++) {
		long n = syscall(SYS_mq_timedreceive, q, b, 8, &prio, NULL);
		say_bytes("got", b, n);
		SHOW(prio);
	}
	a.mq_flags = 0;
	TRY(syscall(SYS_mq_getsetattr, q, &a, NULL));
	TRY(syscall(SYS_mq_timedreceive, q, b, 8, &prio, &past));
	TRY(syscall(SYS_mq_timedsend, 0, "x", 1, 1, NULL));
	syscall(SYS_mq_unlink, "q");
}

DIFF_CASE(mq_notification)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct mq_attr a = { .mq_maxmsg = 3, .mq_msgsize = 8 };
	e.sigev_value.sival_int = 42;
	int q = (int)mq("q", O_RDWR | O_CREAT, &a);
	catch (SIGUSR1, SA_SIGINFO);
	TRY(syscall(SYS_mq_notify, q, &e));
	TRY(syscall(SYS_mq_notify, q, &e));
	TRY(syscall(SYS_mq_timedsend, q, "x", 1, 1, NULL));
	say("%d code %d value %d", (int)caught[SIGUSR1], caught_info.si_code,
	    caught_info.si_value.sival_int);
	TRY(syscall(SYS_mq_timedsend, q, "y", 1, 1, NULL));
	SHOW(caught[SIGUSR1]);
	TRY(syscall(SYS_mq_notify, q, &e));
	TRY(syscall(SYS_mq_notify, q, NULL));
	e.sigev_signo = 99;
	TRY(syscall(SYS_mq_notify, q, &e));
	TRY(syscall(SYS_mq_notify, 0, NULL));
	syscall(SYS_mq_unlink, "q");
}

/* -- inotify ------------------------------------------------------------------------- */

static int in;

static void say_events(const char *what)
{
	char b[4096];
	uint32_t first = 0;
	say("%s:", what);
	long n = read(in, b, sizeof b);
	for (char *at = b; n > 0 && at < b + n;) {
		struct inotify_event e;
		memcpy(&e, at, sizeof e);
		if (e.cookie && !first)
			first = e.cookie;
		say("- wd %d mask 0x%x cookie %s len %u %s", e.wd, e.mask,
		    !e.cookie		? "0"
		    : e.cookie == first ? "same"
					: "other",
		    e.len, e.len ? at + sizeof e : "");
		at += sizeof e + e.len;
	}
}

DIFF_CASE(inotify_of_folder)
{
	NEED(!mkdir("d", 0755));
	in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	TRY(inotify_add_watch(in, "d", IN_ALL_EVENTS));
	make_file("d/f", "x");
	say_events("create and write");
	NEED(!rename("d/f", "d/g"));
	say_events("rename");
	NEED(!mkdir("d/s", 0755) && !chmod("d/g", 0600));
	say_events("mkdir, chmod");
	say_file("d/g");
	say_events("read");
	NEED(!link("d/g", "h") && !rename("d/g", "away") && !rename("h", "d/back"));
	say_events("moves");
	NEED(!unlink("d/back") && !rmdir("d/s"));
	say_events("removals");
	NEED(!rmdir("d"));
	say_events("the folder itself");
}

DIFF_CASE(inotify_of_file)
{
	make_file("f", "x");
	in = inotify_init1(IN_NONBLOCK);
	TRY(inotify_add_watch(in, "f", IN_ALL_EVENTS));
	int fd = open("f", O_RDWR);
	NEED(write(fd, "y", 1) == 1 && write(fd, "z", 1) == 1);
	say_events("open, two writes");
	NEED(!ftruncate(fd, 0));
	say_events("truncate");
	close(fd);
	say_events("close");
	NEED(!link("f", "g") && !unlink("f"));
	say_events("link, unlink");
	NEED(!rename("g", "h"));
	say_events("rename");
	NEED(!unlink("h"));
	say_events("last unlink");
	TRY(inotify_rm_watch(in, 1));
}

DIFF_CASE(inotify_corners)
{
	make_file("f", "x");
	in = inotify_init1(IN_NONBLOCK);
	TRY(inotify_init1(1));
	TRY(inotify_add_watch(in, "f", IN_OPEN));
	TRY(inotify_add_watch(in, "f", IN_CLOSE));
	close(open("f", O_RDONLY));
	say_events("replaced mask");
	TRY(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_ADD));
	close(open("f", O_RDONLY));
	say_events("added mask");
	TRY(inotify_add_watch(in, "f", IN_OPEN | IN_MASK_CREATE));
	TRY(inotify_add_watch(in, "f", 0));
	TRY(inotify_add_watch(in, "missing", IN_OPEN));
	TRY(inotify_add_watch(in, "f", IN_OPEN | IN_ONLYDIR));
	TRY(inotify_add_watch(0, "f", IN_OPEN));
	TRY(inotify_add_watch(in, "f", IN_OPEN | IN_ONESHOT));
	close(open("f", O_RDONLY));
	say_events("once");
	TRY(inotify_rm_watch(in, 99));
	TRY(inotify_rm_watch(0, 1));
	char b[4];
	TRY(inotify_add_watch(in, "f", IN_OPEN));
	close(open("f", O_RDONLY));
	TRY(read(in, b, 4));
	TRY(inotify_rm_watch(in, 2));
	say_events("removed");
}
