"""Imports a bank from a table: JSONL or CSV with a prompt and an answer in each row.

The rows become questions, whose prompts are sent unchanged. The error message lists all bad rows by
line.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orket_lib.artifacts.digest import canonical_json
from orket_lib.tasks.bank import SCHEMA_VERSION, TaskBank
from orket_lib.tasks.reading.json_values import strict_json
from orket_lib.tasks.task import Question
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.units import MIB
from orket_lib.vocabulary.validation import problems_of

MAX_BYTES = 64 * MIB
MAX_ROWS = 100_000
MAX_CELL_CHARS = 100_000
REQUIRED = ("prompt", "answer")
COLUMNS = (*REQUIRED, "id", "tier", "category", "grader")
_SHOWN_PROBLEMS = 50

_Row = Mapping[str, Any]


class _Bad(Exception):
    """A row, or the whole file, is invalid."""


def import_bank(path: Path, bank_id: str) -> TaskBank:
    """Return the bank in a table.

    Args:
        path: A `.jsonl` or `.csv` file, in UTF-8 with or without a BOM.
        bank_id: The name of the bank.

    Raises:
        ArtifactError: The file is not such a table; the message lists all bad lines.
    """
    readers = {".jsonl": _jsonl_rows, ".csv": _csv_rows}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ArtifactError(f"{path}: the name of a table ends with {' or '.join(readers)}")
    tasks, problems = _tasks(reader(_text(path)))
    if problems:
        more = len(problems) - _SHOWN_PROBLEMS
        shown = problems[:_SHOWN_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        raise ArtifactError("\n  ".join([f"{path}: not a table of tasks:", *shown]))
    return TaskBank(schema_version=SCHEMA_VERSION, bank_id=bank_id, tasks=tuple(tasks))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ArtifactError(f"{path}: can't be read: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise ArtifactError(f"{path}: larger than {MAX_BYTES // MIB} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ArtifactError(f"{path}: not UTF-8 text ({error.reason}, line {line})") from None


def _tasks(rows: Iterator[tuple[int, _Row | _Bad]]) -> tuple[list[Question], list[str]]:
    """Return the tasks, and a message for each error."""
    tasks: list[Question] = []
    problems: list[str] = []
    with_id: bool | None = None
    for count, (line, row) in enumerate(rows, start=1):
        if count > MAX_ROWS:
            problems.append(f"line {line}: more than {MAX_ROWS} rows")
            break
        try:
            if isinstance(row, _Bad):
                raise row
            _check_cells(row)
            if with_id not in (None, "id" in row):
                raise _Bad("id: either every row has one or none")
            with_id = "id" in row
            task = _question({"id": count, **row})
            if tasks and task.id <= tasks[-1].id:
                raise _Bad(f"id: ids must ascend: {task.id} follows {tasks[-1].id}")
            tasks.append(task)
        except _Bad as error:
            problems += [f"line {line}: {problem}" for problem in error.args]
    if not tasks and not problems:
        problems.append("there are no rows")
    return tasks, problems


def _jsonl_rows(text: str) -> Iterator[tuple[int, _Row | _Bad]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            row = strict_json(content)
        except (ValueError, RecursionError) as error:
            yield line, _Bad(f"not JSON: {error}"[:200])
            continue
        if isinstance(row, dict):
            yield (
                line,
                {key: value for key, value in row.items() if value is not None or key in REQUIRED},
            )
        else:
            yield line, _Bad("not a JSON object")


def _csv_rows(text: str) -> Iterator[tuple[int, _Row | _Bad]]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    header: list[str] = []
    line = 1
    while True:
        begin = line
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:  # the reader can't go on after it
            yield begin, _Bad(f"not CSV: {error}")
            return
        line = reader.line_num + 1
        if not cells:
            continue
        if not header:
            header = [name.strip() for name in cells]
            if problem := _header_problem(header):
                yield begin, _Bad(problem)
                return
        elif len(cells) != len(header):
            yield begin, _Bad(f"{len(cells)} cells under {len(header)} columns")
        else:
            named = dict(zip(header, cells, strict=True))
            yield begin, {key: text for key, text in named.items() if text or key in REQUIRED}


def _header_problem(header: list[str]) -> str | None:
    if len(set(header)) < len(header):
        return "duplicate column"
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        return f"the first line names the columns; there is no {' and no '.join(missing)}"
    return None


def _check_cells(row: _Row) -> None:
    problems = [f"{name}: missing" for name in REQUIRED if row.get(name) in (None, "")]
    problems += [
        f"{name[:40]!r}: there is no such column; there are {', '.join(COLUMNS)}"
        for name in row
        if name not in COLUMNS
    ]
    problems += [
        f"{name}: longer than {MAX_CELL_CHARS} characters"
        for name, value in row.items()
        if isinstance(value, str) and len(value) > MAX_CELL_CHARS
    ]
    if problems:
        raise _Bad(*problems)


def _question(row: _Row) -> Question:
    answer = row["answer"]
    kinds = {str: "exact", int: "number", float: "number"}
    grader = row.get("grader", kinds.get(type(answer), "json"))
    content = {
        "id": _whole(row["id"]),
        "family": row.get("category", "imported"),
        "tier": _whole(row.get("tier", 1)),
        "prompt": row["prompt"],
        "grader": grader,
        "expected": _expected(answer, grader),
    }
    try:
        canonical_json(content["expected"]).encode()
    except (ValueError, RecursionError):
        raise _Bad("answer: half a character, or a number beyond any float") from None
    try:
        return Question.model_validate(content)
    except ValidationError as error:
        names = {"family": "category", "expected": "answer", "(whole file)": "answer"}
        lines = [line.partition(":") for line in problems_of(error, content)]
        raise _Bad(*(f"{names.get(at, at)}:{said}" for at, _, said in lines)) from None


def _whole(value: Any) -> Any:
    """Return text of digits as a number; anything else unchanged, for the model to refuse."""
    plain = value.strip() if isinstance(value, str) else ""
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 19 else value


def _expected(answer: Any, grader: Any) -> Any:
    """Return the answer in the form of its grader; text is parsed as a number or as JSON."""
    if not isinstance(answer, str) or grader not in ("number", "json", "choice"):
        return answer
    if grader == "choice":
        return answer.strip()
    try:
        return strict_json(answer)
    except (ValueError, RecursionError):
        raise _Bad(f"answer: not {'JSON' if grader == 'json' else 'a number'}") from None
