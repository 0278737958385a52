#!/bin/sh
# The same promises in a real VM: streams, files, endings, and jobs that mean harm.
. tests/tap.sh
. tests/host/expect.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export MAYFLY_ACCEL=tcg XDG_CACHE_HOME="$dir/cache" HOME="$dir"
mkdir "$dir/here"
head -c 2000000 /dev/urandom >"$dir/here/big"

run() {
	(cd "$dir/here" && exec "$MAYFLY" run --timeout 60s "$@" </dev/null)
}

through() {
	"$MAYFLY" run --timeout 60s -- cat <"$dir/here/big" | cmp - "$dir/here/big"
}

check "prints" prints 42 run -- busybox sh -c 'echo $((6*7)); exit 3'
check "returns the job's status" status 3 run -- busybox sh -c 'echo $((6*7)); exit 3'
check "2 MB through stdin and stdout" through
# rest_after COMMAND...: how much of it is left for the next.
rest_after() {
	(
		"$MAYFLY" run --timeout 60s -- "$@" >/dev/null
		cat
	) <"$dir/here/big" | wc -c
}
check "what a job leaves of its stdin is there for the next" prints 1999000 \
	rest_after dd bs=1000 count=1
check "what it takes is not" prints 1000 rest_after dd bs=1000 count=1999 iflag=fullblock
check "2 MB as files" run --file big:in --out in:out -- true
check "the same" cmp "$dir/here/big" "$dir/here/out"
check "as another user" prints "1000 1000" run --user 1000 -- sh -c 'echo $(id -u) $(id -g)'
check "the clock is the host's" run -- sh -c "d=\$((\$(date +%s) - $(date +%s))); [ \$d -ge 0 ] && [ \$d -lt 60 ]"
check "four processors" prints 4 run --cpus 4 -- nproc
check "16 MB of memory" status 0 run --mem 16M -- true
check "each run starts afresh" sh -c \
	"'$MAYFLY' run --policy open --user root -- sh -c 'echo x >/etc/new' && '$MAYFLY' run -- sh -c '[ ! -e /etc/new ]'"

check "not found" says 127 "not found" run -- nosuch
check "too late" says 124 "timed out" run --timeout 1s -- sleep 60
check "too late, whatever it ignores" says 124 "timed out" run --timeout 2s -- \
	sh -c 'trap "" INT TERM HUP; while :; do :; done'
check "too much output" says 153 "--max-output" run --max-output 1M -- yes
check "all memory eaten" says 137 "memory" run --mem 32M -- sh -c 'a=x; while :; do a=$a$a; done'
check "memory eaten by a child is told too" says 5 "memory" run --mem 32M -- \
	sh -c '(a=x; while :; do a=$a$a; done); exit 5'
# kib_killed: what the kernel's log says the victim held.
kib_killed() {
	run --verbose --mem 32M -- sh -c 'echo 1000 >/proc/self/oom_score_adj; a=x; while :; do a=$a$a; done' 2>&1 |
		sed -n 's/.*killed process.*, \([0-9]*\) KiB$/\1/p'
}
kib=$(kib_killed)
check "the victim held no more memory than there is" sh -c "[ $kib -gt 1000 ] && [ $kib -lt 32768 ]"
check "forks without end" says 124 "timed out" run --timeout 4s -- \
	sh -c 'exec 2>/dev/null; f() { f & f; }; (f); while :; do :; done'
check "PID 1 cannot be killed" prints alive run --user root -- sh -c 'kill -9 1; kill -9 -1; kill -STOP 1; echo alive'
check "its port is taken" prints refused run --user root -- sh -c '(: >/dev/mayfly-agent) 2>/dev/null || echo refused'
check "mounts over everything" prints alive run --policy open --user root -- \
	sh -c 'mount -t tmpfs x /proc; mount -t tmpfs x /dev; mount -t tmpfs x /; echo alive'
check "bytes that look like frames" prints "$(printf '\000\000\000\000\026\000\000\000' | od -c)" run -- \
	sh -c "printf '\\000\\000\\000\\000\\026\\000\\000\\000' | od -c"
check "a power-off from inside is no success" says 125 "powered off" run --policy open --user root -- poweroff -f

# The command is killed: QEMU goes with it.
"$MAYFLY" run -- sleep 60 </dev/null &
pid=$!
sleep 1
child=$(ps -o pid= --ppid $pid | tr -d ' ')
kill -KILL $pid
wait $pid 2>/dev/null
sleep 1
case $(ps -o stat= -p "$child") in
"" | Z*) point ok "SIGKILL of the command leaves no QEMU" ;;
*) point "not ok" "SIGKILL of the command leaves no QEMU" ;;
esac
# But for what the user asked for, this script's own and the log of a failure.
left=$(cd "$dir" && find . -type f ! -name last-failure.log | sort | tr '\n' ' ')
check "no file is left" prints "./here/big ./here/out ./stderr " printf %s "$left"
finish
