/*
 * The shape of /proc and /sys: fields, their order, separators. One parser for Mayfly and
 * for Linux: every line has to match its file's pattern, and the lines that programs look
 * for have to be there, in Linux's order. Linux may have more.
 */
#include <dirent.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/slurp.h"
#include "common/tap.h"

#define N " *[0-9]+"
#define HEX "[0-9a-f]+"

static bool matches(const char *pattern, const char *s)
{
	regex_t re;
	bool is;

	CHECK(!regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB));
	is = !regexec(&re, s, 0, NULL, 0);
	regfree(&re);
	return is;
}

/* Every line matches `line`; those that begin with `wanted` are there in that order. */
static void shape(const char *path, const char *line, const char *const *wanted)
{
	regex_t re;
	char *save = NULL, *s = slurp(path);

	CHECK(!*s || s[strlen(s) - 1] == '\n');
	CHECK(!regcomp(&re, line, REG_EXTENDED | REG_NOSUB));
	for (char *l = strtok_r(s, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (regexec(&re, l, 0, NULL, 0))
			tap_fail(__FILE__, __LINE__, "%s: \"%s\"", path, l);
		if (wanted && *wanted && !strncmp(l, *wanted, strlen(*wanted)))
			wanted++;
	}
	regfree(&re);
	if (wanted && *wanted)
		tap_fail(__FILE__, __LINE__, "%s: no %s, or not there", path, *wanted);
}

#define SHAPE(path, line, ...)                                                           \
	shape(path, line, (const char *const[]){ __VA_ARGS__ NULL })

static void memory(void)
{
	SHAPE("/proc/meminfo", "^[A-Za-z_0-9()]+: *[0-9]+( kB)?$", "MemTotal:",
	      "MemFree:", "MemAvailable:", "Buffers:", "Cached:", "SwapCached:",
	      "Active:", "Inactive:", "Active(anon):", "Inactive(anon):", "Active(file):",
	      "Inactive(file):", "Unevictable:", "Mlocked:", "SwapTotal:", "SwapFree:",
	      "Dirty:", "Writeback:", "AnonPages:", "Mapped:", "Shmem:", "KReclaimable:",
	      "Slab:", "SReclaimable:", "SUnreclaim:", "KernelStack:", "PageTables:",
	      "Bounce:", "WritebackTmp:", "CommitLimit:", "Committed_AS:",
	      "VmallocTotal:", "VmallocUsed:", "VmallocChunk:", "Percpu:", );
	SHAPE("/proc/vmstat", "^[a-z_0-9]+ [0-9]+$", "nr_free_pages ", "nr_anon_pages ",
	      "nr_mapped ", "nr_file_pages ", "nr_dirty ", "nr_shmem ", "pgpgin ",
	      "pgpgout ", "pswpin ", "pswpout ", "pgfault ", "pgmajfault ", );
	SHAPE("/proc/buddyinfo", "^Node 0, zone +[A-Za-z0-9]+ (" N " ){11,}$", );
	SHAPE("/proc/zoneinfo", "^(Node 0, zone +[A-Za-z0-9]+| +.*)$", "Node 0, zone",
	      "  pages free", "        min", "        low", "        high",
	      "        spanned", "        present", "        managed", );
	SHAPE("/proc/swaps", "^Filename\t+Type\t+Size\t+Used\t+Priority$|^/", );
}

static void machine(void)
{
	SHAPE("/proc/cpuinfo", "^([a-zA-Z0-9 _]+\t*: ?.*)?$", "processor\t: 0",
	      "vendor_id\t: ", "cpu family\t: ", "model\t\t: ", "model name\t: ",
	      "stepping\t: ", "cpu MHz\t\t: ", "cache size\t: ", "physical id\t: ",
	      "siblings\t: ", "core id\t\t: ", "cpu cores\t: ", "apicid\t\t: ",
	      "initial apicid\t: ", "fpu\t\t: yes", "fpu_exception\t: yes",
	      "cpuid level\t: ", "wp\t\t: yes",
	      "flags\t\t: ", "bogomips\t: ", "clflush size\t: ", "cache_alignment\t: ",
	      "address sizes\t: ", "power management:", );
	SHAPE("/proc/interrupts", "^ +(CPU[0-9]+ +)+$|^ *[A-Z0-9]+:(" N ")+( .*)?$", "  ",
	      "LOC:", );
	SHAPE("/proc/softirqs", "^ +(CPU[0-9]+ +)+$|^ +[A-Z_]+:(" N ")+$", "  ",
	      "          HI:", "       TIMER:", "      NET_TX:", "      NET_RX:",
	      "       BLOCK:", "    IRQ_POLL:", "     TASKLET:", "       SCHED:",
	      "     HRTIMER:", "         RCU:", );
	SHAPE("/proc/stat",
	      "^cpu[0-9]* +([0-9]+ ?){10}$|^(intr|ctxt|btime|processes|procs_running|"
	      "procs_blocked|softirq) ?[0-9 ]*$",
	      "cpu  ", "cpu0 ", "intr ", "ctxt ", "btime ", "processes ",
	      "procs_running ", "procs_blocked ", "softirq ", );
	SHAPE("/proc/uptime", "^[0-9]+\\.[0-9]{2} [0-9]+\\.[0-9]{2}$", );
	SHAPE("/proc/loadavg", "^([0-9]+\\.[0-9]{2} ){3}[0-9]+/[0-9]+ [0-9]+$", );
	SHAPE("/proc/version", "^Linux version [0-9]+\\.[0-9]+[^ ]* .*#[0-9]+ ", );
	SHAPE("/proc/filesystems", "^(nodev)?\t[a-z0-9_]+$", );
	SHAPE("/proc/partitions",
	      "^major minor  #blocks  name$|^$|^ +[0-9]+ +[0-9]+ +[0-9]+ ",
	      "major minor", );
	SHAPE("/proc/diskstats", "^ *[0-9]+ +[0-9]+ [a-z0-9]+( [0-9]+){17}$", );
	SHAPE("/proc/devices", "^(Character devices:|Block devices:||" N " [^ ]+)$",
	      "Character devices:", "  1 mem", "  5 /dev/tty", "  5 /dev/console",
	      "Block devices:", );
	SHAPE("/proc/tty/drivers", "^.{20} /dev/[^ ]+ +[0-9]+ +[0-9-]+ [a-z:/]+$",
	      "/dev/tty ", "/dev/console ", "/dev/ptmx ", "serial ", "pty_slave ",
	      "pty_master ", );
	SHAPE("/proc/consoles",
	      "^[a-zA-Z0-9]+ +[-RWU]{3} \\([ECBp a]+\\) +[0-9]+:[0-9]+$", );
	SHAPE("/proc/locks", "^[0-9]+: (-> )?(FLOCK|POSIX|OFDLCK|LEASE) ", );
	SHAPE("/proc/mounts", "^[^ ]+ [^ ]+ [^ ]+ r[ow][^ ]* 0 0$", );
}

static void process(void)
{
	SHAPE("/proc/self/stat", "^[0-9]+ \\(.*\\) [RSDTZ]( -?[0-9]+){49}$", );
	SHAPE("/proc/self/statm", "^[0-9]+( [0-9]+){6}$", );
	SHAPE("/proc/self/status", "^[A-Za-z_]+:\t.*$|^x86_Thread", "Name:\t",
	      "Umask:\t0", "State:\tR (running)", "Tgid:\t", "Ngid:\t0", "Pid:\t",
	      "PPid:\t", "TracerPid:\t0", "Uid:\t", "Gid:\t", "FDSize:\t", "Groups:\t",
	      "NStgid:\t", "NSpid:\t", "NSpgid:\t", "NSsid:\t", "VmPeak:\t", "VmSize:\t",
	      "VmLck:\t", "VmPin:\t", "VmHWM:\t", "VmRSS:\t", "RssAnon:\t", "RssFile:\t",
	      "RssShmem:\t", "VmData:\t", "VmStk:\t", "VmExe:\t", "VmLib:\t", "VmPTE:\t",
	      "VmSwap:\t", "CoreDumping:\t0", "THP_enabled:\t", "Threads:\t1", "SigQ:\t",
	      "SigPnd:\t", "ShdPnd:\t", "SigBlk:\t", "SigIgn:\t", "SigCgt:\t",
	      "CapInh:\t", "CapPrm:\t", "CapEff:\t", "CapBnd:\t", "CapAmb:\t",
	      "NoNewPrivs:\t", "Seccomp:\t", "Seccomp_filters:\t",
	      "Speculation_Store_Bypass:\t", "SpeculationIndirectBranch:\t",
	      "Cpus_allowed:\t", "Cpus_allowed_list:\t", "Mems_allowed:\t",
	      "Mems_allowed_list:\t", "voluntary_ctxt_switches:\t",
	      "nonvoluntary_ctxt_switches:\t", );
	SHAPE("/proc/self/io", "^[a-z_]+: [0-9]+$", "rchar: ", "wchar: ", "syscr: ",
	      "syscw: ", "read_bytes: ", "write_bytes: ", "cancelled_write_bytes: ", );
	SHAPE("/proc/self/limits",
	      "^(Limit +Soft Limit +Hard Limit +Units     |Max [a-z ]+ "
	      "+(unlimited|[0-9]+) "
	      "+(unlimited|[0-9]+) +[a-z]* *)$",
	      "Limit ", "Max cpu time ", "Max file size ", "Max data size ",
	      "Max stack size ", "Max core file size ", "Max resident set ",
	      "Max processes ", "Max open files ", "Max locked memory ",
	      "Max address space ", "Max file locks ", "Max pending signals ",
	      "Max msgqueue size ", "Max nice priority ", "Max realtime priority ",
	      "Max realtime timeout ", );
	SHAPE("/proc/self/schedstat", "^[0-9]+ [0-9]+ [0-9]+$", );
	SHAPE("/proc/self/sched", "", "", "----", "se.exec_start", );
	SHAPE("/proc/self/coredump_filter", "^000000[0-9a-f]{2}$", );
	SHAPE("/proc/self/timerslack_ns", "^[0-9]+$", );
	SHAPE("/proc/self/personality", "^[0-9a-f]{8}$", );
	SHAPE("/proc/self/cgroup", "^[0-9]+:[^:]*:/", );
	SHAPE("/proc/self/mountstats",
	      "^device [^ ]+ mounted on [^ ]+ with fstype |^\t|^$", );
	SHAPE("/proc/self/mountinfo",
	      "^[0-9]+ [0-9]+ [0-9]+:[0-9]+ [^ ]+ [^ ]+ r[ow][^ ]* ([a-z]+:[0-9]+ )*- "
	      "[^ ]+ [^ ]+ r[ow]", );
	SHAPE("/proc/self/syscall", "^0( 0x" HEX "){8}$", );
	CHECK(matches("^[0-9]+$", slurp("/proc/self/loginuid")));
	CHECK(matches("^[0-9]+$", slurp("/proc/self/sessionid")));
	CHECK(!strcmp(slurp("/proc/self/wchan"), "0"));
}

#define AREA                                                                             \
	"^" HEX "-" HEX " [r-][w-][x-][ps] [0-9a-f]{8} [0-9a-f]{2}:[0-9a-f]{2} [0-9]+ "

static void areas(void)
{
	SHAPE("/proc/self/maps", AREA "($| +[/[a-z].*$)", );
	SHAPE("/proc/self/smaps",
	      AREA "|^[A-Za-z_]+: +[0-9]+ kB$|^THPeligible: +[01]$|^ProtectionKey: "
		   "|^VmFlags: ([a-z]{2} )*$",
	      "", "Size: ", "KernelPageSize: ", "MMUPageSize: ", "Rss: ", "Pss: ",
	      "Pss_Dirty: ", "Shared_Clean: ", "Shared_Dirty: ", "Private_Clean: ",
	      "Private_Dirty: ", "Referenced: ", "Anonymous: ", "LazyFree: ",
	      "AnonHugePages: ", "ShmemPmdMapped: ", "FilePmdMapped: ",
	      "Shared_Hugetlb: ", "Private_Hugetlb: ", "Swap: ", "SwapPss: ", "Locked: ",
	      "THPeligible: ", "VmFlags: ", );
	SHAPE("/proc/self/smaps_rollup", AREA "+\\[rollup\\]$|^[A-Za-z_]+: +[0-9]+ kB$",
	      "",
	      "Rss: ", "Pss: ", "Pss_Dirty: ", "Pss_Anon: ", "Pss_File: ", "Pss_Shmem: ",
	      "Shared_Clean: ", "Private_Dirty: ", "Anonymous: ", "Locked: ", );
}

static void sysctls(void)
{
	static const char *const numbers[] = {
		"kernel/pid_max",
		"kernel/threads-max",
		"kernel/ngroups_max",
		"kernel/cap_last_cap",
		"kernel/random/entropy_avail",
		"kernel/random/poolsize",
		"kernel/randomize_va_space",
		"kernel/perf_event_paranoid",
		"kernel/unprivileged_bpf_disabled",
		"kernel/sched_rt_period_us",
		"kernel/overflowuid",
		"vm/overcommit_memory",
		"vm/max_map_count",
		"vm/mmap_min_addr",
		"vm/nr_hugepages",
		"vm/swappiness",
		"vm/min_free_kbytes",
		"fs/file-max",
		"fs/nr_open",
		"fs/pipe-max-size",
		"fs/pipe-user-pages-soft",
		"fs/pipe-user-pages-hard",
		"fs/suid_dumpable",
		"fs/protected_symlinks",
		"fs/protected_hardlinks",
		"net/core/somaxconn",
	};
	char path[128];

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		snprintf(path, sizeof path, "/proc/sys/%s", numbers[i]);
		SHAPE(path, "^[0-9]+$", );
	}
	SHAPE("/proc/sys/kernel/ostype", "^Linux$", );
	SHAPE("/proc/sys/kernel/osrelease", "^[0-9]+\\.[0-9]+", );
	SHAPE("/proc/sys/kernel/printk", "^[0-9]\t[0-9]\t[0-9]\t[0-9]$", );
	SHAPE("/proc/sys/kernel/random/uuid",
	      "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", );
	SHAPE("/proc/sys/fs/file-nr", "^[0-9]+\t[0-9]+\t[0-9]+$", );
	SHAPE("/proc/sys/fs/inode-nr", "^[0-9]+\t[0-9]+$", );
	SHAPE("/proc/sys/fs/dentry-state", "^([0-9]+\t){5}[0-9]+$", );
}

