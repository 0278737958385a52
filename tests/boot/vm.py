"""What the scripts of this folder share: a VM without the host command, and TAP points."""
import dataclasses
import os
import re
import struct
import subprocess
import sys
import tempfile

BUILD = os.environ.get("BUILD", "build")
LOADER = os.path.join(BUILD, "loader.elf")
BUNDLE = os.path.join(BUILD, "bundle.bin")
ROOT = os.path.join(BUILD, "root/base.img")

MACHINE = ["-M", "microvm,rtc=off,pit=off,pic=off,x-option-roms=off,isa-serial=on,acpi=off",
           "-global", "virtio-mmio.force-legacy=false", "-nodefaults", "-no-user-config",
           "-no-reboot", "-display", "none", "-serial", "stdio",
           "-device", "isa-debug-exit,iobase=0x501,iosize=2"]


def exit_codes():
    """QEMU's exit status for each way a VM ends (lib/abi/exit.def)."""
    with open("lib/abi/exit.def") as table:
        rows = re.findall(r"^EXIT_CODE\((\w+), (0x\w+),", table.read(), re.M)
    return {name: int(value, 16) << 1 | 1 for name, value in rows}


EXIT = exit_codes()
TIMED_OUT = -1


@dataclasses.dataclass
class Ended:
    status: int
    log: str


def boot(bundle=BUNDLE, root=ROOT, cmdline="", mem="64", cpus=1, cpu="max", timeout=40,
         loader=LOADER):
    """Runs a VM to its end; None for bundle or root leaves it out."""
    argv = ["qemu-system-x86_64", *MACHINE, "-accel", "tcg", "-cpu", cpu, "-m", mem,
            "-smp", str(cpus), "-kernel", loader, "-append", cmdline]
    if bundle:
        argv += ["-initrd", bundle]
    if root:
        argv += ["-drive", f"file={root},if=none,id=root,readonly=on,format=raw",
                 "-device", "virtio-blk-device,drive=root"]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired as late:
        return Ended(TIMED_OUT, (late.stdout or b"").decode(errors="replace"))
    return Ended(done.returncode, done.stdout.decode(errors="replace"))


# -- the bundle, for tests that damage it --------------------------------------------

HEADER, PART = struct.Struct("<8sIIQ"), struct.Struct("<IIQ")
KERNEL, CMDLINE, SYMBOLS = 1, 2, 3


def parts_of(bundle):
    """[(type, bytes)] of a sound bundle."""
    _, _, count, _ = HEADER.unpack_from(bundle)
    at, parts = HEADER.size, []
    for _ in range(count):
        kind, _, size = PART.unpack_from(bundle, at)
        at += PART.size
        parts.append((kind, bundle[at:at + size]))
        at += size + -size % 16
    return parts


def bundle_of(parts, magic=b"MFLYBNDL", version=1, count=None, size=None, zero=0):
    body = b"".join(PART.pack(kind, zero, len(data)) + data + b"\0" * (-len(data) % 16)
                    for kind, data in parts)
    return HEADER.pack(magic, version, len(parts) if count is None else count,
                       HEADER.size + len(body) if size is None else size) + body


def read(path):
    with open(path, "rb") as file:
        return file.read()


def written(data):
    """The path of a file that holds data, below $TMPDIR."""
    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(data)
    return file.name


# -- points ---------------------------------------------------------------------------

_points = 0


def point(what, holds, *said):
    global _points
    _points += 1
    print(f"{'ok' if holds else 'not ok'} {_points} - {what}", flush=True)
    if not holds:
        for text in said:
            for line in str(text).splitlines()[-15:]:
                print(f"# {line}")


def ends(what, vm, code, text=None):
    """A point: the VM ended with this code, and its log holds the text."""
    holds = vm.status == EXIT[code] and (text is None or re.search(text, vm.log))
    point(what, bool(holds), f"exit status {vm.status}, expected {EXIT[code]} ({code})",
          f"expected in the log: {text}", vm.log)


def finish():
    print(f"1..{_points}")
    sys.exit(0)
