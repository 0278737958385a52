#!/bin/bash
# Debian's stress-ng, two of each stressor at a time. A stressor must succeed, all of its
# processes must be gone after it, and at the end the memory that was free must be free
# again.
#
#	stress-ng.sh		a choice of stressors, for a second each
#	stress-ng.sh SECONDS [K/N]
#				all but those named below, for so long each, or the K-th of
#				N parts of them: `make stress-ng`
set -u
seconds=${1:-1}
part=${2:-1/1}
patience=90 # of a stressor that does not end by itself, seconds
slack=4096  # what may stay in use: CPUs' stocks of pages, kernel stacks, objects; kB
top=$(mktemp -d)
cd "$top" || exit 1

network="dccp icmp-flood netdev netlink-proc netlink-task ping-sock rawpkt rawsock rawudp
	sctp sock sockabuse sockdiag sockmany tun udp udp-flood"
devices="binderfs cpu-online dev efivar gpu ioport kvm loop memhotplug pci rawdev rtc smi
	watchdog"
# stress-ng itself runs these only with --pathological.
pathological="bind-mount mlockmany oom-pipe sysinval"
# What Mayfly has not, and a stressor takes for a failure: handles of an overlay's files (nor
# has Linux without nfs_export), swap, probes. A stressor that asks first (io-uring, landlock,
# userfaultfd and the like) says so and ends.
refused="handle swap uprobe"
# Minutes under emulation: a million functions to translate, pictures to compress, a cache
# to be measured, eight threads that read all of smaps again and again.
emulation="far-branch jpeg l1cache madvise"
# Stopped early, it signals the process numbers that its uninitialised memory holds.
broken="resources"
excluded="$network $devices $pathological $refused $emulation $broken"

choice="affinity aiol bigheap clone copy-file dentry epoll exec fallocate fault fcntl flock fork
	futex inotify itimer kill lockf memfd mmap mprotect mq mremap msg pidfd pipe procfs
	pthread ptrace rename sem-sysv sendfile shm sigsegv sockpair splice switch timer tmpfs
	vfork vm-rw yield"

all() {
	stress-ng --stressors | tr ' ' '\n' | grep -vxF -f <(tr -s ' \t' '\n' <<<"$excluded") |
		awk -v k="${part%/*}" -v n="${part#*/}" 'NR % n == k % n'
}

# What is free when every cache that can be dropped is, kB.
free_memory() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemFree:/ { print $2 }' /proc/meminfo
}

points=0 failed=0
point() { # STATUS WHAT
	points=$((points + 1))
	[ "$1" = 0 ] || { failed=1; printf 'not '; }
	echo "ok $points - $2"
}

# Whether its processes are gone, soon: daemons outlive who made them by a moment.
gone() {
	local try
	for try in {1..50}; do
		pgrep '^stress-ng(-|$)' >left || return 0
		sleep 0.1
	done
	echo "left after try $try: $(xargs ps -o pid,stat,wchan,comm -p <left)" >>said
	return 1
}

stress() { # NAME
	timeout -s KILL $patience stress-ng --"$1" 2 --timeout "$seconds" \
		--iomix-bytes 1m --temp-path "$top" --oomable >said 2>&1 </dev/null && gone
}

# The first run of anything leaves something behind for the next: programs' names, users'
# counts. What comes after must not.
mkdir -p /mnt/memory && mount -t tmpfs -o size=64m memory /mnt/memory
stress fork >/dev/null && stress pthread >/dev/null
before=$(free_memory)
names=$choice
[ $# = 0 ] || names=$(all)
for name in $names; do
	stress "$name"
	status=$?
	point $status "$name"
	[ $status = 0 ] || tail -n 8 said | sed 's/^/# /'
	rm -rf "$top"/tmp-*
done
after=$(free_memory)
echo "# free memory: $before kB before, $after kB after"
[ $((before - after)) -le $slack ]
point $? "memory is free again"
echo "1..$points"
exit $failed
