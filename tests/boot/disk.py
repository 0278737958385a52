#!/usr/bin/python3
"""The kernel against root disks that are not whole, not ext4, or hostile: each gives one clear
line and its own exit status, none a panic; the untouched twins boot."""
import os
import random
import re
import shutil
import subprocess
import tempfile

import vm
from vm import BUILD, EXIT, ROOT, boot, ends, finish, point, read, written

os.environ["PATH"] += ":/usr/sbin:/sbin"
SUPER = 1024
LOADED = "POWEROFF"     # the agent came up, and without a port has nothing to do
whole = read(ROOT)


def patched(data, at, bytes_):
    return data[:at] + bytes_ + data[at + len(bytes_):]


def flipped(data, at):
    return patched(data, at, bytes([data[at] ^ 0x10]))


def ask(image, command):
    """What debugfs says of an image."""
    return subprocess.run(["debugfs", "-R", command, image], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def refused(what, image, text):
    ends(f"refuses {what}", boot(root=written(image), timeout=20), "ROOT", text)


def boots(what, root, **kwargs):
    ends(what, boot(root=root, timeout=20, **kwargs), LOADED)


def made(*options):
    """An image that mke2fs makes with other options than ours."""
    with tempfile.TemporaryDirectory() as top:
        for name in ("sbin", "dev", "proc", "tmp"):
            os.mkdir(f"{top}/{name}")
        shutil.copy(os.path.join(BUILD, "userland/agent"), f"{top}/sbin/agent")
        image = written(b"")
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", *options, "-d", top, image, "4M"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return image


# -- what boots -------------------------------------------------------------------------

boots("the root image as built boots", ROOT)
boots("with four CPUs it boots", ROOT, cpus=4)
for options in (["-b", "1024"], ["-b", "2048", "-O", "^metadata_csum"],
                ["-b", "4096", "-I", "128", "-O", "^64bit"], ["-O", "^has_journal"]):
    boots(f"made with {' '.join(options)} it boots", made(*options))
boots("a disk larger than its file system boots", written(whole + bytes(1 << 20)))
boots("a disk of an odd number of sectors boots", written(whole + bytes(512)))

# -- what is refused --------------------------------------------------------------------

ends("refuses to go on without a disk", boot(root=None, timeout=20), "ROOT",
     r"root image: cannot mount /dev/vda")
refused("zeroes", bytes(1 << 20), "no ext4 super block")
refused("a single sector", bytes(512), "not mounted")
refused("text", b"I am no disk.\n" * 1000, "no ext4 super block")
refused("half an image", whole[:len(whole) // 2], "smaller than the file system")
refused("a flipped bit in the super block", flipped(whole, SUPER + 0x104),
        "checksum is wrong")
refused("a feature of the future", flipped(whole, SUPER + 0x63), "feature not known here")
refused("a journal that is to be replayed",
        patched(whole, SUPER + 0x60, bytes([whole[SUPER + 0x60] | 4])), "e2fsck")
refused("a flipped bit in a group descriptor", flipped(whole, 4096 + 8), "group 0: error")

# -- damage further in ------------------------------------------------------------------

block_of = {path: int(ask(ROOT, f"blocks {path}").split()[0])
            for path in ("/", "/sbin", "/sbin/agent")}


def inode_at(path):
    """Byte offset of an inode in the image."""
    block, offset = re.search(r"located at block (\d+), offset (\w+)",
                              ask(ROOT, f"imap {path}")).groups()
    return int(block) * 4096 + int(offset, 16)



refused("a flipped bit in the root inode", flipped(whole, inode_at("/") + 4),
        "inode 2: error")
refused("a flipped bit in the root directory", flipped(whole, block_of["/"] * 4096 + 40),
        "directory 2: error")
refused("a flipped bit in /sbin", flipped(whole, block_of["/sbin"] * 4096 + 30), "directory")
refused("a flipped bit in the agent's inode", flipped(whole, inode_at("/sbin/agent") + 0x3c), "inode")
refused("an agent of zeroes", patched(whole, block_of["/sbin/agent"] * 4096, bytes(4096)),
        "as process 1: error 8")

# Without checksums nothing but the structure tells: whatever the disk says, the kernel stands.
soft = read(made("-b", "1024", "-O", "^metadata_csum,^uninit_bg,^has_journal"))
random.seed(1)
for turn in range(12):
    image = bytearray(soft)
    for _ in range(60):
        at = random.randrange(2048, 300 * 1024)
        image[at] = random.choice((0, 0xff, random.randrange(256)))
    done = boot(root=written(bytes(image)), timeout=20)
    point(f"stands random damage, {turn}",
          done.status in (EXIT[LOADED], EXIT["ROOT"], EXIT["AGENT"]), done.status, done.log)

# -- devices ----------------------------------------------------------------------------

modern = list(vm.MACHINE)
vm.MACHINE = [word.replace("force-legacy=false", "force-legacy=true") for word in modern]
ends("refuses legacy virtio devices", boot(timeout=20), "ROOT",
     r"virtio0: virtio-mmio version 1 is not driven")
vm.MACHINE = modern + ["-device", "virtio-rng-device"]
boots("with an entropy device it boots", ROOT)
boots("with an entropy device and no RDRAND it boots", ROOT, cpu="max,rdrand=off")
vm.MACHINE = modern + ["-device", "virtio-balloon-device"]
boots("a device without a driver does no harm", ROOT)
vm.MACHINE = modern + ["-device", "virtio-serial-device"]
boots("a serial device without ports does no harm", ROOT)
vm.MACHINE = modern
for words in ("virtio_mmio.device=", "virtio_mmio.device=512@", "virtio_mmio.device=x@y:z",
              "virtio_mmio.device=512@0xfeb00000", "virtio_mmio.device=512@0x1000:5",
              "virtio_mmio.device=512@0xfffffffffffffe00:5",
              "virtio_mmio.device=99999999999999999999@0xfeb00000:5",
              "virtio_mmio.device=512@0xfeb00000:4294967296"):
    boots(f"'{words}' on the command line does no harm", ROOT, cmdline=words)

finish()
