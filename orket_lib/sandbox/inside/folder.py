"""The working folder of a sandbox, as its supervisor sees it."""

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
    """Return a descriptor that reads some content, of a file that has no name any more."""
    path = f"{folder}/stdin"
    with open(path, "xb") as stream:
        stream.write(content)
    descriptor = os.open(path, os.O_RDONLY)
    os.unlink(path)
    return descriptor


def state(folder: str, files: Mapping[str, bytes]) -> object:
    """Return what changes when anything in the folder does."""
    room = os.statvfs(folder)
    seen: list[object] = [room.f_bfree, room.f_ffree]
    for path in ("", *files):
        try:
            entry = os.stat(f"{folder}/{path}", follow_symlinks=False)
        except OSError:
            return None
        # Unlike the time of the last writing, this one can't be set.
        seen += (entry.st_ino, entry.st_ctime_ns)
    return seen


def is_full(folder: str, most_files: int) -> bool:
    """Tell whether a limit of the folder is reached; not every kind bounds the files by itself."""
    room = os.statvfs(folder)
    return room.f_bfree == 0 or room.f_files - room.f_ffree >= most_files
