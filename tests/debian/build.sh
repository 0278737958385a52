#!/bin/bash
# Debian's source package of zlib (deps/sources.txt), sent to /job/zlib: configured, built
# with four jobs, and its own tests run. Its own flags unless $CFLAGS says others: gcc at -O3
# takes four times as long as without, and asks nothing more of a kernel.
. /job/check.sh

cp -r /job/zlib src && cd src || exit 1
check "configure finds the compiler and what libc has" says \
	"Checking for gcc" "Building shared library libz.so" "Checking for unistd.h... Yes" -- ./configure
check "make builds it with four jobs" make -s -j4
check "its tests pass" says "zlib test OK" "zlib shared test OK" "zlib 64-bit test OK" -- make test
check "make has nothing left to do" says "Nothing to be done" -- make -n all
check "make installs it" sh -c 'make -s install prefix=$PWD/out && ls -L out/lib/libz.so out/lib/libz.a'
check "the installed library links and runs" sh -c '
	printf "#include <stdio.h>\n#include <zlib.h>\nint main(void) { return !puts(zlibVersion()); }\n" >v.c
	gcc -Iout/include v.c -Lout/lib -lz -o v && LD_LIBRARY_PATH=out/lib ./v | grep -x 1.2.13'
check "make stops at a command that fails" sh -c '
	printf "all: a b\na: ; @false\nb: ; @sleep 0.1\n" >fails; ! make -s -j4 -f fails'
finish
