#!/usr/bin/python3
"""Python's own test suite in a VM and under this machine's Linux, test by test.

    tests/python/compare.py [--user NAME]... [--logs DIR] [--quick | MODULE...]

Runs `python3 -m test` for each module of modules.txt in the `debian` root, as root and as nobody,
and in a chroot of the same image. Each test must end alike: ok, skipped for the same reason,
FAIL, ERROR. There are two reasons for which it need not:

  - The VM has no network. What ends otherwise is run under Linux once more, where socket(2)
    refuses all families but AF_UNIX (unix_only.py): what ends as it does in the VM then is
    counted as `for want of a network`.
  - It is in differences.txt, with the reason. What is there must be seen.

A test that fails under Linux alone is noted and no fault. Where nobody may chroot (it takes
root), no test may fail but for those of differences.txt and for want of an address family.
Prints TAP, a point for each module and user.
"""
import argparse
import dataclasses
import fnmatch
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import both     # noqa: E402 (it is in tests/)

TEST = re.compile(r"^\s*(\w+) \((test\.[\w.]+)\)", re.M)
VERDICT = re.compile(r"(?:^|\s|\.\.\. )(ok|FAIL|ERROR|expected failure|unexpected success"
                     r"|skipped (['\"]).*\2)$", re.M)
HEADING = re.compile(r"^(FAIL|ERROR): \w+ \((test\.[\w.]+)\).*\n-{70}\n((?:.*\n)*?)(?=\n[=-]{70}$)",
                     re.M)
END = re.compile(r"^Ran \d+ tests? in ", re.M)


@dataclasses.dataclass(frozen=True)
class Result:
    verdict: str
    why: str = ""       # the end of a failure's traceback, or why it was skipped


@dataclasses.dataclass(frozen=True)
class Difference:
    user: str
    test: str           # a pattern, as the shell's
    linux: str
    mayfly: str

    def covers(self, user, test, linux, mayfly):
        return (self.user in ("*", user) and fnmatch.fnmatchcase(test, self.test)
                and (linux is None or self.linux == linux.verdict)
                and self.mayfly == mayfly.verdict)


# -- what a run said ----------------------------------------------------------------

def read_verdicts(log):
    """Test -> Result. unittest names a test, says `...` and, after whatever the test itself
    printed, its verdict; a failed subtest has only a heading further down."""
    results = {}
    body = re.split(r"^={70}$", log, maxsplit=1, flags=re.M)[0]
    starts = list(TEST.finditer(body))
    ends = [m.start() for m in starts[1:]] + [len(body)]
    for start, end in zip(starts, ends):
        said = VERDICT.search(body, start.end(), end)
        if said and start.group(2) not in results:
            verdict = said.group(1).split()[0] if said.group(2) else said.group(1)
            why = said.group(1)[len("skipped "):] if said.group(2) else ""
            results[start.group(2)] = Result(verdict, why)
    for verdict, test, trace in HEADING.findall(log):
        last = [line for line in trace.splitlines() if line and not line.startswith(" ")]
        results[test] = Result(verdict, last[-1] if last else "")
    return results


def suite(module, options, seconds):
    """The command that runs a module; it says where it was when its time is over."""
    skip = [word for o in options if o.startswith("ignore=") for word in ("-i", o[7:])]
    return ["sh", "-c", 'exec "$@" 2>&1', "-", "python3", "-m", "test", "-v",
            "-u", "all,-network,-largefile,-cpu", "--timeout", str(seconds - 20),
            *skip, module]


def run_in_vm(user, argv, seconds, log):
    return both.run_in_vm(user, ["--mem", "2G", "--cwd", "/tmp"], argv, seconds, log)[0]


def run_on_linux(user, argv, seconds, log, network=True):
    without = [] if network else [os.path.join(HERE, "unix_only.py")]
    return both.run_on_linux(user, argv, seconds, log, prefix=without)[0]


# -- the tables ---------------------------------------------------------------------

def read_modules():
    """Module -> (seconds, options)."""
    table = (row.split() for row in both.rows("python", "modules.txt"))
    return {words[0]: (int(words[1]), words[2:]) for words in table}


def read_differences():
    """Reasons start a line; below each are its tests: USER TEST LINUX MAYFLY."""
    return [Difference(*row.split())
            for row in both.rows("python", "differences.txt") if row[0].isspace()]


# -- comparing ----------------------------------------------------------------------

ABSENT = Result("absent")
GOOD = ("ok", "skipped", "expected failure")


def alike(one, other):
    return one.verdict == other.verdict and \
        (one.verdict != "skipped" or one.why == other.why)


