/* wait4(2), waitid(2) and SIGCHLD in their corners. */
#include "diff.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int exit3(void)
{
	return 3;
}

static void say_info(const char *label, const siginfo_t *i, pid_t pid)
{
	say("%s: signo %d code %d status %d uid %d pid %s", label, i->si_signo,
	    i->si_code, i->si_status, (int)i->si_uid,
	    i->si_pid == pid ? "right"
	    : i->si_pid	     ? "odd"
			     : "0");
}

DIFF_CASE(wait_no_children)
{
	siginfo_t info;
	TRY(wait(NULL));
	TRY(waitpid(-1, NULL, WNOHANG));
	TRY(waitpid(getpid(), NULL, 0));
	TRY(waitpid(getppid(), NULL, 0));
	TRY(waitpid(0, NULL, 0));
	TRY(waitpid(-9999, NULL, 0));
	TRY(syscall(SYS_wait4, 0x80000000, NULL, 0, NULL));
	TRY(waitid(P_ALL, 0, &info, WEXITED));
	TRY(waitid(P_PGID, 0, &info, WEXITED));
}

DIFF_CASE(wait_bad_options)
{
	siginfo_t info;
	pid_t pid = child_of(exit3);
	TRY(waitpid(-1, NULL, 0x100));
	TRY(waitpid(-1, NULL, WEXITED));
	TRY(waitpid(-1, NULL, WNOWAIT));
	TRY(waitid(P_ALL, 0, &info, 0));
	TRY(waitid(P_ALL, 0, &info, WNOHANG));
	TRY(waitid(P_ALL, 0, &info, 0x100 | WEXITED));
	TRY(waitid((idtype_t)9, 0, &info, WEXITED));
	TRY(waitid(P_PID, 0, &info, WEXITED));
	TRY(waitid(P_PID, (id_t)-1, &info, WEXITED));
	TRY(waitid(P_PGID, (id_t)-1, &info, WEXITED));
	say_status("child", reap(pid));
}

DIFF_CASE(wait_nohang)
{
	pid_t pid = child_of(sleeper);
	int status = 77;
	TRY(waitpid(pid, &status, WNOHANG));
	SHOW(status);
	kill(pid, SIGKILL);
	say_status("child", reap(pid));
	TRY(waitpid(pid, &status, WNOHANG));
}

DIFF_CASE(wait_bad_pointers)
{
	pid_t pid = child_of(exit3);
	TRY(waitpid(pid, (int *)8, 0));
	TRY(waitpid(pid, NULL, 0));
	pid = child_of(exit3);
	TRY(syscall(SYS_waitid, P_PID, pid, 8, WEXITED, NULL));
	TRY(waitpid(pid, NULL, 0));
	pid = child_of(exit3);
	TRY(syscall(SYS_wait4, pid, NULL, 0, 8));
	TRY(waitpid(pid, NULL, 0));
	pid = child_of(exit3);
	TRY(syscall(SYS_waitid, P_PID, pid, NULL, WEXITED, NULL));
	TRY(waitpid(pid, NULL, 0));
}

DIFF_CASE(wait_any_in_group)
{
	pid_t pid = fork();
	if (!pid) {
		setpgid(0, 0);
		_exit(1);
	}
	setpgid(pid, pid);
	wait_state(pid, 'Z');
	TRY(waitpid(0, NULL, WNOHANG));
	SHOW(waitpid(-pid, NULL, 0) == pid);
	pid = child_of(exit3);
	SHOW(waitpid(0, NULL, 0) == pid);
	pid = child_of(exit3);
	SHOW(waitpid(-getpgrp(), NULL, 0) == pid);
}

DIFF_CASE(waitid_reports)
{
	siginfo_t info;
	pid_t pid = child_of(exit3);
	memset(&info, 0x55, sizeof info);
	TRY(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	say_info("exited, left", &info, pid);
	TRY(waitid(P_PID, (id_t)pid, &info, WEXITED));
	say_info("exited, taken", &info, pid);
	TRY(waitid(P_PID, (id_t)pid, &info, WEXITED));
	pid = child_of(sleeper);
	memset(&info, 0x55, sizeof info);
	TRY(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG));
	say_info("not yet", &info, pid);
	kill(pid, SIGTERM);
	TRY(waitid(P_PID, (id_t)pid, &info, WEXITED));
	say_info("killed", &info, pid);
}

