#!/usr/bin/python3
"""Write docs/gen/ from the tables of lib/abi, or check that it is current.

    gendocs.py            writes
    gendocs.py --check    exits 1 and names the pages that differ from what it would write
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STATES = {
    "full": "behaves as its man page says",
    "partial": "works for what programs commonly ask",
    "refused": "`ENOSYS` on purpose: attack surface that a sandbox does without",
    "none": "`ENOSYS`: not there yet",
}


def rows(table, macro):
    """The arguments of each row of a .def table, whose comments do not count."""
    with open(os.path.join(ROOT, "lib/abi", table)) as text:
        code = re.sub(r"/\*.*?\*/", "", text.read(), flags=re.S)
    for arguments in re.findall(rf"^{macro}\d?\(([^)]*)\)", code, re.M):
        yield [word.strip() for word in arguments.split(",")]


def syscalls_page():
    table = sorted(rows("syscalls.def", "SYSCALL"), key=lambda row: int(row[0]))
    counts = {state: sum(row[2] == state for row in table) for state in STATES}
    page = ["# System calls", "",
            "Made from `lib/abi/syscalls.def` by `make docs`; edit that.", ""]
    page += [f"- **{state}** ({counts[state]}): {text}" for state, text in STATES.items()]
    page += ["", "| number | name | state | policy group | arguments |", "|---|---|---|---|---|"]
    for number, name, state, group, _, *arguments in table:
        typed = ", ".join(f"{kind} {arg}" if kind != arg else arg
                          for kind, arg in zip(arguments[::2], arguments[1::2]))
        page.append(f"| {number} | {name} | {state} | {group} | {typed} |")
    return "\n".join(page) + "\n"


PAGES = {"docs/gen/syscalls.md": syscalls_page}


def current(path):
    if not os.path.exists(path):
        return None
    with open(path) as text:
        return text.read()


def main():
    os.chdir(ROOT)
    stale = {path: page() for path, page in PAGES.items() if current(path) != page()}
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path}: not what lib/abi says; run `make docs`")
        sys.exit(1 if stale else 0)
    for path, page in stale.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as text:
            text.write(page)


main()
