#!/usr/bin/python3
"""`mayfly policy compile` and `check`: what is wrong is shown with its line, all of it; hostile texts
are refused in time that grows with their size.
"""
import json
import os
import subprocess
import tempfile
import time

from term import check, finish

GOLDEN = [
    ("policy \"x\nallow opnat reed\n", """\
t.policy:1:8: the string does not end in its line
  | policy "x
  |        ^~
t.policy:2:7: no such system call; did you mean 'openat'?
  | allow opnat reed
  |       ^~~~~
t.policy:2:13: no such system call; did you mean 'read'?
  | allow opnat reed
  |             ^~~~
"""),
    ("allow openat where flag has O_RDONLY\nallow openat where flags has O_RDNLY\n", """\
t.policy:1:20: no such argument; openat has dirfd, path, flags, mode
  | allow openat where flag has O_RDONLY
  |                    ^~~~
t.policy:2:30: neither a number nor a name of a value; did you mean 'O_RDONLY'?
  | allow openat where flags has O_RDNLY
  |                              ^~~~~~~
"""),
    ("read\t/usr \u00e9 # \u00e9\nwrite /a/../b /x/** $nope\nlimit memroy 1M\n", """\
t.policy:1:11: a byte that is not understood: 0xc3; other letters go into comments and strings
  | read /usr \u00e9 # \u00e9
  |           ^
t.policy:2:7: '..' in a path; a rule is about the object, however it is reached
  | write /a/../b /x/** $nope
  |       ^~~~~~~
t.policy:2:15: '**' in a path; a path stands for all that is below it
  | write /a/../b /x/** $nope
  |               ^~~~~
t.policy:2:21: no such variable: '$nope'
  | write /a/../b /x/** $nope
  |                     ^~~~~
t.policy:3:7: not a limit; did you mean 'memory'?
  | limit memroy 1M
  |       ^~~~~~
"""),
    ("deny socket with EAFNOSUPORT\nprogram \"a\" {\nallow @basic_iu\n", """\
t.policy:1:18: an error as EPERM, 'kill', 'kill-thread' or 'trap' was expected here; \
did you mean 'EAFNOSUPPORT'?
  | deny socket with EAFNOSUPORT
  |                  ^~~~~~~~~~~
t.policy:2:1: this program is not ended by a '}'
  | program "a" {
  | ^~~~~~~
t.policy:3:7: no such group; did you mean '@basic-io'?
  | allow @basic_iu
  |       ^~~~~~~~~
"""),
    ("include \"t.policy\"\n", """\
t.policy:1:1: a loop of includes: t.policy includes t.policy
  | include "t.policy"
  | ^~~~~~~
"""),
    ("include \"none\"\ninclude jobb\n" + "allow " + "read " * 40 + "wirte\n", """\
t.policy:1:1: cannot read 'none': No such file or directory
  | include "none"
  | ^~~~~~~
t.policy:2:1: no such profile: 'jobb'; a file's name is written in quotes
  | include jobb
  | ^~~~~~~
t.policy:3:207: no such system call; did you mean 'write'?
  | ...""" + "read " * 10 + """wirte
  |    """ + " " * 50 + """^~~~~
"""),
]


def policy(*words, data=b""):
    return subprocess.run([os.environ["MAYFLY"], "policy", *words], input=data, timeout=100,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)


