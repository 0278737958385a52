#!/bin/bash
# What looks at processes and at the machine: the shape of what it prints. Numbers differ and
# are not compared, nor how wide they are; nor what the host has of its own: cgroups, a width
# of process numbers, names of functions (WCHAN), KSM (since Linux 6.4). fuser wants
# a network, and says so.
cd "$(mktemp -d)" || exit 1
export HOME=$PWD LC_ALL=C TZ=UTC COLUMNS=200
exec 2>&1
renice -n 0 $$ >/dev/null

at() { printf '== %s\n' "$1"; }
own='s/\b(hrtimer_nanosleep|hrtime|sys_clock_nanosleep|sys_cl)\b/SLEEPS/; s/N:memory:[^ ]*/-/g; s/ KSM//'

# shape COMMAND...: its output with numbers and their units as N; its status.
shape() {
	"$@" | sed -E 's/\b[0-9a-f]{8,}\b/N/g; s/-?[0-9]+([.,:][0-9]+)*([kKMGTP]i?B?|B)?\b/N/g; s/[ \t]+/ /g; s/(^ | $)//g'
	echo "status ${PIPESTATUS[0]}"
}
# names COMMAND...: the same of its first line.
names() { shape "$@" | sed '1p;$p;d'; }

sleep 1000 & pid=$!
exec 7>held

at "ps in every format"
for format in -f -l -F -ly u v s X j 'o pid,ppid,pgid,sid,tty,tpgid,stat,uid,user,comm,args' \
	'o euser,ruser,suser,fuser,egroup,rgroup,sgroup,supgrp,label' 'o etime,etimes,time,cputime,cputimes,bsdtime,bsdstart' \
	'o vsz,rss,size,sz,trs,drs,maj_flt,min_flt,pmem,pcpu,c' 'o ni,pri,rtprio,cls,policy,sched,psr,class,nlwp,thcount,lwp,spid' \
	'o blocked,caught,ignored,pending,sigmask,sig' 'o f,flags,s,state,stackp,esp,eip,wchan:20,nwchan' \
	'o cgroup,cgname,ipcns,mntns,netns,pidns,utsns,oom,oomadj,luid,numa,lxc,unit,slice'; do
	shape ps $format -p $pid | sed -E "$own" | sed 's/\([0-9N]\|-\) ? /\1 TTY /; s/\bcgroup\b.*/cgroup/'
done
shape ps -L -p $pid | head -n 1; ps -C sleep -o comm=
ps h -o stat,comm -p $pid; ps -o pid= -p 1 --deselect | grep -c "^ *$pid$"; ps -p 4194303 -o pid | tr -d ' '; echo ${PIPESTATUS[0]}; ps --sort=-rss,pid -e -o pid= | wc -l | tr 0-9 N

at "top and free"
top -b -n 1 -p $pid | shape cat | sed -E 's/,N/, N/g; s/: ?N us/: N us/; s/(up|N user|load average).*/\1/; s/\b(root N) .*/\1/'
top -b -n 1 -H -p $pid | tail -n 1 | awk '{ print $NF }'; top -b -n 2 -d 0.1 -p $pid -o PID | grep -c ^top
shape free -h; shape free -w -b -t; shape free -l -m; shape vmstat; shape vmstat -s | sort -u; shape vmstat -m | head -n 1; names vmstat -d; shape vmstat -f
shape uptime | sed 's/up.*load/up load/'; shape uptime -s; w -h | wc -l; w -s | sed -n 2p; shape slabtop -o -s c | sed -n '1,7p' | sed 's/(.*//'

at "pmap"
pmap -x $pid | shape cat | sed -n '1,4p;$p'; pmap $pid | awk '{ print $NF }' | grep -v '^[0-9]' | sort -u; pmap -X $pid | sed -En "$own; 2p" | tr -s ' '
pmap -XX $pid | sed -En "$own; 2p" | tr -s ' '; pmap -d $pid | tail -n 1 | shape cat; pmap -A 0,1000 $pid | wc -l

