#!/bin/bash
# Debian's programs, with output that depends on nothing but them and the kernel: same.py
# compares it. What varies from run to run (process numbers, times, addresses) is not printed.
cd "$(mktemp -d)" || exit 1
export HOME=$PWD LC_ALL=C TZ=UTC
exec 2>&1
renice -n 0 $$ >/dev/null

# at NAME: what is printed until the next is one point.
at() { printf '== %s\n' "$1"; }

at "coreutils: files"
mkdir -p d/e && cd d && umask 027
seq 1000 >n && cp -p n m && ln n hard && ln -s n soft && mkfifo p && mknod c c 1 3
touch -d '2001-02-03 04:05:06.789' m && chmod 2751 e && install -m 4711 n i && truncate -s 9999 t
stat -c '%n %A %h %s %F %t,%T' -- *
stat -c '%n %y %B' m && stat -L -c '%n %s' soft && stat -f -c '%S %l' /dev/shm
ls -lid --time-style=+ n hard | awk '{ print $1 == i, $2, $3, $6; i = $1 }'
ls -F; ls -R ..; readlink soft; readlink -f soft/../soft | sed "s,$HOME,,"; realpath --relative-to=.. e
du -b --apparent-size n t | cut -f1; cmp n m && cmp n t; rm -f p c; rm e n/x; rmdir /proc; mv e/ f && ls; cat f
mv n f/ && test f/n -ef hard && echo one; chmod 000 hard; ls -l hard | cut -c1-10; sync n hard; shred -n 1 -u hard
ln -s self self; cat self; touch "$(printf 'x%.0s' {1..256})" 2>&1 | tail -c 20; mkdir f; cat /; tail -n +3 </; cp f g; echo >/proc/version; cd ..

at "coreutils: text"
seq 30 | tee a | paste - - - | column_count=3 awk '{ print $2 * 2, ENVIRON["column_count"] }' | tac | nl | head -n 4
sort -rn a | split -l 7 - part. && wc -l part.* && comm -12 <(sort a) <(seq 10 20 | sort) | tr '\n' ' '
csplit -s a /15/ && head -qn 1 xx*; join <(seq 5 | sed 's/$/ a/') <(seq 3 7 | sed 's/$/ b/'); tsort <<<"a b b c d b"
shuf -i 1-9 --random-source=/bin/true | tr -d '\n'; fold -w 9 <<<"abcdefghijklmnop"; fmt -w 20 <<<"one two three four five six"
expand <<<$'a\tb' ; cut -d1 -f2 a | uniq -c | head -n 3; pr -3 -t -l 10 a; od -An -tx1z -N 32 /bin/true; numfmt --to=iec 123456789
sha512sum a | cut -c1-32; b2sum a | cut -c1-32; base64 <a | cksum; factor 1234567890123456789; expr 7 \* 6; printf '%08.3f|%q\n' 3.14159 'a b'
dd if=/dev/zero bs=1000 count=5 conv=notrunc status=none oflag=append of=a; dd if=a ibs=7 obs=11 skip=3 2>&1 >/dev/null | head -n 2
date -d @1700000000; date -d '2024-02-29 +1 year' +%F; timeout -s INT 0.2 sleep 9; echo $?; nohup true </dev/null; env -i A=1 env; nice -n 7 nice; id; groups; tty </dev/null

