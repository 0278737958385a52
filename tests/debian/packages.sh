#!/bin/bash
# dpkg and apt on packages made here: nothing comes from a network.
. /job/check.sh
export DEBIAN_FRONTEND=noninteractive

# package NAME VERSION DEPENDS: makes NAME.deb, whose scripts say when they run.
package() {
	rm -rf "$1"
	mkdir -p "$1/DEBIAN" "$1/opt/$1" "$1/etc"
	echo "$1 $2" >"$1/opt/$1/file"
	ln -s file "$1/opt/$1/link"
	echo conf >"$1/etc/$1.conf"
	echo "/etc/$1.conf" >"$1/DEBIAN/conffiles"
	printf '%s: %s\n' Package "$1" Version "$2" Architecture all Maintainer 't <t@t>' \
		Depends "$3" Description 'something tried' >"$1/DEBIAN/control"
	for script in preinst postinst prerm postrm; do
		printf '#!/bin/sh\necho %s: %s "$1"\n' "$1" $script >"$1/DEBIAN/$script"
		chmod 755 "$1/DEBIAN/$script"
	done
	(cd "$1" && md5sum opt/*/file >DEBIAN/md5sums)
	dpkg-deb --root-owner-group -b "$1"
}

check "dpkg-deb builds a package" package one 1.0 base-files
package two 2.0 'one (>= 1.0)' >/dev/null
check "dpkg-deb lists it" says 'Version: 2.0' './opt/two/link -> file' -- \
	sh -c 'dpkg-deb -f two.deb && dpkg-deb -c two.deb'
check "dpkg refuses to configure what lacks something" says 'two depends on one' 'exit 1' -- \
	sh -c 'dpkg -i two.deb; echo exit $?'
check "dpkg installs what was missing, and configures both" says \
	'one: preinst install' 'one: postinst configure' 'two: postinst configure' -- \
	sh -c 'dpkg -i one.deb && dpkg --configure -a'
check "dpkg knows whose a file is" says 'ii  one' /opt/two/link 'one: /opt/one/file' -- \
	sh -c 'dpkg -l one; dpkg -L two; dpkg -S /opt/one/file'
check "dpkg finds a changed file" gives '??5??????   /opt/one/file' \
	sh -c 'echo >>/opt/one/file; dpkg -V one'
package one 1.1 base-files >/dev/null
echo mine >/etc/one.conf
check "dpkg upgrades, and keeps a changed conffile" says 'one: prerm upgrade' 'one: postinst configure' mine -- \
	sh -c 'dpkg -i one.deb && dpkg -V one | grep -v "c /etc"; cat /etc/one.conf'
check "dpkg refuses to remove what something needs" says 'two depends on one' -- dpkg -r one
check "dpkg removes, and purges" says 'two: postrm purge' 'one: postrm purge' 0 -- \
	sh -c 'dpkg -P two one; ls /opt | grep -cE "one|two"'

mkdir repo
package three 3 four >/dev/null && package four 4 base-files >/dev/null && mv three.deb four.deb repo
(cd repo && for name in three four; do
	dpkg-deb -f $name.deb
	printf 'Filename: ./%s.deb\nSize: %s\nSHA256: %s\n\n' $name "$(stat -c %s $name.deb)" \
		"$(sha256sum <$name.deb | cut -d' ' -f1)"
done >Packages)
echo "deb [trusted=yes] file://$top/repo ./" >list
apt=(-o "Dir::Etc::SourceList=$top/list" -o Dir::Etc::SourceParts=- -o Dpkg::Use-Pty=0)
check "apt-get reads a repository of files" apt-get "${apt[@]}" update
check "apt-cache finds, and shows what depends on what" says three 'Candidate: 3' 'Depends: four' -- \
	sh -c 'apt-cache "$@" search tried; apt-cache "$@" policy three; apt-cache "$@" depends three' - "${apt[@]}"
check "apt-get installs with what it needs, in order" says '2 newly installed' \
	'four: postinst configure' 'three: postinst configure' -- apt-get "${apt[@]}" -y install three
check "apt-get removes what is not needed any more" says 'three: postrm remove' 'four: postrm remove' -- \
	sh -c 'apt-get "$@" -y remove three && apt-get "$@" -y autoremove' - "${apt[@]}"
check "apt-get installs a file, and finds all in order" says 'four: postinst configure' four -- \
	sh -c 'apt-get "$@" -y install ./repo/four.deb && apt-get check && apt-mark showmanual' - "${apt[@]}"
check "a second dpkg waits outside the lock" says 'frontend lock was locked' -- python3 -c '
import fcntl, subprocess
with open("/var/lib/dpkg/lock-frontend", "w") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    subprocess.run(["dpkg", "-P", "four"])'
finish
