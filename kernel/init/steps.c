/* Boot steps that gather several subsystems: files, devices, the root, the agent. */
#include <asm/errno.h>

#include "core/cmdline.h"
#include "core/log.h"
#include "dev/virtio/virtio.h"
#include "fs/chrdev.h"
#include "fs/devfs/devfs.h"
#include "fs/devfs/mem.h"
#include "fs/devfs/random.h"
#include "fs/devfs/vport.h"
#include "fs/devpts/devpts.h"
#include "fs/ext4/ext4_fs.h"
#include "fs/kmsg.h"
#include "fs/procfs/procfs.h"
#include "fs/inotify.h"
#include "fs/timerfd.h"
#include "fs/vfs.h"
#include "init/init.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/vm_exit.h"
#include "net/socket.h"
#include "proc/task.h"
#include "sec/entropy.h"
#include "sys/io_procfs.h"

void init_files(void)
{
	entropy_init();
	vfs_init();
	ext4_init();
	procfs_init();
	io_procfs_init();
	devfs_init();
	devpts_init();
	timerfd_init();
	inotify_init();
	tty_file_init();
	mem_init();
	kmsg_init();
	random_init();
	net_init();
}

void init_devices(void)
{
	virtio_mmio_init();
	vport_files_init();
}

void init_panic_test(void)
{
	char word[8];
	if (cmdline_get("panic", word, sizeof word) && !strcmp(word, "test"))
		__builtin_trap();
}

void init_root(void)
{
	static char device[32] = "/dev/vda", type[16] = "ext4";
	static char layers[96] = "lowerfs=ext4,lowerdev=/dev/vda";
	bool other = cmdline_get("root", device, sizeof device);
	other |= cmdline_get("rootfstype", type, sizeof type);
	/* Formatting is code that a boot without these words need not run for the first
	 * time. */
	if (other)
		fmt_to(layers, sizeof layers, "lowerfs=%s,lowerdev=%s", type, device);
	int err = mount_root("overlay", "overlay", layers);
	if (err) {
		log_err("root image: cannot mount %s as %s: error %d", device, type,
			-err);
		arch_vm_exit(VM_EXIT_ROOT);
	}
}

void init_start_agent(void)
{
	static char path[64] = "/sbin/agent";
	static const char *const argv[] = { path, NULL };
	static const char *const envp[] = { "PATH=/usr/local/sbin:/usr/local/bin:"
					    "/usr/sbin:/usr/bin:/sbin:/bin",
					    "HOME=/", "TERM=linux", NULL };
	(void)cmdline_get("init", path, sizeof path);
	int err = proc_start_init(path, argv, envp);
	if (err) {
		log_err("%s: cannot become process 1: error %d", path, -err);
		arch_vm_exit(err == -ENOMEM ? VM_EXIT_NOMEM : VM_EXIT_ROOT);
	}
}
