/* ptrace, process_vm_readv, process_vm_writev, kcmp: looking into other processes. */
#include <linux/kcmp.h>

#include "fs/epoll.h"
#include "fs/files.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "proc/ptrace.h"
#include "sec/entropy.h"
#include "sys/syscall.h"

int64_t sys_ptrace(int64_t request, int32_t pid, uint64_t addr, uint64_t data)
{
	return ptrace_request(request, pid, addr, data);
}

/* ---- process_vm_* ---- */

#define IOV_FAST 8

/* One stretch of the other's memory. Bytes, less than n where it ended, or -errno. */
static int64_t move_range(struct space *s, uint64_t at, size_t n, struct uio *local,
			  bool write, void *chunk)
{
	size_t done = 0;
	while (done < n && local->left && !thread_interrupted()) {
		size_t part = MIN(MIN(n - done, PAGE_SIZE), local->left);
		int64_t got = write ? uio_read(local, chunk, part) : (int64_t)part;
		if (got > 0)
			got = space_access(s, at + done, chunk, (size_t)got, write,
					   false);
		if (got > 0 && !write)
			got = uio_write(local, chunk, (size_t)got);
		if (got <= 0)
			return done ? (int64_t)done : got;
		done += (size_t)got;
		if ((size_t)got < part)
			break;
	}
	return (int64_t)done;
}

static int64_t move_all(struct space *s, const struct iovec *remote, size_t count,
			struct uio *local, bool write)
{
	int64_t total = 0, n = 0;
	void *chunk = heap_alloc(PAGE_SIZE);
	if (!chunk)
		return -ENOMEM;
	for (size_t i = 0; i < count && local->left; i++) {
		n = move_range(s, (uint64_t)remote[i].iov_base, remote[i].iov_len, local,
			       write, chunk);
		total += MAX(n, 0);
		if (n < (int64_t)remote[i].iov_len)
			break;
	}
	heap_free(chunk);
	return total ? total : MIN(n, 0);
}

static int64_t move_to_task(int32_t pid, const struct uio *remote, struct uio *local,
			    bool write)
{
	struct space *s;
	struct task *t = task_find(pid);
	if (!t)
		return -ESRCH;
	int64_t ret = task_space_for_tracer(t, &s);
	task_put(t);
	if (ret)
		return ret;
	ret = move_all(s, remote->iov, remote->segs, local, write);
	space_put(s);
	return ret;
}

static int64_t process_vm_move(int32_t pid, uaddr_t lvec, uint64_t n_local, uaddr_t rvec,
			       uint64_t n_remote, uint64_t flags, bool write)
{
	struct iovec fast[2][IOV_FAST], *local_made = NULL, *remote_made = NULL;
	struct uio local, remote;
	if (flags)
		return -EINVAL;
	int64_t ret = uio_init_vec(&local, lvec, n_local, fast[0], IOV_FAST, &local_made);
	if (ret)
		return ret;
	/* Where there is no room nothing more is looked at. */
	if (local.left)
		ret = uio_init_vec(&remote, rvec, n_remote, fast[1], IOV_FAST,
				   &remote_made);
	if (!ret && local.left && remote.left)
		ret = move_to_task(pid, &remote, &local, write);
	heap_free(local_made);
	heap_free(remote_made);
	return ret;
}

int64_t sys_process_vm_readv(int32_t pid, uaddr_t lvec, uint64_t n_local, uaddr_t rvec,
			     uint64_t n_remote, uint64_t flags)
{
	return process_vm_move(pid, lvec, n_local, rvec, n_remote, flags, false);
}

int64_t sys_process_vm_writev(int32_t pid, uaddr_t lvec, uint64_t n_local, uaddr_t rvec,
			      uint64_t n_remote, uint64_t flags)
{
	return process_vm_move(pid, lvec, n_local, rvec, n_remote, flags, true);
}

/* ---- kcmp ---- */

