/* madvise and process_madvise, remap_file_pages, mlock2, protection keys, process_vm_*,
 * NUMA's calls. */
#include "diff.h"

#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096ul

/* musl's header knows these later. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#define MADV_DONTNEED_LOCKED 24
#endif

static char *anon(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	return p;
}

/* Whether each page is there, as a row of 0 and 1. */
static void say_resident(const char *label, void *p, size_t pages)
{
	unsigned char vec[64];
	char row[65];
	NEED(pages < 64 && !mincore(p, pages * PAGE, vec));
	for (size_t k = 0; k < pages; k++)
		row[k] = vec[k] & 1 ? '1' : '0';
	row[pages] = 0;
	say("%s: %s", label, row);
}

DIFF_CASE(madvise_populate)
{
	char *p = anon(8);
	say_resident("new", p, 8);
	TRY(madvise(p + PAGE, 2 * PAGE, MADV_POPULATE_WRITE));
	say_resident("written", p, 8);
	TRY(madvise(p + 4 * PAGE, PAGE, MADV_POPULATE_READ));
	say_resident("read", p, 8);
	SHOW(p[4 * PAGE]);
	NEED(!mprotect(p, PAGE, PROT_READ));
	TRY(madvise(p, PAGE, MADV_POPULATE_READ));
	TRY(madvise(p, PAGE, MADV_POPULATE_WRITE));
	NEED(!mprotect(p, PAGE, PROT_NONE));
	TRY(madvise(p, PAGE, MADV_POPULATE_READ));
	NEED(!munmap(p + 2 * PAGE, PAGE));
	TRY(madvise(p + PAGE, 3 * PAGE, MADV_POPULATE_WRITE));
	TRY(madvise(p + PAGE, 3 * PAGE, MADV_POPULATE_READ));
	TRY(madvise(p + PAGE, 0, MADV_POPULATE_READ));
	make_file("f", "0123456789");
	int fd = open("f", O_RDWR);
	char *q = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(q != MAP_FAILED);
	TRY(madvise(q, PAGE, MADV_POPULATE_WRITE));
	TRY(madvise(q, 2 * PAGE, MADV_POPULATE_READ));
	TRY(madvise(q + PAGE, PAGE, MADV_POPULATE_WRITE));
}

DIFF_CASE(madvise_cold_and_pageout)
{
	char *p = anon(4);
	memset(p, 'x', 4 * PAGE);
	TRY(madvise(p, 4 * PAGE, MADV_COLD));
	SHOW(p[0] == 'x');
	TRY(madvise(p, 4 * PAGE, MADV_PAGEOUT));
	SHOW(p[3 * PAGE] == 'x');
	NEED(!mlock(p, PAGE));
	TRY(madvise(p, 4 * PAGE, MADV_COLD));
	TRY(madvise(p, 4 * PAGE, MADV_PAGEOUT));
	TRY(madvise(p, 4 * PAGE, MADV_DONTNEED));
	TRY(madvise(p, 4 * PAGE, MADV_FREE));
	TRY(madvise(p, 4 * PAGE, MADV_WILLNEED));
	NEED(!munlock(p, PAGE) && !munmap(p + PAGE, PAGE));
	TRY(madvise(p, 3 * PAGE, MADV_COLD));
	TRY(madvise(p, 3 * PAGE, MADV_PAGEOUT));
	TRY(madvise(p, 3 * PAGE, MADV_WILLNEED));
	TRY(madvise(p, 3 * PAGE, MADV_DONTNEED));
	TRY(madvise(p, 3 * PAGE, MADV_NORMAL));
}

DIFF_CASE(madvise_on_files)
{
	make_file("f", "0123456789");
	int fd = open("f", O_RDWR);
	char *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	NEED(s != MAP_FAILED && q != MAP_FAILED);
	s[0] = 'S', q[1] = 'P';
	for (int advice = 0; advice < 5; advice++) {
		TRY(madvise(s, PAGE, advice));
		TRY(madvise(q, PAGE, advice));
	}
	say("after DONTNEED: %.2s %.2s", s, q);
	TRY(madvise(s, PAGE, MADV_FREE));
	TRY(madvise(q, PAGE, MADV_FREE));
	TRY(madvise(s, PAGE, MADV_WIPEONFORK));
	TRY(madvise(q, PAGE, MADV_WIPEONFORK));
	TRY(madvise(s, PAGE, MADV_DONTFORK));
	TRY(madvise(s, PAGE, MADV_DOFORK));
	TRY(madvise(s, PAGE, MADV_COLD));
	TRY(madvise(q, PAGE, MADV_PAGEOUT));
	TRY(madvise(s, PAGE, MADV_MERGEABLE));
	TRY(madvise(s, PAGE, MADV_HUGEPAGE));
	TRY(madvise(s, PAGE, MADV_DONTDUMP));
	TRY(madvise(s, PAGE, MADV_DODUMP));
	int ro = open("f", O_RDONLY);
	s = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
	TRY(madvise(s, PAGE, MADV_REMOVE));
	TRY(madvise(s, PAGE, MADV_PAGEOUT));
}

