#!/usr/bin/python3
"""The Linux kernel's own selftests in a VM and under this machine's Linux, point by point.

    tests/selftests/compare.py [--user NAME] [--logs DIR] [--sources DIR] [PROGRAM...]

Builds the programs of programs.txt from the kernel's sources as Debian ships them (fetch.sh gets
them; nothing of them is in this repository) and runs each in the `debian` root, and in a chroot of
the same image. Each point of a program must end alike, and so must the program, unless
differences.txt says how they differ and why; what is there must be seen. Every program of the
folders of which any is run must be in programs.txt or in left-out.txt, with the reason.

Linux is the judge, and this machine's may be a later one than the tests. What fails under Linux
alone is noted and no fault. Where nobody may chroot (it takes root), no point may fail but
for those of differences.txt. The last line is "N passed, M failed": points, not programs.
"""
import argparse
import concurrent.futures
import dataclasses
import fnmatch
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import both     # noqa: E402 (it is in tests/)

OWN_MOUNTS = os.path.join(HERE, "own_mounts.c")
BUILT = os.path.join(both.BUILD, "selftests")
# TAP, as kselftest.h prints it, and the marks of the tests of x86.
POINT = re.compile(r"^(not )?ok\b ?(\d*)[ -]*(.*?)(?:# *(SKIP|XFAIL)\b.*)?$", re.M)
MARK = re.compile(r"^\[(OK|FAIL|SKIP|PASS)\]:?\s*(.*)\n", re.M)     # of whole lines
ENDS = {0: "ok", 4: "skip", 124: "timeout", None: "timeout"}
GOOD = ("ok", "skip")
NAMED = re.compile(r"^\d+ (\w+) .*\[(OK|FAIL|SKIP)", re.M)     # nolibc-test's
# What a point's name may hold that is another one each time.
VARIES = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|-?\b\d+(\.\d+)?")
MAIN = re.compile(r"^(?:int|void)?\s*main\(|TEST_HARNESS_MAIN", re.M)


@dataclasses.dataclass(frozen=True)
class Program:
    folder: str
    name: str
    seconds: int = 0        # 0: only built, for another one
    sources: tuple = ()
    flags: tuple = ()
    files: tuple = ()
    args: tuple = ()
    prepare: str = ""

    @property
    def path(self):
        return f"{self.folder}/{self.name}"


@dataclasses.dataclass(frozen=True)
class Difference:
    program: str
    linux: str
    mayfly: str
    point: str              # a pattern, as the shell's

    def covers(self, program, point, linux, mayfly):
        return (self.program == program and fnmatch.fnmatchcase(point, self.point)
                and linux in (None, self.linux) and self.mayfly == mayfly)


# -- the tables ---------------------------------------------------------------------

def read_program(row):
    path, seconds, *options = row.split()
    static = [] if "dynamic" in options else ["-static"]

    def values(prefix):
        return tuple(o[len(prefix):] for o in options if o.startswith(prefix))
    return Program(os.path.dirname(path), os.path.basename(path), int(seconds),
                   (os.path.basename(path) + ".c",) + values("+") +
                   ((OWN_MOUNTS,) if "own-mounts" in options else ()),
                   (*static, *(o for o in options if o.startswith("-"))),
                   values("with="), values("arg="), "".join(values("prepare=")))


def read_programs():
    programs = map(read_program, both.rows("selftests", "programs.txt"))
    return {program.path: program for program in programs}


def read_differences():
    """Reasons start a line; below each are its points: PROGRAM LINUX MAYFLY POINT."""
    return [Difference(*row.split(None, 3))
            for row in both.rows("selftests", "differences.txt") if row[0].isspace()]


def read_left_out():
    """Reasons start a line; below each are patterns of programs."""
    return [pattern for row in both.rows("selftests", "left-out.txt") if row[0].isspace()
            for pattern in row.split()]


def unmentioned(sources, programs, left_out):
    """What programs.txt and left-out.txt should have said something about."""
    folders = {path.split("/")[0] for path in [*programs, *left_out]}
    there = {os.path.relpath(path, sources)[:-2] for folder in folders
             for path in glob.glob(os.path.join(sources, folder, "**/*.c"), recursive=True)
             if MAIN.search(open(path, errors="replace").read())}
    for path in sorted(there - set(programs)):
        if not any(fnmatch.fnmatchcase(path, pattern) for pattern in left_out):
            yield f"{path} is in neither programs.txt nor left-out.txt"
    for pattern in left_out:
        if not fnmatch.filter(there - set(programs), pattern):
            yield f"left-out.txt: there is no {pattern}"


# -- building -----------------------------------------------------------------------

