#!/usr/bin/python3
"""Build an ext4 root image from a recipe, without root privileges.

    mkroot.py RECIPE IMAGE BUILD

The recipe's format is described at the head of userland/root/base.txt. The same
inputs give the same bytes: entries are staged in sorted order, the file system has
a fixed UUID, hash seed and clock, and a debugfs pass sets every inode's owner and
times, which mke2fs would take from the staging folder (owned by whoever builds).

A program that is linked dynamically must find its libraries in the image: which ones
those are changes with Debian's packages, and a recipe that has not followed is told so.

Blocks are 4096 bytes so that one block fills one page of the page cache. There is no
journal: the disk is only ever mounted read-only. metadata_csum lets the kernel
tell a damaged image from a good one.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

UUID = "6d617966-6c79-4001-8000-000000000001"
SIZE = "8M"
INODES = "128"
FEATURES = "none,extent,dir_index,filetype,large_file,sparse_super,metadata_csum"
BUSYBOX = "/bin/busybox"


def read_recipe(path, build):
    """The recipe's entries as lists of words, with $BUILD and $BUSYBOX put in."""
    with open(path) as lines:
        for line in lines:
            words = line.split("#")[0].split()
            if words:
                yield [w.replace("$BUILD", build).replace("$BUSYBOX", BUSYBOX)
                       for w in words]


def applet_paths():
    """Where busybox wants its applets; not linuxrc, an initrd's relic in /."""
    listed = subprocess.run([BUSYBOX, "--list-full"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    return sorted("/" + path for path in listed.split() if "/" in path)


def expand(entries):
    """One (path, kind, mode, owner, source) for each inode or hard link."""
    for kind, path, *rest in entries:
        if kind == "dir":
            yield path, kind, rest[0], rest[1] if len(rest) > 1 else "0:0", None
        elif kind == "file":
            yield path, kind, rest[0], rest[2] if len(rest) > 2 else "0:0", rest[1]
        elif kind == "link":
            yield path, kind, "0777", "0:0", rest[0]
        elif kind == "applets":
            for name in applet_paths():
                if name != path:
                    yield name, "hardlink", None, None, path
        else:
            sys.exit(f"mkroot: unknown entry: {kind} {path}")


def libraries_check(inodes):
    """Every library that a program of the recipe asks for is in it."""
    names = {os.path.basename(path) for path, *_ in inodes}
    for path, kind, _, _, source in inodes:
        if kind != "file":
            continue
        asked = subprocess.run(["readelf", "-d", source], text=True, stderr=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, check=False).stdout
        for name in re.findall(r"\(NEEDED\).*\[(.*)\]", asked):
            if name not in names:
                sys.exit(f"mkroot: {path} needs {name}, which the recipe lacks")


def stage(inodes, top):
    # An applet gives way to a file of the same path.
    for path, kind, mode, _, source in sorted(inodes, key=lambda i: i[1] == "hardlink"):
        at = top + path
        if kind == "dir":
            os.mkdir(at)
        elif kind == "file":
            shutil.copyfile(source, at)
        elif kind == "link":
            os.symlink(source, at)
        elif not os.path.lexists(at):
            os.link(top + source, at)
        if mode and kind != "link":
            os.chmod(at, int(mode, 8))


def fix_commands(inodes, epoch):
    """debugfs commands that give every inode its owner and time."""
    owned = [("/", "0:0")] + [(p, o) for p, _, _, o, _ in inodes if o]
    yield "rmdir /lost+found"
    for path, owner in owned:
        uid, gid = owner.split(":")
        yield f"set_inode_field {path} uid {uid}"
        yield f"set_inode_field {path} gid {gid}"
        for field in ("atime", "ctime", "mtime", "crtime"):
            yield f"set_inode_field {path} {field} @{epoch}"
            yield f"set_inode_field {path} {field}_extra 0"


def run(*command, **kwargs):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kwargs)
    return done.returncode, done.stdout


def make_image(inodes, image, epoch):
    with tempfile.TemporaryDirectory(dir=os.path.dirname(image)) as top:
        os.chmod(top, 0o755)
        stage(inodes, top)
        status, said = run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-I", "256",
                           "-O", FEATURES, "-N", INODES, "-m", "0", "-U", UUID,
                           "-L", "mayfly-base", "-d", top,
                           "-E", f"hash_seed={UUID},root_owner=0:0,lazy_itable_init=0,nodiscard",
                           image, SIZE)
        if status:
            sys.exit(f"mkroot: mke2fs: {said}")
    status, said = run("debugfs", "-w", "-f", "-", image,
                       input="\n".join(fix_commands(inodes, epoch)) + "\n")
    wrong = [line for line in said.splitlines()
             if line and not line.startswith(("debugfs:", "debugfs "))]
    if status or wrong:
        sys.exit(f"mkroot: debugfs: {wrong or said}")
    status, said = run("e2fsck", "-fn", image)
    if status:
        sys.exit(f"mkroot: e2fsck does not like the image: {said}")


def main():
    if len(sys.argv) != 4:
        sys.exit("usage: mkroot.py RECIPE IMAGE BUILD")
    recipe, image, build = sys.argv[1:]
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "1700000000")
    os.environ["E2FSPROGS_FAKE_TIME"] = epoch
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    os.umask(0o022)
    inodes = list(expand(read_recipe(recipe, build)))
    libraries_check(inodes)
    partial = image + ".tmp"
    if os.path.exists(partial):
        os.unlink(partial)
    make_image(inodes, partial, epoch)
    os.replace(partial, image)


main()