DIFF_CASE(madvise_locked_dontneed)
{
	char *p = anon(2);
	memset(p, 'x', 2 * PAGE);
	NEED(!mlock(p, PAGE));
	TRY(madvise(p, PAGE, MADV_DONTNEED));
	TRY(madvise(p, PAGE, MADV_DONTNEED_LOCKED));
	SHOW(p[0]);
	TRY(madvise(p, PAGE, MADV_WIPEONFORK));
	TRY(madvise(p, PAGE, MADV_KEEPONFORK));
}

/* -- process_madvise ---------------------------------------------------------------- */

static long advise(int pidfd, void *at, size_t n, int advice, unsigned flags)
{
	struct iovec v = { at, n };
	return syscall(SYS_process_madvise, pidfd, &v, 1, advice, flags);
}

DIFF_CASE(process_madvise_corners)
{
	char *p = anon(4);
	memset(p, 'x', 4 * PAGE);
	pid_t pid = child_of(sleeper);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	TRY(advise(fd, p, 2 * PAGE, MADV_COLD, 0));
	TRY(advise(fd, p, 4 * PAGE, MADV_PAGEOUT, 0));
	TRY(advise(fd, p, PAGE, MADV_WILLNEED, 0));
	TRY(advise(self, p, PAGE, MADV_COLD, 0));
	TRY(advise(fd, p, PAGE, MADV_DONTNEED, 0));
	TRY(advise(fd, p, PAGE, MADV_NORMAL, 0));
	TRY(advise(fd, p, PAGE, MADV_HUGEPAGE, 0));
	TRY(advise(fd, p, PAGE, 99, 0));
	TRY(advise(fd, p, PAGE, MADV_COLD, 1));
	TRY(advise(fd, p + 1, PAGE, MADV_COLD, 0));
	TRY(advise(fd, p, 0, MADV_COLD, 0));
	TRY(advise(fd, p, -1ul, MADV_COLD, 0));
	TRY(advise(fd, NULL, PAGE, MADV_COLD, 0));
	TRY(advise(0, p, PAGE, MADV_COLD, 0));
	TRY(advise(-1, p, PAGE, MADV_COLD, 0));
	TRY(syscall(SYS_process_madvise, fd, NULL, 0, MADV_COLD, 0));
	TRY(syscall(SYS_process_madvise, fd, NULL, 1, MADV_COLD, 0));
	TRY(syscall(SYS_process_madvise, fd, NULL, 1025, MADV_COLD, 0));
	struct iovec v[3] = { { p, PAGE }, { p + 2 * PAGE, 2 * PAGE }, { NULL, PAGE } };
	TRY(syscall(SYS_process_madvise, fd, v, 2, MADV_COLD, 0));
	TRY(syscall(SYS_process_madvise, fd, v, 3, MADV_COLD, 0));
	kill(pid, SIGKILL);
	wait_state(pid, 'Z');
	TRY(advise(fd, p, PAGE, MADV_COLD, 0));
	reap(pid);
	TRY(advise(fd, p, PAGE, MADV_COLD, 0));
}

DIFF_CASE(process_madvise_as_nobody)
{
	char *p = anon(1);
	p[0] = 1;
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		TRY(advise(fd, p, PAGE, MADV_COLD, 0));
		_exit(0);
	}
	reap(pid);
}

/* -- process_mrelease --------------------------------------------------------------- */

