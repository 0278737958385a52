#!/usr/bin/python3
"""Measure Mayfly: make bench, or tests/bench/run.py [PART...].

    boot    hello in a VM, against an empty VM and against Debian's kernel
    memory  the smallest guest memory in which hello runs
    size    kernel, loader and agent together
    ubench  each row of ubench, against Debian's kernel
    audit   changes of credentials with the log on, against off and against Debian's kernel
    policy  compiling a policy of 200 lines, start to exit of the command
    programs  python3, node, gcc... of the root image `debian`, against Debian's kernel
    cold    the same image: process start to exit of `python3 -c 'print(1)'`
    soak    $BENCH_RUNS (200) runs in a row, all right, nothing left over

Everything runs in the same QEMU under TCG, alternating, and is quoted as medians and as
ratios. Linux runs with `erms=off,fsrm=off,vaes=off`, as Mayfly does: TCG does `rep movsb`
byte by byte. Each line ends with the bar and the aim. $BENCH_TURNS (3) is how often
`programs` starts both, $BENCH_PROGRAMS which of its rows it measures.
"""
import glob
import json
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("BUILD", "build")
DEPS = os.environ.get("DEPS", os.path.join(BUILD, "deps"))
PROGRAMS = os.path.join(BUILD, "tests/bench")
MAYFLY = os.path.join(BUILD, "mayfly")
HELLO = os.path.join(PROGRAMS, "hello")
LINUX = os.path.join(DEPS, "linux/vmlinuz")
MODULES = os.path.join(DEPS, "linux/modules")
DEBIAN = os.path.join(BUILD, "root/debian.img")
QEMU = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
        "-display", "none"]
EMPTY = QEMU + ["-M", "microvm,rtc=off,pit=off,pic=off,x-option-roms=off,isa-serial=on,acpi=off",
                "-cpu", "max", "-m", "128", "-device", "isa-debug-exit,iobase=0x501,iosize=2",
                "-kernel", os.path.join(PROGRAMS, "empty.elf")]

SETRESUID = 117         # its number

# What each row of ubench aims at, in the row's own unit. Lower is better unless MB/s.
AIMS = {
    "null_getppid": 200, "clock_gettime": 60, "read1_devzero": 300, "fstat": 450,
    "stat_path4": 2000, "open_close_path4": 3500, "creat_close_unlink": 8000,
    "tmpfs_read_64k": 2600, "tmpfs_read_4k": 1900, "tmpfs_write_64k": 2200,
    "fault_anon4k": 1800, "fault_file_read": 600, "mmap_munmap_1p": 4000,
    "signal_self": 6, "sigsegv_fixup": 12, "epoll_eventfd": 1800, "pipe_rt": 18,
    "ctxsw_derived": 8, "pipe_bw_64k": 900, "futex_rt_threads": 6, "unix_rt": 22,
    "thread_create_join": 50, "fork_exit_wait": 120, "fork_exec_wait": 300,
    "vfork_exec_wait": 200,
}


def measure(command, status=0, environment=None):
    """(wall ms, CPU ms, output) of one run, which must end with the status."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, env=environment)
    output = child.stdout.read().decode(errors="replace")
    _, ended, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(ended)
    if child.returncode != status:
        sys.exit(f"bench: {' '.join(command)}: exit status {child.returncode}\n{output}")
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3, output


def median_of(runs):
    return [statistics.median(column) for column in zip(*((w, c) for w, c, _ in runs))]


def host_tsc_khz():
    return int(measure([os.path.join(PROGRAMS, "tsc")])[2])


def initramfs(path, init, others=None):
    """Writes a cpio archive (`newc`) of /dev/console, the init and other files."""
    entries = [("dev", 0o40755, None, 0), ("dev/console", 0o20600, None, 1),
               ("modules", 0o40755, None, 0), ("init", 0o100755, init, 0)]
    entries += [(name, 0o100755, file, 0) for name, file in (others or {}).items()]
    archive = b""
    entries.append(("TRAILER!!!", 0, None, 0))
    for inode, (name, mode, source, device) in enumerate(entries, 1):
        data = b""
        if source:
            with open(source, "rb") as file:
                data = file.read()
        fields = [inode, mode, 0, 0, 1, 0, len(data), 0, 0, 5 * device, device,
                  len(name) + 1, 0]
        head = b"070701" + b"".join(b"%08X" % field for field in fields)
        head += name.encode() + b"\0"
        archive += head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
    with open(path, "wb") as file:
        file.write(archive)


def linux(image, arguments="", memory=256, more=()):
    """The command that boots Debian's kernel with the image; it wants rtc, pit and pic."""
    return QEMU + ["-M", "microvm", "-cpu", "max,erms=off,fsrm=off,vaes=off",
                   "-m", str(memory), "-serial", "stdio", "-kernel", LINUX, "-initrd", image,
                   "-append",
                   "console=ttyS0 panic=-1 quiet tsc_early_khz=%d -- %s"
                   % (host_tsc_khz(), arguments), *more]