at "find, xargs, tar, cpio formats"
mkdir -p tree/{a,b}/{1..5} && for i in tree/*/*; do echo "$i" >"$i/file"; done
find tree -name file -size -2 -newer a -printf '%p %m %y %s %n %d\n' | sort | head -n 4
find tree -type f -print0 | xargs -0 -n 3 -P 4 sh -c 'echo $#' - | sort | uniq -c
find tree -type f -exec grep -l 3 {} + | sort; find tree -depth -path '*b/5/*' -delete; find tree -empty -type d; find tree -perm -4000; find nothing
xargs -n 1 sh -c 'exit $0' <<<"0 3 255 0"; echo $?; seq 100000 | xargs echo | wc -l; xargs --show-limits </dev/null 2>&1 | sed -n '2,$ s/[0-9]\{1,\}$//p'
tar --sort=name --mtime=@0 --owner=1:1 -cf - tree | tee t.tar | sha256sum; tar tvf t.tar | head -n 3; tar -C d -xf t.tar tree/b && find d/tree | sort | tail -n 2
touch -d @1 tree/a/1/file; tar -g snapshot -cf full.tar tree; sleep 0.1; echo more >tree/a/1/file; tar -g snapshot -cvf more.tar tree | grep file

at "bash"
set -- 'a b' c; for x; do echo "<$x>"; done; echo ${x:-none} ${#1} ${1/ /_} $((2 ** 40 % 1000)) {a..e} ${PWD##*/tmp*}
f() { local -a v=("$@"); echo "${v[@]:1}"; return 3; }; f 1 2 3; echo $?; (exit 9) || echo $?; ! true; echo $?; false | true | (exit 4); echo ${PIPESTATUS[*]}
trap 'echo usr1' USR1; kill -USR1 $$; trap 'echo exit' EXIT; (trap 'echo inner' EXIT; exit 2); trap - EXIT; sh -c "kill -SEGV \$\$" 2>&1 | cut -d: -f1; echo ${PIPESTATUS[0]}
exec 7<>file; echo hi >&7; exec 7>&-; cat <file; cat <<<"$(<file)" - <<-END
	here $x
	END
mapfile -t lines < <(seq 5); echo ${lines[3]}; declare -A m=([k]=v); echo ${m[k]}; printf -v y %05d 42; echo $y; [[ abc =~ b(.) ]] && echo ${BASH_REMATCH[1]}
(ulimit -Sn 20; ulimit -n; for i in {1..30}; do exec {fd}</dev/null || break; done 2>&1 | tail -n 1 | sed 's/.*: //')
# A bash of its own: one that had a trap for EXIT leaves its handler for SIGTERM in the child until exec,
# and a signal in between is lost, here as on Linux (about 1 of 3,000).
bash -c 'sleep 30 & kill %1; wait %1; echo $?; wait'; (sleep 0.1; exit 5) & wait -n; echo $?; { time -p :; } 2>&1 | cut -d' ' -f1; nosuch; ./file; /; echo $?
help umask | head -n 1; umask; umask -S; times | wc -l; type cd; hash -r; shopt -q extglob; echo $?; echo $BASH_VERSION; set -o | head -n 3

at "perl"
perl -e 'use strict; my %h = map { $_ => $_ ** 2 } 1 .. 5; print join(",", map { "$_=$h{$_}" } sort keys %h), "\n"; printf "%s %.3f\n", scalar reverse("abc"), atan2(1, 1) * 4;
	$_ = "x=1;y=2"; print "$1 -> $2\n" while /(\w)=(\d)/g; local $@; eval { die { code => 7 } }; print $@->{code}, "\n"; open my $f, "<", "/nosuch" or print "$!\n"; print 0 + $!, "\n";
	my $pid = open my $out, "-|"; if (!$pid) { print "from child\n"; exit 3 } print <$out>; close $out; print $? >> 8, "\n"; use POSIX; print strftime("%F %T", gmtime 86400), " ", (uname)[0, 4], "\n";
	use Socket; socketpair my $a, my $b, AF_UNIX, SOCK_STREAM, 0; syswrite $a, "pair"; sysread $b, my $got, 9; print "$got\n"; $SIG{ALRM} = sub { die "late\n" }; alarm 1; eval { select undef, undef, undef, 9 }; print $@;
	use Fcntl ":flock"; open my $l, ">", "lock"; print flock($l, LOCK_EX | LOCK_NB) ? "held" : "no", "\n"; use Storable qw(freeze thaw); print thaw(freeze([1, [2]]))->[1][0], "\n"; print "$^V $^O\n"; print -s "/usr/bin/perl" > 9 ? "big\n" : "", join(" ", map { sprintf "%o", (stat)[2] } "/", "/tmp", "/dev/null"), "\n"'
