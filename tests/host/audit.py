#!/usr/bin/python3
"""The audit log that a VM's kernel writes, read by a program of its own: the digests are those
that hashlib's BLAKE2b gives, and each record holds that of the one before.
"""
import hashlib
import os
import struct
import subprocess
import tempfile

from term import check, finish

SIZE = 512
READ = "dd if=/proc/audit/data bs=512 count=$(sed -n 's/^records //p' /proc/audit/stats) 2>/dev/null"


def run(script, *options):
    return subprocess.run(
        [os.environ["MAYFLY"], "run", "--user", "0", "--timeout", "60s", *options, "--", "sh", "-c",
         script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=120, check=True).stdout


def blake2b(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def chain_holds(log):
    previous = bytes(32)
    for at in range(0, len(log), SIZE):
        record = log[at:at + SIZE]
        if struct.unpack_from("<Q", record)[0] != at // SIZE:
            return f"record {at // SIZE} has another number"
        if record[448:480] != previous or record[480:] != blake2b(record[:480]):
            return f"record {at // SIZE} is not chained"
        previous = record[480:]
    return ""


def main():
    log = run("boot_id=$(cat /proc/sys/kernel/random/boot_id); su job -c true; su job -c 'su root';"
              f"echo $boot_id; {READ}", "--cpus", "2")
    boot_id, _, log = log.partition(b"\n")
    check("whole records", len(log) >= 5 * SIZE and len(log) % SIZE == 0, str(len(log)))
    check("each follows the one before", not chain_holds(log), chain_holds(log))
    check("the first is the boot's", struct.unpack_from("<I", log, 40)[0] == 1)
    check("all are of this boot", all(
        log[at + 24:at + 40] == bytes.fromhex(boot_id.decode().replace("-", ""))
        for at in range(0, len(log), SIZE)))
    programs = [log[at + 128:at + 160] for at in range(SIZE, len(log), SIZE)]
    check("a program is its path's digest", blake2b(b"/bin/sh") in programs)
    check("a changed bit shows", chain_holds(log[:700] + bytes([log[700] ^ 1]) + log[701:]))
    many = run("i=0; while [ $i -lt 40 ]; do su job -c true & i=$((i+1)); done; wait;" + READ,
               "--cpus", "4")
    check("many at once are one chain", len(many) > 40 * SIZE and not chain_holds(many),
          chain_holds(many))


with tempfile.TemporaryDirectory() as folder:
    os.environ.update(MAYFLY_ACCEL="tcg", XDG_CACHE_HOME=folder, HOME=folder)
    main()
finish()
