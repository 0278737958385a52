#!/bin/bash
# Becoming another user, and capabilities, by the programs people use for it: util-linux's, shadow's,
# sudo and libcap's, with PAM below them. Each refusal has its allowed twin. Compared as tools.sh is.

# A container's root often lacks this one capability, so nobody is to have it.
if capsh --has-b=cap_sys_resource 2>/dev/null; then
	exec setpriv --bounding-set=-sys_resource bash -c "$BASH_EXECUTION_STRING"
fi
cd "$(mktemp -d)" && chmod 755 . || exit 1
export HOME=$PWD LC_ALL=C TZ=UTC TERM=dumb
exec 2>&1 </dev/null
umask 022

# at NAME: what is printed until the next is one point.
at() { printf '== %s\n' "$1"; }

# What a program is and may.
cat >who <<'END'
#!/bin/sh
exec sed -n 's/^\(Uid\|Gid\|Groups\|Cap...\|NoNewPrivs\):[[:space:]]*/\1 /p' /proc/self/status
END
# typed ANSWERS COMMAND...: the command at a terminal of its own. A line of the answers is what it
# must ask for, a bar, and what is then typed. Prints what the terminal showed, and how it ended.
cat >typed <<'END'
#!/usr/bin/python3 -IS
import os, pty, select, signal, sys, time

steps = [line.split("|") for line in sys.argv[1].splitlines()]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
screen = ""
at = 0
end = time.monotonic() + 30
while select.select([fd], [], [], max(end - time.monotonic(), 0))[0]:
    try:
        screen += os.read(fd, 4096).decode(errors="replace").replace("\r", "")
    except OSError:
        break
    while steps and (found := screen.find(steps[0][0], at)) >= 0:
        at = found + len(steps[0][0])
        time.sleep(0.03)
        os.write(fd, (steps.pop(0)[1] + "\n").encode())
else:
    os.kill(pid, signal.SIGKILL)
