/* Process groups, sessions, orphaned groups. */
#include "diff.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int session_sleeper(void)
{
	setsid();
	return sleeper();
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	reap(pid);
}

DIFF_CASE(setsid_corners)
{
	TRY(setsid());
	pid_t pid = fork();
	if (!pid) {
		SHOW(setsid() == getpid());
		SHOW(getpgrp() == getpid() && getsid(0) == getpid());
		TRY(setsid());
		_exit(0);
	}
	say_status("child", reap(pid));
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		TRY(setsid());
		_exit(0);
	}
	say_status("group leader", reap(pid));
}

DIFF_CASE(setpgid_corners)
{
	TRY(setpgid(0, 0));
	TRY(setpgid(0, -1));
	TRY(setpgid(-1, 0));
	TRY(setpgid(999999, 0));
	TRY(setpgid(getppid(), 0));
	pid_t a = child_of(sleeper), b = child_of(sleeper), s = child_of(session_sleeper);
	wait_asleep(s);
	TRY(setpgid(a, a));
	TRY(setpgid(b, a));
	SHOW(getpgid(b) == a);
	TRY(setpgid(b, 999999));
	TRY(setpgid(b, s));
	TRY(setpgid(s, 0));
	TRY(setpgid(b, getpgrp()));
	TRY(setpgid(b, 0));
	SHOW(getpgid(b) == b);
	end(a);
	end(b);
	end(s);
}

static int exec_then_sleep(void)
{
	exec_helper("pauses", NULL);
	return 1;
}

DIFF_CASE(setpgid_after_exec)
{
	int p[2];
	char b;
	NEED(!pipe2(p, O_CLOEXEC));
	pid_t pid = child_of(exec_then_sleep);
	close(p[1]);
	TRY(read(p[0], &b, 1));
	TRY(setpgid(pid, pid));
	end(pid);
}

DIFF_CASE(kill_group)
{
	pid_t a = child_of(sleeper), b = child_of(sleeper), c = child_of(sleeper);
	setpgid(a, a);
	setpgid(b, a);
	TRY(kill(-a, SIGTERM));
	say_status("a", reap(a));
	say_status("b", reap(b));
	TRY(waitpid(c, NULL, WNOHANG));
	TRY(kill(-a, SIGTERM));
	TRY(kill(-999999, 0));
	TRY(kill(-c, 0));
	end(c);
	TRY(killpg(-1, 0));
	TRY(killpg(getpgrp(), 0));
}

static int waits_for_usr1(void)
{
	while (!caught[SIGUSR1])
		nap(1);
	return 11;
}

DIFF_CASE(kill_own_group)
{
	catch (SIGUSR1, 0);
	pid_t pid = child_of(waits_for_usr1);
	TRY(kill(0, SIGUSR1));
	SHOW(caught[SIGUSR1]);
	say_status("child", reap(pid));
}

static int all_of_mine(void)
{
	become_nobody();
	pid_t a = child_of(sleeper), b = child_of(session_sleeper);
	TRY(kill(-1, SIGTERM));
	say_status("a", reap(a));
	say_status("b", reap(b));
	return 5;
}

DIFF_CASE(kill_all)
{
	say_status("sender", reap(child_of(all_of_mine)));
}

DIFF_CASE(group_orphaned_stopped_gets_hup)
{
	int p[2];
	char b[4];
	NEED(!pipe(p));
	pid_t middle = fork();
	if (!middle) {
		pid_t pid = fork();
		if (!pid) {
			setpgid(0, 0);
			catch (SIGHUP, 0);
			catch (SIGCONT, 0);
			raise(SIGSTOP);
			say("woken: hup %d cont %d", (int)caught[SIGHUP],
			    (int)caught[SIGCONT]);
			NEED(write(p[1], "x", 1) == 1);
			_exit(0);
		}
		setpgid(pid, pid);
		int status;
		waitpid(pid, &status, WUNTRACED);
		say_status("before", status);
		_exit(0);
	}
	reap(middle);
	TRY(read(p[0], b, 4));
}

DIFF_CASE(group_orphaned_running_is_left)
{
	int p[2];
	char b[4];
	NEED(!pipe(p));
	pid_t middle = fork();
	if (!middle) {
		pid_t parent = getpid();
		if (!fork()) {
			setpgid(0, 0);
			while (getppid() == parent)
				nap(1);
			nap(20);
			NEED(write(p[1], "alive", 5) == 5);
			_exit(0);
		}
		nap(20);
		_exit(0);
	}
	reap(middle);
	close(p[1]);
	TRY(read(p[0], b, 4));
	say_bytes("b", b, 4);
}

DIFF_CASE(group_orphaned_ignores_tty_stops)
{
	int status;
	pid_t pid = fork();
	if (!pid) {
		setsid();
		raise(SIGTSTP);
		raise(SIGTTIN);
		raise(SIGTTOU);
		say("not stopped");
		raise(SIGSTOP);
		_exit(0);
	}
	SHOW(waitpid(pid, &status, WUNTRACED) == pid);
	say_status("child", status);
	end(pid);
}

