/* Signal handlers: frames, stacks, masks, traps, default actions. */
#include "diff.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static struct {
	bool on_stack, in_handler_blocked, other_blocked;
	int depth, deepest, flags;
} seen;
static char *stack;
static stack_t alt;

static bool blocked_now(int sig)
{
	sigset_t set;
	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, sig);
}

static void look(int sig, siginfo_t *info, void *frame)
{
	char here;
	stack_t now;
	seen.on_stack = stack && &here >= stack && &here < stack + 65536;
	seen.in_handler_blocked = blocked_now(sig);
	seen.other_blocked = blocked_now(SIGUSR2);
	sigaltstack(NULL, &now);
	seen.flags = now.ss_flags;
	if (++seen.depth < 3 && caught[sig] < 3)
		raise(sig);
	if (seen.depth > seen.deepest)
		seen.deepest = seen.depth;
	seen.depth--;
	caught[sig]++;
}

static void handle(int flags, int also)
{
	struct sigaction sa = { .sa_sigaction = look, .sa_flags = flags | SA_SIGINFO };
	sigemptyset(&sa.sa_mask);
	if (also)
		sigaddset(&sa.sa_mask, also);
	NEED(!sigaction(SIGUSR1, &sa, NULL));
	memset(&seen, 0, sizeof seen);
	seen.depth = 2;
	raise(SIGUSR1);
	say("on the stack %d, blocked %d, other blocked %d, ss_flags %d", seen.on_stack,
	    seen.in_handler_blocked, seen.other_blocked, seen.flags);
	say("afterwards: blocked %d, other blocked %d", blocked_now(SIGUSR1),
	    blocked_now(SIGUSR2));
}

DIFF_CASE(handler_masks)
{
	handle(0, 0);
	handle(SA_NODEFER, 0);
	handle(0, SIGUSR2);
	handle(SA_NODEFER, SIGUSR1);
}

DIFF_CASE(handler_nests)
{
	struct sigaction sa = { .sa_sigaction = look,
				.sa_flags = SA_SIGINFO | SA_NODEFER };
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	say("nodefer: deepest %d, runs %d", seen.deepest, (int)caught[SIGUSR1]);
	memset(&seen, 0, sizeof seen);
	caught[SIGUSR1] = 0;
	sa.sa_flags = SA_SIGINFO;
	sigaction(SIGUSR1, &sa, NULL);
	seen.depth = 1;
	raise(SIGUSR1);
	say("deferred: deepest %d, runs %d", seen.deepest, (int)caught[SIGUSR1]);
}

DIFF_CASE(handler_resethand)
{
	catch (SIGUSR1, SA_RESETHAND);
	raise(SIGUSR1);
	struct sigaction sa;
	sigaction(SIGUSR1, NULL, &sa);
	SHOW(caught[SIGUSR1]);
	SHOW(sa.sa_handler == SIG_DFL);
	raise(SIGUSR1);
	say("not reached");
}

DIFF_CASE(altstack_use)
{
	stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	alt = (stack_t){ .ss_sp = stack, .ss_size = 65536 };
	TRY(sigaltstack(&alt, NULL));
	handle(0, 0);
	handle(SA_ONSTACK, 0);
	alt.ss_flags = (int)(1u << 31); /* SS_AUTODISARM */
	TRY(sigaltstack(&alt, NULL));
	handle(SA_ONSTACK, 0);
	stack_t now;
	sigaltstack(NULL, &now);
	say("flags 0x%x, same %d", (unsigned)now.ss_flags, now.ss_sp == stack);
}

DIFF_CASE(altstack_corners)
{
	static char small[65536];
	stack_t ss = { .ss_sp = small, .ss_size = 2047 };
	TRY(sigaltstack(&ss, NULL));
	ss.ss_size = sizeof small;
	ss.ss_flags = 4;
	TRY(sigaltstack(&ss, NULL));
	ss.ss_flags = SS_ONSTACK;
	TRY(sigaltstack(&ss, NULL));
	TRY(sigaltstack(NULL, &ss));
	say("flags %d size %zu", ss.ss_flags, ss.ss_size);
	TRY(syscall(SYS_sigaltstack, 8, NULL));
	TRY(syscall(SYS_sigaltstack, NULL, 8));
	ss = (stack_t){ .ss_flags = SS_DISABLE };
	TRY(sigaltstack(&ss, NULL));
	TRY(sigaltstack(NULL, &ss));
	say("flags %d size %zu sp %s", ss.ss_flags, ss.ss_size, ss.ss_sp ? "set" : "0");
}

