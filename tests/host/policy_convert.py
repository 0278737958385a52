#!/usr/bin/python3
"""`mayfly policy` import and export: lists of Docker, minijail and systemd become policies that say
the same, and a filter does under Linux what the policy says.
"""
import ctypes
import errno
import json
import os
import shutil
import subprocess
import tempfile

from term import check, finish

MINIJAIL = """\
# comment
@default trap
read: 1
write: arg0 == 1 || arg0 == 2 && arg2 < 0x100; return EPERM
openat: arg2 in O_CLOEXEC|O_DIRECTORY
ioctl: arg1 == TCGETS || \\
       arg1 == TIOCGWINSZ
mmap: arg2 & PROT_EXEC; return EACCES
open: return ENOENT
fork: kill-thread
uselib64: 1
"""

MINIJAIL_CASES = """\
expect allow read
expect allow write 1,0,0x1000
expect allow write 2,0,0xff
expect deny EPERM write 2,0,0x100
expect deny EPERM write 3
expect allow openat 0,/x,O_CLOEXEC
expect deny trap openat 0,/x,O_CLOEXEC|O_RDWR
expect allow ioctl 0,TIOCGWINSZ
expect deny trap ioctl 0,TIOCSTI
expect allow mmap 0,0,PROT_EXEC|PROT_READ
expect deny EACCES mmap 0,0,PROT_READ
expect deny ENOENT open
expect deny kill-thread fork
expect deny trap socket
expect read write execute /x
"""

SYSTEMD = """\
[Service]
ExecStart=/bin/true
SystemCallFilter=read write:EIO mount
SystemCallFilter=~mount
SystemCallErrorNumber=EACCES
SystemCallLog=close
"""

SYSTEMD_CASES = """\
expect allow read
expect deny EIO write
expect deny EACCES mount
expect allow exit_group
expect allow clock_gettime
expect allow execve
expect deny EACCES socket
"""

