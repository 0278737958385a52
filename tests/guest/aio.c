/* io_setup(2) and its relatives, by system calls: contexts, requests, events, the
 * ring. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/aio.h"
#include "common/tap.h"

static int new_file(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0);
	return fd;
}

/* ---- contexts ---- */

static void setup_and_destroy(void)
{
	aio_context_t c = 0, d;
	CHECK_ERR(io_setup(0, &c), EINVAL);
	CHECK_ERR(io_setup(1, NULL), EFAULT);
	d = 1;
	CHECK_ERR(io_setup(1, &d), EINVAL);
	CHECK_ERR(io_setup(UINT32_MAX, &c), EINVAL);
	CHECK_ERR(io_setup(0x80000000u, &c), EAGAIN);
	CHECK_ERR(io_setup(1000000, &c), EAGAIN);
	c = aio_new(1);
	d = aio_new(1);
	CHECK(c != d);
	CHECK(!io_destroy(c));
	CHECK_ERR(io_destroy(c), EINVAL);
	CHECK_ERR(io_destroy(0), EINVAL);
	CHECK_ERR(io_submit(c, 0, NULL), EINVAL);
	CHECK_ERR(io_getevents(c, 0, 0, NULL, NULL), EINVAL);
	CHECK_EQ(io_submit(d, 0, NULL), 0);
	CHECK(!io_destroy(d));
}

static long aio_nr(void)
{
	char b[32] = "";
	int fd = open("/proc/sys/fs/aio-nr", O_RDONLY);
	CHECK(fd >= 0 && read(fd, b, 31) > 0 && !close(fd));
	return atol(b);
}

