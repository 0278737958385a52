/* procfs: file locks and leases and who waits for them: /proc/locks, fdinfo's "lock:". */
#include "fs/locks.h"
#include "fs/procfs/procfs_internal.h"

#define BATCH 16

static void print_lock(struct proc_text *t, uint64_t nr, const struct file_lock_view *v)
{
	static const char *const families[] = {
		[FAMILY_FLOCK] = "FLOCK  ADVISORY ",
		[FAMILY_POSIX] = "POSIX  ADVISORY ",
		[FAMILY_OFD] = "OFDLCK ADVISORY ",
		[FAMILY_LEASE] = "LEASE  ACTIVE   ",
		[FAMILY_LEASE_BREAKING] = "LEASE  BREAKING ",
		[FAMILY_LEASE_BREAKER] = "LEASE  BREAKER  ",
	};
	static const char *const types[] = {
		[F_RDLCK] = "READ",
		[F_WRLCK] = "WRITE",
		[F_UNLCK] = "UNLCK",
	};

	proc_printf(t, "%llu: ", (unsigned long long)nr);
	if (v->level)
		proc_printf(t, "%*s", (int)v->level + 2, "-> ");
	proc_printf(t, "%s %s %d ", families[v->family], types[v->type], v->pid);
	if (v->family == FAMILY_LEASE_BREAKER)
		proc_printf(t, "<none>:0 ");
	else
		proc_printf(t, "%02x:%02x:%llu ", DEV_MAJOR(v->dev), DEV_MINOR(v->dev),
			    (unsigned long long)v->ino);
	proc_printf(t, "%lld ", (long long)v->start);
	if (v->end == LOCK_END)
		proc_printf(t, "EOF\n");
	else
		proc_printf(t, "%lld\n", (long long)v->end);
}

static int show_locks(struct proc_text *t, void *arg)
{
	struct file_lock_view v[BATCH];
	size_t n;

	do {
		n = file_locks_view(NULL, t->cursor, v, BATCH);
		for (size_t i = 0; i < n; i++)
			print_lock(t, v[i].number, &v[i]);
		t->cursor += n;
		if (proc_full(t))
			return PROC_MORE;
	} while (n == BATCH);
	return 0;
}

void proc_print_file_locks(struct proc_text *t, struct file *f, const void *owner)
{
	struct file_lock_view v[BATCH];
	uint64_t from = 0, nr = 0;
	size_t n;

	do {
		n = file_locks_view(f->inode, from, v, BATCH);
		for (size_t i = 0; i < n; i++) {
			if (v[i].level || (v[i].owner != f && v[i].owner != owner))
				continue;
			proc_printf(t, "lock:\t");
			print_lock(t, ++nr, &v[i]);
		}
		from += n;
	} while (n == BATCH && !t->err);
}

void procfs_locks_fill(void)
{
	proc_made(proc_file("locks", 0444, show_locks, NULL, NULL));
}