DOCKER = {
    "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
    "syscalls": [
        {"names": ["read", "kill", "no_such"], "action": "SCMP_ACT_ALLOW"},
        {"names": ["socket"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"},
                  {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"}]},
        {"names": ["clone"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 0x7e020000, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
        {"names": ["dup"], "action": "SCMP_ACT_ALLOW",
         "args": [{"index": 0, "value": 5, "op": "SCMP_CMP_GE"}]},
        {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}},
        {"names": ["acct"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "9.0"}},
        {"names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}},
        {"names": ["chroot"], "action": "SCMP_ACT_KILL_PROCESS",
         "excludes": {"caps": ["CAP_SYS_CHROOT"]}},
        {"names": ["sync"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["arm64"]}},
        {"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30},
        {"name": "rmdir", "action": "SCMP_ACT_NOTIFY"},
        {"names": ["chmod"], "action": "SCMP_ACT_TRAP"},
        {"names": ["chown"], "action": "SCMP_ACT_LOG"},
    ]}

DOCKER_CASES = """\
expect allow read
expect allow socket AF_UNIX
expect allow socket AF_INET
expect deny ENOSYS socket AF_NETLINK
expect allow clone CLONE_VM
expect deny clone CLONE_NEWUSER
expect allow dup 5
expect allow dup -1
expect deny dup 4
expect allow ptrace
expect deny ENOSYS acct
expect deny kill chroot
expect deny ENOSYS sync
expect deny EROFS mkdir
expect deny ENOSYS rmdir
expect deny trap chmod
expect allow chown
"""

WRONG = [
    ("docker", "{", "not JSON"),
    ("docker", "[]", "not a list of system calls"),
    ("docker", "{}", "no such action: ''"),
    ("docker", '{"defaultAction":"SCMP_ACT_FLY"}', "no such action: 'SCMP_ACT_FLY'"),
    ("docker", '{"defaultAction":"SCMP_ACT_KILL","syscalls":[1]}', "a rule is not an object"),
    ("docker", '{"defaultAction":"SCMP_ACT_KILL","syscalls":[{"names":["read"],"action":'
     '"SCMP_ACT_ALLOW","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}', "an argument of a rule is"),
    ("docker", "[" * 100_000, "not JSON"),
    ("minijail", "@include none\n", "cannot read 'none': No such file"),
    ("minijail", "@include list\n", "an included file includes none"),
    ("minijail", "read 1\n", "list:1:6: a ':' was expected"),
    ("minijail", "\nread: arg6 == 1\n", "list:2:7: arg0 to arg5 was expected here"),
    ("minijail", "read: arg0 == X\n", "list:1:15: neither a number nor"),
    ("minijail", "read: return\n", "an error was expected"),
    ("minijail", "read: " + " || ".join(["arg0 == 1"] * 100) + "\n", "too many conditions"),
    ("minijail", "read: arg0 == " + "(" * 100_000 + "\n", "too many brackets"),
    ("systemd", "[Service]\n", "no SystemCallFilter= is there"),
    ("systemd", "SystemCallFilter=@nothing\n", "list:1:1: "),
    ("systemd", "SystemCallFilter=read:EFLY\n", "no such error"),
    ("systemd", "SystemCallFilter=read:EIO\0x\n", "no such error"),
]

# Linux under the filter: what is refused there, and what is not.
FILTERED = """\
policy "filtered"
include open
deny getppid with EIO
deny openat where flags has O_WRONLY with EXDEV
deny dup where fd > 1000 with ENFILE
read /
"""


def policy(*words, data=b""):
    return subprocess.run([os.environ["MAYFLY"], "policy", *words], input=data, timeout=100,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def written(text, name="list"):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


def imports(what, text, cases, *options):
    run = policy("import", "-o", "t.policy", *options, written(text))
    check(f"{what} is imported", run.returncode == 0 and not run.stdout, run)
    run = policy("test", "t.policy", written(cases, "cases"))
    check(f"{what}: the policy says the same", run.returncode == 0, run.stdout.decode())


def importing():
    imports("docker's list", json.dumps(DOCKER), DOCKER_CASES)
    imports("with a capability", json.dumps(DOCKER), "expect allow chroot\n", "--cap",
            "CAP_SYS_CHROOT")
    imports("for another kernel", json.dumps(DOCKER), "expect deny ptrace\n", "--kernel", "4.7")
    imports("the OCI's bundle", json.dumps({"ociVersion": "1", "linux": {"seccomp": DOCKER}}),
            DOCKER_CASES)
    deny = {"defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ERRNO"},
                         {"names": ["dup"], "action": "SCMP_ACT_KILL", "args": [
                             {"index": 0, "value": 5, "op": "SCMP_CMP_EQ"}]}]}
    imports("a list of what is refused", json.dumps(deny),
            "expect allow read\nexpect deny EPERM mount\nexpect deny kill-thread dup 5\n"
            "expect allow dup 4\n")
    imports("minijail's list", MINIJAIL, MINIJAIL_CASES)
    os.makedirs("sub", exist_ok=True)
    written("write: 1\nclose: return EIO\n", "sub/inner")
    run = policy("import", "-o", "t.policy", written("@include ./inner\nread: 1\n", "sub/outer"))
    check("minijail's list with another", run.returncode == 0 and policy(
        "test", "t.policy", written("expect allow read\nexpect allow write\n"
                                    "expect deny EIO close\n", "cases")).returncode == 0, run)
    imports("systemd's list", SYSTEMD, SYSTEMD_CASES)
    imports("systemd's list of what is refused", "SystemCallFilter=~mount read:EIO\n",
            "expect deny kill mount\nexpect deny EIO read\nexpect allow write\n")
    if shutil.which("systemd-analyze"):
        imports("systemd's groups", "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged"
                "\nSystemCallErrorNumber=EPERM\n", "expect allow openat\nexpect allow futex\n"
                "expect deny EPERM mount\nexpect deny EPERM chown\nexpect deny reboot\n")
    imports("a name with a NUL is none", "SystemCallFilter=read\0x write\n",
            "expect deny read\nexpect allow write\n")
    for form, text, said in WRONG:
        run = policy("import", "--format", form, written(text))
        check(f"refused: {form}: {said}", run.returncode == 1 and said in run.stderr.decode() and
              not run.stdout, (run.returncode, run.stderr[-300:]))
    for words, said in [(["none"], "No such file"), (["--format", "x", "list"], "not understood"),
                        (["--cap", "CAP_FLY", "list"], "not understood"),
                        (["--kernel", "6", "list"], "not understood"),
                        (["/dev/zero"], "File too large")]:
        run = policy("import", *words)
        check(f"refused: {' '.join(words)}", run.returncode == 125 and said in run.stderr.decode(),
              run)


def docker():
    """Docker's own list: imported, explained, exported, and imported again."""
    run = policy("import", "-o", "docker.policy", f"{DEPS}/seccomp.json")
    check("Docker's list is imported", run.returncode == 0, run)
    text = policy("explain", "docker.policy").stdout.decode()
    check("and explained", "what is not named: refused with ENOSYS" in text and
          "personality where persona == PER_LINUX: allowed" in text and
          "socket where family == AF_NETLINK and protocol == 9: refused with EINVAL" in text, text)
    run = policy("export", "-o", "docker.json", "docker.policy")
    check("and exported", run.returncode == 0, run)
    policy("import", "-o", "again.policy", "docker.json")
    run = policy("diff", "docker.policy", "again.policy")
    check("which says the same", run.returncode == 0, run.stdout.decode())
    run = policy("export", "--bpf", "-o", "docker.bpf", "docker.policy")
    check("also as a filter", run.returncode == 0 and 0 < os.path.getsize("docker.bpf") <= 4096 * 8,
          run)


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def errno_of(call):
    try:
        call()
    except OSError as error:
        return error.errno
    return 0


def under_filter(code):
    """What a child under the filter finds: errors by name."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        program = Program(len(code) // 8, code)
        loaded = libc.prctl(38, 1, 0, 0, 0) == 0 and \
            libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
        found = {"loaded": loaded, "getppid": ctypes.get_errno() if libc.syscall(110) == -1 else 0,
                 "reading": errno_of(lambda: os.close(os.open("/dev/null", os.O_RDONLY))),
                 "writing": errno_of(lambda: os.close(os.open("/dev/null", os.O_WRONLY))),
                 "both": errno_of(lambda: os.close(os.open("/dev/null", os.O_RDWR))),
                 "dup 1": errno_of(lambda: os.close(os.dup(1))),
                 "dup 1001": ctypes.get_errno() if libc.dup(1001) == -1 else 0}
        os.write(write, json.dumps(found).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        found = json.loads(pipe.read() or "{}")
    os.waitpid(pid, 0)
    return found


def exporting():
    written(FILTERED, "t.policy")
    run = policy("export", "--bpf", "-o", "t.bpf", "t.policy")
    notes = run.stderr.decode()
    check("a filter", run.returncode == 0 and "paths: which files may be used" in notes, run)
    with open("t.bpf", "rb") as file:
        found = under_filter(file.read())
    check("Linux decides as the policy says", found == {
        "loaded": True, "getppid": errno.EIO, "reading": 0, "writing": errno.EXDEV, "both": 0,
        "dup 1": 0, "dup 1001": errno.ENFILE}, found)
    run = policy("export", "--bpf", "-o", "/dev/null",
                 written("policy \"p\"\nallow clone3 where flags lacks CLONE_NEWUSER\n", "t.policy"))
    check("what a filter cannot say is told", "clone3: 'flags' lies in memory" in
          run.stderr.decode(), run)
    text = "".join(f"allow read where fd == {i} and count == {i}\n" for i in range(2000))
    run = policy("export", "--bpf", written(text, "t.policy"))
    check("a filter that is too long", run.returncode == 125 and not run.stdout and
          "longer than Linux takes" in run.stderr.decode(), run)
    for profile in ("job", "python", "node", "compiler", "convert", "shell", "strict", "open"):
        run = policy("export", "-o", "x.json", profile)
        back = policy("import", "-o", "x.policy", "x.json")
        check(f"profile {profile} for Docker", run.returncode == back.returncode == 0 and
              policy("export", "--bpf", "-o", "x.bpf", profile).returncode == 0, (run, back))


DEPS = os.path.abspath(os.environ["DEPS"])
with tempfile.TemporaryDirectory() as temporary:
    os.environ["MAYFLY"] = os.path.abspath(os.environ["MAYFLY"])
    os.chdir(temporary)
    importing()
    docker()
    exporting()
finish()
