#!/usr/bin/python3
"""`mayfly policy` explain, lint, diff and test: what is said of texts and of compiled policies, and
the exit statuses.
"""
import json
import os
import subprocess
import tempfile

from term import check, finish

PROFILES = ["job", "python", "node", "compiler", "convert", "shell", "strict", "open"]

POLICY = """\
policy "p"
allow @exit read
allow openat open where flags has O_RDONLY
deny socket with EAFNOSUPPORT
allow clone3 where flags lacks CLONE_NEWUSER
read /usr /proc/self
deny read /usr/secret
default deny with ENOSYS
limit memory 1M
on exec /usr/bin/gcc* use inner
program inner {
	allow read
}
"""

# A line of a policy, what lint says of it, and the same line with nothing to say.
LINTS = [
    ("allow ptrace", "risky: 'ptrace' looks into other processes", "allow ptrace \"to debug\""),
    ("allow @mount", "risky: 'pivot_root' changes what paths mean", "allow @mount \"so\""),
    ("allow socket", "risky: 'socket' opens sockets", "allow socket where family == AF_UNIX"),
    ("allow exec-write", "risky: code can be written", "allow exec-write \"a JIT\""),
    ("gain kill", "risky: programs that gain privilege", "gain kill \"it is su\""),
    ("write /etc/x", "risky: '/etc/x': what others run or trust", "write /etc/x \"so\""),
    ("execute write /x", "risky: '/x': what is written there can be run",
     "execute /x\nwrite /x/y \"a compiler\""),
    ("modify /proc/self", "risky: '/proc/$self': a program can write where its mappings",
     "modify /proc/self\ndeny modify /proc/self/mem"),
    ("allow open\nread /", "risky: '/': /etc/shadow can be read",
     "allow open\nread /\ndeny read /etc/shadow"),
    ("allow clone where flags has CLONE_THREAD\nallow fork",
     "wide: 'clone', by 'fork': the same can be done without the condition",
     "allow clone where flags has CLONE_THREAD\ndeny fork with ENOSYS"),
    ("allow openat where dirfd == 5", "wide: 'openat': a path that begins with '/'",
     "allow openat where flags has O_RDONLY"),
    ("allow read where buf == 5", "wide: 'read': the address is compared",
     "allow read where buf == 0"),
    ("allow read where fd == 1 and fd == 2", "useless: the conditions contradict",
     "allow read where fd == 1 and count == 2"),
    ("allow open where flags has O_RDONLY and flags has O_WRONLY",
     "useless: the conditions contradict", "allow open where flags has O_RDONLY|O_CREAT"),
    ("allow read\ndeny read with EIO", "useless: 'read': it is refused in any case",
     "allow @basic-io\ndeny read with EIO"),
    ("allow read\nallow read where fd == 1", "useless: 'read': it is allowed in any case",
     "allow read where fd == 0\nallow read where fd == 1"),
    ("deny read", "useless: 'read': it is refused in this way", "deny read with EIO"),
    ("allow bpf \"so\"", "useless: 'bpf': the kernel does not have it", "allow read"),
    ("allow open\nread /usr /usr/lib", "useless: '/usr/lib': other lines say the same",
     "allow open\nread /usr\nexecute /usr/lib"),
    ("read /usr", "useless: '/usr': no call is allowed that could open it",
     "allow openat\nread /usr"),
    ("allow execve", "useless: 'execve': no path is allowed that could be run",
     "allow execve\nexecute /usr"),
    ("on exec /x use x\nprogram x {\nallow write\n}\nallow read",
     "useless: 'write': the policy around it refuses it",
     "on exec /x use x\nprogram x {\nallow read\n}\nallow read"),
    ("program x {\nallow read\n}", "useless: no line uses this program",
     "program x {\nallow read\n}\non exec /x use x"),
    ("let x = /x", "useless: no line uses this variable", "let x = /x\nallow open\nread $x"),
    ("limit cpu 1\nlimit cpu 2", "useless: another line has a smaller limit", "limit cpu 1"),
]

