#!/usr/bin/python3
"""Write the kernel's symbol table (lib/symtab.h) from an ELF image with DWARF 5.

    tools/mksymbols.py ELF OUT

Functions come from .symtab, lines from .debug_line; neighbouring rows that agree are one.
"""
import bisect
import struct
import sys

STT_NOTYPE, STT_FUNC = 0, 2
SHT_SYMTAB = 2


class Elf:
    def __init__(self, data):
        self.data = data
        shoff, = struct.unpack_from("<Q", data, 0x28)
        size, count, names = struct.unpack_from("<HHH", data, 0x3A)
        headers = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * size)
                   for i in range(count)]
        table = headers[names]
        self.sections = {}
        for index, h in enumerate(headers):
            start = table[4] + h[0]
            name = data[start:data.index(b"\0", start)].decode()
            self.sections[name] = (index, h)

    def bytes_of(self, name):
        if name not in self.sections:
            return b""
        header = self.sections[name][1]
        return self.data[header[4]:header[4] + header[5]]


def text_functions(elf):
    """[(address, name)] of .text, one name per address, sorted; and the end of .text."""
    index, text = elf.sections[".text"]
    symbols, strings = elf.bytes_of(".symtab"), elf.bytes_of(".strtab")
    found = {}
    for name, info, _, section, value, _ in struct.iter_unpack("<IBBHQQ", symbols):
        if section != index or info & 15 not in (STT_NOTYPE, STT_FUNC):
            continue
        text_name = strings[name:strings.index(b"\0", name)].decode()
        if not text_name or text_name in ("text_start", "text_hot_end", "text_end"):
            continue
        # A function's own name beats a label's, and a global beats a local.
        rank = (info & 15 == STT_FUNC, info >> 4)
        if value not in found or rank > found[value][0]:
            found[value] = (rank, text_name)
    return sorted((a, n) for a, (_, n) in found.items()), text[3] + text[5]


