"""A program in the `debian` root twice, in a VM and under this machine's Linux: what comparisons
with Linux (tests/python, tests/selftests) are made of."""
import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("BUILD", "build")
MAYFLY = os.environ.get("MAYFLY", os.path.join(BUILD, "mayfly"))
CHROOT = os.path.join(HERE, "chroot.sh")
IMAGE = os.path.join(BUILD, "root", "debian.img")


def run(argv, seconds, log):
    """The output of a program that has so long, which is kept in a file as well, and its exit
    status: None if it was not done."""
    with open(log, "wb") as out:
        try:
            status = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out,
                                    stderr=subprocess.STDOUT, timeout=seconds,
                                    check=False).returncode
        except subprocess.TimeoutExpired:
            out.write(b"\nstill running\n")
            status = None
    with open(log, errors="replace") as text:
        return text.read().replace("\r", ""), status


def run_in_vm(user, options, argv, seconds, log):
    return run([MAYFLY, "run", "--policy", "open", "--root", "debian", "--cpus", "2", "--user", user,
                "--timeout", f"{seconds}s", *options, "--", *argv], seconds + 10, log)


def run_on_linux(user, argv, seconds, log, job=None, prefix=()):
    """The files of the folder `job` are in /job; a program `prefix` starts all of it."""
    folder = ["--job", job] if job else []
    return run([*prefix, CHROOT, *folder, IMAGE, user, *argv], seconds, log)


def can_chroot(logs):
    """Whether Linux can be asked: as root, and where namespaces may be made."""
    return os.geteuid() == 0 and "uid=0" in run_on_linux(
        "root", ["id"], 120, os.path.join(logs, "chroot"))[0]


def rows(*path):
    """The lines of a table of tests/ without comments and blank lines."""
    with open(os.path.join(HERE, *path)) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                yield line.rstrip("\n")
