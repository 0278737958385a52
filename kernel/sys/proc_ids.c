/* Who am I, who is whose: ids of processes, threads, groups, sessions and users. */
#include "proc/proc.h"
#include "sys/syscall.h"

int64_t sys_getpid(void)
{
	return process_current()->pid;
}

int64_t sys_gettid(void)
{
	return task_current()->tid;
}

int64_t sys_getppid(void)
{
	return process_parent_pid(process_current());
}

int64_t sys_getpgrp(void)
{
	return process_current()->pgrp;
}

static int64_t group_or_session(int32_t pid, bool session)
{
	struct process *p = pid ? process_find(pid) : process_get(process_current());
	if (!p)
		return -ESRCH;
	int32_t id = session ? p->session : p->pgrp;
	process_put(p);
	return id;
}

int64_t sys_getpgid(int32_t pid)
{
	return group_or_session(pid, false);
}

int64_t sys_getsid(int32_t pid)
{
	return group_or_session(pid, true);
}

int64_t sys_setpgid(int32_t pid, int32_t pgid)
{
	return group_set(pid, pgid);
}

int64_t sys_setsid(void)
{
	return session_new();
}

static const struct cred *me(void)
{
	return thread_current()->cred;
}

int64_t sys_getuid(void)
{
	return me()->uid;
}

int64_t sys_geteuid(void)
{
	return me()->euid;
}

int64_t sys_getgid(void)
{
	return me()->gid;
}

int64_t sys_getegid(void)
{
	return me()->egid;
}

static int64_t out_three(const uaddr_t to[3], const uint32_t v[3])
{
	for (int i = 0; i < 3; i++)
		if (put_user(to[i], v[i]))
			return -EFAULT;
	return 0;
}

int64_t sys_getresuid(uaddr_t ruid, uaddr_t euid, uaddr_t suid)
{
	return out_three((uaddr_t[]){ ruid, euid, suid },
			 (uint32_t[]){ me()->uid, me()->euid, me()->suid });
}

int64_t sys_getresgid(uaddr_t rgid, uaddr_t egid, uaddr_t sgid)
{
	return out_three((uaddr_t[]){ rgid, egid, sgid },
			 (uint32_t[]){ me()->gid, me()->egid, me()->sgid });
}

int64_t sys_getgroups(int32_t size, uaddr_t list)
{
	const struct groups *g = me()->groups;
	if (size < 0)
		return -EINVAL;
	if (!size)
		return g->n;
	if ((uint32_t)size < g->n)
		return -EINVAL;
	return copy_out(list, g->gid, g->n * sizeof g->gid[0]) ? -EFAULT : (int64_t)g->n;
}