static void change_stack(int sig)
{
	stack_t off = { .ss_flags = SS_DISABLE };
	caught[sig]++;
	TRY(sigaltstack(&off, NULL));
	TRY(sigaltstack(&alt, NULL));
}

DIFF_CASE(altstack_busy)
{
	static char mine[65536];
	alt = (stack_t){ .ss_sp = mine, .ss_size = sizeof mine };
	TRY(sigaltstack(&alt, NULL));
	struct sigaction sa = { .sa_handler = change_stack, .sa_flags = SA_ONSTACK };
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	SHOW(caught[SIGUSR1]);
}

static void no_more_stack(int sig)
{
	_exit(sig);
}

static char *volatile nowhere = (char *)8;

static void overflow(volatile char *up)
{
	volatile char here[8192];
	here[0] = *up;
	if (up != nowhere)
		overflow(here);
	here[1] = here[0];
}

static int overflows_onto_altstack(void)
{
	static char mine[65536];
	stack_t ss = { .ss_sp = mine, .ss_size = sizeof mine };
	struct sigaction sa = { .sa_handler = no_more_stack, .sa_flags = SA_ONSTACK };
	char c = 0;
	sigaltstack(&ss, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	overflow(&c);
	return 0;
}

static int overflows_onto_nothing(void)
{
	struct sigaction sa = { .sa_handler = no_more_stack };
	char c = 0;
	sigaction(SIGSEGV, &sa, NULL);
	overflow(&c);
	return 0;
}

DIFF_CASE(altstack_saves_from_overflow)
{
	say_status("with one", reap(child_of(overflows_onto_altstack)));
	say_status("without", reap(child_of(overflows_onto_nothing)));
}

static int faults_while_blocked(void)
{
	signal(SIGSEGV, no_more_stack);
	block_signal(SIGSEGV);
	*(volatile char *)nowhere = 0;
	return 0;
}

static int faults_while_ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	*(volatile char *)nowhere = 0;
	return 0;
}

static int aborts_while_ignored(void)
{
	signal(SIGILL, SIG_IGN);
	__asm__ volatile("ud2");
	return 0;
}

DIFF_CASE(handler_forced_signals)
{
	say_status("blocked", reap(child_of(faults_while_blocked)));
	say_status("ignored", reap(child_of(faults_while_ignored)));
	say_status("ud2", reap(child_of(aborts_while_ignored)));
}

static void note_fault(int sig, siginfo_t *info, void *frame)
{
	ucontext_t *u = frame;
	say("%s code %d trapno %lld err %lld", sig_name(sig), info->si_code,
	    (long long)u->uc_mcontext.gregs[REG_TRAPNO],
	    (long long)u->uc_mcontext.gregs[REG_ERR]);
	_exit(0);
}

static void in_child(void (*fn)(void))
{
	pid_t pid = fork();
	if (!pid) {
		struct sigaction sa = { .sa_sigaction = note_fault,
					.sa_flags = SA_SIGINFO };
		for (int sig = 1; sig < 32; sig++)
			sigaction(sig, &sa, NULL);
		fn();
		_exit(1);
	}
	reap(pid);
}

