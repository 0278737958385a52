/*
 * A plain user's ways to root by asking for it: ids, groups and capabilities that are not
 * its own, keeping what an execve or a change of ids takes, saying in messages to be
 * somebody else, and the calls that are not for it. Each is refused; its twin is the
 * honest use.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/gain.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CAPABLE "--capable"
#define DROPS "--drops"

struct capsets {
	uint32_t effective, permitted, inheritable;
};

static int caps_set(struct capsets s)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { s.effective, s.permitted,
						 s.inheritable } };
	return (int)syscall(SYS_capset, &h, d);
}

static struct capsets caps_get(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	CHECK_EQ(syscall(SYS_capget, &h, d), 0);
	return (struct capsets){ d[0].effective, d[0].permitted, d[0].inheritable };
}

/* ---- the victim's own words ---- */

static int own_words(int argc, char **argv)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	if (argc != 2)
		return -1;
	/* 1: CAP_SETUID is had, as who it is to give up must have */
	if (!strcmp(argv[1], CAPABLE))
		return !syscall(SYS_capget, &h, d) &&
		       (d[0].effective & 1u << CAP_SETUID) != 0;
	/* what it has become */
	if (!strcmp(argv[1], DROPS)) {
		(void)!setresuid(PLAIN, PLAIN, PLAIN);
		return (int)geteuid();
	}
	return -1;
}

/* ---- ids and groups ---- */

static void attack_ids(void)
{
	const gid_t groups[] = { 0, PLAIN };
	CHECK_ERR(setuid(0), EPERM);
	CHECK_ERR(seteuid(0), EPERM);
	CHECK_ERR(setreuid(-1, 0), EPERM);
	CHECK_ERR(setreuid(0, -1), EPERM);
	CHECK_ERR(setresuid(-1, -1, 0), EPERM);
	CHECK_ERR(setgid(0), EPERM);
	CHECK_ERR(setregid(0, 0), EPERM);
	CHECK_ERR(setresgid(0, -1, -1), EPERM);
	CHECK_ERR(setgroups(COUNT(groups), groups), EPERM);
	CHECK_ERR(setgroups(0, NULL), EPERM);
	setfsuid(0);
	CHECK_EQ(setfsuid(-1), PLAIN);
	setfsgid(0);
	CHECK_EQ(setfsgid(-1), PLAIN);
	CHECK_ERR(open("secret", O_RDONLY), EACCES);
	CHECK_EQ(setresuid(PLAIN, PLAIN, PLAIN), 0);
	CHECK_EQ(geteuid(), PLAIN);
}

static void ids_are_not_had_for_the_asking(void)
{
	gain_dir();
	close(open("secret", O_CREAT | O_WRONLY, 0600));
	gain_as_plain(attack_ids);
}

/* What was root once, and said that it is no more. */
static void given_up_is_given_up(void)
{
	gain_dir();
	close(open("secret", O_CREAT | O_WRONLY, 0600));
	int pid = fork();
	if (!pid) {
		CHECK_EQ(setresgid(PLAIN, PLAIN, PLAIN), 0);
		CHECK_EQ(seteuid(PLAIN), 0);
		CHECK_EQ(setuid(0), 0); /* the twin: the saved id was kept */
		CHECK_EQ(setuid(PLAIN), 0);
		attack_ids();
		_exit(0);
	}
	CHECK_EQ(gain_wait(pid), 0);
}

/* A limit on processes does not make it stay root unawares. */
static void attack_drop(void)
{
	struct rlimit none = { 0, 0 };
	CHECK_EQ(gain_run(victim, DROPS), PLAIN);
	int pid = fork();
	if (!pid) {
		CHECK_EQ(setrlimit(RLIMIT_NPROC, &none), 0);
		execl(victim, victim, DROPS, NULL);
		_exit(PLAIN); /* EAGAIN: it does not begin */
	}
	CHECK_EQ(gain_wait(pid), PLAIN);
}

static void it_is_not_kept_from_giving_up_root(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_drop);
}

/* ---- capabilities ---- */

static void attack_capabilities(void)
{
	const uint32_t bit = 1u << CAP_SETUID;
	struct capsets none = caps_get();
	CHECK(!none.effective && !none.permitted);
	CHECK_ERR(caps_set((struct capsets){ bit, bit, 0 }), EPERM);
	CHECK_ERR(caps_set((struct capsets){ bit, 0, 0 }), EPERM);
	CHECK_ERR(caps_set((struct capsets){ 0, bit, 0 }), EPERM);
	CHECK_ERR(caps_set((struct capsets){ 0, 0, bit }), EPERM);
	CHECK_ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0), EPERM);
	CHECK_ERR(prctl(PR_CAPBSET_DROP, CAP_SETUID, 0, 0, 0), EPERM);
	CHECK_ERR(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT), EPERM);
	CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
	CHECK_ERR(setuid(0), EPERM);
	CHECK_EQ(caps_set((struct capsets){ 0, 0, 0 }), 0);
	/* The sendmail hole of 2000: what is inherited takes nothing from root. */
	CHECK_EQ(gain_run(victim, CAPABLE), 1);
	CHECK_EQ(gain_run("./plain", CAPABLE), 0);
}

