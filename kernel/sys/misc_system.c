/* The system as a whole: its name, figures, end. */
#include <linux/reboot.h>
#include <linux/sysinfo.h>

#include "core/log.h"
#include "core/wait.h"
#include "lib/string.h"
#include "lib/vm_exit.h"
#include "proc/audit.h"
#include "proc/proc.h"
#include "proc/uts.h"
#include "sys/syscall.h"

int64_t sys_uname(uaddr_t buf)
{
	struct new_utsname copy;
	uts_get(&copy);
	uts_disguise(&copy, task_current()->persona);
	return put_user(buf, copy);
}

static int64_t set_name(int (*set)(const char *s, size_t n), uaddr_t name, int32_t len)
{
	char buf[__NEW_UTS_LEN];
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > __NEW_UTS_LEN)
		return -EINVAL;
	if (copy_in(buf, name, (size_t)len))
		return -EFAULT;
	return set(buf, (size_t)len);
}

int64_t sys_sethostname(uaddr_t name, int32_t len)
{
	return set_name(uts_set_nodename, name, len);
}

int64_t sys_setdomainname(uaddr_t name, int32_t len)
{
	return set_name(uts_set_domainname, name, len);
}

int64_t sys_sysinfo(uaddr_t info)
{
	struct page_stats mem;
	struct task_counts counts;
	uint32_t load[3];
	page_stats_get(&mem);
	task_counts_get(&counts);
	sched_loadavg(load);
	struct sysinfo s = {
		.uptime = (long)(clock_mono() / NSEC_PER_SEC),
		.totalram = mem.total * PAGE_SIZE,
		.freeram = mem.free * PAGE_SIZE,
		.sharedram = mem.shmem * PAGE_SIZE,
		.bufferram = 0,
		.procs = (uint16_t)MIN(counts.tasks, UINT16_MAX),
		.mem_unit = 1,
	};
	for (int i = 0; i < 3; i++)
		s.loads[i] = (unsigned long)load[i] << (SI_LOAD_SHIFT - 11);
	return put_user(info, s);
}

/* ---- reboot ---- */

static bool is_magic(uint32_t m1, uint32_t m2)
{
	return m1 == LINUX_REBOOT_MAGIC1 &&
	       (m2 == LINUX_REBOOT_MAGIC2 || m2 == LINUX_REBOOT_MAGIC2A ||
		m2 == LINUX_REBOOT_MAGIC2B || m2 == LINUX_REBOOT_MAGIC2C);
}

int64_t sys_reboot(uint32_t magic1, uint32_t magic2, uint32_t cmd, uaddr_t arg)
{
	(void)arg;
	if (!cred_has_cap(thread_current()->cred, CAP_SYS_BOOT))
		return -EPERM;
	if (!is_magic(magic1, magic2))
		return -EINVAL;
	switch (cmd) {
	case LINUX_REBOOT_CMD_POWER_OFF:
	case LINUX_REBOOT_CMD_RESTART:
	case LINUX_REBOOT_CMD_RESTART2:
	case LINUX_REBOOT_CMD_HALT:
		/* Only the agent says that all went well; it is process 1. */
		if (process_current() == init_process)
			arch_vm_exit(VM_EXIT_POWEROFF);
		/* The call has no end at which it could be told. */
		audit_call_end(0, NULL, 0);
		audit_drain();
		arch_vm_exit(VM_EXIT_AGENT);
	case LINUX_REBOOT_CMD_CAD_ON:
	case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;
	default:
		return -EINVAL;
	}
}
