/* Pipes and fifos; splice, tee, vmsplice. */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int p[2];
static char big[1 << 17];

static void new_pipe(int flags)
{
	NEED(!pipe2(p, flags));
}

static int revents(int fd)
{
	struct pollfd pf = { fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 };
	poll(&pf, 1, 0);
	return pf.revents;
}

DIFF_CASE(pipe_create)
{
	TRY(syscall(SYS_pipe2, p, O_CLOEXEC | O_NONBLOCK));
	say("%d %d", p[0], p[1]);
	TRY(fcntl(p[0], F_GETFD));
	SHOW_OCTAL(fcntl(p[0], F_GETFL));
	SHOW_OCTAL(fcntl(p[1], F_GETFL));
	TRY(syscall(SYS_pipe2, p, O_APPEND));
	TRY(syscall(SYS_pipe2, 8, 0));
	TRY(syscall(SYS_pipe, 8));
	TRY(dup(0));
	TRY(read(p[1], big, 1));
	TRY(write(p[0], big, 1));
}

DIFF_CASE(pipe_ends)
{
	char b[8];
	new_pipe(0);
	TRY(write(p[1], "abc", 3));
	close(p[1]);
	TRY(read(p[0], b, 8));
	TRY(read(p[0], b, 8));
	new_pipe(0);
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	TRY(write(p[1], "abc", 3));
	TRY(write(p[1], "", 0));
	catch (SIGPIPE, 0);
	TRY(write(p[1], "abc", 3));
	SHOW(caught[SIGPIPE]);
	signal(SIGPIPE, SIG_DFL);
	TRY(write(p[1], "abc", 3));
}

DIFF_CASE(pipe_capacity)
{
	new_pipe(O_NONBLOCK);
	TRY(write(p[1], big, 65536));
	TRY(write(p[1], big, 1));
	TRY(read(p[0], big, 1));
	TRY(write(p[1], big, 1));
	TRY(read(p[0], big, 4095));
	TRY(write(p[1], big, 4096));
	TRY(write(p[1], big, 1));
	TRY(read(p[0], big, 1 << 17));
	TRY(write(p[1], big, 1 << 17));
	TRY(read(p[0], big, 100));
	TRY(write(p[1], big, 5000));
}

DIFF_CASE(pipe_small_writes_fill_pages)
{
	int n = 0, count;
	new_pipe(O_NONBLOCK);
	while (write(p[1], "x", 1) == 1)
		n++;
	say("%d bytes, then %s", n, err_name(errno));
	NEED(!ioctl(p[0], FIONREAD, &count));
	SHOW(count);
	new_pipe(O_NONBLOCK);
	for (n = 0; write(p[1], big, 3000) == 3000; n++)
		;
	say("%d writes of 3000, then %s", n, err_name(errno));
}

DIFF_CASE(pipe_atomic_writes)
{
	new_pipe(O_NONBLOCK);
	TRY(write(p[1], big, 65536 - 100));
	TRY(write(p[1], big, 4096));
	TRY(write(p[1], big, 4097));
	TRY(write(p[1], big, 1));
}

DIFF_CASE(pipe_poll_bits)
{
	new_pipe(O_NONBLOCK);
	say("empty: read 0x%x write 0x%x", revents(p[0]), revents(p[1]));
	NEED(write(p[1], "x", 1) == 1);
	say("some: read 0x%x write 0x%x", revents(p[0]), revents(p[1]));
	NEED(write(p[1], big, 65536) > 0);
	say("full: read 0x%x write 0x%x", revents(p[0]), revents(p[1]));
	close(p[1]);
	say("no writer, data: 0x%x", revents(p[0]));
	NEED(read(p[0], big, sizeof big) > 0);
	say("no writer, no data: 0x%x", revents(p[0]));
	new_pipe(0);
	close(p[0]);
	say("no reader: 0x%x", revents(p[1]));
}

DIFF_CASE(pipe_packets)
{
	char b[8];
	new_pipe(O_DIRECT);
	NEED(write(p[1], "abc", 3) == 3 && write(p[1], "defgh", 5) == 5);
	TRY(read(p[0], b, 8));
	TRY(read(p[0], b, 2));
	TRY(fcntl(p[0], F_SETFL, O_NONBLOCK));
	TRY(read(p[0], b, 8));
	SHOW_OCTAL(fcntl(p[1], F_GETFL));
}

