"""The working folder of a sandbox, as seen by its supervisor."""

# ruff: noqa: PTH103, PTH108, PTH116, PTH120, PTH123
# pathlib takes 10 ms to import, a third of what a sandbox may cost.

from __future__ import annotations

import os
import sys

assert sys.platform == "linux"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def write_files(folder: str, files: Mapping[str, bytes]) -> None:
    """Write files whose names have been checked."""
    for name, content in files.items():
        path = f"{folder}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "xb") as stream:
            stream.write(content)


def readable(folder: str, content: bytes) -> int:
    """Return a descriptor from which `content` can be read; the file itself is unlinked."""
    path = f"{folder}/stdin"
    with open(path, "xb") as stream:
        stream.write(content)
    descriptor = os.open(path, os.O_RDONLY)
    os.unlink(path)
    return descriptor


def state(folder: str, files: Mapping[str, bytes]) -> object:
    """Return a value that changes when anything in the folder does."""
    space = os.statvfs(folder)
    seen: list[object] = [space.f_bfree, space.f_ffree]
    for path in ("", *files):
        try:
            entry = os.stat(f"{folder}/{path}", follow_symlinks=False)
        except OSError:
            return None
        # Unlike mtime, ctime can't be set by a program.
        seen += (entry.st_ino, entry.st_ctime_ns)
    return seen


def is_full(folder: str, most_files: int) -> bool:
    """Return whether a limit of the folder is reached; bubblewrap doesn't limit files itself."""
    space = os.statvfs(folder)
    return space.f_bfree == 0 or space.f_files - space.f_ffree >= most_files
