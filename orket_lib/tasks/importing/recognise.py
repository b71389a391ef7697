"""What a file to import is: a table with a prompt in each record, benchmark data, or a config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orket_lib.reading.json_values import strict_json
from orket_lib.tasks.importing.columns import AGREES, ANSWERS, NAMES, PROMPTS, Reading, own_columns
from orket_lib.tasks.importing.csv_table import read_csv
from orket_lib.tasks.importing.inspect_samples import inspect_samples
from orket_lib.tasks.importing.json_table import read_json_table
from orket_lib.tasks.importing.lm_eval import is_lm_eval, lm_eval_task, read_yaml
from orket_lib.tasks.importing.promptfoo import (
    EXPECTED,
    is_promptfoo,
    promptfoo_tests,
    tests_of,
    tests_of_cells,
)
from orket_lib.tasks.importing.shapes import SHAPES, shape_of
from orket_lib.tasks.importing.table import Bad, Record, Table, listed, read_text
from orket_lib.vocabulary.validation import nearest

_JSON, _CSV, _YAML = (".jsonl", ".json", ".ndjson"), (".csv", ".tsv"), (".yaml", ".yml")
_ENDINGS = (*_CSV, *_JSON, ".txt", *_YAML)
# Names that `--map` may give a column.
_MAPPED = tuple(
    dict.fromkeys((*NAMES, *(name for shape in SHAPES for name in shape.needs), "input", "target"))
)
_KNOWN = {*PROMPTS, *ANSWERS, *_MAPPED, EXPECTED}


@dataclass(frozen=True)
class ImportOptions:
    """How to read a file.

    Attributes:
        columns: Which column has which part, by the part's name: `prompt`, `answer` and others.
        grader: The grader of records that name none.
        encoding: Of the file; None means UTF-8, or UTF-16 if it is marked.
        data: The rows of an lm-eval task.
        skip: Leave out records that can't be imported, instead of importing nothing.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    grader: str | None = None
    encoding: str | None = None
    data: Path | None = None
    skip: bool = False


def recognise(path: Path, options: ImportOptions) -> tuple[Table, Reading]:
    """Return the records of a file, and how they are read.

    Args:
        path: The file.
        options: How to read it.

    Raises:
        Bad: It is of no known kind, or its columns don't say what is what.
        ArtifactError: It can't be read.
    """
    suffix = path.suffix.lower()
    if suffix not in _ENDINGS:
        raise Bad(f"the name of a file to import ends with {', '.join(_ENDINGS)}")
    text = read_text(path, options.encoding)
    content = _config(text, suffix)
    if is_lm_eval(content):
        if options.data is None:
            raise Bad(
                "an lm-eval task without its rows; save those of "
                f"`{content.get('dataset_path', 'its data set')}` as JSONL or CSV, and type "
                "--data FILE"
            )
        rows = _table(options.data, read_text(options.data, options.encoding))
        rows = _renamed(rows, options.columns)
        return rows, lm_eval_task(content, rows, options.grader)
    if options.data is not None:
        raise Bad("--data: only an lm-eval task (YAML with doc_to_text) takes its rows from a file")
    if content is not None:
        table = tests_of(content)
        return table, promptfoo_tests(table, options.columns.get("prompt"), _free(options.grader))
    table = _table(path, text)
    if any(name.startswith(EXPECTED) for name in table.columns):
        tests = tests_of_cells(table)
        return tests, promptfoo_tests(tests, options.columns.get("prompt"), _free(options.grader))
    table = _renamed(table, options.columns)
    return table, _reading(table, options.grader)


def _free(grader: str | None) -> str | None:
    """Return a grader; `agrees` fits any shape, and is applied to the tasks afterwards."""
    return None if grader == AGREES else grader


def _config(text: str, suffix: str) -> Any:
    """Return the content of a file that is a config and not a table; None for a table.

    Raises:
        Bad: It is YAML of another kind.
    """
    if suffix in _YAML:
        content = read_yaml(text)
        tests = isinstance(content, list) or (isinstance(content, dict) and "tests" in content)
        if not tests and not is_lm_eval(content):
            keys = f"keys: {listed(list(map(str, content)))}" if isinstance(content, dict) else ""
            raise Bad(
                "neither tests of promptfoo (`tests`) nor a task of lm-eval (`doc_to_text`)"
                + (f"; {keys}" if keys else "")
            )
        return content
    if suffix in _JSON and text.lstrip().startswith("{"):
        try:
            content = strict_json(text)
        except (ValueError, RecursionError):
            return None
        return content if is_promptfoo(content) else None
    return None


def _table(path: Path, text: str) -> Table:
    suffix = path.suffix.lower()
    if suffix == ".txt":
        lines = enumerate(text.split("\n"), start=1)
        records = [Record(f"line {n}", {"prompt": line}) for n, line in lines if line.strip()]
        if not records:
            raise Bad("there are no prompts")
        return Table("text with a prompt in each line", records)
    return read_csv(text, _KNOWN) if suffix in _CSV else read_json_table(text)


def _renamed(table: Table, columns: Mapping[str, str]) -> Table:
    """Return a table whose columns have the names that they were mapped to.

    Raises:
        Bad: A name or a column doesn't exist.
    """
    for name, column in columns.items():
        if name not in _MAPPED:
            raise Bad(f"--map {name}={column}: `{name}` is none of {', '.join(_MAPPED)}")
        if table.records and column not in table.columns:
            raise Bad(
                f"--map {name}={column}: there is no such column{nearest(column, table.columns)}; "
                f"{table.described}"
            )
    if not columns:
        return table
    records = [Record(record.where, _mapped(record.values, columns)) for record in table.records]
    header = tuple(_mapped(dict.fromkeys(table.header), columns))
    return replace(table, records=records, header=header)


def _mapped(values: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    others = {name: v for name, v in values.items() if name not in {*columns, *columns.values()}}
    return others | {n: values[column] for n, column in columns.items() if column in values}


def _reading(table: Table, grader: str | None) -> Reading:
    if not table.records:
        return Reading("", lambda values: {}, ())
    if {"input", "target"} <= set(table.columns) and "prompt" not in table.columns:
        return inspect_samples(table, _free(grader))
    shape = shape_of(table)
    if shape is None or (shape.marked and grader == AGREES):  # it needs no answers then
        return own_columns(table, grader)
    if _free(grader):
        raise Bad(
            f"--grader {grader}: the columns are those of {shape.name}, {shape.says}; leave the "
            f"option out, or type --grader {AGREES}, or --map prompt=COLUMN --map answer=COLUMN"
        )
    return Reading(f"{shape.name}: {shape.says}", shape.task, (*shape.needs, *shape.optional))
