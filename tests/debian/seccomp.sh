#!/bin/bash
# libseccomp's own live tests, from Debian's source package (deps/sources.txt), sent to
# /job/libseccomp: built here against the library of this root, each run under the filter
# that it makes, as its own table says.
. /job/check.sh

src=/job/libseccomp
library=/usr/lib/x86_64-linux-gnu/libseccomp.so.2
mkdir include
cp "$src"/include/*.h include
sed -e 's/@VERSION_MAJOR@/2/; s/@VERSION_MINOR@/5/; s/@VERSION_MICRO@/4/' \
	"$src/include/seccomp.h.in" >include/seccomp.h
check "the library's helpers are built" gcc -O0 -w -Iinclude -c "$src/tests/util.c" -o util.o

# ends STATUS PROGRAM ACTION: as tests/regression checks it.
ends() {
	local want=$1
	shift
	"$@" 4>/dev/null
	local status=$?
	[ $status = "$want" ] || { echo "status $status, not $want"; return 1; }
}

for table in "$src"/tests/*-live-*.tests; do
	while read -r name _ action; do
		case $action in
		KILL | KILL_PROCESS) want=159 ;;
		ALLOW) want=160 ;;
		TRAP) want=161 ;;
		ERRNO) want=163 ;;
		*) continue ;;
		esac
		[ -e "$name" ] || check "$name is built" gcc -O0 -w -Iinclude -I"$src/tests" \
			"$src/tests/$name.c" util.o "$library" -o "$name" -lpthread
		check "$name $action" ends $want "./$name" "$action"
	done < <(grep -h '^[0-9]' "$table")
done
finish