perl -Mthreads -MThread::Queue -e 'my $q = Thread::Queue->new; my @t = map { my $n = $_; threads->create(sub { $q->enqueue($n * 2); $n }) } 1 .. 4; print join(" ", map { $_->join } @t), " ", join(" ", sort { $a <=> $b } map { $q->dequeue } 1 .. 4), "\n"'

at "python"
python3 -c "$(cat <<'END'
import asyncio, concurrent.futures, ctypes, errno, fcntl, hashlib, io, json, mmap, multiprocessing, os, platform, resource, select, signal
import socket, sqlite3, ssl, stat, struct, subprocess, sys, tempfile, threading, time, zipfile, zlib
print(sys.version.split()[0], sys.platform, platform.machine(), os.cpu_count() > 0, os.uname().sysname, sys.getfilesystemencoding())
for name in ("/nosuch/x", "/proc/self", "/etc/hostname/x", "/root", "/dev/null"):
    try:
        os.mkdir(name)
    except OSError as e:
        print(name, errno.errorcode[e.errno], e.strerror)
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(sum(pool.map(lambda n: n * n, range(200))))
with concurrent.futures.ProcessPoolExecutor(3) as pool:
    print(list(pool.map(abs, range(-5, 0))))
event, seen = threading.Event(), []
worker = threading.Thread(target=lambda: seen.append(event.wait(5)))
worker.start(); event.set(); worker.join(); print(seen, threading.active_count())
for how in ("fork", "spawn", "forkserver"):
    context = multiprocessing.get_context(how)
    with context.Pool(2) as pool:
        print(how, pool.map(len, ["a", "bb", "ccc"]))
one, other = multiprocessing.Pipe(); one.send({"k": [1]}); print(other.recv())
value = multiprocessing.Value("i", 0)
def add():
    for _ in range(100):
        with value.get_lock():
            value.value += 1
tasks = [multiprocessing.Process(target=add) for _ in range(3)]
[t.start() for t in tasks]; [t.join() for t in tasks]; print(value.value, [t.exitcode for t in tasks])
async def both():
    queue = asyncio.Queue()
    async def make():
        for n in range(3):
            await asyncio.sleep(0.01); await queue.put(n)
    asyncio.create_task(make())
    try:
        await asyncio.wait_for(asyncio.sleep(9), 0.05)
    except asyncio.TimeoutError:
        pass
    child = await asyncio.create_subprocess_shell("read x; echo got $x; exit 6", stdin=-1, stdout=-1)
    out, _ = await child.communicate(b"line\n")
    return [await queue.get() for _ in range(3)], out, child.returncode
print(asyncio.run(both()))
done = subprocess.run("echo out; echo err >&2; kill -TERM $$", shell=True, capture_output=True); print(done)
print(subprocess.run(["cat"], input=b"x" * 200000, stdout=-1).stdout.count(b"x"), subprocess.call(["/bin/false"]))
try:
    subprocess.run(["/nosuch/program"])
except OSError as e:
    print(e)
for name, flags in (("sqlite.db", {}), (":memory:", {"isolation_level": None})):
    db = sqlite3.connect(name, **flags); db.execute("create table t (a integer primary key, b text unique)")
    db.executemany("insert into t (b) values (?)", ((hashlib.md5(b"%d" % n).hexdigest(),) for n in range(500))); db.commit()
    print(db.execute("select count(*), min(b), max(b), sum(a) from t").fetchone(), db.execute("pragma integrity_check").fetchone())
