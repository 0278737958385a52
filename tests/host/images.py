#!/usr/bin/python3
"""--root on images of containers: what docker export, docker save and OCI layouts hold.

The archives are made by Python's tarfile, GNU tar and umoci; what came of them is read
with debugfs.
"""
import gzip
import hashlib
import io
import json
import os
import signal
import subprocess
import tarfile
import tempfile
import time

from term import check, finish, setup

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
os.environ["PATH"] += ":/usr/sbin:/sbin"


# -- making --

def entry(name, kind=tarfile.REGTYPE, data=b"", **fields):
    """One item of an archive: a header and its bytes."""
    item = tarfile.TarInfo(name)
    item.type = kind
    item.size = len(data)
    item.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    for key, value in fields.items():
        setattr(item, key, value)
    return item, data


def archive(*entries):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for item, data in entries:
            tar.addfile(item, io.BytesIO(data))
    return out.getvalue()


def compressed(program, data):
    return subprocess.run([program, "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


class Layout:
    """An OCI image layout in a folder."""

    def __init__(self, top):
        self.top = top
        self.manifests = []
        write(f"{top}/oci-layout", b'{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data, kind=None, **more):
        digest = hashlib.sha256(data).hexdigest()
        write(f"{self.top}/blobs/sha256/{digest}", data)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(data), **more}

    def image(self, name, layers, config, **more):
        config = self.blob(json.dumps({"config": config}).encode())
        manifest = {"schemaVersion": 2, "config": config, "layers": [self.blob(d) for d in layers]}
        self.manifests.append(self.blob(
            json.dumps(manifest).encode(), MANIFEST,
            annotations={"org.opencontainers.image.ref.name": name}, **more))
        self.save()

    def save(self):
        write(f"{self.top}/index.json",
              json.dumps({"schemaVersion": 2, "manifests": self.manifests}).encode())


LOWER = archive(
    entry("etc", tarfile.DIRTYPE), entry("etc/kept", data=b"kept\n"),
    entry("etc/gone", data=b"gone\n"), entry("etc/changed", data=b"old\n"),
    entry("opaque/below", data=b"x"), entry("opaque/sub/below", data=b"x"),
    entry("folder/x", data=b"x"), entry("big", data=b"0123456789abcdef" * 65536))
UPPER = archive(
    entry("etc/.wh.gone"), entry("etc/changed", data=b"new\n", mode=0o600),
    entry("opaque/.wh..wh..opq"), entry("opaque/above", data=b"y"),
    entry(".wh.folder"), entry("folder", data=b"now a file\n"))
CONFIG = {"Env": ["FOO=of the image", "PATH=/bin:/usr/bin"], "WorkingDir": "/var/tmp",
          "Entrypoint": ["sh", "-c"], "Cmd": ["echo $FOO; pwd"]}


def docker_save(layers, config, damaged=False):
    """What `docker save` of old wrote: a folder for each layer."""
    config["rootfs"] = {"diff_ids": [f"sha256:{hashlib.sha256(d).hexdigest()}" for d in layers]}
    text = json.dumps(config).encode()
    name = hashlib.sha256(text).hexdigest() + ".json"
    entries = [entry(f"{n}/layer.tar", data=d[:-1024] + b"x" * 1024 if damaged else d)
               for n, d in enumerate(layers)]
    entries.append(entry("same/layer.tar", tarfile.SYMTYPE, linkname="../0/layer.tar"))
    manifest = [{"Config": name, "RepoTags": ["some/thing:1.0"],
                 "Layers": ["same/layer.tar"] + [f"{n}/layer.tar" for n in range(1, len(layers))]}]
    return archive(*entries, entry(name, data=text),
                   entry("manifest.json", data=json.dumps(manifest).encode()))


# -- looking --

def mayfly(*words, **more):
    return subprocess.run([os.environ["MAYFLY"], *words], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60, check=False, **more)


def debugfs(image, command):
    return subprocess.run(["debugfs", "-R", command, image], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=True).stdout


def convert(source, image):
    done = mayfly("convert", source, image)
    check(f"{os.path.basename(source)} is converted", done.returncode == 0, done.stderr)
    check("quietly", done.stderr == "" and done.stdout == "", done.stderr)
    sound = subprocess.run(["e2fsck", "-fn", image], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False)
    check("it is sound", sound.returncode == 0, sound.stdout)


def check_file(image, path, text):
    got = debugfs(image, f'cat "{path}"')
    check(f"{path} holds what it should", got == text, got)


def check_says(image, path, *texts):
    got = " ".join(debugfs(image, f'stat "{path}"').split())
    for text in texts:
        check(f"{path}: {text}", text in got, got)


def check_none(image, path):
    check(f"no {path}", "Inode:" not in debugfs(image, f'stat "{path}"'), path)


def check_layers(image):
    check_file(image, "/etc/kept", "kept\n")
    check_file(image, "/etc/changed", "new\n")
    check_says(image, "/etc/changed", "Mode: 0600")
    check_none(image, "/etc/gone")
    check_none(image, "/etc/.wh.gone")
    check_none(image, "/opaque/below")
    check_none(image, "/opaque/sub")
    check_says(image, "/opaque/above", "Size: 1")
    check_file(image, "/folder", "now a file\n")
    check_says(image, "/big", "Size: 1048576")


def refused(what, source, text):
    done = mayfly("run", "--root", source, "--", "true")
    check(what, done.returncode == 125 and text in done.stderr and
          done.stderr.count("\n") == 1, done.stderr)


# -- the tests --

def test_export(top):
    """A root file system as docker export writes it, with all that a file can be."""
    data = archive(
        entry("bin", tarfile.DIRTYPE), entry("usr/bin/prog", data=b"p", mode=0o4755, uid=1, gid=2),
        entry("lib", tarfile.SYMTYPE, linkname="usr/lib"), entry("usr/lib", tarfile.DIRTYPE),
        entry("lib/through", data=b"t"), entry("hard", tarfile.LNKTYPE, linkname="usr/bin/prog"),
        entry("null", tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666),
        entry("wide", tarfile.BLKTYPE, devmajor=259, devminor=300),
        entry("pipe", tarfile.FIFOTYPE), entry("long", tarfile.SYMTYPE, linkname="x" * 200),
        entry("ids", data=b"", uid=2000000000, gid=70000, mtime=4102444800.5),
        entry("xattr", data=b"", pax_headers={"SCHILY.xattr.user.k": "value",
                                              "SCHILY.xattr.user.long": "v" * 500,
                                              "SCHILY.xattr.system.odd": "x"}),
        entry("umläut", data=b"u"), entry('quo"te', data=b"q"), entry("new\nline", data=b"n"),
        *(entry(f"many/{n:04}", data=b"%d" % n) for n in range(3000)))
    write(f"{top}/export.tar", data)
    image = f"{top}/export.img"
    convert(f"{top}/export.tar", image)
    check_says(image, "/usr/bin/prog", "Mode: 04755", "User: 1 Group: 2", "Links: 2")
    check_file(image, "/hard", "p")
    check_file(image, "/usr/lib/through", "t")
    check_says(image, "/lib", 'Fast link dest: "usr/lib"')
    check_says(image, "/null", "Type: character special", "major/minor number: 01:03")
    check_says(image, "/wide", "Type: block special", "major/minor number: 259:300")
    check_says(image, "/pipe", "Type: FIFO")
    check_says(image, "/long", "Type: symlink", "Size: 200")
    check_says(image, "/ids", "User: 2000000000 Group: 70000", "2100")
    check_says(image, "/xattr", 'user.k (5) = "value"', "user.long (500)")
    check("and no other", "system.odd" not in debugfs(image, "stat /xattr"))
    check_file(image, "/umläut", "u")
    check_file(image, "/many/2999", "2999")
    names = debugfs(image, "ls -p /")
    check("hostile names are names", 'quo"te' in names and "new\nline" in names, names)
    check_says(image, "/.mayfly-agent", "Mode: 0755")
    again = f"{top}/again.img"
    convert(f"{top}/export.tar", again)
    with open(image, "rb") as one, open(again, "rb") as two:
        check("the same gives the same bytes", one.read() == two.read())


def test_save(top):
    write(f"{top}/save.tar", docker_save([LOWER, UPPER], {"config": CONFIG}))
    convert(f"{top}/save.tar", f"{top}/save.img")
    check_layers(f"{top}/save.img")
    convert(f"{top}/save.tar:1.0", f"{top}/tag.img")
    refused("a tag that it lacks", f"{top}/save.tar:2.0", "has that tag")
    write(f"{top}/bad.tar", docker_save([LOWER, UPPER], {"config": {}}, damaged=True))
    refused("a layer that is not the one it was", f"{top}/bad.tar", "SHA-256")


def test_layout(top):
    layout = Layout(f"{top}/layout")
    layout.image("gzip", [gzip.compress(LOWER), gzip.compress(UPPER)], CONFIG)
    convert(f"{top}/layout", f"{top}/gzip.img")
    check_layers(f"{top}/gzip.img")
    layout.image("zstd", [compressed("zstd", LOWER), compressed("xz", UPPER)], {})
    refused("several images and no name", f"{top}/layout", "name one")
    convert(f"{top}/layout:zstd", f"{top}/zstd.img")
    check_layers(f"{top}/zstd.img")
    subprocess.run(["tar", "-C", f"{top}/layout", "-czf", f"{top}/layout.tar.gz", "."], check=True)
    convert(f"{top}/layout.tar.gz:gzip", f"{top}/tar.img")
    with open(f"{top}/gzip.img", "rb") as one, open(f"{top}/tar.img", "rb") as two:
        check("the archive of it is the same image", one.read() == two.read())
    layout.manifests.append(layout.blob(json.dumps(
        {"manifests": [dict(layout.manifests[0], annotations={})]}).encode(), INDEX,
        annotations={"org.opencontainers.image.ref.name": "nested"}))
    layout.save()
    convert(f"{top}/layout:nested", f"{top}/nested.img")
    test_layout_damage(layout)


def test_layout_damage(layout):
    digest = layout.manifests[0]["digest"].split(":")[1]
    with open(f"{layout.top}/blobs/sha256/{digest}", "r+b") as file:
        file.write(b" ")
    refused("a manifest that is not the one it was", f"{layout.top}:gzip", "damaged")
    layout.image("one", [gzip.compress(LOWER)], {"Env": 17})
    refused("a config that is none", f"{layout.top}:one", "not what an image's should be")
    name = layout.blob(UPPER)["digest"].split(":")[1]
    write(f"{layout.top}/blobs/sha256/{name}", UPPER.replace(b"now a file", b"not a file"))
    layout.manifests.append(layout.blob(json.dumps(
        {"config": layout.blob(b"{}"), "layers": [{"digest": f"sha256:{name}"}]}).encode(),
        MANIFEST, annotations={"org.opencontainers.image.ref.name": "bad"}))
    layout.save()
    refused("a layer that is not the one it was", f"{layout.top}:bad", "SHA-256")
    layout.manifests = [{"mediaType": MANIFEST, "digest": "sha256:../../../etc/passwd"}]
    layout.save()
    refused("a digest that is a path", layout.top, "not what an image's should be")


def test_umoci(top):
    """Made by somebody else's tool, with a layer that takes away."""
    def umoci(*words):
        subprocess.run(["umoci", *words], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    layout, bundle = f"{top}/umoci", f"{top}/bundle"
    umoci("init", "--layout", layout)
    umoci("new", "--image", f"{layout}:a")
    umoci("unpack", "--rootless", "--image", f"{layout}:a", bundle)
    write(f"{bundle}/rootfs/etc/one", b"1")
    write(f"{bundle}/rootfs/etc/two", b"2")
    umoci("repack", "--refresh-bundle", "--image", f"{layout}:a", bundle)
    os.remove(f"{bundle}/rootfs/etc/one")
    umoci("repack", "--image", f"{layout}:b", bundle)
    umoci("config", "--image", f"{layout}:b", "--config.cmd", "true")
    convert(f"{layout}:a", f"{top}/a.img")
    check_file(f"{top}/a.img", "/etc/one", "1")
    convert(f"{layout}:b", f"{top}/b.img")
    check_none(f"{top}/b.img", "/etc/one")
    check_file(f"{top}/b.img", "/etc/two", "2")


def test_config(top):
    """What an image says about how it runs; here the job runs on this machine."""
    write(f"{top}/run.tar", docker_save([LOWER, UPPER], {"config": CONFIG}))
    root = f"{top}/run.tar"
    done = mayfly("run", "--root", root)
    check("its command runs in its folder", done.stdout == "of the image\n/var/tmp\n", done)
    done = mayfly("run", "--root", root, "--env", "FOO=mine", "--cwd", "/", "--",
                  "sh", "-c", "echo $FOO; pwd")
    check("options win", done.stdout == "mine\n/\n", done)
    done = mayfly("run", "--root", root, "--", "sh", "-c", "echo $PATH")
    check("a program takes the command's place", done.stdout == "/bin:/usr/bin\n", done)
    write(f"{top}/plain.tar", LOWER)
    done = mayfly("run", "--root", f"{top}/plain.tar")
    check("without a command it is told so", done.returncode == 125 and
          "no program" in done.stderr, done)


def cached(top, start):
    return sorted(n for n in os.listdir(f"{top}/cache/mayfly") if n.startswith(start))


def test_cache(top):
    """Once per content, whatever its name; nothing left of what was cut short."""
    os.environ["XDG_CACHE_HOME"] = f"{top}/cache"
    os.makedirs(f"{top}/cache")
    for name in ("a.tar", "b.tar"):
        write(f"{top}/{name}", LOWER)
        mayfly("run", "--root", f"{top}/{name}", "--cwd", "/", "--", "true")
    check("two archives of one content are one image", len(cached(top, "root-")) == 1 and
          len(cached(top, "seen-")) == 2, os.listdir(f"{top}/cache/mayfly"))
    write(f"{top}/big.tar", archive(entry("etc/x"), entry("big", data=os.urandom(96 << 20))))
    runs = [subprocess.Popen([os.environ["MAYFLY"], "run", "--root", f"{top}/big.tar",
                              "--cwd", "/", "--", "true"]) for _ in range(3)]
    check("three at once all succeed", [r.wait() for r in runs] == [0, 0, 0])
    check("and make one", len(cached(top, "root-")) == 2)
    write(f"{top}/big.tar", archive(entry("etc/x"), entry("big", data=os.urandom(96 << 20))))
    run = subprocess.Popen([os.environ["MAYFLY"], "run", "--root", f"{top}/big.tar",
                            "--cwd", "/", "--", "true"])
    time.sleep(0.3)
    run.send_signal(signal.SIGKILL)
    run.wait()
    left = [n for n in os.listdir(f"{top}/cache/mayfly") if not n.startswith(("root-", "seen-"))]
    check("one that is killed leaves nothing", len(cached(top, "root-")) == 2 and not left, left)


def main():
    with tempfile.TemporaryDirectory() as folder:
        setup(folder)
        for test in (test_export, test_save, test_layout, test_umoci, test_config, test_cache):
            top = f"{folder}/{test.__name__}"
            os.mkdir(top)
            test(top)
    finish()


main()
