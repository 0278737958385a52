#!/bin/sh
# How a VM can end without a report, and how the command can: nothing is left behind.
. tests/host/lib.sh

# machine N TEXT: that exit status of QEMU, told as TEXT, with the log kept.
machine() {
	qemu_is "$dir/ends" <<-END
		echo "mayfly: kernel panic: the words of the kernel"
		echo "cpu 0, thread none"
		echo "mayfly: end of panic"
		exit $1
	END
	env MAYFLY_QEMU="$dir/ends" "$MAYFLY" run -- true 2>"$dir/stderr"
	got=$?
	cat "$dir/stderr"
	[ $got = 125 ] && grep -qF -- "$2" "$dir/stderr"
}

check "a kernel panic" machine 35 "panicked"
check "with the kernel's reason" grep -q "panicked: the words of the kernel" "$dir/stderr"
check "and what it said next" grep -q "^  cpu 0, thread none" "$dir/stderr"
check "and where all of it is" grep -q "^  the kernel's whole log is in" "$dir/stderr"
check "its log is kept" grep -q "the words" "$dir/cache/mayfly/last-failure.log"
check "the loader refused" machine 37 "refused"
check "the agent died" machine 39 "agent died"
check "a power-off without a report" machine 33 "powered off"
check "no memory" machine 41 "memory"
check "a bad root" machine 43 "--root 'base' is unusable"
check "that is one line" [ "$(wc -l <"$dir/stderr")" = 1 ]
check "a triple fault is no success" machine 0 "triple fault"

qemu_is "$dir/complains" <<'END'
echo "qemu-system-x86_64: cannot do that" >&2
exit 1
END
check "QEMU's own words" says 125 "cannot do that" env MAYFLY_QEMU="$dir/complains" "$MAYFLY" run -- true

qemu_is "$dir/babbles" <<'END'
for word; do
	case $word in
	socket,*fd=*) fd=${word##*fd=} ;;
	esac
done
eval "yes >&$fd"
END
check "a guest that babbles" says 125 "protocol" env MAYFLY_QEMU="$dir/babbles" "$MAYFLY" run -- true

# -- ended from outside: no process, no file ------------------------------------------------
# Others may be at work in /tmp: there only what carries our name counts.
files() {
	find "$dir" -path "$dir/job/started" -prune -o -print
	find "${TMPDIR:-/tmp}" -maxdepth 1 -name '*mayfly*'
}
before=$(files)

# ended_by SIGNAL: starts a job, sends the command the signal; leaves its status in $ended.
ended_by() {
	rm -f "$dir/job/started"
	# A shell starts what runs in the background with SIGINT and SIGQUIT ignored.
	env --default-signal=INT,QUIT "$MAYFLY" run --cwd "$dir/job" -- \
		sh -c 'echo $$ >started; exec sleep 60' &
	pid=$!
	while [ ! -s "$dir/job/started" ]; do
		sleep 0.02
	done
	child=$(ps -o pid= --ppid $pid | tr -d ' ')
	kill -"$1" $pid
	wait $pid 2>/dev/null
	ended=$?
}

# A zombie is gone: whoever inherited it has not looked yet.
gone() {
	for try in 1 2 3 4 5 6 7 8 9 10; do
		case $(ps -o stat= -p "$1") in
		"" | Z*) return 0 ;;
		esac
		sleep 0.1
	done
	echo "process $1 is still there"
	return 1
}

for pair in INT:130 TERM:143 HUP:129 QUIT:131 KILL:137; do
	name=${pair%:*}
	ended_by "$name" 2>/dev/null
	check "SIG$name ends the command with its status" [ "$ended" = "${pair#*:}" ]
	check "SIG$name leaves no VM" gone "$child"
	kill -9 "$(cat "$dir/job/started")" 2>/dev/null
done
after=$(files)
check "no file is left" [ "$before" = "$after" ]
finish
