#!/bin/sh
# The base root image: sound, small, owned by root, three programs setuid, made the same by anyone.
. tests/tap.sh

PATH=$PATH:/usr/sbin:/sbin
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 711 "$dir" "$(dirname "$dir")" # an ordinary user builds below it
image=$BUILD/root/base.img

check "e2fsck finds nothing" e2fsck -fn "$image"
check "under 9 MB" test "$(stat -c %s "$image")" -lt 9000000

# Every entry of every folder: "inode mode (type) uid gid size date name".
for folder in / /bin /sbin /usr /usr/bin /usr/sbin /etc /etc/pam.d /dev /root /var /lib64 \
	/lib/x86_64-linux-gnu /lib/x86_64-linux-gnu/security; do
	debugfs -R "ls -l $folder" "$image" 2>/dev/null
done | grep -v '^$' >"$dir/entries"
check "more than 250 names" test "$(wc -l <"$dir/entries")" -gt 250
check "all but the job's folder belong to root, the passwords to their group, too" test \
	"$(awk '$4 != 0 || $5 != 0 { print $4 ":" $5, $NF }' "$dir/entries" | sort | tr '\n' ' ')" \
	= "0:42 gshadow 0:42 shadow 1000:1000 job "
check "three are setuid, none setgid" test \
	"$(awk '$2 ~ /^10[2467]/ { print $2, $NF }' "$dir/entries" | sort -k 2 | tr '\n' ' ')" \
	= "104755 newgrp 104755 passwd 104755 su "
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
