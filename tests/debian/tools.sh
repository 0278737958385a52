#!/bin/bash
# Debian's programs, each doing what it is for.
. /job/check.sh
export GIT_CONFIG_GLOBAL=$top/gitconfig

compile() {
	mkdir c && cd c || return
	cat >add.c <<-END
		int add(int a, int b) { return a + b; }
	END
	cat >main.c <<-END
		#include <stdio.h>
		#include <pthread.h>
		int add(int, int);
		static void *thread(void *at) { *(int *)at = add(40, 2); return 0; }
		int main(void) {
			pthread_t t; int n = 0;
			pthread_create(&t, 0, thread, &n); pthread_join(t, 0);
			printf("%d\n", n);
			return n != 42;
		}
	END
	cat >Makefile <<-END
		CFLAGS = -O2 -Wall -g
		prog: main.o libadd.so; gcc -o \$@ main.o -L. -ladd -Wl,-rpath,\$(CURDIR) -pthread
		libadd.so: add.c; gcc \$(CFLAGS) -fPIC -shared -o \$@ \$<
		test: prog; ./prog | grep -qx 42
	END
	make -j4 test
}
check "gcc and make build a program with a library of its own" compile
check "strace writes what it calls" sh -c \
	'strace -f -o trace c/prog && grep -q "write(1, \"42" trace'

repository() {
	git config --global user.name t && git config --global user.email t@t &&
		git init -q -b main r && cd r || return
	for n in $(seq 200); do echo "$n" >"file$n"; done
	git add . && git commit -qm one && echo more >>file7 && git commit -qam two &&
		git gc -q && git fsck && gives 2 git rev-list --count HEAD
}
check "git commits, collects and checks" repository
check "git clones" sh -c 'git clone -q r r2 && cd r2 && [ "$(tail -n 1 file7)" = more ]'
check "git status is clean" gives "" git -C r2 status --porcelain
check "git merges" sh -c 'cd r2 && git config user.name t && git config user.email t@t &&
	git checkout -qb side HEAD^ && echo s >side && git add side && git commit -qm side &&
	git merge -q -m m main && [ "$(git log --oneline | wc -l)" = 4 ]'

check "sqlite3 counts what it inserted" gives 10000 sqlite3 db \
	"create table t(n); with recursive c(n) as (select 1 union all select n+1 from c where n<10000) insert into t select n from c; select count(*) from t;"
check "and finds it sound" gives ok sqlite3 db "pragma integrity_check"

head -c 3000000 /dev/urandom >random
seq 200000 >numbers
for program in gzip bzip2 xz zstd; do
	check "$program there and back" sh -c \
		"$program -c numbers >n.z && $program -dc n.z | cmp - numbers"
done
check "xz with threads" sh -c 'xz -T4 -1 -c random | xz -dc | cmp - random'
check "7z there and back" sh -c '7z a -bd z.7z numbers random >/dev/null && mkdir o &&
	cd o && 7z x -bd ../z.7z >/dev/null && cmp numbers ../numbers && cmp random ../random'
check "zip there and back" sh -c 'zip -q z.zip numbers && unzip -p z.zip numbers | cmp - numbers'
check "tar keeps modes and links" sh -c 'tar cf t.tar r && mkdir p && tar xf t.tar -C p && diff -r r p/r'
check "jq picks" gives 3 jq '.a | length' <<<'{"a": [1, 2, 3]}'
check "openssl signs and verifies" sh -c 'openssl genpkey -algorithm ed25519 -out key &&
	openssl pkey -in key -pubout -out pub && openssl pkeyutl -sign -inkey key -rawin -in numbers -out sig &&
	openssl pkeyutl -verify -pubin -inkey pub -rawin -in numbers -sigfile sig'
