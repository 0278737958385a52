"""For the scripts of this folder, to be imported: audit logs of real runs, and what may be done to
them. The digests are hashlib's."""
import hashlib
import os
import struct
import subprocess
import tempfile

SIZE = 512
END = 11


def sealed(records):
    """The records with sequence numbers, each chained to the one before."""
    done, previous = [], bytes(32)
    for number, record in enumerate(records):
        record = struct.pack("<Q", number) + record[8:448] + previous
        previous = hashlib.blake2b(record, digest_size=32).digest()
        done.append(record + previous)
    return done


def ended(records):
    """With a record that ends the log, as the kernel's own on the way down."""
    last = bytearray(records[-1])
    struct.pack_into("<IIqIiiiiI", last, 40, END, 0, 0, 0, 0, 0, 0, 0, 0xffffffff)
    last[80:448] = bytes(368)
    return sealed(records + [bytes(last)])


def record_run(script, *options):
    """The records that a run of the script leaves, root's shell in a VM of its own."""
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(
            [os.environ["MAYFLY"], "run", "--policy", "open", "--user", "root",
             "--timeout", "60s", "--audit",
             file.name, *options, "--", "sh", "-c", f"{{ {script}; }} >/dev/null 2>&1; true"],
            stdin=subprocess.DEVNULL, timeout=120, check=True)
        with open(file.name, "rb") as written:
            log = written.read()
    return [log[at:at + SIZE] for at in range(0, len(log), SIZE)]


def event_of(record):
    return struct.unpack_from("<I", record, 40)[0]


def result_of(record):
    return struct.unpack_from("<q", record, 48)[0]
