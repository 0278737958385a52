#!/bin/bash
# More of Debian's programs, as programs.sh: git, sqlite3, compressors, openssl, editors,
# debuggers. Process numbers, addresses and what order processes took turns in are not printed.
cd "$(mktemp -d)" || exit 1
export HOME=$PWD LC_ALL=C TZ=UTC
exec 2>&1
renice -n 0 $$ >/dev/null

at() { printf '== %s\n' "$1"; }

at "git"
git config --global user.name t; git config --global user.email t@t; git config --global init.defaultBranch main; git config --global core.pager cat
export GIT_AUTHOR_DATE='1700000000 +0000' GIT_COMMITTER_DATE='1700000000 +0000'
git init -q r && cd r && for i in {1..50}; do echo $i >f$i; done && mkdir s && ln -s ../f1 s/l && printf '#!/bin/sh\n' >x && chmod +x x && git add . && git commit -m one | tail -n 3
git rm -q f3 && git mv f4 g4 && echo more >>f5 && git status --short && git commit -qam two && git log --stat --format='%h %an %ad %s' | head -n 9; git diff --stat HEAD^; git ls-files -s s x; git show --raw HEAD | tail -n 3
git checkout -qb side HEAD^ && echo other >>f5 && git commit -qam side && git merge main; git diff | cat; git checkout --theirs f5; git commit -qam merged; git log --graph --oneline; git branch -a; git stash list;
git gc -q && git count-objects -v | grep -v size; git fsck; git reflog | wc -l; git archive HEAD | sha256sum; git tag -a -m v v1 && git describe; git worktree add -q ../w v1 && ls ../w | wc -l; cd ..; git clone r c && git -C c log -1 --format=%H; git clone -q --bare --depth 1 "file://$PWD/r" b.git && git -C b.git rev-list --count HEAD
cd c && echo pushed >p && git add p && git commit -qm pushed && git push -q origin HEAD:refs/heads/new && git -C ../r branch --list new; git fetch -q && git pull -q --rebase origin main && git submodule status; git grep -n pushed; git blame -s f5; printf 'p\nq\n' | git add -p; cd ..

at "sqlite3 and jq"
sqlite3 base.db "pragma journal_mode=wal; create table t(a integer primary key, b text, c real); with recursive n(i) as (select 1 union all select i+1 from n where i<2000) insert into t select i, printf('%05x', i*7919%65536), i/7.0 from n; create index x on t(b); begin; delete from t where a%3=0; rollback; select count(*), min(b), round(sum(c), 6) from t; select json_group_object(a, b) from t where a<4; explain query plan select * from t where b='x'; vacuum; pragma integrity_check; pragma page_count"
sqlite3 base.db ".mode box" "select a, b from t limit 2" ".dump t" | sha256sum; sqlite3 base.db "select x" ; echo $?; (sqlite3 base.db "begin exclusive; select 1;" ".system sqlite3 base.db 'insert into t(b) values(1)'"); ls base.db*
echo '{"a":[1,{"b":null}],"c":"é\u00e9"}' | jq -S '.a[1], (.c | length), keys, (.a[0] / 3)'; jq -n '[limit(3; range(1; 100; 7))] | @csv' ; echo '{' | jq .; echo $?; jq -r '.[] | "\(.x) \(.y // "none")"' <<<'[{"x":1},{"x":2,"y":3}]'

at "compressors"
seq 50000 >numbers
for program in gzip bzip2 xz zstd; do $program -k numbers; $program -t numbers.* && $program -dc numbers.* | cmp - numbers; stat -c %s numbers.?*; $program -l numbers.?* 2>&1 | tail -n 1 | tr -s ' '; rm numbers.*; printf junk | $program -dc; echo $?; done
xz -T4 --block-size=65536 -c numbers | sha256sum; 7z a -bd -mx1 n.7z numbers | grep -v '^p7zip\|^7-Zip\|ASM\|bytes'; 7z t n.7z | tail -n 6 | head -n 2; 7z l n.7z numbers | tail -n 1 | awk '{ print $3 }'; TZ=UTC touch -d @1700000000 numbers; zip -X n.zip numbers; unzip -lv n.zip; unzip -t n.zip

