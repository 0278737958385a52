/* Leases: fcntl(2), F_SETLEASE and F_GETLEASE. */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int held; /* the open file that has the lease */

static void hold(int flags, int type)
{
	make_file("f", "0123456789");
	held = open("f", flags);
	NEED(held >= 0);
	TRY(fcntl(held, F_SETLEASE, type));
}

/* "WHAT: seen as TYPE" */
static void say_lease(const char *what)
{
	static const char *const names[] = { "a read lease", "a write lease", "none" };
	int type = fcntl(held, F_GETLEASE);
	say("%s: %s", what, type < 0 ? err_name(errno) : names[type]);
}

/* One open that must not wait, in this process; closed again. */
static void say_open(const char *what, int flags)
{
	int fd = open("f", flags | O_NONBLOCK);
	say("%s: %s", what, fd < 0 ? err_name(errno) : "open");
	if (fd >= 0)
		close(fd);
}

DIFF_CASE(lease_needs_no_other_opens)
{
	make_file("f", "x");
	int rd = open("f", O_RDONLY), wr = open("f", O_WRONLY);
	TRY(fcntl(rd, F_SETLEASE, F_RDLCK));
	TRY(fcntl(rd, F_SETLEASE, F_WRLCK));
	TRY(fcntl(wr, F_SETLEASE, F_RDLCK));
	TRY(fcntl(wr, F_SETLEASE, F_WRLCK));
	close(rd);
	TRY(fcntl(wr, F_SETLEASE, F_RDLCK));
	TRY(fcntl(wr, F_SETLEASE, F_WRLCK));
	TRY(fcntl(wr, F_GETLEASE));
	TRY(fcntl(wr, F_SETLEASE, F_UNLCK));
	TRY(fcntl(wr, F_SETLEASE, F_UNLCK));
	close(wr);
	rd = open("f", O_RDONLY);
	TRY(fcntl(rd, F_SETLEASE, F_WRLCK));
	TRY(fcntl(rd, F_SETLEASE, F_RDLCK));
	TRY(fcntl(rd, F_SETLEASE, F_WRLCK));
	TRY(fcntl(rd, F_SETLEASE, F_UNLCK));
	int rw = open("f", O_RDWR);
	TRY(fcntl(rw, F_SETLEASE, F_WRLCK));
	close(rd);
	TRY(fcntl(rw, F_SETLEASE, F_RDLCK));
	TRY(fcntl(rw, F_SETLEASE, F_WRLCK));
}

DIFF_CASE(lease_read_is_shared)
{
	hold(O_RDONLY, F_RDLCK);
	int other = open("f", O_RDONLY);
	TRY(fcntl(other, F_GETLEASE));
	TRY(fcntl(other, F_SETLEASE, F_RDLCK));
	TRY(fcntl(other, F_SETLEASE, F_WRLCK));
	TRY(fcntl(held, F_SETLEASE, F_WRLCK));
	TRY(fcntl(other, F_SETLEASE, F_UNLCK));
	TRY(fcntl(held, F_SETLEASE, F_WRLCK));
	close(other);
	TRY(fcntl(held, F_SETLEASE, F_WRLCK));
	say_lease("at the end");
}

DIFF_CASE(lease_arguments)
{
	make_file("f", "x");
	mkfifo("p", 0600);
	symlink("f", "l");
	int fd = open("f", O_RDONLY), dir = open(".", O_RDONLY), path = open("f", O_PATH),
	    pipe = open("p", O_RDWR), null = open("/dev/null", O_RDONLY), p[2];
	NEED(!pipe2(p, 0));
	TRY(fcntl(fd, F_SETLEASE, 7));
	TRY(fcntl(fd, F_SETLEASE, -1));
	TRY(fcntl(fd, F_SETLEASE, 4));
	TRY(fcntl(99, F_SETLEASE, F_RDLCK));
	TRY(fcntl(99, F_GETLEASE));
	TRY(fcntl(dir, F_SETLEASE, F_RDLCK));
	TRY(fcntl(dir, F_GETLEASE));
	TRY(fcntl(dir, F_SETLEASE, F_UNLCK));
	TRY(fcntl(path, F_SETLEASE, F_RDLCK));
	TRY(fcntl(path, F_GETLEASE));
	TRY(fcntl(pipe, F_SETLEASE, F_RDLCK));
	TRY(fcntl(pipe, F_GETLEASE));
	TRY(fcntl(null, F_SETLEASE, F_RDLCK));
	TRY(fcntl(p[0], F_SETLEASE, F_RDLCK));
	TRY(fcntl(p[0], F_SETLEASE, F_UNLCK));
	TRY(fcntl(p[0], F_SETLEASE, 7));
}

