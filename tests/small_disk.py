"""A disk that can be filled to the brim; it takes root, and a system that may mount."""

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
    """A file system in a folder; what fills it up is that it is made smaller."""

    folder: Path
    mib: int

    def fill(self, left: int = 0) -> None:
        """Leave so many bytes free, rounded to whole blocks; of what another program took."""
        if not shutil.disk_usage(self.folder).used:  # a disk of no blocks would have no limit
            (self.folder / "block").write_bytes(bytes(_BLOCK))
        used = shutil.disk_usage(self.folder).used
        self._resize(used + left // _BLOCK * _BLOCK)

    def empty(self) -> None:
        """Make room again."""
        self._resize(self.mib * 2**20)

    def _resize(self, size: int) -> None:
        command = ["mount", "-o", f"remount,size={size}", str(self.folder)]
        subprocess.run(command, check=True, capture_output=True)


@contextmanager
def small_disk_at(folder: Path, mib: int) -> Iterator[SmallDisk]:
    """Mount a disk of so many MiB; the test is skipped where that can't be done."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small disk takes Linux and root")
    try:
        yield SmallDisk(folder, mib)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
