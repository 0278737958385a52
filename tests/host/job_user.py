#!/usr/bin/python3
"""Whom a job runs as, and what is its own: in every kind of root it is not root unless somebody
says so, and can read and write what was sent along, its folder and its standard files.
"""
import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile

from term import Terminal, check, finish

os.environ["PATH"] += ":/usr/sbin:/sbin"
BASE = os.path.join(os.environ["BUILD"], "root/base.img")
WHO = "echo $(id -u):$(id -g):$(id -G) $HOME $USER $LOGNAME $PWD; touch new && echo writes"
JOB = "1000:1000:1000 /job job job /job\nwrites\n"


def run(*words, script=WHO, cwd=None):
    """(status, stdout, stderr) of a shell script."""
    done = subprocess.run([os.path.abspath(os.environ["MAYFLY"]), "run", "--timeout", "60s", *words,
                           "--", "sh", "-c", script], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
                          check=False, cwd=cwd)
    return done.returncode, done.stdout, done.stderr


def says(what, text, *words, **more):
    got = run(*words, **more)
    check(what, got == (0, text, ""), got)


def test_names():
    says("the job, unasked", JOB)
    says("by name", JOB, "--user", "job")
    says("root, asked for", "0:0:0 /root root root /job\nwrites\n", "--user", "root")
    says("whom the guest knows", "65534:65534:65534 / nobody nobody /job\nwrites\n",
         "--user", "nobody")
    says("whom it does not", "4711:4711:4711 /job /job\nwrites\n", "--user", "4711")
    says("what --env says counts", "/x root\n", "--user", "nobody", "--env", "HOME=/x",
         "--env", "USER=root", script="echo $HOME $USER")


def test_standard_files():
    again = "echo out >/dev/stdout; echo err >/dev/stderr; cat </dev/stdin; echo x >/proc/self/fd/1"
    got = run(script=again)
    check("standard files open again", got == (0, "out\nx\n", "err\n"), got)
    t = Terminal("run", "--timeout", "60s", "--", "sh", "-c",
                 "stat -c %U:%a $(tty); echo again >$(tty); exit 5")
    check("a terminal is the job's", t.wait_for("job:600", 60) and t.wait_for("again"), t.text)
    check("and ends with it", t.end() == 5, t.text)


def test_files(top):
    here = f"{top}/here"
    os.makedirs(f"{here}/tree/sub")
    for name in ("one", "tree/sub/two"):
        with open(f"{here}/{name}", "w") as file:
            file.write("text\n")
    os.chmod(f"{here}/one", 0o600)
    sent = ("--policy", "open", "--file", "one", "--file", "tree:/srv/deep/tree", "--file", "one:/etc/hosts")
    says("files that are sent are the job's to change, and the folders made for them",
         "text\nmore\n", *sent, cwd=here, script="""
            set -e
            echo more >>one; cat one
            echo more >>/srv/deep/tree/sub/two; touch /srv/deep/x /srv/deep/tree/x
            mv /srv/deep/tree/sub/two /srv/deep; echo more >/etc/hosts""")
    got = run("--file", "one:/etc/hosts", cwd=here, script="echo x >>/etc/passwd")
    check("the twin: others are not", got[0] == 1 and "Permission denied" in got[2], got)
    got = run("--out", "a", "--out", "b:back", cwd=here,
              script="umask 077; echo a >a; mkdir b; echo b >b/b; chmod 0 a b/b b")
    names = sorted(os.listdir(here))
    check("what it leaves comes back, whatever its mode",
          got[0] == 0 and "a" in names and os.path.getsize(f"{here}/a") == 2 and
          os.path.exists(f"{here}/back/b"), (got, names))


def busybox_into(path):
    subprocess.run(["debugfs", "-R", f"dump /bin/busybox {path}", BASE], check=True,
                   stderr=subprocess.DEVNULL)
    os.chmod(path, 0o755)


def make_folder(top):
    os.makedirs(f"{top}/bin")
    busybox_into(f"{top}/bin/busybox")
    for name in ("sh", "id", "touch", "cat"):
        os.symlink("busybox", f"{top}/bin/{name}")


def test_roots(top):
    folder = f"{top}/folder"
    make_folder(folder)
    says("in a folder without a list of users", JOB, "--root", folder)
    says("root, too", "0:0:0 /root root root /job\nwrites\n", "--root", folder, "--user", "root")
    os.mkdir(f"{folder}/job")
    says("that has a /job, which is root's", JOB, "--root", folder)
    image = f"{top}/lacks.img"
    subprocess.run(["cp", BASE, image], check=True)
    subprocess.run(["debugfs", "-w", "-R", "rmdir /job", image], check=True,
                   stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    says("in an image without a /job", JOB, "--root", image)
    got = run("--root", folder, "--cwd", "/nowhere")
    check("another folder that is not there", got[0] == 125 and "'/nowhere'" in got[2], got)
    got = run("--cwd", "/root")
    check("or may not be entered", got[0] == 125 and "may not enter" in got[2] and
          got[2].count("\n") == 1, got)
    says("the twin: root may", "/root\n", "--cwd", "/root", "--user", "root", script="pwd")


def owned_by_root(item):
    item.uid = item.gid = 0
    return item


def container(folder, path, config):
    """What `docker save` writes."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(folder, arcname=".", filter=owned_by_root)
        passwd = tarfile.TarInfo("etc/passwd")
        text = b"root:x:0:0::/root:/bin/sh\ndb:x:70:71::/var/db:/bin/sh\n"
        passwd.size = len(text)
        tar.addfile(passwd, io.BytesIO(text))
    layer = layer.getvalue()
    config = {"config": config,
              "rootfs": {"diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]}}
    text = json.dumps(config).encode()
    name = hashlib.sha256(text).hexdigest() + ".json"
    manifest = [{"Config": name, "RepoTags": ["a:1"], "Layers": ["1/layer.tar"]}]
    with tarfile.open(path, "w") as tar:
        for member, data in (("1/layer.tar", layer), (name, text),
                             ("manifest.json", json.dumps(manifest).encode())):
            item = tarfile.TarInfo(member)
            item.size = len(data)
            tar.addfile(item, io.BytesIO(data))


def test_containers(top):
    folder = f"{top}/folder"
    for name, config in (("none", {"User": ""}), ("named", {"User": "db", "Env": ["LOGNAME=own"]}),
                         ("root", {"User": "0:0"}), ("place", {"WorkingDir": "/srv/app"})):
        container(folder, f"{top}/{name}.tar", config)
    says("an image that names nobody has the job", JOB, "--root", f"{top}/none.tar")
    says("and root, asked for", "0:0:0 /root root root /job\nwrites\n",
         "--root", f"{top}/none.tar", "--user", "root")
    says("one that names somebody has them", "70:71:71 /var/db db own /job\nwrites\n",
         "--root", f"{top}/named.tar")
    says("or root", "0:0:0 /root root root /job\nwrites\n", "--root", f"{top}/root.tar")
    says("a folder that is made for it is the job's", "/srv/app\n", "--root", f"{top}/place.tar",
         script="touch new && pwd")


def main():
    with tempfile.TemporaryDirectory() as top:
        os.environ.update(MAYFLY_ACCEL="tcg", XDG_CACHE_HOME=top, HOME=top, TERM="vt100")
        test_names()
        test_standard_files()
        test_files(top)
        test_roots(top)
        test_containers(top)
    finish()


main()