static void capabilities_are_not_had_for_the_asking(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	gain_copy("victim", 0, 04755);
	gain_as_plain(attack_capabilities);
}

/* One who kept a single capability makes no more of it. */
static void attack_from_one_capability(void)
{
	const uint32_t one = 1u << CAP_NET_RAW, other = 1u << CAP_SETUID;
	CHECK_EQ(prctl(PR_SET_KEEPCAPS, 1), 0);
	gain_become(PLAIN);
	CHECK_EQ(caps_set((struct capsets){ one, one, one }), 0);
	CHECK_ERR(caps_set((struct capsets){ one | other, one | other, 0 }), EPERM);
	CHECK_ERR(caps_set((struct capsets){ one, one, one | other }), EPERM);
	CHECK_EQ(gain_run("./plain", CAPABLE), 0);
	CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0), 0);
	CHECK_ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0), EPERM);
	CHECK_EQ(gain_run("./plain", CAPABLE), 0);
	CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK_EQ(gain_run(victim, STAYS), PLAIN);
	CHECK_EQ(gain_run(victim, CAPABLE), 0);
	/* What is given up does not come back. */
	CHECK_EQ(caps_set((struct capsets){ 0, 0, 0 }), 0);
	CHECK_ERR(caps_set((struct capsets){ one, one, 0 }), EPERM);
}

static void one_capability_is_not_more(void)
{
	gain_dir();
	gain_copy("plain", 0, 0755);
	gain_copy("victim", 0, 04755);
	int pid = fork();
	if (!pid) {
		attack_from_one_capability();
		_exit(0);
	}
	CHECK_EQ(gain_wait(pid), 0);
	CHECK_EQ(gain_run("./plain", CAPABLE), 1); /* the twin: root's own */
}

/* ---- messages and memory ---- */

static int send_as(int s, struct ucred c)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} u = { 0 };
	struct iovec v = { "x", 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &u,
			    .msg_controllen = sizeof u };
	u.h.cmsg_level = SOL_SOCKET;
	u.h.cmsg_type = SCM_CREDENTIALS;
	u.h.cmsg_len = CMSG_LEN(sizeof c);
	memcpy(CMSG_DATA(&u.h), &c, sizeof c);
	return (int)sendmsg(s, &m, 0);
}

static void attack_messages(void)
{
	int s[2];
	struct ucred peer;
	socklen_t size = sizeof peer;
	CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
	CHECK_ERR(send_as(s[0], (struct ucred){ getpid(), 0, PLAIN }), EPERM);
	CHECK_ERR(send_as(s[0], (struct ucred){ getpid(), PLAIN, 0 }), EPERM);
	CHECK_ERR(send_as(s[0], (struct ucred){ 1, PLAIN, PLAIN }), EPERM);
	CHECK_EQ(send_as(s[0], (struct ucred){ getpid(), PLAIN, PLAIN }), 1);
	CHECK_EQ(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &peer, &size), 0);
	CHECK_EQ(peer.uid, PLAIN);
	CHECK(setsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &peer, size) < 0);
}

static void nobody_sends_as_root(void)
{
	tap_needs_root();
	gain_as_plain(attack_messages);
}

static int segment;

static void attack_segment(void)
{
	struct shmid_ds ds = { .shm_perm = { .uid = PLAIN, .mode = 0666 } };
	CHECK(shmat(segment, NULL, 0) == (void *)-1 && errno == EACCES);
	CHECK(shmat(segment, NULL, SHM_RDONLY) == (void *)-1 && errno == EACCES);
	CHECK_ERR(shmctl(segment, IPC_SET, &ds), EPERM);
	CHECK_ERR(shmctl(segment, IPC_RMID, NULL), EPERM);
	int own = shmget(IPC_PRIVATE, 4096, 0600);
	CHECK(shmat(own, NULL, 0) != (void *)-1);
	CHECK_EQ(shmctl(own, IPC_RMID, NULL), 0);
}

static void shared_memory_of_root_stays_its_own(void)
{
	tap_needs_root();
	segment = shmget(IPC_PRIVATE, 4096, 0600);
	CHECK(segment >= 0);
	gain_as_plain(attack_segment);
	CHECK_EQ(shmctl(segment, IPC_RMID, NULL), 0);
}

