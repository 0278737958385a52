#!/usr/bin/python3
"""The known ways to become root of tests/attack/gain_root_*.c: whatever is refused to somebody who
tries one is in the log, and stands out in `mayfly audit tree`. Ways that are not refused but lead
nowhere (an environment that is not looked at, bits that a change takes away) are not here.
"""
import os
import struct
import subprocess
import tempfile

from audit_log import SIZE
from term import check, finish

MAYFLY = os.path.abspath(os.environ["MAYFLY"])
FOLDER = os.path.join(os.path.abspath(os.environ["BUILD"]), "tests/attack")
WAYS = {
    "gain_root_exec": [
        "a_script_s_bit_counts_for_nothing", "a_thread_apart_does_not_hide_a_sharer",
        "an_unreadable_interpreter_is_not_looked_into"],
    "gain_root_trace": [
        "all_doors_into_it_are_shut", "files_of_the_process_from_before_show_nothing",
        "it_stays_shut_when_it_is_root_no_more", "root_is_not_signalled",
        "signals_to_it_are_not_forged"],
    "gain_root_files": [
        "a_folder_s_group_is_not_given_away", "a_new_root_is_not_left",
        "bits_given_after_the_x_bit_was_taken_are_not_for_all", "links_to_it_are_refused",
        "mounts_are_not_a_plain_user_s", "settings_are_not_a_plain_user_s",
        "what_is_left_open_is_not_opened_wider"],
    "gain_root_ids": [
        "calls_of_root_are_refused", "capabilities_are_not_had_for_the_asking",
        "given_up_is_given_up", "ids_are_not_had_for_the_asking", "nobody_sends_as_root",
        "nothing_is_typed_for_root", "one_capability_is_not_more",
        "shared_memory_of_root_stays_its_own"],
}
EXEC, KEPT = 3, {7, 8, 9, 10, 14}       # causes that keep a program from what its bits say


def refused(record):
    event, cause, result = struct.unpack_from("<IIq", record, 40)
    return result < 0 or (event == EXEC and cause in KEPT)


def attempt(program, way):
    subprocess.run([MAYFLY, "run", "--policy", "open", "--user", "root", "--cpus", "2",
                    "--audit", "log", "--",
                    os.path.join(FOLDER, program), way], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, timeout=120, check=True)
    with open("log", "rb") as file:
        data = file.read()
    records = [data[at:at + SIZE] for at in range(0, len(data), SIZE)]
    tried = [r for r in records if refused(r)]
    check(f"{way}: what was refused is told", tried, len(records))
    sound = subprocess.run([MAYFLY, "audit", "verify", "log"], stdout=subprocess.PIPE)
    check(f"{way}: by a sound log", sound.returncode == 0, sound.stdout)
    tree = subprocess.run([MAYFLY, "audit", "tree", "log"], stdout=subprocess.PIPE,
                          env=dict(os.environ, LC_ALL="C.UTF-8"), check=True).stdout.decode()
    check(f"{way}: the tree marks it", "✗" in tree, tree)


with tempfile.TemporaryDirectory() as folder:
    os.environ.update(MAYFLY_ACCEL="tcg", XDG_CACHE_HOME=folder, HOME=folder)
    os.chdir(folder)
    for program, ways in WAYS.items():
        for way in ways:
            attempt(program, way)
finish()
