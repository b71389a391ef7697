"""The journal of a measurement: one JSON line per finished step, on disk before the next begins.

Snakemake deletes a job's outputs before the job starts, and a measurement can be killed at any
moment; the journal is no declared output, so nothing that was measured is lost. Its life:

- *partial*: steps are missing; the next start goes on where it stopped.
- *halted*: no answer can be judged right now, which says nothing about the model (there is no
  sandbox). A `halt` line says why, and a report is made that says so; the next start goes on where
  it stopped.
- *complete*: every step is there, or an `end` line says why there will be no more; the next start
  only assembles the report.
- *sealed*: a row was made from the report. A missing report over a sealed journal means that
  somebody wants the cell measured again, and the next start begins a new one.

The row seals, not the run: a Snakemake that is killed between a finished run and its own record of
it deletes the report at its next start, and only a step that comes after that record can know that
the measurement was accepted.

A torn last line, from a machine that lost power, is dropped.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from orket_lib.artifacts.io import write_bytes
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.text import well_formed

JOURNAL = "journal.jsonl"
HEADER, SESSION, PROBE, RUN = "header", "session", "probe", "run"
DEATH, HALT, END, SEALED = "death", "halt", "end", "sealed"


class Journal:
    """An open journal, its lines grouped by kind.

    Args:
        path: The journal's file; made when it does not exist.
        spec_digest: Of the measurement that it must belong to.
    """

    def __init__(self, path: Path, spec_digest: str) -> None:
        self._path = path
        _cut_torn_line(path)
        self._lines = read_lines(path)
        header = self.first(HEADER)
        if header is not None and header.get("spec_digest") != spec_digest:
            raise ArtifactError(f"{path}: belongs to another measurement; remove its folder")

    @property
    def started(self) -> bool:
        """Whether the journal has a header."""
        return self.first(HEADER) is not None

    @property
    def ended(self) -> bool:
        """Whether an `end` line says that there will be no more steps."""
        return self.first(END) is not None

    @property
    def last_word(self) -> dict[str, Any] | None:
        """How it ended; where it has not, why it was halted last, if it was."""
        return self.first(END) or next(reversed(self.all(HALT)), None)

    @property
    def sealed(self) -> bool:
        """Whether a row was made from its report."""
        return self.first(SEALED) is not None

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of all lines of one kind, in order."""
        return [line["data"] for line in self._lines if line["kind"] == kind]

    def first(self, kind: str) -> dict[str, Any] | None:
        """Return the data of the first line of a kind, if there is one."""
        return next(iter(self.all(kind)), None)

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
            raise ArtifactError(f"{self._path}: can't be written: {error.strerror}") from None
        self._lines.append(json.loads(text))  # what is on the disk, and not what was to be there

    def restart(self, header: dict[str, Any]) -> None:
        """Begin anew; the old journal stays beside its attempt, where sealing put a copy."""
        self._path.unlink(missing_ok=True)
        self._lines = []
        self.append(HEADER, header)

    def copy_to(self, target: Path) -> None:
        """Put a copy of the journal as it is now at `target`."""
        write_bytes(target, self._path.read_bytes())


def seal(path: Path, spec_digest: str) -> None:
    """Seal the journal beside a report, if there is one (a report from elsewhere has none)."""
    if path.is_file():
        journal = Journal(path, spec_digest)
        if journal.ended and not journal.sealed:
            journal.append(SEALED, {})


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
            lines.append(json.loads(line))
        except ValueError:
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
