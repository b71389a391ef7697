"""Checks file names that a model wrote: an unsafe name is refused, not repaired.

A repaired name would be a file that the task did not ask for, and the grader would judge the wrong
file. The rules are the same on all systems, so that an answer gets the same verdict everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import accumulate

# Of a whole name: Windows allows 260 characters, including the folder that the file is in.
_MAX_BYTES = 150
_MAX_PARTS = 8
_FORBIDDEN = re.compile(r'[<>:"|?*\\]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class RefusedName(ValueError):
    """A file name that is invalid or leads out of the folder."""


def check_file_names(names: Iterable[str]) -> None:
    """Check that names are relative paths of files that can exist in one folder together.

    Raises:
        RefusedName: The name, and what is wrong with it.
    """
    files: set[str] = set()
    folders: set[str] = set()
    for name in names:
        if problem := _problem(name):
            raise RefusedName(f"file name {name!r}: {problem}")
        # Some file systems are not case-sensitive.
        *above, path = accumulate(name.casefold().split("/"), "{}/{}".format)
        if path in files or path in folders or not files.isdisjoint(above):
            raise RefusedName(f"file name {name!r}: another file is in its place")
        files.add(path)
        folders.update(above)


def _problem(name: str) -> str:
    """Return what is wrong with a single name; empty if it is valid."""
    parts = name.split("/")
    if len(parts) > _MAX_PARTS:
        return f"more than {_MAX_PARTS} parts"
    for part in parts:
        if part in ("", ".", ".."):
            return "not a plain relative path"
        if not part.isprintable() or _FORBIDDEN.search(part):
            return "a character that has no place in a file name"
        if part != part.strip() or part.endswith("."):
            return "a blank at an end or a dot at the end, which Windows drops"
        if _RESERVED.fullmatch(part):
            return "a name that Windows reserves"
    return f"more than {_MAX_BYTES} bytes" if len(name.encode()) > _MAX_BYTES else ""
