"""Full disks are refused before writing, and explained in errors."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from orket_lib.artifacts.disk import disk_of, free_mib, require_space, why_not_written
from orket_lib.vocabulary.errors import ArtifactError


def test_room_is_looked_for_where_a_file_would_lie(tmp_path: Path) -> None:
    place = tmp_path / "not" / "there" / "yet.json"
    assert free_mib(place) == pytest.approx(free_mib(tmp_path), rel=0.1)
    assert os.path.ismount(disk_of(place))
    require_space([place], 0)
    with pytest.raises(ArtifactError, match=r"yet\.json: the disk at .* is full .*Make room on it"):
        require_space([place], 1e12)


def test_a_folder_that_cannot_be_written_to_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(ArtifactError, match=r"results: .* can't be written to\. Make it writable"):
        require_space([tmp_path / "results"], 0)


def test_only_a_full_disk_is_called_one(tmp_path: Path) -> None:
    denied = OSError(errno.EACCES, "Permission denied")
    assert why_not_written(denied, tmp_path) == "Permission denied"
    full = OSError(errno.ENOSPC, "No space left on device")
    assert why_not_written(full, tmp_path).startswith(
        f"No space left on device: the disk at {disk_of(tmp_path)} is full ("
    )
