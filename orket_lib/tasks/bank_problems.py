"""Finds tasks of a valid bank that can't judge a model: repeated, ambiguous, given away.

Each finding is a problem, or a warning where an author may have a reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orket_lib.artifacts.digest import canonical_json
from orket_lib.tasks.bank import TaskBank
from orket_lib.tasks.grading.evaluation import Evaluation
from orket_lib.tasks.grading.graders import states_the_answer
from orket_lib.tasks.grading.text_evaluation import Choice, Exact, JsonValue, Label, Number
from orket_lib.tasks.task import Question, Task

_FEWEST = 8  # tasks of a family whose wording is compared
_OPENING = 3  # words with which prompts of one template begin
_STATED = re.compile(r"(?i)\b(?:correct |right |expected )?(?:answer|solution)\s*(?:is|:|=)")


@dataclass(frozen=True)
class Finding:
    """Something about a task or a family."""

    text: str
    is_warning: bool = False


def bank_findings(bank: TaskBank) -> tuple[Finding, ...]:
    """Return what is wrong with the tasks of a bank, in the order of the bank."""
    return (
        *_repeated(bank.tasks),
        *(finding for task in bank.tasks for finding in _of_task(task)),
        *_one_template(bank.tasks),
    )


def _repeated(tasks: Sequence[Task]) -> Iterator[Finding]:
    """Yield a problem for each prompt that is asked twice; worse, if the answers differ."""
    asked: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        offer = canonical_json(list(task.offered))
        asked[" ".join(task.prompt.split()) + offer].append(task)
    for same in asked.values():
        if len(same) < 2:
            continue
        names = ", ".join(task.test_id for task in same)
        graders = {canonical_json(_graders(task)) for task in same}
        if len(graders) > 1:
            yield Finding(f"{names}: the same prompt with different answers or graders")
        else:
            yield Finding(f"{names}: the same task")


def _graders(task: Task) -> list[Any]:
    return [one.model_dump(mode="json") for one in task.evaluations]


def _of_task(task: Task) -> Iterator[Finding]:
    for one in task.evaluations:
        # The options of a question are in its prompt, as text.
        if isinstance(one, Choice) and not isinstance(task, Question):
            for same in _same_options(one):
                yield Finding(f"{task.test_id}: ambiguous: options {same} have the same text")
    if answer := told_answer(task):
        yield Finding(f"{task.test_id}: the prompt says the answer {answer!r:.60}", is_warning=True)


def _same_options(choice: Choice) -> Iterator[str]:
    labels: dict[str, list[str]] = defaultdict(list)
    for label, text in choice.options.items():
        labels[" ".join(text.split()).casefold()].append(label)
    return (" and ".join(same) for same in labels.values() if len(same) > 1)


def _right_answer(asked: Evaluation) -> str | None:
    """Return a right answer; None for graders that accept many."""
    match asked:
        case Exact() | Choice() | Label() | Number():
            return str(asked.expected)
        case JsonValue():
            return canonical_json(asked.expected)
    return None


def told_answer(task: Task) -> str | None:
    """Return the right answer if the prompt states it: as one, or by being one if it is repeated.

    None for a task that asks for a copy of its problem.
    """
    answer = _right_answer(task.evaluations[0]) if len(task.evaluations) == 1 else None
    copied = not isinstance(task, Question) and task.problem.strip() == answer
    return answer if answer and not copied and _gives_away(task, answer) else None


def _gives_away(task: Task, answer: str) -> bool:
    prompt = task.prompt
    stated = (prompt[found.end() :].lstrip(" *_\"'`") for found in _STATED.finditer(prompt))
    if any(re.match(rf"{re.escape(answer)}(?!\w)", one) for one in stated):
        return True
    return not isinstance(task.evaluations[0], Choice) and states_the_answer(task, prompt)


def _one_template(tasks: Sequence[Task]) -> Iterator[Finding]:
    """Yield a warning for each family whose tasks are all worded alike."""
    families: dict[str, list[str]] = defaultdict(list)
    for task in tasks:
        asked = task.prompt if isinstance(task, Question) else task.instruction
        families[task.family].append(asked)
    for family, prompts in families.items():
        openings = {tuple(re.sub(r"\d+", "0", one).split()[:_OPENING]) for one in prompts}
        if len(prompts) >= _FEWEST and len(openings) == 1:
            yield Finding(
                f"family {family}: all {len(prompts)} prompts are worded alike, so they measure "
                "one thing",
                is_warning=True,
            )
