#!/bin/sh
# The base root image: sound, small, owned by root, nothing setuid, made the same by anyone.
. tests/tap.sh

PATH=$PATH:/usr/sbin:/sbin
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 711 "$dir" "$(dirname "$dir")" # an ordinary user builds below it
image=$BUILD/root/base.img

check "e2fsck finds nothing" e2fsck -fn "$image"
check "under 4 MB" test "$(stat -c %s "$image")" -lt 4000000

# Every entry of every folder: "inode mode (type) uid gid size date name".
for folder in / /bin /sbin /usr /usr/bin /usr/sbin /etc /dev /root /var; do
	debugfs -R "ls -l $folder" "$image" 2>/dev/null
done | grep -v '^$' >"$dir/entries"
check "more than 250 names" test "$(wc -l <"$dir/entries")" -gt 250
check "all but the job's folder belong to root" \
	test "$(awk '($4 != 0 || $5 != 0) && $NF != "job"' "$dir/entries" | wc -l)" = 0
check "nothing is setuid or setgid" \
	test "$(awk '$2 ~ /^10[2467]/' "$dir/entries" | wc -l)" = 0
for path in /sbin/agent /bin/busybox /bin/sh /usr/bin/awk /etc/passwd; do
	check "holds $path" sh -c "debugfs -R 'stat $path' $image 2>/dev/null | grep -q 'Type: regular'"
done

if [ "$(id -u)" = 0 ]; then
	chmod 711 "$dir"
	# The repository may be where only root comes, /root say.
	mkdir -p "$dir/user/build/userland"
	cp -r tools userland "$dir/user"
	cp "$BUILD/userland/agent" "$dir/user/build/userland"
	chown 65534:65534 "$dir/user"
	check "made by an ordinary user, under another umask" \
		setpriv --reuid=65534 --regid=65534 --clear-groups \
		sh -c "umask 077; cd $dir/user && ${PYTHON:-/usr/bin/python3} tools/mkroot.py userland/root/base.txt base.img build"
	check "it has the same bytes" cmp "$image" "$dir/user/base.img"
fi
finish