DIFF_CASE(lease_is_for_the_owner)
{
	make_file("mine", "x");
	chmod("mine", 0666);
	make_file("theirs", "x");
	chown("theirs", 1234, 1234);
	int mine = open("mine", O_RDONLY), dir = open(".", O_RDONLY);
	become_nobody();
	int theirs = open("theirs", O_RDONLY);
	TRY(fcntl(mine, F_SETLEASE, F_RDLCK));
	TRY(fcntl(mine, F_SETLEASE, F_UNLCK));
	TRY(fcntl(mine, F_SETLEASE, 9));
	TRY(fcntl(mine, F_GETLEASE));
	TRY(fcntl(dir, F_SETLEASE, F_RDLCK));
	TRY(fcntl(theirs, F_SETLEASE, F_RDLCK));
	TRY(fcntl(theirs, F_SETLEASE, F_UNLCK));
}

DIFF_CASE(lease_break_without_waiting)
{
	catch (SIGIO, 0);
	hold(O_RDWR, F_WRLCK);
	say_open("read", O_RDONLY);
	SHOW(caught[SIGIO]);
	say_lease("broken by a reader");
	say_open("read again", O_RDONLY);
	SHOW(caught[SIGIO]);
	say_open("write", O_WRONLY);
	SHOW(caught[SIGIO]);
	say_lease("broken by a writer");
	say_open("write again", O_RDWR);
	say_open("read again", O_RDONLY);
	SHOW(caught[SIGIO]);
	TRY(fcntl(held, F_SETLEASE, F_RDLCK));
	TRY(fcntl(held, F_SETLEASE, F_UNLCK));
	say_open("read", O_RDONLY);
	say_open("write", O_WRONLY);
	SHOW(caught[SIGIO]);
}

DIFF_CASE(lease_read_and_who_breaks_it)
{
	catch (SIGIO, 0);
	hold(O_RDONLY, F_RDLCK);
	say_open("read", O_RDONLY);
	say_open("cut", O_RDONLY | O_TRUNC);
	say_open("path", O_PATH);
	say_open("make", O_RDONLY | O_CREAT);
	TRY(chmod("f", 0600));
	TRY(link("f", "g"));
	TRY(rename("g", "h"));
	TRY(unlink("h"));
	struct stat st;
	TRY(stat("f", &st));
	SHOW(caught[SIGIO]);
	say_lease("not broken");
	say_open("write", O_WRONLY);
	SHOW(caught[SIGIO]);
	say_lease("broken");
	TRY(fcntl(held, F_SETLEASE, F_RDLCK));
	say_lease("asked for again");
	TRY(fcntl(held, F_SETLEASE, F_UNLCK));
	say_open("write", O_WRONLY);
}

DIFF_CASE(lease_weakened)
{
	catch (SIGIO, 0);
	hold(O_RDONLY, F_WRLCK);
	say_open("read", O_RDONLY);
	say_lease("broken by a reader");
	TRY(fcntl(held, F_SETLEASE, F_WRLCK));
	say_lease("asked for the same");
	TRY(fcntl(held, F_SETLEASE, F_RDLCK));
	say_lease("weakened");
	say_open("read", O_RDONLY);
	SHOW(caught[SIGIO]);
	say_open("write", O_WRONLY);
	SHOW(caught[SIGIO]);
	TRY(fcntl(held, F_SETLEASE, F_UNLCK));
}

