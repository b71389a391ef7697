"""Imports a bank from a file: what is in it is recognised, said once, and made into tasks.

Prompts of a table are sent unchanged; tasks of well-known shapes ask for the form of answer that
their grader reads. The error message lists the bad records, those with the same mistake together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orket_lib.artifacts.digest import canonical_json
from orket_lib.tasks.bank import SCHEMA_VERSION, TaskBank
from orket_lib.tasks.importing.columns import AGREES, Reading
from orket_lib.tasks.importing.recognise import ImportOptions, recognise
from orket_lib.tasks.importing.shapes import Draft
from orket_lib.tasks.importing.table import Bad, Record, Table, listed
from orket_lib.tasks.task import Question, StructuredTask, Task, is_graded
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.units import counted
from orket_lib.vocabulary.validation import one_message_each, problems_of

MAX_ROWS = 100_000
MAX_CELL_CHARS = 100_000
_SHOWN_PROBLEMS = 50


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
        table, reading = recognise(path, chosen)
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
    """Return a task whose answers are not graded; options of a choice stay in its prompt."""
    if "prompt" in draft:
        return {k: v for k, v in draft.items() if k != "expected"} | {"grader": AGREES}
    graders = draft["evaluation"]
    options = graders.get("options", {}) if isinstance(graders, dict) else {}
    shown = "\n".join(f"{label}) {text}" for label, text in options.items())
    asked = "\n\n".join(filter(None, [draft["instruction"], shown]))
    return draft | {"instruction": asked, "evaluation": {"type": AGREES}}


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
    by_grader = ", ".join(f"{name} {count}" for name, count in sorted(graders.items()))
    yield f"seen: {table.described}"
    yield f"read as: {reading.says}; graders: {by_grader}"
    ungraded = sum(not is_graded(task) for task in tasks)
    if ungraded:
        only = "they count for agreement with the baseline only"
        have = "has" if ungraded == 1 else "have"
        yield f"{counted(ungraded, 'task')} {have} no right answer: {only}"
    yield from reading.notes
    others = [name for name in table.columns if name not in reading.used]
    if others:
        yield f"not used: {listed(others)}"
