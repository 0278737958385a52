#!/bin/sh
# Access control lists that debugfs wrote to an image: they say who may read in a VM, are
# inherited, and outlive the copy that a change makes. One that is none makes its file unusable.
. tests/tap.sh
. tests/host/expect.sh
PATH=$PATH:/usr/sbin:/sbin

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export MAYFLY_ACCEL=tcg XDG_CACHE_HOME="$dir/cache" HOME="$dir"
image="$dir/root.img"
cp "$BUILD/root/base.img" "$image"

# setxattr(2)'s form: u::rw- u:1000:r-- g::--- m::r-- o::---, and u::rwx u:1000:rwx g::r-x
# m::rwx o::--- .
printf '\002\000\000\000\001\000\006\000\377\377\377\377\002\000\004\000\350\003\000\000\004\000\000\000\377\377\377\377\020\000\004\000\377\377\377\377\040\000\000\000\377\377\377\377' >"$dir/access"
printf '\002\000\000\000\001\000\007\000\377\377\377\377\002\000\007\000\350\003\000\000\004\000\005\000\377\377\377\377\020\000\007\000\377\377\377\377\040\000\000\000\377\377\377\377' >"$dir/default"
debugfs -w -f - "$image" >/dev/null 2>&1 <<END
feature ext_attr
sif /etc/hosts mode 0100640
ea_set -f $dir/access /etc/hosts system.posix_acl_access
ea_set -f $dir/default /etc system.posix_acl_default
sif /etc/group mode 0100644
ea_set -r -f $dir/access /etc/group system.posix_acl_access
END

run() {
	timeout 60 "$MAYFLY" run --policy open --timeout 60s --root "$image" "$@" </dev/null
}

# fails TEXT COMMAND...: it does, and the job says so.
fails() {
	text=$1
	shift
	! "$@" >"$dir/said" 2>&1 && grep -q "$text" "$dir/said"
}

check "who is named may read" status 0 run --user 1000 -- cat /etc/hosts
check "another may not" fails "Permission denied" run --user 1001 -- cat /etc/hosts
check "nor may who is named write" fails "Permission denied" \
	run --user 1000 -- sh -c 'echo x >>/etc/hosts'
check "a copy in memory has the list too" prints "640
ok" run --user root -- sh -c \
	'chown 5 /etc/hosts; stat -c %a /etc/hosts; su job -c "cat /etc/hosts" >/dev/null && echo ok'
check "its mask takes away" fails "Permission denied" run --user root -- sh -c \
	'chmod 600 /etc/hosts; su job -c "cat /etc/hosts"'
check "what is made below inherits" prints "660
770" run --user root -- sh -c \
	'umask 77; touch /etc/new; mkdir /etc/dir; stat -c %a /etc/new /etc/dir'
check "and elsewhere nothing does" prints "600" run --user root -- sh -c \
	'umask 77; touch /root/new; stat -c %a /root/new'
check "a list in another form is not taken for none" fails "needs cleaning" \
	run -- cat /etc/group
finish