static void divide(void)
{
	__asm__ volatile(
		"xor %%eax, %%eax; xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx" ::
			: "eax", "ecx", "edx");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void invalid(void)
{
	__asm__ volatile("ud2");
}

static void privileged(void)
{
	__asm__ volatile("hlt");
}

static void read_null(void)
{
	(void)*(volatile char *)nowhere;
}

static void write_text(void)
{
	*(volatile char *)(uintptr_t)write_text = 1;
}

static void run_data(void)
{
	static volatile char data[16];
	data[0] = (char)0xc3;
	((void (*)(void))(uintptr_t)data)();
}

static void single_step(void)
{
	__asm__ volatile("pushf; orl $0x100, (%%rsp); popf; nop" ::: "cc", "memory");
}

static void read_kernel(void)
{
	(void)*(volatile char *)0xffffffff81000000;
}

DIFF_CASE(handler_of_traps)
{
	in_child(divide);
	in_child(breakpoint);
	in_child(invalid);
	in_child(privileged);
	in_child(read_null);
	in_child(write_text);
	in_child(run_data);
	in_child(single_step);
	in_child(read_kernel);
}

static void set_registers(int sig, siginfo_t *info, void *frame)
{
	ucontext_t *u = frame;
	u->uc_mcontext.gregs[REG_RAX] = 77;
	sigaddset(&u->uc_sigmask, SIGUSR2);
}

DIFF_CASE(handler_changes_context)
{
	struct sigaction sa = { .sa_sigaction = set_registers, .sa_flags = SA_SIGINFO };
	sigaction(SIGUSR1, &sa, NULL);
	long pid = getpid(), rax;
	__asm__ volatile("syscall"
			 : "=a"(rax)
			 : "a"(SYS_kill), "D"(pid), "S"(SIGUSR1)
			 : "rcx", "r11", "memory");
	SHOW(rax);
	SHOW(blocked_now(SIGUSR2));
}

static void clobber_xmm(int sig)
{
	caught[sig]++;
	__asm__ volatile("pcmpeqd %%xmm7, %%xmm7" ::: "xmm7");
}

DIFF_CASE(handler_keeps_registers)
{
	uint64_t in[2] = { 0x1122334455667788, 0x99aabbccddeeff00 }, out[2];
	long flags = 0;
	signal(SIGUSR1, clobber_xmm);
	__asm__ volatile("movdqu %[in], %%xmm7\n\tstd\n\tsyscall\n\tpushf\n\tpop "
			 "%[flags]\n\tcld\n\t"
			 "movdqu %%xmm7, %[out]"
			 : [out] "=m"(out), [flags] "=&r"(flags)
			 : [in] "m"(in), "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "xmm7", "memory");
	SHOW(caught[SIGUSR1]);
	SHOW(in[0] == out[0] && in[1] == out[1]);
	SHOW(!!(flags & 0x400));
}

static int returns_to_nowhere(void)
{
	__asm__ volatile("mov $15, %%eax; xor %%esp, %%esp; syscall" ::: "memory");
	return 0;
}

static int frame_flags;

static void see_frame(int sig, siginfo_t *info, void *frame)
{
	frame_flags = ((ucontext_t *)frame)->uc_stack.ss_flags;
}

/* The frame holds the stack as it was set, so that the handler's end sets it again. */
DIFF_CASE(handler_frame_holds_stack_flags)
{
	static char room[65536];
	struct sigaction sa = { .sa_sigaction = see_frame, .sa_flags = SA_SIGINFO };
	NEED(!sigaction(SIGUSR1, &sa, NULL));
	const int flags[] = { SS_ONSTACK, 0, SS_DISABLE };
	for (int i = 0; i < 3; i++) {
		stack_t ss = { .ss_sp = room, .ss_size = sizeof room };
		ss.ss_flags = flags[i];
		TRY(sigaltstack(&ss, NULL));
		raise(SIGUSR1);
		SHOW(frame_flags);
		ss.ss_size = 1; /* refused, unless it is what there is */
		TRY(sigaltstack(&ss, NULL));
	}
	stack_t none = { .ss_flags = SS_DISABLE };
	TRY(sigaltstack(&none, NULL));
	raise(SIGUSR1);
	TRY(sigaltstack(&(stack_t){ 0 }, NULL));
}

DIFF_CASE(handler_bad_sigreturn)
{
	say_status("sigreturn from a null stack", reap(child_of(returns_to_nowhere)));
}

DIFF_CASE(handler_default_actions)
{
	for (int sig = 1; sig < 32; sig++) {
		pid_t pid = fork();
		if (!pid) {
			raise(sig);
			_exit(0);
		}
		int status;
		waitpid(pid, &status, WUNTRACED);
		say_status(sig_name(sig), status);
		if (WIFSTOPPED(status)) {
			kill(pid, SIGKILL);
			reap(pid);
		}
	}
	pid_t pid = fork();
	if (!pid)
		raise(SIGRTMIN);
	say_status("real-time", reap(pid));
}

static void spoil_state(int sig, siginfo_t *info, void *context)
{
	char *state = (void *)((ucontext_t *)context)->uc_mcontext.fpregs;
	memset(state + 512 + 16, 0xff, 8); /* of XSAVE's header, reserved */
}

static void end_third(int sig)
{
	if (++caught[sig] == 3)
		_exit(3);
}

/* The handler finds the program after its kill(), not in the restorer. */
static int returns_with_bad_state(void)
{
	struct sigaction spoils = { .sa_sigaction = spoil_state, .sa_flags = SA_SIGINFO };
	signal(SIGSEGV, end_third);
	sigaction(SIGUSR1, &spoils, NULL);
	raise(SIGUSR1);
	say("went on after %d signals", (int)caught[SIGSEGV]);
	return 0;
}

DIFF_CASE(handler_bad_state)
{
	say_status("child", reap(child_of(returns_with_bad_state)));
}
