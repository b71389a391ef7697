"""Rendered files of another config: which they are, when they are dropped, and no touching."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from orket_lib.vocabulary.errors import Refused
from orket_lib.workflow.stale_views import (
    date_back,
    delete_stale,
    outdated,
    refuse_touch,
    runs_no_jobs,
)


def test_a_file_is_outdated_when_it_says_something_else(tmp_path: Path) -> None:
    same, other, gone = (tmp_path / name for name in ("same", "other", "gone"))
    same.write_text('{"a":1}\n', encoding="utf-8")
    other.write_text('{"a":2}\n', encoding="utf-8")
    rendered = {path.as_posix(): lambda: '{"a":1}' for path in (same, other, gone)}
    assert outdated(rendered) == [other]


def test_outdated_files_are_dropped_unless_another_snakemake_may_read_them(tmp_path: Path) -> None:
    locks, path = tmp_path / "locks", tmp_path / "policy.json"
    path.write_text("old", encoding="utf-8")
    locks.mkdir()
    lock = locks / "0.input.lock"
    lock.touch()
    delete_stale([path], locks)
    assert path.is_file()
    lock.unlink()
    delete_stale([path], locks)
    assert not path.exists()
    delete_stale([path], tmp_path / "no locks yet")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--lint", True),
        ("--list-rules", True),
        ("-S --configfile a.json", True),
        ("--unlock --configfile a.json", True),
        ("--report=page.html", True),
        ("--configfile a.json -j1 -R measure_cell", False),
        ("report --configfile lint.json", False),
    ],
)
def test_a_command_that_runs_no_jobs_is_known(words: str, expected: bool) -> None:
    """Nothing of a sweep is deleted by one."""
    assert runs_no_jobs(words.split()) is expected


@pytest.mark.parametrize("word", ["--touch", "-t", "--tou"])
def test_touching_is_refused_however_it_is_written(word: str) -> None:
    with pytest.raises(Refused, match=f"{word} would mark results of another config as current"):
        refuse_touch(["snakemake", word, "--configfile", "a.json"])


def test_nothing_else_is_taken_for_touching() -> None:
    refuse_touch(["snakemake", "-T", "--tags", "--t", "-n", "touch", "--forceall"])


def test_files_from_the_future_are_of_the_present_and_older_ones_stay(tmp_path: Path) -> None:
    old, future = tmp_path / "old.json", tmp_path / "cells" / "future.json"
    future.parent.mkdir()
    for path, shift_s in ((old, -100.0), (future, 3600.0)):
        path.touch()
        os.utime(path, (time.time() + shift_s,) * 2)
    before = old.stat().st_mtime
    date_back(tmp_path)
    assert old.stat().st_mtime == before
    assert 0 <= time.time() - future.stat().st_mtime < 60
