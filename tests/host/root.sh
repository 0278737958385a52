#!/bin/sh
# --root: names, folders, archives and images.
. tests/host/lib.sh
PATH=$PATH:/usr/sbin:/sbin

mkdir -p "$dir/tree/bin" "$dir/tree/etc" "$dir/tree/a b"
cp "$build/userland/agent" "$dir/tree/bin/prog"
chmod 4755 "$dir/tree/bin/prog"
echo conf >"$dir/tree/etc/conf"
chmod 640 "$dir/tree/etc/conf"
echo space >"$dir/tree/a b/c d"
ln -s ../etc/conf "$dir/tree/bin/link"
ln "$dir/tree/etc/conf" "$dir/tree/etc/hard"
tar -C "$dir/tree" --owner=x:12 --group=y:34 -czf "$dir/tree.tar.gz" .

# The image that the last run made.
image() {
	ls -t "$dir"/cache/mayfly/root-*.img | head -n 1
}

images() {
	ls "$dir"/cache/mayfly/root-*.img | wc -l
}

# in_image PATH TEXT: whether debugfs says that about the file, in $made or the last one.
in_image() {
	debugfs -R "stat \"$1\"" "${made:-$(image)}" 2>/dev/null | tr -s ' ' >"$dir/stat"
	grep -q "$2" "$dir/stat" || {
		cat "$dir/stat"
		return 1
	}
}

content() {
	debugfs -R "cat \"$1\"" "$(image)" 2>/dev/null
}

check "the base image by name" run --root base -- true
check "a folder" run --root "$dir/tree" -- true
check "the image is sound" e2fsck -fn "$(image)"
check "it holds a file" prints conf content /etc/conf
check "of a name with spaces" prints space content "/a b/c d"
check "with its mode" in_image /bin/prog "Mode: 04755"
check "and a link" in_image /bin/link 'Fast link dest: "../etc/conf"'
check "the agent" in_image /.mayfly-agent "Mode: 0755"
check "the very agent" sh -c "debugfs -R 'cat /.mayfly-agent' '$(image)' 2>/dev/null | cmp - '$build/userland/agent'"
for folder in proc dev sys tmp job; do
	check "the folder $folder" in_image /$folder "Type: directory"
done
check "where getmntent(3) finds the mounts" in_image /etc/mtab 'Fast link dest: "/proc/self/mounts"'
check "again" run --root "$dir/tree" -- true
check "comes from the cache" [ "$(images)" = 1 ]
echo more >"$dir/tree/etc/more"
echo own >"$dir/tree/etc/mtab"
check "after a change" run --root "$dir/tree" -- true
check "a new one is made" [ "$(images)" = 2 ]
check "that has it" prints more content /etc/more
check "and a list of mounts of its own" prints own content /etc/mtab
echo old >"$dir/tree/.mayfly-agent"
check "a folder that was an image once" run --root "$dir/tree" -- true
check "gets the agent of now" in_image /.mayfly-agent "Mode: 0755"
rm "$dir/tree/.mayfly-agent"

check "a compressed archive" run --root "$dir/tree.tar.gz" -- true
check "is one more image" [ "$(images)" = 4 ]
check "it is sound" e2fsck -fn "$(image)"
check "with the archive's owner" in_image /etc/conf "User: 12 Group: 34"
check "and mode" in_image /etc/conf "Mode: 0640"
check "and setuid" in_image /bin/prog "Mode: 04755"
check "and hard links" in_image /etc/hard "Links: 2"

if [ "$(id -u)" = 0 ]; then
	mkdir -p "$dir/user/bin"
	cp "$MAYFLY" "$dir/user/bin"
	cp "$dir/tree.tar.gz" "$dir/user"
	chown -R 65534:65534 "$dir/user"
	chmod 711 "$dir" "${TMPDIR:-$dir}"
	check "an ordinary user makes the same" setpriv --reuid=65534 --regid=65534 --clear-groups \
		env XDG_CACHE_HOME="$dir/user" "$dir/user/bin/mayfly" run --cwd / --root "$dir/user/tree.tar.gz" -- true
	made=$(ls "$dir"/user/mayfly/root-*.img)
	check "with the archive's owner" in_image /etc/conf "User: 12 Group: 34"
	check "and setuid" in_image /bin/prog "Mode: 04755"
	made=
fi

check "an image as it is" run --root "$(image)" -- true
check "no file of that name" says 125 "nosuch" run --root "$dir/nosuch" -- true
check "a file that is neither" says 125 "neither an ext4 image nor a tar archive" \
	run --root "$build/userland/agent" -- true
: >"$dir/empty"
check "an empty file" says 125 "neither an ext4 image nor a tar archive" run --root "$dir/empty" -- true
head -c 2000 "$dir/tree.tar.gz" >"$dir/cut.tar.gz"
check "a truncated archive" says 125 "archive" run --root "$dir/cut.tar.gz" -- true
check "no cache to write to" says 125 "cache" env HOME= XDG_CACHE_HOME= "$MAYFLY" run --root "$dir/tree" -- true

mkdir "$dir/odd"
echo x >"$dir/odd/etc"
check "a folder whose etc is a file" run --root "$dir/odd" -- true
check "which stays" prints x content /etc
for odd in etc nowhere /etc/../loop "$(printf '%04000d/' 0)"; do
	rm -f "$dir/odd/etc" "$dir/odd/loop"
	ln -s "$odd" "$dir/odd/etc"
	ln -s loop "$dir/odd/loop"
	check "whose etc is a link to $(echo "$odd" | head -c 20)" run --root "$dir/odd" -- true
done
rm "$dir"/cache/mayfly/root-*

mkdir "$dir/evil"
ln -s /tmp "$dir/evil/out"
tar -C "$dir/evil" -cf "$dir/evil.tar" out
rm "$dir/evil/out"
mkdir "$dir/evil/out"
echo x >"$dir/evil/out/mayfly-evil"
tar -C "$dir/evil" -rf "$dir/evil.tar" out/mayfly-evil
check "an archive that writes through its link" run --root "$dir/evil.tar" -- true
check "wrote nothing here" [ ! -e /tmp/mayfly-evil ]
check "but inside" prints x content /tmp/mayfly-evil
(cd "$dir/evil" && tar -cPf "$dir/up.tar" ../evil/out/mayfly-evil)
check "an archive that leaves is refused" says 125 "../evil/out/mayfly-evil" run --root "$dir/up.tar" -- true
check "nothing is left of it" [ -z "$(find "$dir/cache/mayfly" ! -name 'root-*' ! -name 'seen-*' ! -name mayfly)" ]

for n in 1 2 3 4 5 6 7 8 9 10; do
	mkdir -p "$dir/many/$n"
	echo "$n" >"$dir/many/$n/file"
	run --root "$dir/many/$n" -- true
	touch -d "$((20 - n)) minutes ago" "$(image)"
done
check "the cache keeps but a few" [ "$(images)" -le 9 ]
finish
