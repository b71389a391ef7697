"""The journal of a measurement: a JSON line per finished step, on disk before the next one begins.

It is in the cell's `open/` folder until the measurement is sealed, so that after any interruption
the next start resumes where the last one stopped. Its lines: a `header`; a `session` for each load
of the model; a `probe` or an `answer` for each step; a `death` for each server that died and was
restarted; a `failure` for an error that ended a start; and an `end` that says why this cell can't
be measured here. A torn last line, after a power loss, is dropped.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from orket_lib.artifacts.disk import why_not_written
from orket_lib.artifacts.io import json_value
from orket_lib.artifacts.measurements.parts import Item
from orket_lib.artifacts.views.receipt import PartKind
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.text import well_formed

JOURNAL = "journal.jsonl"
HEADER, SESSION, PROBE, ANSWER = "header", "session", "probe", "answer"
DEATH, FAILURE, END = "death", "failure", "end"


class Journal:
    """An open journal, its lines grouped by kind.

    Args:
        path: The journal's file; created with its first line.
        spec_digest: Digest of the cell that it must belong to.
    """

    def __init__(self, path: Path, spec_digest: str) -> None:
        self._path = path
        _cut_torn_line(path)
        self._lines: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in read_lines(path):
            self._lines[line["kind"]].append(line["data"])
        header = self.first(HEADER)
        if header is not None and header.get("spec_digest") != spec_digest:
            raise ArtifactError(f"{path}: belongs to another cell; remove its folder")

    @property
    def header(self) -> dict[str, Any]:
        """The header; empty before the measurement begins."""
        return self.first(HEADER) or {}

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of all lines of one kind, in order."""
        return list(self._lines[kind])

    def first(self, kind: str) -> dict[str, Any] | None:
        """Return the data of the first line of a kind; None if there is none."""
        return next(iter(self._lines[kind]), None)

    def append(self, kind: str, data: BaseModel | dict[str, Any]) -> None:
        """Write a line and wait until it is on the disk.

        Raises:
            ArtifactError: It can't be written (disk full).
        """
        content = data.model_dump(mode="json") if isinstance(data, BaseModel) else data
        line = {"kind": kind, "data": content}
        text = well_formed(json.dumps(line, ensure_ascii=False, allow_nan=False))
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as stream:
                stream.write(text.encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            why = why_not_written(error, self._path)
            raise ArtifactError(f"{self._path}: can't be written: {why}") from None
        # As parsed from the line, so that a resumed measurement sees the same data.
        self._lines[kind].append(json.loads(text)["data"])


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a journal without changing it; a torn last line is left out.

    Raises:
        ArtifactError: A line in the middle is damaged.
    """
    try:
        whole, _, _ = path.read_bytes().rpartition(b"\n")
    except FileNotFoundError:
        return []
    lines = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            content = json_value(line)
            assert isinstance(content["kind"], str)
            lines.append({"kind": content["kind"], "data": dict(content["data"])})
        except (ValueError, KeyError, TypeError, AssertionError):
            raise ArtifactError(
                f"{path}: line {number} is damaged; remove the file to measure again"
            ) from None
    return lines


def done_steps(
    probes: Iterable[Mapping[str, Any]], answers: Iterable[Mapping[str, Any]]
) -> set[tuple[PartKind, Item]]:
    """Return which steps are done, from the data of a journal's lines.

    Args:
        probes: Data of the `PROBE` lines.
        answers: Data of the `ANSWER` lines.
    """
    done: set[tuple[PartKind, Item]] = set()
    done |= {("probes", (it["key"], it["round"], it["probe"]["index"])) for it in probes}
    return done | {("answers", (it["key"], it["round"], it["run_index"])) for it in answers}


def _cut_torn_line(path: Path) -> None:
    """Remove an unfinished last line, so that the next one begins on a new line."""
    if path.is_file():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.truncate(path, whole)  # in place: rewriting the file could lose good lines
