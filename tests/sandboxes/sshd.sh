#!/bin/bash
# OpenSSH's server in the `debian` root, started as inetd does: who has not said yet who they are
# talk to a child under a seccomp filter of its own. Its packages are in /job/packages.
. /job/check.sh

cp -a /job/packages/. /
mkdir -p /run/sshd "$HOME/.ssh"
chmod 700 "$HOME/.ssh"
getent passwd sshd >/dev/null || useradd -r -d /run/sshd -s /usr/sbin/nologin sshd
sshd=/usr/sbin/sshd

check "ssh-keygen makes keys" ssh-keygen -q -t ed25519 -N '' -f host
check "and the user's" ssh-keygen -q -t ed25519 -N '' -f user
cat >config <<E
HostKey $top/host
AuthorizedKeysFile $top/user.pub
PermitRootLogin yes
UsePAM no
StrictModes no
LogLevel VERBOSE
E
check "sshd takes its configuration" $sshd -t -f "$top/config"

# A client that says its version and nothing else: the child waits for more.
mkfifo in out
$sshd -i -f "$top/config" -E "$top/log" <in >out &
exec 5>in 6<out
echo "SSH-2.0-silent" >&5

# confined NAME...: those processes of sshd's whose status holds all these lines.
confined() {
	local status line
	for status in /proc/[0-9]*/status; do
		for line in $'Name:\tsshd' "$@"; do
			grep -qx "$line" "$status" 2>/dev/null || continue 2
		done
		echo "$status"
	done
}
for _ in $(seq 100); do
	[ -z "$(confined $'Seccomp:\t2')" ] || break
	sleep 0.2
done
check "one process of sshd's is under a filter" test "$(confined $'Seccomp:\t2' | wc -l)" = 1
check "it has one filter" test -n "$(confined $'Seccomp:\t2' $'Seccomp_filters:\t1')"
check "it cannot gain privilege" test -n "$(confined $'Seccomp:\t2' $'NoNewPrivs:\t1')"
uid=$(id -u sshd)
check "it is nobody else" test -n "$(confined $'Seccomp:\t2' "Uid:	$uid	$uid	$uid	$uid")"
check "the one that watches it is under none" test -n "$(confined $'Seccomp:\t0')"
exec 5>&- 6<&-
wait

over() {
	ssh -F none -i "$top/user" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o "ProxyCommand=$sshd -i -f $top/config -E $top/log" -q root@here "$@"
}
check "a command is run over it" gives 42 over 'echo $((6 * 7))'
check "its status comes back" test "$(over 'exit 7'; echo $?)" = 7
check "data goes through unharmed" test \
	"$(seq 20000 | over sha256sum)" = "$(seq 20000 | sha256sum)"
check "the session is under no filter" gives $'Seccomp:\t0' over grep Seccomp: /proc/self/status
check "no call of the child's was refused" sh -c '! grep -i -E "sigsys|seccomp|fatal" "$1"' sh "$top/log"
finish