static void contexts_are_counted(void)
{
	tap_needs_mayfly(); /* others may have some */
	long before = aio_nr();
	aio_context_t c = aio_new(100);
	CHECK_EQ(aio_nr(), before + 100);
	pid_t pid = fork();
	if (!pid) {
		aio_context_t own = 0;
		_exit(io_setup(7, &own) || aio_nr() != before + 107);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK_EQ(aio_nr(), before + 100);
	CHECK(!io_destroy(c));
	CHECK_EQ(aio_nr(), before);
}

static void a_child_has_none(void)
{
	aio_context_t c = aio_new(4);
	pid_t pid = fork();
	if (!pid) {
		struct timespec now = { 0, 0 };
		struct io_event e;
		errno = 0;
		_exit(io_getevents(c, 0, 1, &e, &now) != -1 || errno != EINVAL ||
		      io_destroy(c) != -1 || errno != EINVAL);
	}
	CHECK_EQ(tap_wait(pid), 0);
	CHECK(!io_destroy(c));
}

static void the_ring_is_as_libaio_reads_it(void)
{
	aio_context_t c = aio_new(1), d = aio_new(1000);
	const struct aio_ring *r = (void *)c, *s = (void *)d;
	CHECK(r->magic == 0xa10a10a1 && r->compat_features == 1);
	CHECK(!r->incompat_features && r->header_length == sizeof *r);
	CHECK(r->nr >= 2 && s->nr >= 2000 && r->id != s->id);
	CHECK(!r->head && !r->tail);
	char line[512];
	bool found = false;
	FILE *f = fopen("/proc/self/maps", "r");
	CHECK(f);
	while (fgets(line, sizeof line, f))
		if (strtoull(line, NULL, 16) == c)
			found = strstr(line, " rw-s 00000000 ") &&
				strstr(line, " /[aio] (deleted)\n");
	CHECK(found && !fclose(f));
	int fd = new_file();
	struct iocb cb = aio_of(IOCB_CMD_PWRITE, fd, "abc", 3, 0);
	struct iocb *p = &cb;
	cb.aio_data = 77;
	CHECK_EQ(io_submit(c, 1, &p), 1);
	const volatile struct aio_ring *v = r;
	CHECK(!v->head && v->tail == 1);
	const struct io_event *e = (const void *)(r + 1);
	CHECK(e->data == 77 && e->obj == (uintptr_t)&cb && e->res == 3 && !e->res2);
	/* Read here instead of by a call. */
	((volatile struct aio_ring *)c)->head = 1;
	struct timespec now = { 0, 0 };
	struct io_event got;
	CHECK_EQ(io_getevents(c, 0, 1, &got, &now), 0);
	CHECK(!io_destroy(c));
	CHECK_ERR(mincore((void *)c, 1, (unsigned char *)line), ENOMEM);
}

/* ---- transfers ---- */

static void reads_and_writes(void)
{
	aio_context_t c = aio_new(8);
	int fd = new_file();
	char b[16] = "";
	struct iovec v[2] = { { b, 2 }, { b + 8, 3 } };
	struct iocb cb = aio_of(IOCB_CMD_PWRITE, fd, "0123456789", 10, 0);
	cb.aio_data = 0x123456789abcdef0;
	cb.aio_key = 99;
	CHECK_EQ(aio_done_by(c, &cb), 10);
	CHECK_EQ(cb.aio_key, 0);
	cb = aio_of(IOCB_CMD_PREAD, fd, b, 4, 3);
	CHECK_EQ(aio_done_by(c, &cb), 4);
	CHECK(!strcmp(b, "3456"));
	cb = aio_of(IOCB_CMD_PREADV, fd, v, 2, 1);
	CHECK_EQ(aio_done_by(c, &cb), 5);
	CHECK(!memcmp(b, "12", 2) && !memcmp(b + 8, "345", 3));
	cb = aio_of(IOCB_CMD_PWRITEV, fd, v, 2, 20);
	CHECK_EQ(aio_done_by(c, &cb), 5);
	CHECK_EQ(lseek(fd, 0, SEEK_END), 25);
	cb = aio_of(IOCB_CMD_PREAD, fd, b, 4, 25);
	CHECK_EQ(aio_done_by(c, &cb), 0);
	cb = aio_of(IOCB_CMD_PREAD, fd, b, 0, 0);
	CHECK_EQ(aio_done_by(c, &cb), 0);
	cb = aio_of(IOCB_CMD_PREADV, fd, v, 0, 0);
	CHECK_EQ(aio_done_by(c, &cb), 0);
	cb = aio_of(IOCB_CMD_FSYNC, fd, NULL, 0, 0);
	CHECK_EQ(aio_done_by(c, &cb), 0);
	cb = aio_of(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
	CHECK_EQ(aio_done_by(c, &cb), 0);
	/* Nobody's position moved. */
	CHECK(!lseek(fd, 0, SEEK_SET) && read(fd, b, 1) == 1 && b[0] == '0');
}

static void appending(void)
{
	aio_context_t c = aio_new(8);
	int fd = new_file(), end = open("f", O_WRONLY | O_APPEND);
	char b[16] = "";
	CHECK(pwrite(fd, "abc", 3, 0) == 3);
	struct iocb cb = aio_of(IOCB_CMD_PWRITE, end, "d", 1, 0);
	CHECK_EQ(aio_done_by(c, &cb), 1);
	cb = aio_of(IOCB_CMD_PWRITE, fd, "e", 1, 0);
	cb.aio_rw_flags = 0x10; /* RWF_APPEND */
	CHECK_EQ(aio_done_by(c, &cb), 1);
	CHECK_EQ(pread(fd, b, 16, 0), 5);
	CHECK(!strcmp(b, "abcde"));
}

/* What is wrong with the memory, or with the file's size, is the event's to tell. */
static void failures_in_events(void)
{
	aio_context_t c = aio_new(8);
	int fd = new_file();
	CHECK(pwrite(fd, "abc", 3, 0) == 3);
	struct iocb cb = aio_of(IOCB_CMD_PREAD, fd, (void *)8, 4, 0);
	CHECK_EQ(aio_done_by(c, &cb), -EFAULT);
	cb = aio_of(IOCB_CMD_PWRITE, fd, (void *)8, 4, 0);
	CHECK_EQ(aio_done_by(c, &cb), -EFAULT);
	struct rlimit lim = { 3, RLIM_INFINITY };
	signal(SIGXFSZ, SIG_IGN);
	CHECK(!setrlimit(RLIMIT_FSIZE, &lim));
	cb = aio_of(IOCB_CMD_PWRITE, fd, "x", 1, 3);
	CHECK_EQ(aio_done_by(c, &cb), -EFBIG);
	int p[2];
	char b[4] = "";
	CHECK(!pipe2(p, O_NONBLOCK));
	cb = aio_of(IOCB_CMD_PREAD, p[0], b, 4, 0);
	CHECK_EQ(aio_done_by(c, &cb), -EAGAIN);
	CHECK(write(p[1], "hi", 2) == 2);
	CHECK_EQ(aio_done_by(c, &cb), 2);
	CHECK(!strcmp(b, "hi"));
}

static void refusals(void)
{
	aio_context_t c = aio_new(8);
	int fd = new_file(), r = open("f", O_RDONLY), w = open("f", O_WRONLY);
	int dir = open(".", O_RDONLY), path = open("f", O_PATH);
	char b[16] = "";
	struct iocb cb, *p = &cb;
	struct io_event e[8];
	struct timespec now = { 0, 0 };
	const struct {
		struct iocb cb;
		int err;
	} rows[] = {
		{ aio_of(IOCB_CMD_PREAD, 99, b, 4, 0), EBADF },
		{ aio_of(IOCB_CMD_PREAD, path, b, 4, 0), EBADF },
		{ aio_of(IOCB_CMD_PREAD, w, b, 4, 0), EBADF },
		{ aio_of(IOCB_CMD_PWRITE, r, b, 4, 0), EBADF },
		{ aio_of(IOCB_CMD_PREAD, dir, b, 4, 0), EINVAL },
		{ aio_of(IOCB_CMD_PREAD, fd, b, 4, -1), EINVAL },
		{ aio_of(IOCB_CMD_PREAD, fd, b, -1ul, 0), EINVAL },
		{ aio_of(IOCB_CMD_PREAD, fd, (void *)-4096ul, 4, 0), EFAULT },
		{ aio_of(IOCB_CMD_PREADV, fd, (void *)8, 1, 0), EFAULT },
		{ aio_of(IOCB_CMD_PREADV, fd, b, 1025, 0), EINVAL },
		{ aio_of(IOCB_CMD_FSYNC, fd, b, 0, 0), EINVAL },
		{ aio_of(IOCB_CMD_FSYNC, fd, NULL, 1, 0), EINVAL },
		{ aio_of(IOCB_CMD_FSYNC, fd, NULL, 0, 1), EINVAL },
		{ aio_of(4, fd, b, 4, 0), EINVAL },
		{ aio_of(IOCB_CMD_NOOP, fd, b, 4, 0), EINVAL },
		{ aio_of(9, fd, b, 4, 0), EINVAL },
		{ aio_of(0xffff, fd, b, 4, 0), EINVAL },
		{ aio_of(IOCB_CMD_POLL, fd, (void *)0x10001, 0, 0), EINVAL },
		{ aio_of(IOCB_CMD_POLL, fd, (void *)POLLIN, 1, 0), EINVAL },
		{ aio_of(IOCB_CMD_POLL, fd, (void *)POLLIN, 0, 1), EINVAL },
		{ aio_of(IOCB_CMD_POLL, fd, (void *)POLLPRI, 0, 0), EINVAL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cb = rows[i].cb;
		errno = 0;
		tap_checked();
		if (io_submit(c, 1, &p) != -1 || errno != rows[i].err)
			tap_fail(__FILE__, __LINE__, "row %zu: errno %d", i, errno);
	}
	/* None of them took a place. */
	CHECK_EQ(io_getevents(c, 0, 8, e, &now), 0);
	cb = aio_of(IOCB_CMD_PREAD, fd, b, 4, 0);
	CHECK_EQ(aio_done_by(c, &cb), 0);
}

static void refusals_of_the_form(void)
{
	aio_context_t c = aio_new(8);
	int fd = new_file();
	char b[16] = "";
	struct iocb cb = aio_of(IOCB_CMD_PREAD, fd, b, 4, 0), *p = &cb;
	struct iocb *bad[2] = { &cb, (void *)8 };
	CHECK_ERR(io_submit(c, -1, &p), EINVAL);
	CHECK_ERR(io_submit(c, 1, (void *)8), EFAULT);
	CHECK_ERR(io_submit(c, 1, bad + 1), EFAULT);
	CHECK_ERR(io_submit(c + 4096, 1, &p), EINVAL);
	CHECK_EQ(io_submit(c, 2, bad), 1);
	cb.aio_reserved2 = 1;
	CHECK_ERR(io_submit(c, 1, &p), EINVAL);
	cb.aio_reserved2 = 0;
	cb.aio_rw_flags = 0x40000000;
	CHECK_ERR(io_submit(c, 1, &p), EOPNOTSUPP);
	cb.aio_rw_flags = 0;
	cb.aio_flags = IOCB_FLAG_IOPRIO;
	cb.aio_reqprio = (int16_t)(4 << 13);
	CHECK_ERR(io_submit(c, 1, &p), EINVAL);
	cb.aio_reqprio = 2 << 13 | 4;
	CHECK_EQ(io_submit(c, 1, &p), 1);
	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = 99;
	CHECK_ERR(io_submit(c, 1, &p), EBADF);
	cb.aio_resfd = fd;
	CHECK_ERR(io_submit(c, 1, &p), EINVAL);
	struct iocb *ro = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*ro = aio_of(IOCB_CMD_PREAD, fd, b, 4, 0);
	CHECK(!mprotect(ro, 4096, PROT_READ));
	CHECK_ERR(io_submit(c, 1, &ro), EFAULT);
	CHECK(!mprotect(ro, 4096, PROT_READ | PROT_WRITE));
	CHECK_EQ(io_submit(c, 1, &ro), 1);
	/* None of the refused ones took a place. */
	struct io_event e[8];
	struct timespec now = { 0, 0 };
	CHECK_EQ(io_getevents(c, 0, 8, e, &now), 3);
}

static void slots_run_out(void)
{
	aio_context_t c = aio_new(1);
	unsigned size = ((struct aio_ring *)c)->nr;
	int fd = new_file();
	struct iocb cb = aio_of(IOCB_CMD_FSYNC, fd, NULL, 0, 0), *p = &cb;
	unsigned n = 0;
	for (; n < size && io_submit(c, 1, &p) == 1; n++)
		;
	CHECK_EQ(errno, EAGAIN);
	CHECK(n >= 1 && n < size);
	struct io_event *e = calloc(size, sizeof *e);
	CHECK_EQ(io_getevents(c, n, size, e, NULL), n);
	CHECK_EQ(io_submit(c, 1, &p), 1);
	/* All the way round, a few at a time. */
	for (unsigned i = 0; i < 3 * size; i++) {
		CHECK_EQ(io_submit(c, 1, &p), 1);
		CHECK_EQ(io_getevents(c, 1, 1, e, NULL), 1);
	}
	free(e);
}

static void eventfd_is_told(void)
{
	aio_context_t c = aio_new(8);
	int fd = new_file(), ev = eventfd(0, EFD_NONBLOCK);
	uint64_t count;
	struct iocb cb = aio_of(IOCB_CMD_PWRITE, fd, "a", 1, 0), *p = &cb;
	cb.aio_flags = IOCB_FLAG_RESFD;
	cb.aio_resfd = ev;
	CHECK_EQ(read(ev, &count, 8), -1);
	CHECK(io_submit(c, 1, &p) == 1 && io_submit(c, 1, &p) == 1);
	CHECK(read(ev, &count, 8) == 8 && count == 2);
	cb.aio_fildes = 99;
	CHECK_ERR(io_submit(c, 1, &p), EBADF);
	CHECK_EQ(read(ev, &count, 8), -1);
}

/* ---- waiting ---- */

static void on_signal(int sig)
{
}

static void waiting_ends(void)
{
	aio_context_t c = aio_new(8);
	struct io_event e[4];
	struct timespec t = { 0, 20000000 }, from, to, negative = { -1, 0 };
	CHECK_ERR(io_getevents(c, 2, 1, e, NULL), EINVAL);
	CHECK_ERR(io_getevents(c, -1, 1, e, NULL), EINVAL);
	CHECK_ERR(io_getevents(c, 0, 1, e, (void *)8), EFAULT);
	CHECK_EQ(io_getevents(c, 0, 1, e, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &from);
	CHECK_EQ(io_getevents(c, 1, 1, e, &t), 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	CHECK((to.tv_sec - from.tv_sec) * 1000000000l + to.tv_nsec - from.tv_nsec >=
	      20000000);
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	CHECK(!sigaction(SIGALRM, &act, NULL));
	ualarm(20000, 20000);
	CHECK_ERR(io_getevents(c, 1, 1, e, NULL), EINTR);
	/* What is over before it begins never comes. */
	CHECK_ERR(io_getevents(c, 1, 1, e, &negative), EINTR);
	/* What is there counts. */
	int fd = new_file();
	struct iocb cb = aio_of(IOCB_CMD_PWRITE, fd, "a", 1, 0), *p = &cb;
	CHECK_EQ(io_submit(c, 1, &p), 1);
	CHECK_EQ(io_getevents(c, 2, 4, e, NULL), 1);
	ualarm(0, 0);
	CHECK_EQ(io_submit(c, 1, &p), 1);
	CHECK_EQ(io_getevents(c, 2, 4, e, &t), 1);
	/* A fault leaves them there. */
	CHECK_EQ(io_submit(c, 1, &p), 1);
	CHECK_ERR(io_getevents(c, 1, 1, (void *)8, NULL), EFAULT);
	CHECK_EQ(io_getevents(c, 1, 1, e, NULL), 1);
}

static void waiting_with_a_mask(void)
{
	aio_context_t c = aio_new(8);
	struct io_event e;
	struct timespec t = { 0, 20000000 };
	sigset_t alarm_only, none;
	struct {
		const sigset_t *set;
		size_t size;
	} arg = { &none, 8 }, wrong = { &none, 4 }, nothing = { NULL, 4 };
	sigemptyset(&none);
	sigemptyset(&alarm_only);
	sigaddset(&alarm_only, SIGALRM);
	signal(SIGALRM, on_signal);
	CHECK(!sigprocmask(SIG_BLOCK, &alarm_only, NULL));
	CHECK_ERR(io_pgetevents(c, 0, 1, &e, &t, &wrong), EINVAL);
	CHECK_ERR(io_pgetevents(c, 0, 1, &e, &t, (void *)8), EFAULT);
	CHECK_EQ(io_pgetevents(c, 1, 1, &e, &t, &nothing), 0);
	CHECK(!raise(SIGALRM));
	CHECK_EQ(io_getevents(c, 1, 1, &e, &t), 0);
	CHECK_ERR(io_pgetevents(c, 1, 1, &e, NULL, &arg), EINTR);
	CHECK_EQ(io_pgetevents(c, 1, 1, &e, &t, &arg), 0);
	CHECK(!sigprocmask(SIG_BLOCK, NULL, &none) && sigismember(&none, SIGALRM) == 1);
}

TEST_MAIN(CASE(setup_and_destroy), CASE(contexts_are_counted), CASE(a_child_has_none),
	  CASE(the_ring_is_as_libaio_reads_it), CASE(reads_and_writes), CASE(appending),
	  CASE(failures_in_events), CASE(refusals), CASE(refusals_of_the_form),
	  CASE(slots_run_out), CASE(eventfd_is_told), CASE(waiting_ends),
	  CASE(waiting_with_a_mask))
