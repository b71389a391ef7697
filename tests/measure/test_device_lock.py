from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from filelock import FileLock

from orket_lib.measure import device_lock as locks
from orket_lib.measure.device_lock import device_lock, device_locks

posix = pytest.mark.skipif(sys.platform == "win32", reason="rights as on POSIX")
machine_folder = locks._machine_folder  # before the tests get one of their own
NOBODY = 65534


def lock_file(tmp_path: Path) -> Path:
    return tmp_path / "orket-locks" / "cpu.lock"


def test_a_device_is_locked_while_it_is_measured_and_free_after(tmp_path: Path) -> None:
    said: list[str] = []
    with device_lock("cpu", "one", said.append):
        assert not _is_free(tmp_path)
    assert _is_free(tmp_path)
    assert said == []


def test_a_failed_measurement_frees_the_device(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), device_lock("cpu", "one", print):
        raise ZeroDivisionError
    assert _is_free(tmp_path)


def test_who_has_to_wait_is_told_once_for_whom(tmp_path: Path) -> None:
    said: list[str] = []
    with device_lock("cpu", "measuring nano Q8_0", said.append):
        pass  # leaves the note of its holder behind
    other = FileLock(lock_file(tmp_path))
    other.acquire()

    def waiting(text: str) -> None:
        said.append(text)
        other.release()

    with device_lock("cpu", "two", waiting):
        assert not _is_free(tmp_path)
    (text,) = said
    assert text.startswith("waiting for the cpu: process ")
    assert "(measuring nano Q8_0)" in text


def test_several_devices_are_locked_together_the_processor_first(tmp_path: Path) -> None:
    gpu = lock_file(tmp_path).with_name("GPU-1.lock")
    said: list[str] = []
    other = FileLock(gpu)

    with device_lock("GPU-1", "measuring nano Q8_0", said.append):
        pass  # leaves the note of its holder behind
    other.acquire()

    def waiting(text: str) -> None:
        assert not _is_free(tmp_path), "the processor is held already"
        said.append(text)
        other.release()

    with device_locks(["GPU-1", "cpu", "GPU-1"], "two", waiting):
        assert not _is_free(tmp_path)
        assert not _is_free(tmp_path, gpu)
    assert _is_free(tmp_path) and _is_free(tmp_path, gpu)
    (text,) = said
    assert text.startswith("waiting for the GPU GPU-1: process ")


@posix
def test_the_folder_of_locks_is_the_same_whatever_a_user_may_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = set()
    for rights in (True, False):
        monkeypatch.setattr(os, "access", lambda *_, may=rights: may)
        found.add(machine_folder())
    (folder,) = found
    assert folder.stat().st_mode & 0o1777 == 0o1777, "everybody may make something there"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder as /var/tmp is: all users may write, each may remove only what is theirs."""
    with tempfile.TemporaryDirectory(prefix="orket-test-") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        monkeypatch.setattr(locks, "_machine_folder", lambda: folder)
        yield folder


@posix
def test_whoever_waits_may_read_for_whom(shared: Path) -> None:
    before = os.umask(0o077)
    try:
        with device_lock("cpu", "one", print):
            (holder,) = (shared / "orket-locks").glob("*.holder.json")
            assert stat.S_IMODE(holder.stat().st_mode) == 0o644
    finally:
        os.umask(before)


def as_nobody() -> int:
    """Take the lock as another user, in another process, and return its exit status.

    0 when it got the lock, 3 when it would have had to wait, 9 when it failed.
    """
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            with device_lock("cpu", "nobody's", _would_wait):
                os._exit(0)
        except BaseException:
            os._exit(9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _would_wait(_: str) -> NoReturn:
    os._exit(3)


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("first", ["root", "nobody"])
def test_two_users_exclude_each_other_whoever_came_first(shared: Path, first: str) -> None:
    before = os.umask(0o077)
    try:
        if first == "nobody":
            assert as_nobody() == 0
        with device_lock("cpu", "root's", print):
            assert as_nobody() == 3
        assert as_nobody() == 0
        with device_lock("cpu", "root's", print):
            pass
    finally:
        os.umask(before)


@posix
def test_a_link_in_place_of_the_folder_is_refused_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "somebody's"
    target.mkdir(mode=0o700)
    (tmp_path / "orket-locks").symlink_to(target)
    with (
        pytest.raises(NotADirectoryError, match="must be a folder of locks"),
        device_lock("cpu", "one", print),
    ):
        pass
    assert (stat.S_IMODE(target.stat().st_mode), list(target.iterdir())) == (0o700, [])


@posix
def test_a_link_in_place_of_the_holder_s_note_is_not_written_through(tmp_path: Path) -> None:
    with device_lock("cpu", "one", print):
        pass
    other = tmp_path / "other"
    other.write_text("kept", encoding="ascii")
    note = lock_file(tmp_path).with_name("cpu.holder.json")
    note.unlink()
    note.symlink_to(other)
    with device_lock("cpu", "two", print):
        assert "two" in note.read_text(encoding="utf-8")
    assert other.read_text(encoding="ascii") == "kept"


def test_a_lock_that_is_used_never_looks_old_enough_to_be_cleaned_away(tmp_path: Path) -> None:
    with device_lock("cpu", "one", print):
        pass
    month_ago = time.time() - 30 * 86400
    os.utime(lock_file(tmp_path), (month_ago, month_ago))
    with device_lock("cpu", "two", print):
        assert lock_file(tmp_path).stat().st_mtime > month_ago + 86400


def _is_free(tmp_path: Path, path: Path | None = None) -> bool:
    probe = FileLock(path or lock_file(tmp_path), timeout=0)
    try:
        with probe:
            return True
    except TimeoutError:
        return False
