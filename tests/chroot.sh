#!/bin/sh
# chroot.sh [--job DIR] IMAGE USER PROG [ARG]...: run a program in a root image under this machine's
# Linux, in namespaces of its own and with the limits of a job: in /tmp, or in /job with a copy of what
# is in DIR. Nothing is left mounted, or running when it is killed. Needs root.
set -eu

if [ "${1-}" != --inside ]; then
	exec unshare --mount --net --pid --ipc --uts --fork --kill-child --propagation private \
		-- "$0" --inside "$@"
fi
shift
job=
if [ "$1" = --job ]; then
	job=$2
	shift 2
fi
image=$1 user=$2
shift 2

# The namespace's own, so it ends with it.
mount -t tmpfs -o mode=755 none /mnt
root=/mnt/root
mkdir /mnt/image /mnt/upper /mnt/work $root
mount -o loop,ro "$image" /mnt/image
mount -t overlay -o lowerdir=/mnt/image,upperdir=/mnt/upper,workdir=/mnt/work none $root
mount -t proc -o nosuid,nodev,noexec none $root/proc
mount -t sysfs -o ro,nosuid,nodev,noexec none $root/sys
mount -t tmpfs -o mode=1777 none $root/tmp

mount -t tmpfs -o mode=755 none $root/dev
for name in null zero full random urandom tty; do
	cp -a /dev/$name $root/dev/
done
mkdir $root/dev/pts $root/dev/shm $root/dev/mqueue
mount -t devpts -o newinstance,ptmxmode=666,mode=600 none $root/dev/pts
mount -t tmpfs -o mode=1777 none $root/dev/shm
mount -t mqueue none $root/dev/mqueue
ln -s pts/ptmx $root/dev/ptmx
ln -s /proc/self/fd $root/dev/fd
ln -s /proc/self/fd/0 $root/dev/stdin
ln -s /proc/self/fd/1 $root/dev/stdout
ln -s /proc/self/fd/2 $root/dev/stderr

cwd=/tmp
if [ -n "$job" ]; then
	cwd=/job
	cp -a "$job/." $root/job
fi

hostname mayfly
ip link set lo up 2>/dev/null || : # there is none for unix_only.py
home=$(chroot $root getent passwd "$user" | cut -d: -f6)
exec env -i HOME="$home" TERM=xterm PWD=$cwd \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	prlimit --nofile=1024: --nproc=4096 --core=0:0 --memlock=8388608 \
	chroot --userspec="$(chroot $root id -u "$user"):$(chroot $root id -g "$user")" \
	--groups= $root env --chdir=$cwd "$@"
