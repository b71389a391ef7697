from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import psutil
import pytest
from filelock import FileLock

from orket_lib.processes import device_lock as locks
from orket_lib.processes.device_lock import device_lock, device_locks
from orket_lib.vocabulary.errors import Refused

posix = pytest.mark.skipif(sys.platform == "win32", reason="rights as on POSIX")
machine_folder = locks._machine_folder  # before the tests get one of their own
UNPRIVILEGED_ID = 65534


@pytest.fixture(autouse=True)
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test its own lock folder: a real measurement may run on this machine."""
    monkeypatch.setattr(locks, "_machine_folder", lambda: tmp_path)


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


# Measures in a process of its own until its input is closed.
_HOLDER = """
import sys
from pathlib import Path
from orket_lib.processes import device_lock
device_lock._machine_folder = lambda: Path(sys.argv[1])
with device_lock.device_lock(sys.argv[2], "measuring nano \\x1b[2J Q8_0", print):
    print("locked", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Have another process measure on a device; it lets go when its input is closed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(device: str = "cpu", folder: Path = tmp_path) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _HOLDER, str(folder), device]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        return process

    yield start
    for process in started:
        with process:
            process.kill()


def let_go(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()


Hold = Callable[..., "subprocess.Popen[bytes]"]


def test_who_has_to_wait_is_told_once_for_whom_and_since_when(tmp_path: Path, hold: Hold) -> None:
    other, said = hold(), []

    def say(text: str) -> None:
        said.append(text)
        let_go(other)

    with device_lock("cpu", "two", say):
        assert not _is_free(tmp_path)
    (text,) = said
    today = datetime.now(UTC).date().isoformat()
    assert text.startswith(f"waiting for the cpu: process {other.pid} (measuring nano ")
    assert f"Q8_0), since {today}T" in text
    assert text.endswith("Z, 0 min ago is using it")
    assert "\x1b" not in text


def test_a_long_wait_is_told_again_and_again(hold: Hold, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_REMIND_S", 0.3)
    other, said = hold(), []

    def say(text: str) -> None:
        said.append(text)
        if len(said) == 3:
            let_go(other)

    with device_lock("cpu", "two", say):
        pass
    assert [" so far: process " in text for text in said] == [False, True, True]


def test_a_wait_without_end_is_given_up_with_a_word(
    hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_LONGEST_S", 0.3)
    other = hold()
    with (
        pytest.raises(Refused, match=f"the cpu was not free for .* h.*: process {other.pid} "),
        device_lock("cpu", "two", lambda _: None),
    ):
        pytest.fail("two at once")


def test_a_killed_holder_is_waited_for_no_longer(tmp_path: Path, hold: Hold) -> None:
    hold().kill()
    said: list[str] = []
    with device_lock("cpu", "two", said.append):
        assert not _is_free(tmp_path)


def test_a_lock_whose_file_vanished_still_keeps_others_out(tmp_path: Path, hold: Hold) -> None:
    other = hold()
    lock_file(tmp_path).unlink()
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        assert psutil.pid_exists(other.pid)
        let_go(other)

    with device_lock("cpu", "two", say):
        assert other.wait(10) == 0
    (text,) = said
    assert text.endswith("is using it, although its lock file was removed")
    assert other.stdout is not None
    assert b"another process may have measured too" in other.stdout.read()


@posix
@pytest.mark.parametrize(
    "note",
    [
        "[1]",
        "null",
        '{"pid": 1, "purpose": {"a": [1]}}',
        '{"pid": "\\u001b[2J", "purpose": "x\\nerror: type: rm"}',
        "[" * 4000,
        None,
    ],
    ids=["a list", "null", "other things", "no number", "a deep one", "a pipe"],
)
def test_a_note_that_is_none_is_no_trouble(tmp_path: Path, hold: Hold, note: str | None) -> None:
    other = hold()
    path = lock_file(tmp_path).with_name("cpu.holder.json")
    path.unlink()
    if note is None:
        os.mkfifo(path)
    else:
        path.write_text(note, encoding="ascii")
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        let_go(other)

    with device_lock("cpu", "two", say):
        pass
    (text,) = said
    assert text.startswith(
        "waiting for the cpu: a process that left no note is using it; to find it: "
    )
    assert text.isprintable()


def test_a_note_of_a_process_that_has_ended_names_no_living_one(tmp_path: Path, hold: Hold) -> None:
    path = lock_file(tmp_path).with_name("cpu.holder.json")
    dead, said = hold(), []
    note = path.read_bytes()
    dead.kill()
    dead.wait()
    other = hold()
    path.write_bytes(note)

    def say(text: str) -> None:
        said.append(text)
        let_go(other)

    with device_lock("cpu", "two", say):
        pass
    (text,) = said
    assert f"left no note is using it; process {dead.pid} (" in text
    assert "min ago, has ended" in text


def test_several_devices_are_locked_together_the_processor_first(
    tmp_path: Path, hold: Hold
) -> None:
    gpu = lock_file(tmp_path).with_name("GPU-1.lock")
    other, said = hold("GPU-1"), []

    def say(text: str) -> None:
        assert not _is_free(tmp_path), "the processor is held already"
        said.append(text)
        let_go(other)

    with device_locks(["GPU-1", "cpu", "GPU-1"], "two", say):
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
            os.setgid(UNPRIVILEGED_ID)
            os.setuid(UNPRIVILEGED_ID)
            with device_lock("cpu", "other user", _would_wait):
                os._exit(0)
        except BaseException:
            os._exit(9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _would_wait(_: str) -> NoReturn:
    os._exit(3)


@posix
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="becomes another user")
@pytest.mark.parametrize("first", ["root", "other"])
def test_two_users_exclude_each_other_whoever_came_first(shared: Path, first: str) -> None:
    before = os.umask(0o077)
    try:
        if first == "other":
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
    target = tmp_path / "another user's"
    target.mkdir(mode=0o700)
    (tmp_path / "orket-locks").symlink_to(target)
    with (
        pytest.raises(Refused, match="the lock folder is not a folder"),
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
    assert not note.exists(), "whoever lets go takes the note along"
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
