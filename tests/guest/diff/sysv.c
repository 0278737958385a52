/* System V IPC: flags, errors, limits and what each call changes. */
#include "diff.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEY 0x4d415947
#define PAGE 4096ul
#ifndef MSG_COPY
#define MSG_COPY 040000 /* not in musl */
#endif

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
	struct seminfo *info;
};

static long attach(int id, const void *at, int flags)
{
	return shmat(id, at, flags) == (void *)-1 ? -1 : 0;
}

/* -- shared memory ---------------------------------------------------------------- */

static int id; /* of the case's object */

DIFF_CASE(shm_flags)
{
	for (int bit = 9; bit < 17; bit++) {
		int got = shmget(IPC_PRIVATE, PAGE, 0600 | 1 << bit);
		/* Huge pages are the machine's. */
		if (1 << bit != 04000)
			say("bit %d: %s", bit, got < 0 ? err_name(errno) : "ok");
		if (got >= 0)
			shmctl(got, IPC_RMID, NULL);
	}
	id = shmget(KEY, PAGE, IPC_CREAT | 0);
	struct shmid_ds ds;
	TRY(shmctl(id, IPC_STAT, &ds));
	say("mode 0%o uid %d cuid %d", ds.shm_perm.mode, (int)ds.shm_perm.uid,
	    (int)ds.shm_perm.cuid);
	say("times %d %d %d", !!ds.shm_atime, !!ds.shm_dtime, !!ds.shm_ctime);
	TRY(attach(id, NULL, 0));
	TRY(shmctl(id, IPC_STAT, &ds));
	say("times %d %d %d lpid %d", !!ds.shm_atime, !!ds.shm_dtime, !!ds.shm_ctime,
	    ds.shm_lpid == getpid());
	TRY(shmctl(id, IPC_RMID, NULL));
}

DIFF_CASE(shm_attach_addresses)
{
	char *room = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	id = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
	TRY(attach(id, room, 0));
	TRY(attach(id, room + 1, 0));
	TRY(attach(id, room + 1, SHM_RND));
	TRY(attach(id, room, SHM_REMAP));
	TRY(attach(id, NULL, SHM_REMAP));
	TRY(attach(id, (void *)-PAGE, 0));
	TRY(attach(id, NULL, SHM_EXEC));
	TRY(attach(id, NULL, 1 << 20));
	TRY(attach(-1, NULL, 0));
	TRY(attach(id + 1000, NULL, 0));
	TRY(shmdt(room + PAGE));
	TRY(shmdt(room));
	TRY(shmdt(room));
	TRY(shmdt((void *)1));
	shmctl(id, IPC_RMID, NULL);
}

DIFF_CASE(shm_read_only_faults)
{
	id = shmget(IPC_PRIVATE, PAGE, 0600);
	pid_t pid = fork();
	if (!pid) {
		volatile char *p = shmat(id, NULL, SHM_RDONLY);
		SHOW(p[5]);
		SHOW(mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE));
		p[5] = 1;
		_exit(0);
	}
	say_status("writer", reap(pid));
	shmctl(id, IPC_RMID, NULL);
}

DIFF_CASE(shm_lock_and_others)
{
	struct shmid_ds ds;
	struct shm_info info;
	struct shminfo limits;
	id = shmget(IPC_PRIVATE, PAGE, 0600);
	TRY(shmctl(id, SHM_LOCK, NULL));
	TRY(shmctl(id, IPC_STAT, &ds));
	SHOW_OCTAL(ds.shm_perm.mode);
	TRY(shmctl(id, SHM_UNLOCK, NULL));
	TRY(shmctl(id, IPC_STAT, &ds));
	SHOW_OCTAL(ds.shm_perm.mode);
	MAY(shmctl(0, SHM_INFO, (void *)&info));
	say("%d segments, %lu pages", info.used_ids, (unsigned long)info.shm_tot);
	MAY(shmctl(0, IPC_INFO, (void *)&limits));
	say("shmmax %lx shmmin %lu shmmni %lu shmall %lx", limits.shmmax, limits.shmmin,
	    limits.shmmni, limits.shmall);
	MAY(shmctl(id & 0x7fff, SHM_STAT, &ds));
	TRY(shmctl(77, SHM_STAT, &ds));
	MAY(shmctl(id & 0x7fff, 15 /* SHM_STAT_ANY */, &ds));
	TRY(shmctl(-1, SHM_STAT, &ds));
	TRY(shmctl(id, 99, &ds));
	TRY(shmctl(id, IPC_STAT, (void *)8));
	TRY(shmctl(id, IPC_SET, (void *)8));
	ds.shm_perm.uid = (uid_t)-1;
	TRY(shmctl(id, IPC_SET, &ds));
	TRY(shmctl(id, IPC_RMID, NULL));
	TRY(shmctl(id, IPC_STAT, &ds));
}

