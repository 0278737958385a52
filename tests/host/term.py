"""For the scripts of this folder, to be imported: points in TAP, an agent that stands in for
the VM (as in lib.sh), a command on a terminal."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

points = 0


def check(what, holds, why=""):
    """One point."""
    global points
    points += 1
    print(f"{'ok' if holds else 'not ok'} {points} - {what}", flush=True)
    if not holds:
        print(f"# {why!r}")


def setup(folder):
    """As tests/host/lib.sh: the agent as an ordinary process stands in for QEMU."""
    build = os.path.abspath(os.environ["BUILD"])
    os.makedirs(f"{folder}/lib/root")
    for name in ("loader.elf", "bundle.bin"):
        open(f"{folder}/lib/{name}", "w").close()
    os.symlink(f"{build}/root/base.img", f"{folder}/lib/root/base.img")
    with open(f"{folder}/qemu", "w") as script:
        script.write("#!/bin/sh\nfor w; do case $w in socket,*fd=*) fd=${w##*fd=} ;; esac; done\n"
                     f"exec {build}/userland/agent $fd\n")
    os.chmod(f"{folder}/qemu", 0o755)
    os.environ.update(MAYFLY_ACCEL="tcg", MAYFLY_LIB=f"{folder}/lib", MAYFLY_QEMU=f"{folder}/qemu",
                      XDG_CACHE_HOME=folder, HOME=folder, TERM="vt100")


class Terminal:
    """A command on a terminal of 24 by 80."""

    def __init__(self, *words, stdin=None, stdout=None):
        self.text = ""
        pid, self.master = pty.fork()
        if pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            if stdin is not None:
                os.dup2(os.open(stdin, os.O_RDONLY), 0)
            if stdout is not None:
                os.dup2(os.open(stdout, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.execv(os.environ["MAYFLY"], ["mayfly", *words])
        self.pid = pid

    def type(self, keys):
        os.write(self.master, keys.encode())

    def size(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def echo(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def wait_for(self, pattern, seconds=20):
        """Reads until the pattern comes; whether it did. The text up to it is taken."""
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.text)
            if found:
                self.text = self.text[found.end():]
                return True
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                return False
            try:
                piece = os.read(self.master, 65536)
            except OSError:
                piece = b""
            if not piece:
                return bool(re.search(pattern, self.text))
            self.text += piece.decode(errors="replace")

    def end(self, seconds=20):
        """The status as a shell shows it; the rest of the text is in self.text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.wait_for(r"\Z.", 0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.master)
                return (os.WEXITSTATUS(status) if os.WIFEXITED(status)
                        else 128 + os.WTERMSIG(status))
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.master)
        return None


def finish():
    print(f"1..{points}")