/* The lease's holder is the parent, which the handler ends it for. */
static volatile sig_atomic_t to_type;

static void give_up(int sig)
{
	caught[sig]++;
	fcntl(held, F_SETLEASE, (int)to_type);
}

static int opens_write(void)
{
	int fd = open("f", O_WRONLY);
	return fd < 0 ? 1 : 0;
}

static int opens_read(void)
{
	int fd = open("f", O_RDONLY);
	return fd < 0 ? 1 : 0;
}

static int cuts(void)
{
	return truncate("f", 3) ? 1 : 0;
}

static void say_waits(const char *what, int type, int (*fn)(void))
{
	to_type = type;
	pid_t pid = child_of(fn);
	say_status(what, reap(pid));
	SHOW(caught[SIGIO]);
	say_lease("left");
}

DIFF_CASE(lease_break_waits)
{
	signal(SIGIO, give_up);
	hold(O_RDONLY, F_WRLCK);
	say_waits("reader", F_RDLCK, opens_read);
	say_waits("reader", F_RDLCK, opens_read);
	say_waits("writer", F_UNLCK, opens_write);
	TRY(fcntl(held, F_SETLEASE, F_RDLCK));
	say_waits("truncate", F_UNLCK, cuts);
	say_file("f");
}

static int lets_go_and_opens(void)
{
	close(held);
	return opens_write();
}

DIFF_CASE(lease_ends_with_its_file)
{
	block_signal(SIGIO);
	hold(O_RDWR, F_WRLCK);
	int twin = dup(held);
	close(held);
	held = twin;
	say_lease("after a close");
	say_open("write", O_WRONLY);
	pid_t pid = child_of(lets_go_and_opens);
	wait_asleep(pid);
	close(twin);
	say_status("writer", reap(pid));
}

static int ends_it(void)
{
	return fcntl(held, F_SETLEASE, F_UNLCK) ? errno : 0;
}

DIFF_CASE(lease_is_of_the_open_file)
{
	hold(O_RDONLY, F_RDLCK);
	say_status("a child ends it", reap(child_of(ends_it)));
	say_lease("afterwards");
	TRY(fcntl(held, F_SETLEASE, F_RDLCK));
	int again = open("f", O_RDONLY);
	TRY(fcntl(again, F_SETLEASE, F_UNLCK));
	TRY(fcntl(again, F_GETLEASE));
}

static void catch_info(int sig, siginfo_t *info, void *context)
{
	caught[sig]++;
	caught_info = *info;
}

DIFF_CASE(lease_signal_info)
{
	struct sigaction sa = { .sa_sigaction = catch_info, .sa_flags = SA_SIGINFO };
	sigaction(SIGRTMIN + 3, &sa, NULL);
	sigaction(SIGIO, &sa, NULL);
	make_file("f", "x");
	held = open("f", O_RDWR);
	TRY(fcntl(held, F_SETSIG, SIGRTMIN + 3));
	TRY(fcntl(held, F_SETLEASE, F_WRLCK));
	SHOW(fcntl(held, F_GETOWN) == getpid());
	say_open("read", O_RDONLY);
	SHOW(caught[SIGRTMIN + 3]);
	SHOW(caught_info.si_code);
	SHOW(caught_info.si_fd == held);
	SHOW(caught_info.si_band);
	int twin = dup(held);
	TRY(fcntl(twin, F_SETLEASE, F_WRLCK));
	say_open("write", O_WRONLY);
	SHOW(caught_info.si_fd == twin);
	TRY(fcntl(held, F_SETLEASE, F_UNLCK));
	TRY(fcntl(held, F_GETSIG));
	TRY(fcntl(held, F_GETOWN));
}

DIFF_CASE(lease_owner_is_kept)
{
	make_file("f", "x");
	pid_t child = child_of(sleeper);
	held = open("f", O_RDONLY);
	TRY(fcntl(held, F_SETOWN, child));
	TRY(fcntl(held, F_SETLEASE, F_RDLCK));
	SHOW(fcntl(held, F_GETOWN) == child);
	say_open("write", O_WRONLY);
	say_status("owner", reap(child));
}