static void shm_of_others(void)
{
	struct shmid_ds ds;
	TRY(attach(id, NULL, 0));
	TRY(attach(id, NULL, SHM_RDONLY));
	TRY(shmctl(id, IPC_STAT, &ds));
	TRY(shmctl(id, IPC_SET, &ds));
	TRY(shmctl(id, IPC_RMID, NULL));
	TRY(shmctl(id, SHM_LOCK, NULL));
	MAY(shmctl(id & 0x7fff, SHM_STAT, &ds));
	MAY(shmctl(id & 0x7fff, 15, &ds));
}

DIFF_CASE(shm_as_nobody)
{
	id = shmget(IPC_PRIVATE, PAGE, 0604);
	as_nobody(shm_of_others);
	shmctl(id, IPC_RMID, NULL);
}

DIFF_CASE(shm_removed_lives_until_detached)
{
	struct shmid_ds ds;
	id = shmget(KEY, PAGE, IPC_CREAT | 0600);
	char *p = shmat(id, NULL, 0);
	p[0] = 'x';
	TRY(shmctl(id, IPC_RMID, NULL));
	TRY(shmctl(id, IPC_STAT, &ds));
	SHOW_OCTAL(ds.shm_perm.mode);
	SHOW(ds.shm_nattch);
	int other = shmget(KEY, PAGE, IPC_CREAT | IPC_EXCL | 0600);
	SHOW(other >= 0 && other != id);
	SHOW(p[0]);
	TRY(shmctl(id, IPC_RMID, NULL));
	TRY(shmdt(p));
	TRY(shmctl(id, IPC_STAT, &ds));
	shmctl(other, IPC_RMID, NULL);
}

DIFF_CASE(shm_split_mappings)
{
	struct shmid_ds ds;
	id = shmget(IPC_PRIVATE, 4 * PAGE, 0600);
	char *p = shmat(id, NULL, 0);
	NEED(!munmap(p + PAGE, PAGE));
	TRY(shmctl(id, IPC_STAT, &ds));
	SHOW(ds.shm_nattch);
	NEED(!munmap(p, PAGE));
	TRY(shmctl(id, IPC_STAT, &ds));
	SHOW(ds.shm_nattch);
	TRY(shmdt(p));
	TRY(shmctl(id, IPC_STAT, &ds));
	SHOW(ds.shm_nattch);
	shmctl(id, IPC_RMID, NULL);
}

/* -- semaphores ------------------------------------------------------------------- */

static long op(int num, int by, int flags)
{
	struct sembuf b = { (unsigned short)num, (short)by, (short)flags };
	return semop(id, &b, 1);
}

DIFF_CASE(sem_limits_and_errors)
{
	struct sembuf many[501] = { 0 };
	id = semget(IPC_PRIVATE, 2, 0600);
	TRY(semget(IPC_PRIVATE, 32001, 0600));
	int most = semget(IPC_PRIVATE, 32000, 0600);
	SHOW(most >= 0);
	TRY(semctl(most, 0, IPC_RMID));
	TRY(semop(id, many, 0));
	TRY(semop(id, many, 500));
	TRY(semop(id, many, 501));
	TRY(semop(id, (void *)8, 1));
	TRY(semop(-1, many, 1));
	TRY(semop(id + 1000, many, 1));
	TRY(op(2, 1, 0));
	TRY(op(1, 32767, 0));
	TRY(op(1, 1, 0));
	TRY(op(1, 1, IPC_NOWAIT));
	TRY(op(1, -32767, 0));
	TRY(op(1, -1, IPC_NOWAIT));
	TRY(op(1, 1, SEM_UNDO));
	TRY(op(1, 0, IPC_NOWAIT));
	TRY(op(0, 0, IPC_NOWAIT));
	TRY(semtimedop(id, many, 1, (void *)8));
	struct timespec t = { 0, 1000000000 };
	TRY(semtimedop(id, many, 1, &t));
	t = (struct timespec){ -1, 0 };
	TRY(semtimedop(id, many, 1, &t));
	TRY(semctl(id, 0, IPC_RMID));
}

