from __future__ import annotations

import errno
import math
import os
from pathlib import Path
from typing import Any

import pytest
from builders import metrics
from pydantic import BaseModel

from orket_lib.artifacts.io import (
    read_json,
    read_model,
    sha256_of_file,
    write_bytes,
    write_json,
    write_model,
    write_text,
)
from orket_lib.artifacts.measurements.spec import ArtifactIdentity
from orket_lib.artifacts.views.row import RowMetrics
from orket_lib.vocabulary.errors import ArtifactError


class Pair(BaseModel):
    a: int
    b: str


def _full_disk(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_model_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "down" / "row.json"
    row = metrics()
    write_model(path, row)
    assert read_model(path, RowMetrics) == row


def test_text_is_utf8_with_newlines_on_every_system(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "ä\nb\n")
    assert (tmp_path / "a.txt").read_bytes() == b"\xc3\xa4\nb\n"


@pytest.mark.parametrize("step", ["write", "rename"])
def test_a_failing_write_leaves_the_old_file_and_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"old": True})
    if step == "write":
        monkeypatch.setattr(os, "fsync", _full_disk)
    else:
        monkeypatch.setattr(Path, "replace", _full_disk)
    with pytest.raises(ArtifactError, match=r"a\.json: can't be written: No space left"):
        write_json(path, {"old": False})
    assert read_json(path) == {"old": True}
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_an_interrupted_write_leaves_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(tmp_path / "a", b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_a_file_is_an_error_with_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ArtifactError, match=r"a\.json: can't be written"):
        write_json(tmp_path / "file" / "a.json", {})


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_written_file_has_ordinary_permissions(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_text(tmp_path / "a", "x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_does_not_have_is_not_written(tmp_path: Path, value: float) -> None:
    path = tmp_path / "a.json"
    write_json(path, [1])
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(path, [value])
    assert read_json(path) == [1]


@pytest.mark.parametrize("text", ["NaN", "[1, Infinity]", '{"a": -Infinity}'])
def test_a_number_that_json_does_not_have_is_not_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=r"a\.json: not valid JSON: .*(NaN|Infinity)"):
        read_json(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"a": 1e999}', "1e999 is too large", id="too large"),
        pytest.param("[" * 100_000, "it is nested too deeply", id="deep"),
        pytest.param("9" * 5000, "not valid JSON: .*digits", id="many digits"),
        pytest.param(r'{"a": "\ud83d"}', r"a lone surrogate \(U\+D83D\)", id="half"),
        pytest.param(r'{"\uDE00": 1}', r"a lone surrogate \(U\+DE00\)", id="half, in a key"),
    ],
)
def test_what_nothing_of_ours_could_write_is_not_read(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ArtifactError, match=rf"a\.json: .*{message}"):
        read_json(path)


def test_a_whole_pair_of_surrogates_is_a_character(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(r'{"a": "\ud83d\ude00", "b": 1e308, "c": "\\ud83d"}', encoding="utf-8")
    assert read_json(path) == {"a": "\N{GRINNING FACE}", "b": 1e308, "c": r"\ud83d"}


def test_half_a_character_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, [1])
    with pytest.raises(ArtifactError, match=r"a\.json: a lone surrogate \(U\+D800\)"):
        write_json(path, "\ud800")
    assert read_json(path) == [1]


def test_a_byte_order_mark_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": "\xc3\xa4"}')
    assert read_json(path) == {"a": "ä"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "there is no such file", id="missing"),
        pytest.param(b'{"a": }', r"not valid JSON: .* \(line 1, column 7\)", id="invalid"),
        pytest.param(b"", "not valid JSON", id="empty"),
        pytest.param('{"a": 1}'.encode("utf-16"), "not UTF-8", id="UTF-16"),
        pytest.param(b'{"a": "\xe4"}', "not UTF-8", id="Latin-1"),
    ],
)
def test_an_unreadable_file_is_named_with_what_is_wrong(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "verdict.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ArtifactError, match=rf"verdict\.json: {message}"):
        read_json(path)


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="can't be read"):
        read_json(tmp_path)


def test_every_violation_of_a_model_is_named_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "pair.json"
    write_json(path, {"a": "x"})
    with pytest.raises(ArtifactError) as caught:
        read_model(path, Pair)
    text = str(caught.value)
    assert "pair.json: not a valid Pair" in text
    assert "  a: " in text
    assert "  b: " in text


def test_a_file_of_another_shape_is_named(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", [1])
    with pytest.raises(ArtifactError, match=r"\(whole file\)"):
        read_model(tmp_path / "a.json", ArtifactIdentity)


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of_file(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_a_device_is_not_read_to_its_end() -> None:
    with pytest.raises(ArtifactError, match="is a device or pipe, must be a file"):
        read_json(Path(os.devnull))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArtifactError, match="is a device or pipe, must be a file"):
        read_json(tmp_path / "pipe")
