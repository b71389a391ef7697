"""What breaks: tasks that the baseline solves and another quant doesn't, as far as they fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from markupsafe import escape

from orket_lib.artifacts.printed.flips import FlippedTask, ModelFlips, QuantAnswer
from orket_lib.vocabulary.text import listed, visible

MOST_TASKS = 30  # of a model
MOST_CHARACTERS = 2000  # of a text
_MOST_BYTES = 350_000  # of all tasks in a page
_TASK_BYTES = 400  # of a task without its texts
_MOST_NAMES = 3
_MARKS = {True: "✓", False: "✗", None: "·"}


@dataclass(frozen=True)
class ShownAnswer:
    """An answer in the page.

    Attributes:
        quant: Who answered.
        right: Whether it was right.
        parts: Its text, and whether it differs from the other answer there.
        cut: Characters that are left out.
        detail: Why there is no answer.
        checks: Name of each check, whether it passed, and its detail.
    """

    quant: str
    right: bool
    parts: Sequence[tuple[str, bool]]
    cut: int
    detail: str
    checks: Sequence[tuple[str, bool, str]]


@dataclass(frozen=True)
class BrokenTask:
    """A task in the page.

    Attributes:
        test_id: The task.
        family: Of the task.
        marks: Right or wrong by each quant, in the order of the columns.
        lost: Who lost it, in words.
        prompt: None where it is unknown.
        right_answer: None where it is unknown.
        answers: The baseline's, and that of the first quant that lost it.
    """

    test_id: str
    family: str
    marks: str
    lost: str
    prompt: str | None
    right_answer: str | None
    answers: Sequence[ShownAnswer]


@dataclass(frozen=True)
class Broken:
    """What breaks of one model.

    Attributes:
        columns: The baseline and the quants that are compared with it.
        tasks: The first ones.
        lost: How many tasks were lost by at least one quant.
        won: How many were won by one.
        counts: Tasks lost by each quant, by family: a line of cells for each family.
    """

    columns: Sequence[str]
    tasks: Sequence[BrokenTask]
    lost: int
    won: int
    counts: Sequence[Sequence[str]]


def broken_tasks(flips: ModelFlips, models: int) -> Broken | None:
    """Return what breaks of one model; None if no quant could be compared.

    Args:
        flips: Its flipped tasks.
        models: How many models share the page.
    """
    if flips.baseline_quant is None or not flips.quants:
        return None
    lost = [task for task in flips.tasks if task.lost]
    columns = [flips.baseline_quant, *flips.quants]
    shown: list[BrokenTask] = []
    left = _MOST_BYTES // max(models, 1)
    for task in lost[:MOST_TASKS]:
        item = _shown(task, columns)
        left -= _bytes(item)
        if left < 0 and shown:
            break
        shown.append(item)
    return Broken(
        columns=columns,
        tasks=shown,
        lost=len(lost),
        won=sum(bool(task.won) for task in flips.tasks),
        counts=[
            (family, *(str(sum(quant in it.lost for it in of)) for quant in flips.quants))
            for family in sorted({task.family for task in lost})
            for of in [[task for task in lost if task.family == family]]
        ],
    )


def differing(one: str, other: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Return both texts in parts: the words from the first to the last difference are marked."""
    a, b = re.findall(r"\s+|\S+", one), re.findall(r"\s+|\S+", other)
    start = _same(a, b)
    end = _same(a[start:][::-1], b[start:][::-1])
    return _parts(a, start, end), _parts(b, start, end)


def _same(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many words both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _parts(words: Sequence[str], start: int, end: int) -> list[tuple[str, bool]]:
    stop = len(words) - end
    pieces = ((words[:start], False), (words[start:stop], True), (words[stop:], False))
    return [("".join(piece), marked) for piece, marked in pieces if piece]


def _shown(task: FlippedTask, columns: Iterable[str]) -> BrokenTask:
    by_quant = {answer.quant_tag: answer for answer in task.answers}
    right = (by_quant[it].right if it in by_quant else None for it in columns)
    known, lost = task.answers[0], by_quant[task.lost[0]]
    texts = differing(_cut(known.answer or ""), _cut(lost.answer or ""))
    return BrokenTask(
        test_id=task.test_id,
        family=task.family,
        marks="".join(_MARKS[it] for it in right),
        lost=listed(task.lost, _MOST_NAMES),
        prompt=None if task.prompt is None else _cut(task.prompt),
        right_answer=None if task.right_answer is None else _cut(task.right_answer),
        answers=[_answer(*pair) for pair in zip((known, lost), texts, strict=True)],
    )


def _answer(answer: QuantAnswer, parts: Sequence[tuple[str, bool]]) -> ShownAnswer:
    return ShownAnswer(
        quant=answer.quant_tag,
        right=answer.right,
        parts=parts,
        cut=max(0, len(answer.answer or "") - MOST_CHARACTERS),
        detail=_cut(answer.detail),
        checks=[(it.name, it.passed, _cut(it.detail)) for it in answer.checks[:MOST_TASKS]],
    )


def _cut(text: str) -> str:
    return text[:MOST_CHARACTERS]


def _bytes(task: BrokenTask) -> int:
    texts = [task.prompt or "", task.right_answer or ""]
    for answer in task.answers:
        texts += [text for text, _ in answer.parts]
        texts += [detail for _, _, detail in answer.checks]
    return _TASK_BYTES + sum(len(escape(visible(text)).encode()) for text in texts)