DIFF_CASE(waitid_stop_and_continue)
{
	siginfo_t info;
	pid_t pid = child_of(sleeper);
	kill(pid, SIGSTOP);
	TRY(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT));
	say_info("stopped, left", &info, pid);
	TRY(waitid(P_PID, (id_t)pid, &info, WSTOPPED));
	say_info("stopped", &info, pid);
	TRY(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG));
	kill(pid, SIGCONT);
	TRY(waitid(P_PID, (id_t)pid, &info, WCONTINUED));
	say_info("continued", &info, pid);
	TRY(waitid(P_PID, (id_t)pid, &info, WCONTINUED | WNOHANG));
	kill(pid, SIGKILL);
	TRY(waitid(P_PID, (id_t)pid, &info, WEXITED));
	say_info("killed", &info, pid);
}

DIFF_CASE(waitpid_stop_and_continue)
{
	int status;
	pid_t pid = child_of(sleeper);
	kill(pid, SIGSTOP);
	SHOW(waitpid(pid, &status, WUNTRACED) == pid);
	say_status("child", status);
	SHOW(waitpid(pid, &status, WUNTRACED | WNOHANG));
	kill(pid, SIGTERM);
	SHOW(waitpid(pid, &status, WUNTRACED | WNOHANG));
	kill(pid, SIGCONT);
	SHOW(waitpid(pid, &status, 0) == pid);
	say_status("child", status);
	pid = child_of(sleeper);
	kill(pid, SIGSTOP);
	SHOW(waitpid(pid, &status, WUNTRACED) == pid);
	kill(pid, SIGCONT);
	SHOW(waitpid(pid, &status, WCONTINUED) == pid);
	say_status("child", status);
	kill(pid, SIGKILL);
	say_status("child", reap(pid));
}

DIFF_CASE(wait_stop_lost_by_continue)
{
	int status;
	pid_t pid = child_of(sleeper);
	kill(pid, SIGSTOP);
	wait_state(pid, 'T');
	kill(pid, SIGCONT);
	wait_asleep(pid);
	SHOW(waitpid(pid, &status, WUNTRACED | WNOHANG));
	SHOW(waitpid(pid, &status, WCONTINUED | WNOHANG) == pid);
	kill(pid, SIGKILL);
	reap(pid);
}

DIFF_CASE(wait_interrupted)
{
	catch (SIGALRM, 0);
	pid_t pid = child_of(sleeper);
	ualarm(20000, 20000);
	TRY(waitpid(pid, NULL, 0));
	ualarm(0, 0);
	SHOW(caught[SIGALRM]);
	siginfo_t info;
	ualarm(20000, 20000);
	TRY(waitid(P_PID, (id_t)pid, &info, WEXITED));
	ualarm(0, 0);
	kill(pid, SIGKILL);
	say_status("child", reap(pid));
}

static void on_child_kill(int sig)
{
	caught[sig]++;
}

DIFF_CASE(wait_restarts)
{
	struct sigaction sa = { .sa_handler = on_child_kill, .sa_flags = SA_RESTART };
	sigaction(SIGALRM, &sa, NULL);
	pid_t pid = fork();
	if (!pid) {
		nap(100);
		_exit(4);
	}
	ualarm(20000, 0);
	int status = 0;
	SHOW(waitpid(pid, &status, 0) == pid);
	say_status("child", status);
	SHOW(caught[SIGALRM]);
}

DIFF_CASE(wait_children_ignored)
{
	signal(SIGCHLD, SIG_IGN);
	pid_t a = child_of(exit3), b = child_of(exit3);
	TRY(waitpid(a, NULL, 0));
	TRY(waitpid(b, NULL, 0));
	TRY(wait(NULL));
	struct sigaction sa = { .sa_handler = on_child_kill, .sa_flags = SA_NOCLDWAIT };
	sigaction(SIGCHLD, &sa, NULL);
	child_of(exit3);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	say("%s; SIGCHLD came: %d", err_name(errno), (int)caught[SIGCHLD]);
}

