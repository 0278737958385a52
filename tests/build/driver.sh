#!/bin/sh
# tests/run counts what passed and what failed, and takes nothing that stopped early, hung
# or left something behind for a pass.
. tests/tap.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/tests/host"
cp tests/run "$dir/tests"

# script NAME LINE...: a test script of the copied tree.
script() {
	name=$1
	shift
	printf '#!/bin/sh\n' >"$dir/tests/host/$name.sh"
	printf '%s\n' "$@" >>"$dir/tests/host/$name.sh"
	chmod +x "$dir/tests/host/$name.sh"
}

# driver REGEX: what the copied driver says of the matching cases.
driver() { BUILD=$dir/build ${PYTHON:-/usr/bin/python3} "$dir/tests/run" host --only "$1"; }

# counts WHAT REGEX LAST: the last line of output, which names the counts.
counts() {
	last=$(driver "$2" 2>&1 | tail -n 1)
	check "$1: $3" test "$last" = "$3"
}

script points 'echo ok 1 - a' 'echo not ok 2 - b' 'echo ok 3 - c' 'echo 1..3'
script short 'echo 1..3' 'echo ok 1 - a'
script noplan 'echo ok 1 - a'
script status 'echo ok 1 - a' 'echo 1..1' 'exit 3'
script plain true
script plainbad false
script skip 'echo ok 1 - a \# SKIP no such thing' 'echo ok 2 - b' 'echo 1..2'
script bail 'echo 1..2' 'echo ok 1 - a' 'echo Bail out! all is lost'
script hang 'sleep 60'
script leaves 'sleep 60 &' 'echo ok 1 - a' 'echo 1..1'
script wanted 'exit 7'
printf '# name cpus timeout options\nhang.sh 1 1\nwanted.sh 1 30 status=7\n' \
	>"$dir/tests/host/tests.txt"

counts "points are counted one by one" points "2 passed, 1 failed"
counts "fewer points than planned" short "1 passed, 1 failed"
counts "points without a plan" noplan "1 passed, 1 failed"
counts "a wrong exit status" status "1 passed, 1 failed"
counts "a program without points" 'plain[.]' "1 passed, 0 failed"
counts "a program without points that fails" plainbad "0 passed, 1 failed"
counts "a skipped point is not a pass" skip "1 passed, 0 failed"
counts "a test that gives up" bail "1 passed, 1 failed"
counts "a test that hangs" hang "0 passed, 1 failed"
counts "a test that leaves a process" leaves "1 passed, 1 failed"
counts "an exit status that the table asks for" wanted "1 passed, 0 failed"
counts "no test at all" nothing "0 passed, 0 failed"
check "success is exit status 0" driver 'plain[.]'
refuses "a failure is not" "0 passed, 1 failed" driver plainbad
refuses "nor is nothing" "0 passed, 0 failed" driver nothing

printf 'gone.sh 1 30\n' >>"$dir/tests/host/tests.txt"
counts "a row that names no program" gone "0 passed, 1 failed"
finish
