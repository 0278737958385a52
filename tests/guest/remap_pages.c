/* remap_file_pages(2): the pages of a shared mapping in another order. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#define PAGE 4096ul
#define PAGES 16
#define RW (PROT_READ | PROT_WRITE)

static long remap(char *at, size_t pages, unsigned long page, int flags)
{
	return syscall(SYS_remap_file_pages, at, pages * PAGE, 0, page, flags);
}

/* Page k begins with k + 1. */
static char *numbered(int fd)
{
	char *p = mmap(NULL, PAGES * PAGE, RW, MAP_SHARED | (fd < 0 ? MAP_ANONYMOUS : 0),
		       fd, 0);
	CHECK(p != MAP_FAILED);
	for (size_t i = 0; i < PAGES; i++)
		p[i * PAGE] = (char)(i + 1);
	return p;
}

static int new_file(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0 && !ftruncate(fd, PAGES * PAGE));
	return fd;
}

static void reverses(char *p)
{
	for (size_t i = 0; i < PAGES; i++)
		CHECK(!remap(p + i * PAGE, 1, PAGES - 1 - i, 0));
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(p[i * PAGE], PAGES - i);
	CHECK(!remap(p, PAGES, 0, 0));
	for (size_t i = 0; i < PAGES; i++)
		CHECK_EQ(p[i * PAGE], i + 1);
}

static void pages_of_a_file_turn_round(void)
{
	int fd = new_file();
	char *p = numbered(fd), c;
	reverses(p);
	CHECK(!remap(p, 1, 7, 0) && !remap(p + PAGE, 1, 7, MAP_NONBLOCK));
	p[1] = 'x';
	CHECK(p[0] == 8 && p[PAGE] == 8 && p[PAGE + 1] == 'x');
	CHECK(pread(fd, &c, 1, 7 * PAGE + 1) == 1 && c == 'x');
	/* The file may be closed: the mapping has it. */
	CHECK(!close(fd) && !remap(p + 2 * PAGE, 1, 7, 0));
	CHECK_EQ(p[2 * PAGE + 1], 'x');
}

static void pages_of_shared_memory_turn_round(void)
{
	reverses(numbered(-1));
}

static void pages_of_a_segment_turn_round(void)
{
	int id = shmget(IPC_PRIVATE, PAGES * PAGE, 0600);
	char *p = shmat(id, NULL, 0);
	CHECK(id >= 0 && p != (void *)-1);
	for (size_t i = 0; i < PAGES; i++)
		p[i * PAGE] = (char)(i + 1);
	reverses(p);
	CHECK(!shmctl(id, IPC_RMID, NULL) && !shmdt(p));
}

static void a_child_sees_the_same_order(void)
{
	char *p = numbered(-1);
	CHECK(!remap(p, 1, 5, 0));
	pid_t pid = fork();
	if (!pid) {
		p[1] = 'c';
		_exit(p[0] != 6 || p[5 * PAGE + 1] != 'c');
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(p[5 * PAGE + 1], 'c');
}

static void rights_stay(void)
{
	int fd = new_file(), r = open("f", O_RDONLY);
	numbered(fd);
	/* What cannot become writable does not count as shared. */
	char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, r, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERR(remap(p, 1, 3, 0), EINVAL);
	p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && !remap(p, 1, 3, 0));
	CHECK_EQ(p[0], 4);
	CHECK_ERR(read(fd, p, 1), EFAULT);
	CHECK(!mprotect(p, PAGE, RW));
	CHECK_EQ(pread(fd, p, 1, 0), 1);
}

static sigjmp_buf out;

static void leave(int sig)
{
	siglongjmp(out, sig);
}

static void pages_beyond_the_file_are_a_bus_error(void)
{
	int fd = new_file();
	char *p = numbered(fd);
	struct sigaction act = { .sa_handler = leave };
	CHECK(!sigaction(SIGBUS, &act, NULL) && !remap(p, 1, PAGES, 0));
	int sig = sigsetjmp(out, 1);
	if (!sig)
		((volatile char *)p)[0] = 1;
	CHECK_EQ(sig, SIGBUS);
	/* What a page was mapped as does not keep it: the file decides. */
	CHECK(!ftruncate(fd, (PAGES + 1) * PAGE));
	p[0] = 1;
	CHECK(!remap(p, 1, 3, 0) && p[0] == 4 && !ftruncate(fd, 3 * PAGE));
	sig = sigsetjmp(out, 1);
	if (!sig)
		((volatile char *)p)[0] = 1;
	CHECK_EQ(sig, SIGBUS);
}

/* An index must not wrap to a byte that the file has. */
static void no_page_is_further_than_any_file(void)
{
	char *p = numbered(-1), *f = numbered(new_file());
	for (int bit = 51; bit < 64; bit++) {
		CHECK_ERR(remap(p, 1, 1ul << bit, 0), EOVERFLOW);
		CHECK_ERR(remap(f, 1, (1ul << bit) + 1, 0), EOVERFLOW);
	}
	CHECK(p[0] == 1 && f[0] == 1);
	CHECK(!remap(p, 1, 1, 0) && !remap(f, 1, 1, 0));
	CHECK(p[0] == 2 && f[0] == 2);
}

static void only_shared_mappings_of_one_file(void)
{
	int fd = new_file();
	char *p = numbered(fd);
	char *q = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	CHECK_ERR(remap(q, 1, 1, 0), EINVAL);
	CHECK(mmap(p + PAGE, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	      p + PAGE);
	CHECK_ERR(remap(p, 2, 2, 0), EINVAL);
	CHECK(p[0] == 1 && p[2 * PAGE] == 3);
	CHECK(!remap(p, 1, 2, 0) && p[0] == 3);
	CHECK_ERR(syscall(SYS_remap_file_pages, p, PAGE, PROT_READ, 1, 0), EINVAL);
}

/* F_SEAL_FUTURE_WRITE: what is mapped stays writable, other pages do not become so. */
static void seals_are_asked(void)
{
	int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	CHECK(fd >= 0 && !ftruncate(fd, PAGES * PAGE));
	char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED);
	CHECK(!remap(p, 1, 1, 0));
	CHECK(!fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	CHECK_ERR(remap(p, 1, 2, 0), EPERM);
	*p = 1;
	char c = 0;
	CHECK(pread(fd, &c, 1, PAGE) == 1 && c == 1);
}

TEST_MAIN(CASE(pages_of_a_file_turn_round), CASE(pages_of_shared_memory_turn_round),
	  CASE(pages_of_a_segment_turn_round), CASE(a_child_sees_the_same_order),
	  CASE(rights_stay), CASE(pages_beyond_the_file_are_a_bus_error),
	  CASE(no_page_is_further_than_any_file), CASE(only_shared_mappings_of_one_file),
	  CASE(seals_are_asked))