# Of two policies: what diff says, and its exit status.
DIFFS = [
    ("allow read", "allow read", 0, []),
    ("allow read write\nread /a /b", "read /b /a\nallow write\nallow read\nallow read", 0, []),
    ("allow read", "allow read write", 2, ["+ write: refused with EPERM, now allowed"]),
    ("allow read write", "allow read", 1, ["- write: allowed, now refused with EPERM"]),
    ("deny read with EIO", "deny read with kill", 1,
     ["~ read: refused with EIO, now refused: the process is killed"]),
    ("allow open where flags has O_RDONLY", "allow open", 2,
     ["+ open: refused with EPERM, now allowed; as open(0, O_WRONLY, 0)"]),
    ("allow open where flags lacks O_CREAT", "allow open where flags lacks O_EXCL", 2,
     ["+ open: refused with EPERM, now allowed; as open(0, O_RDONLY|O_CREAT, 0)",
      "- open: allowed, now refused with EPERM; as open(0, O_RDONLY|O_EXCL, 0)"]),
    ("allow read where fd <= 5", "allow read where fd < 6", 0, []),
    ("allow read where fd <= 5", "allow read where fd in {0,1,2,3,4,5}", 1,
     ["- read: allowed, now refused with EPERM; as read(-1, 0, 0)"]),
    ("allow clone3 where flags lacks CLONE_NEWUSER", "allow clone3", 2,
     ["+ clone3: refused with EPERM, now allowed; as clone3(0, 0, flags=CLONE_NEWUSER)"]),
    ("default deny with EPERM", "default deny with ENOSYS", 1,
     ["~ what is not named: refused with EPERM, now refused with ENOSYS"]),
    ("read /a", "read write /a", 2, ["+ /a: may now modify create remove"]),
    ("read /a", "read /a\ndeny read /a/b", 1, ["- /a/b: may no longer read"]),
    ("read /a", "read /a/.", 1, ["- /a/...: may no longer read"]),
    ("read /a/b", "read /a/*", 2, ["+ /a/*: may now read"]),
    ("limit cpu 5", "limit cpu 1m", 2, ["+ limit cpu: 5s, now 1m"]),
    ("", "limit cpu 5", 1, ["- limit cpu: none, now 5s"]),
    ("", "allow exec-write", 2, ["+ memory may be writable and executable"]),
    ("gain kill", "", 1, ["- programs that would gain privilege are now refused"]),
    ("on exec /x use a\nprogram a {\nallow read\n}", "", 2,
     ["+ /x: has no longer a policy of its own"]),
    ("on exec /x use a\nprogram a {\nallow read\n}",
     "on exec /x use b\nprogram b {\nallow read write\n}", 2,
     ["+ a: write: refused with EPERM, now allowed"]),
]

CASES = """\
# what the policy does
expect allow read 0,0,10
expect allow openat AT_FDCWD,/usr/x,O_RDONLY
expect deny EACCES openat AT_FDCWD,/usr/secret/x,O_RDONLY
expect deny openat AT_FDCWD,/usr/x,O_RDWR
expect deny EAFNOSUPPORT socket AF_INET SOCK_STREAM
expect deny ENOSYS fork
expect allow clone3 flags=CLONE_VM
expect deny clone3 flags=CLONE_VM|CLONE_NEWUSER
expect read /usr/lib /x
"""