DIFF_CASE(process_mrelease_corners)
{
	pid_t pid = child_of(sleeper);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	TRY(syscall(__NR_process_mrelease, fd, 0));
	TRY(syscall(__NR_process_mrelease, fd, 1));
	TRY(syscall(__NR_process_mrelease, 0, 0));
	TRY(syscall(__NR_process_mrelease, -1, 0));
	kill(pid, SIGKILL);
	wait_state(pid, 'Z');
	TRY(syscall(__NR_process_mrelease, fd, 0));
	reap(pid);
	TRY(syscall(__NR_process_mrelease, fd, 0));
}

/* -- mlock2 and limits -------------------------------------------------------------- */

DIFF_CASE(mlock2_on_fault)
{
	char *p = anon(4);
	TRY(mlock2(p, 4 * PAGE, MLOCK_ONFAULT));
	say_resident("on fault", p, 4);
	p[PAGE] = 1;
	say_resident("touched", p, 4);
	TRY(mlock2(p, 4 * PAGE, 0));
	say_resident("locked", p, 4);
	TRY(mlock2(p, 4 * PAGE, 2));
	TRY(mlock2(p, 4 * PAGE, -1));
	TRY(munlock(p, 4 * PAGE));
	TRY(mlock2(p + 1, 1, 0));
	TRY(mlock2((void *)-4096l, 4096, 0));
	TRY(mlock2((void *)-4096l, 8192, 0));
	TRY(mlock2(p, -1ul, 0));
	TRY(mlock2(p, 0, 0));
}

DIFF_CASE(mlock_of_nobody)
{
	char *p = anon(8);
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 4 * PAGE, 4 * PAGE });
		TRY(mlock(p, 4 * PAGE));
		TRY(mlock(p, 4 * PAGE));
		TRY(mlock(p + 4 * PAGE, PAGE));
		TRY(mlockall(MCL_CURRENT));
		TRY(mlockall(MCL_FUTURE));
		TRY(mlockall(MCL_ONFAULT));
		TRY(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
				    MAP_FAILED
			    ? -1
			    : 0);
		TRY(munlock(p, PAGE));
		TRY(mmap(NULL, 8 * PAGE, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED
			    ? -1
			    : 0);
		TRY(munlockall());
		setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 0, 0 });
		TRY(mlock(p, PAGE));
		TRY(mlock(p, 0));
		TRY(mlockall(MCL_CURRENT));
		TRY(munlockall());
		_exit(0);
	}
	say_status("nobody", reap(pid));
}

/* -- protection keys ---------------------------------------------------------------- */

DIFF_CASE(pkey_corners)
{
	char *p = anon(1);
	TRY(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, -1));
	TRY(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ | PROT_WRITE, 15));
	TRY(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, 16));
	TRY(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, -2));
	TRY(syscall(SYS_pkey_mprotect, p + 1, PAGE, PROT_READ, -1));
	TRY(syscall(SYS_pkey_alloc, 1, 0));
	TRY(syscall(SYS_pkey_alloc, 0, 4));
	TRY(syscall(SYS_pkey_free, -1));
	TRY(syscall(SYS_pkey_free, 16));
	TRY(syscall(SYS_pkey_free, 5));
}

/* -- process_vm_readv --------------------------------------------------------------- */

static long copy(pid_t pid, void *to, size_t n, void *from, size_t m, unsigned long flags)
{
	struct iovec l = { to, n }, r = { from, m };
	return syscall(SYS_process_vm_readv, pid, &l, 1, &r, 1, flags);
}

