/* System V message queues: msgget, msgsnd, msgrcv, msgctl. What a case makes outlives it:
 * on a host, run this under `unshare -i`. */
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif

static struct message {
	long type;
	char text[9000];
} buf;

static int queue(void)
{
	int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);

	CHECK(id >= 0);
	return id;
}

static int put(int id, long type, const char *text, int flags)
{
	struct message m = { .type = type };

	strcpy(m.text, text);
	return msgsnd(id, &m, strlen(text), flags);
}

/* The text of the message received, or NULL. */
static const char *take(int id, long type, int flags)
{
	memset(&buf, 0, sizeof buf);
	return msgrcv(id, &buf, sizeof buf.text, type, flags | IPC_NOWAIT) < 0 ? NULL
									       : buf.text;
}

static struct msqid_ds stat_of(int id)
{
	struct msqid_ds ds;

	CHECK_EQ(msgctl(id, IPC_STAT, &ds), 0);
	return ds;
}

static void in_order_and_by_type(void)
{
	int id = queue();

	CHECK_EQ(put(id, 3, "three", 0), 0);
	CHECK_EQ(put(id, 1, "one", 0), 0);
	CHECK_EQ(put(id, 2, "two", 0), 0);
	CHECK_EQ(put(id, 1, "uno", 0), 0);
	CHECK_EQ(put(id, 5, "", 0), 0);
	CHECK(!strcmp(take(id, 2, 0), "two"));
	CHECK(!strcmp(take(id, 0, 0), "three"));
	CHECK_EQ(buf.type, 3);
	CHECK(!strcmp(take(id, -4, 0), "one"));
	CHECK(!strcmp(take(id, 1, MSG_EXCEPT), ""));
	CHECK_EQ(buf.type, 5);
	CHECK(!take(id, 7, 0) && errno == ENOMSG);
	CHECK(!strcmp(take(id, -1, 0), "uno"));
	CHECK(!take(id, 0, 0) && errno == ENOMSG);
	CHECK(!take(id, -9223372036854775807L - 1, 0) && errno == ENOMSG);
}

static void lengths(void)
{
	int id = queue();

	CHECK_EQ(put(id, 1, "0123456789", 0), 0);
	CHECK_ERR(msgrcv(id, &buf, 5, 0, IPC_NOWAIT), E2BIG);
	memset(&buf, 'x', sizeof buf);
	CHECK_EQ(msgrcv(id, &buf, 5, 0, MSG_NOERROR), 5);
	CHECK(!memcmp(buf.text, "01234xxx", 8));
	CHECK(!take(id, 0, 0)); /* the rest is gone */
	buf.type = 1;
	CHECK_EQ(msgsnd(id, &buf, 8192, 0), 0);
	CHECK_EQ(stat_of(id).__msg_cbytes, 8192);
	CHECK_ERR(msgsnd(id, &buf, 8193, 0), EINVAL);
	CHECK_ERR(msgsnd(id, &buf, -1ul, 0), EINVAL);
	CHECK_ERR(msgrcv(id, &buf, -1ul, 0, 0), EINVAL);
	buf.type = 0;
	CHECK_ERR(msgsnd(id, &buf, 1, 0), EINVAL);
	buf.type = -3;
	CHECK_ERR(msgsnd(id, &buf, 1, 0), EINVAL);
	CHECK_ERR(msgsnd(id, (void *)8, 1, 0), EFAULT);
	CHECK_ERR(msgsnd(-1, (buf.type = 1, &buf), 1, 0), EINVAL);
	CHECK_ERR(msgrcv(id + 32768 * 9, &buf, 1, 0, 0), EINVAL);
}

