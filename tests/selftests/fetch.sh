#!/bin/sh
# fetch.sh DIR: the kernel's selftests, as Debian ships the sources, and in DIR/libraries what some of
# them are linked with. Nothing is installed. The packages are those of packages.txt, by
# version and SHA-256; nothing is asked of the network when they are there.
set -eu

dir=${1:?usage: fetch.sh DIR}
list=$(dirname "$0")/packages.txt
! cmp -s "$list" "$dir/packages.txt" || exit 0

rm -rf "$dir"
mkdir -p "$dir/get"
list=$(realpath "$list")
cd "$dir/get"
grep -v '^#' "$list" | while read -r name version sum; do
	echo "selftests: fetching $name $version"
	apt-get -qq -o APT::Sandbox::User=root download "$name=$version" || {
		echo "selftests: the mirror has another version: see $list" >&2
		exit 1
	}
	echo "$sum  $(echo "${name}"_*.deb)" | sha256sum -c --quiet -
	dpkg-deb -x "${name}"_*.deb .
done
tar xf usr/src/linux-source-6.1.tar.xz -C .. --strip-components=4 \
	linux-source-6.1/tools/testing/selftests
mkdir ../libraries
mv usr/include usr/lib/x86_64-linux-gnu ../libraries
cd ..
rm -r get
cp "$list" .