print(screen.strip())
print(f"{len(steps)} unasked" if steps else "all asked", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
chmod 755 who typed
PATH=$PWD:$PATH

# No waiting after a refusal, and a quarter of the work for a hash: two thirds of the time.
sed -i '/pam_unix.so/s/$/ nodelay/; /pam_faildelay/d' /etc/pam.d/common-auth /etc/pam.d/login
sed -i '/pam_unix.so/s/yescrypt/& rounds=3/' /etc/pam.d/common-password
echo 'FAIL_DELAY 0' >>/etc/login.defs

at "accounts"
groupadd -g 3000 crew; groupadd -g 3001 club
useradd -m -u 2000 -G crew -s /bin/bash ann; useradd -m -u 2001 -s /bin/bash bob; useradd -m -u 2002 -s /usr/sbin/nologin eve
printf 'ann:one-Two3\nbob:four-Five6\neve:no\n' | chpasswd; echo $?
cut -d: -f2 /etc/shadow | cut -c1-3 | sort | uniq -c; stat -c '%n %A %U %G' /etc/shadow /etc/passwd /home/ann; id ann; id bob; getent passwd ann; getent group crew
echo 'club:open-Club7' | chgpasswd && cut -d: -f1,2 /etc/gshadow | grep club | cut -c1-8; chage -l ann | grep -v '^Last'; chage -M 90 -W 7 ann && chage -l ann | tail -n 3
touch /home/{ann,bob}/.hushlogin; passwd -S bob | cut -d' ' -f1,2,4-; pwck -rq; grpck -r; echo $?

at "setpriv: who one is"
setpriv --reuid=2000 --regid=2000 --clear-groups who; setpriv --reuid=2000 --regid=2000 --init-groups who | head -n 4; setpriv --ruid=2000 --euid=2001 --rgid=2000 --egid=0 --groups=7,8,3000 who
setpriv --reuid=ann --regid=crew --keep-groups id; setpriv --reuid=2000 --clear-groups setpriv --reuid=0 id; echo $?; setpriv --reuid=2000 --regid=2000 --clear-groups setpriv --clear-groups id; echo $?
setpriv --ruid=0 --euid=2000 --keep-groups setpriv --euid=0 id; setpriv --reuid=2000 --keep-groups setpriv --ruid=2000 --euid=2000 id -u; setpriv --dump | sed 's/^SELinux.*//'

at "setpriv: capabilities"
setpriv --inh-caps=-all who | grep Cap; setpriv --inh-caps=+net_raw,+chown --ambient-caps=+net_raw,+chown --reuid=2000 --clear-groups who
setpriv --inh-caps=+net_raw --reuid=2000 --clear-groups who | grep Cap; setpriv --ambient-caps=+net_raw --reuid=2000 --clear-groups id; echo $?
setpriv --bounding-set=-all,+chown,+kill who | grep Cap; setpriv --bounding-set=-setuid su -s /bin/sh -c id ann; echo $?; setpriv --bounding-set=-all chown 5 who; echo $?
setpriv --reuid=2000 --clear-groups setpriv --bounding-set=-chown id; echo $?
setpriv --bounding-set=-chown setpriv --dump | grep 'bounding' | tr , '\n' | grep -c .

at "setpriv: securebits"
for bits in +noroot +no_setuid_fixup +noroot,+no_setuid_fixup,+noroot_locked,+no_setuid_fixup_locked; do
	echo "$bits"; setpriv --securebits=$bits sh -c 'who | grep Cap; setpriv --dump | grep -i secure'
done
setpriv --securebits=+noroot_locked setpriv --securebits=+noroot id; echo $?; setpriv --securebits=+noroot_locked setpriv --securebits=+keep_caps_locked id -u; echo $?
setpriv --securebits=+no_setuid_fixup --reuid=2000 who | grep Cap; setpriv --reuid=2000 setpriv --securebits=+noroot id; echo $?

at "setpriv: no_new_privs"
install -o ann -g crew -m 6755 /usr/bin/id mine
setpriv --reuid=2001 --regid=2001 --clear-groups ./mine; setpriv --reuid=2001 --regid=2001 --clear-groups --no-new-privs ./mine
setpriv --no-new-privs who; setpriv --no-new-privs --reuid=2001 --clear-groups sh -c 'echo one-Two3 | su ann -c id'; echo $?
setpriv --reuid=2001 --clear-groups sh -c 'echo one-Two3 | su ann -c id'; echo $?
setpriv --no-new-privs setpriv --reuid=2000 --regid=2000 --clear-groups id; setpriv --nnp --reuid=2000 --clear-groups newgrp crew </dev/null; echo $?

at "capsh"
capsh --print; setpriv --reuid=2000 --regid=2000 --init-groups capsh --print
capsh --drop=cap_chown,cap_kill -- -c 'who | grep Cap'; capsh --drop=all --print | head -n 3; capsh --user=ann -- -c who; capsh --user=nobodyhere -- -c id; echo $?
capsh --keep=1 --uid=2000 --caps=cap_net_raw+eip --print | head -n 9; capsh --keep=0 --uid=2000 --caps=cap_net_raw+eip --print; echo $?
capsh --keep=1 --user=ann --inh=cap_net_raw,cap_chown --addamb=cap_net_raw,cap_chown -- -c who; capsh --keep=1 --user=ann --addamb=cap_net_raw -- -c id; echo $?
capsh --inh=cap_kill --addamb=cap_kill --has-a=cap_kill; echo $?; capsh --inh=cap_kill --addamb=cap_kill --noamb --has-a=cap_kill; echo $?
for bits in 0 0xef; do capsh --secbits=$bits --print | sed -n '/^Sec/,/secure-no-amb/p'; capsh --secbits=$bits -- -c 'who | grep CapEff'; done; capsh --secbits=0x2f -- -c 'capsh --secbits=0 --print'; echo $?
capsh --no-new-privs --has-no-new-privs --print | grep -i priv; capsh --modes; capsh --mode=PURE1E --mode -- -c 'who | grep Cap'; capsh --mode=NOPRIV --inh=cap_chown; echo $?
capsh --uid=2000 --has-p=cap_chown; echo $?; capsh --has-p=cap_chown --has-i=cap_chown; echo $?; capsh --has-b=cap_chown --drop=cap_chown --has-b=cap_chown; echo $?
capsh --gid=3000 --groups=crew,club -- -c id; capsh --uid=2000 --gid=0 -- -c id; echo $?; capsh --cap-uid=2000 --print | grep -i '^\(uid\|current\)'; capsh --is-uid=0 --is-gid=0; echo $?; capsh --decode=00000000a80425fb; capsh --explain=cap_setuid | head -n 3
capsh --strict --user=bob --print | head -n 4; capsh --chroot=/tmp -- -c id; echo $?; capsh --uid=2000 --chroot=/ -- -c id; echo $?

at "getpcaps"
getpcaps $$ | sed 's/^[0-9]*/N/'; setpriv --reuid=2000 sleep 30 & sleep 0.5; getpcaps $! | sed 's/^[0-9]*/N/'; setpriv --reuid=2001 getpcaps --verbose $! | sed 's/[0-9]\+/N/g'; kill $!
setpriv --reuid=2000 --inh-caps=+kill --ambient-caps=+kill sleep 30 & sleep 0.5; getpcaps --iab $! | sed 's/^[0-9]*/N/'; getpcaps --legacy $! 2>&1 | sed 's/[0-9]\+/N/'
setpriv --reuid=2001 kill $! 2>&1 | sed 's/[0-9]\+/N/'; setpriv --reuid=2000 kill $!; wait $!; echo $?; getpcaps 999999; echo $?

at "setcap and getcap"
cp /usr/bin/cat readit; chmod 711 readit; echo secret >secret; chmod 600 secret
plain() { setpriv --reuid=2000 --regid=2000 --clear-groups "$@"; }
plain ./readit secret; setcap cap_dac_read_search+ep readit && getcap readit; plain ./readit secret; plain ./readit /proc/self/status | grep Cap; setcap -v cap_dac_read_search+ep readit; echo $?; setcap -v cap_chown+ep readit; echo $?
plain setcap cap_chown+ep readit; echo $?; setcap cap_dac_read_search+p readit; plain ./readit secret; plain ./readit /proc/self/status | grep Cap; setpriv --no-new-privs true; plain setpriv --no-new-privs ./readit /proc/self/status | grep Cap
setcap cap_dac_read_search+ei readit; plain ./readit secret; plain ./readit /proc/self/status | grep Cap; setpriv --inh-caps=+dac_read_search --reuid=2000 --clear-groups ./readit secret
setcap cap_dac_read_search+ep readit; setpriv --bounding-set=-dac_read_search --reuid=2000 --clear-groups ./readit secret; echo $?; setcap cap_dac_read_search+p readit; setpriv --bounding-set=-dac_read_search --reuid=2000 --clear-groups ./readit who | head -n 1
setcap cap_chown,cap_kill+eip readit; getcap -r . ; getcap -n readit; setcap -n 1000 cap_chown+ep readit; getcap -n readit; plain ./readit who | head -n 1; setcap -r readit; getcap readit; setcap -r readit; echo $?; setcap cap_chown+ep nosuch; setcap nonsense readit; echo $?
setcap cap_chown+ep readit; chown ann readit; getcap readit; setcap cap_chown+ep readit; plain sh -c 'echo >>readit'; getcap readit; setcap cap_net_raw=ep who; plain ./who | grep Cap

at "su"
plain su bob -c id </dev/null; echo $?; echo four-Five6 | plain su bob -c 'id; echo $HOME $USER $LOGNAME $SHELL'; echo $?; echo wrong | plain su bob -c id; echo $?; echo no | plain su eve -c id; echo $?
su ann -c who; su - ann -c 'pwd; echo $HOME $PATH $USER $SHELL; umask'; su -s /bin/sh eve -c id; su eve; echo $?; su nosuchuser -c id; echo $?; su -g crew bob -c id; su -G crew -G club bob -c id; echo one-Two3 | plain su -g crew ann -c id; echo $?
su ann -c 'kill -TERM $$'; echo $?; su -p ann -c 'echo $HOME | cut -c1-5; id -un'; su -w FOO ann -c 'echo $FOO'; su ann -c 'su -c id' </dev/null; echo $?
passwd -l bob; echo four-Five6 | plain su bob -c id; echo $?; passwd -u bob; chage -E 1 bob; echo four-Five6 | plain su bob -c id; echo $?; chage -E -1 bob; echo four-Five6 | plain su bob -c id
runuser -u ann -- id; runuser ann -c 'id -G'; plain runuser -u bob id; echo $?; su ann -c "ls -ld /proc/self/fd | cut -d' ' -f3,4"; su -P ann -c 'tty | cut -c1-8; ps -o comm= -t $(tty) | sort | tr "\n" " "'; echo

at "at a terminal"
typed $'Password: |four-Five6' setpriv --reuid=2000 --regid=2000 --init-groups su bob -c 'id; tty | cut -c1-8'; typed $'Password: |wrong' setpriv --reuid=2000 --regid=2000 --init-groups su bob -c id
typed $'$ |id\n$ |exit 4' su - ann; typed $'Current password: |one-Two3\nNew password: |eight-Nine0\nRetype new password: |eight-Nine0' su ann -c passwd
typed $'Current password: |eight-Nine0\nNew password: |ten-Eleven1\nRetype new password: |other' su ann -c passwd; plain passwd bob; echo $?; plain passwd -l ann; echo $?; plain passwd -S ann | cut -d' ' -f1,2
echo eight-Nine0 | setpriv --reuid=2001 --clear-groups su ann -c id; typed $'New password: |one-Two3\nRetype new password: |one-Two3' passwd ann
stat -c '%n %A %U %G' /etc/shadow /etc/passwd; typed $'Password: |one-Two3' setpriv --reuid=2000 --regid=2000 --clear-groups chsh -s /bin/sh; getent passwd ann; plain chsh -s /bin/sh bob; echo $?; plain chfn -f Other bob; echo $?
typed $'$ |id\n$ |tty >/dev/null && stat -c "%U %A" $(tty)\n$ |exit' login -f bob
typed $'login: |bob\nPassword: |four-Five6\n$ |id -un; exit 3' login | tail -n 4 ; plain login </dev/null; echo $?

at "groups"
sg crew -c id; su ann -c 'echo "id -gn; id -G" | newgrp crew'; su bob -c 'sg crew -c id' </dev/null; echo $?; typed $'Password: |open-Club7' su bob -c 'sg club -c id'
su ann -c 'touch /tmp/of-ann; chgrp crew /tmp/of-ann; stat -c %G /tmp/of-ann; chgrp club /tmp/of-ann; stat -c %G /tmp/of-ann; chown bob /tmp/of-ann'; rm /tmp/of-ann; gpasswd -a bob club; su bob -c 'id -Gn; sg club -c "id -gn"'; gpasswd -d bob club; su bob -c 'id -Gn'
plain gpasswd -a ann club; echo $?; gpasswd -A ann club; plain gpasswd -a ann club; su ann -c 'id -Gn'; mkdir shared; chgrp crew shared; chmod 2775 shared; su ann -c 'touch shared/f; mkdir shared/d'; stat -c '%A %U %G' shared/*; usermod -aG crew bob; su bob -c 'id -Gn; touch shared/g'

at "sudo"
plain sudo -n id; echo $?; echo 'ann ALL=(ALL:ALL) ALL' >/etc/sudoers.d/ann; echo 'bob ALL=(ann) NOPASSWD: /usr/bin/id' >/etc/sudoers.d/bob; chmod 440 /etc/sudoers.d/*; visudo -cq; echo $?
one=(setpriv --reuid=2000 --regid=2000 --init-groups) two=(setpriv --reuid=2001 --regid=2001 --init-groups)
"${one[@]}" sudo -n "$PWD/who"; echo $?; echo one-Two3 | "${one[@]}" sudo -S -p 'pass: ' "$PWD/who"; "${one[@]}" sudo -K; echo wrong | "${one[@]}" sudo -S -p 'pass: ' id; echo $?; "${one[@]}" sudo -K
"${two[@]}" sudo -n id; echo $?; "${two[@]}" sudo -n -u ann id; "${two[@]}" sudo -n -u ann cat /dev/null; echo $?; "${two[@]}" sudo -n -l | tail -n 1; setpriv --no-new-privs "${two[@]}" sudo -n -u ann id; echo $?
typed $'pass: |one-Two3' "${one[@]}" sh -c 'sudo -p "pass: " id; sudo -n -u bob -g crew id; sudo -k; sudo -n id'
sudo -u ann "$PWD/who"; sudo -u bob -g club id; sudo -i -u bob 'pwd'; FOO=1 sudo -u ann sh -c 'echo $SUDO_USER $SUDO_UID $USER $FOO'; sudo -u ann sh -c 'kill -TERM $$'; echo $?; sudo -u nosuchuser id; echo $?; sudo -u ann -b true
chmod 666 /etc/sudoers.d/bob; "${two[@]}" sudo -n -u ann id; echo $?; chmod 440 /etc/sudoers.d/bob; "${two[@]}" sudo -n -u ann id; chmod u-s /usr/bin/sudo; "${two[@]}" sudo -n -u ann id; echo $?

at "files that only their owner may read"
plain cat /etc/shadow; echo $?; plain grep -c . /etc/passwd | grep -c .; plain chage -l ann | grep -c .; plain chage -l bob; echo $?; plain chage -M 5 ann; echo $?; plain expiry -c; echo $?
plain sh -c 'kill -0 1; ls /proc/1/fd; cat /proc/1/environ; mount -t tmpfs none /mnt; umount /proc; chroot / id; hostname x; nice -n -1 id -u; mknod z b 1 1; chown 0 /etc/passwd; date -s @1; reboot -f; dmesg -C; sysctl -w kernel.hostname=x; swapoff -a; renice -n -5 $$' 2>&1 | sed 's/[0-9]\{2,\}/N/g'
(cd /tmp; setpriv --reuid=2000 --clear-groups rm -f who; mkdir -m 1777 st; touch st/root; setpriv --reuid=2000 --clear-groups touch st/ann; setpriv --reuid=2000 --clear-groups rm -f st/root; setpriv --reuid=2000 --clear-groups rm -f st/ann; setpriv --reuid=2001 --clear-groups touch st/root; ls st; rm -r st)
