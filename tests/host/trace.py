#!/usr/bin/python3
"""`mayfly run --trace` against strace(1) on the same program: the same lines.

What differs by nature is taken out before: numbers of processes, times, addresses, the
environment's size, and what the two kernels answer differently (DIFFERS).
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
MAYFLY = os.path.join(BUILD, "mayfly")
PROGRAMS = ["calls", "calls_ipc"]
points = []

# A file system's sizes.
DIFFERS = re.compile(r"st_size=\d+")


def check(what, holds, why=""):
    points.append(bool(holds))
    print(f"{'ok' if holds else 'not ok'} {len(points)} - {what}")
    if not holds and why:
        print("\n".join("# " + line for line in str(why).splitlines()[:40]))


def events(path):
    """Each process's lines in order, the halves of unfinished ones joined."""
    processes, begun = {}, {}
    with open(path) as text:
        for line in text:
            pid, _, what = re.match(r"(\d+) +([\d:.]+) (.*)\n", line).groups()
            lines = processes.setdefault(pid, [])
            half = re.fullmatch(r"(.*) <unfinished \.\.\.>", what)
            rest = re.match(r"<\.\.\. \w+ resumed>(.*)", what)
            if half and not rest:
                begun[pid] = half[1]
                continue
            lines.append(begun.pop(pid) + rest[1] if rest and pid in begun else what)
    return processes


def named(names, line):
    """The line with the processes' numbers as names, where a number is one's."""
    def name(number):
        return names.get(number, number)

    line = re.sub(r"(si_pid=)(\d+)", lambda m: m[1] + name(m[2]), line)
    line = re.sub(r"^((?:getp?[pt]id|set_tid_address|v?fork|clone3?|wait4|rt_sigreturn)\(.*\) = )(\d+)",
                  lambda m: m[1] + name(m[2]), line)
    # System V's ids count on from one object to the next.
    line = re.sub(r"^((?:shm|sem|msg)get\(.*\) = )\d+", r"\1ID", line)
    line = re.sub(r"^((?:shm|sem|msg)(?:at|ctl|op|snd|rcv)\()\d+", r"\1ID", line)
    return re.sub(r"^(kill|tkill|tgkill|wait4|pidfd_open)\((\d+)(, \d+)?",
                  lambda m: f"{m[1]}({name(m[2])}", line)


def normal(path):
    processes = events(path)
    names = {pid: f"P{i}" for i, pid in enumerate(processes)}
    result = []
    for pid, lines in processes.items():
        for line in lines:
            line = re.sub(r" <\d+\.\d{6}>$", "", line)
            line = re.sub(r"\) += ", ") = ", line)
            # A child may be killed before it gets as far as that.
            if line.startswith("pause() = ?"):
                continue
            line = named(names, line)
            line = re.sub(r"0x[0-9a-f]{4,}", "ADDRESS", line)
            line = re.sub(r"/\* \d+ vars? \*/", "/* vars */", line)
            line = re.sub(r"(tv_nsec|si_utime|si_stime)=\d+", r"\1=N", line)
            result.append(f"{names[pid]} {DIFFERS.sub('SIZE', line)}")
    return result


def compared(folder, program):
    ours, theirs = os.path.join(folder, "ours"), os.path.join(folder, "theirs")
    shutil.copy(os.path.join(BUILD, "tests/guest", program), folder)
    linux = subprocess.run(["strace", "-f", "-tt", "-T", "-o", theirs, "./" + program],
                           cwd=folder).returncode
    check(f"{program} under strace", linux == 0, linux)
    guest = subprocess.run([MAYFLY, "run", "--trace", ours, "--", "./" + program],
                           cwd=folder).returncode
    check(f"{program} under --trace", guest == 0, guest)
    left, right = normal(theirs), normal(ours)
    missing = [f"strace  {a}\nmayfly  {b}" for a, b in zip(left, right) if a != b]
    check("as many lines", len(left) == len(right), f"{len(left)} and {len(right)}")
    check("the same lines", not missing, "\n".join(missing))
    check("enough to tell", len(right) > 50, len(right))


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(XDG_CACHE_HOME=folder, HOME=folder, MAYFLY_ACCEL="tcg")
        for program in PROGRAMS:
            compared(folder, program)
    print(f"1..{len(points)}")
    sys.exit(0 if all(points) else 1)


main()
