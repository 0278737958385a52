/* landlock_create_ruleset, landlock_add_rule, landlock_restrict_self: landlock(7). */
#include <linux/landlock.h>

#include "fs/file.h"
#include "fs/landlock.h"
#include "proc/cred_change.h"
#include "proc/policy.h"
#include "sys/syscall.h"

#define HANDLED_KNOWN ((LANDLOCK_ACCESS_FS_REFER << 1) - 1)
_Static_assert(HANDLED_KNOWN == LANDLOCK_ALL, "as sec/landlock.h has them");
_Static_assert(LANDLOCK_ACCESS_FS_REFER == LANDLOCK_REFER, "the same");

int64_t sys_landlock_create_ruleset(uaddr_t attr, uint64_t size, uint32_t flags)
{
	struct landlock_ruleset_attr a;
	struct file *f;

	if (flags)
		return flags == LANDLOCK_CREATE_RULESET_VERSION && !attr.va && !size
			       ? LANDLOCK_ABI
			       : -EINVAL;
	if (!attr.va)
		return -EFAULT;
	if (size < sizeof a)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	int err = copy_in_struct(&a, sizeof a, attr, size);
	if (err)
		return err;
	if (a.handled_access_fs & ~HANDLED_KNOWN)
		return -EINVAL;
	if (!a.handled_access_fs)
		return -ENOMSG;
	err = landlock_ruleset_new((uint32_t)a.handled_access_fs, &f);
	return err ? err : fd_add(f, O_CLOEXEC);
}

/* 0, -EBADF, -EBADFD: it is no ruleset. */
static int ruleset_get(int32_t fd, struct file **ret)
{
	struct file *f = fd_get(fd);

	if (!f)
		return -EBADF;
	if (!file_is_landlock(f)) {
		file_put(f);
		return -EBADFD;
	}
	*ret = f;
	return 0;
}

static int add_path(struct file *ruleset, uaddr_t attr)
{
	struct landlock_path_beneath_attr a;
	struct fd_ref r;

	if (get_user(a, attr))
		return -EFAULT;
	if (!a.allowed_access)
		return -ENOMSG;
	if (a.allowed_access & ~HANDLED_KNOWN)
		return -EINVAL;
	if (!fd_borrow_any(a.parent_fd, &r))
		return -EBADF;
	int err =
		landlock_ruleset_add(ruleset, &r.file->path, (uint32_t)a.allowed_access);
	fd_return(&r);
	return err;
}

int64_t sys_landlock_add_rule(int32_t ruleset, int32_t type, uaddr_t attr, uint32_t flags)
{
	struct file *f;

	if (flags)
		return -EINVAL;
	int err = ruleset_get(ruleset, &f);
	if (err)
		return err;
	err = type == LANDLOCK_RULE_PATH_BENEATH ? add_path(f, attr) : -EINVAL;
	file_put(f);
	return err;
}

int64_t sys_landlock_restrict_self(int32_t ruleset, uint32_t flags)
{
	const struct cred *c = thread_current()->cred;
	struct file *f;

	if (!task_no_new_privs(task_current()) && !cred_has_cap(c, CAP_SYS_ADMIN))
		return -EPERM;
	if (flags)
		return -EINVAL;
	int err = ruleset_get(ruleset, &f);
	if (err)
		return err;
	err = landlock_install(f);
	file_put(f);
	return err;
}
