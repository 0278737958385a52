/*
 * A plain user's ways to root by descriptors that somebody else opened: handed over a
 * socket, left open across a change of credentials, or opened by the user and given to a
 * set-user-ID program. Who opened a file, and for what, decides in every call that moves
 * bytes; a descriptor gives no more. Each has a twin, the use that it is meant for.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/aio.h"
#include "common/gain.h"
#include "common/sock.h"

#define TEXT "root's own words\n"
#define SIZE (sizeof TEXT - 1)
#define RACE_MS 150

/* A file of root's with the text. */
static void secret_make(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, TEXT, SIZE), (ssize_t)SIZE);
	CHECK_EQ(fchmod(fd, mode), 0);
	close(fd);
}

static void check_untouched(const char *path)
{
	char buf[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(read(fd, buf, sizeof buf - 1), (ssize_t)SIZE);
	CHECK_EQ(strcmp(buf, TEXT), 0);
	close(fd);
}

/* Root's end and the user's; what root opens is sent before the attack begins. */
static int ends[2];

static void send_opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	CHECK_EQ(scm_send_fds(ends[0], "x", &fd, 1), 1);
	close(fd);
}

static int receive(void)
{
	struct scm_received r = scm_receive(ends[1], 0);
	CHECK_EQ(r.n_fds, 1);
	return r.fd[0];
}

static void check_not_reopened(int fd, int flags)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	CHECK_ERR(open(path, flags | O_CLOEXEC), EACCES);
}

/* A pipe with a byte in it. */
static void pipe_filled(int p[2])
{
	CHECK_EQ(pipe2(p, O_CLOEXEC), 0);
	CHECK_EQ(write(p[1], "x", 1), 1);
}

