#!/usr/bin/python3
"""The layer lint: includes go down the layers, never up or across.

    layers.py [ROOT]

L1: lib <- {boot, kernel, policy, vboot, attest, userland, host} <- tests; siblings do
    not include each other, except that host uses policy, vboot and attest.
L2: inside the kernel a file includes its own layer or a lower one of LAYERS.
L3: only arch/arch.h is seen above arch; arch/upcall.h by those who define its calls.
    arch/x86_64 reaches up only through arch/upcall.h.
L4: folders side by side in one kernel layer (fs/ext4, fs/tmpfs) do not see each other.
L5: lib, boot and kernel include no libc header, only the compiler's, Linux's UAPI
    and the libraries built for them.
"""
import os
import re

import tree

LAYERS = ["arch", "core", "mm", "sec", "dev", "fs", "net", "proc", "ipc",
          "sys", "init"]
MAY_USE = {
    "lib": {"lib"},
    "boot": {"boot", "lib"},
    "kernel": {"kernel", "lib"},
    "policy": {"policy", "lib"},
    "vboot": {"vboot", "lib"},
    "attest": {"attest", "lib"},
    "userland": {"userland", "lib"},
    "host": {"host", "policy", "vboot", "attest", "lib"},
}
FREESTANDING = {"lib", "boot", "kernel"}
SYSTEM = re.compile(
    r"(stdarg|stdbool|stddef|stdint|stdalign|stdnoreturn|limits|cpuid)\.h$"
    r"|(linux|asm|asm-generic|sodium|lwip)/|sodium\.h$")
INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')


def resolve(root, path, target):
    """The repository path an #include "target" names, or None when it is generated."""
    bases = [os.path.dirname(path), ""]
    if path.startswith("kernel/"):
        bases.append("kernel")
    for base in bases:
        found = os.path.normpath(os.path.join(base, target))
        if os.path.exists(os.path.join(root, found)):
            return found
    return None


def kernel_fault(source, target):
    """Why a kernel file may not include another, or None."""
    _, layer, *below = source.split("/")
    _, target_layer, *target_below = target.split("/")
    if layer not in LAYERS or target_layer not in LAYERS:
        return "not in a known layer"
    if target_layer == "arch" and layer != "arch":
        if target_below in (["arch.h"], ["upcall.h"]):
            return None
        return "only arch/arch.h is seen above arch (L3)"
    if LAYERS.index(target_layer) > LAYERS.index(layer):
        return f"{layer} is below {target_layer} (L2)"
    if layer == target_layer and len(target_below) > 1 and len(below) > 1 \
            and below[0] != target_below[0]:
        return f"{layer}/{below[0]} and {layer}/{target_below[0]} are siblings (L4)"
    return None


def fault(source, target):
    top, target_top = source.split("/")[0], target.split("/")[0]
    if top not in MAY_USE:
        return None
    if target_top not in MAY_USE[top]:
        return f"{top} does not include {target_top} (L1)"
    if top == target_top == "kernel":
        return kernel_fault(source, target)
    if top == target_top == "userland" and source.split("/")[1] != target.split("/")[1]:
        return "programs of userland do not include each other (L1)"
    return None


def check(root):
    for path in tree.files(root, (".c", ".h", ".S", ".def")):
        top = path.split("/")[0]
        for number, line in enumerate(tree.lines(root, path), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            kind, target = match.groups()
            why = None
            if kind == "<":
                if top in FREESTANDING and not SYSTEM.match(target):
                    why = f"{top} includes no libc header (L5)"
            else:
                found = resolve(root, path, target)
                why = found and fault(path, found)
            if why:
                yield f"{path}:{number}: {target}: {why}"


if __name__ == "__main__":
    tree.main(check)
