"""Task banks: questions with a grader and the expected answer, selected by id.

A bank is one JSON file. Ids are integers in ascending order; the selection (`task_id_min`,
`task_id_max`, then `task_limit`) is part of what a measurement depends on, by content.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orket_lib.artifacts.canonical import sha256_of
from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.spec import TaskSelection

Grader = Literal["exact", "number", "json"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Task(_Strict):
    """One question."""

    id: int = Field(ge=1)
    family: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    tier: int = Field(ge=1, le=4, description="1 is the easiest")
    prompt: str = Field(min_length=1)
    grader: Grader
    expected: Any = Field(description="text for `exact`, a number for `number`, JSON for `json`")

    @property
    def test_id(self) -> str:
        """The name of the task in artifacts and baselines."""
        return f"{self.family}-{self.id:04d}"

    @model_validator(mode="after")
    def _expected_fits_grader(self) -> Task:
        kinds: dict[str, tuple[type, ...]] = {"exact": (str,), "number": (int, float)}
        allowed = kinds.get(self.grader)
        if allowed and (isinstance(self.expected, bool) or not isinstance(self.expected, allowed)):
            raise ValueError(f"expected {self.expected!r} does not fit grader `{self.grader}`")
        return self


class TaskBank(_Strict):
    """A file of questions."""

    schema_version: Literal["orket.task_bank.v1"]
    bank_id: str = Field(min_length=1)
    description: str = ""
    tasks: tuple[Task, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_ascend(self) -> TaskBank:
        for before, after in pairwise(self.tasks):
            if after.id <= before.id:
                raise ValueError(f"task ids must ascend: {after.id} follows {before.id}")
        return self


def load_bank(path: Path) -> TaskBank:
    """Return a bank.

    Raises:
        ArtifactError: The file is missing, not JSON, or not a bank; all violations are named.
    """
    return read_model(path, TaskBank)


def select(
    tasks: Sequence[Task],
    limit: int = 0,
    id_min: int | None = None,
    id_max: int | None = None,
) -> tuple[Task, ...]:
    """Return the tasks with `id_min <= id <= id_max`, of those the first `limit` (0: all)."""
    chosen = [
        task
        for task in tasks
        if (id_min is None or task.id >= id_min) and (id_max is None or task.id <= id_max)
    ]
    return tuple(chosen[:limit] if limit else chosen)


def selection(bank: TaskBank, tasks: Sequence[Task]) -> TaskSelection:
    """Return the identity of the selected tasks: their ids, and the SHA-256 of their content."""
    return TaskSelection(
        bank_id=bank.bank_id,
        ids=tuple(task.id for task in tasks),
        sha256=sha256_of([task.model_dump(mode="json") for task in tasks]),
    )
