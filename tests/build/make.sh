#!/bin/sh
# make: a second run does nothing, help names every target, install puts in place what
# the command needs.
. tests/tap.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MAKELEVEL MFLAGS

make BUILD="$BUILD" all >"$dir/again" 2>&1
check "a second make builds nothing" sh -c "! grep -E '^  [A-Z]+ ' '$dir/again'"

make help >"$dir/help"
for target in all deps run test test-fast bench debug check repro install help; do
	check "help names $target" grep -q "^  make $target " "$dir/help"
done

check "make install" make BUILD="$BUILD" DESTDIR="$dir/root" PREFIX=/usr install
for file in bin/mayfly lib/mayfly/loader.elf lib/mayfly/bundle.bin lib/mayfly/root/base.img; do
	check "installs $file" test -s "$dir/root/usr/$file"
done
check "the installed command runs a job" \
	"$dir/root/usr/bin/mayfly" run -- busybox true
finish
