#!/usr/bin/python3
"""`mayfly run --trace` against strace(1) on the same program: the same lines.

What differs by nature is taken out before: numbers of processes, times, addresses, the
environment's size, and what the two kernels answer differently (DIFFERS).

And what a trace holds of a job that is killed, or cannot go on.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

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
    guest = subprocess.run([MAYFLY, "run", "--policy", "open", "--user", "root", "--trace", ours,
                            "--", "./" + program],
                           cwd=folder).returncode
    check(f"{program} under --trace", guest == 0, guest)
    left, right = normal(theirs), normal(ours)
    missing = [f"strace  {a}\nmayfly  {b}" for a, b in zip(left, right) if a != b]
    check("as many lines", len(left) == len(right), f"{len(left)} and {len(right)}")
    check("the same lines", not missing, "\n".join(missing))
    check("enough to tell", len(right) > 50, len(right))


# -- a run that is cut short -------------------------------------------------------------

SLEEPERS = ["./busybox", "sh", "-c", "./busybox sleep 100 & exec ./busybox sleep 100"]


def last_lines(path):
    """The last call of each process and its end."""
    return sorted(" / ".join(re.sub(r"\) += ", ") = ", line) for line in lines[-2:])
                  for lines in events(path).values())


def text(path):
    with open(path) as file:
        return file.read()


def wait_until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)


def sleepers_killed(folder):
    """What strace says of them."""
    path = os.path.join(folder, "killed")
    strace = subprocess.Popen(["strace", "-f", "-tt", "-T", "-o", path, *SLEEPERS], cwd=folder)
    wait_until(lambda: os.path.exists(path) and text(path).count("nanosleep(") == 2)
    for pid in re.findall(r"(?m)^(\d+) .*nanosleep\(", text(path)):
        os.kill(int(pid), signal.SIGKILL)
    strace.wait()
    return last_lines(path)


def traced(folder, *arguments, **more):
    return subprocess.Popen([MAYFLY, "run", "--user", "root", "--trace", "cut", *arguments], cwd=folder,
                            stderr=subprocess.DEVNULL, **more)


def sleepers_cut(folder, expected):
    path = os.path.join(folder, "cut")
    status = traced(folder, "--timeout", "4s", "--", *SLEEPERS).wait()
    check("a timeout", status == 124, status)
    check("ends the trace as strace ends one of killed processes",
          last_lines(path) == expected, f"{last_lines(path)}\n{expected}")
    for number in signal.SIGINT, signal.SIGTERM:
        os.unlink(path)
        run = traced(folder, "--", "./busybox", "sh", "-c", "echo go; exec ./busybox sleep 100",
                     stdout=subprocess.PIPE)
        run.stdout.readline()
        time.sleep(1)
        run.send_signal(number)
        check(f"{number.name} ends the command", run.wait() == -number, run.returncode)
        check("and its trace", last_lines(path) == expected[:1], last_lines(path))


def output_cut(folder):
    path = os.path.join(folder, "cut")
    status = traced(folder, "--max-output", "1M", "--", "./busybox", "yes",
                    stdout=subprocess.DEVNULL).wait()
    check("too much output", status == 153, status)
    check("is in the trace", re.search(r"write\(.*\n.*killed by SIGKILL \+\+\+\n$", text(path)),
          text(path)[-500:])
    os.unlink(path)
    run = traced(folder, "--timeout", "3s", "--", "./busybox", "yes", stdout=subprocess.PIPE)
    check("output that nobody reads", run.wait() == 124, run.returncode)
    check("does not keep the trace's end",
          re.search(r"write\(1, .*\) += \?\n.*killed by SIGKILL \+\+\+\n$", text(path)),
          text(path)[-500:])


def guest_stuck(folder):
    """A guest that answers nothing does not keep the command."""
    for again in True, False:
        run = traced(folder, "--", "./busybox", "sh", "-c", "echo go; exec ./busybox sleep 100",
                     stdout=subprocess.PIPE)
        run.stdout.readline()
        time.sleep(1)
        machine = subprocess.check_output(["ps", "-o", "pid=", "--ppid", str(run.pid)])
        os.kill(int(machine), signal.SIGSTOP)
        began = time.monotonic()
        run.terminate()
        if again:
            time.sleep(0.5)
            check("the rest of a trace is waited for", run.poll() is None)
            run.terminate()
        check("until a second signal" if again else "or for seconds",
              run.wait() == -signal.SIGTERM and
              (time.monotonic() - began < 3 if again else 4 < time.monotonic() - began < 15),
              time.monotonic() - began)
        check("what had come is there",
              text(os.path.join(folder, "cut")).endswith(" <unfinished ...>\n"))


def seconds_of(line):
    hours, minutes, seconds = line.split()[1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def killed_while_full(folder):
    """Who waits for room in a trace that nobody reads dies at once."""
    run = traced(folder, "--", "./calls_flood", "2000", stdout=subprocess.PIPE)
    run.stdout.readline()
    run.send_signal(signal.SIGSTOP)
    time.sleep(4)
    # The guest's clock may be a little late.
    before = time.localtime(time.time() - 1)
    run.send_signal(signal.SIGCONT)
    check("a flood of calls", run.wait() == 0, run.returncode)
    killed = [line for line in text(os.path.join(folder, "cut")).splitlines()
              if line.endswith("+++ killed by SIGKILL +++")]
    early = [line for line in killed
             if seconds_of(line) < before.tm_hour * 3600 + before.tm_min * 60 + before.tm_sec]
    check("nobody waits to be killed", len(killed) == 8 and len(early) == 4,
          f"{time.asctime(before)}\n" + "\n".join(killed))


def cut_short(folder):
    shutil.copy("/bin/busybox", folder)
    shutil.copy(os.path.join(BUILD, "tests/guest/calls_flood"), folder)
    expected = sleepers_killed(folder)
    check("strace's lines of killed processes",
          len(expected) == 2 and all("<unfinished ...>) = ? / +++ killed" in line
                                     for line in expected), expected)
    sleepers_cut(folder, expected)
    output_cut(folder)
    guest_stuck(folder)
    killed_while_full(folder)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(XDG_CACHE_HOME=folder, HOME=folder, MAYFLY_ACCEL="tcg")
        for program in PROGRAMS:
            compared(folder, program)
        cut_short(folder)
    print(f"1..{len(points)}")
    sys.exit(0 if all(points) else 1)


main()
