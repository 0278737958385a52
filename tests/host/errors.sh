#!/bin/sh
# What goes wrong: a status of its own and one line on stderr each.
. tests/host/lib.sh

file="$dir/job/file"
: >"$file"
printf 'echo hi\n' >"$dir/job/plain"
printf '#!/no/such/sh\n' >"$dir/job/orphan"
head -c 100 "$build/userland/agent" >"$dir/job/cut"
{ head -c 18 "$build/userland/agent"; printf '\267\000'; tail -c +21 "$build/userland/agent"; } >"$dir/job/arm"
chmod +x "$dir/job/plain" "$dir/job/orphan" "$dir/job/cut" "$dir/job/arm"

check "no such program" says 127 "'nosuch' is not found" run -- nosuch
check "no such path" says 127 "/no/such" run -- /no/such
check "a folder" says 126 "folder" run -- /tmp
check "a file without permission to run" says 126 "chmod" run -- ./file
check "a file that is no program" says 126 "neither an ELF program" run -- ./plain
check "a script without its interpreter" says 127 "/no/such/sh" run -- ./orphan
check "a truncated ELF" says 126 "truncated" run -- ./cut
check "an ELF of another machine" says 126 "ARM64" run -- ./arm
check "the job's folder is not there" says 125 "/no/such" run --cwd /no/such -- true
check "no such user" says 125 "nobody-x" run --user nobody-x -- true

check "too late" says 124 "timed out" run --timeout 300ms -- sleep 20
check "too late, ignoring SIGTERM" says 124 "timed out" run --timeout 300ms -- sh -c 'trap "" TERM; sleep 20'
check "no timeout" status 0 run --timeout 0 -- true
check "too much output" says 153 "--max-output" run --max-output 1M -- yes
check "too much on stderr" status 153 run --max-output 1M -- sh -c 'yes >&2'
check "just enough output" status 0 run --max-output 2 -- echo x
check "output up to the limit comes out" prints 1000 sh -c "'$MAYFLY' run --cwd '$dir/job' --max-output 1000 -- yes 2>/dev/null | wc -c"

full() { run -- echo x >/dev/full; }
full_says() { run -- echo x 2>"$dir/stderr" >/dev/full || grep -q 'No space left' "$dir/stderr"; }
check "stdout on a full disk" status 125 full
check "stdout on a full disk, its line" full_says
check "--report on a full disk" says 125 "No space left" run --report /dev/full -- true
check "--report nowhere" says 125 "/no/such" run --report /no/such/x -- true
check "--timeline nowhere" says 125 "/no/such" run --timeline /no/such/x -- true

check "no QEMU" says 125 "qemu-system-x86" env MAYFLY_QEMU=/no/such "$MAYFLY" run -- true
check "no QEMU in PATH" says 125 "qemu-system-x86" env PATH=/no MAYFLY_QEMU= "$MAYFLY" run -- true
check "no kernel" says 125 "loader.elf" env MAYFLY_LIB=/no/such "$MAYFLY" run -- true
check "no such root" says 125 "nosuch" run --root nosuch -- true
check "no such option" says 125 "--nosuch" run --nosuch -- true
check "an option without its value" says 125 "SIZE" "$MAYFLY" run --mem
check "a value that makes no sense" says 125 "--mem" run --mem lots -- true
check "no program" says 125 "no program" "$MAYFLY" run
check "no command" says 125 "no command" "$MAYFLY"
check "no such command" says 125 "nosuch" "$MAYFLY" nosuch
# In the place of the agent: says READY (or FAILED) in the words of version 1, to whatever comes.
old_agent() {
	qemu_is "$dir/old" <<END
for word; do
	case \$word in
	socket,*fd=*) fd=\${word##*fd=} ;;
	esac
done
exec "$(command -v python3)" -c 'import os, sys; os.write(int(sys.argv[1]), b"$1"); os.read(int(sys.argv[1]), 1)' "\$fd"
END
	MAYFLY_QEMU=$dir/old
	shift
	says 125 "another version" run -- true
}
check "an image's agent of another version" old_agent '\x0c\0\0\0\2\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0'
check "which may notice first" old_agent '\x06\0\0\0\x0d\0\0\0\1\0\0\0\0\0'
MAYFLY_QEMU=$dir/qemu
check "the twin: all is well" status 0 run --mem 64M --cpus 2 --timeout 1m --max-output 1M -- true
finish
