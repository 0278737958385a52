/* seccomp(2): who may install what, and what filters do to the thread's own calls. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "common/filter.h"
#include "common/tap.h"

/* ---- installing ---- */

static void a_filter_wants_no_new_privs_or_privilege(void)
{
	tap_needs_root();
	CHECK_EQ(filter_call(0, SYS_getppid, SECCOMP_RET_ERRNO | EPERM), 0);
	CHECK_ERR(syscall(SYS_getppid), EPERM);
	CHECK_EQ(syscall(SYS_setresuid, 1000, 1000, 1000), 0);
	CHECK_ERR(filter_call(0, SYS_getpgrp, SECCOMP_RET_ERRNO), EACCES);
	CHECK_ERR(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL), EFAULT);
	no_new_privs();
	CHECK_EQ(filter_call(0, SYS_getpgrp, SECCOMP_RET_ERRNO | 7), 0);
	CHECK_ERR(syscall(SYS_getpgrp), 7);
}

static void bad_arguments(void)
{
	struct sock_filter one = ALLOW;
	struct sock_fprog p = { 0, &one };
	uint32_t action = SECCOMP_RET_ALLOW;

	no_new_privs();
	CHECK_ERR(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1 << 10, &p), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p), EINVAL);
	p = (struct sock_fprog){ 1, (struct sock_filter *)8 };
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p), EFAULT);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, &p), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &action), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, &action), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, NULL), EFAULT);
	CHECK_ERR(prctl(PR_SET_SECCOMP, 0, NULL), EINVAL);
	CHECK_ERR(prctl(PR_SET_SECCOMP, 3, NULL), EINVAL);
	CHECK_ERR(FILTER(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, ALLOW), EINVAL);
	CHECK_ERR(FILTER(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER,
			 ALLOW),
		  EINVAL);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
}

static void bad_filters(void)
{
	static struct sock_filter many[4097];

	no_new_privs();
	CHECK_ERR(FILTER(0, LOAD(nr)), EINVAL);
	CHECK_ERR(FILTER(0, ALLOW, BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)-2), ALLOW),
		  EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(BPF_JMP | BPF_JA, 1), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, IF_EQ(0, 1, 0), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, -4096), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(BPF_LD | BPF_MEM, 0), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(BPF_ST, 16), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), ALLOW), EINVAL);
	CHECK_ERR(FILTER(0, BPF_STMT(0xffff, 0), ALLOW), EINVAL);
	for (size_t i = 0; i < 4097; i++)
		many[i] = (struct sock_filter)ALLOW;
	CHECK_ERR(filter_install(0, many, 4097), EINVAL);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	CHECK_EQ(filter_install(0, many, 4096), 0);
	CHECK_EQ(prctl(PR_GET_SECCOMP), 2);
}

/* Linux counts its own translation of the instructions: somewhat fewer fit. */
static void filters_are_limited_in_all(void)
{
	static struct sock_filter many[4096];
	int n = 0;

	no_new_privs();
	for (size_t i = 0; i < 4096; i++)
		many[i] = (struct sock_filter)ALLOW;
	while (n < 20 && !filter_install(0, many, 4096))
		n++;
	CHECK_EQ(errno, ENOMEM);
	CHECK(n >= 3 && n < 8);
	int small = 0;
	while (small < 9000 && !FILTER(0, ALLOW))
		small++;
	CHECK_EQ(errno, ENOMEM);
	CHECK(small > 100 && small < 9000);
	CHECK_EQ(getppid() > 0, 1);
	/* and a child starts with them */
	pid_t pid = fork();
	if (!pid)
		_exit(FILTER(0, ALLOW) == -1 && errno == ENOMEM ? 0 : 1);
	CHECK_EQ(tap_wait(pid), 0);
}

static void what_is_available(void)
{
	static const uint32_t all[] = { SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
					SECCOMP_RET_TRAP,	  SECCOMP_RET_ERRNO,
					SECCOMP_RET_USER_NOTIF,	  SECCOMP_RET_TRACE,
					SECCOMP_RET_LOG,	  SECCOMP_RET_ALLOW };
	struct seccomp_notif_sizes s;
	uint32_t none = 0x00010000, data = SECCOMP_RET_ERRNO | 1;
	char text[256] = "";

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		CHECK_EQ(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &all[i]), 0);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &none), EOPNOTSUPP);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &data), EOPNOTSUPP);
	CHECK_EQ(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &s), 0);
	CHECK_EQ(s.seccomp_notif, sizeof(struct seccomp_notif));
	CHECK_EQ(s.seccomp_notif_resp, sizeof(struct seccomp_notif_resp));
	CHECK_EQ(s.seccomp_data, sizeof(struct seccomp_data));
	int fd = open("/proc/sys/kernel/seccomp/actions_avail", O_RDONLY);
	CHECK(read(fd, text, sizeof text) > 0);
	CHECK(!strcmp(text, "kill_process kill_thread trap errno user_notif trace log "
			    "allow\n"));
}