at "finding processes"
# fuser writes to a file: the rest of a pipeline would have `held` open too, or not yet.
pgrep -c -f '^sleep 1000$'; pgrep -x sleep -P $$ | grep -c "^$pid$"; pidof sleep | wc -w; pgrep -u root -n sleep | grep -c "$pid"; pgrep -U 4242; echo $?
pwdx $pid | shape cat | sed 's,/tmp.*,/tmp,'; lsof -p $pid -a -d cwd,txt,7 -Fnt | tr -s 0-9 N | sed 's,/tmp/[^/]*,/tmp,'; lsof -t held | grep -c "^$pid$"; lsof -p $$ 2>&1 | head -n 1 | tr -s ' '
fuser held >who 2>/dev/null; sed "s,.*/,," who | tr -s ' 0-9' ' N' | cut -d: -f1; fuser -v held >who 2>&1; grep -c bash who; pstree -p $pid | tr -s 0-9 N; prtstat $pid | shape cat | cut -d: -f1
killall -0 sleep; echo $?; skill -n -c sleep | wc -l; snice +1 $pid; ps -o ni= -p $pid; kill -l | wc -l; pidwait -x nosuch; echo $?; peekfd -h 2>&1 | head -n 1

at "the machine"
lscpu | cut -d: -f1 | grep -E '^(Architecture|CPU|Byte|Vendor|Model|Thread|Core|Socket|Flags|On-line)' | sort; lscpu -p=cpu,online | tail -n 1 | tr 0-9 N; [ "$(nproc)" = "$(lscpu -p=cpu | grep -vc '#')" ]; echo $?; getconf _NPROCESSORS_ONLN | tr 0-9 N
lsblk >/dev/null; echo $?; findmnt -n -o TARGET,FSTYPE /proc; findmnt -n -o TARGET -T /dev/null; findmnt -D >/dev/null; echo $?; mountpoint /proc /tmp /etc; df -h / | shape cat | head -n 1; df --output=fstype,target /proc | tail -n 1; df -i /tmp | shape cat | tail -n 1 | awk '{ print NF }'
names lsns; lsns -n -o TYPE -p $$ | grep -v user | sort; shape lsipc; shape ipcs -l; names ipcs -s; lslocks -n -o COMMAND,TYPE | wc -l; lsirq >/dev/null; echo $?; lsfd -p $pid -n -o ASSOC,TYPE | sed -n 1,5p

at "limits, priorities and affinity"
shape prlimit -p $pid -o RESOURCE,DESCRIPTION,UNITS; prlimit -p $pid --nofile=99 && prlimit -p $pid --nofile -o SOFT,HARD --noheadings; chrt -p $pid | shape cat; chrt -m | tr -s ' '; chrt -b -p 0 $pid && chrt -p $pid | sed 's/.*: //'
chrt -f -p 10 $pid && ps -o cls=,rtprio= -p $pid; chrt -o -p 0 $pid; taskset -pc 0 $pid | sed 's/.*list: 0$/only 0/' | tail -n 1; taskset -c 0 nproc; ionice -p $pid; ionice -c 3 -p $pid; ionice -p $pid; ionice -c 2 -n 6 ionice; renice -n 5 -p $pid | shape cat; nice; uclampset --help | wc -l; choom -p $pid | shape cat; choom -n 77 -p $pid | shape cat; cat /proc/$pid/oom_score_adj
sysctl -n kernel.ostype vm.overcommit_memory kernel.pid_max fs.nr_open kernel.threads-max | tr -s 0-9 N; sysctl -w kernel.nosuch=1; capsh --print | sed 's/[:=].*//'; getpcaps $pid | cut -d= -f1 | tr -s 0-9 N; setpriv -d | cut -d: -f1; kill $pid; wait
