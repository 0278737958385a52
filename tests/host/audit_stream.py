#!/usr/bin/python3
"""`mayfly run --audit FILE`: the kernel's records reach the host while the job runs, and whatever
becomes of the job, the VM or the command, what came is a sound log or says that it is not whole.
"""
import json
import os
import signal
import struct
import subprocess
import tempfile
import time

from audit_log import SIZE, event_of
from term import check, finish

MAYFLY = os.path.abspath(os.environ["MAYFLY"])
FLOOD = os.path.join(os.path.abspath(os.environ["BUILD"]), "tests/bench/audit")
CAPABILITY, END, DENIED, SETRESUID = 4, 11, 12, 117


def command(*options, log="log"):
    return [MAYFLY, "run", "--policy", "open", "--user", "root", "--timeout", "120s", "--audit", log, *options]


def run(*words, status=0):
    done = subprocess.run(command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=150)
    check(f"'{' '.join(words)[:60]}' ends with {status}", done.returncode == status,
          (done.returncode, done.stderr))
    return done


def records():
    with open("log", "rb") as file:
        data = file.read()
    return [data[at:at + SIZE] for at in range(0, len(data), SIZE)]


def verdict():
    """What verify says of the log, the size of which must be whole records."""
    done = subprocess.run([MAYFLY, "audit", "verify", "--json", "log"], stdout=subprocess.PIPE)
    return json.loads(done.stdout)


def calls(number):
    return [r for r in records() if struct.unpack_from("<I", r, 76)[0] == number]


def of_a_job():
    run("--", "sh", "-c", "cat /root/x; su job -c 'cat /root/x'", status=1)
    log = records()
    check("a run's log is whole", verdict()["sound"], verdict())
    check("it ends with the end", event_of(log[-1]) == END)
    check("it is the owner's alone", os.stat("log").st_mode & 0o777 == 0o600)
    denied = [r for r in log if event_of(r) == DENIED]
    check("what was denied is there", any(r[392:448].startswith(b"/root/x\0") for r in denied), denied)
    run("--", "./nosuch", status=127)
    run("--", "/bin/nosuch", status=127)
    check("a job that did not start has a whole log too", verdict()["sound"], verdict())


def while_it_runs():
    job = subprocess.Popen(command("--", "sh", "-c", "su job -c true; echo go; exec sleep 100"),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    job.stdout.readline()
    until = time.monotonic() + 20
    while not calls(105) and time.monotonic() < until:
        time.sleep(0.1)
    check("records come while the job runs", calls(105))
    job.kill()
    job.wait()
    said = verdict()
    check("killed, the command leaves what came", said["records"] > 5, said)
    check("which is sound but for its end", not said["sound"] and said["fault"]["at"] == said["records"]
          if said["fault"] and "at" in said["fault"] else not said["sound"], said)


def of_one_that_is_cut():
    run("--timeout", "3s", "--", "sleep", "100", status=124)
    check("a timeout's log is whole", verdict()["sound"], verdict())
    job = subprocess.Popen(command("--", "sh", "-c", "echo go; exec sleep 100"),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    job.stdout.readline()
    job.send_signal(signal.SIGINT)
    check("an interrupt ends the command", job.wait(30) == -signal.SIGINT, job.returncode)
    check("and its log is whole", verdict()["sound"], verdict())


def of_a_vm_that_dies():
    run("--", "poweroff", "-f", status=125)
    said = verdict()
    check("a VM that was powered off has no end", not said["sound"] and not said["end"], said)
    last = records()[-1]
    check("but who did it", event_of(last) == CAPABILITY and
          struct.unpack_from("<I", last, 76)[0] == 169, last[:80])


def of_a_flood():
    """20,000 changes by 4 threads, and as many refusals, faster than they can be told."""
    run("--cpus", "4", "--report", "report", "--", FLOOD, "flood", "4", "5000")
    said = verdict()
    lost = sum(said["dropped"].values())
    check("a flood's log is whole", said["sound"], said)
    check("what is not in it is counted", len(calls(SETRESUID)) + lost == 20000,
          (len(calls(SETRESUID)), said))
    with open("report") as file:
        told = json.load(file)["audit"]
    check("the report counts the same", told["dropped_vital"] + told["dropped_ordinary"] == lost
          and told["mode"] == "on", told)
    run("--cpus", "4", "--audit-full", "stop", "--", FLOOD, "flood", "4", "5000")
    said = verdict()
    check("with stop all of it is there", said["sound"] and not sum(said["dropped"].values()) and
          len(calls(SETRESUID)) == 20000, (len(calls(SETRESUID)), said))
    run("--cpus", "2", "--audit-full", "stop", "--", FLOOD, "denied", "3000")
    said = verdict()
    check("refusals too", said["sound"] and not sum(said["dropped"].values()) and
          sum(event_of(r) == DENIED for r in records()) == 3000, said)


def with_nowhere_to_go():
    done = subprocess.run(command("--", "true", log="/dev/full"), stderr=subprocess.PIPE)
    check("a full disk ends the run", done.returncode == 125 and b"No space" in done.stderr,
          (done.returncode, done.stderr))
    done = subprocess.run(command("--", "true", log="nosuch/log"), stderr=subprocess.PIPE)
    check("a bad place is told before", done.returncode == 125 and b"nosuch/log" in done.stderr,
          (done.returncode, done.stderr))
    done = subprocess.run([MAYFLY, "run", "--audit-full", "stop", "--", "true"],
                          stderr=subprocess.PIPE)
    check("nothing waits for a log that nobody wants",
          done.returncode == 125 and b"--audit FILE" in done.stderr, done.stderr)


def to_the_group():
    done = subprocess.run([MAYFLY, "run", "--user", "job:audit", "--", "dd", "if=/proc/audit/data",
                           "bs=512", "count=1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    check("the group audit may read in the guest", len(done.stdout) == SIZE, done)
    done = subprocess.run([MAYFLY, "run", "--user", "job", "--", "cat", "/proc/audit/data"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    check("others may not", not done.stdout and b"Permission denied" in done.stderr, done)


os.umask(0o022)
with tempfile.TemporaryDirectory() as folder:
    os.environ.update(MAYFLY_ACCEL="tcg", XDG_CACHE_HOME=folder, HOME=folder)
    os.chdir(folder)
    of_a_job()
    while_it_runs()
    of_one_that_is_cut()
    of_a_vm_that_dies()
    of_a_flood()
    with_nowhere_to_go()
    to_the_group()
finish()
