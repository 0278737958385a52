/* msgget, msgsnd, msgrcv, msgctl. */
#include "ipc/msg.h"
#include "sys/ipc_sysv.h"
#include "sys/syscall.h"

int64_t sys_msgget(int32_t key, uint32_t flags)
{
	return ipc_get(&msg_ids, &(struct ipc_request){ .key = key, .flags = flags });
}

/* struct msgbuf: a long, then the text. */
#define TEXT_AT sizeof(int64_t)

int64_t sys_msgsnd(int32_t id, uaddr_t msg, uint64_t size, uint32_t flags)
{
	int64_t type;

	if (get_user(type, msg))
		return -EFAULT;
	if (size > msg_max_size || id < 0 || type < 1)
		return -EINVAL;
	struct message *m = message_new(size);
	if (!m)
		return -ENOMEM;
	m->type = type;
	int err = copy_in(m->text, uaddr_add(msg, TEXT_AT), size);
	if (!err)
		err = msg_send(id, m, flags);
	if (err)
		message_free(m);
	return err;
}

int64_t sys_msgrcv(int32_t id, uaddr_t msg, uint64_t size, int64_t type, uint32_t flags)
{
	struct message *m;
	uint64_t n;

	if (id < 0 || size > INT64_MAX)
		return -EINVAL;
	int64_t r = msg_receive(id, size, type, flags, &m, &n);
	if (r)
		return r;
	r = put_user(msg, m->type);
	if (!r)
		r = copy_out(uaddr_add(msg, TEXT_AT), m->text, n);
	message_free(m);
	return r ? r : (int64_t)n;
}

static int64_t set(int32_t id, uaddr_t buf)
{
	struct msqid64_ds ds;

	return get_user(ds, buf) ? -EFAULT : msg_set(id, &ds);
}

int64_t sys_msgctl(int32_t id, int32_t cmd, uaddr_t buf)
{
	struct msqid64_ds ds;
	struct msginfo info;

	if (id < 0 || cmd < 0)
		return -EINVAL;
	switch (cmd) {
	case IPC_INFO:
	case MSG_INFO:
		return ipc_reply(buf, msg_info_get(cmd == MSG_INFO, &info), info);
	case IPC_STAT:
	case MSG_STAT:
	case MSG_STAT_ANY:
		return ipc_reply(
			buf, msg_stat(id, cmd != IPC_STAT, cmd == MSG_STAT_ANY, &ds), ds);
	case IPC_SET:
		return set(id, buf);
	case IPC_RMID:
		return ipc_remove(&msg_ids, id);
	}
	return -EINVAL;
}
