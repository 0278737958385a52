#!/usr/bin/python3
"""The base root's users: su, passwd, newgrp and login, Debian's own, change who one is, and refuse
to without the password.

Each point runs in a VM of its own, where all passwords are locked to begin with.
"""
import os
import re
import subprocess
import tempfile

from term import Terminal, check, finish

os.environ["MAYFLY_ACCEL"] = "tcg"

# Root's and the job's, for scripts that begin with it.
PASSWORDS = r"""
printf 'root-Pw-1\nroot-Pw-1\n' | /usr/bin/passwd root
printf 'job-Pw-22\njob-Pw-22\n' | /usr/bin/passwd job
""".replace("| /usr/bin/passwd", "2>/dev/null | /usr/bin/passwd 2>/dev/null")
AS_JOB = "cat >/tmp/script; exec /bin/su job -c 'sh /tmp/script'"


def run(script, *options, user="root"):
    """(status, all that it printed) of a shell script."""
    done = subprocess.run(
        [os.environ["MAYFLY"], "run", "--policy", "open", "--user", user,
         "--timeout", "60s", *options, "--",
         "sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    return done.returncode, done.stdout


def run_as_job(script, *options, before=PASSWORDS):
    """The same, once `before` has run as root."""
    return run(f"{before}\n/bin/su job -c \"$(cat <<'END'\n{script}\nEND\n)\"", *options)


def says(what, pattern, status, said):
    check(what, status == 0 and re.search(pattern, said, re.M), (status, said))


def refuses(what, pattern, status, said):
    check(what, status != 0 and re.search(pattern, said, re.M) and "uid=0" not in said,
          (status, said))


def test_files():
    said = run("stat -c '%n %a %U:%G' /etc/shadow /etc/gshadow /etc/passwd")
    says("root and its group alone read the passwords",
         r"\A/etc/shadow 640 root:shadow\n/etc/gshadow 640 root:shadow\n/etc/passwd 644 root:root\n",
         *said)
    says("all are locked", r"\A0\n\Z", *run("grep -vc '^[a-z]*:[*]:' /etc/shadow; :"))
    said = run("find / -xdev -perm /6000 -type f | sort; find / -xdev -type f -perm -2 | wc -l")
    says("three programs are setuid, and no file everybody's to write",
         r"\A/bin/su\n/usr/bin/newgrp\n/usr/bin/passwd\n0\n\Z", *said)
    says("who may read the audit records", "^audit:x:600:$", *run("cat /etc/group"))


def test_su():
    says("root becomes the job", r"\Auid=1000\(job\) gid=1000\(job\) groups=1000\(job\)\n",
         *run("/bin/su job -c id"))
    says("with a home and a name", r"^/job job job /bin/sh$",
         *run("/bin/su - job -c 'echo $HOME $USER $LOGNAME $SHELL'"))
    right = "echo root-Pw-1 | /bin/su -c id"
    says("the job becomes root with the password", r"uid=0\(root\) gid=0\(root\) groups=0\(root\)",
         *run_as_job(right, "--mem", "64M"))
    refuses("not with another", "Authentication failure",
            *run_as_job("echo root-Pw-2 | /bin/su -c id"))
    refuses("nor while it is locked", "Authentication failure", *run_as_job(right, before=""))
    refuses("nor with no_new_privs", "Authentication service",
            *run_as_job(f"setpriv --no-new-privs sh -c '{right}'"))


def test_passwd():
    change = "printf 'job-Pw-22\\nnew-Pw-333\\nnew-Pw-333\\n' | /usr/bin/passwd; "
    show = ("exit=$?; cut -d: -f1,2 /etc/shadow; stat -c %a:%U:%G /etc/shadow; exit $exit")
    status, said = run(f"{PASSWORDS}\nbefore=$(grep -v ^job: /etc/shadow); "
                       f"/bin/su job -c \"$(cat <<'END'\n{change}\nEND\n)\"; {show}; ")
    check("one changes one's own password", status == 0, said)
    check("it is kept as a hash of yescrypt",
          re.search(r"^job:\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{22}\$[./A-Za-z0-9]{43}$", said, re.M),
          said)
    check("where it cannot be read", "640:root:shadow" in said, said)
    becomes = "| /bin/su job -c 'echo became'; "
    both = f"{change} echo job-Pw-22 {becomes} echo new-Pw-333 {becomes}"
    status, said = run_as_job(both)
    check("the new one counts, the old one no more",
          status == 0 and said.count("became") == 1 and "failure" in said, said)
    refuses("not without the old one", "Authentication token|unchanged",
            *run_as_job("printf 'x\\nnew-Pw-333\\nnew-Pw-333\\n' | /usr/bin/passwd"))
    refuses("nor another's", "may not", *run_as_job("/usr/bin/passwd root"))
    refuses("nor a poor one", "BAD PASSWORD|unchanged",
            *run_as_job("printf 'job-Pw-22\\nx\\nx\\n' | /usr/bin/passwd"))


def test_newgrp():
    member = "sed -i 's/^audit:.*/audit:x:600:job/' /etc/group /etc/gshadow; " \
        "sed -i 's/^audit:.*/audit:!::job/' /etc/gshadow"
    says("a member enters its group", r"uid=1000\(job\) gid=600\(audit\) groups=600\(audit\),1000",
         *run_as_job("echo id | newgrp audit", before=member))
    says("for one command", "gid=600", *run_as_job("sg audit -c id", before=member))
    said = run_as_job("echo id | newgrp audit", before="")
    check("another does not", "gid=600" not in said[1] and "nvalid password" in said[1], said)


def login(script, *keys):
    """Types answers, each when its question came. (Whether all did, what was seen after.)"""
    t = Terminal("run", "--policy", "open", "--user", "root", "--timeout", "60s",
                 "--", "sh", "-c", script)
    asked = True
    for question, answer in keys:
        asked = asked and t.wait_for(question, 30)
        if asked and answer:
            t.type(answer + "\r")
    return asked and t.end(40) is not None, t.text


def test_login():
    asked, said = login(
        PASSWORDS + "exec /bin/login", ("login: ", "job"), ("Password: ", "wrong"),
        ("Login incorrect", ""), ("login: ", "job"), ("Password: ", "job-Pw-22"),
        (r"\$ ", "id; stat -c %U:%a $(tty)"),
        (r"uid=1000\(job\) gid=1000\(job\) groups=1000\(job\)", ""), ("job:620", ""),
        (r"\$ ", "echo $(cat /proc/self/loginuid) $(pwd)"), ("1000 /job", ""), (r"\$ ", "exit"))
    check("login lets in with the right password, on a terminal of one's own", asked, said)
    asked, said = login("exec /bin/login -f job", (r"\$ ", "id"), (r"uid=1000\(job\)", ""),
                        (r"\$ ", "exit"))
    check("root may vouch for somebody", asked, said)
    refuses("nobody else", "effective root", *run("/bin/login -f root", user="job"))


def main():
    for test in (test_files, test_su, test_passwd, test_newgrp, test_login):
        test()
    finish()


with tempfile.TemporaryDirectory() as folder:
    os.environ.update(XDG_CACHE_HOME=folder, HOME=folder, TERM="vt100")
    main()
