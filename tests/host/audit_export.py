#!/usr/bin/python3
"""`mayfly audit export`: Debian's ausearch and aureport read auditd's form and find what the log
holds; each OCSF event has what its class requires.
"""
import collections
import json
import os
import random
import re
import shutil
import struct
import subprocess
import tempfile

from audit_log import SIZE, END, ended, event_of, record_run, result_of
from term import check, finish

NO_CALL = 0xffffffff
BOOT, CRED, EXEC, REFUSED, MOUNT, TRACE, DENIED = 1, 2, 3, 5, 6, 8, 12
WORK = ("mkdir -p '/tmp/a b' /tmp/m; cp /bin/busybox '/tmp/a b/su'; chmod 4755 '/tmp/a b/su';"
        "/tmp/ids; mount -t tmpfs x /tmp/m; umount /tmp/m; '/tmp/a b/su' job -c true;"
        "su job -c \"'/tmp/a b/su' -h; cat '/root/a secret'; setpriv --nnp '/tmp/a b/su' -h\"")


def export(form, log, *options):
    run = subprocess.run([os.environ["MAYFLY"], "audit", "export", "--format", form, *options, log],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    return run.stdout.decode() if run.returncode in (0, 1) else str(run)


def tool(name, *words):
    """What a program of the package auditd prints."""
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    return subprocess.run([path or name, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False).stdout.decode()


def call_of(record):
    return struct.unpack_from("<I", record, 76)[0]


def ids_of(record):
    """The real and effective user after the call."""
    return struct.unpack_from("<II", record, 256 if result_of(record) >= 0 else 160)


# ---- auditd ----

def events(*words):
    """The serial numbers of the events that ausearch finds."""
    return sorted({int(serial) for serial in
                   re.findall(r"msg=audit\(\d+\.\d+:(\d+)\)", tool("ausearch", *words))})


def numbered(records, wanted):
    return [i for i, record in enumerate(records) if wanted(record)]


def auditd(records, log, folder):
    text = export("auditd", log)
    path = os.path.join(folder, "auditd")
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    form = re.compile(r"type=[A-Z_]+ msg=audit\(\d+\.\d{3}:\d+\): [ -~]+")
    check("lines as auditd writes them", all(form.fullmatch(line) for line in text.splitlines()))
    times = [float(time) for time in re.findall(r"msg=audit\((\d+\.\d+):", text)]
    check("in order, also from before the clock was set", times == sorted(times) and
          times[-1] - times[0] < 60, times[:9])
    found = tool("ausearch", "-if", path)
    check("ausearch reads every event and line",
          found.count("----\n") == len(records) and sorted(text.splitlines()) == sorted(
              line for line in found.splitlines() if line.startswith("type=")), found[:300])
    calls = [record for record in records if call_of(record) != NO_CALL]
    for what, words, wanted in [
            ("what failed", ["-sv", "no"], lambda r: call_of(r) != NO_CALL and result_of(r) < 0),
            ("a user's", ["-ui", "1000"], lambda r: call_of(r) != NO_CALL and ids_of(r)[0] == 1000),
            ("who acts as root", ["-ue", "0"],
             lambda r: call_of(r) != NO_CALL and ids_of(r)[1] == 0),
            ("by key", ["-k", "exec"], lambda r: event_of(r) == EXEC),
            ("a system call", ["-sc", "setuid"], lambda r: call_of(r) == 105),
            ("a capset", ["-m", "CAPSET"], lambda r: call_of(r) == 126),
            ("the boot", ["-m", "SYSTEM_BOOT"], lambda r: event_of(r) == BOOT),
            ("the end", ["-m", "SYSTEM_SHUTDOWN"], lambda r: event_of(r) == END),
            ("a file by its name", ["-f", "/root/a secret"], lambda r: b"/root/a secret" in r),
            ("a program by its name", ["-f", "/tmp/a b/su"], lambda r: b"/tmp/a b/su" in r and
             event_of(r) == EXEC)]:
        expected = numbered(records, wanted)
        got = events("-if", path, *words)
        check(f"ausearch finds {what}", expected and got == expected, (expected, got))
    report = tool("aureport", "-if", path)
    counts = {name: int(number) for name, number in
              re.findall(r"^Number of (.*): (\d+)$", report, re.M)}
    check("aureport counts events", counts.get("events") == len(records), report)
    check("aureport counts failed calls", counts.get("failed syscalls") ==
          sum(result_of(record) < 0 for record in calls), report)
    check("aureport counts keys", counts.get("keys") == len({event_of(r) for r in calls}), report)
    report = tool("aureport", "-if", path, "-x", "-i")
    check("aureport names programs", "/tmp/a b/su" in report, report[-600:])


# ---- OCSF ----

# Required attributes of OCSF 1.3.0 (schema.ocsf.io/1.3.0): of every event, of classes, of objects.
EVERY = {"activity_id": int, "category_uid": int, "class_uid": int, "type_uid": int, "time": int,
         "severity_id": int, "metadata": dict}
CLASSES = {
    0: ("base_event", {}, {0, 99}),
    1001: ("file_activity", {"actor": dict, "device": dict, "file": dict},
           {*range(0, 15), 99}),
    1007: ("process_activity", {"actor": dict, "device": dict, "process": dict},
           {*range(0, 6), 99}),
    6002: ("application_lifecycle", {"app": dict}, {*range(0, 9), 99}),
}
REQUIRED = {"metadata": {"version": str, "product": dict}, "product": {"vendor_name": str},
            "app": {"vendor_name": str}, "device": {"type_id": int},
            "file": {"name": str, "type_id": int}}
# "at_least_one" of an object's constraints.
ONE_OF = {"actor": {"process", "user", "invoked_by", "session", "app_name", "app_uid"},
          "process": {"pid", "uid", "cpid"}, "parent_process": {"pid", "uid", "cpid"},
          "user": {"account", "name", "uid"},
          "device": {"ip", "uid", "name", "hostname", "instance_uid"}}


def lacks(event):
    """What is wrong with an event; empty if nothing is."""
    _, own, activities = CLASSES.get(event.get("class_uid"), (None, {"class_uid": None}, {}))
    wrong = [key for key, kind in {**EVERY, **own}.items() if not isinstance(event.get(key), kind)] \
        if None not in own.values() else ["class_uid"]
    if wrong:
        return wrong
    if event["activity_id"] not in activities or event["severity_id"] not in (*range(0, 7), 99) or \
            event["category_uid"] != event["class_uid"] // 1000 or \
            event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        return ["the numbers of class and activity"]
    if event["activity_id"] == 99 and not event.get("activity_name"):
        return ["activity_name"]
    if not event["metadata"]["version"] == "1.3.0":
        return ["metadata.version"]
    return objects_lack({key: value for key, value in event.items() if key != "unmapped"})


def objects_lack(json_object, above=""):
    wrong = []
    for key, value in json_object.items():
        if not isinstance(value, dict):
            continue
        wrong += [f"{above}{key}.{part}" for part, kind in REQUIRED.get(key, {}).items()
                  if not isinstance(value.get(part), kind)]
        if key in ONE_OF and not ONE_OF[key] & set(value):
            wrong.append(f"{above}{key}: none of {ONE_OF[key]}")
        wrong += objects_lack(value, f"{above}{key}.")
    return wrong


def ocsf(records, log, folder):
    lines = export("ocsf-json", log).splitlines()
    told = [json.loads(line) for line in lines]
    check("an event a record", len(told) == len(records), len(told))
    wrong = [(event["metadata"]["sequence"], lacks(event)) for event in told if lacks(event)]
    check("each has what its class requires", not wrong, wrong[:3])
    for part in ("time", "actor", "process", "metadata"):
        event = next(event for event in told if event["class_uid"] == 1007)
        check(f"the checker misses {part}",
              lacks({key: value for key, value in event.items() if key != part}) == [part])
    classes = {i: (event["class_uid"], event["activity_id"]) for i, event in enumerate(told)}
    by_event = collections.defaultdict(set)
    for i, record in enumerate(records):
        by_event[event_of(record)].add(classes[i])
    check("classes by event", by_event[BOOT] == {(6002, 3)} and by_event[END] == {(6002, 4)} and
          by_event[EXEC] == {(1007, 1)} and by_event[CRED] == {(1007, 5), (1007, 99)} and
          by_event[MOUNT] == {(1001, 12), (1001, 13)}, dict(by_event))
    check("who failed", all((event["status_id"] == 2) == event["unmapped"]["refused"]
                            for event in told))
    run = next(event for event in told if event["class_uid"] == 1007 and event["activity_id"] == 1
               and event["process"]["file"]["path"] == "/tmp/a b/su")
    check("who launched what as whom", run["process"]["user"]["uid"] == "0" and
          run["actor"]["user"]["uid"] == "1000" and
          run["actor"]["process"]["file"]["path"] == "/bin/sh", run)
    passwd = os.path.join(folder, "passwd")
    with open(passwd, "w", encoding="utf-8") as file:
        file.write("job:x:1000:1000::/job:/bin/sh\n")
    check("users' names", '"name":"job"' in export("ocsf-json", log, "--passwd", passwd))
    check("nothing is lost", [event["unmapped"]["digest"] for event in told] ==
          [record[-32:].hex() for record in records])


# ---- hostile logs ----

def hostile(records, folder):
    """Every event there is, with whatever bytes; the chain holds."""
    dice = random.Random(8)
    wild = [records[0]]
    for record in records[1:-1]:
        body = dice.randbytes(SIZE)
        event = dice.choice([*range(2, END), DENIED, 13])
        pid = struct.pack("<i", dice.choice([0, 7]))
        wild.append(record[:40] + struct.pack("<II", event, dice.randrange(9)) + body[48:60] + pid +
                    body[64:76] + struct.pack("<I", dice.choice([NO_CALL, 59, 105, 126, 4711])) +
                    body[80:447] + b"\0" + record[448:])
    log = os.path.join(folder, "wild")
    with open(log, "wb") as file:
        file.write(b"".join(ended(wild)))
    text = export("auditd", log)
    check("hostile: a line stays a line", all(32 <= ord(char) < 127 or char == "\n"
                                              for char in text) and text.startswith("type="))
    wrong = [lacks(json.loads(line)) for line in export("ocsf-json", log).splitlines()]
    check("hostile: events have what they must", len(wrong) == len(records) and not any(wrong),
          [what for what in wrong if what][:3])


def main(folder):
    ids = os.path.abspath(f"{os.environ['BUILD']}/tests/attack/gain_root_ids")
    records = record_run(WORK, "--cpus", "2", "--file", f"{ids}:/tmp/ids")
    log = os.path.join(folder, "log")
    with open(log, "wb") as file:
        file.write(b"".join(records))
    auditd(records, log, folder)
    ocsf(records, log, folder)
    hostile(records, folder)
    for words in ([], ["--format", "cef"]):
        run = subprocess.run([os.environ["MAYFLY"], "audit", "export", *words, log], check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        check(f"refused: {' '.join(words) or 'no form'}", run.returncode == 125 and
              b"auditd or ocsf-json" in run.stderr and run.stderr.count(b"\n") == 1, run)


with tempfile.TemporaryDirectory() as temporary:
    os.environ.update(MAYFLY_ACCEL="tcg", XDG_CACHE_HOME=temporary, HOME=temporary, LC_ALL="C")
    main(temporary)
finish()
