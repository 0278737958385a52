/* mmap, munmap, mprotect, mremap, madvise, mincore, msync, mlock, brk. */
#include "diff.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* Says ok or the error: addresses differ from run to run. */
#define MAPS(call) diff_may(#call, (errno = 0, (void *)(call) == MAP_FAILED ? -1 : 0))

static sigjmp_buf back;
static siginfo_t fault;

static void on_fault(int sig, siginfo_t *info, void *frame)
{
	fault = *info;
	siglongjmp(back, sig);
}

/* Touches a byte; says what came of it. */
static void touch(const char *what, volatile char *at, bool write)
{
	struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	int sig = sigsetjmp(back, 1);
	if (!sig) {
		if (write)
			*at = 'w';
		else
			(void)*at;
		say("%s: ok", what);
	} else {
		say("%s: %s code %d, at %s", what, sig_name(sig), fault.si_code,
		    (char *)fault.si_addr == (char *)at ? "the byte" : "elsewhere");
	}
}

static char *pages(int n)
{
	char *m = mmap(NULL, (size_t)n * PAGE, RW, ANON, -1, 0);
	NEED(m != MAP_FAILED);
	return m;
}

static int file_of(size_t n)
{
	int fd = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
	NEED(fd >= 0 && !ftruncate(fd, (off_t)n));
	return fd;
}

DIFF_CASE(mmap_errors)
{
	int fd = file_of(PAGE), r = open("f", O_RDONLY), w = open("f", O_WRONLY), p[2];
	NEED(!pipe(p));
	MAPS(mmap(NULL, 0, RW, ANON, -1, 0));
	MAPS(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	MAPS(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0));
	MAPS(mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0));
	MAPS(syscall(SYS_mmap, NULL, PAGE, RW, MAP_PRIVATE, fd, 1ul));
	MAPS(mmap(NULL, PAGE, RW, MAP_SHARED, r, 0));
	MAPS(mmap(NULL, PAGE, RW, MAP_PRIVATE, r, 0));
	MAPS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, w, 0));
	MAPS(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, w, 0));
	MAPS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0));
	MAPS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, open(".", O_RDONLY), 0));
	MAPS(mmap(NULL, 1ul << 47, PROT_READ, ANON, -1, 0));
	MAPS(mmap(NULL, -PAGE, PROT_READ, ANON, -1, 0));
	MAPS(mmap((void *)(PAGE + 1), PAGE, RW, ANON | MAP_FIXED, -1, 0));
	MAPS(mmap((void *)(1ul << 47), PAGE, RW, ANON | MAP_FIXED, -1, 0));
	MAPS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, (off_t)(1ul << 62)));
	MAPS(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x2000000, fd, 0));
	MAPS(mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0));
	MAPS(mmap(NULL, PAGE, 0x80, ANON, -1, 0));
}

DIFF_CASE(mmap_fixed)
{
	char *m = pages(4);
	m[0] = m[PAGE] = m[2 * PAGE] = 'x';
	SHOW(mmap(m + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0) == m + PAGE);
	SHOW(m[0]);
	SHOW(m[PAGE]);
	SHOW(m[2 * PAGE]);
	MAPS(mmap(m, PAGE, RW, ANON | 0x100000 /* MAP_FIXED_NOREPLACE */, -1, 0));
	NEED(!munmap(m + PAGE, PAGE));
	SHOW(mmap(m + PAGE, PAGE, RW, ANON | 0x100000, -1, 0) == m + PAGE);
	SHOW(mmap(m, PAGE, RW, ANON, -1, 0) == m);
	NEED(!munmap(m + PAGE, PAGE));
	SHOW(mmap(m + PAGE, PAGE, RW, ANON, -1, 0) == m + PAGE);
}