def known(differences, user, test, linux, mayfly, seen):
    covering = [d for d in differences if d.covers(user, test, linux, mayfly)]
    seen.update(covering)
    return covering


def judge_alone(user, mayfly, differences):
    """What is wrong where there is nothing to compare with."""
    for test, ours in sorted(mayfly.items()):
        if ours.verdict not in GOOD and "[Errno 97]" not in ours.why and \
                not known(differences, user, test, None, ours, set()):
            yield f"{test}: {ours.verdict} {ours.why}"


def judge(module, user, linux, mayfly, without_network, differences):
    """(What is wrong, what is to be noted.) without_network() gives Linux's verdicts without
    one; it takes as long as the tests."""
    wrong, notes, seen = [], [], set()
    differ = [t for t in sorted(set(linux) | set(mayfly))
              if not alike(linux.get(t, ABSENT), mayfly.get(t, ABSENT))]
    alone = [t for t in differ if linux.get(t, ABSENT).verdict in ("FAIL", "ERROR")
             and mayfly.get(t, ABSENT).verdict == "ok"]
    notes += [f"{t}: fails under Linux alone" for t in alone]
    differ = [t for t in differ if t not in alone and not known(
        differences, user, t, linux.get(t, ABSENT), mayfly.get(t, ABSENT), seen)]
    if differ:
        second = without_network()
        unlike = [t for t in differ
                  if not alike(second.get(t, ABSENT), mayfly.get(t, ABSENT))]
        notes.append(f"{len(differ) - len(unlike)} differ for want of a network")
        for test in unlike:
            theirs, ours = linux.get(test, ABSENT), mayfly.get(test, ABSENT)
            wrong.append(f"{test}: Linux {theirs.verdict} {theirs.why}, "
                         f"Mayfly {ours.verdict} {ours.why}")
    for d in differences:
        if d.test.startswith(f"test.{module}.") and d.user in ("*", user) and d not in seen:
            wrong.append(f"not different any more, strike it from differences.txt: {d.test}")
    return wrong, notes


def count(results):
    tally = [sum(r.verdict == v for r in results.values())
             for v in ("ok", "skipped", "FAIL", "ERROR")]
    return "{} tests: {} ok, {} skipped, {} FAIL, {} ERROR".format(len(results), *tally)


def compare(module, user, seconds, options, logs, oracle):
    """(What is wrong, what is to be noted.)"""
    log = os.path.join(logs, f"{module}.{user}")
    argv = suite(module, options, seconds)

    def on_linux(network=True):
        name = "linux" if network else "unix-only"
        said = run_on_linux(user, argv, seconds, f"{log}.{name}", network)
        return read_verdicts(said)

    said = run_in_vm(user, argv, seconds, f"{log}.mayfly")
    if not END.search(said):
        last = said.strip().splitlines()[-1:] or ["nothing"]
        return [f"no end in Mayfly; the last line of {log}.mayfly: {last[0]}"], []
    mayfly, differences = read_verdicts(said), read_differences()
    if not oracle:
        return list(judge_alone(user, mayfly, differences)), ["Mayfly: " + count(mayfly)]
    linux = on_linux()
    wrong, notes = judge(module, user, linux, mayfly, lambda: on_linux(False), differences)
    return wrong, ["Linux:  " + count(linux), "Mayfly: " + count(mayfly), *notes]


def main():
    table = read_modules()
    parser = argparse.ArgumentParser(description="Compare Python's tests with Linux.")
    parser.add_argument("--user", action="append", metavar="NAME",
                        help="root and nobody, unless it is said")
    parser.add_argument("--logs", metavar="DIR", help="keep what was printed there")
    parser.add_argument("--quick", action="store_true", help="only what is quick")
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    options = parser.parse_args()
    for module in set(options.modules) - set(table):
        parser.error(f"{module} is not in modules.txt")
    if not os.path.exists(both.IMAGE):
        sys.exit(f"{both.IMAGE} is not there: make root-debian")
    modules = options.modules or [
        m for m in table if not options.quick or "quick" in table[m][1]]
    runs = [(m, u) for m in modules for u in options.user or ("root", "nobody")]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="python-tests.") as scratch:
        logs = options.logs or scratch
        os.makedirs(logs, exist_ok=True)
        oracle = both.can_chroot(logs)
        print(f"1..{len(runs)}")
        if not oracle:
            print("# nothing to compare with: chroot.sh says it cannot")
        for n, (module, user) in enumerate(runs, 1):
            wrong, notes = compare(module, user, *table[module], logs, oracle)
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {n} - {module} as {user}")
            for line in notes + wrong:
                print(f"# {line}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