static void looks_without_taking(void)
{
	int id = queue();

	put(id, 4, "first", 0);
	put(id, 2, "second", 0);
	if (!take(id, 1, MSG_COPY) && errno == ENOSYS)
		tap_skip("no MSG_COPY here");
	CHECK(!strcmp(take(id, 1, MSG_COPY), "second"));
	CHECK_EQ(buf.type, 2);
	CHECK(!strcmp(take(id, 0, MSG_COPY), "first"));
	CHECK(!take(id, 2, MSG_COPY) && errno == ENOMSG);
	CHECK_EQ(stat_of(id).msg_qnum, 2);
	CHECK_ERR(msgrcv(id, &buf, 10, 0, MSG_COPY), EINVAL);
	CHECK_ERR(msgrcv(id, &buf, 10, 0, MSG_COPY | MSG_EXCEPT | IPC_NOWAIT), EINVAL);
	CHECK_ERR(msgrcv(id, &buf, 2, 0, MSG_COPY | IPC_NOWAIT), E2BIG);
}

static void full_and_empty(void)
{
	int id = queue();
	struct msqid_ds ds = stat_of(id);

	ds.msg_qbytes = 16;
	CHECK_EQ(msgctl(id, IPC_SET, &ds), 0);
	CHECK_EQ(put(id, 1, "0123456789", IPC_NOWAIT), 0);
	CHECK_ERR(put(id, 1, "0123456", IPC_NOWAIT), EAGAIN);
	CHECK_EQ(put(id, 1, "012345", IPC_NOWAIT), 0);
	while (put(id, 1, "", IPC_NOWAIT) == 0)
		;
	CHECK_EQ(errno, EAGAIN); /* empty messages count too */
	CHECK_EQ(stat_of(id).msg_qnum, 16);
	pid_t child = fork();
	if (!child)
		_exit(put(id, 9, "late", 0) ? errno : 0);
	usleep(20000);
	CHECK_EQ(stat_of(id).msg_qnum, 16);
	CHECK(take(id, 0, 0) != NULL);
	CHECK_EQ(tap_wait(child), 0);
	CHECK(!strcmp(take(id, 9, 0), "late"));
	CHECK_EQ(stat_of(id).msg_lspid, child);
	CHECK_EQ(stat_of(id).msg_lrpid, getpid());
}

static pid_t receiver(int id, long type)
{
	pid_t child = fork();

	if (!child)
		_exit(msgrcv(id, &buf, sizeof buf.text, type, 0) < 0 ? errno : 0);
	usleep(20000);
	return child;
}

static void on_signal(int sig)
{
}

static void ends_of_waiting(void)
{
	int id = queue();

	pid_t a = receiver(id, 5), b = receiver(id, 0);
	CHECK_EQ(put(id, 4, "for b", 0), 0);
	CHECK_EQ(tap_wait(b), 0);
	CHECK_EQ(put(id, 5, "for a", 0), 0);
	CHECK_EQ(tap_wait(a), 0);
	signal(SIGUSR1, on_signal);
	a = receiver(id, 0);
	kill(a, SIGUSR1);
	CHECK_EQ(WEXITSTATUS(tap_wait(a)), EINTR);
	a = receiver(id, 0);
	CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
	CHECK_EQ(WEXITSTATUS(tap_wait(a)), EIDRM);
	CHECK_ERR(put(id, 1, "x", 0), EINVAL);
}

