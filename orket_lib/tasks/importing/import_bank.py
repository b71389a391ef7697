"""Imports a bank from a file: what is in it is recognised, said once, and made into tasks.

Prompts of a table are sent unchanged; tasks of well-known shapes ask for the form of answer that
their grader reads. The error message lists the bad records, those with the same mistake together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orket_lib.artifacts.digest import canonical_json
from orket_lib.tasks.bank import SCHEMA_VERSION, TaskBank
from orket_lib.tasks.grading.answers import strict_json
from orket_lib.tasks.importing.columns import AGREES, ANSWERS, NAMES, PROMPTS, Reading, own_columns
from orket_lib.tasks.importing.csv_table import read_csv
from orket_lib.tasks.importing.inspect_samples import inspect_samples
from orket_lib.tasks.importing.json_table import read_json_table
from orket_lib.tasks.importing.lm_eval import is_lm_eval, lm_eval_task, read_yaml
from orket_lib.tasks.importing.promptfoo import EXPECTED, promptfoo_tests, tests_of, tests_of_cells
from orket_lib.tasks.importing.shapes import SHAPES, Draft, shape_of
from orket_lib.tasks.importing.table import Bad, Record, Table, listed, read_text
from orket_lib.tasks.task import Question, StructuredTask, Task, is_graded
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.validation import nearest, one_message_each, problems_of

MAX_ROWS = 100_000
MAX_CELL_CHARS = 100_000
_SHOWN_PROBLEMS = 50
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


@dataclass(frozen=True)
class Imported:
    """A bank, and what a user should know of its import.

    Attributes:
        bank: The bank.
        notes: What was seen, how it was read, and what was left out.
    """

    bank: TaskBank
    notes: tuple[str, ...]


def import_bank(path: Path, bank_id: str, options: ImportOptions | None = None) -> Imported:
    """Return the bank in a file.

    Args:
        path: A table, a promptfoo config or an lm-eval task.
        bank_id: The name of the bank.
        options: How to read it.

    Raises:
        ArtifactError: It can't be imported; the message says what was seen and what to type.
    """
    chosen = options or ImportOptions()
    try:
        table, reading = _recognised(path, chosen)
    except Bad as error:
        raise ArtifactError(f"{path}: {error}") from None
    tasks, problems = _tasks(table, reading, chosen.grader)
    shown = _shown(problems)
    if problems and not (chosen.skip and tasks):
        hint = ["--skip leaves such records out"] if tasks else []
        head = f"{path}: can't be imported ({table.described}):"
        raise ArtifactError("\n  ".join([head, *shown, *hint]))
    bank = TaskBank(schema_version=SCHEMA_VERSION, bank_id=bank_id, tasks=tuple(tasks))
    records = f"{len(problems)} record{'' if len(problems) == 1 else 's'}"
    left_out = [f"left out {records}:", *shown] if problems else []
    return Imported(bank, (*_notes(table, reading, tasks), *left_out))


def _recognised(path: Path, options: ImportOptions) -> tuple[Table, Reading]:
    """Return the records of a file, and how they are read."""
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
        return content if "tests" in content else None
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
    used = (*shape.needs, *shape.optional)
    others = [name for name in table.columns if name not in used]
    notes = (f"not used: {listed(others)}",) if others else ()
    return Reading(f"{shape.name}: {shape.says}", shape.task, used, notes)


def _tasks(table: Table, reading: Reading, grader: str | None) -> tuple[list[Task], list[str]]:
    """Return the tasks, and a message for each record that is none."""
    tasks: list[Task] = []
    problems = list(table.problems)
    prompts: dict[str, str] = {}
    with_id: bool | None = None
    for record in table.records[:MAX_ROWS]:
        try:
            _check_length(record.values)
            draft = _drafted(record, reading)
            if grader == AGREES:
                draft = _without_answer(draft)
            if with_id not in (None, "id" in draft):
                raise Bad("id: either every record has one or none")
            with_id = "id" in draft
            task = _task({"id": len(tasks) + 1, **draft})
            if tasks and task.id <= tasks[-1].id:
                raise Bad(f"id: ids must ascend: {task.id} follows {tasks[-1].id}")
            if task.prompt in prompts:
                raise Bad(f"the same prompt as {prompts[task.prompt]}")
            prompts[task.prompt] = record.where
            tasks.append(task)
        except Bad as error:
            problems += [f"{record.where}: {problem}" for problem in error.args]
    if len(table.records) > MAX_ROWS:
        problems.append(f"{table.records[MAX_ROWS].where}: more than {MAX_ROWS} records")
    return tasks, problems or ([] if tasks else ["there are no rows"])


def _check_length(values: Mapping[str, Any]) -> None:
    long = [
        f"{name[:40]}: longer than {MAX_CELL_CHARS} characters"
        for name, value in values.items()
        if isinstance(value, str) and len(value) > MAX_CELL_CHARS
    ]
    if long:
        raise Bad(*long)


def _drafted(record: Record, reading: Reading) -> Draft:
    """Return the task of a record; of another shape, say what it has."""
    try:
        return reading.task(record.values)
    except Bad as error:
        strange = not set(record.values) & set(reading.used) and record.values
        has = f" (this record has {listed(list(record.values))})" if strange else ""
        raise Bad(*(f"{reason}{has}" for reason in error.args)) from None


def _without_answer(draft: Draft) -> Draft:
    if "prompt" in draft:
        return {k: v for k, v in draft.items() if k != "expected"} | {"grader": AGREES}
    return draft | {"evaluation": {"type": AGREES}}


def _task(content: Draft) -> Task:
    model = Question if "prompt" in content else StructuredTask
    try:
        canonical_json(content).encode()
    except (ValueError, RecursionError):
        raise Bad("half a character, or a number beyond any float") from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        names = {"family": "category", "expected": "answer", "(whole file)": "answer"}
        names["instruction"] = "prompt"
        lines = [line.partition(":") for line in problems_of(error, content)]
        raise Bad(*(f"{names.get(at, at)}:{said}" for at, _, said in lines)) from None


def _shown(problems: Sequence[str]) -> list[str]:
    """Return the problems, equal ones together, as many as can be read."""
    lines = one_message_each(problems)
    more = len(lines) - _SHOWN_PROBLEMS
    return lines[:_SHOWN_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])


def _notes(table: Table, reading: Reading, tasks: Sequence[Task]) -> Iterator[str]:
    graders = Counter(one.type for task in tasks for one in task.evaluations)
    counted = ", ".join(f"{name} {count}" for name, count in sorted(graders.items()))
    yield f"seen: {table.described}"
    yield f"read as: {reading.says}; graders: {counted}"
    ungraded = sum(not is_graded(task) for task in tasks)
    if ungraded:
        only = "they count for agreement with the baseline only"
        yield f"{ungraded} tasks have no right answer: {only}"
    yield from reading.notes
