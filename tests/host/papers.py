#!/usr/bin/python3
"""--report and --timeline: the JSON's fields, a drawing that is well-formed XML."""
import json
import os
import subprocess
import tempfile
import xml.etree.ElementTree

from term import check, finish, setup


def run(folder, *words):
    """The report of a run."""
    subprocess.run([os.environ["MAYFLY"], "run", "--cwd", folder, "--report",
                    f"{folder}/report", "--timeline", f"{folder}/timeline.svg", *words],
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE, timeout=60, check=False)
    with open(f"{folder}/report", encoding="utf-8") as file:
        return json.load(file)


def main():
    with tempfile.TemporaryDirectory() as folder:
        setup(folder)
        report = run(folder, "--", "sh", "-c", "echo hello; echo x >&2; sleep 0.1; exit 3")
        check("the outcome", report["outcome"] == "exited" and report["exit_status"] == 3, report)
        check("the command", report["command"][:2] == ["sh", "-c"], report)
        check("bytes printed", report["output"]["stdout_bytes"] == 6 and
              report["output"]["stderr_bytes"] == 2, report)
        check("times", 0 < report["times"]["job_ms"] < report["times"]["total_ms"], report)
        parts = [report["times"][name] for name in ("boot_ms", "setup_ms", "job_ms")]
        check("are parts of the whole", all(part > 0 for part in parts) and
              sum(parts) <= report["times"]["total_ms"], report)
        check("memory", report["memory"]["limit_bytes"] == 128 << 20 and
              report["memory"]["max_rss_bytes"] > 0, report)
        check("refused calls are a list", isinstance(report["refused_syscalls"], list), report)
        check("how it booted", report["boot"]["cpus"] == 1, report)

        svg = xml.etree.ElementTree.parse(f"{folder}/timeline.svg").getroot()
        texts = [e.text for e in svg.iter() if e.tag.endswith("text")]
        check("the drawing is XML", svg.tag.endswith("svg"), svg.tag)
        for mark in ("qemu start", "agent ready", "job started", "job exited", "qemu gone"):
            check(f"it shows '{mark}'", mark in texts, texts)

        report = run(folder, "--", "sh", "-c", "kill -11 $$")
        check("a signal", report["outcome"] == "killed" and report["signal"] == 11, report)
        report = run(folder, "--timeout", "200ms", "--", "sleep", "9")
        check("a timeout", report["outcome"] == "timed-out" and report["exit_status"] == 124 and
              "timed out" in report["message"], report)
        report = run(folder, "--", "nosuch")
        check("a job that did not start", report["outcome"] == "not-started" and
              report["times"]["job_ms"] is None, report)
        report = run(folder, "--", "echo", b"\xff\xfe<&")
        check("arguments that are not UTF-8", report["command"][1] == "??<&", report)
    finish()


main()