DIFF_CASE(wait_ignored_sigchld_after_exit)
{
	pid_t pid = child_of(exit3);
	wait_state(pid, 'Z');
	signal(SIGCHLD, SIG_IGN);
	SHOW(waitpid(pid, NULL, WNOHANG) == pid);
	TRY(waitpid(pid, NULL, WNOHANG));
}

/* SIGCHLD may come after the wait that it announces. */
static void wait_caught(int n)
{
	while (caught[SIGCHLD] < n)
		nap(1);
}

DIFF_CASE(sigchld_info)
{
	catch (SIGCHLD, SA_SIGINFO);
	pid_t pid = child_of(exit3);
	reap(pid);
	wait_caught(1);
	say_info("exit", &caught_info, pid);
	pid = child_of(sleeper);
	kill(pid, SIGSTOP);
	wait_caught(2);
	say_info("stop", &caught_info, pid);
	kill(pid, SIGCONT);
	wait_caught(3);
	say_info("continue", &caught_info, pid);
	kill(pid, SIGKILL);
	wait_caught(4);
	say_info("kill", &caught_info, pid);
	say_status("child", reap(pid));
}

DIFF_CASE(sigchld_nocldstop)
{
	catch (SIGCHLD, SA_SIGINFO | SA_NOCLDSTOP);
	pid_t pid = child_of(sleeper);
	int status;
	kill(pid, SIGSTOP);
	SHOW(waitpid(pid, &status, WUNTRACED) == pid);
	kill(pid, SIGCONT);
	SHOW(waitpid(pid, &status, WCONTINUED) == pid);
	SHOW(caught[SIGCHLD]);
	kill(pid, SIGKILL);
	reap(pid);
	SHOW(caught[SIGCHLD]);
}

DIFF_CASE(wait_rusage)
{
	struct rusage ru;
	memset(&ru, 0x55, sizeof ru);
	pid_t pid = fork();
	if (!pid) {
		int64_t end = now_ns() + 30000000;
		while (now_ns() < end)
			;
		_exit(0);
	}
	SHOW(wait4(pid, NULL, 0, &ru) == pid);
	SHOW(ru.ru_minflt > 0);
	SHOW(ru.ru_utime.tv_sec == 0);
	SHOW(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec > 0);
	SHOW(ru.ru_ixrss | ru.ru_idrss | ru.ru_isrss | ru.ru_nswap | ru.ru_nsignals);
	struct rusage all;
	getrusage(RUSAGE_CHILDREN, &all);
	SHOW(all.ru_maxrss >= ru.ru_maxrss);
	memset(&ru, 0x55, sizeof ru);
	pid = child_of(sleeper);
	SHOW(wait4(pid, NULL, WNOHANG, &ru));
	SHOW(ru.ru_maxrss == 0x5555555555555555);
	kill(pid, SIGKILL);
	reap(pid);
}

DIFF_CASE(wait_zombie_takes_signals)
{
	pid_t pid = child_of(exit3);
	wait_state(pid, 'Z');
	TRY(kill(pid, 0));
	TRY(kill(pid, SIGKILL));
	SHOW(getpgid(pid) == getpgrp());
	SHOW(getsid(pid) == getsid(0));
	TRY(setpgid(pid, pid));
	say_status("child", reap(pid));
	TRY(kill(pid, 0));
	TRY(getpgid(pid));
}

DIFF_CASE(wait_oldest_first)
{
	pid_t pids[4];
	for (int i = 0; i < 4; i++) {
		pids[i] = fork();
		if (!pids[i])
			_exit(i);
		wait_state(pids[i], 'Z');
	}
	for (int i = 0; i < 4; i++) {
		int status;
		pid_t got = wait(&status);
		say("child %d is the %s", WEXITSTATUS(status),
		    got == pids[i] ? "next made" : "wrong one");
	}
}
