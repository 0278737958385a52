/* The calls that change, move and describe areas of memory, with their errors: mremap(2),
 * madvise(2), mlock(2), msync(2), mincore(2), stacks that grow. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#define PAGE 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
/* Newer than some libcs. */
#define ADV_WIPEONFORK 18
#define ADV_KEEPONFORK 19
#define ADV_COLD 20
#define ADV_PAGEOUT 21
#define ADV_POPULATE_READ 22
#define ADV_POPULATE_WRITE 23
#define REMAP_DONTUNMAP 4

static char *map(size_t pages, int prot, int flags)
{
	char *p = mmap(NULL, pages * PAGE, prot, flags, -1, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

static char *filled(size_t pages)
{
	char *p = map(pages, RW, PRIVATE);
	for (size_t i = 0; i < pages; i++)
		p[i * PAGE] = (char)(i + 1);
	return p;
}

static char *file_map(size_t pages, int flags, int *ret_fd)
{
	tap_tmpdir();
	*ret_fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(*ret_fd >= 0 && !ftruncate(*ret_fd, (off_t)(pages * PAGE)));
	char *p = mmap(NULL, pages * PAGE, RW, flags, *ret_fd, 0);
	CHECK(p != MAP_FAILED);
	return p;
}

/* ---- mremap ---- */

static void remap_errors(void)
{
	char *p = filled(4);
	CHECK(!munmap(p + 2 * PAGE, PAGE));
	CHECK_ERR(mremap(p + 1, PAGE, PAGE, 0), EINVAL);
	CHECK_ERR(mremap(p, PAGE, 0, 0), EINVAL);
	CHECK_ERR(mremap(p, PAGE, PAGE, 8), EINVAL);
	CHECK_ERR(mremap(p, PAGE, PAGE, MREMAP_FIXED, p), EINVAL);
	CHECK_ERR(mremap(p, PAGE, 2 * PAGE, MREMAP_MAYMOVE | REMAP_DONTUNMAP, NULL),
		  EINVAL);
	CHECK_ERR(mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE),
		  EINVAL); /* overlaps */
	CHECK_ERR(mremap(p + 2 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERR(mremap(p, 4 * PAGE, 5 * PAGE, MREMAP_MAYMOVE), EFAULT); /* a hole */
	CHECK_ERR(mremap(p, 0, PAGE, MREMAP_MAYMOVE), EINVAL);		  /* private */
	CHECK_EQ(p[PAGE], 2);
}

static void remap_does_not_move_unasked(void)
{
	char *p = filled(4);
	CHECK_ERR(mremap(p, PAGE, 2 * PAGE, 0), ENOMEM);
	CHECK(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	unsigned char vec;
	CHECK_ERR(mincore(p + 2 * PAGE, PAGE, &vec), ENOMEM);
	CHECK_EQ(p[PAGE], 2);
}

static void remap_to_a_place(void)
{
	char *p = filled(4), *to = filled(8);
	CHECK(mremap(p, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE) ==
	      to + PAGE);
	CHECK(to[0] == 1 && to[PAGE] == 1 && to[2 * PAGE] == 2 && to[3 * PAGE] == 4);
	unsigned char vec;
	CHECK_ERR(mincore(p, PAGE, &vec), ENOMEM);
	CHECK_ERR(mincore(p + 3 * PAGE, PAGE, &vec), ENOMEM);
}

static void remap_leaving_the_old_place(void)
{
	char *p = filled(2);
	char *q = mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | REMAP_DONTUNMAP, NULL);
	CHECK(q != MAP_FAILED && q != p);
	CHECK(q[0] == 1 && q[PAGE] == 2);
	CHECK(p[0] == 0 && p[PAGE] == 0);
	p[0] = 9;
	CHECK_EQ(q[0], 1);
}

static void remap_doubles_shared_memory(void)
{
	char *p = map(2, RW, MAP_SHARED | MAP_ANONYMOUS);
	p[PAGE] = 5;
	char *q = mremap(p, 0, 2 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && q != p);
	CHECK_EQ(q[PAGE], 5);
	q[PAGE] = 6;
	CHECK_EQ(p[PAGE], 6);
}

static void remap_keeps_private_copies_of_a_file(void)
{
	int fd;
	char *p = file_map(4, MAP_PRIVATE, &fd);
	p[PAGE] = 'c';
	char *q = mremap(p, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED);
	CHECK_EQ(q[PAGE], 'c');
	CHECK(pwrite(fd, "xy", 2, PAGE) == 2 && pwrite(fd, "z", 1, 0) == 1);
	CHECK(q[PAGE] == 'c' && q[0] == 'z');
	/* Not the file's any more, so truncation takes the copies along. */
	CHECK(!ftruncate(fd, 0) && !ftruncate(fd, 4 * PAGE));
	CHECK_EQ(q[PAGE], 0);
}

/* ---- protection ---- */

static void forbidden_pages_keep_their_bytes(void)
{
	char *p = filled(8);
	CHECK(!mprotect(p + PAGE, 4 * PAGE, PROT_NONE));
	int fd[2];
	CHECK(!pipe(fd));
	CHECK_ERR(write(fd[1], p + PAGE, 1), EFAULT);
	CHECK_EQ(write(fd[1], p, 1), 1);
	pid_t pid = fork();
	if (!pid)
		_exit(mprotect(p + PAGE, PAGE, PROT_READ) || p[PAGE] != 2);
	CHECK_EQ(tap_wait(pid), 0);
	char *q = mremap(p + 2 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	CHECK(q != MAP_FAILED && !mprotect(q, PAGE, PROT_READ));
	CHECK_EQ(q[0], 3);
	CHECK(!mprotect(p, 2 * PAGE, RW));
	CHECK_EQ(p[PAGE], 2);
}

static void file_rights_limit_protection(void)
{
	int fd;
	char *p = file_map(1, MAP_SHARED, &fd);
	CHECK(!munmap(p, PAGE));
	int ro = open("f", O_RDONLY);
	CHECK_ERR(mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0), EACCES);
	p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERR(mprotect(p, PAGE, RW), EACCES);
	p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 0);
	CHECK(p != MAP_FAILED && !mprotect(p, PAGE, RW));
	p[0] = 1;
	char c = 9;
	CHECK(pread(ro, &c, 1, 0) == 1 && c == 0);
}

/* ---- madvise ---- */

static void advice_errors(void)
{
	int fd;
	char *p = filled(4), *f = file_map(2, MAP_SHARED, &fd);
	CHECK_ERR(madvise(p, PAGE, 1234), EINVAL);
	CHECK_ERR(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	CHECK(!madvise(p, 0, MADV_DONTNEED));
	CHECK_ERR(madvise(f, PAGE, MADV_FREE), EINVAL);
	CHECK_ERR(madvise(f, PAGE, ADV_WIPEONFORK), EINVAL);
	CHECK(!munmap(p + PAGE, PAGE));
	CHECK_ERR(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM); /* and yet it did */
	CHECK(p[0] == 0 && p[2 * PAGE] == 0);
	CHECK_ERR(madvise(p, 4 * PAGE, ADV_POPULATE_READ), ENOMEM);
	CHECK(!madvise(f, 2 * PAGE, MADV_DONTNEED));
	CHECK(!madvise(f, 2 * PAGE, MADV_WILLNEED) && !madvise(f, PAGE, MADV_RANDOM) &&
	      !madvise(f, PAGE, MADV_SEQUENTIAL) && !madvise(f, PAGE, MADV_NORMAL));
	CHECK(!madvise(p, PAGE, ADV_COLD) && !madvise(p, PAGE, ADV_PAGEOUT));
}

static void locked_pages_are_not_dropped(void)
{
	char *p = filled(1);
	CHECK(!mlock(p, PAGE));
	CHECK_ERR(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_EQ(p[0], 1);
	CHECK(!munlock(p, PAGE) && !madvise(p, PAGE, MADV_DONTNEED));
	CHECK_EQ(p[0], 0);
}

static void freed_pages_may_be_written_again(void)
{
	char *p = filled(2);
	CHECK(!madvise(p, 2 * PAGE, MADV_FREE));
	p[0] = 7;
	CHECK_EQ(p[0], 7);
	CHECK(p[PAGE] == 2 || p[PAGE] == 0);
}

static void dropping_shared_memory_keeps_it(void)
{
	char *p = map(1, RW, MAP_SHARED | MAP_ANONYMOUS);
	p[0] = 3;
	CHECK(!madvise(p, PAGE, MADV_DONTNEED));
	CHECK_EQ(p[0], 3);
}

static void populating_makes_pages_present(void)
{
	unsigned char vec[4];
	char *p = map(4, RW, PRIVATE);
	CHECK(!madvise(p + PAGE, 2 * PAGE, ADV_POPULATE_WRITE));
	CHECK(!mincore(p, 4 * PAGE, vec));
	CHECK(!(vec[0] & 1) && vec[1] & 1 && vec[2] & 1 && !(vec[3] & 1));
	p = mmap(NULL, 4 * PAGE, RW, PRIVATE | MAP_POPULATE, -1, 0);
	CHECK(p != MAP_FAILED && !mincore(p, 4 * PAGE, vec));
	CHECK(vec[0] & vec[1] & vec[2] & vec[3] & 1);
	p = map(1, PROT_READ, PRIVATE);
	CHECK_ERR(madvise(p, PAGE, ADV_POPULATE_WRITE), EINVAL);
}

static void what_a_child_inherits(void)
{
	char *wiped = filled(1), *kept = filled(1), *gone = filled(1);
	CHECK(!madvise(wiped, PAGE, ADV_WIPEONFORK));
	CHECK(!madvise(kept, PAGE, ADV_WIPEONFORK) &&
	      !madvise(kept, PAGE, ADV_KEEPONFORK));
	CHECK(!madvise(gone, PAGE, MADV_DONTFORK));
	pid_t pid = fork();
	if (!pid) {
		unsigned char vec;
		bool ok = wiped[0] == 0 && kept[0] == 1 && mincore(gone, PAGE, &vec) &&
			  errno == ENOMEM;
		_exit(!ok);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(wiped[0] == 1 && gone[0] == 1);
}

/* ---- mlock, msync, mincore ---- */

static void lock_limits(void)
{
	char *p = map(8, RW, PRIVATE);
	struct rlimit lim = { 4 * PAGE, 4 * PAGE };
	CHECK(!munmap(p + 6 * PAGE, PAGE));
	CHECK_ERR(mlock(p, 8 * PAGE), ENOMEM); /* a hole */
	CHECK(!munlockall());		       /* Linux locks up to it */
	CHECK_ERR(mlockall(64), EINVAL);
	CHECK_ERR(mlockall(0), EINVAL);
	CHECK(!setrlimit(RLIMIT_MEMLOCK, &lim));
	if (!geteuid() && setresuid(65534, 65534, 65534)) /* sheds CAP_IPC_LOCK */
		tap_skip("cannot become nobody");
	CHECK_ERR(mlock(p, 5 * PAGE), ENOMEM);
	CHECK(!mlock(p, 4 * PAGE));
	CHECK(!mlock(p + 10, PAGE)); /* locked already: costs nothing */
	CHECK_ERR(mlock(p + 4 * PAGE, PAGE), ENOMEM);
	CHECK(!munlock(p, PAGE) && !mlock(p + 4 * PAGE, PAGE));
	CHECK_ERR(mmap(NULL, PAGE, RW, PRIVATE | MAP_LOCKED, -1, 0), EAGAIN);
	CHECK(!munlockall());
}

static void sync_errors(void)
{
	int fd;
	char *p = file_map(4, MAP_SHARED, &fd);
	CHECK(!msync(p, 4 * PAGE, MS_SYNC) && !msync(p, 4 * PAGE, MS_ASYNC));
	CHECK_ERR(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERR(msync(p, PAGE, 64), EINVAL);
	CHECK_ERR(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	CHECK(!munmap(p + PAGE, PAGE));
	CHECK_ERR(msync(p, 4 * PAGE, MS_SYNC), ENOMEM);
	CHECK(!mlock(p, PAGE));
	CHECK_ERR(msync(p, PAGE, MS_INVALIDATE), EBUSY);
}

static void core_errors(void)
{
	unsigned char vec[2];
	char *p = filled(2);
	CHECK_ERR(syscall(SYS_mincore, p + 1, PAGE, vec), EINVAL);
	CHECK_ERR(syscall(SYS_mincore, p, PAGE, (void *)8), EFAULT);
	CHECK(!mincore(p, 2 * PAGE, vec) && vec[0] & vec[1] & 1);
}

/* ---- stacks ---- */

static sigjmp_buf out;

static void leave(int sig)
{
	siglongjmp(out, sig);
}

/* Catches SIGSEGV on a stack of its own. */
static void catch_segv(void)
{
	stack_t alt = { .ss_sp = map(16, RW, PRIVATE), .ss_size = 16 * PAGE };
	struct sigaction act = { .sa_handler = leave, .sa_flags = SA_ONSTACK };
	CHECK(!sigaltstack(&alt, NULL) && !sigaction(SIGSEGV, &act, NULL));
}

static void growing_area_grows_to_its_guard(void)
{
	catch_segv(); /* before there is a hole that its stack could take */
	/* Room of 600 pages; the area at its top may come within 256 of the one below. */
	char *room = map(600, RW, PRIVATE);
	char *low = room, *top = room + 600 * PAGE;
	CHECK(!munmap(low + PAGE, 599 * PAGE));
	char *p = mmap(top - PAGE, PAGE, RW, PRIVATE | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	CHECK(p == top - PAGE);
	volatile char *volatile at = p;
	int sig = sigsetjmp(out, 1);
	if (!sig) {
		for (;;) {
			at -= PAGE;
			*at = 1;
		}
	}
	CHECK_EQ(sig, SIGSEGV);
	CHECK_EQ((at + PAGE - low) / (long)PAGE, 257);
}

static void stack_obeys_its_limit(void)
{
	pid_t pid = fork();
	if (!pid) {
		struct rlimit lim = { 256 * 1024, 256 * 1024 };
		setrlimit(RLIMIT_STACK, &lim);
		char here;
		volatile char *p = &here;
		for (int i = 0; i < 100; i++)
			p[-(long)PAGE * i] = 0; /* 400 KiB */
		_exit(0);
	}
	int status = tap_wait(pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	pid = fork();
	if (!pid) {
		char here;
		volatile char *p = &here;
		for (int i = 0; i < 100; i++)
			p[-(long)PAGE * i] = 0;
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid), 0);
}

/* ---- truncation ---- */

static void truncation_reaches_every_mapping(void)
{
	int fd;
	char *shared = file_map(4, MAP_SHARED, &fd);
	char *private = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	shared[2 * PAGE] = 's';
	private[3 * PAGE] = 'p';
	memset(shared, 'a', 2 * PAGE);
	CHECK(!ftruncate(fd, PAGE + 10) && !ftruncate(fd, 4 * PAGE));
	CHECK(shared[PAGE + 9] == 'a' && shared[PAGE + 10] == 0);
	CHECK(shared[2 * PAGE] == 0 && private[3 * PAGE] == 0);
	struct sigaction act = { .sa_handler = leave };
	CHECK(!sigaction(SIGBUS, &act, NULL) && !ftruncate(fd, PAGE));
	int sig = sigsetjmp(out, 1);
	if (!sig)
		((volatile char *)shared)[PAGE] = 1;
	CHECK_EQ(sig, SIGBUS);
	CHECK_EQ(write(fd, shared + PAGE, 1), -1);
	CHECK_EQ(errno, EFAULT);
}

static void reading_a_file_into_its_own_mapping(void)
{
	int fd;
	char *p = file_map(4, MAP_SHARED, &fd);
	memset(p, 'a', 2 * PAGE);
	CHECK(!madvise(p, 4 * PAGE, MADV_DONTNEED));
	CHECK_EQ(pread(fd, p + 2 * PAGE, 2 * PAGE, 0), 2 * PAGE);
	CHECK(p[2 * PAGE] == 'a' && p[4 * PAGE - 1] == 'a');
	CHECK(!madvise(p, 4 * PAGE, MADV_DONTNEED));
	CHECK_EQ(pwrite(fd, p, 4 * PAGE, 0), 4 * PAGE); /* each page onto itself */
	CHECK(!ftruncate(fd, 8 * PAGE));
	CHECK_EQ(pwrite(fd, p, 4 * PAGE, 4 * PAGE), 4 * PAGE);
}

/* Old and new place touch: one area in the end, and nothing of the other one is used. */
static void remap_next_to_the_old_place(void)
{
	for (int i = 0; i < 50; i++) {
		char *p = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);
		CHECK(p != MAP_FAILED);
		char *old = p + 16 * PAGE, *to = i & 1 ? old + 8 * PAGE : old - 8 * PAGE;
		CHECK(!mprotect(old, 8 * PAGE, PROT_READ | PROT_WRITE));
		memset(old, 7, 8 * PAGE);
		CHECK(mremap(old, 8 * PAGE, 8 * PAGE,
			     MREMAP_MAYMOVE | MREMAP_FIXED | REMAP_DONTUNMAP, to) == to);
		CHECK(to[0] == 7 && to[8 * PAGE - 1] == 7 && old[0] == 0);
		old[PAGE] = 3;
		CHECK_EQ(old[PAGE], 3);
		CHECK(!munmap(p, 64 * PAGE));
	}
}

TEST_MAIN(CASE(remap_errors), CASE(remap_next_to_the_old_place),
	  CASE(remap_does_not_move_unasked), CASE(remap_to_a_place),
	  CASE(remap_leaving_the_old_place), CASE(remap_doubles_shared_memory),
	  CASE(remap_keeps_private_copies_of_a_file),
	  CASE(forbidden_pages_keep_their_bytes), CASE(file_rights_limit_protection),
	  CASE(advice_errors), CASE(locked_pages_are_not_dropped),
	  CASE(freed_pages_may_be_written_again), CASE(dropping_shared_memory_keeps_it),
	  CASE(populating_makes_pages_present), CASE(what_a_child_inherits),
	  CASE(lock_limits), CASE(sync_errors), CASE(core_errors),
	  CASE(growing_area_grows_to_its_guard), CASE(stack_obeys_its_limit),
	  CASE(truncation_reaches_every_mapping),
	  CASE(reading_a_file_into_its_own_mapping))
