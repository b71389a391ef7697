"""Task banks: files of tasks, from which a config selects by number, category and tier.

A bank is a JSON file: our own format, with a name and a version, or a bare array of tasks. The
number of a task is its id, or the digits at the end of a text id. Numbers ascend within a bank, so
that a range of numbers is a contiguous part of it. A measurement depends on the content of the
selected tasks.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from orket_lib.artifacts.digest import canonical_json, digest_of, sha256_of
from orket_lib.artifacts.io import parse_model, read_json
from orket_lib.artifacts.measurements.spec import ContextFill, TaskSelection
from orket_lib.tasks.grading.text_evaluation import Strict
from orket_lib.tasks.task import AnyTask, Question, StructuredTask, Task
from orket_lib.vocabulary.errors import ArtifactError

__all__ = ["Question", "StructuredTask", "Task", "TaskBank", "load_bank", "select", "selection"]

SCHEMA_VERSION = "orket.task_bank.v1"


class TaskBank(Strict):
    """A file of tasks."""

    schema_version: Literal["orket.task_bank.v1"]
    bank_id: str = Field(min_length=1)
    description: str = ""
    tasks: tuple[AnyTask, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_ascend(self) -> TaskBank:
        for before, after in pairwise(self.tasks):
            if after.id <= before.id:
                raise ValueError(
                    f"task ids must ascend: {after.written_id} follows {before.written_id}"
                )
        return self


def load_bank(path: Path) -> TaskBank:
    """Load a bank; a bare array of tasks is named after its file.

    Raises:
        ArtifactError: The file is missing, not JSON, or not a bank; the message lists all errors.
    """
    content = _read(path)
    whole: Any = (
        {"schema_version": SCHEMA_VERSION, "bank_id": path.stem, "tasks": content}
        if isinstance(content, list)
        else content
    )
    return parse_model(whole, TaskBank, path)


def _read(path: Path) -> Any:
    """Return the content of a bank, checked for a canonical form and thus a digest.

    Raises:
        ArtifactError: The file is missing, not JSON, or not portable JSON: nesting that is too
            deep, numbers out of the range of floats, lone surrogates.
    """
    try:
        content = read_json(path)
        canonical_json(content).encode()
    except RecursionError:
        raise ArtifactError(f"{path}: not valid JSON: nested too deeply") from None
    except ValueError as error:
        raise ArtifactError(f"{path}: not valid JSON: {str(error)[:200]}") from None
    return content


def select(
    tasks: Sequence[Task],
    limit: int = 0,
    id_min: int | None = None,
    id_max: int | None = None,
    categories: Collection[str] = (),
    tiers: Collection[int] = (),
) -> tuple[Task, ...]:
    """Return the first `limit` tasks that match.

    Args:
        tasks: All tasks of a bank.
        limit: How many at most; 0 means all.
        id_min: The lowest task number.
        id_max: The highest task number.
        categories: Families of tasks (a category in lower case, with `_` between words); empty
            means all.
        tiers: Tiers; empty means all.
    """
    chosen = [
        task
        for task in tasks
        if (id_min is None or task.id >= id_min)
        and (id_max is None or task.id <= id_max)
        and (not categories or task.family in categories)
        and (not tiers or task.tier in tiers)
    ]
    return tuple(chosen[:limit] if limit else chosen)


def selection(bank: TaskBank, tasks: Sequence[Task], by_runner: bool = False) -> TaskSelection:
    """Return the identity of the selected tasks: their ids, their content, and what is sent.

    Args:
        bank: Their bank.
        tasks: In the order of the bank.
        by_runner: A runner answers them; it sees more of a task than its prompt.
    """
    return TaskSelection(
        bank_id=bank.bank_id,
        ids=tuple(task.id for task in tasks),
        sha256=sha256_of([_content(task) for task in tasks]),
        keys=tuple(task_key(task, by_runner) for task in tasks),
    )


def selected(bank: TaskBank, wanted: TaskSelection) -> tuple[Task, ...] | None:
    """Return the tasks of a selection; None if the bank no longer has exactly these tasks."""
    ids = set(wanted.ids)
    tasks = tuple(task for task in bank.tasks if task.id in ids)
    found = selection(bank, tasks)
    return tasks if (found.ids, found.sha256) == (wanted.ids, wanted.sha256) else None


def task_key(task: Task, by_runner: bool = False, fill: ContextFill | None = None) -> str:
    """Return the digest of a task as it is sent, which identifies its answers in the store.

    Args:
        task: The task.
        by_runner: A runner answers it; it also sees the ids, the category and the tier.
        fill: How the prompt fills the context; None if it doesn't.
    """
    content = task.sent
    if by_runner:
        content |= {"id": task.id, "test_id": task.test_id, "category": task.family}
        content |= {"tier": task.tier}
    if fill:
        content |= {"fill": fill.model_dump(mode="json")}
    return digest_of(content)


def _content(task: Task) -> dict[str, Any]:
    """Return the task with its prompt, which a structured task doesn't have as a field."""
    content = task.model_dump(mode="json", by_alias=True)
    return content if isinstance(task, Question) else {"task": content, "prompt": task.prompt}