/* ---- what it does ---- */

static void errors_are_given_and_capped(void)
{
	no_new_privs();
	CHECK_EQ(filter_call(0, 500, SECCOMP_RET_ERRNO | 0xffff), 0);
	CHECK_ERR(syscall(500), 4095);
	CHECK_EQ(filter_call(0, SYS_getpgrp, SECCOMP_RET_ERRNO), 0);
	CHECK_EQ(syscall(SYS_getpgrp), 0);
	CHECK_EQ(getppid() > 0, 1);
}

static void arguments_are_seen_as_64_bits(void)
{
	no_new_privs();
	/* dup(7 << 32 | 1) */
	CHECK_EQ(FILTER(0, LOAD(nr), IF_EQ(SYS_dup, 0, 4),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(args[0])), IF_EQ(1, 0, 2),
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(args[0]) + 4),
			IF_EQ(7, 1, 0), ALLOW, RET(SECCOMP_RET_ERRNO | 77)),
		 0);
	CHECK(syscall(SYS_dup, 1L) >= 0);
	CHECK_ERR(syscall(SYS_dup, 7L << 32 | 1), 77);
	CHECK(syscall(SYS_dup, 6L << 32 | 1) >= 0);
}

static void architecture_and_address_are_told(void)
{
	no_new_privs();
	CHECK_EQ(FILTER(0, LOAD(arch), IF_EQ(AUDIT_ARCH_X86_64, 1, 0),
			RET(SECCOMP_RET_KILL_PROCESS), LOAD(nr), IF_EQ(500, 0, 3),
			LOAD(instruction_pointer),
			BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xfff),
			BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO)),
		 -1);
	CHECK_EQ(FILTER(0, LOAD(arch), IF_EQ(AUDIT_ARCH_X86_64, 1, 0),
			RET(SECCOMP_RET_KILL_PROCESS), LOAD(nr), IF_EQ(500, 1, 0), ALLOW,
			LOAD(instruction_pointer),
			BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x7ff),
			BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO | 0x800),
			BPF_STMT(BPF_RET | BPF_A, 0)),
		 0);
	uint64_t after;
	long ret;
	__asm__ volatile("syscall\n1: lea 1b(%%rip), %1"
			 : "=a"(ret), "=r"(after)
			 : "a"(500)
			 : "rcx", "r11", "memory");
	CHECK_EQ(-ret, (after & 0x7ff) | 0x800);
}

static void the_sternest_of_several_counts(void)
{
	static const uint32_t mild_to_stern[] = {
		SECCOMP_RET_ALLOW,	 SECCOMP_RET_LOG,	  SECCOMP_RET_TRACE,
		SECCOMP_RET_USER_NOTIF,	 SECCOMP_RET_ERRNO | 9,	  SECCOMP_RET_TRAP,
		SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS
	};
	const size_t n = sizeof mild_to_stern / sizeof mild_to_stern[0];

	for (size_t i = 1; i < n; i++) {
		for (int swap = 0; swap < 2; swap++) {
			pid_t pid = fork();
			if (!pid) {
				no_new_privs();
				filter_call(0, 500, mild_to_stern[swap ? i : i - 1]);
				filter_call(0, 500, mild_to_stern[swap ? i - 1 : i]);
				errno = 0;
				syscall(500);
				_exit(errno);
			}
			int status = tap_wait(pid);
			if (i <= 3) /* nobody traces, nobody listens */
				CHECK_EQ(status, ENOSYS << 8);
			else if (i == 4)
				CHECK_EQ(status, 9 << 8);
			else
				CHECK_EQ(status & 0x7f, SIGSYS);
		}
	}
}

static void of_equals_the_newest_counts(void)
{
	no_new_privs();
	CHECK_EQ(filter_call(0, 500, SECCOMP_RET_ERRNO | 1), 0);
	CHECK_EQ(filter_call(0, 500, SECCOMP_RET_ERRNO | 2), 0);
	CHECK_ERR(syscall(500), 2);
	CHECK_EQ(filter_call(0, 500, SECCOMP_RET_ALLOW), 0);
	CHECK_ERR(syscall(500), 2);
}