static void control(void)
{
	key_t key = 0x4d790000 + getpid();
	int id = msgget(key, IPC_CREAT | IPC_EXCL | 0640), top;
	struct msqid_ds ds;
	struct msginfo info;

	CHECK(id >= 0);
	CHECK_ERR(msgget(key, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_EQ(msgget(key, 0), id);
	CHECK_ERR(msgget(key + 1000000, 0), ENOENT);
	ds = stat_of(id);
	CHECK(ds.msg_perm.mode == 0640 && ds.msg_perm.__key == key && ds.msg_qnum == 0 &&
	      ds.msg_qbytes == 16384 && ds.msg_ctime > 0 && !ds.msg_stime);
	put(id, 1, "abc", 0);
	CHECK(stat_of(id).msg_stime > 0);
	top = msgctl(0, MSG_INFO, (void *)&info);
	CHECK(top >= 0 && info.msgpool >= 1 && info.msgmap >= 1 && info.msgtql >= 3);
	CHECK(msgctl(0, IPC_INFO, (void *)&info) >= 0);
	CHECK(info.msgmax == 8192 && info.msgmnb == 16384 && info.msgmni == 32000);
	CHECK_EQ(msgctl(id & 32767, MSG_STAT, &ds), id);
	CHECK_EQ(msgctl(id & 32767, MSG_STAT_ANY, &ds), id);
	CHECK_ERR(msgctl(id, 999, &ds), EINVAL);
	CHECK_ERR(msgctl(id, IPC_STAT, (void *)8), EFAULT);
	FILE *f = fopen("/proc/sysvipc/msg", "r");
	char line[256];
	int n = 0;
	CHECK(fgets(line, sizeof line, f));
	CHECK(!strcmp(line,
		      "       key      msqid perms      cbytes       qnum lspid lrpid "
		      "  uid   gid  cuid  cgid      stime      rtime      ctime\n"));
	while (fgets(line, sizeof line, f)) {
		int k, i, mode, bytes, number, lspid;
		CHECK_EQ(sscanf(line, "%d %d %o %d %d %d", &k, &i, &mode, &bytes, &number,
				&lspid),
			 6);
		n += i == id && k == key && mode == 0640 && bytes == 3 && number == 1 &&
		     lspid == getpid();
	}
	fclose(f);
	CHECK_EQ(n, 1);
	CHECK_EQ(msgctl(id, IPC_RMID, NULL), 0);
}

static void permissions(void)
{
	tap_needs_root();
	int id = queue();
	struct msqid_ds ds = stat_of(id);

	ds.msg_perm.uid = 2000;
	ds.msg_perm.mode = 0402;
	CHECK_EQ(msgctl(id, IPC_SET, &ds), 0);
	put(id, 1, "for the owner", 0);
	pid_t child = fork();
	if (!child) {
		CHECK(setgroups(0, NULL) == 0 && setgid(2000) == 0 && setuid(2000) == 0);
		CHECK(take(id, 0, 0) != NULL);
		CHECK_ERR(put(id, 1, "x", 0), EACCES);
		ds.msg_qbytes = 20000;
		CHECK_ERR(msgctl(id, IPC_SET, &ds), EPERM); /* CAP_SYS_RESOURCE */
		ds.msg_qbytes = 10000;
		CHECK_EQ(msgctl(id, IPC_SET, &ds), 0);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
	child = fork();
	if (!child) {
		CHECK(setgroups(0, NULL) == 0 && setgid(3000) == 0 && setuid(3000) == 0);
		CHECK_EQ(put(id, 1, "x", 0), 0);
		CHECK(!take(id, 0, 0) && errno == EACCES);
		CHECK_ERR(msgctl(id, IPC_STAT, &ds), EACCES);
		CHECK_ERR(msgctl(id, IPC_RMID, NULL), EPERM);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
}

#define MESSAGES 3000

static void none_is_lost_under_load(void)
{
	int id = queue(), status = 0;

	for (int i = 0; i < 4; i++) {
		if (fork())
			continue;
		long sum = 0;
		for (int k = 0; k < MESSAGES; k++) {
			struct {
				long type;
				int n;
			} m = { 1 + (i & 1), k };
			if (i < 2 ? msgsnd(id, &m, 4, 0)
				  : msgrcv(id, &m, 4, 1 + (i & 1), 0) < 0)
				_exit(1);
			sum += m.n;
		}
		_exit(sum == (long)MESSAGES * (MESSAGES - 1) / 2 ? 0 : 2);
	}
	for (int i = 0; i < 4; i++) {
		int s;
		wait(&s);
		status |= s;
	}
	CHECK_EQ(status, 0);
	CHECK_EQ(stat_of(id).msg_qnum, 0);
}

TEST_MAIN(CASE(in_order_and_by_type), CASE(lengths), CASE(looks_without_taking),
	  CASE(full_and_empty), CASE(ends_of_waiting), CASE(control), CASE(permissions),
	  CASE(none_is_lost_under_load))
