#!/usr/bin/python3
"""`mayfly audit` on logs of real runs: whatever is done to a log, verify names the first record that
is not as it was written and what is wrong with it; show shows what was asked for, tree who
came of whom.
"""
import json
import os
import random
import re
import struct
import subprocess
import tempfile

from audit_log import SIZE, END, event_of, ended, record_run, result_of, sealed
from term import Terminal, check, finish

# A user of the job that asks for root in many ways, a set-user-ID program, and that program kept
# from what its file would give.
ATTACK = ("cp /bin/busybox /tmp/su; chmod 4755 /tmp/su; /tmp/ids;"
          "su job -c 'setpriv --nnp /tmp/su root -c id; /tmp/su -h'")


def audit(*words, data=b"", **environment):
    return subprocess.run([os.environ["MAYFLY"], "audit", *words], input=data, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          env={**os.environ, "LC_ALL": "C", **environment})


def verdict(records, *options):
    """The status, and what is wrong at which record."""
    data = records if isinstance(records, bytes) else b"".join(records)
    run = audit("verify", "--json", *options, "-", data=data)
    if run.returncode > 1:
        return run.returncode, run.stderr.decode(), None
    told = json.loads(run.stdout)
    fault = told["fault"] or {"fault": None, "record": None, "offset": None}
    right = told["sound"] == (run.returncode == 0) == (fault["fault"] is None)
    if fault["record"] is not None and fault["offset"] != fault["record"] * SIZE or not right:
        return "contradictory", told, None
    return run.returncode, fault["fault"], fault["record"]


def verify(log):
    check("a log as it was written is sound", verdict(log) == (0, None, None), verdict(log))
    n, whole = len(log), b"".join(log)
    faults = {
        "cut inside a record": (whole[:SIZE * 5 + 100], "cut", 5),
        "cut by a byte": (whole[:-1], "cut", n - 1),
        "its tail removed": (log[:-3], "cut", n - 3),
        "its end removed": (log[:-1], "cut", n - 1),
        "its first record removed": (log[1:], "missing", 0),
        "a record removed": (log[:6] + log[7:], "missing", 6),
        "two records exchanged": (log[:4] + [log[5], log[4]] + log[6:], "missing", 4),
        "a record doubled": (log[:5] + [log[4]] + log[5:], "repeated", 5),
        "a record after the end": (sealed(log + [log[-1]]), "after_end", n),
        "a record of another boot": (
            sealed(log[:3] + [log[3][:24] + bytes(16) + log[3][40:]] + log[4:]), "foreign", 3),
        "a record replaced, and sealed alone": (
            log[:3] + [sealed(log[:3] + [log[4]])[3]] + log[4:], "unchained", 4),
        "an event there is not": (
            sealed(log[:3] + [log[3][:40] + b"\xff" + log[3][41:]] + log[4:]), "malformed", 3),
    }
    for what, (records, fault, at) in faults.items():
        check(what, verdict(records) == (1, fault, at), verdict(records))
    dice, wrong = random.Random(4), []
    for byte in range(SIZE):
        for record in (0, 3):
            flipped = bytearray(whole)
            flipped[record * SIZE + byte] ^= 1 << dice.randrange(8)
            if verdict(bytes(flipped)) != (1, "changed", record):
                wrong.append((record, byte, verdict(bytes(flipped))))
    check("a bit of any byte flipped", not wrong, wrong[:3])
    return whole


def heads(log):
    head = log[-1][-32:].hex()
    forged = sealed([record[:56] + b"\0" + record[57:] if event_of(record) == 2 else record
                     for record in log[:8] + log[9:]])
    check("written anew it is sound by itself", verdict(forged)[0] == 0, verdict(forged))
    check("but its head is another", verdict(forged, "--head", head) == (1, "head", None),
          verdict(forged, "--head", head))
    check("a head known from elsewhere", verdict(log, "--head", head)[0] == 0)


def drops(log):
    record = bytearray(log[4])
    struct.pack_into("<II", record, 40, 10, 12)
    struct.pack_into("<2Q", record, 80, 3, 14)
    struct.pack_into("<Q", record, 376, 17)
    run = audit("verify", "-", data=b"".join(sealed(log[:4] + [bytes(record)] + log[4:])))
    check("records that were dropped are told of, by class",
          run.returncode == 0 and b"17 (3 vital, 14 ordinary)" in run.stdout, run)