static void an_action_without_a_name_kills(void)
{
	pid_t pid = fork();

	if (!pid) {
		no_new_privs();
		filter_call(0, SYS_getppid, 0x00020000);
		getppid();
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGSYS);
}

static void a_logged_call_is_carried_out(void)
{
	no_new_privs();
	CHECK_EQ(filter_call(SECCOMP_FILTER_FLAG_LOG, SYS_getppid, SECCOMP_RET_LOG), 0);
	CHECK(getppid() > 0);
}

static volatile pid_t caller;
static volatile bool came_back;

static void *make_the_call(void *arg)
{
	caller = (pid_t)syscall(SYS_gettid);
	syscall(500);
	came_back = true;
	return NULL;
}

static void killing_a_thread_leaves_the_others(void)
{
	pthread_t t;

	no_new_privs();
	CHECK_EQ(filter_call(0, 500, SECCOMP_RET_KILL_THREAD), 0);
	CHECK_EQ(pthread_create(&t, NULL, make_the_call, NULL), 0);
	while (!caller || !syscall(SYS_tgkill, getpid(), caller, 0))
		usleep(1000);
	CHECK_EQ(errno, ESRCH);
	CHECK(!came_back);
}

static void killing_the_last_thread_ends_the_process(void)
{
	pid_t pid = fork();

	if (!pid) {
		no_new_privs();
		filter_call(0, 500, SECCOMP_RET_KILL_THREAD);
		syscall(500);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGSYS);
}

static void killing_the_process_ends_all_threads(void)
{
	pid_t pid = fork();

	if (!pid) {
		pthread_t t;
		/* a handler is of no use */
		signal(SIGSYS, SIG_IGN);
		no_new_privs();
		filter_call(0, 500, SECCOMP_RET_KILL_PROCESS);
		pthread_create(&t, NULL, make_the_call, NULL);
		pthread_join(t, NULL);
		_exit(0);
	}
	CHECK_EQ(tap_wait(pid) & 0x7f, SIGSYS);
}

/* ---- traps ---- */

static volatile struct {
	siginfo_t info;
	uint64_t rax, rip, rdi;
	int n;
} seen;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	memcpy((void *)&seen.info, info, sizeof *info);
	seen.rax = (uint64_t)c->uc_mcontext.gregs[REG_RAX];
	seen.rip = (uint64_t)c->uc_mcontext.gregs[REG_RIP];
	seen.rdi = (uint64_t)c->uc_mcontext.gregs[REG_RDI];
	seen.n++;
	c->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void a_trap_shows_the_call_and_its_result_can_be_set(void)
{
	struct sigaction act = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };
	long ret;

	CHECK_EQ(sigaction(SIGSYS, &act, NULL), 0);
	no_new_privs();
	CHECK_EQ(filter_call(0, 500, SECCOMP_RET_TRAP | 0xabc), 0);
	uint64_t after;
	__asm__ volatile("syscall\n1: lea 1b(%%rip), %1"
			 : "=a"(ret), "=r"(after)
			 : "a"(500), "D"(99)
			 : "rcx", "r11", "memory");
	CHECK_EQ(seen.n, 1);
	CHECK_EQ(ret, 4711);
	CHECK_EQ(seen.rax, 500);
	CHECK_EQ(seen.rdi, 99);
	CHECK_EQ(seen.rip, after);
	CHECK_EQ(seen.info.si_signo, SIGSYS);
	CHECK_EQ(seen.info.si_code, 1); /* SYS_SECCOMP */
	CHECK_EQ(seen.info.si_errno, 0xabc);
	CHECK_EQ((uint64_t)seen.info.si_call_addr, after);
	CHECK_EQ(seen.info.si_syscall, 500);
	CHECK_EQ(seen.info.si_arch, AUDIT_ARCH_X86_64);
}

static void a_trap_that_is_blocked_or_ignored_kills(void)
{
	for (int ignored = 0; ignored < 2; ignored++) {
		pid_t pid = fork();
		if (!pid) {
			struct sigaction act = { .sa_sigaction = on_sigsys,
						 .sa_flags = SA_SIGINFO };
			sigset_t set;
			if (ignored)
				act.sa_handler = SIG_IGN;
			sigaction(SIGSYS, &act, NULL);
			sigemptyset(&set);
			sigaddset(&set, SIGSYS);
			if (!ignored)
				sigprocmask(SIG_BLOCK, &set, NULL);
			no_new_privs();
			filter_call(0, 500, SECCOMP_RET_TRAP);
			syscall(500);
			_exit(0);
		}
		CHECK_EQ(tap_wait(pid) & 0x7f, SIGSYS);
	}
}

