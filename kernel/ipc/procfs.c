/* /proc/sysvipc, and the limits in /proc/sys/kernel and /proc/sys/fs/mqueue. */
#include "core/panic.h"
#include "ipc/ipc.h"
#include "ipc/mqueue.h"
#include "ipc/msg.h"
#include "ipc/sem.h"
#include "ipc/shm.h"
#include "lib/fmt.h"

/* A number that the privileged may set, within bounds. */
struct limit {
	const char *path;
	_Atomic uint64_t *value;
	uint64_t min, max;
};

/* A message must be one block of the heap. */
#define MESSAGE_LIMIT MIB(1)

static const struct limit limits[] = {
	{ "sys/kernel/shmmax", &shm_max, 0, UINT64_MAX },
	{ "sys/kernel/shmall", &shm_all, 0, UINT64_MAX },
	{ "sys/kernel/shmmni", &shm_ids.max, 0, IPC_INDEX_MAX + 1 },
	{ "sys/kernel/msgmax", &msg_max_size, 0, MESSAGE_LIMIT },
	{ "sys/kernel/msgmnb", &msg_max_bytes, 0, INT32_MAX },
	{ "sys/kernel/msgmni", &msg_ids.max, 0, IPC_INDEX_MAX + 1 },
	{ "sys/fs/mqueue/msg_max", &mqueue_limits.messages, 1, MQUEUE_HARD_MESSAGES },
	{ "sys/fs/mqueue/msgsize_max", &mqueue_limits.size, 128, MQUEUE_HARD_SIZE },
	{ "sys/fs/mqueue/msg_default", &mqueue_limits.default_messages, 1,
	  MQUEUE_HARD_MESSAGES },
	{ "sys/fs/mqueue/msgsize_default", &mqueue_limits.default_size, 128,
	  MQUEUE_HARD_SIZE },
	{ "sys/fs/mqueue/queues_max", &mqueue_limits.queues, 0, INT32_MAX },
};

static int show_limit(struct proc_text *t, void *arg)
{
	const struct limit *l = arg;

	proc_printf(t, "%lu\n", *l->value);
	return 0;
}

static int store_limit(char *text, size_t n, void *arg)
{
	const struct limit *l = arg;
	uint64_t v;

	int err = proc_parse_u64(text, &v);
	if (err)
		return err;
	if (v < l->min || v > l->max)
		return -EINVAL;
	*l->value = v;
	return 0;
}

/* Semaphores per set, in all, operations per call, sets. */
static int show_sem(struct proc_text *t, void *arg)
{
	proc_printf(t, "%lu\t%lu\t%lu\t%lu\n", sem_per_set, sem_in_all, sem_per_call,
		    sem_ids.max);
	return 0;
}

/* The first numbers of the four; the others stay. */
static int store_sem(char *text, size_t n, void *arg)
{
	static _Atomic uint64_t *const value[] = { &sem_per_set, &sem_in_all,
						   &sem_per_call, &sem_ids.max };
	static const uint64_t max[] = { SEMMSL, SEMMNS, SEMOPM, IPC_INDEX_MAX + 1 };
	uint64_t v[ARRAY_LEN(max)];
	const char *at = text;
	size_t count = 0;

	for (;;) {
		while (*at == ' ' || *at == '\t' || *at == '\n')
			at++;
		if (!*at || count == ARRAY_LEN(max))
			break;
		if (fmt_parse_u64(at, 10, &v[count], &at) || v[count] > max[count])
			return -EINVAL;
		count++;
	}
	for (size_t i = 0; i < count; i++)
		*value[i] = v[i];
	return 0;
}

static void fill(void)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		proc_made(proc_file(limits[i].path, 0644, show_limit, store_limit,
				    (void *)&limits[i]));
	proc_made(proc_file("sys/kernel/sem", 0644, show_sem, store_sem, NULL));
	proc_made(proc_file("sysvipc/shm", 0444, shm_show, NULL, NULL));
	proc_made(proc_file("sysvipc/sem", 0444, sem_show, NULL, NULL));
	proc_made(proc_file("sysvipc/msg", 0444, msg_show, NULL, NULL));
}

void ipc_procfs_init(void)
{
	static struct proc_filler filler = { .fill = fill };

	insist(!proc_fill_later("", &filler));
}
