#!/usr/bin/python3
"""Wrap comment lines of C that are past 90 columns; clang-format would also merge lists.

    reflow.py FILE...

Only what is too long moves: its last words go to the start of the next line of the same
paragraph, or to a new line. A comment behind code that is too long moves above it.
"""
import re
import sys

COLUMNS = 90
# Start of a comment's line: blanks, "/*" or " *", blanks; then a list's mark, if any.
LINE = re.compile(r"^(\s*)(/\*| \*)(\s+)(\S.*)$")
MARK = re.compile(r"^([A-Z]\d+[.:]?|[-*]|\d+\.|[a-z]+\t)\s*(?=\S)")
RULER = re.compile(r"^(\s*/\* .* )-{4,} \*/$")
BEHIND = re.compile(r"^(\s*)(\S.*?)\s*(/\* .* \*/)$")


def width(line):
    return len(line.expandtabs(8))


def is_comment(line, inside):
    return inside or line.lstrip().startswith("/*")


def split(line):
    """The line up to the last blank that lets it fit, and the rest; None when none does."""
    match = LINE.match(line)
    start = match.start(4)
    at = len(line)
    while at > start:
        at = line.rfind(" ", start, at)
        if at < 0:
            return None
        if width(line[:at]) <= COLUMNS:
            return line[:at].rstrip(), line[at + 1:].lstrip()
    return None


def hanging(line):
    """What a line that carries this one on starts with."""
    indent, _, gap, text = LINE.match(line).groups()
    mark = MARK.match(text)
    return indent + " *" + gap + (" " * width(mark.group(0)) if mark else "")


def carries_on(line, start):
    """Whether the line goes on with a paragraph whose further lines begin with start."""
    match = LINE.match(line)
    return bool(match and match.group(2) == " *" and line.startswith(start)
                and line[len(start):len(start) + 1].strip()
                and not MARK.match(match.group(4)) and match.group(4) != "*/")


def wrap(lines, number):
    """Makes line `number` fit, if it can."""
    line = lines[number]
    ruler = RULER.match(line)
    if ruler:
        lines[number] = ruler.group(1) + "-" * (COLUMNS - width(ruler.group(1)) - 3) + " */"
        return
    parts = split(line)
    if not parts:
        return
    head, tail = parts
    if tail == "*/":
        head, word = head.rsplit(" ", 1)
        tail = f"{word} */"
    start = hanging(line)
    following = lines[number + 1] if number + 1 < len(lines) else ""
    lines[number] = head
    if not tail.endswith("*/") and carries_on(following, start):
        lines[number + 1] = start + tail + " " + following[len(start):]
    else:
        lines.insert(number + 1, start + tail)


def lift(lines, number):
    """Puts the comment behind too long a line of code above it."""
    indent, code, comment = BEHIND.match(lines[number]).groups()
    lines[number:number + 1] = [indent + comment, indent + code]


def reflow(lines):
    inside = False
    number = 0
    while number < len(lines):
        line = lines[number]
        if width(line) > COLUMNS:
            if is_comment(line, inside) and LINE.match(line):
                wrap(lines, number)
            elif not inside and BEHIND.match(line) and not line.lstrip().startswith("#"):
                lift(lines, number)
                continue
            line = lines[number]
        opened, closed = line.rfind("/*"), line.rfind("*/")
        if opened != closed:
            inside = opened > closed
        number += 1
    return lines


def main():
    for path in sys.argv[1:]:
        with open(path) as file:
            text = file.read()
        new = "\n".join(reflow(text.split("\n")))
        if new != text:
            with open(path, "w") as file:
                file.write(new)


main()