static int terminal;

/* Root's shell would read it. */
static void attack_terminal(void)
{
	char name[64];
	CHECK(ioctl(terminal, TIOCSTI, "x") < 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", terminal);
	CHECK_ERR(open(name, O_RDWR | O_NOCTTY), EACCES);
	CHECK(ioctl(terminal, TIOCSCTTY, 1) < 0);
	CHECK_EQ(isatty(terminal), 1);
}

static void nothing_is_typed_for_root(void)
{
	int master;
	tap_needs_root();
	CHECK_EQ(openpty(&master, &terminal, NULL, NULL, NULL), 0);
	CHECK_EQ(fchmod(terminal, 0600), 0);
	gain_as_plain(attack_terminal);
}

/* ---- calls that are not for it ---- */

static const struct {
	const char *name;
	long number, a, b, c;
} shut[] = {
	{ "unshare", SYS_unshare, CLONE_NEWUSER, 0, 0 },
	{ "unshare", SYS_unshare, CLONE_NEWNS, 0, 0 },
	{ "clone", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0 },
	{ "setns", SYS_setns, 0, 0, 0 },
	{ "userfaultfd", SYS_userfaultfd, 0, 0, 0 },
	{ "bpf", SYS_bpf, 0, 0, 0 },
	{ "io_uring_setup", SYS_io_uring_setup, 1, 0, 0 },
	{ "perf_event_open", SYS_perf_event_open, 0, 0, -1 },
	{ "add_key", SYS_add_key, 0, 0, 0 },
	{ "keyctl", SYS_keyctl, 0, 0, 0 },
	{ "init_module", SYS_init_module, 0, 0, 0 },
	{ "finit_module", SYS_finit_module, 0, 0, 0 },
	{ "kexec_load", SYS_kexec_load, 0, 0, 0 },
	{ "iopl", SYS_iopl, 3, 0, 0 },
	{ "ioperm", SYS_ioperm, 0x70, 1, 1 },
	{ "modify_ldt", SYS_modify_ldt, 1, 0, 0 },
	{ "acct", SYS_acct, 0, 0, 0 },
	{ "swapon", SYS_swapon, 0, 0, 0 },
	{ "reboot", SYS_reboot, 0xfee1dead, 672274793, 0x1234567 },
	{ "sethostname", SYS_sethostname, (long)"x", 1, 0 },
	{ "setdomainname", SYS_setdomainname, (long)"x", 1, 0 },
	{ "settimeofday", SYS_settimeofday, (long)&(long[]){ 1, 1 }, 0, 0 },
	{ "clock_settime", SYS_clock_settime, 0, (long)&(long[]){ 1, 1 }, 0 },
	{ "vhangup", SYS_vhangup, 0, 0, 0 },
	{ "syslog", SYS_syslog, 5, 0, 0 },
	{ "quotactl", SYS_quotactl, 0, 0, 0 },
	{ "open_tree", SYS_open_tree, AT_FDCWD, (long)"/", 1 },
	{ "fsopen", SYS_fsopen, (long)"tmpfs", 0, 0 },
	{ "mknod", SYS_mknod, (long)"node", S_IFBLK | 0666, 0 },
	{ "mknod", SYS_mknod, (long)"node", S_IFCHR | 0666, 0x101 },
};

static void attack_calls(void)
{
	for (size_t i = 0; i < COUNT(shut); i++) {
		errno = 0;
		long r = syscall(shut[i].number, shut[i].a, shut[i].b, shut[i].c);
		if (!r && shut[i].number == SYS_clone)
			_exit(0);
		tap_checked();
		if (r >= 0 || errno == EFAULT)
			tap_fail(__FILE__, __LINE__, "%s gives %ld, errno %d",
				 shut[i].name, r, errno);
	}
	CHECK_EQ(mknod("node", S_IFIFO | 0666, 0), 0); /* the twin */
}

static void calls_of_root_are_refused(void)
{
	tap_needs_mayfly(); /* Linux may let it have namespaces */
	gain_dir();
	CHECK_EQ(chmod(".", 0777), 0);
	gain_as_plain(attack_calls);
}

GAIN_MAIN(own_words, CASE(ids_are_not_had_for_the_asking), CASE(given_up_is_given_up),
	  CASE(it_is_not_kept_from_giving_up_root),
	  CASE(capabilities_are_not_had_for_the_asking), CASE(one_capability_is_not_more),
	  CASE(nobody_sends_as_root), CASE(shared_memory_of_root_stays_its_own),
	  CASE(nothing_is_typed_for_root), CASE(calls_of_root_are_refused))
