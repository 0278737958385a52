#!/usr/bin/python3
"""File capabilities of a root archive: a program has them in a VM, and loses them with what makes
it another program.

The archive is what `docker export` writes: Python's tarfile, xattrs as GNU tar and bsdtar name
them.
"""
import io
import os
import subprocess
import tarfile
import tempfile

from term import check, finish

os.environ["PATH"] += ":/usr/sbin:/sbin"
os.environ["MAYFLY_ACCEL"] = "tcg"

# security.capability as setcap(8) of libcap 2.66 writes them.
READ = "\1\0\0\2\4" + "\0" * 15            # cap_dac_read_search+ep
READ_INHERITABLE = "\0\0\0\2" + "\0" * 4 + "\4" + "\0" * 11
NONE = "\1\0\0\2\4"                        # cut


def add(tar, name, data=b"", mode=0o755, kind=tarfile.REGTYPE, caps=None, target=""):
    item = tarfile.TarInfo(name)
    item.mode, item.type, item.size, item.linkname = mode, kind, len(data), target
    if caps:
        item.pax_headers["SCHILY.xattr.security.capability"] = caps
    tar.addfile(item, io.BytesIO(data))


def make_root(path, busybox):
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for folder in ("bin", "etc", "opt", "opt/some", "opt/none", "tmp"):
            add(tar, folder, kind=tarfile.DIRTYPE)
        add(tar, "bin/busybox", busybox)
        for name in ("sh", "cat", "cp", "su", "setpriv", "mount", "printf", "mkdir", "chown"):
            add(tar, f"bin/{name}", kind=tarfile.SYMTYPE, target="busybox")
        add(tar, "opt/cat", busybox, caps=READ)
        add(tar, "opt/some/cat", busybox, caps=READ_INHERITABLE)
        add(tar, "opt/none/cat", busybox, caps=NONE)
        add(tar, "etc/passwd", b"root:x:0:0::/:/bin/sh\njob:x:1000:1000::/:/bin/sh\n", 0o644)
        add(tar, "etc/secret", b"secret\n", 0o600)


def run(root, *command, user="1000"):
    done = subprocess.run(
        [os.environ["MAYFLY"], "run", "--policy", "open", "--root", root, "--user", user,
         "--timeout", "60s", "--",
         *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def reads(what, *command, **more):
    status, said = run(*command, **more)
    check(what, status == 0 and said.endswith("secret\n"), said)


def fails(what, text, *command, **more):
    status, said = run(*command, **more)
    check(what, status != 0 and text in said, said)


def main(scratch):
    os.environ.update(XDG_CACHE_HOME=scratch, HOME=scratch)
    busybox, root = f"{scratch}/busybox", f"{scratch}/root.tar"
    subprocess.run(["debugfs", "-R", f"dump /bin/busybox {busybox}",
                    f"{os.environ['BUILD']}/root/base.img"], stderr=subprocess.DEVNULL, check=True)
    with open(busybox, "rb") as file:
        make_root(root, file.read())
    denied = "Permission denied"
    reads("a program has what its file gives", root, "/opt/cat", "/etc/secret")
    fails("another has not", denied, root, "cat", "/etc/secret")
    fails("a copy has not", denied, root, "sh", "-c",
          "mkdir /tmp/new; cp /opt/cat /tmp/new; /tmp/new/cat /etc/secret")
    fails("what may only be inherited is had by nobody who has it not", denied, root,
          "/opt/some/cat", "/etc/secret")
    fails("no_new_privs takes them away", denied, root,
          "setpriv", "--no-new-privs", "/opt/cat", "/etc/secret")
    reads("the twin: without it", root, "sh", "-c", "/opt/cat /etc/secret")
    as_job = "su job -c '/opt/cat /etc/secret'"
    reads("the twin: root changes nothing", root, "sh", "-c", as_job, user="0")
    fails("what was written to has none", denied, root, "sh", "-c",
          "printf x >>/opt/cat; " + as_job, user="0")
    fails("what has another owner has none", denied, root, "sh", "-c",
          "chown 5 /opt/cat; " + as_job, user="0")
    fails("on a nosuid mount they do not count", denied, root, "sh", "-c",
          "mount -o bind /opt /opt; mount -o remount,bind,nosuid /opt; " + as_job, user="0")
    status, said = run(root, "/opt/none/cat", "/etc/secret")
    check("what are none is no program", status == 126 and "Invalid argument" in said, said)
    finish()


with tempfile.TemporaryDirectory() as folder:
    main(folder)
