#!/usr/bin/python3
"""Python's own modules on Mayfly: each point is a few lines that a program might hold."""
import asyncio
import ctypes
import hashlib
import json
import mmap
import multiprocessing
import os
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

points = []


def point(test):
    points.append(test)
    return test


@point
def threads_share_a_counter():
    total, lock = [0], threading.Lock()

    def add():
        for _ in range(1000):
            with lock:
                total[0] += 1
    threads = [threading.Thread(target=add) for _ in range(32)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert total[0] == 32000


@point
def subprocess_pipes_both_ways():
    done = subprocess.run(["tr", "a-z", "A-Z"], input="quiet" * 50000, text=True,
                          capture_output=True, check=True)
    assert done.stdout == "QUIET" * 50000


@point
def subprocess_timeout_kills():
    try:
        subprocess.run(["sleep", "60"], timeout=0.3)
    except subprocess.TimeoutExpired:
        return
    raise AssertionError("slept")


def square(n):
    return n * n


@point
def multiprocessing_pool():
    with multiprocessing.Pool(4) as pool:
        assert pool.map(square, range(100)) == [n * n for n in range(100)]


@point
def multiprocessing_queue_and_shared_memory():
    from multiprocessing import shared_memory
    block = shared_memory.SharedMemory(create=True, size=4096)
    queue = multiprocessing.Queue()

    def child():
        block.buf[0] = 42
        queue.put("done")
    worker = multiprocessing.Process(target=child)
    worker.start()
    assert queue.get(timeout=20) == "done"
    worker.join()
    assert block.buf[0] == 42
    block.close()
    block.unlink()


@point
def asyncio_runs_processes_and_timers():
    async def one():
        child = await asyncio.create_subprocess_exec(
            "cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        out, _ = await child.communicate(b"x" * 100000)
        return len(out)

    async def all_of_them():
        sizes, _ = await asyncio.gather(asyncio.gather(*(one() for _ in range(4))),
                                        asyncio.sleep(0.05))
        return sizes
    assert asyncio.run(all_of_them()) == [100000] * 4


@point
def asyncio_unix_server():
    async def serve():
        path = tempfile.mktemp()

        async def echo(reader, writer):
            writer.write(await reader.readline())
            await writer.drain()
            writer.close()
        server = await asyncio.start_unix_server(echo, path)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"hello\n")
        line = await reader.readline()
        writer.close()
        server.close()
        return line
    assert asyncio.run(serve()) == b"hello\n"


@point
def socketpair_passes_descriptors():
    left, right = socket.socketpair()
    reader, writer = os.pipe()
    socket.send_fds(left, [b"x"], [writer])
    _, fds, _, _ = socket.recv_fds(right, 1, 1)
    os.write(fds[0], b"through")
    assert os.read(reader, 7) == b"through"


@point
def sqlite_on_disk_and_in_memory():
    for name in (":memory:", tempfile.mktemp()):
        db = sqlite3.connect(name)
        db.execute("create table t (n integer, s text)")
        with db:
            db.executemany("insert into t values (?, ?)",
                           ((n, str(n)) for n in range(10000)))
        assert db.execute("select sum(n), count(s) from t").fetchone() == (49995000, 10000)
        db.close()


@point
def sqlite_write_ahead_log():
    name = tempfile.mktemp()
    one, two = sqlite3.connect(name), sqlite3.connect(name)
    assert one.execute("pragma journal_mode=wal").fetchone() == ("wal",)
    with one:
        one.execute("create table t (n)")
        one.execute("insert into t values (7)")
    assert two.execute("select n from t").fetchone() == (7,)


@point
def ssl_imports_and_makes_a_context():
    import ssl
    assert ssl.create_default_context().verify_mode == ssl.CERT_REQUIRED


@point
def mmap_of_a_file_is_the_file():
    with tempfile.TemporaryFile() as file:
        file.truncate(1 << 20)
        with mmap.mmap(file.fileno(), 1 << 20) as memory:
            memory[5000:5005] = b"hello"
            memory.flush()
        file.seek(5000)
        assert file.read(5) == b"hello"


@point
def mmap_anonymous_is_shared_with_a_child():
    memory = mmap.mmap(-1, 4096)
    if os.fork() == 0:
        memory[0] = 9
        os._exit(0)
    os.wait()
    assert memory[0] == 9


@point
def tempfile_and_zipfile():
    with tempfile.TemporaryDirectory() as top:
        path = os.path.join(top, "z.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a/b", "text" * 1000)
        with zipfile.ZipFile(path) as archive:
            assert archive.read("a/b") == b"text" * 1000
    assert not os.path.exists(top)


@point
def shutil_copies_a_tree():
    with tempfile.TemporaryDirectory() as top:
        os.makedirs(f"{top}/from/a/b")
        with open(f"{top}/from/a/b/file", "w") as file:
            file.write("x" * 200000)
        os.symlink("b/file", f"{top}/from/a/link")
        shutil.copytree(f"{top}/from", f"{top}/to", symlinks=True)
        assert os.readlink(f"{top}/to/a/link") == "b/file"
        assert os.path.getsize(f"{top}/to/a/b/file") == 200000
        shutil.make_archive(f"{top}/out", "gztar", f"{top}/from")
        shutil.rmtree(f"{top}/from")
        assert sorted(os.listdir(top)) == ["out.tar.gz", "to"]


@point
def signals_interrupt_and_time():
    seen = []
    signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    end = time.monotonic() + 5
    while len(seen) < 3 and time.monotonic() < end:
        signal.pause()
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert len(seen) >= 3


@point
def select_poll_and_epoll_agree():
    reader, writer = os.pipe()
    poll, epoll = select.poll(), select.epoll()
    poll.register(reader, select.POLLIN)
    epoll.register(reader, select.EPOLLIN)
    assert not select.select([reader], [], [], 0)[0] and not poll.poll(0)
    os.write(writer, b"x")
    assert select.select([reader], [], [], 0)[0] == [reader]
    assert poll.poll(0) == [(reader, select.POLLIN)]
    assert epoll.poll(0) == [(reader, select.EPOLLIN)]


@point
def ctypes_calls_back():
    array = (ctypes.c_int * 5)(5, 3, 1, 4, 2)
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int),
                            ctypes.POINTER(ctypes.c_int))
    ctypes.CDLL(None).qsort(array, 5, 4, kind(lambda a, b: a[0] - b[0]))
    assert list(array) == [1, 2, 3, 4, 5]


@point
def hashes_and_json():
    assert hashlib.sha256(b"").hexdigest().startswith("e3b0c442")
    assert json.loads(json.dumps({"a": [1, 2.5, None]})) == {"a": [1, 2.5, None]}


@point
def compiles_and_runs_a_module():
    with tempfile.TemporaryDirectory() as top:
        with open(f"{top}/made.py", "w") as file:
            file.write("value = 6 * 7\n")
        done = subprocess.run([sys.executable, "-c", "import made; print(made.value)"],
                              cwd=top, capture_output=True, text=True, check=True)
        assert done.stdout == "42\n" and os.listdir(f"{top}/__pycache__")


def main():
    for number, test in enumerate(points, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}", flush=True)
        except Exception as error:  # the next point may still hold
            print(f"not ok {number} - {test.__name__}\n# {error!r}", flush=True)
    print(f"1..{len(points)}")


if __name__ == "__main__":
    main()