at "openssl"
echo text >plain; openssl dgst -sha3-512 plain; openssl enc -aes-256-ctr -pbkdf2 -k pass -S 0011223344556677 -in plain -a; openssl rand 16 | wc -c; openssl genrsa 1024 2>/dev/null | openssl rsa -text -noout 2>/dev/null | head -n 1; openssl list -digest-algorithms | sha256sum; openssl version -a | grep -v CPUINFO | head -n 3; openssl prime 65537
openssl req -x509 -newkey rsa:1024 -nodes -keyout k.pem -out c.pem -subj /O=o/CN=t -days 1 2>/dev/null; openssl x509 -in c.pem -noout -subject; openssl verify -CAfile c.pem c.pem; openssl speed -seconds 1 -bytes 1024 sha256 2>&1 | grep -c sha256

at "terminals and editors"
script -qec 'tty | tr 0-9 N; stty -a | grep -v speed; stty size; echo $TERM' /dev/null </dev/null | tr -d '\r'; printf 'one\ntwo\n' >text
{ sleep 2; printf 'Gothree\033:%%s/o/0/g\r:wq\r'; sleep 2; } | TERM=xterm timeout 20 script -qec 'vim.tiny -u NONE text' /dev/null >/dev/null; cat text; printf '2d\n$a\nlast\n.\nw\nq\n' | sed -n '$='; sed -i 's/n/N/' text; cat text; diff -u <(echo a) <(echo b) | tail -n 3; patch -o - text <<<$'1c1\n< 0Ne\n---\n> patched'; less text </dev/null | head -n 1
TERM=xterm tput cols; TERM=vt100 infocmp -1 | grep cols; tset -q -e 2>&1 | head -n 1; reset -q 2>&1 </dev/null | tail -n 1; mesg </dev/null; who | wc -l; logname; watch -v; column=1 printenv column

at "strace and gdb"
sleep 60 & pid=$!; sleep 0.3
strace -e trace=none -e signal=all -o s -p $pid >/dev/null 2>&1 & tracer=$!; until [ -s s ] || grep -q "^TracerPid:.[1-9]" /proc/$pid/status; do sleep 0.1; done; sleep 0.3; kill $pid; wait $tracer; sed 's/si_pid=[0-9]*/si_pid=N/' s
strace -qq -e trace=openat,read,write,close -P plain cat plain 2>&1 | sed 's/, [0-9]* *)/, N)/; /resolved/d'; strace -o s -f -qq -e trace=execve,wait4,exit_group sh -c '(exit 3); (exit 4); exit 5'; echo $?; cut -d' ' -f2- s | grep -v "<unfinished\|exit_group" | sed -E 's/0x[0-9a-f]+/X/g; s/[0-9]{2,}/N/g; s/<... wait4 resumed>/wait4(-1, /; s/ +/ /g' | sort; strace -c -f ls / 2>&1 >/dev/null | awk 'NF == 6 || NF == 5 { print $NF }' | sort -u | head -n 8
printf '#include <unistd.h>\nint v = 1;\nstatic int g(int n) { return n ? g(n - 1) + v : *(volatile int *)0; }\nint main(void) { for (;;) { v++; usleep(1000); } return g(3); }\n' >g.c && gcc -g -fno-pie -no-pie -o g g.c
./g & pid=$!; disown; sleep 1; timeout 60 gdb -q -batch -p $pid -ex 'up-silently 99' -ex 'info line' -ex 'print v > 1' -ex 'set var v = -100' -ex 'print g' -ex 'print g(2)' -ex 'bt 3' -ex detach 2>&1 | grep -v '^\[\|^warning\|^0x\|^Using\|libthread\|^$\|^[0-9]*.*No such file' | sed -E 's/0x[0-9a-f]+/X/g; s/process [0-9]+/process N/'; kill $pid 2>/dev/null