DIFF_CASE(sem_control)
{
	struct semid_ds ds;
	struct seminfo info;
	unsigned short big[2] = { 1, 32768 }, got[2];
	id = semget(KEY, 2, IPC_CREAT | 0640);
	TRY(semget(KEY, 3, 0));
	SHOW(semget(KEY, 1, 0) == id);
	SHOW(semget(KEY, 0, 0) == id);
	TRY(semget(KEY, -1, 0));
	TRY(semctl(id, 0, SETALL, (union semun){ .array = big }));
	TRY(semctl(id, 0, GETALL, (union semun){ .array = (void *)8 }));
	TRY(semctl(id, 0, SETALL, (union semun){ .array = (void *)8 }));
	TRY(semctl(id, 2, SETVAL, (union semun){ .val = 1 }));
	TRY(semctl(id, -1, SETVAL, (union semun){ .val = 1 }));
	TRY(semctl(id, 2, GETPID));
	TRY(semctl(id, 2, GETNCNT));
	TRY(semctl(id, 99, IPC_STAT, (union semun){ .buf = &ds }));
	SHOW_OCTAL(ds.sem_perm.mode);
	SHOW(!!ds.sem_ctime);
	TRY(semctl(id, 0, GETALL, (union semun){ .array = got }));
	MAY(semctl(0, 0, SEM_INFO, (union semun){ .info = &info }));
	say("%d sets, %d semaphores", info.semusz, info.semaem);
	MAY(semctl(0, 0, IPC_INFO, (union semun){ .info = &info }));
	say("semmni %d semmns %d semmsl %d semopm %d semvmx %d", info.semmni, info.semmns,
	    info.semmsl, info.semopm, info.semvmx);
	MAY(semctl(id & 0x7fff, 0, SEM_STAT, (union semun){ .buf = &ds }));
	TRY(semctl(99, 0, SEM_STAT, (union semun){ .buf = &ds }));
	TRY(semctl(id, 0, IPC_STAT, (union semun){ .buf = (void *)8 }));
	TRY(semctl(id, 0, IPC_SET, (union semun){ .buf = (void *)8 }));
	ds.sem_perm.mode = 0777;
	TRY(semctl(id, 0, IPC_SET, (union semun){ .buf = &ds }));
	TRY(semctl(id, 0, IPC_RMID));
}

static void sems_of_others(void)
{
	union semun v = { .val = 1 };
	unsigned short all[2] = { 0 };
	TRY(semctl(id, 0, GETVAL));
	TRY(semctl(id, 0, SETVAL, v));
	TRY(semctl(id, 0, GETALL, (union semun){ .array = all }));
	TRY(semctl(id, 0, SETALL, (union semun){ .array = all }));
	TRY(semctl(id, 0, IPC_RMID));
	TRY(op(0, 0, IPC_NOWAIT));
	TRY(op(0, 1, IPC_NOWAIT));
	TRY(semget(KEY, 0, 0400) == id);
	TRY(semget(KEY, 0, 0200));
	TRY(semget(KEY, 0, 0) == id);
}

DIFF_CASE(sem_as_nobody)
{
	id = semget(KEY, 2, IPC_CREAT | 0604);
	as_nobody(sems_of_others);
	semctl(id, 0, IPC_RMID);
}

static int waits_for_zero(void)
{
	return op(0, 0, 0) ? errno : 0;
}

static int takes_two(void)
{
	return op(0, -2, 0) ? errno : 0;
}