def debian_on_linux(scratch, command, program=None):
    """Boots Debian's kernel with the root image, and runs a command of it or a program."""
    image = os.path.join(scratch, "debian.cpio")
    files = {"modules/" + name: os.path.join(MODULES, name)
             for name in os.listdir(MODULES)}
    if program:
        files["program"] = program
    initramfs(image, os.path.join(PROGRAMS, "linux_init"), files)
    # The disk is as host/vm.c has it.
    return linux(image, " ".join(command), 1024, [
        "-global", "virtio-mmio.force-legacy=false",
        "-device", "virtio-blk-device,drive=root", "-blockdev",
        "driver=file,node-name=root,read-only=on,locking=off,filename=" + DEBIAN])


def debian_on_mayfly(command):
    return [MAYFLY, "run", "--root", DEBIAN, "--user", "root", "--mem", "1G",
            "--timeout", "30m", "--", *command]


def need_debian():
    if not os.path.exists(DEBIAN):
        sys.exit(f"bench: no {DEBIAN}: say `make root-debian`")


def ratio_line(name, value, against, bar, aim):
    print(f"  {name:34} {value / against:8.2f}x   bar {bar}, aim {aim}")


def bench_boot(scratch):
    image = os.path.join(scratch, "hello.cpio")
    initramfs(image, HELLO)
    mayfly = ["env", "-C", PROGRAMS, os.path.abspath(MAYFLY), "run", "--", "./hello"]
    measure(mayfly)
    runs = {"empty": [], "mayfly": [], "linux": []}
    for turn in range(21):
        runs["empty"].append(measure(EMPTY, status=1))
        runs["mayfly"].append(measure(mayfly))
        if turn % 4 == 0:
            runs["linux"].append(measure(linux(image)))
    medians = {who: median_of(of) for who, of in runs.items()}
    print("boot: hello, process start to exit (median wall ms, CPU ms)")
    for who, (wall, cpu) in medians.items():
        print(f"  {who:34} {wall:8.1f} {cpu:8.1f}")
    ratio_line("Mayfly / empty VM, wall", medians["mayfly"][0], medians["empty"][0],
               "<= 3.5x", "<= 2x")
    ratio_line("Debian's kernel / Mayfly, wall", medians["linux"][0], medians["mayfly"][0],
               ">= 15x", ">= 30x")


