#!/usr/bin/python3
"""The loader against bundles that are not whole, not ours, or hostile: each is refused with
a line that names the component, and the untouched twin boots."""
import struct

from vm import (BUNDLE, CMDLINE, KERNEL, SYMBOLS, boot, bundle_of, ends, finish, parts_of,
                point, read, written)

whole = read(BUNDLE)
parts = parts_of(whole)
kernel = dict(parts)[KERNEL]


def refused(what, bundle, component, reason=""):
    vm = boot(bundle if bundle is None else written(bundle), root=None, timeout=20)
    ends(f"refuses {what}", vm, "REFUSED",
         rf"(?m)^mayfly: loader: refused: {component}: .*{reason}.*$")


def boots(what, bundle):
    """Boots: the kernel got as far as missing its root disk."""
    ends(what, boot(written(bundle), root=None), "ROOT", "root image")


def patched(data, at, fmt, *values):
    out = bytearray(data)
    struct.pack_into(fmt, out, at, *values)
    return bytes(out)


def with_kernel(data):
    return bundle_of([(KERNEL, data)] + [p for p in parts if p[0] != KERNEL])


# ELF64 header and program header fields (System V ABI, 4 and 5).
E_TYPE, E_MACHINE, E_ENTRY, E_PHOFF, E_PHENTSIZE, E_PHNUM = 16, 18, 24, 32, 54, 56
PHOFF, = struct.unpack_from("<Q", kernel, E_PHOFF)
PHNUM, = struct.unpack_from("<H", kernel, E_PHNUM)
PT_LOAD, PT_DYNAMIC = 1, 2


def segments():
    for i in range(PHNUM):
        at = PHOFF + 56 * i
        yield at, struct.unpack_from("<IIQQQQQQ", kernel, at)


loads = [at for at, s in segments() if s[0] == PT_LOAD]
text = next(at for at, s in segments() if s[0] == PT_LOAD and s[1] & 1)
dynamic = next(at for at, s in segments() if s[0] == PT_DYNAMIC)
P_TYPE, P_FLAGS, P_OFFSET, P_VADDR, P_FILESZ, P_MEMSZ = 0, 4, 8, 16, 32, 40

boots("the bundle as built boots", whole)
boots("written anew from its parts it boots", bundle_of(parts))
point("written anew it has the same bytes", bundle_of(parts) == whole)
boots("without symbols it boots", bundle_of([p for p in parts if p[0] != SYMBOLS]))

