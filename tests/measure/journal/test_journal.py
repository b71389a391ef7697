from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from orket_lib.measure.journal.journal import END, HEADER, PROBE, Journal
from orket_lib.vocabulary.errors import ArtifactError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cell" / "journal.jsonl"


def begun(path: Path) -> Journal:
    journal = Journal(path, "digest")
    journal.append(HEADER, {"spec_digest": "digest"})
    journal.append(PROBE, {"index": 0})
    return journal


def test_what_was_appended_is_read_back_in_order(path: Path) -> None:
    begun(path).append(PROBE, {"index": 1, "text": "gr\u00fc\u00df\n\u2028"})
    journal = Journal(path, "digest")
    assert journal.all(PROBE) == [{"index": 0}, {"index": 1, "text": "gr\u00fc\u00df\n\u2028"}]
    assert journal.first(PROBE) == {"index": 0}
    assert journal.first(END) is None


@pytest.mark.parametrize("torn", [b'{"kind": "pro', b"{", b"\0\0\0\0", b'{"kind": "end"}'])
def test_a_torn_last_line_is_dropped_and_writing_goes_on(path: Path, torn: bytes) -> None:
    begun(path)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    journal = Journal(path, "digest")
    assert journal.all(PROBE) == [{"index": 0}]
    assert path.read_bytes() == whole
    journal.append(PROBE, {"index": 1})
    assert len(Journal(path, "digest").all(PROBE)) == 2


def test_a_journal_of_only_a_torn_line_was_never_started(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"kind": "hea')
    assert Journal(path, "digest").header == {}
    assert path.read_bytes() == b""


def test_a_damaged_line_in_the_middle_is_an_error_and_stays(path: Path) -> None:
    begun(path).append(END, {})
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = b"".join([lines[0], lines[1][:9] + b"\n", *lines[2:]])
    path.write_bytes(damaged)
    with pytest.raises(ArtifactError, match=r"journal\.jsonl: line 2 is damaged"):
        Journal(path, "digest")
    assert path.read_bytes() == damaged


def test_the_journal_of_another_measurement_is_refused(path: Path) -> None:
    begun(path)
    with pytest.raises(ArtifactError, match="belongs to another cell"):
        Journal(path, "other")


def test_a_full_disk_is_an_error_and_the_step_does_not_count(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = begun(path)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ArtifactError, match=r"journal\.jsonl: can't be written: No space"):
        journal.append(END, {})
    assert journal.first(END) is None


def test_a_number_that_json_does_not_have_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        begun(path).append(PROBE, {"index": float("nan")})
