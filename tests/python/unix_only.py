#!/usr/bin/python3
"""unix_only.py PROG [ARG]...: run a program for which socket(2) knows AF_UNIX alone, as in a VM
without a network: other families get EAFNOSUPPORT. Takes CAP_SYS_ADMIN."""
import ctypes
import errno
import os
import socket
import struct
import sys

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7fff0000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06      # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
NUMBER, FAMILY = 0, 16                      # offsets in struct seccomp_data
SYS_SOCKET, SYS_SOCKETPAIR = 41, 53         # on x86-64


def statement(code, k, if_true=0, if_false=0):
    return struct.pack("=HBBI", code, if_true, if_false, k)


def main():
    program = b"".join([
        statement(LOAD, NUMBER),
        statement(EQUAL, SYS_SOCKET, 1, 0),
        statement(EQUAL, SYS_SOCKETPAIR, 0, 2),
        statement(LOAD, FAMILY),
        statement(EQUAL, socket.AF_UNIX, 0, 1),
        statement(RETURN, SECCOMP_RET_ALLOW),
        statement(RETURN, SECCOMP_RET_ERRNO | errno.EAFNOSUPPORT),
    ])
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0):
        sys.exit(f"unix_only.py: {os.strerror(ctypes.get_errno())}")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