context = ssl.create_default_context(); print(ssl.OPENSSL_VERSION, context.check_hostname, len(ssl.RAND_bytes(9)))
with open("map", "w+b") as f:
    f.truncate(10000); m = mmap.mmap(f.fileno(), 0); m[8190:8196] = b"across"; print(m.find(b"across"), m.size()); m.resize(20000); print(len(m), os.fstat(f.fileno()).st_size)
    m.flush(); m.madvise(mmap.MADV_DONTNEED); print(bytes(m[8190:8196])); p = mmap.mmap(f.fileno(), 4096, mmap.MAP_PRIVATE); p[0] = 65; f.seek(0); print(f.read(1), p[:1])
with tempfile.NamedTemporaryFile(dir=".") as f, tempfile.TemporaryDirectory() as d, tempfile.SpooledTemporaryFile(9) as s:
    print(oct(os.stat(f.name).st_mode), oct(os.stat(d).st_mode), s.write(b"x" * 99), os.path.exists(f.name))
with zipfile.ZipFile("z.zip", "w") as z:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        z.writestr(zipfile.ZipInfo(f"m{method}"), b"data" * 999, method)
print(zipfile.ZipFile("z.zip").testzip(), [(i.filename, i.compress_size, i.CRC) for i in zipfile.ZipFile("z.zip").infolist()])
left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET); left.send(b"one"); left.send(b"two"); print(right.recv(9), right.recv(1)); left.close(); print(right.recv(9))
server = socket.socket(socket.AF_UNIX); server.bind("\0abstract"); server.listen(); client = socket.socket(socket.AF_UNIX); client.connect("\0abstract"); peer, address = server.accept()
print(struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1:], address, client.getpeername(), client.gettimeout())
print(resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_STACK), resource.getpagesize(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 9000)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1}); os.kill(os.getpid(), signal.SIGUSR1); print(signal.sigpending(), signal.sigwait({signal.SIGUSR1}), signal.sigtimedwait({signal.SIGUSR2}, 0.01))
fcntl.lockf(open("lock", "w"), fcntl.LOCK_EX); print(os.sysconf("SC_OPEN_MAX"), os.confstr("CS_GNU_LIBC_VERSION"), os.pathconf("/", "PC_NAME_MAX"), time.get_clock_info("monotonic").resolution, os.get_terminal_size.__name__)
print(os.posix_spawn("/bin/true", ["true"], {}) > 0, os.waitstatus_to_exitcode(os.wait()[1]), os.sched_getaffinity(0) <= set(range(64)), os.getpriority(os.PRIO_PROCESS, 0), os.getgroups(), sorted(os.listxattr("map")))
END
)"