def written(text, name="t.policy"):
    with open(name, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return name


def golden():
    for text, wanted in GOLDEN:
        run = policy("check", written(text))
        check(f"messages for {text.splitlines()[0][:30]!r}",
              run.returncode == 1 and run.stderr.decode() == wanted and not run.stdout,
              run.stderr.decode())


def works():
    written("policy \"p\"\ninclude \"sub/base.policy\"\nread $out\n")
    os.mkdir("sub")
    written("include \"more.policy\"\nlet out = /x\n", "sub/base.policy")
    written("allow read\n", "sub/more.policy")
    forms = []
    for words in (["t.policy"], ["t.policy"], ["-D", "out=/y", "t.policy"]):
        run = policy("compile", *words)
        forms.append(run.stdout)
        check("it is compiled", run.returncode == 0 and run.stdout[:8] == b"MFPOLICY" and
              not run.stderr, run)
    check("the same bytes each time", forms[0] == forms[1])
    check("a variable from outside", b"/x\0" in forms[0] and b"/y\0" in forms[2] and
          b"/x\0" not in forms[2])
    run = policy("compile", "-o", "out", "t.policy")
    with open("out", "rb") as file:
        check("into a file", run.returncode == 0 and file.read() == forms[0], run)
    check("a compiled policy is checked", policy("check", "out").returncode == 0)
    with open("out", "r+b") as file:
        file.seek(60)
        file.write(b"\xff")
    run = policy("check", "out")
    check("also when it is damaged", run.returncode == 1 and b"digest" in run.stderr, run)
    check("from stdin", policy("check", "-", data=b"allow read\n").returncode == 0)
    for profile in ("job", "python", "node", "compiler", "convert", "shell", "strict", "open"):
        run = policy("check", profile)
        check(f"profile {profile}", run.returncode == 0 and not run.stderr, run)
    with open("t.policy", "w", encoding="utf-8") as file:
        file.write("allow raed\n")
    told = json.loads(policy("check", "--json", "t.policy").stdout)
    check("as JSON", told == {"right": False, "errors": [
        {"at": {"file": "t.policy", "line": 1, "column": 7, "length": 4},
         "error": "no such system call", "hint": "did you mean 'read'?"}]}, told)


def refuses():
    for what, words, status, text in [
            ("no file", ["check", "none.policy"], 125, "No such file"),
            ("no profile", ["check", "jobb"], 125, "the profiles are job, python"),
            ("a folder", ["check", "/"], 125, "Is a directory"),
            ("an endless file", ["check", "/dev/zero"], 125, "larger than"),
            ("a variable there is not", ["check", "-D", "jib=/x", "job"], 1,
             "did you mean 'job'?"),
            ("a variable without a value", ["check", "-D", "job", "job"], 125, "not understood"),
            ("a folder to write to", ["compile", "-o", "/", "job"], 125, "cannot write"),
            ("two policies", ["check", "job", "job"], 125, "takes")]:
        run = policy(*words)
        check(f"refused: {what}", run.returncode == status and text in run.stderr.decode() and
              not run.stdout, run)


def hostile():
    for i in range(40):
        written(f"include \"deep{i + 1}.policy\"\n", f"deep{i}.policy")
    for what, text, status, said in [
            ("100,000 lines", b"allow read\n" * 100_000, 0, b""),
            ("100,000 wrong lines", b"allow raed\n" * 100_000, 1, b"and 99000 more"),
            ("100,000 rules", b"".join(b"allow read where fd == %d\n" % i
                                       for i in range(100_000)), 1, b"too large"),
            ("10 MB", b"#" * 10_000_000, 125, b"larger than 8 megabytes"),
            ("8 MB of names", b"allow " + b"read " * 1_600_000, 0, b""),
            ("5 MB of quotes", b'"' * 5_000_000, 1, b"no line begins so"),
            ("5 MB of NULs", b"\0" * 5_000_000, 1, b"a NUL byte"),
            ("100,000 brackets", b"program a {\n" * 100_000, 1, b"more"),
            ("100,000 variables", b"".join(b"let a%d = $a%d\n" % (i, i + 1)
                                           for i in range(100_000)), 0, b""),
            ("deep includes", b"include \"deep0.policy\"\n", 1, b"more than 32 includes deep"),
            ("wide sets", b"allow read write close where fd in {" +
             b",".join(b"%d" % i for i in range(4096)) + b"}\n", 0, b""),
            ("wider sets", b"allow read where fd in {" +
             b",".join(b"%d" % i for i in range(4097)) + b"}\n", 1, b"too many values")]:
        began = time.monotonic()
        run = policy("compile", "-o", "/dev/null", written(text))
        spent = time.monotonic() - began
        check(what, run.returncode == status and said in run.stderr and spent < 20 and
              len(run.stderr) < 1_000_000, (run.returncode, run.stderr[-300:], spent))


with tempfile.TemporaryDirectory() as temporary:
    os.environ["MAYFLY"] = os.path.abspath(os.environ["MAYFLY"])
    os.chdir(temporary)
    golden()
    works()
    refuses()
    hostile()
finish()