def build(program, sources):
    """The compiler's complaint, or None. Nothing is done when the program is newer."""
    folder = os.path.join(sources, program.folder)
    target = os.path.abspath(os.path.join(BUILT, program.path))
    table = os.path.join(HERE, "programs.txt")
    if os.path.exists(target) and os.path.getmtime(target) > os.path.getmtime(table):
        return None
    os.makedirs(os.path.dirname(target), exist_ok=True)
    libraries = os.path.abspath(os.path.join(sources, "libraries"))
    argv = ["gcc", "-std=gnu99", "-O2", "-g", "-w", "-pthread", "-D_GNU_SOURCE",
            "-I.", "-I..", "-I../include", "-I../..", "-isystem", f"{libraries}/include",
            "-o", target, *program.sources, *program.flags,
            f"-L{libraries}/x86_64-linux-gnu", "-lrt"]
    done = subprocess.run(argv, cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout if done.returncode else None


def build_all(programs, sources):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, said in zip(programs, pool.map(lambda p: build(p, sources), programs)):
            if said:
                sys.exit(f"{program.path} does not build:\n{said}")


def stage(program, sources, folder):
    """Puts the program and what goes with it into a folder."""
    for name in (program.name, *program.files):
        built = os.path.join(BUILT, program.folder, name)
        shutil.copy(built if os.path.exists(built) else
                    os.path.join(sources, program.folder, name), folder)
    if program.prepare:
        subprocess.run([os.path.join(HERE, program.prepare)], cwd=folder, check=True)


# -- what a run said ----------------------------------------------------------------

def read_points(log, status):
    """Point -> ok, fail or skip. A point is called by what it says if that is one word, else by
    its number; one without a number by what it says. `status` is the program itself."""
    points = {}

    def add(verdict, name):
        again = sum(p.split(" #")[0] == name for p in points)
        points[f"{name} #{again + 1}" if again else name] = verdict
    for failed, number, text, directive in POINT.findall(log):
        text = text.strip()
        add((directive or ("fail" if failed else "ok")).lower(),
            number if " " in text and number else VARIES.sub("N", text) or number)
    for mark, text in MARK.findall(log):
        add({"PASS": "ok"}.get(mark, mark.lower()), VARIES.sub("N", text).strip())
    for name, mark in NAMED.findall(log):
        add(mark.lower(), name)
    if status and status < 0:
        status = 128 - status       # a signal, as a shell has it
    points["status"] = ENDS.get(status, f"exit-{status}")
    return points


# -- comparing ----------------------------------------------------------------------

def judge(program, linux, mayfly, differences):
    """(What is wrong, what is to be noted), each with its points. linux is None where there is nothing to ask."""
    wrong, notes, seen = {}, {}, set()
    for point in sorted(set(linux or mayfly) | set(mayfly)):
        theirs = linux.get(point, "absent") if linux else None
        ours = mayfly.get(point, "absent")
        known = [d for d in differences if d.covers(program.path, point, theirs, ours)]
        seen.update(known)
        if theirs == ours and ours not in GOOD:
            notes.setdefault(f"{ours} under Linux too", []).append(point)
        if theirs == ours or known or (linux is None and ours in GOOD):
            continue
        if theirs not in (*GOOD, "absent") and ours == "ok":
            notes.setdefault("fails under Linux alone", []).append(point)
        else:
            wrong.setdefault(f"Linux {theirs}, Mayfly {ours}", []).append(point)
    for d in differences:
        if linux and d.program == program.path and d not in seen:
            wrong.setdefault("not different any more, strike it from differences.txt",
                             []).append(d.point)
    return wrong, notes


def compare(program, options, oracle, logs):
    """(Points, what is wrong, what is to be noted.)"""
    log = os.path.join(logs, program.path.replace("/", "-"))
    argv = [f"/job/{program.name}", *program.args]
    with_tmp = ["sh", "-c", 'mount -t tmpfs tmpfs /tmp 2>/dev/null; exec "$@"', "-"]
    with tempfile.TemporaryDirectory(prefix="selftests.") as folder:
        os.chmod(folder, 0o755)
        stage(program, options.sources, folder)
        linux = None
        if oracle:
            linux = read_points(*both.run_on_linux(
                options.user, argv, program.seconds, f"{log}.linux", job=folder))
        mayfly = read_points(*both.run_in_vm(
            options.user, ["--mem", "512M", "--file", f"{folder}:/job"],
            [*with_tmp, *argv], program.seconds, f"{log}.mayfly"))
    return len(mayfly), *judge(program, linux, mayfly, read_differences())


def run_all(programs, options, oracle, logs):
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
        results = pool.map(lambda p: compare(p, options, oracle, logs), programs)
        for program, (points, wrong, notes) in zip(programs, results):
            bad = sum(map(len, wrong.values()))
            passed += max(points - bad, 0)
            failed += bad
            print(f"{'not ok' if wrong else 'ok'} {program.path}: {points} points")
            for what, where in {**notes, **wrong}.items():
                print(f"  # {what}: {', '.join(where)}", flush=True)
    return passed, failed


def main():
    table = read_programs()
    parser = argparse.ArgumentParser(description="Compare the kernel's selftests with Linux.")
    parser.add_argument("--user", default="root", metavar="NAME")
    parser.add_argument("--logs", metavar="DIR", help="keep what was printed there")
    parser.add_argument("--sources", metavar="DIR",
                        default=os.path.join(both.BUILD, "deps", "selftests"))
    parser.add_argument("-j", type=int, default=1, metavar="N", help="programs at a time (1)")
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help="a pattern")
    options = parser.parse_args()
    programs = [p for path, p in table.items() if not options.programs or
                any(fnmatch.fnmatchcase(path, pattern) for pattern in options.programs)]
    if not os.path.exists(both.IMAGE):
        sys.exit(f"{both.IMAGE} is not there: make root-debian")
    wrong = list(unmentioned(options.sources, table, read_left_out()))
    for line in wrong:
        print(f"not ok {line}")
    build_all([p for p in table.values()
               if p in programs or (p.seconds == 0 and any(
                   p.name in q.files and p.folder == q.folder for q in programs))],
              options.sources)
    with tempfile.TemporaryDirectory(prefix="selftests.") as scratch:
        logs = options.logs or scratch
        os.makedirs(logs, exist_ok=True)
        oracle = both.can_chroot(logs)
        if not oracle:
            print("# nothing to compare with: chroot.sh says it cannot")
        passed, failed = run_all([p for p in programs if p.seconds], options, oracle, logs)
    print(f"{passed} passed, {failed + len(wrong)} failed")
    return 1 if failed or wrong or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
