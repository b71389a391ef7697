"""What a family of generated tasks makes: a task before it has an id."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from orket_lib.tasks.generators import judging

_T = TypeVar("_T")


@dataclass(frozen=True)
class Draft:
    """A task before it has an id.

    Attributes:
        instruction: What is asked.
        evaluation: One grader, as in a bank.
        answer: A right answer, for tests and solutions.
        problem: Text shown first; "" is none.
        tools: Functions that are offered through the API.
    """

    instruction: str
    evaluation: dict[str, Any]
    answer: str
    problem: str = ""
    tools: tuple[dict[str, Any], ...] = ()


def of_number(asked: str, answer: int, problem: str = "") -> Draft:
    """Return a task whose answer is one number."""
    return Draft(asked, judging.number(answer), str(answer), problem)


def of_text(asked: str, answer: str, problem: str = "", ignore_case: bool | None = None) -> Draft:
    """Return a task whose answer is one text; see `judging.exact`."""
    return Draft(asked, judging.exact(answer, ignore_case), answer, problem)


def of_label(
    asked: str, answer: str, rivals: Iterable[str], problem: str = "", text: str = ""
) -> Draft:
    """Return a task whose answer is one word and none of its rivals; see `judging.label`."""
    return Draft(asked, judging.label(answer, rivals, text), answer, problem)


def of_json(asked: str, answer: Any, problem: str = "") -> Draft:
    """Return a task whose answer is one JSON value."""
    return Draft(asked, {"type": "json", "expected": answer}, json.dumps(answer), problem)


def of_level(level: int, *kinds: _T) -> _T:
    """Return what there is for a level; the last is for all higher ones."""
    return kinds[min(level, len(kinds)) - 1]