DIFF_CASE(sem_who_is_woken)
{
	id = semget(IPC_PRIVATE, 1, 0600);
	NEED(!op(0, 1, 0));
	pid_t zero = child_of(waits_for_zero), two = child_of(takes_two);
	wait_asleep(zero);
	wait_asleep(two);
	say("%d %d", semctl(id, 0, GETNCNT), semctl(id, 0, GETZCNT));
	TRY(op(0, 1, 0));
	say_status("two", reap(two));
	say_status("zero", reap(zero));
	TRY(semctl(id, 0, GETVAL));
	two = child_of(takes_two);
	wait_asleep(two);
	TRY(semctl(id, 0, SETVAL, (union semun){ .val = 5 }));
	say_status("two", reap(two));
	TRY(semctl(id, 0, GETVAL));
	semctl(id, 0, IPC_RMID);
}

DIFF_CASE(sem_all_or_nothing)
{
	struct sembuf ops[3] = { { 0, 1, 0 }, { 1, -1, IPC_NOWAIT }, { 0, 1, 0 } };
	id = semget(IPC_PRIVATE, 2, 0600);
	TRY(semop(id, ops, 3));
	TRY(semctl(id, 0, GETVAL));
	SHOW(semctl(id, 0, GETPID) == 0);
	ops[1].sem_op = 0;
	TRY(semop(id, ops, 3));
	TRY(semctl(id, 0, GETVAL));
	ops[1] = (struct sembuf){ 0, -2, IPC_NOWAIT };
	TRY(semop(id, ops, 2));
	TRY(semctl(id, 0, GETVAL));
	semctl(id, 0, IPC_RMID);
}

static int undo_and_set(void)
{
	op(0, 3, SEM_UNDO);
	return semctl(id, 0, SETVAL, (union semun){ .val = 1 });
}

static int undo_below_zero(void)
{
	op(0, 3, SEM_UNDO);
	return (int)op(0, -2, 0);
}

DIFF_CASE(sem_undo_corners)
{
	id = semget(IPC_PRIVATE, 1, 0600);
	say_status("set after", reap(child_of(undo_and_set)));
	TRY(semctl(id, 0, GETVAL));
	semctl(id, 0, SETVAL, (union semun){ .val = 0 });
	say_status("less than undone", reap(child_of(undo_below_zero)));
	TRY(semctl(id, 0, GETVAL));
	for (int k = 0; k < 3; k++)
		TRY(op(0, 20000, SEM_UNDO));
	semctl(id, 0, IPC_RMID);
}

/* -- messages --------------------------------------------------------------------- */

struct message {
	long type;
	char text[8200];
};

static struct message m;

static long post(long type, size_t n, int flags)
{
	m.type = type;
	return msgsnd(id, &m, n, flags);
}

DIFF_CASE(msg_sizes)
{
	id = msgget(IPC_PRIVATE, 0600);
	TRY(post(1, 0, 0));
	TRY(post(1, 8192, 0));
	TRY(post(1, 8193, 0));
	TRY(post(1, 8192, IPC_NOWAIT));
	TRY(post(1, 8192, IPC_NOWAIT));
	TRY(msgrcv(id, &m, 10, 0, 0));
	TRY(msgrcv(id, &m, 10, 0, 0));
	TRY(msgrcv(id, &m, 10, 0, MSG_NOERROR));
	TRY(msgrcv(id, &m, -1ul, 0, 0));
	TRY(msgrcv(id, (void *)8, 8192, 0, IPC_NOWAIT));
	TRY(msgrcv(id, &m, 8192, 0, IPC_NOWAIT));
	TRY(msgrcv(-1, &m, 10, 0, IPC_NOWAIT));
	TRY(msgsnd(-1, &m, 10, IPC_NOWAIT));
	TRY(msgctl(id, IPC_RMID, NULL));
	TRY(msgrcv(id, &m, 10, 0, IPC_NOWAIT));
}

