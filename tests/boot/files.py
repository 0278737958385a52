#!/usr/bin/python3
"""What the kernel reads of an ext4 root, in every layout that mke2fs makes, is what went in:
bytes, links, modes, owners, times and the names of large directories."""
import os
import subprocess
import tempfile

from vm import boot, finish, point, written

os.environ["PATH"] += ":/usr/sbin:/sbin"
BUSYBOX = "/bin/busybox"
NAMES = 2500

# Run in the tree's folder, by the guest's process 1 and by the host.
LOOK = """
b=%s
$b find . -type f | $b sort | $b xargs $b md5sum
$b find . | $b sort | $b xargs $b stat -c '%%n %%f %%h %%u %%g %%Y'
$b find . ! -type d | $b sort | $b xargs $b stat -c '%%n %%s'
$b find . -type l | $b sort | while read l; do $b readlink $l; done
$b ls many | $b wc -l
for i in 1 77 1234 %d; do [ -e many/name-$i ] && echo there; done
[ -e many/name-0 ] || echo absent
$b dd if=holey bs=1000 skip=33 count=5 2>/dev/null | $b md5sum
$b tail -c 5 odd | $b md5sum
""" % (BUSYBOX, NAMES)

INIT = f"""#!{BUSYBOX} sh
{BUSYBOX} mount -t devtmpfs devtmpfs /dev
exec >/dev/console 2>&1
cd /tree
echo BEGIN
{LOOK}
echo END
{BUSYBOX} poweroff -f
"""


def tree_make(top):
    for folder in ("sbin", "bin", "dev", "proc", "tmp", "tree/many", "tree/deep/er/and/deeper"):
        os.makedirs(f"{top}/{folder}")
    with open(BUSYBOX, "rb") as source, open(f"{top}{BUSYBOX}", "wb") as copy:
        copy.write(source.read())
    os.chmod(f"{top}{BUSYBOX}", 0o755)
    with open(f"{top}/sbin/agent", "w") as init:
        init.write(INIT)
    os.chmod(f"{top}/sbin/agent", 0o755)
    tree = f"{top}/tree"
    for i in range(1, NAMES + 1):
        open(f"{tree}/many/name-{i}", "w").close()
    # Data and holes in turn: an extent tree with more than one level.
    with open(f"{tree}/holey", "wb") as holey:
        for i in range(700):
            holey.seek(i * 8192)
            holey.write((b"%07d" % i) * 585)
    for name, size in (("empty", 0), ("one", 1), ("odd", 12345), ("page", 4096),
                       ("large", 3 << 20)):
        with open(f"{tree}/{name}", "wb") as file:
            file.write(bytes((i * i >> 3) & 255 for i in range(size)))
    os.symlink("odd", f"{tree}/short")
    os.symlink("x" * 59, f"{tree}/fifty-nine")
    os.symlink("y" * 60, f"{tree}/sixty")
    os.symlink("z" * 1000, f"{tree}/long")
    os.link(f"{tree}/odd", f"{tree}/deep/er/hard")
    os.mkfifo(f"{tree}/pipe", 0o640)
    os.chmod(f"{tree}/one", 0o4711)
    os.utime(f"{tree}/one", (1, 2))
    os.utime(f"{tree}/page", (2000000000, 2000000001))
    with open(f"{tree}/deep/er/and/deeper/file", "w") as file:
        file.write("bottom\n")


def looked(log):
    text = log.replace("\r", "")
    return text[text.find("BEGIN\n") + 6:text.find("END\n")].splitlines()


def compare(what, image, want):
    done = boot(root=image, mem="128", timeout=60)
    got = looked(done.log)
    wrong = [f"{a!r}, not {b!r}" for a, b in zip(got, want) if a != b]
    point(what, got == want, f"{len(got)} lines, not {len(want)}", *wrong[:5], done.log[-500:])


with tempfile.TemporaryDirectory() as top:
    tree_make(top)
    for options, then in (
            (["-b", "4096"], ""),
            (["-b", "4096"], "e2fsck -fyD $img"),
            (["-b", "1024", "-I", "256"], "e2fsck -fyD $img"),
            (["-b", "1024", "-I", "256"], "tune2fs -E hash_alg=tea $img; e2fsck -fyD $img"),
            (["-b", "2048", "-O", "^metadata_csum"], ""),
            (["-b", "1024", "-O", "^filetype,^64bit,meta_bg,^resize_inode"], "")):
        image = written(b"")
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", *options, "-d", top, image, "24M"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if then:
            subprocess.run(f"img={image}; {then}", shell=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
        want = subprocess.run([BUSYBOX, "sh", "-c", LOOK], cwd=f"{top}/tree", check=True,
                              text=True, stdout=subprocess.PIPE).stdout.splitlines()
        compare(" ".join(["reads an image of", *options, then.replace(" $img", "")]), image,
                want)

finish()
