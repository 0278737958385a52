/* host/strace: from records to the lines that strace would write. */
/* link: host/strace/text.c policy/names.c host/strace/known.c host/strace/call.c */
/* link: host/strace/args_plain.c host/strace/args_file.c host/strace/args_process.c */
/* link: host/strace/args_socket.c host/strace/args_ipc.c */
/* link: host/util.c */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/strace/strace.h"
#include "lib/calltrace.h"

#define MS 1000000ull

/* In place of host/say.c. */
void say(const char *format, ...)
{
}

static struct strace *strace;
static int file;
static struct calltrace_writer writer;
static uint8_t buffer[CALLTRACE_RECORD_MAX] __attribute__((aligned(8)));
static uint64_t now;

static void begin(bool first_only, uint64_t max)
{
	uint64_t offset = 0;

	file = memfd_create("trace", 0);
	strace = strace_new(file, first_only, max);
	now = 0;
	writer.at = buffer;
	calltrace_begin(&writer, CALLTRACE_BEGIN, 1, 0, &offset);
	assert_int_equal(strace_take(strace, buffer, calltrace_end(&writer)), 0);
}

static void memory(uint64_t address, const void *bytes, size_t size)
{
	size_t fits;
	void *at = calltrace_room(&writer, size, &fits);

	memcpy(at, bytes, size);
	calltrace_added(&writer, address, size);
}

static void record(enum calltrace_type type, int tid, const void *body)
{
	now += MS;
	calltrace_begin(&writer, type, tid, now, body);
}

static void enter(int tid, uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct calltrace_enter body = { nr, { a, b, c, d }, 0 };

	record(CALLTRACE_ENTER, tid, &body);
}

static void leave(int tid, uint64_t nr, int64_t result)
{
	struct calltrace_exit body = { nr, (uint64_t)result };

	record(CALLTRACE_EXIT, tid, &body);
}

static int offer(void)
{
	return strace_take(strace, buffer, calltrace_end(&writer));
}

static void sent(void)
{
	assert_int_equal(offer(), 0);
}

static void expect(const char *text)
{
	char got[8192] = "";

	assert_int_equal(strace_end(strace), 0);
	assert_true(pread(file, got, sizeof(got) - 1, 0) >= 0);
	assert_string_equal(got, text);
	strace_free(strace);
	close(file);
}

static void test_a_call(void **state)
{
	begin(false, 100000);
	enter(7, SYS_openat, (uint64_t)AT_FDCWD, 0x1000, O_WRONLY | O_CREAT | O_CLOEXEC,
	      0640);
	memory(0x1000, "/tmp/\"x\"", 9);
	sent();
	leave(7, SYS_openat, 3);
	sent();
	enter(7, SYS_read, 3, 0x2000, 4096, 0);
	sent();
	leave(7, SYS_read, 5);
	memory(0x2000, "a\n\0011\377", 5);
	sent();
	enter(7, SYS_close, 3, 0, 0, 0);
	sent();
	leave(7, SYS_close, -EBADF);
	sent();
	expect("7     00:00:00.001000 openat(AT_FDCWD, \"/tmp/\\\"x\\\"\", "
	       "O_WRONLY|O_CREAT|O_CLOEXEC, 0640) = 3 <0.001000>\n"
	       "7     00:00:00.003000 read(3, \"a\\n\\0011\\377\", 4096) = 5 <0.001000>\n"
	       "7     00:00:00.005000 close(3)          = -1 EBADF (Bad file descriptor) "
	       "<0.001000>\n");
}

static void test_two_threads(void **state)
{
	uint64_t status = SIGKILL;

	begin(false, 100000);
	enter(7, SYS_read, 3, 0x2000, 10, 0);
	sent();
	enter(8, SYS_write, 4, 0x3000, 1, 0);
	memory(0x3000, "x", 1);
	sent();
	leave(7, SYS_read, 1);
	memory(0x2000, "x", 1);
	sent();
	record(CALLTRACE_EXITED, 8, &status);
	sent();
	expect("7     00:00:00.001000 read(3,  <unfinished ...>\n"
	       "8     00:00:00.002000 write(4, \"x\", 1 <unfinished ...>\n"
	       "7     00:00:00.003000 <... read resumed>\"x\", 10) = 1 <0.002000>\n"
	       "8     00:00:00.004000 <... write resumed>) = ?\n"
	       "8     00:00:00.004000 +++ killed by SIGKILL +++\n");
}

static void test_first_only(void **state)
{
	begin(true, 100000);
	enter(7, SYS_getpid, 0, 0, 0, 0);
	sent();
	enter(8, SYS_getppid, 0, 0, 0, 0);
	sent();
	leave(8, SYS_getppid, 1);
	sent();
	leave(7, SYS_getpid, 7);
	sent();
	expect("00:00:00.001000 getpid()                = 7 <0.003000>\n");
}

static void test_unknown(void **state)
{
	siginfo_t info = { .si_signo = SIGSEGV, .si_code = SEGV_MAPERR };

	begin(false, 100000);
	enter(7, 9999, 1, 0, 3, 4);
	sent();
	leave(7, 9999, -ENOSYS);
	sent();
	/* Addresses of which nothing is known are numbers. */
	enter(7, SYS_rt_sigaction, SIGUSR1, 0x10, 0, 8);
	sent();
	leave(7, SYS_rt_sigaction, -512);
	sent();
	record(CALLTRACE_SIGNAL, 7, &info);
	sent();
	/* An execve of another thread. */
	leave(7, SYS_execve, 0);
	sent();
	expect("7     00:00:00.001000 syscall_0x270f(0x1, 0, 0x3, 0x4, 0, 0) = -1 ENOSYS "
	       "(Function not implemented) <0.001000>\n"
	       "7     00:00:00.003000 rt_sigaction(SIGUSR1, 0x10, NULL, 8) = ? "
	       "ERESTARTSYS (To be restarted if SA_RESTART is set) <0.001000>\n"
	       "7     00:00:00.005000 --- SIGSEGV {si_signo=SIGSEGV, "
	       "si_code=SEGV_MAPERR, si_addr=NULL} ---\n"
	       "7     00:00:00.006000 <... execve resumed>) = 0\n");
}

