/*
 * The truth table of file permissions (path_resolution(7), capabilities(7), inode(7)):
 * who x capabilities x the folder's mode and owner x the file's x operation. The rows
 * that are tried are drawn by a generator without a seed: the same ones everywhere.
 */
#include "diff.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define ROWS 1500 /* of each case: what it may say is 256 KiB */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define CAP(name) (1ull << CAP_##name)

/* Ids: the owner, somebody of the owner's group, of the supplementary group, else. */
enum { OWNER = 1000, MEMBER = 1001, OTHER = 1002, GROUP = 2000, EXTRA = 2001 };

struct row {
	uint32_t uid, gid;
	uint64_t caps;
	mode_t folder_mode, mode;
	uint32_t folder_owner, owner, group;
	bool is_folder;
	unsigned operation;
};

static uint32_t draw(uint32_t n)
{
	static uint64_t x = 7;
	x = x * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(x >> 33) % n;
}

/* -- operations: on "d/f", by the caller ----------------------------------------- */

static long opens(int flags)
{
	int fd = open("d/f", flags, 0644);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static long op_read(void)
{
	return opens(O_RDONLY);
}

static long op_write(void)
{
	return opens(O_WRONLY);
}

static long op_truncating(void)
{
	return opens(O_RDWR | O_TRUNC);
}

static long op_noatime(void)
{
	return opens(O_RDONLY | O_NOATIME);
}

static long op_create_existing(void)
{
	return opens(O_CREAT | O_WRONLY);
}

/* Writing takes set-user-ID and set-group-ID bits off. */
static long op_write_byte(void)
{
	int fd = open("d/f", O_WRONLY);
	if (fd < 0)
		return -1;
	long n = write(fd, "x", 1);
	close(fd);
	return n;
}

static long op_truncate(void)
{
	return truncate("d/f", 3);
}

static long op_access_exec(void)
{
	return faccessat(AT_FDCWD, "d/f", X_OK, AT_EACCESS);
}

static long op_access_real(void)
{
	return access("d/f", R_OK | W_OK);
}

static long op_stat(void)
{
	struct stat st;
	return stat("d/f", &st);
}

static long op_chmod(void)
{
	return chmod("d/f", 06755);
}

static long op_chmod_sticky(void)
{
	return chmod("d/f", 01777);
}

static long op_chown_to_owner(void)
{
	return chown("d/f", OWNER, -1);
}

static long op_chown_to_other(void)
{
	return chown("d/f", OTHER, -1);
}

static long op_chgrp(void)
{
	return chown("d/f", -1, GROUP);
}

static long op_chgrp_extra(void)
{
	return chown("d/f", -1, EXTRA);
}

static long op_chown_to_nobody(void)
{
	return chown("d/f", -1, -1);
}

static long op_unlink(void)
{
	return unlink("d/f");
}

static long op_rmdir(void)
{
	return rmdir("d/f");
}

static long op_rename_away(void)
{
	return rename("d/f", "free/f");
}

static long op_rename_over(void)
{
	return rename("free/g", "d/f");
}

static long op_exchange(void)
{
	return syscall(SYS_renameat2, AT_FDCWD, "free/g", AT_FDCWD, "d/f",
		       RENAME_EXCHANGE);
}

static long op_link(void)
{
	return link("d/f", "free/l");
}

static long op_symlink(void)
{
	return symlink("x", "d/new");
}

static long op_mkdir(void)
{
	return mkdir("d/new", 02777);
}

static long op_mknod(void)
{
	return mknod("d/new", S_IFIFO | 06644, 0);
}

static long op_mknod_device(void)
{
	return mknod("d/new", S_IFCHR | 0644, 0x103);
}

static long op_create(void)
{
	int fd = open("d/new", O_CREAT | O_EXCL | O_RDONLY, 06775);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static long op_utimes_now(void)
{
	return utimensat(AT_FDCWD, "d/f", NULL, 0);
}

static long op_utimes_set(void)
{
	const struct timespec t[2] = { { 1, 0 }, { 2, 0 } };
	return utimensat(AT_FDCWD, "d/f", t, 0);
}

static long op_setxattr_trusted(void)
{
	return setxattr("d/f", "trusted.a", "1", 1, 0);
}

static long op_list(void)
{
	char buf[1024];
	int fd = open("d/f", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return -1;
	long n = syscall(SYS_getdents64, fd, buf, sizeof buf);
	close(fd);
	return n > 0;
}

static long op_chdir(void)
{
	return chdir("d/f") ? -1 : chdir("../..");
}

static long op_search(void)
{
	struct stat st;
	return stat("d/f/.", &st);
}

#define OP(name)                                                                         \
	{                                                                                \
#name, op_##name                                                         \
	}
static const struct {
	const char *name;
	long (*fn)(void);
} operations[] = {
	OP(read),
	OP(write),
	OP(truncating),
	OP(noatime),
	OP(create_existing),
	OP(write_byte),
	OP(truncate),
	OP(access_exec),
	OP(access_real),
	OP(stat),
	OP(chmod),
	OP(chmod_sticky),
	OP(chown_to_owner),
	OP(chown_to_other),
	OP(chgrp),
	OP(chgrp_extra),
	OP(chown_to_nobody),
	OP(unlink),
	OP(rmdir),
	OP(rename_away),
	OP(rename_over),
	OP(exchange),
	OP(link),
	OP(symlink),
	OP(mkdir),
	OP(mknod),
	OP(mknod_device),
	OP(create),
	OP(utimes_now),
	OP(utimes_set),
	OP(setxattr_trusted),
	OP(list),
	OP(chdir),
	OP(search),
};

static const uint32_t users[] = { 0, OWNER, MEMBER, OTHER };
static const uint32_t own_groups[] = { 0, GROUP, 3000 };
static const uint32_t owners[] = { 0, OWNER, OTHER };
static const uint32_t groups[] = { 0, GROUP, EXTRA, 4000 };
static const mode_t folder_modes[] = { 0755, 01777, 0777, 02775, 0700,
				       0070, 01770, 0711, 03777 };
static const mode_t modes[] = { 0000, 0400,  0200,  0100,  0644,  0755,	 0070, 0007, 0666,
				0777, 04755, 02755, 06777, 02644, 01777, 0111, 0640 };
static const uint64_t capsets[] = {
	0,
	0,
	CAP(DAC_OVERRIDE),
	CAP(DAC_READ_SEARCH),
	CAP(FOWNER),
	CAP(FSETID),
	CAP(CHOWN),
	CAP(CHOWN) | CAP(FSETID),
	CAP(DAC_OVERRIDE) | CAP(FOWNER),
	CAP(MKNOD) | CAP(DAC_OVERRIDE),
	CAP(SYS_ADMIN),
	CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) | CAP(FSETID) | CAP(MKNOD) |
		CAP(SYS_ADMIN),
};

static struct row draw_row(bool is_folder)
{
	struct row r = { .is_folder = is_folder };
	r.uid = users[draw(COUNT(users))];
	r.gid = own_groups[draw(COUNT(own_groups))];
	r.caps = capsets[draw(COUNT(capsets))];
	r.folder_mode = folder_modes[draw(COUNT(folder_modes))];
	r.folder_owner = owners[draw(COUNT(owners))];
	r.owner = owners[draw(COUNT(owners))];
	r.group = groups[draw(COUNT(groups))];
	r.mode = modes[draw(COUNT(modes))];
	r.operation = draw(COUNT(operations));
	return r;
}

/* -- a row --------------------------------------------------------------------------- */

static void clear_away(void)
{
	static const char *const names[] = { "d/f",    "d/new", "free/f", "free/g",
					     "free/l", "d",	"free" };
	for (size_t i = 0; i < COUNT(names); i++)
		if (unlink(names[i]))
			(void)!rmdir(names[i]);
}

static void put(const char *path, const struct row *r)
{
	NEED(!(r->is_folder ? mkdir(path, 0) : mknod(path, S_IFREG, 0)));
	NEED(!chown(path, r->owner, r->group));
	NEED(!chmod(path, r->mode));
}

static void prepare(const struct row *r)
{
	clear_away();
	NEED(!mkdir("free", 0777) && !chmod("free", 0777));
	NEED(!mkdir("d", 0700));
	put("d/f", r);
	put("free/g", r);
	NEED(!chown("d", r->folder_owner, GROUP));
	NEED(!chmod("d", r->folder_mode));
}

/* With the raw calls, which are about this thread alone. */
static void become(const struct row *r)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];
	const gid_t extra = EXTRA;
	memset(d, 0, sizeof d);
	d[0].effective = d[0].permitted = (uint32_t)r->caps;
	d[1].effective = d[1].permitted = (uint32_t)(r->caps >> 32);
	NEED(!prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
	NEED(!syscall(SYS_setgroups, 1, &extra));
	NEED(!syscall(SYS_setresgid, r->gid, r->gid, r->gid));
	NEED(!syscall(SYS_setresuid, r->uid, r->uid, r->uid));
	NEED(!syscall(SYS_capset, &h, d));
}

static void say_file_of(char *to, const char *path)
{
	struct stat st;
	to += strlen(to);
	if (!lstat(path, &st))
		sprintf(to, " %s %o %u:%u", path, st.st_mode, st.st_uid, st.st_gid);
}

struct attempt {
	const struct row *row;
	long result;
	int err;
};

static void *attempt(void *arg)
{
	struct attempt *a = arg;
	become(a->row);
	errno = 0;
	a->result = operations[a->row->operation].fn();
	a->err = errno;
	return NULL;
}

static void try_row(const struct row *r)
{
	struct attempt a = { .row = r };
	char after[200] = "";
	pthread_t t;
	prepare(r);
	NEED(!pthread_create(&t, NULL, attempt, &a));
	NEED(!pthread_join(t, NULL));
	say_file_of(after, "d/f");
	say_file_of(after, "d/new");
	say_file_of(after, "free/f");
	say("%u:%u %llx d %o %u, f %o %u:%u %s: %ld%s%s;%s", r->uid, r->gid,
	    (unsigned long long)r->caps, r->folder_mode, r->folder_owner, r->mode,
	    r->owner, r->group, operations[r->operation].name, a.result,
	    a.result < 0 ? " " : "", a.result < 0 ? err_name(a.err) : "", after);
}

static void try_rows(bool folders)
{
	umask(0);
	NEED(!chmod(".", 0755));
	for (int i = 0; i < ROWS; i++) {
		struct row r = draw_row(folders);
		try_row(&r);
	}
	clear_away();
}

DIFF_CASE(permissions_of_files_table)
{
	try_rows(false);
}

DIFF_CASE(permissions_of_folders_table)
{
	try_rows(true);
}
