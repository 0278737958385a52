/* Processes, threads, scheduling, signals, timers. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

void stress_fork(struct stress *s)
{
	while (stress_on(s)) {
		pid_t pids[8];
		int status;
		for (int i = 0; i < 8; i++) {
			pids[i] = fork();
			if (!pids[i])
				_exit(i);
			NEED(s, pids[i] > 0);
		}
		for (int i = 7; i >= 0; i--)
			NEED(s,
			     waitpid(pids[i], &status, 0) == pids[i] && status == i << 8);
	}
}

void stress_vfork_exec(struct stress *s)
{
	while (stress_on(s)) {
		int status;
		pid_t pid = vfork();
		if (!pid) {
			execl("/proc/self/exe", "stress", "--child", "7", NULL);
			_exit(99);
		}
		NEED(s, pid > 0 && waitpid(pid, &status, 0) == pid);
		NEED(s, status == 7 << 8);
	}
}

static void *add_one(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
	return arg;
}

void stress_threads(struct stress *s)
{
	while (stress_on(s)) {
		pthread_t t[16];
		atomic_int count = 0;
		for (int i = 0; i < 16; i++)
			NEED(s, !pthread_create(&t[i], NULL, add_one, &count));
		for (int i = 0; i < 16; i++)
			NEED(s, !pthread_join(t[i], NULL));
		NEED(s, count == 16);
	}
}

/* Chains of processes whose parents die first; a subreaper collects them. */
void stress_orphans(struct stress *s)
{
	NEED(s, !prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	while (stress_on(s)) {
		for (int i = 0; i < 4; i++)
			if (!fork()) {
				for (int depth = 0; depth < 6; depth++)
					if (fork() > 0)
						break;
				_exit(0);
			}
		while (wait(NULL) > 0)
			;
		NEED(s, errno == ECHILD);
	}
}

static volatile sig_atomic_t caught;

static void on_signal(int sig)
{
	(void)sig;
	caught++;
}

static void catch (int sig)
{
	sigaction(sig, &(struct sigaction){ .sa_handler = on_signal }, NULL);
}

void stress_signal(struct stress *s)
{
	sigset_t usr1, none;
	catch (SIGUSR1);
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	pid_t parent = getpid(), pid = fork();
	if (!pid)
		for (;;) { /* ping-pong */
			kill(parent, SIGUSR1);
			sigsuspend(&none);
		}
	while (stress_on(s)) {
		sigsuspend(&none);
		NEED(s, !kill(pid, SIGUSR1));
	}
	kill(pid, SIGKILL);
	NEED(s, waitpid(pid, NULL, 0) == pid);
	NEED(s, caught > 0);
}

void stress_signal_queue(struct stress *s)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (stress_on(s)) {
		siginfo_t info;
		for (int i = 0; i < 100; i++)
			NEED(s, !sigqueue(getpid(), SIGRTMIN,
					  (union sigval){ .sival_int = i }));
		for (int i = 0; i < 100; i++)
			NEED(s, sigwaitinfo(&set, &info) == SIGRTMIN &&
					info.si_value.sival_int == i);
	}
}

void stress_timers(struct stress *s)
{
	struct itimerval it = { { 0, 500 }, { 0, 500 } };
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct itimerspec often = { { 0, 300000 }, { 0, 300000 } };
	catch (SIGALRM);
	catch (SIGUSR2);
	NEED(s, !setitimer(ITIMER_REAL, &it, NULL));
	while (stress_on(s)) {
		timer_t t[20];
		uint64_t n;
		int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
		NEED(s, fd >= 0 && !timerfd_settime(fd, 0, &often, NULL));
		for (int i = 0; i < 20; i++) {
			NEED(s, !timer_create(CLOCK_MONOTONIC, &ev, &t[i]));
			NEED(s, !timer_settime(t[i], 0, &often, NULL));
		}
		for (int i = 0; i < 20; i++)
			usleep(100);
		for (int i = 0; i < 20; i++)
			NEED(s, !timer_delete(t[i]));
		(void)!read(fd, &n, sizeof n);
		close(fd);
	}
	it = (struct itimerval){ 0 };
	setitimer(ITIMER_REAL, &it, NULL);
	NEED(s, caught > 10);
}

void stress_stop_continue(struct stress *s)
{
	pid_t pid = fork();
	int status;
	if (!pid)
		for (volatile int i = 0;; i++)
			if (i % 1000 == 0)
				sched_yield();
	while (stress_on(s)) {
		NEED(s, !kill(pid, SIGSTOP));
		NEED(s, waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
		NEED(s, !kill(pid, SIGCONT));
		NEED(s, waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	}
	kill(pid, SIGKILL);
	NEED(s, waitpid(pid, &status, 0) == pid && status == SIGKILL);
}

void stress_yield(struct stress *s)
{
	while (stress_on(s))
		for (int i = 0; i < 1000; i++)
			sched_yield();
}

void stress_nice(struct stress *s)
{
	while (stress_on(s)) {
		int level = (int)(stress_random(s) % 20);
		NEED(s, !setpriority(PRIO_PROCESS, 0, level));
		NEED(s, getpriority(PRIO_PROCESS, 0) == level);
		for (volatile int i = 0; i < 100000; i++)
			;
	}
}

void stress_affinity(struct stress *s)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	while (stress_on(s)) {
		cpu_set_t set;
		int cpu = (int)(stress_random(s) % (unsigned)cpus);
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		NEED(s, !sched_setaffinity(0, sizeof set, &set));
		NEED(s, sched_getcpu() == cpu);
		pid_t pid = fork();
		if (!pid)
			_exit(sched_getcpu() != cpu);
		int status;
		NEED(s, waitpid(pid, &status, 0) == pid && status == 0);
	}
}

/* Vector registers across switches, signals and other processes' use of them. */
void stress_vector_state(struct stress *s)
{
	struct itimerval it = { { 0, 1000 }, { 0, 1000 } };
	catch (SIGALRM);
	setitimer(ITIMER_REAL, &it, NULL);
	while (stress_on(s)) {
		uint64_t in = (uint64_t)stress_random(s) << 32 | stress_random(s), out[2];
		__asm__ volatile("movq %2, %%xmm7; movq %2, %%xmm15; mov $200000, %%ecx\n"
				 "1: dec %%ecx; jnz 1b\n"
				 "mov $24, %%eax; syscall\n" /* sched_yield */
				 "movq %%xmm7, %0; movq %%xmm15, %1"
				 : "=r"(out[0]), "=r"(out[1])
				 : "r"(in)
				 : "rax", "rcx", "r11", "xmm7", "xmm15", "memory");
		NEED(s, out[0] == in && out[1] == in);
	}
}

void stress_sleep(struct stress *s)
{
	while (stress_on(s)) {
		struct timespec t = { 0, stress_random(s) % 2000000 }, a, b;
		clock_gettime(CLOCK_MONOTONIC, &a);
		NEED(s, !nanosleep(&t, NULL));
		clock_gettime(CLOCK_MONOTONIC, &b);
		NEED(s, (b.tv_sec - a.tv_sec) * 1000000000 + b.tv_nsec - a.tv_nsec >=
				t.tv_nsec);
	}
}

void stress_system_calls(struct stress *s)
{
	while (stress_on(s))
		for (int i = 0; i < 1000; i++) {
			NEED(s, syscall(SYS_getpid) == getpid());
			NEED(s, syscall(-1) == -1 && errno == ENOSYS);
		}
}