/* Which of two objects has the lower address would say where the kernel keeps them: what
 * is compared is the addresses under a secret permutation, another for each kind. */
static uint64_t kcmp_secret[KCMP_TYPES][2];

static uint64_t disguised(const void *p, int32_t type)
{
	uint64_t(*s)[2] = &kcmp_secret[type];
	for (size_t i = 0; i < ARRAY_LEN(*s); i++) {
		uint64_t unset = 0;
		if (!__atomic_load_n(&(*s)[i], __ATOMIC_RELAXED))
			__atomic_compare_exchange_n(&(*s)[i], &unset,
						    entropy_get_u64() | 1, false,
						    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
	return ((uint64_t)p ^ (*s)[0]) * (*s)[1];
}

static int64_t compare(const void *a, const void *b, int32_t type)
{
	uint64_t x = disguised(a, type), y = disguised(b, type);
	return a == b ? 0 : x < y ? 1 : 2;
}

/* The objects below are only compared, never opened: no reference is kept. */

static int file_part(struct task *t, uint64_t fd, const void **ret)
{
	struct file *f = task_file_get(t, fd);
	*ret = f;
	if (f)
		file_put(f);
	return f ? 0 : -EBADF;
}

/* KCMP_EPOLL_TFD: what t's epoll instance watches. */
static int epoll_part(struct task *t, uaddr_t uslot, const void **ret)
{
	struct kcmp_epoll_slot slot;
	if (get_user(slot, uslot))
		return -EFAULT;
	struct file *f = task_file_get(t, slot.efd);
	if (!f)
		return -EBADF;
	int err = epoll_target(f, (int)slot.tfd, slot.toff, ret);
	file_put(f);
	return err;
}

static int part_of(struct task *t, int32_t type, uint64_t fd, const void **ret)
{
	switch (type) {
	case KCMP_FILE:
		return file_part(t, fd, ret);
	case KCMP_VM:
		*ret = t->thread.space;
		return 0;
	case KCMP_FILES:
		*ret = t->files_ref;
		return 0;
	case KCMP_FS:
		*ret = t->thread.fs;
		return 0;
	case KCMP_SIGHAND:
		*ret = t->process->sighand;
		return 0;
	case KCMP_SYSVSEM:
		*ret = t->sem_undos;
		return 0;
	case KCMP_IO:
		*ret = NULL; /* nobody has any */
		return 0;
	default:
		return -EINVAL;
	}
}

static int parts_of(struct task *a, struct task *b, int32_t type, uint64_t idx1,
		    uint64_t idx2, const void **ret_a, const void **ret_b)
{
	bool epoll = type == KCMP_EPOLL_TFD;
	int err = 0;
	if (epoll)
		err = epoll_part(b, UADDR(idx2), ret_b);
	if (err != -EFAULT) {
		int of_a = part_of(a, epoll ? KCMP_FILE : type, idx1, ret_a);
		err = of_a ? of_a : err;
	}
	return err || epoll ? err : part_of(b, type, idx2, ret_b);
}

static bool may_compare(struct task *t)
{
	return t->process == process_current() ||
	       task_may_trace(t, thread_current()->cred, TRACE_BY_REAL_IDS);
}

int64_t sys_kcmp(int32_t pid1, int32_t pid2, int32_t type, uint64_t idx1, uint64_t idx2)
{
	struct task *a = task_find(pid1), *b = task_find(pid2);
	const void *x = NULL, *y = NULL;
	int64_t ret = a && b ? 0 : -ESRCH;
	if (!ret && (!may_compare(a) || !may_compare(b)))
		ret = -EPERM;
	if (!ret)
		ret = parts_of(a, b, type, idx1, idx2, &x, &y);
	if (!ret)
		ret = compare(x, y, type == KCMP_EPOLL_TFD ? KCMP_FILE : type);
	task_put(a);
	task_put(b);
	return ret;
}
