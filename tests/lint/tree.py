"""What the lints share: which files of a tree they look at, and how they report."""
import os
import sys

SKIPPED = {".git", "__pycache__"}
FIXTURES = os.path.join("tests", "lint", "fixtures")


def files(root, suffixes):
    """Paths relative to root, sorted; build folders and the fixtures are left out."""
    found = []
    for folder, subfolders, names in os.walk(root):
        here = os.path.relpath(folder, root)
        subfolders[:] = [
            s for s in subfolders
            if s not in SKIPPED and not (here == "." and s.startswith("build"))
            and os.path.normpath(os.path.join(here, s)) != FIXTURES
        ]
        found += [os.path.normpath(os.path.join(here, n)) for n in names
                  if n.endswith(suffixes)]
    return sorted(found)


def lines(root, path):
    with open(os.path.join(root, path), errors="replace") as text:
        return text.read().split("\n")


def main(check):
    """Runs check(root), which yields complaints; the exit status says if there was one."""
    complaints = list(check(sys.argv[1] if len(sys.argv) > 1 else "."))
    print("\n".join(complaints), end="\n" if complaints else "")
    sys.exit(1 if complaints else 0)