static int blocked_writer(void)
{
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	long n = write(p[1], big, sizeof big);
	return n < 0 ? errno : (int)(n / 4096);
}

DIFF_CASE(pipe_blocked_writer)
{
	new_pipe(0);
	pid_t pid = child_of(blocked_writer);
	close(p[1]);
	wait_asleep(pid);
	long n = 0, got;
	while ((got = read(p[0], big, sizeof big)) > 0)
		n += got;
	SHOW(n);
	say_status("writer, in pages", reap(pid));
	new_pipe(0);
	pid = child_of(blocked_writer);
	close(p[1]);
	wait_asleep(pid);
	close(p[0]);
	say_status("reader gone, in pages", reap(pid));
}

DIFF_CASE(pipe_interrupted)
{
	new_pipe(0);
	catch (SIGALRM, 0);
	ualarm(20000, 20000);
	TRY(read(p[0], big, 1));
	ualarm(0, 0);
	ualarm(20000, 20000);
	TRY(write(p[1], big, 1 << 17));
	ualarm(0, 0);
	ualarm(20000, 20000);
	TRY(write(p[1], big, 1));
	ualarm(0, 0);
}

DIFF_CASE(fifo_reopened)
{
	struct stat st;
	char b[8];
	NEED(!mkfifo("f", 0644));
	int r = open("f", O_RDONLY | O_NONBLOCK);
	TRY(read(r, b, 8));
	say("never a writer: 0x%x", revents(r));
	int w = open("f", O_WRONLY);
	TRY(read(r, b, 8));
	NEED(write(w, "x", 1) == 1);
	close(w);
	say("writer gone: 0x%x", revents(r));
	TRY(read(r, b, 8));
	w = open("f", O_WRONLY | O_NONBLOCK);
	say("another writer: 0x%x", revents(r));
	TRY(read(r, b, 8));
	fstat(r, &st);
	SHOW(st.st_size);
	NEED(write(w, "lost", 4) == 4);
	close(r);
	close(w);
	r = open("f", O_RDONLY | O_NONBLOCK);
	TRY(read(r, b, 8));
	TRY(lseek(r, 0, SEEK_SET));
}

/* -- splice -------------------------------------------------------------------------- */

DIFF_CASE(splice_file_to_pipe_to_file)
{
	char b[16];
	make_file("f", "0123456789");
	int in = open("f", O_RDONLY), out = open("g", O_RDWR | O_CREAT, 0644);
	loff_t at = 4;
	new_pipe(O_NONBLOCK);
	TRY(splice(in, &at, p[1], NULL, 3, 0));
	SHOW(at);
	TRY(lseek(in, 0, SEEK_CUR));
	TRY(splice(in, NULL, p[1], NULL, 100, 0));
	TRY(lseek(in, 0, SEEK_CUR));
	TRY(splice(in, NULL, p[1], NULL, 100, 0));
	at = 1;
	TRY(splice(p[0], NULL, out, &at, 5, 0));
	SHOW(at);
	TRY(splice(p[0], NULL, out, NULL, 100, 0));
	TRY(splice(p[0], NULL, out, NULL, 100, 0));
	say_bytes("g", b, pread(out, b, sizeof b, 0));
}