static void sys_tree(void)
{
	static const char *const lists[] = {
		"cpu/online",	      "cpu/possible",
		"cpu/present",	      "node/online",
		"node/node0/cpulist", "cpu/cpu0/topology/core_siblings_list"
	};
	char path[320], link[256];
	DIR *d;

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		snprintf(path, sizeof path, "/sys/devices/system/%s", lists[i]);
		SHAPE(path, "^[0-9]+([-,][0-9]+)*$", );
	}
	SHAPE("/sys/devices/system/cpu/kernel_max", "^[0-9]+$", );
	SHAPE("/sys/devices/system/cpu/cpu0/topology/core_id", "^[0-9]+$", );
	SHAPE("/sys/devices/system/cpu/cpu0/topology/thread_siblings", "^[0-9a-f,]+$", );
	SHAPE("/sys/kernel/mm/transparent_hugepage/enabled", "^[]a-z _+[]+$", );
	SHAPE("/sys/class/tty/console/dev", "^5:1$", );
	SHAPE("/sys/class/mem/null/uevent", "^[A-Z]+=", "MAJOR=1", "MINOR=3",
	      "DEVNAME=null", );
	SHAPE("/sys/dev/char/1:3/dev", "^1:3$", );
	d = opendir("/sys/block");
	CHECK(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.' || strncmp(e->d_name, "vd", 2))
			continue;
		snprintf(path, sizeof path, "/sys/block/%s", e->d_name);
		ssize_t n = readlink(path, link, sizeof link - 1);
		CHECK(n > 0);
		link[n] = 0;
		CHECK(matches("^\\.\\./devices/.*/block/vd[a-z]$", link));
		snprintf(path, sizeof path, "/sys/block/%s/stat", e->d_name);
		SHAPE(path, "^( *[0-9]+){17}$", );
		snprintf(path, sizeof path, "/sys/block/%s/uevent", e->d_name);
		SHAPE(path, "^[A-Z]+=", "MAJOR=", "MINOR=", "DEVNAME=vd",
		      "DEVTYPE=disk", );
		snprintf(path, sizeof path, "/sys/class/block/%s/queue/rotational",
			 e->d_name);
		SHAPE(path, "^[01]$", );
	}
	closedir(d);
}

