"""Damaged input is taken or refused: some of each kind, and all that ever failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz import CORPUS, failure, failures
from fuzz_targets import TARGETS, Target, prepare

from orket_lib.vocabulary.errors import ArtifactError

KNOWN = sorted(CORPUS.iterdir()) if CORPUS.is_dir() else []


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_input_is_taken_or_refused(name: str) -> None:
    assert list(failures(TARGETS[name], 15, seed=7)) == []


@pytest.mark.parametrize("path", KNOWN, ids=lambda path: path.name)
def test_what_failed_once_is_taken_or_refused(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    feed = TARGETS[path.name.partition("-")[0]].feed
    assert failure(feed, path.read_bytes()) is None


def test_any_other_error_is_found_and_a_refusal_is_none() -> None:
    def broken(data: bytes) -> None:
        if b"1" in data:
            raise KeyError("x")
        raise ArtifactError("refused")

    assert failure(broken, b"0") is None
    assert "KeyError" in (failure(broken, b"1") or "")
    found = failures(Target(1, lambda: [b'{"a": 1}'], broken), 20, seed=1)
    assert len(list(found)) == 1  # the same error is listed once
