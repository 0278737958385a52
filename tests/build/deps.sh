#!/bin/sh
# tools/deps takes a source package only with its pinned sum, and needs no network when
# everything is there.
. tests/tap.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
fetched=${DEPS:-$BUILD/deps}/src

# A copy of the tree's part that matters, and an apt-get that fetches nothing.
mkdir -p "$dir/tree/tools" "$dir/bin"
cp tools/deps "$dir/tree/tools"
cp -r deps "$dir/tree"
printf '#!/bin/sh\ntouch "%s/asked"\n' "$dir" >"$dir/bin/apt-get"
chmod +x "$dir/bin/apt-get"
deps() { PATH=$dir/bin:$PATH "$dir/tree/tools/deps" "$dir/$1"; }

mkdir -p "$dir/right" "$dir/wrong"
cp -r "$fetched" "$dir/right/src"
cp -r "$fetched" "$dir/wrong/src"

check "files with the pinned sums are unpacked" deps right
check "the source is there" test -f "$dir/right/libsodium/src/libsodium/include/sodium.h"
check "a second run" deps right
check "nothing was asked of the network" test ! -e "$dir/asked"

for file in "$dir"/wrong/src/*.orig.tar.gz; do
	printf x >>"$file"
done
refuses "a file with one byte more" "wrong SHA-256, refused" deps wrong
check "nothing of it was unpacked" test ! -e "$dir/wrong/libsodium"
finish