def bench_memory(_):
    low, high = 4, 128
    while high - low > 1:
        middle = (low + high) // 2
        done = subprocess.run([MAYFLY, "run", "--mem", f"{middle}M", "--", HELLO],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if done.returncode == 0 and done.stdout == b"hello\n":
            high = middle
        else:
            low = middle
    print(f"memory: hello runs in {high} MiB   bar 32, aim 16")


def bench_size(scratch):
    total = 0
    for path in ("kernel.stripped", "loader.elf", "userland/agent"):
        stripped = os.path.join(scratch, os.path.basename(path))
        subprocess.run(["strip", "-o", stripped, os.path.join(BUILD, path)], check=True)
        size = os.path.getsize(stripped)
        total += size
        print(f"  {path:34} {size / 1000:8.1f} kB")
    print(f"size: {total / 1000:.1f} kB together   bar 1500, aim 800")


def rows_of(output):
    """ubench's rows: name -> (value, unit)."""
    return {name: (float(value), unit) for name, value, unit in
            re.findall(r"^(\w+) ([\d.]+) (\S+)\r?$", output, re.M)}


def bench_ubench(scratch):
    ubench = os.path.join(PROGRAMS, "ubench")
    image = os.path.join(scratch, "ubench.cpio")
    initramfs(image, ubench)
    tsc = f"tsc={host_tsc_khz() // 1000}"
    mayfly, debian = [], []
    for _ in range(3):
        mayfly.append(rows_of(measure([MAYFLY, "run", "--user", "root", "--timeout", "300s",
                                       "--mem", "256M", "--", ubench, tsc])[2]))
        debian.append(rows_of(measure(linux(image, tsc))[2]))
    print("ubench: medians of 3   (no slower than Debian's kernel; aim)")
    for name in mayfly[0]:
        if name not in debian[0] or name.startswith("ubench"):
            continue
        unit = mayfly[0][name][1]
        ours = statistics.median(rows[name][0] for rows in mayfly if name in rows)
        theirs = statistics.median(rows[name][0] for rows in debian if name in rows)
        times = ours / theirs if unit == "MB/s" else theirs / ours
        yardstick = name.startswith(("alu", "memcpy"))
        verdict = ("   a yardstick: no kernel in it" if yardstick else
                   "" if times >= 1 else "   SLOWER")
        aim = f"aim {AIMS[name]}" if name in AIMS else ""
        print(f"  {name:22} {ours:10.1f} {theirs:10.1f} {unit:8} {times:6.2f}x  {aim}{verdict}")


# The rows of tests/bench/programs.c.
PROGRAM_ROWS = ["python", "node", "gcc", "git_status", "tar_xz", "sqlite3",
                "fork_exec_200"]


def times_of(output):
    """What tests/bench/programs.c said: name -> (cold ms, [warm ms...])."""
    rows = {}
    for name, times in re.findall(r"^(\w+)((?: [\d.]+){2,})\r?$", output, re.M):
        cold, *warm = map(float, times.split())
        rows[name] = (cold, warm)
    return rows


def bench_programs(scratch):
    need_debian()
    program = os.path.join(PROGRAMS, "programs")
    names = os.environ.get("BENCH_PROGRAMS", "").split() or PROGRAM_ROWS
    print("programs: median ms in Mayfly and under Debian's kernel, of first runs and of "
          "later ones\n  (bar >= 1x, aim >= 1.3x)")
    for name in names:
        # Row by row, so that the two are measured within the same minute.
        command = [program, "4", name]
        systems = {"mayfly": debian_on_mayfly(command),
                   "linux": debian_on_linux(scratch, command, program)}
        cold = {who: [] for who in systems}
        warm = {who: [] for who in systems}
        for _ in range(int(os.environ.get("BENCH_TURNS", "3"))):
            for who, system in systems.items():
                first, rest = times_of(measure(system)[2])[name]
                cold[who].append(first)
                warm[who].extend(rest)
        line = f"  {name:16}"
        for times in (cold, warm):
            ours = statistics.median(times["mayfly"])
            theirs = statistics.median(times["linux"])
            line += f" {ours:10.1f} {theirs:10.1f} {theirs / ours:6.2f}x"
        print(line + ("" if theirs >= ours else "   SLOWER"))


def bench_cold(scratch):
    need_debian()
    command = ["python3", "-c", "print(1)"]
    systems = {"mayfly": debian_on_mayfly(command),
               "linux": debian_on_linux(scratch, command)}
    measure(systems["mayfly"])
    runs = {who: [] for who in systems}
    for turn in range(9):
        runs["mayfly"].append(measure(systems["mayfly"]))
        if turn % 3 == 0:
            runs["linux"].append(measure(systems["linux"]))
    for who, of in runs.items():
        if not all(re.search(r"^1\r?$", output, re.M) for _, _, output in of):
            sys.exit(f"bench: {who}: python3 did not print 1\n{of[-1][2]}")
    medians = {who: median_of(of) for who, of in runs.items()}
    print("cold: python3 in the root image debian, process start to exit "
          "(median wall ms, CPU ms)")
    for who, (wall, cpu) in medians.items():
        print(f"  {who:34} {wall:8.1f} {cpu:8.1f}")
    ratio_line("Debian's kernel / Mayfly, wall", medians["linux"][0], medians["mayfly"][0],
               ">= 6x", ">= 8x")


def machines():
    """The /proc folders of the QEMUs that run Mayfly's loader."""
    found = set()
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            with open(folder + "/cmdline") as file:
                words = file.read().split("\0")
        except OSError:
            continue
        if "qemu-system" in words[0] and any(w.endswith("loader.elf") for w in words):
            found.add(folder)
    return found


def number_of(output, name):
    return int(re.search(rf"^{name} (\d+)", output, re.M)[1])


def without_audit(scratch):
    """The environment of runs whose kernel writes no records: nobody else is offered that."""
    path = os.path.join(scratch, "qemu")
    with open(path, "w") as script:
        script.write('#!/bin/bash\nfor i in $(seq $#); do\n'
                     '[ "${!i}" != -append ] || set -- "${@:1:i}" "${@:i+1:1} audit=off" "${@:i+2}"\n'
                     f'done\nexec {shutil.which("qemu-system-x86_64")} "$@"\n')
    os.chmod(path, 0o755)
    return dict(os.environ, MAYFLY_QEMU=path)


def bench_audit(scratch):
    program = os.path.join(PROGRAMS, "audit")
    log, image = os.path.join(scratch, "log"), os.path.join(scratch, "audit.cpio")
    report = os.path.join(scratch, "report.json")
    initramfs(image, program)
    run = [MAYFLY, "run", "--user", "root", "--timeout", "10m"]
    change = ["change", str(host_tsc_khz())]
    ours = run + ["--cpus", "2", "--", program, *change]
    commands = {"on": (ours, None), "off": (ours, without_audit(scratch)),
                "streamed": (ours[:2] + ["--audit", log] + ours[2:], None),
                "linux": (linux(image, " ".join(change), more=["-smp", "2"]), None)}
    times = {who: [] for who in commands}
    for _ in range(5):
        for who, (command, environment) in commands.items():
            output = measure(command, environment=environment)[2]
            times[who].append(number_of(output, "setresuid"))
    on, off, streamed, theirs = (statistics.median(times[who])
                                 for who in ("on", "off", "streamed", "linux"))
    print(f"audit: setresuid, medians of 5: {on} ns, {streamed} while the log is streamed to the "
          f"host, {off} without a log, {theirs} under Debian's kernel")
    print(f"  against Debian's {on / theirs:19.2f}x   bar 1.5   (streamed {streamed / theirs:.2f}x)")
    print(f"  over itself      {on - off:16.0f} ns   bar 1000   (streamed {streamed - off:.0f} ns)")
    for cpus in "1", "4":
        late = [number_of(measure(run + ["--cpus", cpus, "--", program, "wake", "200"])[2], "wake")
                for _ in range(5)]
        print(f"  from record to reader, {cpus} CPU {statistics.median(late) / 1000:13.1f} us   bar 100")
    output = measure(run + ["--cpus", "4", "--audit", log, "--report", report, "--", program,
                            "flood", "4", "250000"])[2]
    verdict = json.loads(measure([MAYFLY, "audit", "verify", "--json", log])[2])
    with open(report) as file:
        told = json.load(file)["audit"]
    changes = number_of(output, "changes")
    with open(log, "rb") as file:
        data = file.read()
    seen = sum(struct.unpack_from("<I", data, at + 76)[0] == SETRESUID
               for at in range(0, len(data), 512))
    dropped = sum(verdict["dropped"].values())
    accounted = (seen + dropped == changes and verdict["sound"] and
                 dropped == told["dropped_vital"] + told["dropped_ordinary"])
    print(f"  {changes} changes by 4 threads on 4 CPUs: {seen} seen, {dropped} counted as "
          f"dropped: {'every one accounted for' if accounted else 'NOT ACCOUNTED FOR'}, chain "
          f"{'unbroken' if verdict['sound'] else 'BROKEN'}")


def bench_policy(scratch):
    """Rules with and without conditions, paths with a variable."""
    policy = os.path.join(scratch, "policy")
    lines = ["policy \"p\"", "let out = /job/out"]
    lines += [f"allow read write close lseek where fd == {i}" for i in range(68)]
    lines += [f"allow ioctl where cmd in {{TCGETS, {i}}} and fd == {i}" for i in range(40)]
    lines += ["allow @file @dir @process", "deny socket with EAFNOSUPPORT"] * 20
    lines += [f"read execute /usr/lib/{i} $out/{i}" for i in range(50)]
    with open(policy, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    wall, cpu = median_of([measure([MAYFLY, "policy", "compile", "-o", "/dev/null", policy])
                           for _ in range(30)])
    print(f"policy: {len(lines)} lines compiled in {wall:.1f} ms, {cpu:.1f} of a CPU   "
          "bar 5, aim 5")


def bench_soak(_):
    count = int(os.environ.get("BENCH_RUNS", "200"))
    wrong = 0
    before = machines()
    for _ in range(count):
        done = subprocess.run([MAYFLY, "run", "--", HELLO], stdout=subprocess.PIPE)
        wrong += done.returncode != 0 or done.stdout != b"hello\n"
    left = machines() - before
    print(f"soak: {count - wrong} of {count} runs right, {len(left)} machines left over   "
          "bar 200, aim 2000")


PARTS = {"boot": bench_boot, "memory": bench_memory, "size": bench_size,
         "ubench": bench_ubench, "audit": bench_audit, "policy": bench_policy,
         "programs": bench_programs, "cold": bench_cold, "soak": bench_soak}


def main():
    parts = [p for p in sys.argv[1:] if p != "all"] or list(PARTS)
    unknown = set(parts) - set(PARTS)
    if unknown:
        sys.exit(f"bench: no such part: {' '.join(sorted(unknown))}\n\n{__doc__}")
    sys.stdout.reconfigure(line_buffering=True)
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="mayfly-bench.") as scratch:
            PARTS[part](scratch)


main()