check "openssl measures its speed" openssl speed -seconds 1 sha256
tls() {
	openssl req -x509 -newkey ed25519 -nodes -keyout k.pem -out c.pem -subj /CN=t -days 1 || return
	openssl s_server -unix "$top/tls" -key k.pem -cert c.pem -rev -quiet >/dev/null &
	local server=$! client
	for _ in $(seq 50); do [ -S tls ] && break; sleep 0.1; done
	mkfifo ask
	openssl s_client -unix "$top/tls" -quiet <ask >answer 2>/dev/null & client=$!
	exec 8>ask
	echo hello >&8
	for _ in $(seq 300); do [ -s answer ] && break; sleep 0.1; done
	exec 8>&-
	kill $client $server
	grep -x olleh answer
}
check "openssl s_server over a Unix socket" tls
check "file knows a program" sh -c 'file /bin/bash /bin/bash | grep -q "symbolic link\|ELF 64-bit"'
check "ps lists itself" sh -c 'ps -eo pid,comm | grep -q "ps$"'
check "free and uptime read /proc" sh -c 'free -m && uptime && vmstat && w -h'
check "top prints once" sh -c 'top -bn1 | grep -q "^MiB Mem\|^KiB Mem"'
check "lsof finds an open file" sh -c 'exec 7>open; lsof -p $$ | grep -q "$PWD/open"'
check "pgrep and pkill" sh -c 'sleep 61 & pgrep -f "^sleep 61" && pkill -f "^sleep 61"; ! wait $!'
check "find and xargs" gives 200 sh -c 'find r -name "file*" -print0 | xargs -0 -n 50 -P 4 ls | wc -l'
check "sort with threads and files" sh -c 'sort -R -S 1M --parallel=4 numbers | sort -n -S 1M | cmp - numbers'
check "bc" gives 2432902008176640000 bc <<<'f=1; for (i=2; i<=20; i++) f*=i; f'
check "awk and sed" gives 20000100000 awk '{ s += $1 } END { printf "%.0f\n", s }' numbers
check "dd, truncate, fallocate" sh -c 'dd if=/dev/zero of=z bs=64k count=16 status=none &&
	truncate -s 5M z && fallocate -l 6M z && [ "$(stat -c %s z)" = 6291456 ]'
check "setpriv and su become another" gives nobody setpriv --reuid=65534 --clear-groups id -un
check "getcap reads attributes" sh -c 'cp /bin/true cap && setcap cap_net_raw+ep cap && getcap cap | grep -q cap_net_raw'
check "attr and setfattr" sh -c 'setfattr -n user.k -v v z && [ "$(getfattr --only-values -n user.k z)" = v ]'
check "flock keeps two apart" sh -c 'flock l sh -c "sleep 0.5; echo 1 >>o1" & sleep 0.1; flock l sh -c "echo 2 >>o1"; wait; [ "$(tr -d "\n" <o1)" = 12 ]'
check "timeout ends what is late" sh -c 'timeout 0.3 sleep 60; [ $? = 124 ]'
check "script and a terminal" sh -c 'script -qec "tty; stty size" /dev/null </dev/null | grep -q /dev/pts'
check "socat through a Unix socket" sh -c 'socat UNIX-LISTEN:s,fork EXEC:"tr a-z A-Z" & p=$!
	for _ in $(seq 50); do [ -S s ] && break; sleep 0.1; done; r=$(echo hi | socat -t 2 - UNIX-CONNECT:s); kill $p; [ "$r" = HI ]'
check "dpkg finds every package configured" gives "" dpkg --audit
check "dpkg verifies files of a package" dpkg --verify coreutils
check "apt-cache and apt-get plan" sh -c 'apt-cache policy bash && apt-get -s remove jq | grep -q "^Remv jq"'
edit() {
	printf 'one\ntwo\n' >text
	{ sleep 2; printf 'Gothree\033:wq\r'; sleep 2; } |
		TERM=xterm timeout 20 script -qec 'vim.tiny -u NONE text' /dev/null >/dev/null
	gives "one two three" paste -sd' ' text
}
check "vim edits in a terminal" edit
finish
