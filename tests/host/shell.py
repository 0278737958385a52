#!/usr/bin/python3
"""`mayfly shell` in a real VM: line editing, job control, vi, top, a resized window."""
import os
import tempfile
import time

from term import Terminal, check, finish

PROMPT = r"[#$] (\x1b\[6n)?$"  # the shell asks where the cursor is


def command(t, keys, pattern, what, seconds=30):
    """Types a line; the point is whether the pattern comes, then the prompt."""
    t.type(keys)
    check(what, t.wait_for(pattern, seconds) and t.wait_for(PROMPT, seconds), t.text)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(XDG_CACHE_HOME=folder, HOME=folder, TERM="vt100")
        t = Terminal("shell", "--timeout", "120s")
        check("a prompt", t.wait_for(PROMPT, 60), t.text)
        command(t, "tty; stty size\r", r"/dev/pts/\d+\r\n24 80\r\n", "a terminal of the window's size")
        command(t, "echo abx\x7fc\r", r"abc\r\n", "backspace rubs out")
        command(t, "\x1b[A\r", r"abc\r\n", "the arrow brings the last line back")
        command(t, "echo one two\x17three\r", r"\r\none three\r\n", "Ctrl-W takes a word away")

        t.type("sleep 100\r")
        time.sleep(2)
        t.type("\x03")
        check("Ctrl-C ends what runs", t.wait_for(PROMPT), t.text)
        command(t, "echo $?\r", r"130\r\n", "by SIGINT")
        t.type("cat\r")
        time.sleep(1)
        t.type("\x1a")
        check("Ctrl-Z stops it", t.wait_for("Stopped") and t.wait_for(PROMPT), t.text)
        command(t, "jobs\r", r"Stopped +cat", "the shell knows")
        t.type("fg\r")
        time.sleep(1)
        t.type("back\r")
        check("fg goes on", t.wait_for(r"back\r\nback\r\n"), t.text)
        t.type("\x04")
        check("Ctrl-D ends its input", t.wait_for(PROMPT), t.text)

        t.size(40, 100)
        time.sleep(1)
        command(t, "stty size\r", r"40 100\r\n", "a resized window")
        t.type("vi /tmp/x\r")
        check("vi draws its lines", t.wait_for(r"(~\S*\s*){20}"), t.text)
        # What follows Escape at once would be taken for an arrow's code.
        for keys in ("ihello", "\x1b", ":wq\r"):
            t.type(keys)
            time.sleep(1)
        check("vi writes", t.wait_for(PROMPT), t.text)
        command(t, "cat /tmp/x\r", r"hello\r\n", "what was typed")
        t.type("top -d 1\r")
        check("top shows memory", t.wait_for(r"Mem: \d+K used"), t.text)
        check("and processes", t.wait_for(r"PID +PPID"), t.text)
        t.type("q")
        check("q ends top", t.wait_for(PROMPT), t.text)
        t.type("exit 7\r")
        check("the shell's status", t.end() == 7, t.text)
    finish()


main()
