#!/bin/sh
# `mayfly run`: streams, status, environment, as under env(1).
. tests/host/lib.sh

seq 1 300000 >"$dir/numbers"

own_environment() {
	SECRET=x run -- env | grep -q SECRET && return 1
	run -- env | grep -q '^PATH=/usr/local/sbin'
}

several() {
	for n in 1 2 3 4 5 6; do
		"$MAYFLY" run --cwd "$dir/job" -- sh -c "seq 1 1000; exit $n" >"$dir/several.$n" &
		pids="${pids-} $!"
	done
	n=0
	for pid in $pids; do
		n=$((n + 1))
		wait "$pid"
		[ $? = $n ] && [ "$(wc -l <"$dir/several.$n")" = 1000 ] || return 1
	done
}

check "prints" prints 42 run -- sh -c 'echo $((6*7)); exit 3'
check "returns the job's status" status 3 run -- sh -c 'echo $((6*7)); exit 3'
check "a signal's status is 128+n" status 137 run -- sh -c 'kill -9 $$'
check "stdin reaches the job whole, and comes back" \
	sh -c "'$MAYFLY' run --cwd '$dir/job' -- cat <'$dir/numbers' | cmp - '$dir/numbers'"
# rest_after SCRIPT: what follows in the file after a job has read its part of it.
rest_after() {
	(
		"$MAYFLY" run --cwd "$dir/job" -- sh -c "$1" >/dev/null
		cat
	) <"$dir/numbers" >"$dir/rest"
	wc -c <"$dir/rest"
}

size=$(wc -c <"$dir/numbers")
check "a job that reads nothing leaves all" prints "$size" rest_after true
check "one that reads all leaves nothing" prints 0 rest_after cat
check "one that reads a little leaves the rest" prints $((size - 10)) rest_after \
	"dd bs=1 count=10 2>/dev/null"
check "or much" prints $((size - 90000)) rest_after \
	"dd bs=1000 count=90 iflag=fullblock 2>/dev/null"
check "the last of it, too" prints 1 rest_after "dd bs=1 count=$((size - 1)) 2>/dev/null"
check "or closes its stdin then" prints $((size - 6)) rest_after \
	"dd bs=1 count=6 2>/dev/null; exec <&-; sleep 0.2"
check "or leaves it to a child" prints $((size - 7)) rest_after \
	"exec 3<&0; (dd bs=1 count=7 <&3 2>/dev/null; sleep 60) & sleep 1"
tail -c 20 "$dir/numbers" >"$dir/few"
check "few bytes, all sent ahead" prints 15 sh -c \
	"('$MAYFLY' run --cwd '$dir/job' -- dd bs=1 count=5 2>/dev/null >&2; wc -c) <'$dir/few'"
check "from where it stood" prints 10 sh -c \
	"(head -c 5 >&2; '$MAYFLY' run --cwd '$dir/job' -- dd bs=1 count=5 2>/dev/null >&2; wc -c) <'$dir/few' 2>/dev/null"
check "a job that does not read its stdin ends" \
	sh -c "timeout 30 '$MAYFLY' run --cwd '$dir/job' -- true <'$dir/numbers'"
check "a job that closes its stdin early goes on" \
	prints done sh -c "'$MAYFLY' run --cwd '$dir/job' -- sh -c 'exec <&-; echo done' <'$dir/numbers'"
check "an endless stdin does not keep it" status 0 sh -c \
	"yes | timeout 30 '$MAYFLY' run --cwd '$dir/job' -- head -n 1 | grep -q y"
check "no stdin at all" prints "" sh -c "'$MAYFLY' run --cwd '$dir/job' -- sh -c 'exit 0' <&-"
check "a reader that leaves kills the job by SIGPIPE" prints "y 141" sh -c \
	"{ '$MAYFLY' run --cwd '$dir/job' -- yes; echo \$? >'$dir/rc'; } | head -n 1 | tr '\\n' ' '; cat '$dir/rc'"
check "what lies in the pipe at the job's end comes out" \
	prints 60000 sh -c "'$MAYFLY' run --cwd '$dir/job' -- head -c 60000 /dev/zero | wc -c"
check "a slow reader gets everything" prints 1638895 sh -c \
	"'$MAYFLY' run --cwd '$dir/job' -- seq 1 250000 | { sleep 0.5; wc -c; }"
check "stderr is apart" prints err sh -c \
	"'$MAYFLY' run --cwd '$dir/job' -- sh -c 'echo out; echo err >&2' 2>&1 >/dev/null"
check "stdout and stderr in one pipe keep their order" prints "1
2
3
4" sh -c "'$MAYFLY' run --cwd '$dir/job' -- sh -c 'echo 1; echo 2 >&2; echo 3; echo 4 >&2' 2>&1 | cat"
check "what runs in the background ends with the job" \
	prints now timeout 20 "$MAYFLY" run --cwd "$dir/job" -- sh -c '(sleep 50; echo late) & echo now'
check "a job that closes its stdout goes on" \
	status 5 run -- sh -c 'exec >&- 2>&-; exit 5'
check "bytes that look like frames are only bytes" prints "$(printf '\003\000\000\000\026\001' | od -c)" \
	sh -c "'$MAYFLY' run --cwd '$dir/job' -- printf '\\003\\000\\000\\000\\026\\001' | od -c"

check "the environment is the job's own" own_environment
check "--env sets" prints "b c" run --env A=b --env C=c -- sh -c 'echo $A $C'
check "--env K takes the value from here" prints "here" env K=here "$MAYFLY" run --cwd "$dir/job" --env K -- sh -c 'echo $K'
check "an empty argument arrives" prints "[][a b]" run -- sh -c 'printf "[%s]" "$@"' x "" "a b"
check "100 kB of argument arrive" prints 100000 run -- sh -c 'echo ${#1}' x "$(head -c 100000 /dev/zero | tr '\0' a)"
check "several at a time" several
finish