DIFF_CASE(msg_copy)
{
	id = msgget(IPC_PRIVATE, 0600);
	strcpy(m.text, "one");
	NEED(!post(5, 4, 0));
	strcpy(m.text, "two");
	NEED(!post(6, 4, 0));
	errno = 0;
	long n = msgrcv(id, &m, 8, 1, MSG_COPY | IPC_NOWAIT);
	say("%ld %s", n, n < 0 ? err_name(errno) : m.text);
	TRY(msgrcv(id, &m, 8, 2, MSG_COPY | IPC_NOWAIT));
	TRY(msgrcv(id, &m, 8, 0, MSG_COPY));
	TRY(msgrcv(id, &m, 8, 0, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT));
	TRY(msgrcv(id, &m, 8, 0, IPC_NOWAIT));
	say("%s of type %ld", m.text, m.type);
	msgctl(id, IPC_RMID, NULL);
}

DIFF_CASE(msg_control)
{
	struct msqid_ds ds;
	struct msginfo info;
	id = msgget(KEY, IPC_CREAT | 0600);
	TRY(msgget(KEY, IPC_CREAT | IPC_EXCL));
	NEED(!post(1, 100, 0));
	TRY(msgctl(id, IPC_STAT, &ds));
	say("%ld messages, %ld bytes, times %d %d %d, lspid %d lrpid %d",
	    (long)ds.msg_qnum, (long)ds.__msg_cbytes, !!ds.msg_stime, !!ds.msg_rtime,
	    !!ds.msg_ctime, ds.msg_lspid == getpid(), ds.msg_lrpid);
	MAY(msgctl(0, MSG_INFO, (void *)&info));
	say("%d queues, %d messages, %d bytes", info.msgpool, info.msgmap, info.msgtql);
	MAY(msgctl(0, IPC_INFO, (void *)&info));
	say("msgmni %d msgmax %d msgmnb %d", info.msgmni > 0, info.msgmax, info.msgmnb);
	MAY(msgctl(id & 0x7fff, 11 /* MSG_STAT */, &ds));
	TRY(msgctl(99, 11, &ds));
	TRY(msgctl(id, 99, &ds));
	TRY(msgctl(id, IPC_STAT, (void *)8));
	TRY(msgctl(id, IPC_SET, (void *)8));
	TRY(msgctl(id, IPC_RMID, NULL));
	TRY(msgctl(id, IPC_RMID, NULL));
}

static void queue_of_others(void)
{
	struct msqid_ds ds = { 0 };
	TRY(post(1, 1, IPC_NOWAIT));
	TRY(msgrcv(id, &m, 8, 0, IPC_NOWAIT));
	TRY(msgctl(id, IPC_STAT, &ds));
	TRY(msgctl(id, IPC_SET, &ds));
	TRY(msgctl(id, IPC_RMID, NULL));
	int own = msgget(IPC_PRIVATE, 0600);
	NEED(!msgctl(own, IPC_STAT, &ds));
	ds.msg_qbytes++;
	TRY(msgctl(own, IPC_SET, &ds));
	ds.msg_qbytes = 10;
	TRY(msgctl(own, IPC_SET, &ds));
	TRY(msgctl(own, IPC_RMID, NULL));
}

DIFF_CASE(msg_as_nobody)
{
	id = msgget(IPC_PRIVATE, 0602);
	as_nobody(queue_of_others);
	msgctl(id, IPC_RMID, NULL);
}

static int receiver(void)
{
	long n = msgrcv(id, &m, 8, 7, 0);
	return n < 0 ? errno : (int)n;
}

DIFF_CASE(msg_receivers)
{
	id = msgget(IPC_PRIVATE, 0600);
	pid_t pid = child_of(receiver);
	wait_asleep(pid);
	TRY(post(6, 1, 0));
	TRY(post(7, 3, 0));
	say_status("receiver", reap(pid));
	pid = child_of(receiver);
	wait_asleep(pid);
	TRY(post(7, 100, IPC_NOWAIT));
	say_status("too long for it", reap(pid));
	TRY(msgrcv(id, &m, 200, 7, IPC_NOWAIT));
	pid = child_of(receiver);
	wait_asleep(pid);
	TRY(msgctl(id, IPC_RMID, NULL));
	SHOW(WEXITSTATUS(reap(pid)) == EIDRM);
}