class Reader:
    def __init__(self, data, at):
        self.data, self.at = data, at

    def fixed(self, code):
        value, = struct.unpack_from("<" + code, self.data, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def uleb(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def sleb(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value - (1 << shift) if byte & 64 else value

    def string(self):
        end = self.data.index(b"\0", self.at)
        value = self.data[self.at:end].decode()
        self.at = end + 1
        return value


def form_value(reader, form, line_str, debug_str):
    if form in (0x1F, 0x0E):  # DW_FORM_line_strp, DW_FORM_strp
        return Reader(line_str if form == 0x1F else debug_str, reader.fixed("I")).string()
    if form == 0x08:  # DW_FORM_string
        return reader.string()
    if form == 0x0F:  # DW_FORM_udata
        return reader.uleb()
    if form in (0x0B, 0x05):  # DW_FORM_data1, data2
        return reader.fixed("B" if form == 0x0B else "H")
    if form == 0x1E:  # DW_FORM_data16
        reader.at += 16
        return None
    sys.exit(f"mksymbols: unknown form {form:#x} in .debug_line")


def entry_table(reader, line_str, debug_str):
    """A directory or file table (DWARF 5, 6.2.4): [{content type: value}]."""
    formats = [(reader.uleb(), reader.uleb()) for _ in range(reader.fixed("B"))]
    return [{kind: form_value(reader, form, line_str, debug_str) for kind, form in formats}
            for _ in range(reader.uleb())]


def joined(directory, name):
    path = name if name.startswith("/") or directory in ("", ".") else f"{directory}/{name}"
    return path.removeprefix("./")


def unit_rows(reader, end, line_str, debug_str):
    """Yields (address, file, line) and, at the end of a sequence, (address, None, 0)."""
    if reader.fixed("H") != 5:
        sys.exit("mksymbols: .debug_line is not DWARF 5")
    reader.at += 2
    header_length = reader.fixed("I")
    program = reader.at + header_length
    minimum, _, _ = reader.fixed("B"), reader.fixed("B"), reader.fixed("B")
    line_base, line_range = reader.fixed("b"), reader.fixed("B")
    opcode_base = reader.fixed("B")
    lengths = [reader.fixed("B") for _ in range(opcode_base - 1)]
    directories = [d[1] for d in entry_table(reader, line_str, debug_str)]
    files = [joined(directories[f.get(2, 0)], f[1])
             for f in entry_table(reader, line_str, debug_str)]
    reader.at = program
    address, file, line = 0, 1, 1
    while reader.at < end:
        opcode = reader.fixed("B")
        if opcode >= opcode_base:
            adjusted = opcode - opcode_base
            address += adjusted // line_range * minimum
            line += line_base + adjusted % line_range
            yield address, files[file], line
        elif opcode == 0:
            length = reader.uleb()
            following = reader.at + length
            extended = reader.fixed("B")
            if extended == 1:
                yield address, None, 0
                address, file, line = 0, 1, 1
            elif extended == 2:
                address = reader.fixed("Q")
            reader.at = following
        elif opcode == 1:
            yield address, files[file], line
        elif opcode == 2:
            address += reader.uleb() * minimum
        elif opcode == 3:
            line += reader.sleb()
        elif opcode == 4:
            file = reader.uleb()
        elif opcode == 8:
            address += (255 - opcode_base) // line_range * minimum
        elif opcode == 9:
            address += reader.fixed("H")
        else:
            for _ in range(lengths[opcode - 1]):
                reader.uleb()


def line_rows(elf):
    """{address: (file, line)} where (None, 0) ends a known range."""
    data = elf.bytes_of(".debug_line")
    line_str, debug_str = elf.bytes_of(".debug_line_str"), elf.bytes_of(".debug_str")
    rows, at = {}, 0
    while at < len(data):
        reader = Reader(data, at)
        length = reader.fixed("I")
        at = reader.at + length
        sequence = []
        for address, file, line in unit_rows(reader, at, line_str, debug_str):
            sequence.append((address, file, line))
            if file is not None:
                continue
            # What the linker dropped is left at 0, where nothing is (kernel.ld).
            if sequence[0][0] != 0:
                for a, f, n in sequence[:-1]:
                    rows[a] = (f, n)
                rows.setdefault(address, (None, 0))
            sequence = []
    return rows


def uleb(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(functions, end, rows):
    addresses = sorted(rows)
    strings, offsets = bytearray(b"\0"), {"": 0}
    files, lines, table = {}, bytearray(), bytearray()

    def string(text):
        if text not in offsets:
            offsets[text] = len(strings)
            strings.extend(text.encode() + b"\0")
        return offsets[text]

    for i, (start, name) in enumerate(functions):
        stop = functions[i + 1][0] if i + 1 < len(functions) else end
        table += struct.pack("<III", start, string(name), len(lines))
        first = bisect.bisect_right(addresses, start) - 1
        at, file, line, last = start, 0, 0, None
        for a in addresses[max(first, 0):bisect.bisect_left(addresses, stop)]:
            row = rows[a]
            if row == last or row[1] == 0:
                continue
            last = row
            number = files.setdefault(row[0], len(files))
            a, delta = max(a, start), row[1] - line
            lines += uleb((a - at) << 1 | (number != file))
            if number != file:
                lines += uleb(number)
            lines += uleb(delta << 1 if delta >= 0 else (-delta << 1) - 1)
            at, file, line = a, number, row[1]
    names = b"".join(struct.pack("<I", string(f)) for f in files)
    return struct.pack("<8sIIIIII", b"MFLYSYMS", 1, len(functions), len(files), len(lines),
                       len(strings), 0) + table + names + lines + strings


def main(args):
    if len(args) != 2:
        sys.exit(__doc__)
    with open(args[0], "rb") as f:
        elf = Elf(f.read())
    functions, end = text_functions(elf)
    with open(args[1], "wb") as f:
        f.write(encode(functions, end, line_rows(elf)))


main(sys.argv[1:])
