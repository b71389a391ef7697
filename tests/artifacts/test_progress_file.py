"""The progress file: written by several processes, read while it grows."""

from __future__ import annotations

from pathlib import Path

import pytest

from orket_lib.artifacts.progress import (
    Event,
    ProgressFile,
    Start,
    add,
    announce,
    announced,
    show_elsewhere,
    shown_elsewhere,
)

START = Start(sweep="small", pid=1, started_s=1.0, at_s=2.0, measuring={}, others=3, at_most=False)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a progress file that has begun."""
    monkeypatch.setenv("ORKET_PROGRESS", "")  # put back at the end
    path = tmp_path / "logs" / "progress.jsonl"
    announce(path, START)
    return path


def test_events_are_read_once_and_in_order(path: Path) -> None:
    file = ProgressFile(path)
    assert list(file.new_events()) == []
    assert file.start == START
    first, second = Event(kind="say", title="a", text="é\n", at_s=3.0), Event(kind="step", at_s=4.0)
    add(first)
    add(second)
    assert list(file.new_events()) == [first, second]
    assert list(file.new_events()) == []


def test_a_line_that_is_not_whole_is_read_later(path: Path) -> None:
    file = ProgressFile(path)
    whole = '{"at_s":3.0,"kind":"step"}\n'
    with path.open("a") as stream:
        stream.write(whole[:9])
    assert list(file.new_events()) == []
    with path.open("a") as stream:
        stream.write(whole[9:])
    assert [event.kind for event in file.new_events()] == ["step"]


def test_a_damaged_line_costs_only_itself(path: Path) -> None:
    with path.open("a") as stream:
        stream.write("{nonsense\n")
    add(Event(kind="step"))
    assert [event.kind for event in ProgressFile(path).new_events()] == ["step"]


def test_a_new_sweep_begins_a_new_file(path: Path) -> None:
    add(Event(kind="step"))
    announce(path, START)
    assert list(ProgressFile(path).new_events()) == []


def test_without_a_file_nothing_is_shown_elsewhere(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    show_elsewhere(True)
    assert shown_elsewhere()
    monkeypatch.delenv("ORKET_PROGRESS")
    assert announced() is None
    assert not shown_elsewhere()
    add(Event(kind="step"))
    show_elsewhere(False)
    assert list(ProgressFile(path).new_events()) == []


def test_a_file_that_can_not_be_written_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORKET_PROGRESS", raising=False)
    (tmp_path / "logs").write_text("no folder")
    announce(tmp_path / "logs" / "progress.jsonl", START)
    assert announced() is None
