#!/usr/bin/python3
"""The differential harness: the same program on the host's Linux and in Mayfly.

    tests/guest/diff.py [--case REGEX] [--cpus N] [--list] [--show]

build/tests/guest/diff/diff (sources in tests/guest/diff/) runs all its cases on the host and
in one VM, side by side; each case is a point of TAP. It passes when both said the same, byte
for byte; else the difference is shown, Linux with `-`, Mayfly with `+`.

tests/guest/diff/known-divergences names the cases that differ on purpose, each with its
reason: they pass as long as they differ. One that differs no longer fails, and so does a
name without a case.
--show prints what the cases say on the host.
"""
import argparse
import difflib
import os
import re
import subprocess
import sys

BUILD = os.environ.get("BUILD", "build")
PROGRAM = os.path.join(BUILD, "tests/guest/diff/diff")
MAYFLY = os.environ.get("MAYFLY", os.path.join(BUILD, "mayfly"))
KNOWN = "tests/guest/diff/known-divergences"
SECONDS = 400


def known_divergences():
    """Case name -> reason."""
    known = {}
    with open(KNOWN) as lines:
        for line in lines:
            name, _, reason = line.split("#")[0].strip().partition(" ")
            if name:
                known[name] = reason.strip()
    return known


def case_names(pattern):
    listed = subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, check=True)
    return [n for n in listed.stdout.split() if re.search(pattern, n)]


def start(argv):
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, errors="replace")


def finish(side, process):
    """What each case said: name -> lines, the last one its end. Says what went wrong."""
    try:
        output, errors = process.communicate(timeout=SECONDS + 10)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        errors += "took too long\n"
    said = {}
    for line in output.replace("\r", "").splitlines():
        if line.startswith("== "):
            lines = said.setdefault(line[3:], [])
        elif said:
            lines.append(line)
    if process.returncode or errors:
        print(f"# {side}: exit status {process.returncode}")
        print("".join(f"# {side}: {line}\n" for line in errors.splitlines()), end="")
    return said


def is_whole(lines):
    """Whether the case came to its end by itself."""
    return bool(lines) and lines[-1].startswith("-- ") and "still running" not in lines[-1]


def could_not_prepare(lines):
    return next((line for line in lines if line.startswith(" could not prepare: ")), None)


def difference(linux, mayfly):
    return list(difflib.unified_diff(linux, mayfly, "linux", "mayfly", lineterm="", n=3))


def verdict(name, linux, mayfly, known):
    """(whether it passes, what to add to the line, what to show)"""
    if not is_whole(linux):
        return False, "", ["on the host it did not come to its end"]
    unprepared = could_not_prepare(linux)
    if unprepared:
        return False, "", [f"on the host:{unprepared}"]
    lines = difference(linux, mayfly)
    if not is_whole(mayfly):
        lines.append("in Mayfly it did not come to its end")
    if name in known:
        if lines:
            return True, f" (differs: {known[name]})", []
        return False, "", [f"{KNOWN}: it differs no longer: remove its line"]
    return not lines, "", lines


def report(names, linux, mayfly, known):
    failed = 0
    for number, name in enumerate(names, 1):
        passed, tail, lines = verdict(name, linux.get(name, []), mayfly.get(name, []), known)
        failed += not passed
        print(f"{'' if passed else 'not '}ok {number} - {name}{tail}")
        for line in lines:
            print(f"#   {line}")
    return failed


def unknown_names(known):
    """A line for a case that does not exist hides nothing and says something wrong."""
    return sorted(set(known) - set(case_names("")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--case", default="", metavar="REGEX")
    parser.add_argument("--cpus", default="2", metavar="N")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    names = case_names(options.case)
    if options.list:
        print("\n".join(names))
        return 0
    if not names:
        sys.exit(f"diff.py: no case matches {options.case}")
    known = known_divergences()
    chosen = names if options.case else []
    on_host = start([PROGRAM, *chosen])
    in_vm = start([MAYFLY, "run", "--policy", "open", "--user", "root",
                   "--cpus", options.cpus,
                   "--mem", "256M", "--timeout", f"{SECONDS}s", "--", PROGRAM, *chosen])
    linux, mayfly = finish("linux", on_host), finish("mayfly", in_vm)
    if options.show:
        for name in names:
            print("\n".join([f"# {name}", *("#  " + line for line in linux.get(name, []))]))
    failed = report(names, linux, mayfly, known)
    for number, name in enumerate(unknown_names(known), len(names) + 1):
        print(f"not ok {number} - {KNOWN}: no case {name}")
        failed += 1
    print(f"1..{len(names) + len(unknown_names(known))}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