DIFF_CASE(mmap_faults)
{
	char *m = pages(3);
	touch("fresh page", m, true);
	NEED(!mprotect(m, PAGE, PROT_READ));
	touch("read of read-only", m, false);
	touch("write of read-only", m, true);
	NEED(!mprotect(m, PAGE, PROT_NONE));
	touch("read of none", m, false);
	NEED(!munmap(m + PAGE, PAGE));
	touch("read of nothing", m + PAGE, false);
	touch("null", (char *)8, false);
	touch("kernel", (char *)0xffffffff80000000, false);
	NEED(!mprotect(m, PAGE, PROT_WRITE));
	touch("read of write-only", m, false);
}

DIFF_CASE(mmap_not_canonical)
{
	touch("not canonical", (char *)0x8000000000000000, false);
	SHOW(fault.si_addr == NULL);
}

DIFF_CASE(mmap_past_end_of_file)
{
	int fd = file_of(PAGE + 10);
	char *m = mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0);
	touch("last byte of the file", m + PAGE + 9, true);
	touch("rest of the last page", m + PAGE + 100, true);
	touch("page beyond", m + 2 * PAGE, false);
	touch("page beyond, write", m + 2 * PAGE, true);
	NEED(!ftruncate(fd, 3 * PAGE));
	touch("after growth", m + 2 * PAGE, false);
	NEED(!ftruncate(fd, 1));
	touch("after truncation", m + PAGE, false);
	touch("first page", m + 100, false);
	m = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, (off_t)(4 * PAGE));
	touch("private beyond", m, false);
}

DIFF_CASE(mmap_shared_and_private)
{
	int fd = file_of(PAGE);
	char *s = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0), b[4] = "";
	char *p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	s[0] = 'a';
	NEED(pread(fd, b, 1, 0) == 1);
	say("file %c, private %c", b[0], p[0]);
	p[0] = 'p';
	s[0] = 's';
	NEED(pread(fd, b, 1, 0) == 1);
	say("file %c, private %c", b[0], p[0]);
	NEED(pwrite(fd, "w", 1, 0) == 1);
	say("shared %c, private %c", s[0], p[0]);
	NEED(pwrite(fd, "W", 1, 1) == 1);
	say("private, same page: %d", p[1]);
	close(fd);
	s[2] = 'z';
	fd = open("f", O_RDONLY);
	NEED(pread(fd, b, 3, 0) == 3);
	say_bytes("file", b, 3);
}

DIFF_CASE(munmap_corners)
{
	char *m = pages(4);
	TRY(munmap(m + 1, PAGE));
	TRY(munmap(m, 0));
	TRY(munmap(m, -PAGE));
	TRY(munmap((void *)(1ul << 47), PAGE));
	TRY(munmap(m + PAGE, 1));
	touch("hole", m + PAGE, false);
	touch("after the hole", m + 2 * PAGE, false);
	TRY(munmap(m, 4 * PAGE));
	TRY(munmap(m, 4 * PAGE));
}

DIFF_CASE(mprotect_corners)
{
	char *m = pages(4);
	int fd = file_of(PAGE), r = open("f", O_RDONLY);
	TRY(mprotect(m + 1, PAGE, RW));
	TRY(mprotect(m, 0, RW));
	TRY(mprotect(m, PAGE, 0x80));
	TRY(mprotect(m, PAGE, PROT_GROWSUP | PROT_GROWSDOWN));
	NEED(!munmap(m + 2 * PAGE, PAGE));
	TRY(mprotect(m, 4 * PAGE, PROT_READ));
	touch("before the hole", m, true);
	touch("after the hole", m + 3 * PAGE, true);
	char *s = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, r, 0);
	TRY(mprotect(s, PAGE, RW));
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, r, 0);
	TRY(mprotect(p, PAGE, RW));
	TRY(mprotect(m, -PAGE, RW));
	TRY(mprotect((void *)(1ul << 47), PAGE, RW));
	(void)fd;
}

