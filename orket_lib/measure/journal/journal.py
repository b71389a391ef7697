"""The journal of a measuring: one JSON line per finished step, on disk before the next begins.

It lies in the cell's `open/` until the measuring is sealed, so whatever is killed, and when, the
next start goes on where the last one stopped. Its lines: a `header`; a `session` for each load of
the model; a `probe` or an `answer` for each step; a `death` for each server that died and was
started again; a `failure` for whatever ended a start; and an `end` that says why this cell can't be
measured here. A torn last line, from a machine that lost power, is
dropped.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from orket_lib.artifacts.disk import why_not_written
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.text import well_formed

JOURNAL = "journal.jsonl"
HEADER, SESSION, PROBE, ANSWER, DEATH, FAILURE, END = (
    "header",
    "session",
    "probe",
    "answer",
    "death",
    "failure",
    "end",
)


class Journal:
    """An open journal, its lines grouped by kind.

    Args:
        path: The journal's file; made when it does not exist.
        spec_digest: Of the cell that it must belong to.
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
        """What was true when the measuring began; empty before that."""
        return self.first(HEADER) or {}

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of all lines of one kind, in order."""
        return list(self._lines[kind])

    def first(self, kind: str) -> dict[str, Any] | None:
        """Return the data of the first line of a kind, if there is one."""
        return next(iter(self._lines[kind]), None)

    def append(self, kind: str, data: BaseModel | dict[str, Any]) -> None:
        """Write one line and wait until it is on the disk.

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
        # What is on the disk, and not what was to be there.
        self._lines[kind].append(json.loads(text)["data"])


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a journal, without a torn last one; the file stays as it is.

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
            content = json.loads(line)
            assert isinstance(content["kind"], str)
            lines.append({"kind": content["kind"], "data": dict(content["data"])})
        except (ValueError, KeyError, TypeError, AssertionError):
            raise ArtifactError(
                f"{path}: line {number} is damaged; remove the file to measure again"
            ) from None
    return lines


def _cut_torn_line(path: Path) -> None:
    """Remove an unfinished last line, so that the next one begins on a line of its own."""
    if path.is_file():
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.truncate(path, whole)  # in place: rewriting could lose what is good
