"""A disk of a few MiB that can be filled to the brim; it takes root, and a right to mount."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

_BLOCK = 4096


class SmallDisk(NamedTuple):
    """A file system in a folder."""

    folder: Path

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, left: int = 0) -> None:
        """Leave so many bytes free, rounded to whole blocks."""
        free = shutil.disk_usage(self.folder).free // _BLOCK * _BLOCK
        with self._ballast.open("ab") as stream:
            stream.write(bytes(free - left))

    def empty(self) -> None:
        """Make room again."""
        self._ballast.unlink()


@contextmanager
def small_disk_at(folder: Path, mib: int) -> Iterator[SmallDisk]:
    """Mount a disk of so many MiB; the test is skipped where that can't be done."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small disk takes Linux and root")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
