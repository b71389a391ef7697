"""Tasks about something hidden in a text that fills the context, generated from a seed.

What is hidden, where, and the right answer are known before a model is loaded; the length of the
text depends on the model's tokenizer. So a question is generated first, and filled with text in the
open session. The same seed, context, family, depth and number give the same text in every version
of Python. If you change what is drawn here, or how, raise `CONTEXT_CONTRACT`.
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

# Short and plain, so that small models can read them; none contains a word of `_WORDS`. The texts
# are sent to the model: a change of wording makes other tasks.
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
    """Something hidden in the text, between stars."""

    depth: float = Field(ge=0, le=1)
    text: str


class ContextQuestion(Question):
    """A question about something hidden; its prompt contains the text that it was filled with."""

    family: Annotated[str, Field(pattern=r"^[a-z]+@[01]\.[0-9]{2}$")]
    marks: tuple[Mark, ...]
    question: str
    key: str = Field(description="seed of its text")

    @property
    def sent(self) -> dict[str, Any]:
        """What its answer depends on, except for the length of the text."""
        marks = [mark.model_dump(mode="json") for mark in self.marks]
        return {"key": self.key, "marks": marks, "question": self.question}

    def filled(self, sentences: int) -> ContextQuestion:
        """Return the question with `sentences` sentences of text."""
        return self.model_copy(update={"prompt": self.prompt_of(sentences)})

    def prompt_of(self, sentences: int) -> str:
        """Return the prompt with `sentences` sentences; a longer prompt has the same beginning."""
        random = Random(self.key)
        lines: list[str] = []
        while len(lines) < sentences:  # all in turn, so that sentences have the same mean cost
            lines += sorted(_FILLER, key=lambda _: random.random())
        del lines[sentences:]
        # From the end, so that no mark shifts another one.
        for mark in sorted(self.marks, key=lambda mark: -mark.depth):
            lines.insert(round(mark.depth * sentences), f"* {mark.text} *")
        return f"Text: {'. '.join(lines)}. {self.question}"

    def _evaluation(self) -> dict[str, Any]:
        asked = super()._evaluation()
        if self.grader == "contains":  # "no word appears here" doesn't contain `pear`
            asked |= {"ignore_case": True, "whole_words": True}
        return asked


def context_tasks(fill: ContextFill, context: int, seed: int | None) -> tuple[ContextQuestion, ...]:
    """Return the tasks of a context, not yet filled.

    Args:
        fill: What is asked, and at which depths.
        context: Context length in tokens.
        seed: The seed in the config; None gives the same tasks every time as well.
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
    """Return a random item. Only `Random.random` is guaranteed not to change between versions."""
    return items[int(random.random() * len(items))]