DIFF_CASE(process_vm_corners)
{
	char *p = anon(3), b[64];
	strcpy(p, "parent");
	pid_t pid = child_of(sleeper);
	strcpy(p, "after ");
	TRY(copy(pid, b, 6, p, 6, 0));
	say("%.6s", b);
	TRY(copy(pid, b, 6, p, 3, 0));
	TRY(copy(pid, b, 3, p, 6, 0));
	TRY(copy(pid, b, 0, p, 6, 0));
	TRY(copy(pid, b, 6, p, 0, 0));
	TRY(copy(pid, b, 6, p, 6, 1));
	TRY(copy(pid, (void *)8, 6, p, 6, 0));
	TRY(copy(pid, b, 6, (void *)8, 6, 0));
	TRY(copy(pid, b, -1ul, p, 6, 0));
	TRY(copy(99999, b, 6, p, 6, 0));
	TRY(copy(0, b, 6, p, 6, 0));
	TRY(copy(-1, b, 6, p, 6, 0));
	TRY(copy(getpid(), b, 6, p, 6, 0));
	NEED(!munmap(p + PAGE, PAGE));
	TRY(copy(getpid(), b, 64, p + PAGE - 10, 64, 0ul));
	TRY(copy(pid, b, 64, p + PAGE - 10, 64, 0ul));
	struct iovec l[2] = { { b, 10 }, { b + 10, 10 } },
		     r[3] = { { p, 4 }, { (void *)8, 4 }, { p, 4 } };
	TRY(syscall(SYS_process_vm_readv, pid, l, 2, r, 3, 0ul));
	TRY(syscall(SYS_process_vm_readv, pid, l, 2, r + 1, 2, 0ul));
	TRY(syscall(SYS_process_vm_readv, pid, NULL, 0, r, 1, 0ul));
	TRY(syscall(SYS_process_vm_readv, pid, l, 1, NULL, 0, 0ul));
	TRY(syscall(SYS_process_vm_readv, pid, l, 1, NULL, 1, 0ul));
	TRY(syscall(SYS_process_vm_readv, pid, NULL, 1, r, 1, 0ul));
	TRY(syscall(SYS_process_vm_readv, pid, l, 1025, r, 1, 0ul));
	TRY(syscall(SYS_process_vm_readv, pid, l, 1, r, 1025, 0ul));
	TRY(syscall(SYS_process_vm_readv, pid, l, -1ul, r, 1, 0ul));
	r[0].iov_len = -1ul;
	TRY(syscall(SYS_process_vm_readv, pid, l, 1, r, 1, 0ul));
	kill(pid, SIGKILL);
	wait_state(pid, 'Z');
	TRY(copy(pid, b, 6, p, 6, 0ul));
	NEED(!mprotect(p, PAGE, PROT_READ));
	struct iovec w = { b, 4 }, ro = { p, 4 };
	TRY(syscall(SYS_process_vm_writev, getpid(), &w, 1, &ro, 1, 0ul));
}

/* -- NUMA --------------------------------------------------------------------------- */

DIFF_CASE(numa_move_pages)
{
	char *p = anon(2);
	p[0] = p[PAGE] = 1;
	void *pages[4] = { p, p + PAGE, anon(1), (void *)8 };
	int nodes[4] = { 0, 0, 0, 0 }, status[4] = { 77, 77, 77, 77 };
	TRY(syscall(SYS_move_pages, 0, 4, pages, NULL, status, 0));
	for (int k = 0; k < 4; k++)
		say("page %d: %s", k, status[k] < 0 ? err_name(-status[k]) : "node 0");
	TRY(syscall(SYS_move_pages, 0, 4, pages, nodes, status, MPOL_MF_MOVE));
	for (int k = 0; k < 4; k++)
		say("page %d: %s", k, status[k] < 0 ? err_name(-status[k]) : "node 0");
	TRY(syscall(SYS_move_pages, getpid(), 1, pages, NULL, status, MPOL_MF_MOVE_ALL));
	TRY(syscall(SYS_move_pages, 0, 1, pages, NULL, status, 1));
	TRY(syscall(SYS_move_pages, 0, 1, pages, NULL, status, 8));
	TRY(syscall(SYS_move_pages, 99999, 1, pages, NULL, status, 0));
	TRY(syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0));
	TRY(syscall(SYS_move_pages, 0, 1, NULL, NULL, status, 0));
	TRY(syscall(SYS_move_pages, 0, 1, pages, NULL, NULL, 0));
	TRY(syscall(SYS_move_pages, 0, 1, pages, 8, status, 0));
	nodes[0] = 77;
	TRY(syscall(SYS_move_pages, 0, 1, pages, nodes, status, MPOL_MF_MOVE));
	nodes[0] = -1;
	TRY(syscall(SYS_move_pages, 0, 1, pages, nodes, status, MPOL_MF_MOVE));
	nodes[0] = 5000;
	TRY(syscall(SYS_move_pages, 0, 1, pages, nodes, status, MPOL_MF_MOVE));
}

DIFF_CASE(numa_migrate_pages)
{
	unsigned long from = 1, to = 1, none = 0, two = 2;
	TRY(syscall(SYS_migrate_pages, 0, 64, &from, &to));
	TRY(syscall(SYS_migrate_pages, getpid(), 64, &from, &to));
	TRY(syscall(SYS_migrate_pages, 0, 64, &from, &two));
	TRY(syscall(SYS_migrate_pages, 0, 64, &two, &from));
	TRY(syscall(SYS_migrate_pages, 0, 64, &none, &to));
	TRY(syscall(SYS_migrate_pages, 0, 64, &from, &none));
	TRY(syscall(SYS_migrate_pages, 0, 64, 8, &to));
	TRY(syscall(SYS_migrate_pages, 0, 64, &from, 8));
	TRY(syscall(SYS_migrate_pages, 0, 1ul << 30, &from, &to));
	TRY(syscall(SYS_migrate_pages, 99999, 64, &from, &to));
}

