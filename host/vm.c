/* QEMU, with as little machine as a job needs. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/vm.h"

/* What the child keeps: its end of the port, the pipes of log and stderr, the root
 * image. */
struct vm_ends {
	int port, log, errors, null, root;
};

struct arguments {
	char *argv[64];
	unsigned count;
};

static void add(struct arguments *a, const char *option, char *value)
{
	a->argv[a->count++] = (char *)option;
	if (value)
		a->argv[a->count++] = value;
}

static void machine_arguments(struct arguments *a, const struct vm_config *config)
{
	add(a, config->qemu, NULL);
	add(a, "-M",
	    "microvm,rtc=off,pit=off,pic=off,x-option-roms=off,isa-serial=on,acpi=off");
	add(a, "-accel", config->kvm ? "kvm" : "tcg");
	/* TCG moves byte by byte what `rep movsb` moves. With ERMS and FSRM the job's C
	 * library takes that for the fastest way to copy a few KiB or more. And QEMU
	 * 7.2's 32-byte AES is wrong in its upper half; p7zip decrypts with it. */
	add(a, "-cpu", config->kvm ? "host" : "max,erms=off,fsrm=off,vaes=off");
	add(a, "-smp", must_format("%u", config->cpus));
	add(a, "-m", must_format("%uM", config->mem_mib));
	add(a, "-nodefaults", NULL);
	add(a, "-no-user-config", NULL);
	add(a, "-no-reboot", NULL);
	add(a, "-display", "none");
	add(a, "-monitor", "none");
	add(a, "-sandbox",
	    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

static void guest_arguments(struct arguments *a, const struct vm_config *config,
			    const struct vm_ends *ends)
{
	add(a, "-kernel", (char *)config->loader);
	add(a, "-initrd", (char *)config->bundle);
	add(a, "-append",
	    must_format("%s%s%s%s", config->verbose ? "loglevel=7" : "",
			config->audit_stop ? " audit=stop" : "",
			config->init ? " init=" : "", config->init ? config->init : ""));
	add(a, "-device", "isa-debug-exit,iobase=0x501,iosize=2");
	/* The kernel drives version 1.1 devices only. */
	add(a, "-global", "virtio-mmio.force-legacy=false");
	add(a, "-chardev", "file,id=log,path=/dev/fd/1");
	add(a, "-serial", "chardev:log");
	add(a, "-chardev", must_format("socket,id=agent,fd=%d", ends->port));
	add(a, "-device", "virtio-serial-device,max_ports=2");
	add(a, "-device", "virtserialport,nr=1,chardev=agent,name=mayfly.agent");
	add(a, "-add-fd", must_format("fd=%d,set=1", ends->root));
	add(a, "-blockdev",
	    "driver=file,node-name=root,filename=/dev/fdset/1,read-only=on,locking=off");
	add(a, "-device", "virtio-blk-device,drive=root");
	a->argv[a->count] = NULL;
}

/* In the child, on the parent's stack: only system calls. Returns errno when exec
 * fails. */
static int child_exec(char **argv, const struct vm_ends *ends, pid_t parent)
{
	/* The translator's heap grows page by page otherwise, a system call each. */
	static char *environment[] = { "LC_ALL=C", "MALLOC_TOP_PAD_=1048576", NULL };
	const int kept[] = { ends->port, ends->root };
	sigset_t none;

	/* Keys of the terminal are for us: QEMU ends when we say so. */
	setsid();
	/* V1; had the parent died before this, nobody would send the signal. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return ESRCH;
	if (dup2(ends->null, 0) < 0 || dup2(ends->log, 1) < 0 ||
	    dup2(ends->errors, 2) < 0)
		return errno;
	/* V2: whatever the command itself inherited stays out. */
	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return errno;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (fcntl(kept[i], F_SETFD, 0) < 0)
			return errno;
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], argv, environment);
	return errno;
}

static pid_t child_start(char **argv, const struct vm_ends *ends, int *ret_error)
{
	volatile int error = 0;
	pid_t parent = getpid(), pid = vfork();

	if (pid == 0) {
		error = child_exec(argv, ends, parent);
		_exit(MAYFLY_FAILED);
	}
	if (pid < 0)
		error = errno;
	else if (error)
		waitpid(pid, NULL, 0);
	*ret_error = error;
	return pid;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* Opens both sides of everything. 0 or -errno, with all that was opened in place. */
static int ends_open(struct vm *vm, struct vm_ends *ends)
{
	int port[2], log[2], errors[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, port) < 0)
		return -errno;
	vm->port = port[0];
	ends->port = port[1];
	if (pipe2(log, O_CLOEXEC) < 0)
		return -errno;
	vm->log = log[0];
	ends->log = log[1];
	if (pipe2(errors, O_CLOEXEC) < 0)
		return -errno;
	vm->errors = errors[0];
	ends->errors = errors[1];
	ends->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (ends->null < 0)
		return -errno;
	if (fcntl(vm->port, F_SETFL, O_RDWR | O_NONBLOCK) < 0 ||
	    fcntl(vm->log, F_SETFL, O_RDONLY | O_NONBLOCK) < 0 ||
	    fcntl(vm->errors, F_SETFL, O_RDONLY | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int vm_start(const struct vm_config *config, struct vm *ret_vm)
{
	struct vm vm = { .pid = -1, .pidfd = -1, .port = -1, .log = -1, .errors = -1 };
	struct vm_ends ends = { -1, -1, -1, -1, config->root };
	struct arguments arguments = { .count = 0 };
	int error = ends_open(&vm, &ends);

	if (error == 0) {
		machine_arguments(&arguments, config);
		guest_arguments(&arguments, config, &ends);
		vm.pid = child_start(arguments.argv, &ends, &error);
		error = -error;
	}
	if (error == 0) {
		vm.pidfd = syscall(SYS_pidfd_open, vm.pid, 0);
		if (vm.pidfd < 0) {
			error = -errno;
			vm_end(&vm);
		}
	}
	close_if_open(ends.port);
	close_if_open(ends.log);
	close_if_open(ends.errors);
	close_if_open(ends.null);
	if (error < 0) {
		vm_close(&vm);
		return error;
	}
	*ret_vm = vm;
	return 0;
}

void vm_end(struct vm *vm)
{
	if (vm->ended || vm->pid < 0)
		return;
	kill(vm->pid, SIGKILL);
	while (waitpid(vm->pid, &vm->status, 0) < 0 && errno == EINTR)
		;
	vm->ended = true;
}

void vm_close(struct vm *vm)
{
	close_if_open(vm->pidfd);
	close_if_open(vm->port);
	close_if_open(vm->log);
	close_if_open(vm->errors);
}