static int open_terminal(int *ret_master)
{
	*ret_master = posix_openpt(O_RDWR | O_NOCTTY);
	NEED(*ret_master >= 0 && !grantpt(*ret_master) && !unlockpt(*ret_master));
	int slave = open(ptsname(*ret_master), O_RDWR | O_NOCTTY);
	NEED(slave >= 0);
	return slave;
}

DIFF_CASE(session_takes_terminal)
{
	int master, slave = open_terminal(&master);
	TRY(open("/dev/tty", O_RDWR));
	TRY(tcgetpgrp(slave));
	TRY(ioctl(slave, TIOCSCTTY, 0));
	SHOW(tcgetpgrp(slave) == getpgrp());
	SHOW(tcgetsid(slave) == getsid(0));
	MAY(open("/dev/tty", O_RDWR));
	TRY(ioctl(slave, TIOCSCTTY, 0));
	pid_t pid = fork();
	if (!pid) {
		setsid();
		TRY(tcgetpgrp(slave));
		TRY(ioctl(slave, TIOCSCTTY, 0));
		TRY(open("/dev/tty", O_RDWR));
		_exit(0);
	}
	say_status("other session", reap(pid));
	signal(SIGHUP, SIG_IGN);
	TRY(ioctl(slave, TIOCNOTTY));
	TRY(open("/dev/tty", O_RDWR));
}

DIFF_CASE(session_terminal_by_open)
{
	int master, slave = open_terminal(&master);
	close(slave);
	slave = open(ptsname(master), O_RDWR);
	SHOW(tcgetsid(slave) == getsid(0));
	pid_t pid = fork();
	if (!pid) {
		MAY(open("/dev/tty", O_RDWR));
		TRY(ioctl(slave, TIOCNOTTY));
		TRY(open("/dev/tty", O_RDWR));
		_exit(0);
	}
	say_status("child", reap(pid));
	MAY(open("/dev/tty", O_RDWR));
}

DIFF_CASE(session_foreground_group)
{
	int master, slave = open_terminal(&master);
	NEED(!ioctl(slave, TIOCSCTTY, 0));
	pid_t a = child_of(sleeper), s = child_of(session_sleeper);
	wait_asleep(s);
	setpgid(a, a);
	TRY(tcsetpgrp(slave, a));
	SHOW(tcgetpgrp(slave) == a);
	TRY(tcsetpgrp(slave, 999999));
	TRY(tcsetpgrp(slave, s));
	TRY(tcsetpgrp(slave, -1));
	TRY(tcsetpgrp(master, getpgrp()));
	SHOW(tcgetpgrp(master) == a);
	end(a);
	end(s);
	TRY(tcsetpgrp(0, getpgrp()));
}

static int background_reader(void)
{
	char b[4];
	setpgid(0, 0);
	TRY(read(open("/dev/tty", O_RDWR), b, 4));
	return 3;
}

DIFF_CASE(session_background_read)
{
	int master, slave = open_terminal(&master), status;
	NEED(!ioctl(slave, TIOCSCTTY, 0));
	pid_t pid = child_of(background_reader);
	SHOW(waitpid(pid, &status, WUNTRACED) == pid);
	say_status("reader", status);
	kill(pid, SIGKILL);
	say_status("reader", reap(pid));
	signal(SIGTTIN, SIG_IGN);
	say_status("ignoring reader", reap(child_of(background_reader)));
}

static int background_writer(void)
{
	setpgid(0, 0);
	TRY(write(open("/dev/tty", O_RDWR), "x", 1));
	return 3;
}

DIFF_CASE(session_background_write)
{
	struct termios t;
	int master, slave = open_terminal(&master), status;
	NEED(!ioctl(slave, TIOCSCTTY, 0));
	say_status("without TOSTOP", reap(child_of(background_writer)));
	tcgetattr(slave, &t);
	t.c_lflag |= TOSTOP;
	tcsetattr(slave, TCSANOW, &t);
	pid_t pid = child_of(background_writer);
	SHOW(waitpid(pid, &status, WUNTRACED) == pid);
	say_status("with TOSTOP", status);
	end(pid);
	signal(SIGTTOU, SIG_IGN);
	say_status("ignoring", reap(child_of(background_writer)));
}

static int leader_with_terminal(void)
{
	int master, slave;
	setsid();
	slave = open_terminal(&master);
	NEED(!ioctl(slave, TIOCSCTTY, 0));
	catch (SIGHUP, 0);
	catch (SIGCONT, 0);
	pid_t pid = fork();
	if (!pid) {
		while (!caught[SIGHUP])
			nap(1);
		nap(20);
		say("foreground: hup %d cont %d", (int)caught[SIGHUP],
		    (int)caught[SIGCONT]);
		TRY(write(slave, "abc", 3));
		TRY(open("/dev/tty", O_RDWR));
		_exit(0);
	}
	nap(30);
	return 0;
}

DIFF_CASE(session_leader_exit_hangs_up)
{
	int p[2];
	char b;
	NEED(!pipe(p));
	pid_t pid = child_of(leader_with_terminal);
	close(p[1]);
	say_status("leader", reap(pid));
	TRY(read(p[0], &b, 1));
}
