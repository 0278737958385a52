#!/bin/bash
# What an administrator does: mounts, roots, users, attributes, and looking at processes.
. /job/check.sh

check "mount binds, remounts read-only, and umount ends it" sh -c '
	mkdir a b && echo x >a/f && mount --bind a b && mount -o remount,bind,ro b && ! touch b/g &&
	grep -q " $PWD/b .*ro" /proc/self/mountinfo && umount b && [ ! -e b/f ]'
check "a tmpfs of a size is full when it is full" sh -c '
	mkdir t && mount -t tmpfs -o size=1M none t && ! dd if=/dev/zero of=t/f bs=64k count=32 2>said
	grep -q "No space left" said && [ "$(stat -c %s t/f)" = 1048576 ] && rm t/f && touch t/g && umount t'
check "a busy mount stays, and can be taken off lazily" sh -c '
	mkdir l && mount -t tmpfs none l && ( cd l && ! umount "$OLDPWD/l" && umount -l "$OLDPWD/l" && pwd ) && ! mountpoint -q l'
mkdir -p root/bin root/lib root/lib64
for file in /bin/sh /bin/ls $(ldd /bin/sh /bin/ls | grep -o '/lib[^ ]*' | grep -v : | sort -u); do
	mkdir -p "root$(dirname "$file")" && cp -L "$file" "root$file"
done
check "chroot shows that folder only" gives "bin lib lib64" sh -c 'echo $(chroot root /bin/ls /)'

check "setpriv drops capabilities" gives 0000000000000000 sh -c '
	setpriv --reuid=65534 --clear-groups --bounding-set=-all sed -n "s/^CapBnd:\t//p" /proc/self/status'
check "su runs as another" gives "nobody nogroup" su -s /bin/sh -c 'echo $(id -un) $(id -gn)' nobody
check "a setuid program runs as its owner" sh -c '
	cp /usr/bin/id myid && chown 1234 myid && chmod 4755 myid && [ "$(./myid -u)" = 1234 ]'
check "tar keeps attributes and owners" sh -c '
	mkdir x && echo f >x/f && chown 12:34 x/f && setfattr -n user.k -v v x/f && ln x/f x/g && mkfifo x/p &&
	tar --xattrs -cf x.tar x && mkdir y && tar --xattrs -C y -xpf x.tar &&
	[ "$(stat -c "%u %g %h" y/x/f)" = "12 34 2" ] && [ -p y/x/p ] &&
	[ "$(getfattr --only-values -n user.k y/x/f)" = v ]'

check "find walks the whole root without an error" sh -c '
	[ "$(find / -xdev -type d | wc -l)" -gt 500 ] && ! find / -xdev -printf "" 2>&1 | grep .'
check "ps shows a tree, threads and states" sh -c '
	sleep 77 & p=$!; ps axo pid,ppid,stat,comm --forest | grep -q "$p .*sleep" && ps aux | grep -q "[s]leep 77" &&
	ps -L -o lwp= -p $p | grep -q $p && kill $p'
check "pmap adds up" sh -c 'pmap -x $$ | grep -q "^total kB" && pmap $$ | grep -q stack'
check "lscpu, free, vmstat, uptime and w read what they need" sh -c '
	lscpu | grep -q "^CPU(s): *$(nproc)$" && free -b | grep -q ^Mem && vmstat 1 2 && vmstat -s && uptime && w -h'
check "fuser and lsof find who has a file" sh -c '
	sleep 78 9>held & p=$!; sleep 0.3; fuser held 2>/dev/null | grep -qw $p && lsof -t held | grep -qx $p && kill $p'
check "prlimit changes another process" sh -c '
	sleep 79 & p=$!; prlimit --pid $p --nofile=77:88 && grep -q "Max open files *77 *88" /proc/$p/limits && kill $p'
check "nice, ionice, taskset and chrt" sh -c '
	[ "$(nice -n 5 nice)" = 5 ] && taskset -c 0 nproc | grep -qx 1 && chrt -p $$ | grep -q SCHED_OTHER'

check "a file limit ends in SIGXFSZ" sh -c '
	(ulimit -f 8; sh -c "exec dd if=/dev/zero of=big bs=1k count=100 2>/dev/null"); [ $? = 153 ]'
check "a time limit ends in SIGXCPU" sh -c '(ulimit -St 1; sh -c "while :; do :; done"); [ $? = 152 ]'
check "a limit of processes makes fork fail" sh -c '
	setpriv --reuid=4242 --clear-groups bash -c "ulimit -u 4; for i in 1 2 3 4 5 6; do sleep 1 & done; wait" 2>&1 |
		grep -q "Resource temporarily unavailable"'
check "endless recursion is a fault, not more" sh -c '
	echo "int f(int n) { volatile char b[5000]; b[0] = n; return f(n + 1) + b[0]; } int main() { return f(0); }" >r.c
	gcc -w -o r r.c && ./r; [ $? = 139 ]'
check "arguments end where Linux ends them" python3 -c '
import subprocess
def run(*words):
    try:
        return len(subprocess.run(["/bin/echo", *words], stdout=subprocess.PIPE).stdout)
    except OSError as error:
        return error.errno
assert run("x" * 131071) == 131072 and run("x" * 131072) == 7
assert run(*["y" * 999] * 2000) == 2000000 and run(*["y" * 999] * 3000) == 7'
finish
