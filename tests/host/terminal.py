#!/usr/bin/python3
"""Terminals: `mayfly run` and `mayfly shell` on a pseudo terminal, keys, signals, sizes."""
import fcntl
import os
import pty
import re
import signal
import subprocess
import tempfile
import termios
import time

from term import Terminal, check, finish, setup


def test_run(folder):
    t = Terminal("run", "--cwd", folder, "--", "sh", "-c",
                 "test -t 0 && test -t 1 && test -t 2 && stty size && exit 5")
    check("the job has a terminal of the window's size", t.wait_for("24 80\r\n"), t.text)
    check("and its status is returned", t.end() == 5)

    t = Terminal("run", "--cwd", folder, "--", "sh", "-c", "read line; echo got $line")
    t.wait_for("x", 0.3)
    check("our terminal does not echo", not t.echo())
    t.type("hello\r")
    check("the guest's does, once", t.wait_for("hello\r\n"), t.text)
    check("a line is read", t.wait_for("got hello\r\n"), t.text)
    check("the end", t.end() == 0)

    t = Terminal("run", "--cwd", folder, "--", "sh", "-c", "trap '' INT; echo up; sleep 50")
    t.wait_for("up")
    t.type("\x03")
    check("Ctrl-C ends the VM, whatever the job thinks", t.end() == 130)

    t = Terminal("run", "--cwd", folder, "--", "sh", "-c", "echo up; cat; echo eof")
    t.wait_for("up")
    t.type("\x04")
    check("Ctrl-D is the end of input", t.wait_for("eof\r\n"), t.text)
    t.end()

    t = Terminal("run", "--cwd", folder, "--", "sh", "-c",
                 "trap 'stty size; exit 3' WINCH; echo up; while :; do sleep 0.05; done")
    t.wait_for("up")
    t.size(50, 132)
    check("a resized window is told to the job", t.wait_for("50 132\r\n"), t.text)
    check("by its signal", t.end() == 3)

    t = Terminal("run", "--cwd", folder, "--", "sh", "-c", "test -t 1 || echo pipe; cat", stdin="/dev/null",
                 stdout=f"{folder}/out")
    check("stdout elsewhere is no terminal", t.end() == 0)
    with open(f"{folder}/out") as out:
        check("and gets the bytes", out.read() == "pipe\n")

    t = Terminal("run", "--cwd", folder, "--", "sh", "-c", "test -t 1 && echo tty; cat", stdin="/etc/hostname")
    with open("/etc/hostname") as name:
        check("stdin elsewhere, stdout a terminal", t.wait_for("^tty\r\n" + re.escape(name.read().strip())), t.text)
    t.end()

    t = Terminal("run", "--cwd", folder, "--", "sh", "-c", "seq 1 30000; exit 6")
    t.wait_for("100\r\n")
    time.sleep(0.5)
    for rows in (30, 40, 50):
        t.size(rows, 80)
        time.sleep(0.1)
    check("a window resized while a slow terminal takes the rest ends nothing",
          t.wait_for("\n30000\r\n") and t.end() == 6, t.text[-100:])

    t = Terminal("run", "--cwd", folder, "--", "sh", "-c", "echo up; sleep 50")
    t.wait_for("up")
    os.kill(t.pid, signal.SIGTERM)
    check("SIGTERM ends it", t.end() == 143)


def test_shell(folder):
    t = Terminal("shell", "--cwd", folder, "--env", "PS1=$ ", "--", "sh", "-i")
    check("a shell prompts", t.wait_for(r"\$ "), t.text)
    t.type("sleep 50\r")
    t.wait_for("sleep 50\r\n")
    time.sleep(0.3)
    t.type("\x03")
    check("Ctrl-C is the shell's", t.wait_for(r"\$ "), t.text)
    t.type("echo $?\r")
    check("it killed what ran", t.wait_for("130\r\n"), t.text)
    t.type("sleep 1.5; echo slept\r")
    t.wait_for("slept\r\n")
    time.sleep(0.3)
    t.type("\x1a")
    check("Ctrl-Z stops", t.wait_for("Stopped"), t.text)
    t.type("fg\r")
    check("fg goes on", t.wait_for("slept|sleep 1.5"), t.text)
    t.wait_for(r"\$ ")
    t.type("exit 4\r")
    check("exit ends it", t.end() == 4)

    t = Terminal("shell", "--cwd", folder)
    t.type("echo u''p\r")
    check("without a program it is sh", t.wait_for("up\r\n"), t.text)
    t.type("\r~.")
    check("Enter ~ . ends the VM", t.end() == 125)


def test_left_as_found(folder):
    """The terminal's mode after each way to end."""
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    for words, number in ((["true"], 0), (["nosuch"], 0), (["sleep", "50"], signal.SIGTERM)):
        child = subprocess.Popen([os.environ["MAYFLY"], "run", "--cwd", folder, "--", *words],
                                 stdin=slave, stdout=slave, stderr=slave,
                                 preexec_fn=lambda: (os.setsid(), fcntl.ioctl(0, termios.TIOCSCTTY, 0)))
        time.sleep(0.5)
        if number:
            child.send_signal(number)
        child.wait(20)
        check(f"the terminal is as before after {words[0]}", termios.tcgetattr(slave) == before)
        slave = os.open(os.ttyname(slave), os.O_RDWR | os.O_NOCTTY)
    os.close(master)


def main():
    with tempfile.TemporaryDirectory() as folder:
        setup(folder)
        test_run(folder)
        test_shell(folder)
        test_left_as_found(folder)
    finish()


main()
