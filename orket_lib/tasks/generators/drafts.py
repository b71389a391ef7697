"""What a family of generated tasks makes: a task before it has an id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