refused("no bundle at all", None, "bundle", "missing")
refused("one byte", b"M", "bundle")
refused("zeros", bytes(65536), "bundle")
refused("text", b"not a bundle, but a text file\n" * 40, "bundle", "not a Mayfly bundle")
refused("another version", bundle_of(parts, version=2), "bundle", "version")
refused("another magic", bundle_of(parts, magic=b"MFLYBNDX"), "bundle")
refused("a bundle cut in its header", whole[:20], "bundle")
refused("a bundle cut in its kernel", whole[:len(whole) // 2], "bundle", "size")
refused("a bundle cut by one byte", whole[:-1], "bundle", "size")
refused("a cut bundle that owns up to its size",
        patched(whole[:70000], 16, "<Q", 70000), "kernel", "longer")
refused("bytes after the end", whole + bytes(16), "bundle", "size")
refused("bytes after the end, counted in",
        patched(whole + bytes(16), 16, "<Q", len(whole) + 16), "bundle", "after")
refused("a size that wraps", patched(whole, 16, "<Q", 2**64 - 1), "bundle", "size")
refused("a part's size that wraps", patched(whole, 32, "<Q", 2**64 - 8), "kernel", "longer")
refused("more parts than there are", bundle_of(parts, count=len(parts) + 1), "bundle")
refused("four thousand million parts", bundle_of(parts, count=2**32 - 1), "bundle")
refused("fewer parts than there are", bundle_of(parts, count=1), "bundle", "after")
refused("no parts", bundle_of([]), "kernel", "missing")
refused("no kernel", bundle_of([p for p in parts if p[0] != KERNEL]), "kernel", "missing")
refused("two kernels", bundle_of([(KERNEL, kernel)] + parts), "kernel", "twice")
refused("parts in another order", bundle_of(parts[::-1]), "kernel", "order")
refused("an unknown part", bundle_of(parts + [(77, b"?")]), "bundle", "unknown")
refused("part number 0", bundle_of([(0, b"")] + parts), "bundle", "unknown")
refused("a reserved field in use", bundle_of(parts, zero=1), "kernel", "reserved")
refused("padding in use", whole[:-1] + b"\1" if len(parts[-1][1]) % 16 else
        bundle_of(parts[:1] + [(CMDLINE, b"x")])[:-1] + b"\1", r"(symbols|cmdline)", "padding")

refused("an empty kernel", with_kernel(b""), "kernel")
refused("a kernel cut in its header", with_kernel(kernel[:40]), "kernel")
refused("a kernel cut in its program headers", with_kernel(kernel[:PHOFF + 60]), "kernel")
refused("a kernel cut in half", with_kernel(kernel[:len(kernel) // 2]), "kernel")
refused("a kernel that is no ELF", with_kernel(b"\x7fBAD" + kernel[4:]), "kernel")
refused("a 32-bit kernel", with_kernel(patched(kernel, 4, "B", 1)), "kernel")
refused("a big-endian kernel", with_kernel(patched(kernel, 5, "B", 2)), "kernel")
refused("an ARM kernel", with_kernel(patched(kernel, E_MACHINE, "<H", 183)), "kernel")
refused("a kernel at a fixed address", with_kernel(patched(kernel, E_TYPE, "<H", 2)), "kernel")
refused("an entry in the data",
        with_kernel(patched(kernel, E_ENTRY, "<Q",
                            struct.unpack_from("<Q", kernel, loads[-1] + P_VADDR)[0])),
        "kernel", "entry")
refused("an entry outside", with_kernel(patched(kernel, E_ENTRY, "<Q", 2**63)), "kernel",
        "entry")
refused("no program headers", with_kernel(patched(kernel, E_PHNUM, "<H", 0)), "kernel")
refused("65535 program headers", with_kernel(patched(kernel, E_PHNUM, "<H", 65535)), "kernel")
refused("program headers at the end of the address space",
        with_kernel(patched(kernel, E_PHOFF, "<Q", 2**64 - 16)), "kernel")
refused("odd program headers", with_kernel(patched(kernel, E_PHENTSIZE, "<H", 32)), "kernel")
refused("a writable text", with_kernel(patched(kernel, text + P_FLAGS, "<I", 7)), "kernel",
        "writable and executable")
refused("segments over each other",
        with_kernel(patched(kernel, loads[1] + P_VADDR, "<Q", 0)), "kernel")
refused("a segment at an odd address",
        with_kernel(patched(kernel, loads[-1] + P_VADDR, "<Q",
                            struct.unpack_from("<Q", kernel, loads[-1] + P_VADDR)[0] + 8)),
        "kernel")
refused("a segment beyond the file",
        with_kernel(patched(kernel, loads[-1] + P_OFFSET, "<Q", len(kernel) - 8)), "kernel")
refused("a segment offset that wraps",
        with_kernel(patched(kernel, loads[-1] + P_OFFSET, "<Q", 2**64 - 4096)), "kernel")
refused("more in the file than in memory",
        with_kernel(patched(kernel, loads[0] + P_MEMSZ, "<Q", 16)), "kernel")
refused("a kernel of a terabyte",
        with_kernel(patched(kernel, loads[-1] + P_MEMSZ, "<Q", 2**40)), "kernel")
refused("a segment that wraps",
        with_kernel(patched(kernel, loads[-1] + P_MEMSZ, "<Q", 2**64 - 4096)), "kernel")
refused("a wild dynamic segment",
        with_kernel(patched(kernel, dynamic + P_OFFSET, "<Q", 2**62)), "kernel")

ends("refuses too little memory", boot(mem="3", root=None, timeout=20), "REFUSED",
     "(?m)^mayfly: loader: refused: machine: ")
ends("refuses a command line that is too long",
     boot(root=None, cmdline="x" * 8000, timeout=20), "REFUSED",
     "(?m)^mayfly: loader: refused: cmdline: too long")
boots("after all that the bundle still boots", whole)
finish()
