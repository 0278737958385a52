#!/usr/bin/python3
"""The layout lint: each name of kernel/hot.txt is a function of the kernel, named once.

    hot.py [ROOT]

The linker passes silently over a section that does not exist, so a renamed function
would lose its place without anybody noticing.
"""
import os
import re

import tree

LIST = "kernel/hot.txt"
# Formatted C: a definition's name follows its type at the start of a line.
DEFINED = re.compile(r"^[a-z].*?\b(\w+)\(", re.M)
ASSEMBLED = re.compile(r'^\s*\.section \.text\.(\w+), "ax"', re.M)
SYSCALL = re.compile(r"^SYSCALL\d\(\w+, (\w+),", re.M)


def names_in(root):
    """What hot.txt may name: functions, sections of assembly, system calls' adapters."""
    for path in tree.files(root, (".c", ".h", ".S", ".def")):
        if not path.startswith(("kernel/", "lib/")):
            continue
        text = "\n".join(tree.lines(root, path))
        if path.endswith(".def"):
            yield from ("call_" + name for name in SYSCALL.findall(text))
        else:
            yield from (ASSEMBLED if path.endswith(".S") else DEFINED).findall(text)


def check(root):
    if not os.path.exists(os.path.join(root, LIST)):
        return
    known, seen = set(names_in(root)), set()
    for number, line in enumerate(tree.lines(root, LIST), 1):
        for name in line.partition("#")[0].split():
            if name not in known:
                yield f"{LIST}:{number}: {name}: no such function"
            elif name in seen:
                yield f"{LIST}:{number}: {name}: named twice"
            seen.add(name)


tree.main(check)