DIFF_CASE(mremap_corners)
{
	char *m = pages(6), *n;
	strcpy(m, "moved");
	MAPS(mremap(m + 1, PAGE, PAGE, 0));
	MAPS(mremap(m, PAGE, 0, 0));
	MAPS(mremap(m, PAGE, PAGE, 8));
	MAPS(mremap(m, PAGE, PAGE, MREMAP_FIXED, m + PAGE));
	SHOW(mremap(m, 6 * PAGE, 4 * PAGE, 0) == m);
	touch("cut off", m + 5 * PAGE, false);
	SHOW(mremap(m, 4 * PAGE, 6 * PAGE, 0) == m);
	MAPS(mremap(m, PAGE, 2 * PAGE, 0));
	n = mremap(m, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	say("%s, %s", n, n == m ? "in place" : "elsewhere");
	touch("old place", m, false);
	char *target = pages(2);
	SHOW(mremap(n, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
	say("%s", target);
	MAPS(mremap(target, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target));
	MAPS(mremap(target, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 1));
	MAPS(mremap((void *)(16 * PAGE), PAGE, PAGE, 0));
	MAPS(mremap(target, 0, PAGE, MREMAP_MAYMOVE));
}

DIFF_CASE(mremap_shared_duplicate)
{
	int fd = file_of(2 * PAGE);
	char *s = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	strcpy(s, "twin");
	char *t = mremap(s, 0, PAGE, MREMAP_MAYMOVE);
	SHOW(t != MAP_FAILED && t != s);
	say("%s", t);
	t[0] = 'T';
	say("%s", s);
	char *u = mremap(s, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	u[PAGE] = '2';
	char b;
	NEED(pread(fd, &b, 1, PAGE) == 1);
	say("%c", b);
}

DIFF_CASE(mremap_dontunmap)
{
	char *m = pages(2);
	strcpy(m, "left");
	char *n = mremap(m, PAGE, PAGE, MREMAP_MAYMOVE | 4, NULL);
	SHOW(n != MAP_FAILED && n != m);
	say("%s", n);
	SHOW(m[0]);
	MAPS(mremap(m, PAGE, 2 * PAGE, MREMAP_MAYMOVE | 4, NULL));
	MAPS(mremap(m, PAGE, PAGE, 4, NULL));
}

DIFF_CASE(madvise_corners)
{
	char *m = pages(4);
	memset(m, 'x', 4 * PAGE);
	TRY(madvise(m, PAGE, MADV_DONTNEED));
	SHOW(m[0]);
	TRY(madvise(m + 1, PAGE, MADV_DONTNEED));
	TRY(madvise(m, 0, MADV_DONTNEED));
	TRY(madvise(m, -PAGE, MADV_DONTNEED));
	TRY(madvise(m, PAGE, 77));
	TRY(madvise(m, PAGE, MADV_WILLNEED));
	TRY(madvise(m, PAGE, MADV_SEQUENTIAL));
	TRY(madvise(m, PAGE, MADV_RANDOM));
	TRY(madvise(m, PAGE, MADV_NORMAL));
	TRY(madvise(m, PAGE, MADV_FREE));
	TRY(madvise(m, PAGE, MADV_HUGEPAGE) && errno != EINVAL);
	TRY(madvise(m, PAGE, MADV_REMOVE));
	NEED(!munmap(m + 2 * PAGE, PAGE));
	TRY(madvise(m, 4 * PAGE, MADV_DONTNEED));
	SHOW(m[3 * PAGE]);
	TRY(madvise(m, 4 * PAGE, MADV_WILLNEED));
	TRY(madvise(m, PAGE, 23 /* MADV_POPULATE_WRITE */));
	TRY(madvise(m, 4 * PAGE, 22 /* MADV_POPULATE_READ */));
	TRY(madvise(m, PAGE, MADV_COLD));
	TRY(madvise(m, PAGE, MADV_PAGEOUT));
}

DIFF_CASE(madvise_populate_takes_rights)
{
	char *w = mmap(NULL, PAGE, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *r = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	TRY(madvise(w, PAGE, 22 /* MADV_POPULATE_READ */));
	TRY(madvise(w, PAGE, 23 /* MADV_POPULATE_WRITE */));
	TRY(madvise(r, PAGE, 22));
	TRY(madvise(r, PAGE, 23));
}

DIFF_CASE(madvise_fork)
{
	char *m = pages(3);
	memset(m, 'x', 3 * PAGE);
	TRY(madvise(m, PAGE, MADV_DONTFORK));
	TRY(madvise(m + PAGE, PAGE, MADV_WIPEONFORK));
	pid_t pid = fork();
	if (!pid) {
		touch("not forked", m, false);
		SHOW(m[PAGE]);
		SHOW(m[2 * PAGE]);
		_exit(0);
	}
	say_status("child", reap(pid));
	TRY(madvise(m, PAGE, MADV_DOFORK));
	TRY(madvise(m + PAGE, PAGE, MADV_KEEPONFORK));
	int fd = file_of(PAGE);
	char *s = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	TRY(madvise(s, PAGE, MADV_WIPEONFORK));
	TRY(madvise(s, PAGE, MADV_FREE));
	s[0] = 'k';
	TRY(madvise(s, PAGE, MADV_DONTNEED));
	SHOW(s[0]);
}

DIFF_CASE(madvise_remove)
{
	int fd = file_of(PAGE);
	char *s = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	s[0] = 'k';
	TRY(madvise(s, PAGE, MADV_REMOVE));
	SHOW(s[0]);
}

DIFF_CASE(mincore_corners)
{
	unsigned char vec[4] = { 9, 9, 9, 9 };
	char *m = pages(4);
	m[0] = m[2 * PAGE] = 'x';
	TRY(mincore(m, 4 * PAGE, vec));
	say("%d %d %d %d", vec[0] & 1, vec[1] & 1, vec[2] & 1, vec[3] & 1);
	TRY(mincore(m + 1, PAGE, vec));
	TRY(mincore(m, 0, vec));
	TRY(mincore(m, PAGE, (void *)8));
	TRY(mincore(m, -PAGE, vec));
	NEED(!munmap(m + PAGE, PAGE));
	TRY(mincore(m, 4 * PAGE, vec));
}

DIFF_CASE(msync_corners)
{
	int fd = file_of(2 * PAGE);
	char *m = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	m[0] = 'x';
	TRY(msync(m, PAGE, MS_SYNC));
	TRY(msync(m, PAGE, MS_ASYNC));
	TRY(msync(m, PAGE, MS_SYNC | MS_ASYNC));
	TRY(msync(m, PAGE, MS_INVALIDATE));
	TRY(msync(m, PAGE, 8));
	TRY(msync(m, PAGE, 0));
	TRY(msync(m + 1, PAGE, MS_SYNC));
	TRY(msync(m, 0, MS_SYNC));
	NEED(!munmap(m + PAGE, PAGE));
	TRY(msync(m, 2 * PAGE, MS_SYNC));
	TRY(msync(m, -PAGE, MS_SYNC));
}

DIFF_CASE(mlock_corners)
{
	char *m = pages(4);
	TRY(mlock(m, 4 * PAGE));
	TRY(munlock(m, PAGE));
	TRY(mlock(m + 1, 1));
	TRY(mlock(m, 0));
	TRY(mlock2(m, PAGE, MLOCK_ONFAULT));
	TRY(mlock2(m, PAGE, 2));
	TRY(mlockall(0));
	TRY(mlockall(8));
	TRY(mlockall(MCL_ONFAULT));
	TRY(munlockall());
	TRY(madvise(m, PAGE, MADV_DONTNEED));
	TRY(mlock(m, PAGE));
	TRY(madvise(m, PAGE, MADV_DONTNEED));
	TRY(msync(m, PAGE, MS_INVALIDATE));
	NEED(!munmap(m + 2 * PAGE, PAGE));
	TRY(mlock(m, 4 * PAGE));
	TRY(munlock(m, 4 * PAGE));
	become_nobody();
	NEED(!setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 2 * PAGE, 2 * PAGE }));
	munlockall();
	TRY(mlock(m, 2 * PAGE));
	TRY(mlock(m + 3 * PAGE, PAGE));
	MAPS(mmap(NULL, PAGE, RW, ANON | MAP_LOCKED, -1, 0));
	NEED(!setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ 0, 0 }));
	TRY(mlock(m, PAGE));
	TRY(munlock(m, PAGE));
	TRY(mlockall(MCL_CURRENT));
}

DIFF_CASE(brk_corners)
{
	long at = syscall(SYS_brk, 0);
	SHOW(syscall(SYS_brk, at + 10000) - at);
	((char *)at)[9999] = 'x';
	SHOW(syscall(SYS_brk, 0) - at);
	SHOW(syscall(SYS_brk, 1) - at);
	SHOW(syscall(SYS_brk, at) - at);
	SHOW(syscall(SYS_brk, at + 10000) - at);
	SHOW(((char *)at)[9999]);
	SHOW(syscall(SYS_brk, at - (1L << 40)) - at);
	SHOW(syscall(SYS_brk, -1L) - at);
	NEED(!setrlimit(RLIMIT_DATA, &(struct rlimit){ 1 << 20, 1 << 20 }));
	SHOW(syscall(SYS_brk, at + (8 << 20)) - at);
	MAPS(mmap(NULL, 8 << 20, RW, ANON, -1, 0));
	MAPS(mmap(NULL, 8 << 20, PROT_READ, ANON, -1, 0));
}

DIFF_CASE(memory_address_space_limit)
{
	NEED(!setrlimit(RLIMIT_AS, &(struct rlimit){ 64 << 20, 64 << 20 }));
	MAPS(mmap(NULL, 128 << 20, PROT_NONE, ANON, -1, 0));
	MAPS(mmap(NULL, 16 << 20, PROT_NONE, ANON, -1, 0));
	char *m = pages(1);
	MAPS(mremap(m, PAGE, 64 << 20, MREMAP_MAYMOVE));
}

static void deep(int n)
{
	volatile char here[PAGE];
	here[0] = (char)n;
	if (n)
		deep(n - 1);
	here[1] = here[0];
}

static int overflows(void)
{
	deep(100000);
	return 0;
}

DIFF_CASE(memory_stack_limit)
{
	NEED(!setrlimit(RLIMIT_STACK, &(struct rlimit){ 1 << 20, 1 << 20 }));
	deep(100);
	say("100 pages are fine");
	say_status("too deep", reap(child_of(overflows)));
}

DIFF_CASE(memory_copy_on_write)
{
	char *m = pages(8);
	memset(m, 'p', 8 * PAGE);
	pid_t pid = fork();
	if (!pid) {
		for (int i = 0; i < 8; i++)
			m[(unsigned long)i * PAGE] = (char)('0' + i);
		SHOW(m[3 * PAGE]);
		SHOW(m[3 * PAGE + 1]);
		_exit(0);
	}
	reap(pid);
	SHOW(m[3 * PAGE]);
	int fd = open("/dev/zero", O_RDONLY);
	pid = fork();
	if (!pid) {
		TRY(read(fd, m, PAGE));
		SHOW(m[10]);
		_exit(0);
	}
	reap(pid);
	SHOW(m[10]);
}

DIFF_CASE(memory_grows_down)
{
	char *m = mmap(NULL, 64 * PAGE, RW, ANON, -1, 0);
	NEED(!munmap(m, 63 * PAGE));
	SHOW(mmap(m + 62 * PAGE, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0) ==
	     m + 62 * PAGE);
	touch("one below", m + 62 * PAGE - 8, true);
	touch("two below", m + 60 * PAGE, true);
	TRY(mprotect(m + 62 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN));
	touch("grown part", m + 61 * PAGE, true);
}
