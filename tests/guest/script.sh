#!/bin/sh
# A long shell script gives in the VM what it gives on the host, byte for byte.
. tests/tap.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

busybox sh tests/guest/script/job.sh >"$dir/want" 2>&1
want=$?
"$MAYFLY" run --user root --timeout 120s --file tests/guest/script/job.sh:/job/job.sh -- \
	busybox sh -c 'busybox sh /job/job.sh 2>&1' >"$dir/got"
got=$?

check "the script says something" test "$(wc -l <"$dir/want")" -gt 80
check "the same output" diff "$dir/want" "$dir/got"
check "the same exit status" test "$want" = 5 -a "$got" = 5

head -c 3000000 /dev/urandom | base64 >"$dir/text"
busybox sh -c 'sort | uniq -c | head -n 500' <"$dir/text" >"$dir/want"
"$MAYFLY" run --timeout 120s -- busybox sh -c 'sort | uniq -c | head -n 500' \
	<"$dir/text" >"$dir/got"
check "four megabytes through stdin and a pipeline" cmp "$dir/want" "$dir/got"

finish
