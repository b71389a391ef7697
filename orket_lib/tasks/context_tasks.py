"""Tasks about something that is hidden in a text which fills a context, made from a seed.

What is hidden, where, and what is right is known before a model is loaded; how long the text has to
be, only its tokenizer tells. So a question is made first, and filled in the open session. The same
seed, context, family, depth and number give the same text in every version of Python: whoever
changes what is drawn here, or how, raises `CONTEXT_CONTRACT`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Annotated, Any, TypeVar

from pydantic import Field

from orket_lib.artifacts.digest import sha256_of
from orket_lib.artifacts.measurements.spec import ContextFamily, ContextFill, TaskSelection
from orket_lib.tasks.bank import task_key
from orket_lib.tasks.grading.text_evaluation import Strict
from orket_lib.tasks.task import Question

# Short and plain, so that a small model has its own chance; none of them holds a word of `_WORDS`.
_FILLER = (
    "the lamp stands by the door",
    "a boat lies on the lake",
    "the owl sleeps in the tree",
    "rain falls on the hill",
    "the book is on the desk",
    "wind moves the sail",
    "a coin rolls down the road",
    "the bell rings at noon",
)
_WORDS = (
    *("green", "black", "gold", "silver", "pink", "brown", "grey", "apple", "pear", "plum"),
    *("lemon", "melon", "grape", "berry", "lime", "peach", "moon", "snow", "fire", "wood"),
    *("iron", "salt", "leaf", "rock", "sand", "wave", "rope", "page", "paris", "cairo"),
)
_LARGEST = 99  # of a hidden number
_TIER = 1

_Item = TypeVar("_Item")


class Mark(Strict):
    """Something that is hidden in the text, between stars."""

    depth: float = Field(ge=0, le=1)
    text: str


class ContextQuestion(Question):
    """A question about what is hidden; its prompt has as much text as it was filled with."""

    family: Annotated[str, Field(pattern=r"^[a-z]+@[01]\.[0-9]{2}$")]
    marks: tuple[Mark, ...]
    question: str
    key: str = Field(description="that its text is drawn with")

    @property
    def sent(self) -> dict[str, Any]:
        """What its answer depends on; how long its text is, only a model's tokenizer tells."""
        marks = [mark.model_dump(mode="json") for mark in self.marks]
        return {"key": self.key, "marks": marks, "question": self.question}

    def filled(self, sentences: int) -> ContextQuestion:
        """Return the question with so many sentences around what is hidden."""
        return self.model_copy(update={"prompt": self.prompt_of(sentences)})

    def prompt_of(self, sentences: int) -> str:
        """Return the prompt with so many sentences; a longer one begins with the same."""
        random = Random(self.key)
        lines: list[str] = []
        while len(lines) < sentences:  # all of them in turn: so a sentence costs equally much
            lines += sorted(_FILLER, key=lambda _: random.random())
        del lines[sentences:]
        # From the back, so that no mark moves the place of another one.
        for mark in sorted(self.marks, key=lambda mark: -mark.depth):
            lines.insert(round(mark.depth * sentences), f"* {mark.text} *")
        return f"Text: {'. '.join(lines)}. {self.question}"

    def _evaluation(self) -> dict[str, Any]:
        asked = super()._evaluation()
        if self.grader == "contains":  # but "no word appears here" has not found the pear
            asked |= {"ignore_case": True, "whole_words": True}
        return asked


def context_tasks(fill: ContextFill, context: int, seed: int | None) -> tuple[ContextQuestion, ...]:
    """Return the tasks of a context, not filled yet.

    Args:
        fill: What is asked, and where.
        context: Tokens.
        seed: Of the config; without one the tasks are the same every time, too.
    """
    return tuple(
        _question(number, family, depth, f"{seed or 0}|{context}|{family}|{depth:.2f}|{index}")
        for number, (family, depth, index) in enumerate(_asked(fill), start=1)
    )


def context_selection(tasks: Sequence[ContextQuestion], fill: ContextFill) -> TaskSelection:
    """Return the identity of generated tasks."""
    return TaskSelection(
        bank_id="context",
        ids=tuple(task.id for task in tasks),
        sha256=sha256_of([task.model_dump(mode="json") for task in tasks]),
        keys=tuple(task_key(task, fill=fill) for task in tasks),
    )


def _asked(fill: ContextFill) -> Iterator[tuple[ContextFamily, float, int]]:
    for family in fill.families:
        for depth in fill.depths:
            yield from ((family, depth, index) for index in range(fill.tasks_per_depth))


def _question(number: int, family: ContextFamily, depth: float, key: str) -> ContextQuestion:
    random = Random(f"{key}|hidden")
    if family == "retrieval":
        word = _drawn(random, _WORDS)
        found: dict[str, Any] = {
            "marks": (Mark(depth=depth, text=word),),
            "question": "Which word stands between stars?",
            "grader": "contains",
            "expected": word,
        }
    else:
        numbers = [1 + int(random.random() * _LARGEST) for _ in range(2)]
        places = (depth, (depth + 0.5) % 1)
        found = {
            "marks": tuple(
                Mark(depth=place, text=str(value))
                for place, value in zip(places, numbers, strict=True)
            ),
            "question": "What is the sum of the two numbers between stars? Answer with one number "
            "only.",
            "grader": "number",
            "expected": sum(numbers),
        }
    bare = ContextQuestion(
        id=number, family=f"{family}@{depth:.2f}", tier=_TIER, prompt="-", key=key, **found
    )
    return bare.filled(0)


def _drawn(random: Random, items: Sequence[_Item]) -> _Item:
    """Return one of the items; `Random.random` alone is promised to stay as it is."""
    return items[int(random.random() * len(items))]
