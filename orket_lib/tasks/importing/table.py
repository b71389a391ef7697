"""A table of records, read from a file, and what was seen in it.

The content decides about the format: files named `.jsonl` often hold one JSON array, and a CSV file
may have any separator.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.units import MIB

MAX_BYTES = 64 * MIB
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_MOST_COLUMNS = 20  # that a message lists

Read = Callable[[str], "Table"]


class Bad(Exception):
    """A record, or the whole file, can't be imported; each argument is one reason."""


@dataclass(frozen=True)
class Record:
    """One row, line or item.

    Attributes:
        where: `line 3` or `item 3`.
        values: By column.
    """

    where: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """The content of a file.

    Attributes:
        seen: The format in words: ``CSV with the separator `;` ``.
        records: Those that could be read.
        problems: The others, as `line 3: not JSON`.
        header: The columns, if the first line names them.
    """

    seen: str
    records: Sequence[Record]
    problems: Sequence[str] = ()
    header: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order of their first appearance."""
        found = (name for record in self.records for name in record.values)
        return self.header or tuple(dict.fromkeys(found))

    @property
    def described(self) -> str:
        """What was seen: the format and the columns."""
        if not self.columns:
            return self.seen
        return f"{self.seen}; columns: {listed(self.columns)}"


def listed(names: Sequence[str]) -> str:
    """Return names with commas; of many, the first ones."""
    more = len(names) - _MOST_COLUMNS
    shown = ", ".join(name[:40] for name in names[:_MOST_COLUMNS])
    return f"{shown} and {more} more" if more > 0 else shown


def read_text(path: Path, encoding: str | None = None) -> str:
    """Return the text of a file.

    Args:
        path: The file.
        encoding: Its encoding; None means UTF-8, or UTF-16 if the file begins with its mark.

    Raises:
        ArtifactError: It can't be read, is too large, or has another encoding.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ArtifactError(f"{path}: can't be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise ArtifactError(f"{path}: larger than {MAX_BYTES // MIB} MiB; import a part of it")
    marked = next((name for mark, name in _BOMS.items() if data.startswith(mark)), None)
    chosen = encoding or marked or "utf-8"
    try:
        return data.decode(chosen).removeprefix("\ufeff")
    except LookupError:
        raise ArtifactError(
            f"--encoding {chosen}: there is no such encoding; use one such as utf-8 or cp1252"
        ) from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        name = chosen.upper().removesuffix("-SIG")
        raise ArtifactError(
            f"{path}: not {name} text ({error.reason}, line {line}); if Excel on Windows saved it, "
            "type --encoding cp1252"
        ) from None
