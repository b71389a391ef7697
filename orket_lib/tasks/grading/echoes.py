"""Cuts a repeated prompt out of an answer, so that the question's own words are never the answer.

Models repeat a question before they answer it, and weak quants do nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from orket_lib.reading.statements import Unparseable
from orket_lib.tasks.grading.text_evaluation import Contains, Exact
from orket_lib.tasks.task import Question, Task

_FEWEST_WORDS = 4  # of a part that is cut out; fewer may be words of an answer


def without_prompt(task: Task, answer: str) -> str:
    """Return an answer without its prompt, or the parts of it that ask.

    Args:
        task: What was asked; answers in code may repeat it, in a docstring.
        answer: What the model wrote.

    Raises:
        Unparseable: Nothing else is in it, or its form is part of what is asked.
    """
    plain = " ".join(answer.split())
    found = [part for part in _parts(task) if part in plain]
    if not found or any(_holds(one, found[0]) for one in task.evaluations):
        return answer
    rest = answer
    for part in found:
        if part == plain or len(part.split()) >= _FEWEST_WORDS:
            words = r"\s+".join(map(re.escape, part.split()))
            rest = re.sub(rf"(?<!\w){words}(?!\w)", "", rest)
    formal = any(getattr(one, "form_counts", False) for one in task.evaluations)
    if rest != answer and (formal or not re.search(r"\w", rest)):
        raise Unparseable("the answer repeats its prompt")
    return rest


def _parts(task: Task) -> Iterator[str]:
    """Yield what asks, the longest first, with single blanks."""
    parts = [task.prompt]
    if not isinstance(task, Question):
        parts += [f"{task.problem} {task.instruction}", task.instruction]
    yield from (" ".join(part.split()) for part in parts)


def _holds(asked: object, prompt: str) -> bool:
    """Return whether a right answer holds the prompt, as the end of a sentence may."""
    match asked:
        case Exact():
            texts: tuple[str, ...] = (asked.expected,)
        case Contains():
            texts = (*asked.all, *asked.any)
        case _:
            return False
    return any(prompt in " ".join(text.split()) for text in texts)
