#!/usr/bin/python3
"""`mayfly run --policy`: a job does what its policy allows; what it refuses is told, with the line that
would allow it, and that line does.
"""
import json
import os
import re
import subprocess
import tempfile

from term import check, finish

MAYFLY = os.path.abspath(os.environ["MAYFLY"])

POLICY = """policy "mine"
include strict
allow execve wait4 clone fork vfork openat open pipe pipe2 dup2 fcntl close lseek getppid
allow stat lstat newfstatat getcwd getuid geteuid getgid getegid access faccessat
allow mkdir unlink rename link symlink uname
allow mmap mprotect prctl
read execute /bin /lib /usr
read /proc/self/exe
"""


def run(*words, policy=None, user="root"):
    """(status, stdout, stderr, the report) of a job."""
    with tempfile.TemporaryDirectory() as top:
        options = ["--report", f"{top}/report", "--user", user, "--timeout", "60s"]
        if policy is not None:
            if "\n" in policy:
                with open(f"{top}/policy", "w") as file:
                    file.write(policy)
                policy = f"{top}/policy"
            options += ["--policy", policy]
        done = subprocess.run([MAYFLY, "run", *options, *words], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=120, check=False, cwd=top)
        report = {}
        if os.path.exists(f"{top}/report"):
            with open(f"{top}/report") as file:
                report = json.load(file)
    return done.returncode, done.stdout, done.stderr, report.get("policy_refusals", [])


def suggested(said):
    return re.findall(r"would be allowed by: +(.*)", said)


def learns(what, policy, *words, refused):
    """The job is refused something; with the lines that are suggested, one after the other, it is not,
    and without the last of them it still was."""
    told, lines = "", []
    for _ in range(20):
        status, out, said, report = run(*words, policy=policy + "\n".join(lines) + "\n")
        if status == 0:
            break
        told += said
        check(f"{what}: the report has what is told",
              [t["allow"] for t in report if t["allow"]] == suggested(said), (said, report))
        lines += [line for line in suggested(said) if line not in lines]
    check(f"{what} is refused", told and refused in told, told)
    check(f"{what} is allowed by what is suggested", (status, report) == (0, []),
          (status, out, said, lines))


def test_suggestions():
    learns("a call", POLICY, "--", "sh", "-c", "umask 022", refused="umask")
    learns("a path", POLICY, "--", "sh", "-c", "cat /etc/hosts", refused="/etc/hosts")
    learns("a folder", POLICY + "allow getdents64\n", "--", "ls", "/etc", refused="newfstatat")
    learns("a new file", POLICY + "modify /job\n", "--", "sh", "-c", "echo >/job/new",
           refused="/job/new")
    learns("an ended name", POLICY + "create modify /job\n", "--", "sh", "-c",
           "echo >/job/x; rm /job/x", refused="unlink")


def test_defaults():
    status, out, said, told = run("--", "sh", "-c", "echo x >/job/a; echo y >/tmp/b; cat /job/a /tmp/b",
                                  user="job")
    check("the usual policy lets a job work", (status, out, said, told) == (0, "x\ny\n", "", []),
          (status, out, said, told))
    status, out, said, told = run("--", "sh", "-c", "echo x >/etc/a")
    check("and keeps root from the rest", status != 0 and "create /etc/a" in said, said)
    status, out, said, told = run("--", "mount", "-t", "tmpfs", "none", "/mnt")
    check("and from mounts", status != 0 and "allow mount" in said, said)
    status, out, said, told = run("--", "mount", "-t", "tmpfs", "none", "/mnt", policy="open")
    check("the twin: under 'open' it may", (status, said, told) == (0, "", []), (said, told))
    status, out, said, told = run("--quiet", "--", "sh", "-c", "echo x >/etc/a")
    check("--quiet says nothing of it", status != 0 and "policy" not in said, said)
    check("but the report does", told and told[0]["path"] == "/etc/a", told)


def test_strict():
    with tempfile.TemporaryDirectory() as top:
        for name, more in (("writes", ""), ("asks", "getppid();")):
            with open(f"{top}/{name}.c", "w") as file:
                file.write("#include <unistd.h>\nint main(void)\n{\n"
                           f"\t{more}\n\treturn write(1, \"hello\\n\", 6) != 6;\n}}\n")
            subprocess.run(["musl-gcc", "-static", "-o", f"{top}/{name}", f"{top}/{name}.c"], check=True)
        status, out, said, told = run("--", f"{top}/writes", policy="strict")
        check("'strict' lets a static program write", (status, out, said) == (0, "hello\n", ""),
              (status, out, said))
        status, out, said, told = run("--", f"{top}/asks", policy="strict")
        check("with one call more it is killed", (status, out) == (159, ""), (status, out, said))
        check("and the line is told", suggested(said) == ["allow getppid"], said)
        status, out, said, told = run("--", f"{top}/asks",
                                      policy='policy "x"\ninclude strict\nallow getppid\n')
        check("which lets it pass", (status, out, said) == (0, "hello\n", ""), (status, out, said))
    status, out, said, told = run("--", "sh", "-c", "echo no; cat /etc/hosts; echo no", policy="strict")
    check("and kills it for more", status == 159 and "kill: " in said, (status, out, said))


def test_wrong_policies():
    status, out, said, told = run("--", "true", policy="/no/such")
    check("a policy that is not there", status == 125 and "No such file" in said, said)
    status, out, said, told = run("--", "true", policy='policy "x"\nalow read\n')
    check("one with an error shows it", status == 125 and "2:1" in said and "'allow'" in said, said)
    status, out, said, told = run("--", "true", policy="jop")
    check("a name that is none", status == 125, said)


def main():
    test_suggestions()
    test_defaults()
    test_strict()
    test_wrong_policies()
    finish()


main()
