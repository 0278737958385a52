/* seccomp(2). */
#include "proc/seccomp.h"

#include "sys/syscall.h"

static int64_t action_available(uaddr_t at)
{
	uint32_t action;

	if (get_user(action, at))
		return -EFAULT;
	switch (action) {
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_USER_NOTIF:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int64_t notif_sizes(uaddr_t at)
{
	const struct seccomp_notif_sizes sizes = {
		.seccomp_notif = sizeof(struct seccomp_notif),
		.seccomp_notif_resp = sizeof(struct seccomp_notif_resp),
		.seccomp_data = sizeof(struct seccomp_data),
	};

	return put_user(at, sizes);
}

int64_t sys_seccomp(uint32_t op, uint32_t flags, uaddr_t args)
{
	if (op == SECCOMP_SET_MODE_FILTER)
		return seccomp_set_filter(flags, args);
	if (flags)
		return -EINVAL;
	switch (op) {
	case SECCOMP_SET_MODE_STRICT:
		return args.va ? -EINVAL : seccomp_set_strict();
	case SECCOMP_GET_ACTION_AVAIL:
		return action_available(args);
	case SECCOMP_GET_NOTIF_SIZES:
		return notif_sizes(args);
	default:
		return -EINVAL;
	}
}