DIFF_CASE(numa_home_node)
{
	char *p = anon(4);
	TRY(syscall(__NR_set_mempolicy_home_node, p, 4 * PAGE, 0, 0));
	TRY(syscall(__NR_set_mempolicy_home_node, p + 1, 4 * PAGE, 0, 0));
	TRY(syscall(__NR_set_mempolicy_home_node, p, 4 * PAGE, 0, 1));
	TRY(syscall(__NR_set_mempolicy_home_node, p, 4 * PAGE, 5000, 0));
	TRY(syscall(__NR_set_mempolicy_home_node, p, 4 * PAGE, 1, 0));
	TRY(syscall(__NR_set_mempolicy_home_node, p, 0, 0, 0));
	unsigned long nodes = 1;
	TRY(syscall(SYS_mbind, p, 4 * PAGE, MPOL_BIND, &nodes, 64, 0));
	TRY(syscall(__NR_set_mempolicy_home_node, p, 4 * PAGE, 0, 0));
	TRY(syscall(SYS_mbind, p, 4 * PAGE, MPOL_INTERLEAVE, &nodes, 64, 0));
	TRY(syscall(__NR_set_mempolicy_home_node, p, 4 * PAGE, 0, 0));
}

/* Straight to the kernel: a C library may emulate it. */
static long remap(void *at, size_t size, int prot, unsigned long page, int flags)
{
	return syscall(SYS_remap_file_pages, at, size, prot, page, flags);
}

DIFF_CASE(remap_file_pages_errors)
{
	make_file("f", "0123456789");
	int fd = open("f", O_RDWR);
	NEED(!ftruncate(fd, 8 * PAGE));
	char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *q = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	char *r = anon(2);
	NEED(p != MAP_FAILED && q != MAP_FAILED);
	TRY(remap(p, PAGE, 0, 1, 0));
	TRY(remap(p, PAGE, PROT_READ, 1, 0));
	TRY(remap(p, 0, 0, 1, 0));
	TRY(remap(p, PAGE - 1, 0, 1, 0));
	TRY(remap(p + 1, PAGE + 1, 0, 1, 0));
	TRY(remap(p, PAGE, 0, 1, MAP_NONBLOCK));
	TRY(remap(p, PAGE, 0, 1, -1));
	TRY(remap(p, PAGE, 0, 8, 0));
	TRY(remap(p, PAGE, 0, -1ul, 0));
	TRY(remap(p, 2 * PAGE, 0, -1ul, 0));
	TRY(remap(p, PAGE, 0, 1ul << 52, 0));
	TRY(remap(p, PAGE, 0, (1ul << 51) - 1, 0));
	TRY(remap(p, -PAGE, 0, 0, 0));
	TRY(remap(q, PAGE, 0, 1, 0));
	TRY(remap(r, PAGE, 0, 1, 0));
	r = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("f", O_RDONLY), 0);
	TRY(remap(r, PAGE, 0, 1, 0));
	TRY(remap((void *)(1ul << 47), PAGE, 0, 0, 0));
	TRY(remap(NULL, PAGE, 0, 0, 0));
	TRY(remap(p + 2 * PAGE, 2 * PAGE, 0, 4, 0));
	TRY(remap(p, 8 * PAGE, 0, 0, 0));
	NEED(!mprotect(p + 3 * PAGE, PAGE, PROT_READ));
	TRY(remap(p, 8 * PAGE, 0, 0, 0));
	TRY(remap(p, 3 * PAGE, 0, 0, 0));
	NEED(!munmap(p + 3 * PAGE, PAGE));
	TRY(remap(p + 2 * PAGE, 2 * PAGE, 0, 0, 0));
	TRY(remap(p + 3 * PAGE, PAGE, 0, 0, 0));
	TRY(remap(p + 4 * PAGE, 4 * PAGE, 0, 0, 0));
	TRY(remap(p + 4 * PAGE, 5 * PAGE, 0, 0, 0));
}
