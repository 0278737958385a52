#!/usr/bin/python3
"""Write a boot bundle (lib/bundle.h) from its components.

    tools/mkbundle.py OUT NAME=FILE...

Names are those of lib/abi/bundle.def. The same inputs give the same bytes.
"""
import re
import struct
import sys
from pathlib import Path

MAGIC, VERSION, ALIGN = b"MFLYBNDL", 1, 16
TABLE = Path(__file__).resolve().parent.parent / "lib/abi/bundle.def"


def part_types():
    rows = re.findall(r'^BUNDLE_PART\(\w+, (\d+), "([^"]+)", (true|false)\)',
                      TABLE.read_text(), re.M)
    return {name: (int(number), required == "true") for number, name, required in rows}


def bundle(parts):
    body = b""
    for kind, data in sorted(parts.items()):
        body += struct.pack("<IIQ", kind, 0, len(data)) + data + b"\0" * (-len(data) % ALIGN)
    return struct.pack("<8sIIQ", MAGIC, VERSION, len(parts), 24 + len(body)) + body


def main(args):
    if len(args) < 2:
        sys.exit(__doc__)
    types, parts = part_types(), {}
    for arg in args[1:]:
        name, _, path = arg.partition("=")
        if name not in types:
            sys.exit(f"mkbundle: unknown component {name!r}")
        parts[types[name][0]] = Path(path).read_bytes()
    for name, (kind, required) in types.items():
        if required and kind not in parts:
            sys.exit(f"mkbundle: component {name!r} is missing")
    Path(args[0]).write_bytes(bundle(parts))


main(sys.argv[1:])
