from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from history_writer import HEADER, UNPRIVILEGED, line, lines

from orket_lib.artifacts.io import read_json, write_json
from orket_lib.stores.files import Entry, history_files
from orket_lib.vocabulary.errors import ArtifactError

WRITER = Path(__file__).parent / "history_writer.py"
DEADLINE_S = 60.0


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WRITER), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def add(path: Path, entry: Entry) -> None:
    lines(path).update(lambda history: (*history, entry))


def test_a_history_begins_empty_and_keeps_the_order_of_its_records(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lines.json"
    assert lines(path).read() == ()
    assert not path.parent.exists()
    for number in range(3):
        add(path, line("a", number))
    assert lines(path).read() == tuple(line("a", number) for number in range(3))
    assert read_json(path) == {**HEADER, "history": [line("a", n) for n in range(3)]}


def test_a_change_that_changes_nothing_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    add(path, line("a", 1))
    before = path.stat()
    assert lines(path).update(lambda history: history) == (line("a", 1),)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_change_that_fails_leaves_the_file_and_frees_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    add(path, line("a", 1))

    def fail(_: tuple[Entry, ...]) -> list[Entry]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lines(path).update(fail)
    add(path, line("a", 2))
    assert lines(path).read() == (line("a", 1), line("a", 2))


def test_a_record_that_does_not_fit_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    add(path, line("a", 1))
    with pytest.raises(ArtifactError, match=r"history\.1: not a valid Line:\n  number: "):
        add(path, {"writer": "a"})
    assert lines(path).read() == (line("a", 1),)


def test_what_a_newer_minor_version_wrote_survives_a_change(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    newer = {**line("a", 1), "note": "new"}
    write_json(path, {**HEADER, "title": "new", "history": [newer]})
    add(path, line("b", 2))
    assert read_json(path) == {**HEADER, "title": "new", "history": [newer, line("b", 2)]}


def test_a_file_without_a_version_is_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    write_json(path, {"of": "tests", "history": [line("a", 1)]})
    add(path, line("a", 2))
    assert read_json(path)["schema_version"] == HEADER["schema_version"]
    assert len(lines(path).read()) == 2


GOOD = json.dumps({**HEADER, "history": [line("a", 1), line("a", 2)]})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(GOOD[: len(GOOD) // 2], "not valid JSON", id="cut off"),
        pytest.param("", "not valid JSON", id="empty"),
        pytest.param("\0" * len(GOOD), "not valid JSON", id="zeros after a power cut"),
        pytest.param("[]", 'it has no list "history"', id="a list"),
        pytest.param('{"points": []}', 'it has no list "history"', id="another artifact"),
        pytest.param(GOOD.replace("[", "{").replace("]", "}"), "not valid JSON", id="no list"),
        pytest.param(
            GOOD.replace('"of": "tests"', '"of": "others"'),
            "of is 'others', not 'tests'",
            id="foreign",
        ),
        pytest.param(
            GOOD.replace("lines.v1", "lines.v2"),
            "schema_version is 'lines.v2', not 'lines.v1'",
            id="a later version",
        ),
        pytest.param(
            GOOD.replace('"number": 2', '"number": "x"'),
            r"history\.1: not a valid Line:\n  number: ",
            id="a damaged record",
        ),
    ],
)
def test_what_is_not_understood_is_reported_and_left_alone(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / "lines.json"
    path.write_text(content, encoding="utf-8")
    for use in (lambda: lines(path).read(), lambda: add(path, line("b", 1))):
        with pytest.raises(ArtifactError, match=rf"lines\.json: {message}") as caught:
            use()
        assert "left as it is" in str(caught.value)
    assert path.read_text(encoding="utf-8") == content
    assert [entry.name for entry in tmp_path.glob("*.json")] == ["lines.json"]


@pytest.mark.slow
def test_a_thousand_appends_of_eight_processes_lose_and_double_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    writers = [start(path, f"w{index}", 125) for index in range(8)]
    for writer in writers:
        _, errors = writer.communicate(timeout=300)
        assert (writer.returncode, errors) == (0, "")
    found = [(entry["writer"], entry["number"]) for entry in lines(path).read()]
    assert sorted(found) == sorted((f"w{i}", n) for i in range(8) for n in range(125))
    for index in range(8):
        own = [number for name, number in found if name == f"w{index}"]
        assert own == list(range(125))


def test_two_processes_lose_and_double_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    writers = [start(path, f"w{index}", 20) for index in range(2)]
    for writer in writers:
        _, errors = writer.communicate(timeout=DEADLINE_S)
        assert (writer.returncode, errors) == (0, "")
    found = [(entry["writer"], entry["number"]) for entry in lines(path).read()]
    assert sorted(found) == sorted((f"w{i}", n) for i in range(2) for n in range(20))


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_a_writer_killed_in_the_middle_leaves_a_readable_file_and_a_free_lock(
    tmp_path: Path,
) -> None:
    path = tmp_path / "lines.json"
    for round_ in range(5):
        writer = start(path, f"r{round_}", 100_000)
        deadline = time.monotonic() + DEADLINE_S
        # Some records beyond those of earlier rounds: it is in the middle of its work.
        enough = len(lines(path).read()) + 3 + round_
        while len(lines(path).read()) < enough:
            assert writer.poll() is None, writer.communicate()
            if time.monotonic() > deadline:
                writer.kill()
                raise AssertionError(writer.communicate())
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.communicate()
        by_writer: dict[str, list[int]] = {}
        for entry in lines(path).read():
            by_writer.setdefault(entry["writer"], []).append(entry["number"])
        assert all(own == list(range(len(own))) for own in by_writer.values())
    add(path, line("after", 0))
    assert lines(path).read()[-1] == line("after", 0)
    assert [entry.name for entry in tmp_path.glob(".*.part")] == []


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_a_writer_killed_before_its_rename_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    add(path, line("a", 1))
    writer = start(path, "killed", 1, "die-before-rename")
    writer.communicate(timeout=DEADLINE_S)
    assert writer.returncode == -signal.SIGKILL
    assert lines(path).read() == (line("a", 1),)
    assert len(list(tmp_path.glob(".lines.json.*.part"))) == 1
    other = tmp_path / ".lines.json.b.json.12345678.part"
    other.write_text("of another history", encoding="utf-8")
    add(path, line("b", 1))
    assert lines(path).read() == (line("a", 1), line("b", 1))
    assert list(tmp_path.glob(".*.part")) == [other]


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_full_disk_fails_clearly_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    add(path, line("a", 1))
    before = path.read_bytes()
    writer = start(path, "w", 100, "limit-file-size")
    _, errors = writer.communicate(timeout=DEADLINE_S)
    assert writer.returncode == 1
    assert "lines.json: can't be written: " in errors
    assert "Traceback" not in errors
    kept = lines(path).read()
    assert kept[0] == line("a", 1)
    assert [entry["number"] for entry in kept[1:]] == list(range(len(kept) - 1))
    assert len(path.read_bytes()) >= len(before)
    assert list(tmp_path.glob(".*.part")) == []


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_read_only_folder_fails_clearly_and_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "store" / "lines.json"
    add(path, line("a", 1))
    for entry in (path, path.parent):
        entry.chmod(0o555)
    for folder in [tmp_path, *tmp_path.parents[:2]]:  # of pytest, closed to other users
        folder.chmod(0o755)
    try:
        writer = start(path, "w", 1, "unprivileged")
        _, errors = writer.communicate(timeout=DEADLINE_S)
    finally:
        path.parent.chmod(0o755)
    assert writer.returncode == 1
    assert "lines.json: can't be locked for writing: Permission denied" in errors
    assert "Traceback" not in errors
    assert lines(path).read() == (line("a", 1),)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up what lets root read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(UNPRIVILEGED)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_folder_that_can_not_be_looked_into_is_no_empty_store(tmp_path: Path) -> None:
    path = tmp_path / "store" / "lines.json"
    assert history_files(path.parent) == ()
    add(path, line("a", 1))
    assert history_files(path.parent) == (path,)
    path.parent.chmod(0)
    try:
        with as_nobody():
            for look in (lambda: history_files(path.parent), lambda: lines(path).read()):
                with pytest.raises(ArtifactError, match=r"can't be read: Permission denied"):
                    look()
    finally:
        path.parent.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="links of POSIX")
def test_a_link_that_leads_nowhere_is_no_empty_history(tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    path.symlink_to(tmp_path / "not mounted" / "lines.json")
    for use in (lambda: lines(path).read(), lambda: add(path, line("a", 1))):
        with pytest.raises(ArtifactError, match=r"lines\.json: there is no such file\n.* left as"):
            use()
    assert path.is_symlink()
    folder = tmp_path / "store"
    folder.symlink_to(tmp_path / "not mounted")
    with pytest.raises(ArtifactError, match=r"store: can't be read: No such file"):
        history_files(folder)


def test_a_lock_that_is_held_for_too_long_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orket_lib.stores.files._LONGEST_WAIT_S", 0.0)
    path = tmp_path / "lines.json"

    def from_outside(history: tuple[Entry, ...]) -> tuple[Entry, ...]:
        writer = start(path, "other", 1, "do-not-wait")
        _, errors = writer.communicate(timeout=DEADLINE_S)
        assert writer.returncode == 1
        assert "another process has held its lock for 0 s" in errors
        return (*history, line("a", 1))

    lines(path).update(from_outside)
    assert lines(path).read() == (line("a", 1),)
