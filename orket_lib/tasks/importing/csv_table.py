"""CSV as people have it: any separator, Excel's `sep=` line, empty columns at the end, no header.

The separator is the one with which the columns have known names and the rows the same number of
cells. `csv.Sniffer` counts characters instead, and finds separators in prose.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from io import StringIO
from itertools import islice

from orket_lib.tasks.importing.table import Bad, Record, Table

_SEPARATORS = {  # with what to say of a file that has it
    ",": "CSV",
    ";": "CSV with the separator `;`",
    "\t": "CSV with tabs",
    "|": "CSV with the separator `|`",
}
_SAMPLE_CHARS = 64 * 1024
_SAMPLE_ROWS = 50
_LABELS = "ABCDEFGHIJ"
_FEWEST_CELLS = 4  # of a row of choices: question, two options, label

_Row = tuple[int, list[str]]


def read_csv(text: str, known: Collection[str]) -> Table:
    """Return the rows of a CSV file.

    Args:
        text: Its content.
        known: Column names, in lower case, by which a header is recognised.

    Raises:
        Bad: It has no rows, or its header is invalid.
    """
    first_line, text, stated = _stated_separator(text)
    separator = stated or _likely_separator(text, known)
    rows, problems = _rows(text, separator, first_line)
    seen = _SEPARATORS.get(separator, f"CSV with the separator `{separator}`")
    if not rows:
        if problems:
            return Table(seen, (), problems)
        raise Bad("there are no rows")
    if _is_choices_without_header(rows, known):
        records = list(_choices(rows))
        return Table(f"{seen}, without a header", records, problems)
    header = _header(rows[0])
    records, ragged = _records(header, rows[1:])
    if not records and not ragged and not problems:
        raise Bad(f"there are no rows below the header `{','.join(header)[:80]}`")
    return Table(seen, records, [*problems, *ragged], tuple(header))


def _stated_separator(text: str) -> tuple[int, str, str | None]:
    """Return the number of the first line, the rest, and the separator of Excel's `sep=` line."""
    first, _, rest = text.partition("\n")
    stated = first.strip("\r")
    if stated.lower().startswith("sep=") and len(stated) == len("sep=") + 1:
        return 2, rest, stated[-1]
    return 1, text, None


def _likely_separator(text: str, known: Collection[str]) -> str:
    sample = text[:_SAMPLE_CHARS]

    def merits(separator: str) -> tuple[int, bool, int]:
        reader = csv.reader(StringIO(sample, newline=""), delimiter=separator)
        try:
            rows = [row for row in islice(reader, _SAMPLE_ROWS) if any(row)]
        except csv.Error:
            return (0, False, 0)
        if len(sample) < len(text) and len(rows) > 1:
            rows.pop()  # it may be cut
        if not rows:
            return (0, False, 0)
        names = {cell.strip().lower() for cell in rows[0]}
        even = len({len(row) for row in rows}) == 1
        return (len(names & set(known)), even, len(rows[0]))

    return max(_SEPARATORS, key=merits)


def _rows(text: str, separator: str, first_line: int) -> tuple[list[_Row], list[str]]:
    """Return the rows that hold something, each with its line, and an error if the text has one."""
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[_Row] = []
    line = first_line
    while True:
        begin = line
        try:
            cells = next(reader)
        except StopIteration:
            return rows, []
        except csv.Error as error:  # the reader can't go on after it
            return rows, [f"line {begin}: not CSV: {error}"]
        line = first_line + reader.line_num
        if any(cell.strip() for cell in cells):
            rows.append((begin, cells))


def _header(row: _Row) -> list[str]:
    """Return the names of the columns, without empty ones at the end.

    Raises:
        Bad: A name is missing or a duplicate.
    """
    line, cells = row
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    double = next((name for name in names if names.count(name) > 1), None)
    if double:
        raise Bad(f"line {line}: duplicate column `{double[:40]}`")
    if "" in names:
        raise Bad(f"line {line}: column {names.index('') + 1} has no name")
    return names


def _records(header: Sequence[str], rows: Sequence[_Row]) -> tuple[list[Record], list[str]]:
    records, problems = [], []
    for line, cells in rows:
        extra = cells[len(header) :]
        if len(cells) < len(header) or any(cell.strip() for cell in extra):
            problems.append(f"line {line}: {len(cells)} cells under {len(header)} columns")
        else:
            values = dict(zip(header, cells, strict=False))
            records.append(Record(f"line {line}", {k: v for k, v in values.items() if v}))
    return records, problems


def _is_choices_without_header(rows: Sequence[_Row], known: Collection[str]) -> bool:
    """Tell whether rows are a question, its options and the label of the right one."""
    first = rows[0][1]
    return (
        len(first) >= _FEWEST_CELLS
        and first[-1].strip() in _LABELS[: len(first) - 2]
        and not {cell.strip().lower() for cell in first} & set(known)
    )


def _choices(rows: Sequence[_Row]) -> Iterator[Record]:
    for line, (question, *options, answer) in rows:
        values = {"question": question, "choices": options, "answer": answer.strip()}
        yield Record(f"line {line}", values)