def policy(*words, data=b""):
    return subprocess.run([os.environ["MAYFLY"], "policy", *words], input=data, timeout=100,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def written(text, name="t.policy"):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


def explain():
    written(POLICY)
    policy("compile", "-o", "t.bin", "t.policy")
    whole = policy("explain", "t.policy").stdout.decode()
    for text in ("what is not named: refused with ENOSYS", "@exit", "socket: refused with EAFNO",
                 "openat where flags has O_RDONLY: allowed", "not read /usr/secret",
                 "clone3 where flags lacks CLONE_NEWUSER: allowed", "read /proc/$self",
                 "limit: memory 1M", "who runs /usr/bin/gcc* is then also under \"inner\"",
                 "program \"inner\""):
        check(f"in words: {text}", text in whole, whole)
    check("the same of the compiled form", policy("explain", "t.bin").stdout.decode() == whole)
    for words, answer, line in [
            (["--syscall", "openat", "--args", "AT_FDCWD,/usr/lib/../x,O_RDONLY"],
             "openat(AT_FDCWD, /usr/x, O_RDONLY, 0): allowed", 3),
            (["--syscall", "openat", "--args", "AT_FDCWD,/usr/secret,O_RDONLY|O_CLOEXEC"],
             "openat(AT_FDCWD, /usr/secret, O_RDONLY|O_CLOEXEC, 0): refused with EACCES", 7),
            (["--syscall", "openat", "--args", "flags=O_RDWR"],
             "openat(0, 0, O_RDWR, 0): refused with ENOSYS", 8),
            (["--syscall", "socket"], "socket(AF_UNSPEC, 0, 0): refused with EAFNOSUPPORT", 4),
            (["--syscall", "clone3", "--args", "flags=CLONE_NEWUSER"],
             "clone3(0, 0, flags=CLONE_NEWUSER): refused with ENOSYS", 8),
            (["--path", "/proc/self/maps", "--access", "read"], "read /proc/1/maps: allowed", 6),
            (["--path", "/usr/secret/x", "--access", "read"],
             "read /usr/secret/x: refused with EACCES", 7),
            (["--program", "inner", "--syscall", "write"],
             "write(0, 0, 0): refused with EPERM", None)]:
        run = policy("explain", *words, "t.policy")
        lines = run.stdout.decode().splitlines()
        check(f"explain {' '.join(words)}", run.returncode == 0 and lines[0] == answer and
              (f"t.policy:{line}: " in lines[-1] or line is None), run)
        run = policy("explain", *words, "t.bin")
        lines = run.stdout.decode().splitlines()
        check("and of the form", lines[0] == answer and
              (lines[-1].endswith(f" line {line}") or line is None), run)
    for words, text in [(["--syscall", "opnat"], "did you mean 'openat'?"),
                        (["--syscall", "read", "--args", "1,2,3,4"], "more arguments than read has"),
                        (["--syscall", "read", "--args", "fd=X"], "neither a number nor"),
                        (["--syscall", "read", "--args", "fod=1"], "it has fd, buf, count"),
                        (["--path", "usr"], "does not begin with '/'"),
                        (["--path", "/usr", "--access", "raed"], "not an access: 'raed'"),
                        (["--program", "x"], "there is no program 'x'")]:
        run = policy("explain", *words, "t.policy")
        check(f"refused: explain {' '.join(words)}", run.returncode == 125 and
              text in run.stderr.decode() and not run.stdout, run)


def lint():
    for text, said, better in LINTS:
        run = policy("lint", written("policy \"p\"\n" + text + "\n"))
        check(f"lint: {said}", run.returncode == 1 and said in run.stdout.decode(), run)
        run = policy("lint", written("policy \"p\"\n" + better + "\n"))
        check("and not of the better line", said not in run.stdout.decode(), run)
    run = policy("lint", written("allow read\n"))
    check("lint: no name", run.returncode == 1 and b"the policy has no name" in run.stdout, run)
    told = json.loads(policy("lint", "--json", written("policy \"p\"\nallow ptrace\n")).stdout)
    check("as JSON", told[0]["at"]["line"] == 2 and "risky" in told[0]["error"], told)
    for profile in PROFILES:
        run = policy("lint", profile)
        check(f"nothing to say of {profile}", run.returncode == 0 and not run.stdout, run)


def diff():
    for old, new, status, lines in DIFFS:
        run = policy("diff", written(old, "old.policy"), written(new, "new.policy"))
        check(f"diff: {(lines or ['same'])[0]}", run.returncode == status and
              run.stdout.decode().splitlines()[:-1] == lines, run)
        policy("compile", "-o", "old.bin", "old.policy")
        policy("compile", "-o", "new.bin", "new.policy")
        again = policy("diff", "old.bin", "new.bin")
        check("and of the forms", (again.returncode, again.stdout) == (status, run.stdout), again)
        back = policy("diff", "new.policy", "old.policy")
        check("and back", (back.returncode == 0) == (status == 0) and
              (status != 1 or back.returncode == 2 or "~" in lines[0]), back)
    told = json.loads(policy("diff", "--json", written("", "old.policy"),
                             written("allow read", "new.policy")).stdout)
    check("as JSON", told["widened"] == 1 and told["differences"][0]["kind"] == "widened", told)
    run = policy("diff", written("alow", "old.policy"), "new.policy")
    check("a wrong policy is no verdict", run.returncode == 125 and not run.stdout, run)
    for profile in PROFILES:
        check(f"open is as wide as {profile}",
              b"\n0 widened, " in b"\n" + policy("diff", "open", profile).stdout or
              profile == "open", policy("diff", "open", profile).stdout[-300:])


def cases():
    written(POLICY)
    run = policy("test", "t.policy", written(CASES.replace("/usr/lib /x", "/usr/lib"), "cases"))
    check("all as expected", run.returncode == 0 and b"1..9" in run.stdout and
          b"not ok" not in run.stdout, run)
    written("expect deny read 0\nexpect allow fork\nexpect deny EIO socket\nexpect read /x\n"
            "expect deny read /usr\n", "cases")
    run = policy("test", "t.policy", "cases")
    check("all otherwise", run.returncode == 1 and run.stdout.count(b"not ok") == 5 and
          b"# read(0, 0, 0): allowed\n#   t.policy:2: allow @exit read\n" in run.stdout, run)
    written(CASES + "expect\nexpekt allow read\nexpect allow raed\nexpect allow read x\n", "cases")
    run = policy("test", "t.policy", "cases")
    check("cases that are none", run.returncode == 125 and
          [line.split(":")[1] for line in run.stderr.decode().splitlines() if "cases:" in line] ==
          ["10", "11", "12", "13", "14"], run)
    for profile in PROFILES:
        run = policy("test", profile, f"{ROOT}/tests/host/policy/{profile}.cases")
        check(f"profile {profile} as its cases say", run.returncode == 0 and b"ok 5" in run.stdout,
              run)


ROOT = os.getcwd()
with tempfile.TemporaryDirectory() as temporary:
    os.environ["MAYFLY"] = os.path.abspath(os.environ["MAYFLY"])
    os.chdir(temporary)
    explain()
    lint()
    diff()
    cases()
finish()
