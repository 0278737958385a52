/* Who waits for a lock or a lease: in what order, and as /proc/locks shows it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/tap.h"

/* The processes of a case, by the letter that stands for them in what is compared. */
static pid_t people[8];
static int person_count;
static int news[2]; /* each writes its letter once it has what it waited for */

static void nap(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

static char letter_of(int pid)
{
	for (int i = 0; i < person_count; i++)
		if (people[i] == pid)
			return (char)('A' + i);
	return pid == getpid() ? 'P' : pid == -1 ? '-' : '?';
}

/* One line of /proc/locks, if it is about the file: "-> FLOCK ADVISORY WRITE B 0 EOF". A
 * breaker's names no file, so what it stands below decides: *ours. */
static void line_add(char *to, char *line, unsigned long ino, bool *ours)
{
	char *what = strchr(line, ':') + 2, *arrow = strstr(what, "-> ");
	char family[16], mode[16], type[16], where[64], start[32], end[32];
	int pid, level = arrow ? (int)(arrow - what) + 1 : 0;
	char *colon;

	if (sscanf(arrow ? arrow + 3 : what, "%15s %15s %15s %d %63s %31s %31s", family,
		   mode, type, &pid, where, start, end) != 7)
		tap_fail(__FILE__, __LINE__, "a line: %s", line);
	colon = strrchr(where, ':');
	if (!level)
		*ours = strtoul(colon + 1, NULL, 10) == ino;
	if (!*ours)
		return;
	sprintf(to + strlen(to), "%.*s%s %s %s %c %s %s\n", level, ">>>>>>>>", family,
		mode, type, letter_of(pid), start, end);
}

static const char *locks_of(const char *path)
{
	static char text[4096];
	char line[256];
	FILE *f = fopen("/proc/locks", "r");
	struct stat st;
	bool ours = false;

	CHECK(f && stat(path, &st) == 0);
	*text = 0;
	while (fgets(line, sizeof(line), f))
		line_add(text, line, st.st_ino, &ours);
	fclose(f);
	return text;
}

#define CHECK_LOCKS(expected)                                                            \
	do {                                                                             \
		const char *got_ = locks_of("file");                                     \
		tap_checked();                                                           \
		if (strcmp(got_, expected))                                              \
			tap_fail(__FILE__, __LINE__, "shown: %s", got_);                 \
	} while (0)

static void file_make(void)
{
	int fd;

	tap_tmpdir();
	fd = open("file", O_RDWR | O_CREAT, 0600);
	CHECK(fd >= 0 && write(fd, "0123456789", 10) == 10);
	close(fd);
	CHECK(pipe(news) == 0);
}

/* A process that opens the file, does `act` to it, tells, and stays. */
static void person_add(void (*act)(int fd))
{
	pid_t pid = fork();
	char letter = (char)('A' + person_count);

	CHECK(pid >= 0);
	if (!pid) {
		int fd = open("file", O_RDWR);

		act(fd);
		if (write(news[1], &letter, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	people[person_count++] = pid;
	nap(100); /* it has what it wants, or sleeps */
}

static void person_end(char letter)
{
	pid_t pid = people[letter - 'A'];

	kill(pid, SIGKILL);
	CHECK(waitpid(pid, NULL, 0) == pid);
	nap(100);
}

/* The letters of who has got on since the last time. */
static const char *told(void)
{
	static char letters[16];
	ssize_t n;

	fcntl(news[0], F_SETFL, O_NONBLOCK);
	n = read(news[0], letters, sizeof(letters) - 1);
	letters[n > 0 ? n : 0] = 0;
	return letters;
}

#define CHECK_TOLD(expected) CHECK(!strcmp(told(), expected))

static void flock_ex(int fd)
{
	flock(fd, LOCK_EX);
}

static void flock_sh(int fd)
{
	flock(fd, LOCK_SH);
}

static void flock_waiters_queue(void)
{
	file_make();
	person_add(flock_ex);
	CHECK_LOCKS("FLOCK ADVISORY WRITE A 0 EOF\n");
	person_add(flock_ex);
	person_add(flock_sh);
	person_add(flock_sh);
	person_add(flock_ex);
	CHECK_TOLD("A");
	CHECK_LOCKS("FLOCK ADVISORY WRITE A 0 EOF\n"
		    ">FLOCK ADVISORY WRITE B 0 EOF\n"
		    ">>FLOCK ADVISORY READ C 0 EOF\n"
		    ">>>FLOCK ADVISORY WRITE E 0 EOF\n"
		    ">>FLOCK ADVISORY READ D 0 EOF\n");
	/* The first in line gets it, and those behind wait for it. */
	person_end('A');
	CHECK_TOLD("B");
	CHECK_LOCKS("FLOCK ADVISORY WRITE B 0 EOF\n"
		    ">FLOCK ADVISORY READ C 0 EOF\n"
		    ">>FLOCK ADVISORY WRITE E 0 EOF\n"
		    ">FLOCK ADVISORY READ D 0 EOF\n");
	/* Readers go together. */
	person_end('B');
	CHECK(strlen(told()) == 2);
	CHECK(strstr(locks_of("file"), "\n>FLOCK ADVISORY WRITE E 0 EOF\n"));
	person_end('C');
	CHECK_LOCKS("FLOCK ADVISORY READ D 0 EOF\n"
		    ">FLOCK ADVISORY WRITE E 0 EOF\n");
	CHECK_TOLD("");
	person_end('D');
	CHECK_TOLD("E");
	CHECK_LOCKS("FLOCK ADVISORY WRITE E 0 EOF\n");
}

/* One of the middle who is killed leaves those behind him where they are. */
static void who_gives_up_goes(void)
{
	file_make();
	for (int i = 0; i < 4; i++)
		person_add(flock_ex);
	CHECK_LOCKS("FLOCK ADVISORY WRITE A 0 EOF\n"
		    ">FLOCK ADVISORY WRITE B 0 EOF\n"
		    ">>FLOCK ADVISORY WRITE C 0 EOF\n"
		    ">>>FLOCK ADVISORY WRITE D 0 EOF\n");
	person_end('B');
	CHECK_LOCKS("FLOCK ADVISORY WRITE A 0 EOF\n"
		    ">FLOCK ADVISORY WRITE C 0 EOF\n"
		    ">>FLOCK ADVISORY WRITE D 0 EOF\n");
	person_end('C');
	CHECK_LOCKS("FLOCK ADVISORY WRITE A 0 EOF\n"
		    ">FLOCK ADVISORY WRITE D 0 EOF\n");
	CHECK_TOLD("A");
	person_end('A');
	CHECK_TOLD("D");
}

static void range_set(int fd, int cmd, int type, int start, int len)
{
	struct flock l = { .l_type = (short)type, .l_start = start, .l_len = len };

	fcntl(fd, cmd, &l);
}

static void all_posix(int fd)
{
	range_set(fd, F_SETLKW, F_WRLCK, 0, 10);
}

static void low_posix(int fd)
{
	range_set(fd, F_SETLKW, F_WRLCK, 0, 5);
}

static void high_posix(int fd)
{
	range_set(fd, F_SETLKW, F_RDLCK, 5, 5);
}

static void all_ofd(int fd)
{
	range_set(fd, F_OFD_SETLKW, F_WRLCK, 0, 0);
}

static void ranges_queue_where_they_meet(void)
{
	file_make();
	person_add(all_posix);
	person_add(low_posix);
	person_add(high_posix);
	person_add(all_ofd);
	person_add(high_posix);
	CHECK_TOLD("A");
	CHECK_LOCKS("POSIX ADVISORY WRITE A 0 9\n"
		    ">POSIX ADVISORY WRITE B 0 4\n"
		    ">>OFDLCK ADVISORY WRITE - 0 EOF\n"
		    ">POSIX ADVISORY READ C 5 9\n"
		    ">POSIX ADVISORY READ E 5 9\n");
}

static pid_t shrinker;

static void shrinking_posix(int fd)
{
	all_posix(fd);
	signal(SIGUSR1, SIG_DFL);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (write(news[1], "+", 1) != 1)
		_exit(1);
	siginfo_t info;
	sigwaitinfo(&set, &info);
	range_set(fd, F_SETLKW, F_UNLCK, 5, 5);
}

/* Half a lock given back lets those in who want just that half. */
static void a_smaller_lock_lets_in(void)
{
	file_make();
	person_add(shrinking_posix);
	shrinker = people[0];
	person_add(low_posix);
	person_add(high_posix);
	person_add(all_posix);
	CHECK_TOLD("+");
	kill(shrinker, SIGUSR1);
	nap(200);
	CHECK(strchr(told(), 'C'));
	CHECK(strstr(locks_of("file"), "POSIX ADVISORY READ C 5 9\n"));
	CHECK(strstr(locks_of("file"), "POSIX ADVISORY WRITE A 0 4\n"
				       ">POSIX ADVISORY WRITE B 0 4\n"
				       ">>POSIX ADVISORY WRITE D 0 9\n"));
	person_end('A');
	CHECK_TOLD("B");
	person_end('B');
	CHECK_TOLD("");
	person_end('C');
	CHECK_TOLD("D");
	CHECK_LOCKS("POSIX ADVISORY WRITE D 0 9\n");
}

static void reads_file(int fd)
{
	CHECK(open("file", O_RDONLY) >= 0);
}

static void writes_file(int fd)
{
	CHECK(open("file", O_WRONLY) >= 0);
}

static void breaker_add(void (*act)(int fd))
{
	pid_t pid = fork();

	if (!pid) {
		act(-1);
		_exit(0);
	}
	people[person_count++] = pid;
	nap(100);
}

static void breakers_of_leases(void)
{
	int fd;

	file_make();
	fd = open("file", O_RDWR);
	signal(SIGIO, SIG_IGN);
	CHECK(fcntl(fd, F_SETLEASE, F_WRLCK) == 0);
	CHECK_LOCKS("LEASE ACTIVE WRITE P 0 EOF\n");
	breaker_add(reads_file);
	CHECK_LOCKS("LEASE BREAKING READ P 0 EOF\n"
		    ">LEASE BREAKER READ A 0 EOF\n");
	breaker_add(writes_file);
	breaker_add(reads_file);
	CHECK_LOCKS("LEASE BREAKING UNLCK P 0 EOF\n"
		    ">LEASE BREAKER READ A 0 EOF\n"
		    ">>LEASE BREAKER WRITE B 0 EOF\n"
		    ">LEASE BREAKER READ C 0 EOF\n");
	person_end('B');
	CHECK_LOCKS("LEASE BREAKING UNLCK P 0 EOF\n"
		    ">LEASE BREAKER READ A 0 EOF\n"
		    ">LEASE BREAKER READ C 0 EOF\n");
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
	CHECK_EQ(tap_wait(people[0]), 0);
	CHECK_EQ(tap_wait(people[2]), 0);
	CHECK_LOCKS("");
}

static void a_read_lease_and_its_breakers(void)
{
	int fd;

	file_make();
	fd = open("file", O_RDONLY);
	signal(SIGIO, SIG_IGN);
	CHECK(fcntl(fd, F_SETLEASE, F_RDLCK) == 0);
	breaker_add(writes_file);
	breaker_add(writes_file);
	CHECK_LOCKS("LEASE BREAKING UNLCK P 0 EOF\n"
		    ">LEASE BREAKER WRITE A 0 EOF\n"
		    ">>LEASE BREAKER WRITE B 0 EOF\n");
	CHECK(fcntl(fd, F_SETLEASE, F_UNLCK) == 0);
	CHECK_EQ(tap_wait(people[0]), 0);
	CHECK_EQ(tap_wait(people[1]), 0);
	CHECK_LOCKS("");
}

/* The number of a line is that of the lock, for those who wait too. */
static void waiters_share_the_number(void)
{
	char line[256];
	unsigned long last = 0, waiting = 0;
	FILE *f;

	file_make();
	person_add(flock_ex);
	person_add(flock_ex);
	person_add(flock_ex);
	f = fopen("/proc/locks", "r");
	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		unsigned long number = strtoul(line, NULL, 10);
		bool waits = strstr(line, "->");

		waiting += waits;
		CHECK_EQ(number, last + !waits);
		last = number;
	}
	fclose(f);
	CHECK(waiting >= 2);
}

TEST_MAIN(CASE(flock_waiters_queue), CASE(who_gives_up_goes),
	  CASE(ranges_queue_where_they_meet), CASE(a_smaller_lock_lets_in),
	  CASE(breakers_of_leases), CASE(a_read_lease_and_its_breakers),
	  CASE(waiters_share_the_number))