/* Whatever can be read ends, and the bits of the mode are Linux's. */
static void modes(void)
{
	static const struct {
		const char *path;
		unsigned mode;
	} rows[] = {
		{ "stat", S_IFREG | 0444 },
		{ "status", S_IFREG | 0444 },
		{ "cmdline", S_IFREG | 0444 },
		{ "environ", S_IFREG | 0400 },
		{ "auxv", S_IFREG | 0400 },
		{ "maps", S_IFREG | 0444 },
		{ "smaps", S_IFREG | 0444 },
		{ "smaps_rollup", S_IFREG | 0444 },
		{ "mem", S_IFREG | 0600 },
		{ "pagemap", S_IFREG | 0400 },
		{ "clear_refs", S_IFREG | 0200 },
		{ "io", S_IFREG | 0400 },
		{ "limits", S_IFREG | 0444 },
		{ "comm", S_IFREG | 0644 },
		{ "fd", S_IFDIR | 0500 },
		{ "fdinfo", S_IFDIR | 0555 },
		{ "ns", S_IFDIR | 0511 },
		{ "task", S_IFDIR | 0555 },
		{ "exe", S_IFLNK | 0777 },
		{ "cwd", S_IFLNK | 0777 },
		{ "root", S_IFLNK | 0777 },
		{ "mounts", S_IFREG | 0444 },
		{ "mountinfo", S_IFREG | 0444 },
		{ "mountstats", S_IFREG | 0400 },
		{ "oom_score", S_IFREG | 0444 },
		{ "oom_adj", S_IFREG | 0644 },
		{ "oom_score_adj", S_IFREG | 0644 },
		{ "wchan", S_IFREG | 0444 },
		{ "stack", S_IFREG | 0400 },
		{ "syscall", S_IFREG | 0400 },
		{ "cgroup", S_IFREG | 0444 },
		{ "personality", S_IFREG | 0400 },
		{ "loginuid", S_IFREG | 0644 },
		{ "sessionid", S_IFREG | 0444 },
		{ "schedstat", S_IFREG | 0444 },
		{ "timerslack_ns", S_IFREG | 0666 },
		{ "coredump_filter", S_IFREG | 0644 },
	};
	struct stat st;

	CHECK(!chdir("/proc/self"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (lstat(rows[i].path, &st) || st.st_mode != rows[i].mode)
			tap_fail(__FILE__, __LINE__, "%s: mode %o, errno %d",
				 rows[i].path, st.st_mode, errno);
		CHECK(!S_ISREG(st.st_mode) || !st.st_size);
	}
	CHECK(!stat("/proc/slabinfo", &st) && (st.st_mode & 0777) == 0400);
	CHECK(!stat("/proc/kmsg", &st) && (st.st_mode & 0777) == 0400);
	/* Not every Linux has it. */
	CHECK(stat("/proc/sysrq-trigger", &st) || (st.st_mode & 0777) == 0200);
	CHECK(!stat("/sys/devices/system/cpu/online", &st) && st.st_size == 4096);
}

TEST_MAIN(CASE(memory), CASE(machine), CASE(process), CASE(areas), CASE(sysctls),
	  CASE(sys_tree), CASE(modes))