DIFF_CASE(splice_errors)
{
	make_file("f", "0123456789");
	int f = open("f", O_RDWR), a = open("f", O_WRONLY | O_APPEND), q[2];
	loff_t at = 0;
	new_pipe(O_NONBLOCK);
	NEED(!pipe2(q, O_NONBLOCK) && write(p[1], "abc", 3) == 3);
	TRY(splice(f, NULL, f, NULL, 1, 0));
	TRY(splice(99, NULL, p[1], NULL, 1, 0));
	TRY(splice(f, NULL, p[0], NULL, 1, 0));
	TRY(splice(p[1], NULL, f, NULL, 1, 0));
	TRY(splice(p[0], &at, f, NULL, 1, 0));
	TRY(splice(f, NULL, p[1], &at, 1, 0));
	TRY(splice(p[0], NULL, a, NULL, 1, 0));
	TRY(splice(f, NULL, p[1], NULL, 1, 0x100));
	TRY(splice(f, NULL, p[1], NULL, 0, 0));
	TRY(splice(p[0], NULL, p[1], NULL, 1, 0));
	TRY(splice(p[0], NULL, q[1], NULL, 2, 0));
	TRY(splice(p[0], NULL, q[1], NULL, 2, 0));
	TRY(splice(p[0], NULL, q[1], NULL, 2, SPLICE_F_NONBLOCK));
	at = -1;
	TRY(splice(f, &at, p[1], NULL, 1, 0));
	TRY(splice(f, (void *)8, p[1], NULL, 1, 0));
	TRY(splice(open(".", O_RDONLY), NULL, p[1], NULL, 1, 0));
	close(q[0]);
	NEED(write(p[1], "d", 1) == 1);
	signal(SIGPIPE, SIG_IGN);
	TRY(splice(p[0], NULL, q[1], NULL, 1, 0));
}

DIFF_CASE(splice_ends)
{
	int out = open("g", O_RDWR | O_CREAT, 0644);
	new_pipe(0);
	NEED(write(p[1], "abc", 3) == 3);
	close(p[1]);
	TRY(splice(p[0], NULL, out, NULL, 100, 0));
	TRY(splice(p[0], NULL, out, NULL, 100, 0));
	say_file("g");
	new_pipe(0);
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY);
	TRY(splice(zero, NULL, p[1], NULL, 1 << 20, 0));
	TRY(splice(p[0], NULL, null, NULL, 1 << 20, 0));
}

DIFF_CASE(tee_corners)
{
	char b[8];
	int q[2];
	new_pipe(O_NONBLOCK);
	NEED(!pipe2(q, O_NONBLOCK) && write(p[1], "abcdef", 6) == 6);
	TRY(tee(p[0], q[1], 4, 0));
	TRY(read(q[0], b, 8));
	TRY(read(p[0], b, 8));
	TRY(tee(p[0], q[1], 4, 0));
	TRY(tee(p[0], p[1], 4, 0));
	TRY(tee(0, q[1], 4, 0));
	TRY(tee(p[0], 0, 4, 0));
	TRY(tee(99, q[1], 4, 0));
	TRY(tee(p[1], q[1], 4, 0));
	TRY(tee(p[0], q[1], 0, 0));
	TRY(tee(p[0], q[1], 4, 0x100));
	close(p[1]);
	TRY(tee(p[0], q[1], 4, 0));
}

DIFF_CASE(vmsplice_corners)
{
	char b[16] = "", *text = "0123456789";
	struct iovec v[] = { { text, 4 }, { text + 6, 4 } }, bad = { (void *)8, 4 };
	new_pipe(O_NONBLOCK);
	TRY(vmsplice(p[1], v, 2, 0));
	TRY(read(p[0], b, 16));
	say_bytes("b", b, 8);
	TRY(vmsplice(p[1], &bad, 1, 0));
	TRY(vmsplice(p[1], v, 0, 0));
	TRY(vmsplice(p[1], v, 1025, 0));
	TRY(vmsplice(0, v, 1, 0));
	TRY(vmsplice(99, v, 1, 0));
	TRY(vmsplice(p[1], v, 1, 0x100));
	NEED(write(p[1], "xyz", 3) == 3);
	struct iovec in = { b, 16 };
	TRY(vmsplice(p[0], &in, 1, 0));
	say_bytes("b", b, 3);
	TRY(vmsplice(p[0], &in, 1, SPLICE_F_NONBLOCK));
}

DIFF_CASE(sendfile_between_pipes_and_files)
{
	make_file("f", "0123456789");
	int f = open("f", O_RDONLY);
	new_pipe(O_NONBLOCK);
	TRY(syscall(SYS_sendfile, p[1], f, NULL, 100));
	TRY(syscall(SYS_sendfile, p[1], f, NULL, 100));
	TRY(syscall(SYS_sendfile, f, p[0], NULL, 100));
	TRY(read(p[0], big, 100));
}
