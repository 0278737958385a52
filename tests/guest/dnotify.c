/* fcntl(2), F_NOTIFY: signals about what happens in a folder. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

static int dir;
static sigset_t waited;

/* An open folder that tells of `what` by a real-time signal, which waits to be taken. */
static void watch(long what)
{
	tap_tmpdir();
	dir = open(".", O_RDONLY | O_DIRECTORY);
	CHECK(dir >= 0);
	sigemptyset(&waited);
	sigaddset(&waited, SIGRTMIN);
	sigaddset(&waited, SIGIO);
	CHECK_EQ(sigprocmask(SIG_BLOCK, &waited, NULL), 0);
	CHECK_EQ(fcntl(dir, F_SETSIG, SIGRTMIN), 0);
	CHECK_EQ(fcntl(dir, F_NOTIFY, what), 0);
}

/* How many signals have come since. */
static int told(void)
{
	struct timespec none = { 0, 0 };
	siginfo_t info;
	int n = 0, sig;

	while ((sig = sigtimedwait(&waited, &info, &none)) > 0) {
		CHECK_EQ(sig, SIGRTMIN);
		CHECK_EQ(info.si_fd, dir);
		CHECK_EQ(info.si_code, POLL_MSG);
		CHECK_EQ(info.si_band, POLLIN | POLLRDNORM | POLLMSG);
		n++;
	}
	return n;
}

static void make(const char *name)
{
	int fd = open(name, O_CREAT | O_RDWR, 0600);
	CHECK(fd >= 0);
	close(fd);
}

static void once_without_multishot(void)
{
	watch(DN_CREATE);
	make("a");
	CHECK_EQ(told(), 1);
	make("b");
	CHECK_EQ(told(), 0);
}

static void each_time_with_multishot(void)
{
	watch(DN_CREATE | DN_MULTISHOT);
	make("a");
	make("b");
	make("a"); /* is there already */
	CHECK_EQ(told(), 2);
}

static void each_kind_of_event(void)
{
	char c = 'c';

	watch(DN_MODIFY | DN_MULTISHOT);
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK_EQ(told(), 0);
	CHECK_EQ(write(fd, &c, 1), 1);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(told(), 2);
	CHECK_EQ(fchmod(fd, 0640), 0);
	CHECK_EQ(told(), 0);
	CHECK_EQ(fcntl(dir, F_NOTIFY, DN_ATTRIB | DN_MULTISHOT), 0); /* both now */
	CHECK_EQ(fchmod(fd, 0600), 0);
	CHECK_EQ(write(fd, &c, 1), 1);
	CHECK_EQ(told(), 2);
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK_EQ(told(), 0);
	CHECK_EQ(fcntl(dir, F_NOTIFY, DN_ACCESS | DN_MULTISHOT), 0);
	CHECK_EQ(pread(fd, &c, 1, 0), 1);
	CHECK_EQ(told(), 1);
	CHECK_EQ(unlink("f"), 0);
	CHECK_EQ(told(), 0);
	CHECK_EQ(fcntl(dir, F_NOTIFY, DN_DELETE | DN_MULTISHOT), 0);
	make("g");
	CHECK_EQ(told(), 0);
	CHECK_EQ(link("g", "h"), 0);
	CHECK_EQ(unlink("h"), 0);
	CHECK_EQ(told(), 1);
	CHECK_EQ(fchmod(dir, 0750), 0); /* the folder itself */
	CHECK_EQ(told(), 1);
}

static void renames(void)
{
	watch(DN_RENAME | DN_MULTISHOT);
	CHECK_EQ(mkdir("sub", 0700), 0);
	make("a");
	make("sub/x");
	CHECK_EQ(rename("a", "b"), 0);
	CHECK_EQ(told(), 1);
	CHECK_EQ(rename("b", "sub/b"), 0); /* leaves: no rename, a deletion */
	CHECK_EQ(told(), 0);
	CHECK_EQ(fcntl(dir, F_NOTIFY, DN_DELETE | DN_MULTISHOT), 0);
	CHECK_EQ(rename("sub/b", "b"), 0);
	CHECK_EQ(told(), 0);
	CHECK_EQ(rename("b", "sub/b"), 0);
	CHECK_EQ(told(), 1);
	CHECK_EQ(fcntl(dir, F_NOTIFY, DN_CREATE | DN_MULTISHOT), 0);
	CHECK_EQ(rename("sub/b", "b"), 0);
	CHECK_EQ(told(), 1);
	CHECK_EQ(rename("b", "c"), 0); /* as such, as a deletion, as a creation */
	CHECK_EQ(told(), 3);
}

static void once_for_all_that_was_asked(void)
{
	watch(DN_RENAME | DN_DELETE | DN_CREATE);
	make("a");
	CHECK_EQ(told(), 1);
	CHECK_EQ(fcntl(dir, F_NOTIFY, DN_RENAME | DN_DELETE), 0);
	CHECK_EQ(rename("a", "b"), 0);
	CHECK_EQ(told(), 1);
	CHECK_EQ(unlink("b"), 0);
	CHECK_EQ(told(), 0);
}

