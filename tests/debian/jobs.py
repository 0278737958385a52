#!/usr/bin/python3
"""A shell at a terminal: job control, and what keys do, as bash's user meets them."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

points = []
PATIENCE = 30


def point(test):
    points.append(test)
    return test


class Terminal:
    """A program on a terminal of its own; `screen` is what it wrote and nobody expected yet."""

    def __init__(self, *argv):
        self.screen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1="ready> ", PS2="", TERM="dumb", LC_ALL="C", HISTFILE="")
            os.execvp(argv[0], argv)

    def expect(self, pattern):
        end = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.screen)):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} in {self.screen!r}")
            self.screen += os.read(self.fd, 65536).decode().replace("\r", "")
        self.screen = self.screen[found.end():]
        return found

    def keys(self, text):
        os.write(self.fd, text.encode())

    def gives(self, command, pattern):
        """A line whose output holds the pattern; then the prompt is there again."""
        self.keys(command + "\r")
        self.expect(re.escape(command) + "\n")
        found = self.expect(pattern)
        self.expect("ready> ")
        return found

    def start(self, command):
        """A line whose program has the terminal when this returns."""
        self.keys(command + "\r")
        end = time.monotonic() + PATIENCE
        while os.tcgetpgrp(self.fd) == self.pid:
            assert time.monotonic() < end, f"{command} never got the terminal"
            time.sleep(0.02)
        time.sleep(0.1)

    def end(self):
        os.close(self.fd)
        return os.waitpid(self.pid, 0)[1]


def shell():
    terminal = Terminal("bash", "--norc", "--noprofile", "--noediting")
    terminal.expect("ready> ")
    return terminal


@point
def ctrl_z_stops_bg_and_fg_continue():
    t = shell()
    t.start("sleep 300")
    t.keys("\x1a")
    t.expect(r"\[1\]\+  Stopped +sleep 300\n")
    t.expect("ready> ")
    t.gives("bg", r"\[1\]\+ sleep 300 &")
    t.gives("jobs", r"\[1\]\+  Running +sleep 300 &")
    t.start("fg")
    t.keys("\x03")
    t.expect("ready> ")
    t.gives("echo $?", "^130")
    assert os.WTERMSIG(t.end()) == signal.SIGHUP


@point
def keys_end_what_has_the_terminal():
    t = shell()
    t.start("sleep 300 | cat | cat")
    t.keys("\x03")
    t.expect("ready> ")
    t.start("cat")
    t.keys("\x1c")
    t.expect("Quit")
    t.expect("ready> ")
    t.gives("echo $?", "^131")
    t.start("cat")
    t.keys("half\x7f\x7fy\rother\x15line\r\x04")
    t.expect("hay\nline\n")
    t.expect("ready> ")
    t.gives("echo $?", "^0")
    t.end()


@point
def a_background_reader_stops():
    t = shell()
    t.gives("cat & sleep 0.3", r"\[1\] \d+")
    t.gives("jobs", r"\[1\]\+  Stopped +cat")
    t.gives("kill -KILL %1; sleep 0.3; jobs", "Killed +cat")
    t.end()


@point
def a_background_writer_stops_if_asked():
    t = shell()
    t.gives("echo free & wait", "free\n")
    t.gives("stty tostop; echo held & sleep 0.3", r"\[1\] \d+")
    t.gives("jobs", r"\[1\]\+  Stopped +echo held")
    t.gives("stty -tostop; fg", "held\n")
    t.end()


@point
def stopped_jobs_get_signals_when_continued():
    t = shell()
    t.gives("sleep 300 & kill -STOP %1; sleep 0.2", r"\[1\] \d+")
    t.gives("jobs -s", r"Stopped +sleep 300")
    t.gives("kill %1; kill -CONT %1 2>/dev/null; wait %1; echo $?", "143")
    t.end()


@point
def wait_takes_jobs_as_they_end():
    t = shell()
    t.gives("(sleep 0.2; exit 3) & (sleep 1; exit 4) & wait -n; echo =$?", r"\n=3\n")
    t.gives("wait -n; echo =$?", r"\n?=4\n")
    t.gives("wait -n; echo =$?", r"=127\n")
    t.end()


@point
def traps_run_at_the_prompt_and_in_waits():
    t = shell()
    t.gives("trap 'echo got int' INT; echo set", "set\n")
    t.keys("\x03")
    t.expect("got int")
    t.keys("\r")
    t.expect("ready> ")
    t.gives("trap 'echo a child' CHLD; sleep 0.1 & wait; trap - CHLD", "a child")
    t.end()


@point
def a_new_size_is_told():
    t = shell()
    t.gives("trap 'echo size ${LINES}x$COLUMNS' WINCH; shopt -s checkwinsize; echo set", "set\n")
    fcntl.ioctl(t.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    t.gives("stty size", "50 132\n")
    t.gives("/bin/true; echo $LINES $COLUMNS", "50 132\n")
    t.end()


@point
def a_shell_in_a_shell_is_suspended():
    t = shell()
    t.start("bash --norc --noediting")
    t.expect("ready> ")
    t.gives("echo depth $SHLVL", r"depth \d+")
    t.keys("suspend\r")
    t.expect(r"Stopped +bash")
    t.expect("ready> ")
    t.start("fg")
    t.keys("exit 5\r")
    t.expect("exit\n")
    t.expect("ready> ")
    t.gives("echo =$?", "=5\n")
    t.end()


@point
def coprocesses_and_substitutions():
    t = shell()
    t.gives("coproc C { read x; echo got $x; }; echo hi >&${C[1]}; read y <&${C[0]}; echo =$y", "=got hi\n")
    t.gives("cat <(echo a) <(sleep 0.1; echo b)", "a\nb\n")
    t.gives("echo z | tee >(cat >&2) >/dev/null; sleep 0.3", "z\n")
    t.end()


@point
def reads_with_limits_and_without_echo():
    t = shell()
    t.gives("read -t 0.2 x; echo $?", "142\n")
    t.keys("read -s -p 'pass: ' x; echo; echo =$x=\r")
    t.expect("\npass: ")
    t.keys("secret\r")
    assert t.expect("^\n=(.*)=\n").group(1) == "secret"
    t.expect("ready> ")
    t.keys("read -n 1 -p 'key: ' x; echo; echo =$x=\r")
    t.expect("\nkey: ")
    t.keys("q")
    t.expect("q\n=q=\n")
    t.end()


@point
def flow_control_holds_output():
    t = shell()
    t.start("stty -echo; cat; stty echo")
    t.expect("echo\n")
    t.keys("\x13")
    time.sleep(0.3)
    t.screen = ""
    t.keys("held\r")
    assert not select.select([t.fd], [], [], 0.7)[0]
    t.keys("\x11")
    t.expect("held\n")
    t.end()


@point
def a_session_of_its_own_has_no_terminal():
    t = shell()
    t.gives("setsid -w sh -c 'echo 2>/dev/null >/dev/tty || echo none'", "none\n")
    t.gives("setsid -c -w sh -c 'echo mine >/dev/tty'; echo after", "mine\nafter\n")
    t.gives("echo lives; : </dev/tty", r"lives\n.*No such device or address")
    t.end()


@point
def a_hangup_ends_jobs():
    t = shell()
    pids = [int(t.gives(f"sleep {n} & echo", r"\] (\d+)").group(1)) for n in (301, 302)]
    kept = int(t.gives("nohup sleep 303 >/dev/null 2>&1 & disown; echo", r"\] (\d+)").group(1))
    t.end()
    time.sleep(0.5)
    assert [state(pid) in "Z-" for pid in pids] == [True, True]
    assert state(kept) == "S"
    os.kill(kept, signal.SIGKILL)


def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "-"


@point
def readline_edits_lines():
    t = Terminal("bash", "--norc", "--noprofile")
    t.expect("ready> ")
    t.keys("echo helo\x02l\x05 there\r")
    t.expect("\nhello there\n")
    t.keys("\x10\x17\x17echo twice\x0b\r")
    t.expect("twice\n")
    t.keys("echo /etc/hostna\t\r")
    t.expect("\n/etc/hostname\n")
    t.expect("ready> ")
    t.keys("\x04")
    t.expect("exit")
    assert os.waitpid(t.pid, 0)[1] == 0
    os.close(t.fd)


@point
def dash_controls_jobs():
    t = Terminal("sh", "-i")
    t.expect("ready> ")
    t.start("sleep 300")
    t.keys("\x1a")
    t.expect(r"\[1\] \+ Stopped +sleep 300")
    t.expect("ready> ")
    t.gives("bg %1", "sleep 300")
    t.gives("kill %1; wait; echo done", "done")
    t.end()


@point
def top_is_left_by_a_key():
    t = Terminal("env", "TERM=xterm", "top", "-d", "0.5")
    t.expect("load average")
    t.expect("load average")
    t.keys("q")
    os.waitpid(t.pid, 0)


failed = 0
print(f"1..{len(points)}")
for number, test in enumerate(points, 1):
    try:
        test()
        print(f"ok {number} - {test.__name__}", flush=True)
    except Exception as error:
        failed += 1
        print(f"not ok {number} - {test.__name__}: {error!r}", flush=True)
sys.exit(failed != 0)
