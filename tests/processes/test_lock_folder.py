"""Where locks are kept: a folder of the whole machine, or a message that says what to type."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from orket_lib.processes import device_lock, lock_folder
from orket_lib.processes.lock_folder import REMEDY, VARIABLE
from orket_lib.vocabulary.errors import Refused

posix = pytest.mark.skipif(sys.platform == "win32", reason="folders as on POSIX")


@pytest.fixture(autouse=True)
def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder that stands for /tmp."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(lock_folder, "_INSTEAD", folder)
    monkeypatch.delenv(VARIABLE, raising=False)
    return folder


def fail_below(folder: Path, code: int, patch: pytest.MonkeyPatch) -> None:
    """Let nothing be made below a folder."""
    real = Path.mkdir

    def mkdir(path: Path, *args: Any, **more: Any) -> None:
        if path.parent == folder:
            raise OSError(code, os.strerror(code), str(path))
        real(path, *args, **more)

    patch.setattr(Path, "mkdir", mkdir)


def test_the_usual_folder_needs_no_word(tmp_path: Path) -> None:
    found = lock_folder.lock_folder(tmp_path, {})
    assert (found.path, found.note) == (tmp_path / "orket-locks", None)


@posix
@pytest.mark.parametrize("why", ["read-only", "missing", "made, then read-only"])
def test_what_holds_for_all_processes_leads_to_another_folder_with_a_word(
    tmp_path: Path, instead: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    usual = tmp_path / "var"
    if why != "missing":
        usual.mkdir()
    if why == "read-only":
        fail_below(usual, errno.EROFS, monkeypatch)
    if why == "made, then read-only":
        (usual / "orket-locks").mkdir()
        real = os.statvfs

        class ReadOnly:
            f_flag = os.ST_RDONLY

        monkeypatch.setattr(os, "statvfs", lambda at: ReadOnly if usual in at.parents else real(at))
    found = lock_folder.lock_folder(usual, {})
    assert found.path == instead / "orket-locks"
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o777
    assert found.note is not None
    assert f"locks are in {found.path}, and exclude only those that use it" in found.note


@posix
@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC, errno.EPERM, errno.EIO])
def test_what_may_differ_between_users_is_refused_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fail_below(tmp_path, code, monkeypatch)
    with pytest.raises(Refused) as refused:
        lock_folder.lock_folder(tmp_path, {})
    assert str(refused.value) == (
        f"{tmp_path / 'orket-locks'}: locks can't be kept there: {os.strerror(code)}; {REMEDY}"
    )


@posix
def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "orket-locks").write_text("", encoding="ascii")
    with pytest.raises(Refused, match="the lock folder is not a folder; name a folder that all"):
        lock_folder.lock_folder(tmp_path, {})


@posix
def test_no_folder_at_all_is_refused(
    tmp_path: Path, instead: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_below(instead, errno.EROFS, monkeypatch)
    with pytest.raises(Refused, match=f"Read-only file system; name .* export {VARIABLE}=FOLDER"):
        lock_folder.lock_folder(tmp_path / "missing", {})


def test_a_setting_names_the_folder_and_says_whom_it_excludes(tmp_path: Path) -> None:
    chosen = tmp_path / "shared"
    found = lock_folder.lock_folder(tmp_path, {VARIABLE: str(chosen)})
    assert found.path == chosen
    assert found.note is not None
    assert f"only measurements that set it to {chosen} wait for each other" in found.note


@pytest.mark.parametrize("value", ["locks", "./locks"])
def test_a_relative_setting_would_be_another_folder_for_each(tmp_path: Path, value: str) -> None:
    with pytest.raises(Refused, match=f"{VARIABLE}: must be an absolute path"):
        lock_folder.lock_folder(tmp_path, {VARIABLE: value})


def test_a_setting_below_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"missing/locks: locks can't be kept there: No such file"):
        lock_folder.lock_folder(tmp_path, {VARIABLE: str(tmp_path / "missing" / "locks")})


def test_an_empty_setting_is_none(tmp_path: Path) -> None:
    assert lock_folder.lock_folder(tmp_path, {VARIABLE: ""}).note is None


@posix
def test_a_lock_file_that_can_t_be_opened_is_refused_with_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_lock, "_machine_folder", lambda: tmp_path)
    (tmp_path / "orket-locks" / "cpu.lock").mkdir(parents=True)
    with (
        pytest.raises(Refused, match=f"cpu.lock: locks can't be kept there: .*{VARIABLE}"),
        device_lock.device_lock("cpu", "one", print),
    ):
        pass
