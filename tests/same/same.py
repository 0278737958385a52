#!/usr/bin/python3
"""Debian's programs in a VM and under this machine's Linux: what they print must be the same.

    tests/same/same.py [SCRIPT...]

Runs each script of this folder in the `debian` root, and in a chroot of the same image. A line
`== NAME` in the output begins a point; what follows must be the same on both. Prints TAP.
Where nobody may chroot (it takes root) there is nothing to compare with: all is skipped.
"""
import difflib
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from both import CHROOT, IMAGE, MAYFLY     # noqa: E402 (it is in tests/)

SECONDS = 300           # of a script in a VM
POINT = re.compile(r"^== (.*)\n", re.M)


def run(argv):
    """The output and how it ended."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              timeout=SECONDS + 10, check=False)
    except subprocess.TimeoutExpired:
        return "== ends\nnot at all\n"
    return f"{done.stdout.decode(errors='replace')}== ends\nexit status {done.returncode}\n"


def points(output):
    """Name -> text."""
    parts = POINT.split(output)
    return dict(zip(parts[1::2], parts[2::2]))


def can_chroot():
    return os.geteuid() == 0 and run([CHROOT, IMAGE, "root", "id"]).startswith("uid=0")


def compare(script, number):
    """The points of a script, as TAP: (how many, how many differ)."""
    with open(script) as file:
        program = ["bash", "-c", file.read()]
    ours = run([MAYFLY, "run", "--root", "debian", "--user", "root", "--mem", "1G", "--cpus", "2",
                "--cwd", "/tmp", "--timeout", f"{SECONDS}s", "--", *program])
    linux, mayfly = points(run([CHROOT, IMAGE, "root", *program])), points(ours)
    name = os.path.basename(script)
    differ = 0
    for n, point in enumerate(linux, number + 1):
        ours, theirs = mayfly.get(point, ""), linux[point]
        good = ours == theirs
        differ += not good
        print(f"{'ok' if good else 'not ok'} {n} - {name}: {point}")
        for line in difflib.unified_diff(theirs.splitlines(), ours.splitlines(), "linux",
                                         "mayfly", lineterm="", n=0):
            print("#", line)
        sys.stdout.flush()
    return len(linux), differ


def main():
    if not os.path.exists(IMAGE):
        sys.exit(f"{IMAGE} is not there: make root-debian")
    if not can_chroot():
        print("1..0 # SKIP nothing to compare with")
        return 0
    number = differ = 0
    for script in sys.argv[1:] or sorted(glob.glob(f"{HERE}/*.sh")):
        more, unlike = compare(script, number)
        number += more
        differ += unlike
    print(f"1..{number}")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