/* ---- strict mode ---- */

static void strict_mode_lets_four_calls_pass(void)
{
	int p[2];
	char c = 0;
	CHECK_EQ(pipe(p), 0);
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
		c = write(p[1], "a", 1) == 1 && read(p[0], &c, 1) == 1 && c == 'a';
		(void)!write(p[1], c ? "y" : "n", 1);
		syscall(SYS_exit, 5);
	}
	CHECK_EQ(tap_wait(pid), 5 << 8);
	CHECK_EQ(read(p[0], &c, 1), 1);
	CHECK_EQ(c, 'y');
}

static void strict_mode_kills_for_others(void)
{
	static const long calls[] = { SYS_getppid, SYS_exit_group, SYS_open,  500, 600,
				      -1,	   SYS_prctl,	   0x40000000 };

	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		pid_t pid = fork();
		if (!pid) {
			signal(SIGSYS, SIG_IGN);
			if (syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL))
				_exit(1);
			syscall(calls[i], 0);
			syscall(SYS_exit, 0);
		}
		CHECK_EQ(tap_wait(pid), SIGKILL);
	}
}

static void filters_and_strict_mode_exclude_each_other(void)
{
	no_new_privs();
	CHECK_EQ(FILTER(0, ALLOW), 0);
	CHECK_ERR(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL), EINVAL);
	CHECK_EQ(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER);
}

/* ---- who has it ---- */

static void children_and_programs_have_it(void)
{
	no_new_privs();
	CHECK_EQ(prctl(PR_GET_SECCOMP), 0);
	CHECK_EQ(filter_call(0, SYS_getpgrp, SECCOMP_RET_ERRNO | 33), 0);
	pid_t pid = fork();
	if (!pid) {
		errno = 0;
		_exit(syscall(SYS_getpgrp) == -1 && prctl(PR_GET_SECCOMP) == 2 ? errno
									       : 1);
	}
	CHECK_EQ(tap_wait(pid), 33 << 8);
	pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), 1);
		execl("/proc/self/exe", "seccomp_filter", "says_what_getpgrp_gives",
		      NULL);
		_exit(99);
	}
	CHECK_EQ(tap_wait(pid), 1 << 8); /* that case fails there */
}

static void says_what_getpgrp_gives(void)
{
	CHECK(syscall(SYS_getpgrp) > 0);
}

static void status_tells(void)
{
	CHECK_EQ(status_field("self", "Seccomp"), 0);
	CHECK_EQ(status_field("self", "Seccomp_filters"), 0);
	no_new_privs();
	CHECK_EQ(FILTER(0, ALLOW), 0);
	CHECK_EQ(FILTER(0, ALLOW), 0);
	CHECK_EQ(status_field("self", "Seccomp"), 2);
	CHECK_EQ(status_field("self", "Seccomp_filters"), 2);
	CHECK_EQ(status_field("self", "NoNewPrivs"), 1);
}

TEST_MAIN(CASE(a_filter_wants_no_new_privs_or_privilege), CASE(bad_arguments),
	  CASE(bad_filters), CASE(filters_are_limited_in_all), CASE(what_is_available),
	  CASE(errors_are_given_and_capped), CASE(arguments_are_seen_as_64_bits),
	  CASE(architecture_and_address_are_told), CASE(the_sternest_of_several_counts),
	  CASE(of_equals_the_newest_counts), CASE(an_action_without_a_name_kills),
	  CASE(a_logged_call_is_carried_out), CASE(killing_a_thread_leaves_the_others),
	  CASE(killing_the_last_thread_ends_the_process),
	  CASE(killing_the_process_ends_all_threads),
	  CASE(a_trap_shows_the_call_and_its_result_can_be_set),
	  CASE(a_trap_that_is_blocked_or_ignored_kills),
	  CASE(strict_mode_lets_four_calls_pass), CASE(strict_mode_kills_for_others),
	  CASE(filters_and_strict_mode_exclude_each_other),
	  CASE(children_and_programs_have_it), CASE(says_what_getpgrp_gives),
	  CASE(status_tells))