def refuses(folder, whole):
    log = os.path.join(folder, "log")
    with open(log, "wb") as file:
        file.write(whole)
    for what, words, text in [
            ("no command", [], "there are: audit show,"),
            ("another command", ["sho", log], "no such command: 'audit sho'"),
            ("no file", ["show"], "takes [OPTION]... FILE"),
            ("two files", ["verify", log, log], "takes [OPTION]... FILE"),
            ("a file that is not there", ["verify", f"{folder}/none"], "No such file"),
            ("a folder", ["show", folder], "Is a directory"),
            ("an empty file", ["verify", "/dev/null"], "is not an audit log"),
            ("another file", ["show", os.environ["MAYFLY"]], "is not an audit log"),
            ("an option of another command", ["verify", "--failed", log], "no such option"),
            ("an unknown event", ["show", "--event", "login", log], "there are: boot, credentials,"),
            ("an unknown user", ["show", "--user", "bob", log], "no such user: 'bob'"),
            ("a time that is none", ["show", "--since", "2026-13-01T00:00:00Z", log],
             "not understood"),
            ("a time without a zone", ["show", "--since", "2026-01-01T00:00:00", log],
             "not understood"),
            ("a head that is short", ["verify", "--head", "abcd", log], "not understood")]:
        run = audit(*words)
        lines = run.stderr.decode().splitlines()
        check(f"refused: {what}", run.returncode == 125 and len(lines) == 1 and text in lines[0]
              and not run.stdout, run)
    return log


def shown(log, *options):
    """The records that show shows."""
    run = audit("show", "--json", *options, log)
    if run.returncode:
        return str(run)
    return [json.loads(line) for line in run.stdout.splitlines()]


def uids(record):
    return {record[side][kind] for side in ("before", "after")
            for kind in ("uid", "euid", "suid", "fsuid")}


