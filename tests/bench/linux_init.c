/*
 * Process 1 of Debian's kernel in the comparisons of run.py: mounts the root as Mayfly
 * does (the disk read-only, memory over it), runs a program there, and ends the machine.
 * The initramfs holds this as /init, the kernel's modules in /modules, and the program as
 * /program; without that, the first argument names one of the root.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* Drivers before the bus that finds devices for them: once all are loaded, the disk is
 * there. */
static const char *const modules[] = { "virtio_ring", "virtio", "virtio_blk",
				       "virtio_mmio", "overlay" };

static const struct step {
	const char *what, *at, *type;
	unsigned long flags;
	const char *options;
} steps[] = {
	{ "devtmpfs", "/dev", "devtmpfs", 0, NULL },
	{ "/dev/vda", "/disk", "ext4", MS_RDONLY, NULL },
	{ "tmpfs", "/memory", "tmpfs", 0, NULL },
	{ "overlay", "/root", "overlay", 0,
	  "lowerdir=/disk,upperdir=/memory/upper,workdir=/memory/work" },
	{ "/dev", "/root/dev", NULL, MS_MOVE, NULL },
	{ "proc", "/root/proc", "proc", 0, NULL },
	{ "sysfs", "/root/sys", "sysfs", 0, NULL },
};

static void module_load(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
		err(1, "%s", path);
	close(fd);
}

static void root_mount(void)
{
	static const char *const folders[] = { "/dev", "/disk", "/memory", "/root" };

	for (unsigned i = 0; i < COUNT(folders); i++)
		mkdir(folders[i], 0755);
	for (const struct step *s = steps; s < steps + COUNT(steps); s++) {
		if (mount(s->what, s->at, s->type, s->flags, s->options) < 0)
			err(1, "mount %s", s->at);
		/* What the step after that of the memory needs. */
		mkdir("/memory/upper", 0755);
		mkdir("/memory/work", 0755);
	}
	if (chdir("/root") < 0 || chroot(".") < 0)
		err(1, "chroot");
}

/* The exit status. A program that came along is open as fd, which is else -1. */
static int program_run(int fd, char **argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (fd >= 0)
			fexecve(fd, argv, environ);
		else
			execvp(argv[0], argv);
		err(127, "%s", argv[0]);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		err(1, "fork");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	int fd = open("/program", O_RDONLY | O_CLOEXEC);

	if (argc < 2)
		errx(1, "no program to run");
	for (unsigned i = 0; i < COUNT(modules); i++)
		module_load(modules[i]);
	root_mount();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/root", 1);
	printf("status %d\n", program_run(fd, argv + 1));
	fflush(stdout);
	return reboot(RB_AUTOBOOT);
}