static void test_byte_by_byte(void **state)
{
	size_t size;

	begin(false, 100000);
	for (int i = 0; i < 2; i++) {
		enter(7, SYS_chdir, 0x1000, 0, 0, 0);
		memory(0x1000, "/", 2);
		size = calltrace_end(&writer);
		for (size_t k = 0; k < size; k++)
			assert_int_equal(strace_take(strace, buffer + k, 1), 0);
		leave(7, SYS_chdir, 0);
		sent();
	}
	expect("7     00:00:00.001000 chdir(\"/\")        = 0 <0.001000>\n"
	       "7     00:00:00.003000 chdir(\"/\")        = 0 <0.001000>\n");
}

static void test_superseded(void **state)
{
	struct calltrace_exited gone = { .successor = 8 };

	begin(false, 100000);
	enter(7, SYS_pause, 0, 0, 0, 0);
	sent();
	enter(8, SYS_execve, 0x1000, 0x10, 0, 0);
	memory(0x1000, "/x", 3);
	sent();
	record(CALLTRACE_EXITED, 7, &gone);
	sent();
	leave(7, SYS_execve, 0);
	sent();
	/* Nothing is left of either: a new thread of that number starts anew. */
	enter(8, SYS_getpid, 0, 0, 0, 0);
	sent();
	leave(8, SYS_getpid, 8);
	sent();
	/* Whose number is taken by one that is not known. */
	record(CALLTRACE_EXITED, 8, &(struct calltrace_exited){ .successor = 8 });
	sent();
	/* Two entries in a row: the first call's thread did not come back. */
	enter(7, SYS_getpid, 0, 0, 0, 0);
	sent();
	enter(7, SYS_getppid, 0, 0, 0, 0);
	sent();
	leave(7, SYS_getppid, 1);
	sent();
	expect("7     00:00:00.001000 pause( <unfinished ...>\n"
	       "8     00:00:00.002000 execve(\"/x\", 0x10, NULL <unfinished ...>\n"
	       "7     00:00:00.003000 <... pause resumed>) = ?\n"
	       "7     00:00:00.003000 +++ superseded by execve in pid 8 +++\n"
	       "7     00:00:00.004000 <... execve resumed>) = 0 <0.002000>\n"
	       "8     00:00:00.005000 getpid()          = 8 <0.001000>\n"
	       "8     00:00:00.007000 +++ superseded by execve in pid 8 +++\n"
	       "7     00:00:00.008000 getpid()          = ?\n"
	       "7     00:00:00.009000 getppid()         = 1 <0.001000>\n");
}

/* Sizes and counts that the record does not bear out. */
static void test_lying_message(void **state)
{
	struct iovec vector = { (void *)0x3000, SIZE_MAX };
	struct msghdr m = { .msg_name = (void *)0x2000,
			    .msg_namelen = UINT32_MAX,
			    .msg_iov = (void *)0x4000,
			    .msg_iovlen = SIZE_MAX,
			    .msg_control = (void *)0x5000,
			    .msg_controllen = SIZE_MAX };
	struct cmsghdr h = { SIZE_MAX, SOL_SOCKET, SCM_RIGHTS };

	begin(false, 100000);
	enter(7, SYS_sendmsg, 3, 0x1000, 0, 0);
	memory(0x1000, &m, sizeof(m));
	memory(0x4000, &vector, sizeof(vector));
	memory(0x5000, &h, sizeof(h));
	sent();
	leave(7, SYS_sendmsg, 0);
	sent();
	expect("7     00:00:00.001000 sendmsg(3, {msg_name=0x2000, "
	       "msg_namelen=4294967295, msg_iov=[{iov_base=0x3000, "
	       "iov_len=18446744073709551615}, ...], msg_iovlen=18446744073709551615, "
	       "msg_control=[{cmsg_len=18446744073709551615, cmsg_level=SOL_SOCKET, "
	       "cmsg_type=SCM_RIGHTS, cmsg_data=[...]}], "
	       "msg_controllen=18446744073709551615, msg_flags=0}, 0) = 0 <0.001000>\n");
}

static void test_hostile(void **state)
{
	begin(false, 100);
	/* An exit of another call; what is no record. */
	enter(7, SYS_getpid, 0, 0, 0, 0);
	sent();
	leave(7, SYS_getppid, 0);
	assert_int_equal(offer(), -EBADMSG);
	memset(buffer, 0xff, sizeof(buffer));
	assert_int_equal(strace_take(strace, buffer, 100), -EBADMSG);
	/* The twin: its own exit. */
	leave(7, SYS_getpid, 7);
	sent();
	/* More text than may be. */
	enter(7, SYS_getpid, 0, 0, 0, 0);
	sent();
	leave(7, SYS_getpid, 7);
	sent();
	assert_int_equal(strace_end(strace), -EOVERFLOW);
	strace_free(strace);
	close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_call),	     cmocka_unit_test(test_two_threads),
		cmocka_unit_test(test_first_only),   cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_byte_by_byte), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_superseded),   cmocka_unit_test(test_lying_message),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
