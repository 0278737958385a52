#!/bin/sh
# fetch.sh DIR: the packages of packages.txt, by version and SHA-256, unpacked into DIR/root. Nothing
# is installed, and nothing is asked of the network when they are there.
set -eu

dir=${1:?usage: fetch.sh DIR}
list=$(realpath "$(dirname "$0")/packages.txt")
! cmp -s "$list" "$dir/packages.txt" || exit 0

rm -rf "$dir"
mkdir -p "$dir/get" "$dir/root"
cd "$dir/get"
grep -v '^#' "$list" | while read -r name version sum; do
	echo "sandboxes: fetching $name $version"
	apt-get -qq -o APT::Sandbox::User=root download "$name=$version" || {
		echo "sandboxes: the mirror has another version: see $list" >&2
		exit 1
	}
	echo "$sum  $(echo "${name}"_*.deb)" | sha256sum -c --quiet -
	dpkg-deb -x "${name}"_*.deb ../root
done
cd ..
# Debian's /lib is a link to /usr/lib, in the root that this is copied into.
if [ -d root/lib ]; then
	cp -a root/lib/. root/usr/lib
	rm -r root/lib
fi
rm -r get
cp "$list" packages.txt
