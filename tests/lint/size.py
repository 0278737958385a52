#!/usr/bin/python3
"""The size lint: a function past 60 lines or a file past 500 is a place to think again.

    size.py [ROOT]

Whoever has thought and kept it writes a line into tests/lint/size-kept.txt:
`PATH` or `PATH:FUNCTION`, then the reason. A line that no longer matches anything
too long is a complaint as well, so the list only holds what is true.
"""
import os
import re

import tree

FUNCTION_MAX = 60
FILE_MAX = 500
KEPT = "tests/lint/size-kept.txt"
NAME = re.compile(r"(\w+)\s*\(")


def functions(text):
    """(name, first line, length of the body) of each function of formatted C."""
    start = name = None
    for number, line in enumerate(text, 1):
        if line == "{" and start is None:
            start = number
        elif line.startswith("}") and start is not None:
            yield name or "?", start, number - start - 1
            start = name = None
        elif start is None and line[:1].isalpha() and NAME.search(line):
            name = NAME.search(line).group(1)


def too_long(root):
    for path in tree.files(root, (".c", ".h", ".S", ".py")):
        text = tree.lines(root, path)
        if len(text) - 1 > FILE_MAX:
            yield path, f"{path}: {len(text) - 1} lines, over {FILE_MAX}"
        if path.endswith(".c"):
            for name, line, length in functions(text):
                if length > FUNCTION_MAX:
                    yield f"{path}:{name}", \
                        f"{path}:{line}: {name}: {length} lines, over {FUNCTION_MAX}"


def kept(root):
    if not os.path.exists(os.path.join(root, KEPT)):
        return
    for line in tree.lines(root, KEPT):
        words = line.split(None, 1)
        if words and not words[0].startswith("#"):
            yield words[0], words[1] if len(words) > 1 else ""


def check(root):
    reasons = dict(kept(root))
    seen = set()
    for key, complaint in too_long(root):
        seen.add(key)
        if not reasons.get(key):
            yield complaint
    for key in sorted(set(reasons) - seen):
        yield f"{KEPT}: {key}: nothing there is too long"


if __name__ == "__main__":
    tree.main(check)
