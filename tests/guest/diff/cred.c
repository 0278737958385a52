/* Credentials: user and group ids, capabilities, securebits, no_new_privs. */
#include "diff.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COMMON 0x3fffffffffull /* the capabilities every kernel here has: up to 37 */

static void say_ids(void)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	getresuid(&r, &e, &s);
	getresgid(&rg, &eg, &sg);
	say("uid %d %d %d fs %d, gid %d %d %d fs %d", (int)r, (int)e, (int)s,
	    setfsuid(-1), (int)rg, (int)eg, (int)sg, setfsgid(-1));
}

struct caps {
	uint64_t effective, permitted, inheritable;
};

static struct caps get_caps(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	NEED(!syscall(SYS_capget, &h, d));
	return (struct caps){ d[0].effective | (uint64_t)d[1].effective << 32,
			      d[0].permitted | (uint64_t)d[1].permitted << 32,
			      d[0].inheritable | (uint64_t)d[1].inheritable << 32 };
}

static long set_caps(uint64_t e, uint64_t p, uint64_t i)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { (uint32_t)e, (uint32_t)p, (uint32_t)i },
					       { (uint32_t)(e >> 32), (uint32_t)(p >> 32),
						 (uint32_t)(i >> 32) } };
	return syscall(SYS_capset, &h, d);
}

static void say_caps(const char *label)
{
	struct caps c = get_caps();
	say("%s: effective %s permitted %s inheritable %llx", label,
	    !c.effective		 ? "none"
	    : c.effective == c.permitted ? "all"
					 : "some",
	    c.permitted ? "some" : "none", (long long)(c.inheritable & COMMON));
}

DIFF_CASE(setuid_as_root)
{
	say_ids();
	TRY(setuid(1000));
	say_ids();
	say_caps("afterwards");
	TRY(setuid(0));
	TRY(setuid(1000));
	TRY(syscall(SYS_setuid, -1));
}

DIFF_CASE(setreuid_corners)
{
	TRY(setreuid(1000, 2000));
	say_ids();
	say_caps("euid 2000");
	TRY(setreuid((uid_t)-1, 1000));
	say_ids();
	TRY(setreuid((uid_t)-1, 2000));
	say_ids();
	TRY(setreuid(2000, (uid_t)-1));
	say_ids();
	TRY(setreuid(0, (uid_t)-1));
	TRY(setreuid((uid_t)-1, (uid_t)-1));
}

DIFF_CASE(setresuid_corners)
{
	TRY(setresuid(1, 2, 3));
	say_ids();
	TRY(setresuid(3, 1, 2));
	say_ids();
	TRY(setresuid((uid_t)-1, 3, (uid_t)-1));
	say_ids();
	TRY(setresuid(4, (uid_t)-1, (uid_t)-1));
	TRY(setuid(2));
	say_ids();
	TRY(setuid(1));
	TRY(syscall(SYS_getresuid, 8, 8, 8));
}

DIFF_CASE(seteuid_keeps_saved_root)
{
	TRY(seteuid(1000));
	say_ids();
	say_caps("euid 1000");
	TRY(access("/proc/1/environ", R_OK) && errno != EACCES);
	TRY(seteuid(0));
	say_caps("back");
	TRY(seteuid(1000));
	TRY(setuid(0));
	say_ids();
}

DIFF_CASE(setgid_corners)
{
	TRY(setgid(1000));
	say_ids();
	TRY(setregid(1, 2));
	say_ids();
	TRY(setresgid(5, 6, 7));
	say_ids();
	NEED(!setuid(9));
	TRY(setgid(8));
	TRY(setgid(7));
	say_ids();
	TRY(setresgid((gid_t)-1, 5, (gid_t)-1));
	say_ids();
	TRY(setregid(6, (gid_t)-1));
	TRY(syscall(SYS_setgid, -1));
}

DIFF_CASE(setfsuid_corners)
{
	make_file("f", "");
	NEED(!chown("f", 1000, 0) && !chmod("f", 0600));
	SHOW(setfsuid(1000));
	SHOW(setfsuid(-1));
	MAY(open("f", O_RDONLY));
	say_caps("fsuid 1000");
	SHOW(setfsuid(2000));
	TRY(open("f", O_RDONLY));
	NEED(!seteuid(0));
	SHOW(setfsuid(-1));
	NEED(!setresuid(1, 2, 3));
	SHOW(setfsuid(9));
	SHOW(setfsuid(3));
	SHOW(setfsuid(-1));
	SHOW(setfsgid(5));
}

DIFF_CASE(setgroups_corners)
{
	gid_t list[] = { 30, 10, 20, 10 }, got[8];
	TRY(setgroups(4, list));
	TRY(getgroups(0, NULL));
	TRY(getgroups(2, got));
	TRY(getgroups(8, got));
	say("%d %d %d %d", (int)got[0], (int)got[1], (int)got[2], (int)got[3]);
	TRY(syscall(SYS_getgroups, -1, got));
	TRY(syscall(SYS_setgroups, 65537, list));
	TRY(syscall(SYS_setgroups, -1, list));
	TRY(syscall(SYS_setgroups, 2, 8));
	list[0] = (gid_t)-1;
	TRY(setgroups(1, list));
	TRY(setgroups(0, NULL));
	TRY(getgroups(8, got));
	NEED(!setuid(5));
	TRY(setgroups(0, NULL));
}