def show(log, records, folder):
    every = shown(log)
    check("every record is shown", [r["digest"] for r in every] ==
          [record[480:].hex() for record in records])
    check("what was refused", [r["sequence"] for r in shown(log, "--failed")] ==
          [i for i, record in enumerate(records) if result_of(record) < 0 or
           every[i]["cause"] == "no_new_privs"], shown(log, "--failed")[:1])
    check("an event's", [r["event"] for r in shown(log, "--event", "exec")] ==
          ["exec"] * sum(event_of(record) == 3 for record in records))
    passwd = os.path.join(folder, "passwd")
    with open(passwd, "w", encoding="utf-8") as file:
        file.write("root:x:0:0::/root:/bin/sh\njob:x:1000:1000::/job:/bin/sh\n")
    wanted = [r["sequence"] for r in every if r["pid"] and 1000 in uids(r)]
    for words in (["1000"], ["job", "--passwd", passwd]):
        check(f"a user's: {words[0]}", wanted and
              [r["sequence"] for r in shown(log, "--user", *words)] == wanted)
    check("root's", [r["sequence"] for r in shown(log, "--user", "root")] ==
          [r["sequence"] for r in every if r["pid"] and 0 in uids(r)])
    middle = every[len(every) // 2]
    for since in (f"{middle['mono_ns'] // 10**9}.{middle['mono_ns'] % 10**9:09}s", middle["time"]):
        check(f"since {since}", [r["sequence"] for r in shown(log, "--since", since)] ==
              [r["sequence"] for r in every if r["sequence"] >= middle["sequence"]],
              shown(log, "--since", since)[:1])
    text = audit("show", "--passwd", passwd, log).stdout.decode()
    for line in ("x credentials", "job: runs /tmp/su without what its file would give, no_new_privs",
                 "job -> job as root: runs /tmp/su, set-user-ID",
                 "refused: setuid(0) = EPERM, without the capability"):
        check(f"it says '{line}'", line in text, text[:2000])
    check("a line each", len(text.splitlines()) == len(records))
    check("with arrows where the locale has them",
          "job → job as root" in audit("show", "--passwd", passwd, log,
                                       LC_ALL="C.UTF-8").stdout.decode())


def tree(log, folder):
    """The attack's picture: each process below the one that made it, in order."""
    passwd = os.path.join(folder, "passwd")
    run = audit("tree", "--passwd", passwd, log)
    shape = [re.sub(r"\b0\.\d{6} |program \w+|/tmp/guest-test-\w+|\[.*\]", "", line)
             for line in run.stdout.decode().splitlines()]
    check("the tree of the attack", run.returncode == 0 and run.stdout.isascii(), run)
    asks = [i for i, line in enumerate(shape) if "root -> uid 77: setresuid(77, 77, 77)" in line]
    at = shape[asks[0]].index(".") if asks else 0
    check("who became whom, and what was refused then", asks and all(
        shape[asks[0] + 1 + i][at:].startswith("x uid 77 -> ") and call in shape[asks[0] + 1 + i]
        for i, call in enumerate(["setuid(0)", "setresuid(-1, 0, -1)", "setreuid(-1, 0)"])), shape)
    job = next((i for i, line in enumerate(shape) if "root -> job: setuid(1000)" in line), 0)
    wanted = [". job, no new privileges from now on: prctl",
              "x job: runs /tmp/su without what its file would give, no_new_privs",
              "^ job -> job as root: runs /tmp/su, set-user-ID"]
    found = [next((i for i in range(job, len(shape)) if text in shape[i]), 0) for text in wanted]
    check("a program kept from root, and one that got it", job and job < found[0] < found[1] <
          found[2] and shape[found[0]].index(".") > shape[found[2]].index("^"), shape[job:])
    check("counts at the end", re.fullmatch(
        r"\^ gained capabilities: \d+; x refused: \d+; other changes: \d+", shape[-1]), shape[-1])
    text = audit("tree", log, LC_ALL="C.UTF-8").stdout.decode()
    check("with lines where the locale has them", "\u2514\u2500 " in text and "\u2717 " in text)
    for name, value in ("NO_COLOR", ""), ("NO_COLOR", "1"):
        os.environ[name] = value
        terminal = Terminal("audit", "tree", log)
        status = terminal.end()
        check(f"colours on a terminal: {name}={value}", status == 0 and
              ("\x1b[31m" in terminal.text) == (value == ""), terminal.text[:200])


def hostile(records, folder):
    """Texts with control characters, numbers that nothing has; the chain holds."""
    dice = random.Random(7)
    wild = [records[0][:384] + b"a\x1b[31m\n\xff\"" + bytes(57) + records[0][448:]]
    for record in records[1:-1]:
        body = dice.randbytes(SIZE)
        wild.append(record[:40] + struct.pack("<II", dice.randrange(2, END), dice.randrange(9)) +
                    body[48:447] + b"\0" + record[448:])
    log = os.path.join(folder, "wild")
    with open(log, "wb") as file:
        file.write(b"".join(ended(wild)))
    for words in (["show"], ["show", "--json"], ["tree"], ["verify"]):
        run = audit(*words, log)
        printable = all(byte == 10 or 32 <= byte < 127 for byte in run.stdout)
        check(f"{' '.join(words)}: a hostile log is text", run.returncode in (0, 1) and
              (printable or "--json" in words) and b"\x1b" not in run.stdout, run.stderr)
    changed = os.path.join(folder, "changed")
    with open(changed, "wb") as file:
        file.write(b"".join(records[:3]) + bytes(SIZE) + b"".join(records[4:]))
    run = audit("show", changed)
    check("show goes on behind a fault, and says so", run.returncode == 1 and
          b"proves nothing from record 3 on" in run.stderr and
          len(run.stdout.splitlines()) == len(records), run)


def main(folder):
    ids = os.path.abspath(f"{os.environ['BUILD']}/tests/attack/gain_root_ids")
    records = record_run(ATTACK, "--cpus", "2", "--file", f"{ids}:/tmp/ids")
    check("the attack is in the log", len(records) > 40, len(records))
    whole = verify(records)
    heads(records)
    drops(records)
    show(refuses(folder, whole), records, folder)
    tree(os.path.join(folder, "log"), folder)
    hostile(records, folder)


with tempfile.TemporaryDirectory() as temporary:
    os.environ.update(MAYFLY_ACCEL="tcg", XDG_CACHE_HOME=temporary, HOME=temporary)
    main(temporary)
finish()