DIFF_CASE(lease_interrupted)
{
	hold(O_RDWR, F_WRLCK);
	block_signal(SIGIO);
	catch (SIGALRM, 0);
	ualarm(30000, 30000);
	TRY(open("f", O_RDONLY));
	ualarm(0, 0);
	SHOW(caught[SIGALRM]);
	ualarm(30000, 30000);
	TRY(truncate("f", 0));
	ualarm(0, 0);
	say_lease("at the end");
}

DIFF_CASE(lease_of_who_executes)
{
	char buf[4096];
	int in = open("/proc/self/exe", O_RDONLY), n;
	int out = open("f", O_WRONLY | O_CREAT, 0755);
	while ((n = (int)read(in, buf, sizeof buf)) > 0)
		NEED(write(out, buf, (size_t)n) == n);
	close(out);
	close(in);
	held = open("f", O_RDONLY);
	signal(SIGIO, give_up);
	TRY(fcntl(held, F_SETLEASE, F_WRLCK));
	to_type = F_UNLCK;
	pid_t pid = fork();
	if (!pid) {
		execl("f", "f", "--list", NULL);
		_exit(1);
	}
	SHOW(reap(pid));
	SHOW(caught[SIGIO]);
}

DIFF_CASE(lease_of_a_mapped_file)
{
	make_file("f", "x");
	int fd = open("f", O_RDWR);
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	NEED(p != MAP_FAILED);
	held = open("f", O_RDONLY);
	close(fd);
	TRY(fcntl(held, F_SETLEASE, F_RDLCK));
	munmap(p, 4096);
	TRY(fcntl(held, F_SETLEASE, F_RDLCK));
}

DIFF_CASE(lease_of_a_memfd)
{
	held = memfd_create("m", 0);
	TRY(fcntl(held, F_SETLEASE, F_RDLCK));
	TRY(fcntl(held, F_SETLEASE, F_WRLCK));
	say_lease("memfd");
}

/* Without the pid and the device. */
static void say_locks(void)
{
	FILE *f = fopen("/proc/locks", "r");
	struct stat st;
	char line[256], kind[16], how[16], type[16];
	int pid;
	unsigned long dev1, dev2, ino;
	NEED(f && !fstat(held, &st));
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "%*s %15s %15s %15s %d %lx:%lx:%lu", kind, how, type,
			   &pid, &dev1, &dev2, &ino) != 7 ||
		    ino != st.st_ino || strcmp(kind, "LEASE"))
			continue;
		char *from = strchr(line, ' ') + 1;
		say("%.22s%s", from,
		    pid == getpid() ? " of this process" : " of another");
		say("range%s",
		    strrchr(line, ':') + 1 + strcspn(strrchr(line, ':') + 1, " "));
	}
	fclose(f);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", held);
	f = fopen(path, "r");
	NEED(f);
	while (fgets(line, sizeof line, f)) {
		if (!strncmp(line, "lock:", 5))
			say("%.30s", line);
	}
	fclose(f);
}

DIFF_CASE(lease_in_proc)
{
	signal(SIGIO, SIG_IGN);
	hold(O_RDWR, F_WRLCK);
	say_locks();
	say_open("read", O_RDONLY);
	say_locks();
	say_open("write", O_WRONLY);
	say_locks();
	TRY(fcntl(held, F_SETLEASE, F_UNLCK));
	say_locks();
}

DIFF_CASE(lease_survives_locks)
{
	hold(O_RDWR, F_WRLCK);
	struct flock l = { .l_type = F_WRLCK };
	TRY(fcntl(held, F_SETLK, &l));
	TRY(lockf(held, F_ULOCK, 0));
	TRY(ftruncate(held, 3));
	TRY(fallocate(held, 0, 0, 10));
	TRY(write(held, "abc", 3));
	say_lease("after its own writes");
}