/* Every call that could put a byte into it. */
static void check_not_written(int fd)
{
	aio_context_t c = aio_new(1);
	struct iocb cb = aio_of(IOCB_CMD_PWRITE, fd, "x", 1, 0), *list = &cb;
	struct iovec part = { "x", 1 };
	int p[2], own = open("own", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(own >= 0);
	CHECK_EQ(pwrite(own, "x", 1, 0), 1);
	pipe_filled(p);
	CHECK_ERR(write(fd, "x", 1), EBADF);
	CHECK_ERR(pwrite(fd, "x", 1, 0), EBADF);
	CHECK_ERR(pwritev(fd, &part, 1, 0), EBADF);
	CHECK_ERR(sendfile(fd, own, NULL, 1), EBADF);
	CHECK_ERR(splice(p[0], NULL, fd, NULL, 1, 0), EBADF);
	CHECK_ERR(copy_file_range(own, NULL, fd, NULL, 1, 0), EBADF);
	CHECK_ERR(fallocate(fd, 0, 0, 1), EBADF);
	CHECK_ERR(io_submit(c, 1, &list), EBADF);
	CHECK(ftruncate(fd, 0) == -1 && (errno == EINVAL || errno == EBADF));
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	/* What decides is how it was opened. */
	CHECK_EQ(fcntl(fd, F_SETFL, O_RDWR), 0);
	CHECK_ERR(write(fd, "x", 1), EBADF);
	CHECK_EQ(io_destroy(c), 0);
	close(own);
	close(p[0]);
	close(p[1]);
}

/* Every call that could take a byte out of it. */
static void check_not_read(int fd)
{
	char b;
	aio_context_t c = aio_new(1);
	struct iocb cb = aio_of(IOCB_CMD_PREAD, fd, &b, 1, 0), *list = &cb;
	int p[2], own = open("own", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(own >= 0);
	pipe_filled(p);
	CHECK_ERR(read(fd, &b, 1), EBADF);
	CHECK_ERR(pread(fd, &b, 1, 0), EBADF);
	CHECK_ERR(sendfile(own, fd, NULL, 1), EBADF);
	CHECK_ERR(splice(fd, NULL, p[1], NULL, 1, 0), EBADF);
	CHECK_ERR(copy_file_range(fd, NULL, own, NULL, 1, 0), EBADF);
	CHECK_ERR(io_submit(c, 1, &list), EBADF);
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	CHECK_EQ(io_destroy(c), 0);
	close(own);
	close(p[0]);
	close(p[1]);
}

/* ---- handed over a socket ---- */

static void own_place_make(void)
{
	CHECK_EQ(mkdir("mine", 0777), 0);
	CHECK_EQ(chmod("mine", 0777), 0);
}

static void attack_to_read(void)
{
	char buf[32];
	int fd = receive();
	CHECK_EQ(chdir("mine"), 0);
	CHECK_EQ(pread(fd, buf, sizeof buf, 0), (ssize_t)SIZE); /* what it is for */
	check_not_written(fd);
	check_not_reopened(fd, O_RDONLY);
	check_not_reopened(fd, O_RDWR);
	CHECK_ERR(fchmod(fd, 0777), EPERM);
	CHECK_ERR(fchown(fd, PLAIN, PLAIN), EPERM);
	CHECK_ERR(linkat(fd, "", AT_FDCWD, "linked", AT_EMPTY_PATH), ENOENT);
}

static void what_is_handed_to_read_is_not_written(void)
{
	gain_dir();
	own_place_make();
	secret_make("secret", 0600);
	send_opened("secret", O_RDONLY);
	gain_as_plain(attack_to_read);
	check_untouched("secret");
}

static void attack_to_write(void)
{
	int fd = receive();
	CHECK_EQ(chdir("mine"), 0);
	check_not_read(fd);
	check_not_reopened(fd, O_RDONLY);
	CHECK_EQ(pwrite(fd, "R", 1, 0), 1); /* what it is for */
	CHECK_EQ(pwrite(fd, "r", 1, 0), 1);
}

static void what_is_handed_to_write_is_not_read(void)
{
	gain_dir();
	own_place_make();
	secret_make("secret", 0600);
	send_opened("secret", O_WRONLY);
	gain_as_plain(attack_to_write);
	check_untouched("secret");
}

static void attack_place(void)
{
	struct stat st;
	char b;
	int fd = receive();
	CHECK_EQ(fstat(fd, &st), 0); /* what it is for */
	CHECK_EQ(st.st_size, SIZE);
	CHECK_ERR(read(fd, &b, 1), EBADF);
	CHECK_ERR(write(fd, &b, 1), EBADF);
	CHECK_ERR(sendfile(1, fd, NULL, 1), EBADF);
	CHECK_ERR(syscall(SYS_fchmod, fd, 0777), EBADF); /* musl's goes on */
	CHECK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
	check_not_reopened(fd, O_RDONLY);
}

static void a_place_that_is_handed_is_not_opened(void)
{
	gain_dir();
	secret_make("secret", 0600);
	send_opened("secret", O_PATH);
	gain_as_plain(attack_place);
	check_untouched("secret");
}

static void attack_closed_folder(void)
{
	int fd = receive();
	CHECK_ERR(openat(fd, "open", O_RDONLY), EACCES);
	CHECK_ERR(fchdir(fd), EACCES);
	CHECK_ERR(unlinkat(fd, "open", 0), EACCES);
	CHECK_ERR(faccessat(fd, "open", F_OK, 0), EACCES);
}

static void attack_open_folder(void)
{
	int fd = receive(), file = openat(fd, "open", O_RDONLY);
	CHECK(file >= 0);
	CHECK_EQ(fchdir(fd), 0);
	CHECK_ERR(unlinkat(fd, "open", 0), EACCES);
}

static void a_folder_that_is_handed_is_not_walked(void)
{
	gain_dir();
	CHECK_EQ(mkdir("folder", 0700), 0);
	secret_make("folder/open", 0644);
	send_opened("folder", O_RDONLY | O_DIRECTORY);
	gain_as_plain(attack_closed_folder);
	CHECK_EQ(chmod("folder", 0755), 0); /* the twin */
	send_opened("folder", O_RDONLY | O_DIRECTORY);
	gain_as_plain(attack_open_folder);
}

/* ---- opened before credentials changed ---- */

/* The opener's rights count: root's file stays readable, and no more than that. */
static void attack_after_a_change(void)
{
	char b = 0;
	int fd = open("secret", O_RDONLY | O_CLOEXEC);
	aio_context_t c = aio_new(1);
	struct iocb take = aio_of(IOCB_CMD_PREAD, fd, &b, 1, 0);
	CHECK(fd >= 0);
	gain_become(PLAIN);
	CHECK_EQ(chdir("mine"), 0);
	CHECK_EQ(aio_done_by(c, &take), 1);
	CHECK_EQ(b, TEXT[0]);
	check_not_written(fd);
	CHECK_ERR(open("../secret", O_RDONLY), EACCES);
}

static void what_was_opened_before_a_change_is_no_wider_after(void)
{
	gain_dir();
	own_place_make();
	secret_make("secret", 0600);
	int pid = fork();
	if (!pid) {
		attack_after_a_change();
		_exit(0);
	}
	CHECK_EQ(gain_wait(pid), 0);
	check_untouched("secret");
}

/* ---- given to a set-user-ID program ---- */

/* The victim: descriptor 0 is for reading and 1 for writing, whoever it is. The number of
 * the first call that said otherwise. */
static int uses_what_it_got(int argc, char **argv)
{
	struct iocb put = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_nbytes = 1 }, take = {
		.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = 1, .aio_nbytes = 1
	};
	struct iocb *puts = &put, *takes = &take;
	aio_context_t c = 0;
	char b = 'x';
	int p[2];
	if (argc != 2 || strcmp(argv[1], "--use"))
		return -1;
	put.aio_buf = take.aio_buf = (uintptr_t)&b;
	if (geteuid() || pipe(p) || write(p[1], "x", 1) != 1 || io_setup(1, &c))
		return 90;
	const long results[] = { write(0, "x", 1),
				 pwrite(0, "x", 1, 0),
				 sendfile(0, 0, NULL, 1),
				 splice(p[0], NULL, 0, NULL, 1, 0),
				 copy_file_range(0, NULL, 0, NULL, 1, 0),
				 io_submit(c, 1, &puts),
				 read(1, &b, 1),
				 pread(1, &b, 1, 0),
				 sendfile(1, 1, NULL, 1),
				 splice(1, NULL, p[1], NULL, 1, 0),
				 io_submit(c, 1, &takes) };
	for (size_t i = 0; i < sizeof results / sizeof *results; i++)
		if (results[i] != -1)
			return 10 + (int)i;
	/* The twin: what they are for. */
	return pread(0, &b, 1, 0) == 1 && pwrite(1, &b, 1, 0) == 1 ? 0 : 91;
}

static void attack_by_a_deputy(void)
{
	int pid = fork();
	if (!pid) {
		int from = open("public", O_RDONLY), to = open("inbox", O_WRONLY);
		CHECK(from >= 0 && to >= 0);
		CHECK(dup2(from, 0) == 0 && dup2(to, 1) == 1);
		execl(victim, victim, "--use", NULL);
		_exit(98);
	}
	CHECK_EQ(gain_wait(pid), 0);
}

static void a_deputy_s_root_does_not_widen_what_it_is_given(void)
{
	gain_dir();
	gain_copy("victim", 0, 04755);
	own_place_make();
	secret_make("public", 0644);
	secret_make("inbox", 0622);
	gain_as_plain(attack_by_a_deputy);
	check_untouched("public");
	check_untouched("inbox");
}

/* ---- pages that two have ---- */

static void pipe_full_and_drained(int p[2])
{
	static char page[4096];
	CHECK_EQ(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(p[1], page, sizeof page) > 0)
		continue;
	while (read(p[0], page, sizeof page) > 0)
		continue;
}

/* CVE-2022-0847: what is written after a file's page was put into a pipe went into the
 * file. */
static void attack_page_in_a_pipe(void)
{
	char buf[8] = "";
	int p[2], q[2], fd = open("public", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	for (int way = 0; way < 3; way++) {
		loff_t at = 0;
		off_t from = 0;
		int last;
		pipe_full_and_drained(p);
		pipe_full_and_drained(q);
		if (way == 1)
			CHECK_EQ(sendfile(p[1], fd, &from, 1), 1);
		else
			CHECK_EQ(splice(fd, &at, p[1], NULL, 1, 0), 1);
		if (way == 2)
			CHECK_EQ(tee(p[0], q[1], 1, 0), 1);
		last = way == 2;
		CHECK_EQ(write(last ? q[1] : p[1], "XX", 2), 2);
		CHECK_EQ(read(last ? q[0] : p[0], buf, sizeof buf), 3);
		CHECK_EQ(memcmp(buf, "rXX", 3), 0); /* what it is for */
		for (int i = 0; i < 2; i++) {
			close(p[i]);
			close(q[i]);
		}
	}
}

static void a_file_s_page_in_a_pipe_is_not_written(void)
{
	gain_dir();
	secret_make("public", 0644);
	gain_as_plain(attack_page_in_a_pipe);
	check_untouched("public");
}

/* CVE-2016-5195: a copy that was thrown away while it was written let the write
 * through. */
static char *private;
static _Atomic bool over;

static void *throw_away(void *arg)
{
	while (!over)
		madvise(private, 4096, MADV_DONTNEED);
	return NULL;
}

static void attack_private_copy(void)
{
	pthread_t other;
	struct timespec now, end;
	int fd = open("public", O_RDONLY | O_CLOEXEC),
	    mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	CHECK(fd >= 0 && mem >= 0);
	private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(private != MAP_FAILED);
	CHECK_EQ(pwrite(mem, "X", 1, (off_t)(uintptr_t) private), 1);
	CHECK_EQ(private[0], 'X'); /* what it is for */
	CHECK_EQ(pthread_create(&other, NULL, throw_away, NULL), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += RACE_MS * 1000000L;
	do {
		CHECK_EQ(pwrite(mem, "X", 1, (off_t)(uintptr_t) private), 1);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - end.tv_sec) * 1000000000L + now.tv_nsec < end.tv_nsec);
	over = true;
	CHECK_EQ(pthread_join(other, NULL), 0);
	check_untouched("public");
}

static void a_private_copy_is_not_the_file(void)
{
	gain_dir();
	secret_make("public", 0644);
	gain_as_plain(attack_private_copy);
	check_untouched("public");
}

GAIN_MAIN(uses_what_it_got, CASE(what_is_handed_to_read_is_not_written),
	  CASE(what_is_handed_to_write_is_not_read),
	  CASE(a_place_that_is_handed_is_not_opened),
	  CASE(a_folder_that_is_handed_is_not_walked),
	  CASE(what_was_opened_before_a_change_is_no_wider_after),
	  CASE(a_deputy_s_root_does_not_widen_what_it_is_given),
	  CASE(a_file_s_page_in_a_pipe_is_not_written),
	  CASE(a_private_copy_is_not_the_file))
