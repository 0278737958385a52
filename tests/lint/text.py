#!/usr/bin/python3
"""The text lint: what no committed line may hold, whatever the language.

    text.py [ROOT]

T1: no mark of unfinished work, no code that is switched off.
T2: C is indented with tabs and has at most 90 columns (a tab counts 8); so has a .def.
T3: no blanks at the end of a line; the file ends with one newline.
"""
import re

import tree

COLUMNS = 90
# Spelled so that this file does not complain of itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|^\s*#\s*if 0\b"
                        r"|printf\(\"(DEB" r"UG|HE" r"RE)", re.M)
C_LIKE = (".c", ".h", ".S", ".def")
TEXT = C_LIKE + (".py", ".sh", ".mk", ".md", ".ld", ".txt", "Makefile")


def line_faults(path, line):
    if UNFINISHED.search(line):
        yield "a mark of unfinished work (T1)"
    if line != line.rstrip():
        yield "blanks at the end of the line (T3)"
    if path.endswith(C_LIKE):
        if re.match(r" {2,}(?!\*)", line) and not path.endswith((".S", ".def")):
            yield "indented with spaces (T2)"
        if len(line.expandtabs(8)) > COLUMNS:
            yield f"{len(line.expandtabs(8))} columns, over {COLUMNS} (T2)"


def check(root):
    for path in tree.files(root, TEXT):
        text = tree.lines(root, path)
        if text[-1] != "" or text[-2:] == ["", ""]:
            yield f"{path}: does not end with one newline (T3)"
        for number, line in enumerate(text, 1):
            for why in line_faults(path, line):
                yield f"{path}:{number}: {why}"


if __name__ == "__main__":
    tree.main(check)