static void nothing_asked_ends_it(void)
{
	watch(DN_CREATE | DN_MULTISHOT);
	make("a");
	CHECK_EQ(told(), 1);
	CHECK_EQ(fcntl(dir, F_NOTIFY, 0), 0);
	make("b");
	CHECK_EQ(told(), 0);
	CHECK_EQ(fcntl(dir, F_NOTIFY, (long)DN_MULTISHOT), 0);
	make("c");
	CHECK_EQ(told(), 0);
}

static void below_subfolders_nothing(void)
{
	watch(DN_CREATE | DN_MODIFY | DN_MULTISHOT);
	CHECK_EQ(mkdir("sub", 0700), 0);
	CHECK_EQ(told(), 1);
	make("sub/x");
	CHECK_EQ(told(), 0);
}

static void a_close_of_any_descriptor_of_the_file_ends_it(void)
{
	watch(DN_CREATE | DN_MULTISHOT);
	int other = open(".", O_RDONLY);
	close(other); /* another open of the folder */
	make("a");
	CHECK_EQ(told(), 1);
	close(dup(dir));
	make("b");
	CHECK_EQ(told(), 0);
}

static void a_childs_close_ends_nothing(void)
{
	int status;

	watch(DN_CREATE | DN_MULTISHOT);
	pid_t child = fork();
	if (child == 0) {
		close(dir);
		make("a");
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(told(), 1);
}

static void two_tables_ask_each_for_itself(void)
{
	int status;

	watch(DN_CREATE | DN_MULTISHOT);
	pid_t child = fork();
	if (child == 0) /* the owner is the file's: the parent */
		_exit(fcntl(dir, F_NOTIFY, DN_CREATE | DN_MULTISHOT) || (make("a"), 0));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(told(), 2);
	make("b");
	CHECK_EQ(told(), 1); /* the child's ended with it */
}

static volatile sig_atomic_t got, got_code;
static void on_sigio(int sig, siginfo_t *info, void *context)
{
	got++;
	got_code = info->si_code;
}

static void sigio_by_default(void)
{
	struct sigaction a = { .sa_sigaction = on_sigio, .sa_flags = SA_SIGINFO };

	tap_tmpdir();
	CHECK_EQ(sigaction(SIGIO, &a, NULL), 0);
	dir = open(".", O_RDONLY);
	CHECK_EQ(fcntl(dir, F_GETOWN), 0);
	CHECK_EQ(fcntl(dir, F_NOTIFY, DN_CREATE), 0);
	CHECK_EQ(fcntl(dir, F_GETOWN), getpid());
	make("a");
	CHECK_EQ(got, 1);
	CHECK_EQ(got_code, SI_KERNEL);
}

static void another_owner_stays(void)
{
	tap_tmpdir();
	pid_t child = fork();
	if (child == 0)
		for (;;)
			pause();
	dir = open(".", O_RDONLY);
	CHECK_EQ(fcntl(dir, F_SETOWN, child), 0);
	CHECK_EQ(fcntl(dir, F_NOTIFY, DN_CREATE), 0);
	CHECK_EQ(fcntl(dir, F_GETOWN), child);
	make("a");
	int status;
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGIO);
}

static void folders_only(void)
{
	tap_tmpdir();
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	CHECK_ERR(fcntl(fd, F_NOTIFY, DN_CREATE), ENOTDIR);
	CHECK_EQ(fcntl(fd, F_GETOWN), 0);
	CHECK_EQ(fcntl(fd, F_NOTIFY, 0), 0);
	int path = open(".", O_PATH);
	CHECK_ERR(fcntl(path, F_NOTIFY, DN_CREATE), EBADF);
	CHECK_ERR(fcntl(-1, F_NOTIFY, DN_CREATE), EBADF);
}

static void *close_it(void *arg)
{
	close(dir);
	return NULL;
}

/* Whoever wins, nobody is left who would use the file when it is gone. */
static void asking_while_it_is_closed(void)
{
	tap_tmpdir();
	signal(SIGIO, SIG_IGN);
	for (int i = 0; i < 300; i++) {
		pthread_t thread;
		dir = open(".", O_RDONLY);
		int asked = dir;
		CHECK(dir >= 0);
		CHECK_EQ(pthread_create(&thread, NULL, close_it, NULL), 0);
		if (fcntl(asked, F_NOTIFY, DN_CREATE | DN_DELETE | DN_MULTISHOT))
			CHECK(errno == EBADF);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		make("x");
		CHECK_EQ(unlink("x"), 0);
	}
}

TEST_MAIN(CASE(once_without_multishot), CASE(each_time_with_multishot),
	  CASE(each_kind_of_event), CASE(renames), CASE(once_for_all_that_was_asked),
	  CASE(nothing_asked_ends_it), CASE(below_subfolders_nothing),
	  CASE(a_close_of_any_descriptor_of_the_file_ends_it),
	  CASE(a_childs_close_ends_nothing), CASE(two_tables_ask_each_for_itself),
	  CASE(sigio_by_default), CASE(another_owner_stays), CASE(folders_only),
	  CASE(asking_while_it_is_closed))
