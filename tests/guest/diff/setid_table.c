/*
 * The truth table of the calls that set ids (credentials(7), capabilities(7)): caller's
 * ids x capabilities x securebits x call x arguments. The rows of the whole table that
 * are tried are drawn from it by a generator without a seed: the same ones everywhere.
 */
#include "diff.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROWS 2600 /* of each case: what it may say is 256 KiB */
#define NONE UINT32_MAX
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SET_IDS (1ull << CAP_SETUID | 1ull << CAP_SETGID)
#define FILES (1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER)
#define SHOWN (SET_IDS | FILES | 1ull << CAP_SETPCAP | 1ull << CAP_KILL)

struct caps {
	uint64_t permitted, effective;
};

struct row {
	uint32_t real, effective, saved, fs; /* the caller's */
	struct caps caps;
	unsigned long securebits;
	unsigned call; /* in calls_of */
	uint32_t arg[3];
	bool groups;
};

static const struct {
	const char *name;
	int args;
	long user, group;
} calls[] = {
	{ "set", 1, SYS_setuid, SYS_setgid },
	{ "setre", 2, SYS_setreuid, SYS_setregid },
	{ "setres", 3, SYS_setresuid, SYS_setresgid },
	{ "setfs", 1, SYS_setfsuid, SYS_setfsgid },
};

static const uint32_t ids[] = { 0, 1000, 2000 };
static const uint32_t args[] = { NONE, 0, 1000, 2000, 3000 };
static const struct caps capsets[] = {
	{ SHOWN, SHOWN },
	{ 0, 0 },
	{ SHOWN, 0 },
	{ SHOWN & ~SET_IDS, SHOWN & ~SET_IDS },
	{ SHOWN, FILES },
	{ 1ull << CAP_SETUID, 1ull << CAP_SETUID },
	{ 1ull << CAP_SETGID, 1ull << CAP_SETGID },
};
static const unsigned long securebits[] = {
	0,
	SECBIT_KEEP_CAPS,
	SECBIT_NO_SETUID_FIXUP,
	SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS,
	SECBIT_NOROOT,
	SECBIT_KEEP_CAPS | SECBIT_KEEP_CAPS_LOCKED,
};

static uint32_t draw(uint32_t n)
{
	static uint64_t x = 1;
	x = x * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(x >> 33) % n;
}

static struct row draw_row(bool groups)
{
	struct row r = { .groups = groups };
	r.real = ids[draw(COUNT(ids))];
	r.effective = ids[draw(COUNT(ids))];
	r.saved = ids[draw(COUNT(ids))];
	r.fs = draw(4) ? r.effective : ids[draw(COUNT(ids))];
	r.caps = capsets[draw(COUNT(capsets))];
	r.securebits = securebits[draw(COUNT(securebits))];
	r.call = draw(COUNT(calls));
	for (int i = 0; i < 3; i++)
		r.arg[i] = args[draw(COUNT(args))];
	return r;
}

static long set_caps(const struct caps *c)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = {
		{ (uint32_t)c->effective, (uint32_t)c->permitted, 0 },
	};
	return syscall(SYS_capset, &h, d);
}

/* With the raw calls, which are about this thread alone. */
static void become(const struct row *r)
{
	NEED(!prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
	NEED(!syscall(r->groups ? SYS_setresgid : SYS_setresuid, r->real, r->effective,
		      r->saved));
	syscall(r->groups ? SYS_setfsgid : SYS_setfsuid, r->fs);
	NEED(!prctl(PR_SET_SECUREBITS, r->securebits));
	NEED(!set_caps(&r->caps));
}

static long call(const struct row *r)
{
	long nr = r->groups ? calls[r->call].group : calls[r->call].user;
	return syscall(nr, r->arg[0], r->arg[1], r->arg[2]);
}

/* What the thread is now: ids, file system id, capabilities, ambient ones, securebits. */
static void say_row(const struct row *r, long result, int err)
{
	uint32_t now[3], fs;
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	char shown[40] = "";
	for (int i = 0; i < calls[r->call].args; i++)
		sprintf(shown + strlen(shown), " %d", (int)r->arg[i]);
	syscall(r->groups ? SYS_getresgid : SYS_getresuid, &now[0], &now[1], &now[2]);
	fs = (uint32_t)syscall(r->groups ? SYS_setfsgid : SYS_setfsuid, -1);
	NEED(!syscall(SYS_capget, &h, d));
	say("%u %u %u %u %x/%x %lx %s%s: %ld%s%s: %u %u %u %u %x/%x %x", r->real,
	    r->effective, r->saved, r->fs, (unsigned)r->caps.permitted,
	    (unsigned)r->caps.effective, r->securebits, calls[r->call].name, shown,
	    result, result < 0 ? " " : "", result < 0 ? err_name(err) : "", now[0],
	    now[1], now[2], fs, d[0].permitted & (unsigned)SHOWN,
	    d[0].effective & (unsigned)SHOWN, prctl(PR_GET_SECUREBITS));
}

static void *try_row(void *arg)
{
	const struct row *r = arg;
	become(r);
	errno = 0;
	long result = call(r);
	say_row(r, result, errno);
	return NULL;
}

static void try_rows(bool groups)
{
	for (int i = 0; i < ROWS; i++) {
		struct row r = draw_row(groups);
		pthread_t t;
		NEED(!pthread_create(&t, NULL, try_row, &r));
		NEED(!pthread_join(t, NULL));
	}
}

DIFF_CASE(setuid_table)
{
	try_rows(false);
}

DIFF_CASE(setgid_table)
{
	try_rows(true);
}
