#!/usr/bin/python3
"""The profiles in a VM: what each is for passes under it, and one thing more is refused.
"""
import os
import subprocess
import tempfile

from term import check, finish

HELLO = """\
#include <stdio.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	puts("hello");
	fflush(stdout);
	return argc > 1 && getppid() == 0;
}
"""

# Prints what it could do; the last lines are errors.
PYTHON = """\
import multiprocessing, socket, subprocess, tempfile, threading
def tried(call):
    try:
        call()
    except OSError as error:
        return error.errno
print(subprocess.run(['echo', 'sub'], capture_output=True).stdout)
tempfile.NamedTemporaryFile().write(b'x')
thread = threading.Thread(target=print, args=('thread',))
thread.start()
thread.join()
queue = multiprocessing.Queue()
queue.put(1)
print(queue.get())
print(tried(lambda: socket.socket()), tried(lambda: open('/etc/x', 'w')))
"""

NODE = """\
const fs = require('fs');
fs.writeFileSync('/tmp/x', 'y');
require('child_process').exec('echo sub', (error, out) => {
    console.log(error, out.trim());
    try { fs.writeFileSync('/usr/x', 'y'); } catch (e) { console.log(e.code); }
});
"""

CONVERT = """\
import os, threading
thread = threading.Thread(target=print, args=('thread',))
thread.start()
thread.join()
open('/job/out', 'w').write(open('/etc/passwd').read())
for call in os.fork, lambda: os.execv('/bin/true', ['true']):
    try:
        call()
    except OSError as error:
        print(error.errno)
"""

C = '#include <stdio.h>\nint main(void)\n{\n\tputs("built");\n\treturn 0;\n}\n'


def run(profile, *words):
    return subprocess.run([os.environ["MAYFLY"], "run", "--policy", profile, *words], timeout=300,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)


def lines_of(done):
    return done.returncode, done.stdout.decode().splitlines()


def base(folder):
    with open("hello.c", "w", encoding="ascii") as file:
        file.write(HELLO)
    subprocess.run(["cc", "-O2", "-static", "-o", "hello", "hello.c"], check=True)
    check("strict: a static program writes", lines_of(run("strict", "--", f"{folder}/hello")) ==
          (0, ["hello"]))
    done = run("strict", "--", f"{folder}/hello", "more")
    check("strict: and is ended by one call more", lines_of(done) == (128 + 31, ["hello"]), done)
    with open("more.policy", "w", encoding="ascii") as file:
        file.write("include strict\nallow getppid\n")
    check("which a line allows", lines_of(run("./more.policy", "--", f"{folder}/hello", "more")) ==
          (0, ["hello"]))
    done = run("shell", "--", "sh", "-c", "echo a >/tmp/x; cat /tmp/x; ls /proc | grep -cx self; "
               "(echo b >/etc/x) 2>/dev/null || echo no")
    check("shell", lines_of(done) == (0, ["a", "1", "no"]), done)
    done = run("open", "--user", "root", "--", "sh", "-c",
               "mount -t tmpfs none /mnt && echo a >/mnt/x && cat /mnt/x")
    check("open", lines_of(done) == (0, ["a"]), done)
    done = run("job", "--user", "root", "--", "sh", "-c", "mount -t tmpfs none /mnt || echo no")
    check("and job refuses that to root", lines_of(done) == (0, ["no"]), done)


def debian():
    root = ["--root", "debian", "--mem", "1G"]
    done = run("python", *root, "--", "python3", "-c", PYTHON)
    check("python", lines_of(done) == (0, ["b'sub\\n'", "thread", "1", "97 13"]), done)
    done = run("node", *root, "--", "node", "-e", NODE)
    check("node", lines_of(done) == (0, ["null sub", "EACCES"]), done)
    with open("x.c", "w", encoding="ascii") as file:
        file.write(C)
    done = run("compiler", *root, "--file", "x.c", "--", "sh", "-c",
               "cd /tmp && gcc -O2 /job/x.c -o x && ./x && ! gcc /job/x.c -o /usr/x 2>/dev/null")
    check("compiler", lines_of(done) == (0, ["built"]), done)
    done = run("convert", *root, "--", "python3", "-c", CONVERT)
    check("convert", lines_of(done) == (0, ["thread", "1", "1"]), done)


with tempfile.TemporaryDirectory() as temporary:
    image = os.path.exists(f"{os.environ['BUILD']}/root/debian.img")
    os.environ["MAYFLY"] = os.path.abspath(os.environ["MAYFLY"])
    os.environ.update(MAYFLY_ACCEL="tcg", XDG_CACHE_HOME=temporary, HOME=temporary)
    os.chdir(temporary)
    base(temporary)
    if image:
        debian()
finish()