at "node"
cat >worker.js <<'END'
const { parentPort, workerData } = require("worker_threads"); const shared = new Int32Array(workerData);
for (let i = 0; i < 1000; i++) Atomics.add(shared, 0, 1); parentPort.postMessage("done");
END
node - <<'END'
const fs = require("fs"), os = require("os"), crypto = require("crypto"), child = require("child_process"), net = require("net"), zlib = require("zlib"), { Worker } = require("worker_threads"), { once } = require("events");
(async () => {
	console.log(process.version, process.platform, process.arch, os.type(), os.endianness(), process.argv.length, process.execPath, os.availableParallelism?.() > 0, os.hostname());
	fs.writeFileSync("node.txt", "text"); fs.appendFileSync("node.txt", " more"); console.log(fs.readFileSync("node.txt", "utf8"), fs.statSync("node.txt").size, fs.existsSync("/nosuch"));
	for (const f of [() => fs.readFileSync("/nosuch"), () => fs.mkdirSync("/proc"), () => fs.rmdirSync("d"), () => fs.readdirSync("node.txt"), () => process.kill(1 << 22, 0), () => process.chdir("/nosuch")])
		try { f(); } catch (e) { console.log(e.code, e.syscall, e.errno); }
	fs.cpSync("tree", "copy", { recursive: true }); console.log(fs.readdirSync("copy", { recursive: true, withFileTypes: true }).map((e) => e.name + e.isDirectory()).sort().join()); await fs.promises.rm("copy", { recursive: true });
	const watcher = fs.watch("."); setTimeout(() => fs.writeFileSync("watched", ""), 100); console.log(await once(watcher, "change").then(([, name]) => name)); watcher.close();
	const memory = new SharedArrayBuffer(4), workers = [1, 2, 3].map(() => new Worker("./worker.js", { workerData: memory })); await Promise.all(workers.map((w) => once(w, "exit"))); console.log(new Int32Array(memory)[0]);
	const run = child.spawnSync("sh", ["-c", "cat; echo e >&2; kill -9 $$"], { input: "in" }); console.log(run.stdout + "", run.stderr + "", run.status, run.signal); console.log(child.spawnSync("/nosuch").error.code);
	const lasting = child.spawn("sleep", ["9"]); lasting.kill("SIGINT"); console.log(await once(lasting, "exit")); try { child.execSync("sleep 9", { timeout: 100 }); } catch (e) { console.log(e.code, e.signal); }
	for (const hash of ["md5", "sha1", "sha3-256", "blake2b512"]) console.log(hash, crypto.createHash(hash).update("abc").digest("hex").slice(0, 20)); console.log(crypto.scryptSync("p", "s", 16, { N: 1024 }).toString("hex"), crypto.createHmac("sha256", "k").update("d").digest("base64"), crypto.randomUUID().length);
	const cipher = crypto.createCipheriv("aes-256-gcm", Buffer.alloc(32), Buffer.alloc(12)); console.log(cipher.update("secret", "utf8", "hex") + cipher.final("hex"), cipher.getAuthTag().toString("hex")); const dh = [1, 2].map(() => crypto.createECDH("secp256k1")); dh.map((k) => k.generateKeys()); console.log(dh[0].computeSecret(dh[1].getPublicKey()).equals(dh[1].computeSecret(dh[0].getPublicKey())));
	const server = net.createServer((c) => c.pipe(c)).listen("node.sock"); await once(server, "listening"); const c = net.connect("node.sock"); c.end("over a socket"); let said = ""; for await (const part of c) said += part; console.log(said); server.close();
	console.log(zlib.deflateSync("a".repeat(1000)).toString("base64"), zlib.brotliDecompressSync(zlib.brotliCompressSync("b")).toString()); console.log(await Promise.race([new Promise((r) => setTimeout(r, 9999, "late").unref()), new Promise((r) => setImmediate(r, "soon"))]));
	process.on("exit", (code) => console.log("exit", code)); process.exitCode = 3;
})();
END
echo $?

at "gcc and make"
mkdir c && cd c && cat >m.c <<'END'
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
static int twice(int n) { return n * 2; }
int main(int argc, char **argv) { int unused; char *end; printf("%d %.6f %s\n", twice(argc), sqrt(2), argc > 1 ? argv[1] : getenv("USER")); return (int)strtol("7", &end, 0); }
END
for flags in "-O0" "-O2 -flto" "-O1 -static" "-Os -m64 -fPIE -pie" "-g3 -fsanitize=undefined -fno-sanitize=all"; do gcc $flags -o m m.c -lm && ./m "$flags"; echo $?; done
gcc -Wall -Wextra -c m.c; gcc -O2 -S -o - m.c | grep -c .cfi; echo 'int main(void) { return x; }' | gcc -x c - ; echo $?; gcc -print-search-dirs | head -n 1; objdump -d m.o | grep -c main; nm m.o; size m.o; readelf -h m.o | sed -n 2,8p; ar rcs l.a m.o && ar t l.a; strip m && file m | cut -c1-40
printf 'all: a b c\n%%: ; @echo make $@ $(MAKEFLAGS)\nerr: ; false\nsub: ; +@$(MAKE) -s all\n.PHONY: all err sub\n' >Makefile; make -s; make -j3 -s | sort; make err; echo $?; make -k err all; make -n err; make -s -j2 sub | sort; make nosuch; cd ..