DIFF_CASE(capset_corners)
{
	struct __user_cap_header_struct h = { 0x12345, 0 };
	struct __user_cap_data_struct d[2];
	TRY(syscall(SYS_capget, &h, d));
	say("version 0x%x", h.version);
	h.version = 0x12345;
	TRY(syscall(SYS_capget, &h, NULL));
	h = (struct __user_cap_header_struct){ _LINUX_CAPABILITY_VERSION_3, 999999 };
	TRY(syscall(SYS_capget, &h, d));
	h.pid = -1;
	TRY(syscall(SYS_capget, &h, d));
	h.pid = 1;
	TRY(syscall(SYS_capset, &h, d));
	TRY(syscall(SYS_capget, 8, d));
	h.pid = 0;
	TRY(syscall(SYS_capset, &h, 8));
	TRY(set_caps(0, 1, 0));
	say_caps("only CAP_CHOWN permitted");
	TRY(set_caps(2, 1, 0));
	TRY(set_caps(0, 3, 0));
	TRY(set_caps(1, 1, 1));
	TRY(set_caps(1, 1, 3));
	TRY(set_caps(0, 0, 0));
	TRY(set_caps(1, 1, 0));
}

DIFF_CASE(caps_dropped_by_setuid)
{
	NEED(!prctl(PR_SET_KEEPCAPS, 1));
	NEED(!setresuid(5, 5, 5));
	say_caps("with keepcaps");
	struct caps c = get_caps();
	TRY(set_caps(c.permitted, c.permitted, 0));
	say_caps("raised again");
	SHOW(prctl(PR_GET_KEEPCAPS));
	TRY(prctl(PR_SET_KEEPCAPS, 2));
}

DIFF_CASE(caps_bounding_set)
{
	TRY(prctl(PR_CAPBSET_READ, CAP_CHOWN));
	TRY(prctl(PR_CAPBSET_DROP, CAP_CHOWN));
	TRY(prctl(PR_CAPBSET_READ, CAP_CHOWN));
	TRY(prctl(PR_CAPBSET_READ, 99));
	TRY(prctl(PR_CAPBSET_DROP, 99));
	TRY(set_caps(1, 1, 1));
	NEED(!setuid(5));
	TRY(prctl(PR_CAPBSET_DROP, CAP_KILL));
}

DIFF_CASE(caps_ambient)
{
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	struct caps c = get_caps();
	NEED(!set_caps(c.effective, c.permitted, 1));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_CHOWN, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	NEED(!set_caps(c.effective, c.permitted, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 99, 0, 0));
	TRY(prctl(PR_CAP_AMBIENT, 9, 0, 0, 0));
}

DIFF_HELPER(exec_caps)
{
	struct caps c = get_caps();
	printf("effective %s permitted %s inheritable %llx ambient %d\n",
	       c.effective == 1 ? "chown"
	       : c.effective	? "more"
				: "none",
	       c.permitted == 1 ? "chown"
	       : c.permitted	? "more"
				: "none",
	       (long long)(c.inheritable & COMMON),
	       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0));
	return fflush(stdout);
}

DIFF_CASE(caps_over_exec)
{
	run_helper("exec_caps", NULL);
	NEED(!prctl(PR_SET_KEEPCAPS, 1) && !setresuid(5, 5, 5));
	NEED(!set_caps(1, 1, 1));
	run_helper("exec_caps", NULL);
	NEED(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	run_helper("exec_caps", NULL);
}

DIFF_CASE(securebits_corners)
{
	TRY(prctl(PR_GET_SECUREBITS));
	TRY(prctl(PR_SET_SECUREBITS, 0x10000));
	TRY(prctl(PR_SET_SECUREBITS,
		  SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED));
	TRY(prctl(PR_SET_SECUREBITS, 0));
	TRY(prctl(PR_GET_SECUREBITS));
	NEED(!setresuid(5, 5, 5));
	say_caps("no setuid fixup");
	TRY(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP |
					     SECBIT_NO_SETUID_FIXUP_LOCKED));
	run_helper("exec_caps", NULL);
}

DIFF_CASE(securebits_noroot)
{
	NEED(!prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
	run_helper("exec_caps", NULL);
}

DIFF_CASE(no_new_privs_corners)
{
	TRY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
	TRY(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	TRY(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
	TRY(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

DIFF_CASE(caps_root_file_powers)
{
	make_file("f", "");
	NEED(!chmod("f", 0) && !chown("f", 7, 7));
	MAY(open("f", O_RDWR));
	NEED(!set_caps(0, COMMON & get_caps().permitted, 0));
	TRY(open("f", O_RDONLY));
	TRY(chown("f", 0, 0));
	TRY(setuid(5));
	TRY(sethostname("x", 1));
	TRY(chroot("."));
	TRY(setpriority(0, 0, -5));
	TRY(mknod("d", S_IFCHR, 0));
	TRY(mount("x", ".", "tmpfs", 0, NULL));
}

DIFF_CASE(caps_dac_override_and_exec)
{
	make_file("f", "");
	NEED(!chmod("f", 0600));
	TRY(access("f", X_OK));
	NEED(!mkdir("d", 0));
	TRY(access("d", R_OK | W_OK | X_OK));
	NEED(!set_caps(1 << CAP_DAC_READ_SEARCH, COMMON & get_caps().permitted, 0));
	NEED(!chmod(".", 0755) || errno);
	MAY(open("f", O_RDONLY));
}
